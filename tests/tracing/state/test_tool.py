"""A tool knows where its function is defined, whatever wraps it."""

from __future__ import annotations

import functools
from typing import Any

from otel_parallelism.tracing.state.tool import Tool, innermost


def find(x: int) -> int:
    return x


@functools.wraps(find)
def around(x: int) -> int:
    return find(x)


def test_the_place_of_a_tool_is_that_of_the_innermost_function() -> None:
    place = Tool(around, None, None, None, None).place()
    assert place is not None
    assert place.line_number == find.__code__.co_firstlineno


def test_functions_that_wrap_one_another_have_their_own_places() -> None:
    first, second = (lambda: 1), (lambda: 2)
    circle: Any = (first, second)
    circle[0].__wrapped__, circle[1].__wrapped__ = second, first
    assert innermost(first) is first
    place = Tool(first, "first", None, None, None).place()
    assert place is not None
    assert place.line_number == first.__code__.co_firstlineno
