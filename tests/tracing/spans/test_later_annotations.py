"""
Annotations that name what is defined later: Python evaluates them when they are asked for, from 3.14 on.

This module must not import annotations from ``__future__``, which turns them into text.
"""

# ruff: noqa: F821, I002 - see above
import asyncio
import functools
import inspect
import re
import sys
import typing
from collections.abc import Callable
from typing import Any

import pytest

from otel_parallelism import agent_turn, profiled

if sys.version_info < (3, 14):
    pytest.skip("annotations are evaluated at once before Python 3.14", allow_module_level=True)

import annotationlib

FORWARD = annotationlib.Format.FORWARDREF
TEXT = annotationlib.Format.STRING


class Caller:
    def __call__(self, day: Later) -> Caller:  # type: ignore[name-defined]
        """Return itself."""
        return self


def functions(decorate: Callable[[Any], Any]) -> list[Any]:
    @decorate
    def plain(day: Later, days: list[Later] | None = None) -> Later:  # type: ignore[name-defined]
        return day

    @decorate
    async def coroutine(day: Later) -> Later:  # type: ignore[name-defined]
        return day

    @decorate
    def generator(day: Later) -> Later:  # type: ignore[name-defined]
        yield day

    class Desk:
        @decorate
        def method(self, day: Later) -> Desk:  # type: ignore[name-defined]
            return self

        @classmethod
        @decorate
        def of_class(cls, day: Later) -> Desk:  # type: ignore[name-defined]
            return cls()

    return [plain, coroutine, generator, Desk().method, Desk.of_class, functools.partial(plain, 1)]


def answers(function: Any) -> list[str]:
    asks: list[Callable[[Any], object]] = [
        lambda each: inspect.signature(each, annotation_format=FORWARD),
        lambda each: inspect.signature(each, annotation_format=TEXT),
        lambda each: annotationlib.get_annotations(each, format=FORWARD),
        lambda each: annotationlib.get_annotations(each, format=TEXT),
        inspect.signature,
        typing.get_type_hints,
        lambda each: each.__annotations__,
    ]
    found = []
    for ask in asks:
        try:
            found.append(re.sub(r"0x\w+", "", str(ask(function))))
        except (NameError, TypeError, AttributeError) as error:
            found.append(type(error).__name__)
    return found


@pytest.mark.usefixtures("kit")
@pytest.mark.parametrize("decorate", [profiled, agent_turn("t")], ids=["profiled", "agent_turn"])
def test_annotations_are_evaluated_when_they_are_asked_for(decorate: Callable[[Any], Any]) -> None:
    for own, plain in zip(functions(decorate), functions(lambda function: function), strict=True):
        assert answers(own) == answers(plain)
    plain, coroutine, generator, *_ = functions(decorate)
    assert (plain(1), asyncio.run(coroutine(2)), list(generator(3))) == (1, 2, [3])


@pytest.mark.usefixtures("kit")
def test_annotations_of_a_callable_object() -> None:
    caller = profiled(Caller())
    assert str(inspect.signature(caller, annotation_format=FORWARD)) == str(
        inspect.signature(Caller(), annotation_format=FORWARD)
    )
    assert isinstance(caller(1), Caller)
