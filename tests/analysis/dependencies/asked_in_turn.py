"""Makes calls that a model asks for in turn, and says how they depend on each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from otel_parallelism.analysis.dependencies.dependency_graph import Dependencies
from otel_parallelism.model import Call, Content, DeveloperText
from otel_parallelism.settings import Settings

if TYPE_CHECKING:
    from otel_parallelism.analysis.dependencies.particular_edges import Pair

_SECOND_NS = 1_000_000_000

Told: TypeAlias = tuple[str, dict[str, Any], Any]
"""A call: its tool, its arguments and its result."""


def dependencies(said: str, *told: Told, prompt: str = "") -> Dependencies:
    """Return the dependencies of calls, each asked for after the one before, in a turn that *said* begins."""
    calls = [
        Call(
            "1",
            f"{at}",
            "turn",
            tool,
            2 * at * _SECOND_NS,
            (2 * at + 1) * _SECOND_NS,
            arguments=Content(arguments),
            result=Content(result),
            round=at,
        )
        for at, (tool, arguments, result) in enumerate(told)
    ]
    words = [DeveloperText(prompt), said] if prompt else said
    return Dependencies(calls, [Content(words)], Settings())


def judged(said: str, first: Told, second: Told) -> Pair:
    """Return the relation of two calls that a model asked for in turn."""
    return dependencies(said, first, second).pair(0, 1)


def verdict_on(said: str, first: Told, second: Told, prompt: str = "") -> str:
    """Return the verdict on two calls that a model asked for in turn, under a system prompt."""
    return dependencies(said, first, second, prompt=prompt).pair(0, 1).verdict
