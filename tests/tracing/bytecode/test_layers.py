"""Tests what is found inside a callable: the functions that it wraps, and the objects that it passes along."""

from __future__ import annotations

import functools
import inspect
import types
from functools import partial
from typing import TYPE_CHECKING, Any
from unittest.mock import Mock

import wrapt

from otel_parallelism.tracing.bytecode.layers import (
    innermost_function,
    is_class_of_program,
    is_of_program,
    layers_of,
    objects_inside,
    plain_functions,
)

if TYPE_CHECKING:
    from collections.abc import Callable


def find(city: str) -> str:
    return city


def logged(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def inner(*args: Any) -> Any:
        return function(*args)

    return inner


@wrapt.decorator
def passed_on(wrapped: Any, _: Any, args: Any, kwargs: Any) -> Any:
    return wrapped(*args, **kwargs)


class Desk:
    def find(self, city: str) -> str:
        return city

    def __call__(self, city: str) -> str:
        return city


def test_functions_are_found_under_what_wraps_them() -> None:
    assert plain_functions(find) == [find]
    decorated: Any = logged(find)
    assert plain_functions(decorated) == [decorated, find]
    assert plain_functions(partial(decorated, "Oslo")) == [decorated, find]
    assert innermost_function(functools.lru_cache(find)) is find
    assert innermost_function(passed_on(passed_on(find))) is find


def test_methods_and_partial_functions_pass_objects_along() -> None:
    desk, log = Desk(), ["entry"]
    assert objects_inside(desk.find) == [("self", desk)]
    assert objects_inside(partial(desk.find, "Oslo", log=log)) == [("0", "Oslo"), ("log", log), ("self", desk)]
    assert objects_inside(desk) == [("self", desk)]
    assert innermost_function(desk) is Desk.__call__
    assert objects_inside(find) == objects_inside(None) == []


def test_what_wraps_nothing_has_one_layer() -> None:
    for thing in (print, Desk, Mock()):
        assert layers_of(thing) == [thing]
        assert innermost_function(thing) is None
    assert layers_of(None) == []


def test_functions_that_wrap_one_another_in_a_circle_end() -> None:
    one, other = logged(find), logged(find)
    vars(one)["__wrapped__"], vars(other)["__wrapped__"] = other, one
    assert plain_functions(one) == [one, other]


def test_a_decorator_of_a_library_is_left_out_unless_nothing_else_is_there() -> None:
    code = find.__code__.replace(co_filename="/lib/python3/site-packages/retry/retry.py")
    of_library = types.FunctionType(code, {})
    vars(of_library)["__wrapped__"] = find
    assert plain_functions(of_library) == [find]
    del vars(of_library)["__wrapped__"]
    assert plain_functions(of_library) == [of_library]


def test_files_and_classes_of_the_program_are_told_from_those_of_libraries() -> None:
    assert is_of_program(__file__)
    assert is_of_program("<ipython-input-1>")
    for file in (inspect.__file__, wrapt.__file__, "<frozen importlib._bootstrap>", "C:\\lib\\site-packages\\a.py"):
        assert not is_of_program(file)
    assert is_class_of_program(Desk)
    assert not any(map(is_class_of_program, (dict, partial, inspect.Signature, wrapt.ObjectProxy)))
