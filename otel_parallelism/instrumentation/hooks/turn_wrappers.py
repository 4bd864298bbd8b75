"""Wrappers of functions that run an agent: each run is a turn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from otel_parallelism.model import Content
from otel_parallelism.tracing.sdk.current import get_current
from otel_parallelism.tracing.spans.turn import AgentTurn
from otel_parallelism.tracing.state.existing_spans import claim_turn

from .lifetime_wrappers import lifetime_wrapper
from .lifetimes import is_named_error

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.context import Context

    from .lifetimes import Arguments, Describe, Keywords, Lifetime, Until, WrapperFactory


class TurnFacts(msgspec.Struct, frozen=True):
    """
    What a framework knows about a run of an agent.

    Attributes:
        agent: The agent's name.
        input: The user's words, in any form.
        duplicate_scopes: Names of instrumentation scopes whose spans inside the run duplicate ours, possibly with other
            parents.
        pauses: As in `CallFacts`.
    """

    agent: str = ""
    input: object = None
    duplicate_scopes: frozenset[str] = frozenset()
    pauses: tuple[str, ...] = ()


class _TurnLifetime:
    """An `AgentTurn` as a `Lifetime`."""

    __slots__ = ("_pauses", "_turn")

    def __init__(self, facts: TurnFacts, fallback: str) -> None:
        name = facts.agent or fallback
        self._pauses = facts.pauses
        self._turn = AgentTurn(name, facts.agent or None, facts.input, facts.duplicate_scopes)

    def enter(self) -> None:
        self._turn.__enter__()

    def leave(self) -> Context:
        context = get_current()
        self._turn.leave()
        return context

    def seen(self, item: Any) -> None:
        pass

    def end(self, _: Any, /) -> None:
        self._turn.end()

    def fail(self, error: BaseException) -> None:
        self._turn.end(None if is_named_error(error, self._pauses) else error)


def turn_wrapper(
    describe: Callable[[Any, Arguments, Keywords], TurnFacts | None],
    *,
    title: str,
    scopes: tuple[str, ...] = (),
    until: Until | None = None,
) -> WrapperFactory:
    """
    Return a factory of wrappers that make each run of a function a turn.

    Args:
        describe: Returns the facts from instance and arguments; None for a run that is not a turn.
        title: The name of a turn whose agent has no name.
        scopes: Parts of the names of instrumentation scopes whose turn spans mean the same run. If such a span directly
            encloses the run, no second span is made.
        until: As for `lifetime_wrapper`.
    """
    return lifetime_wrapper(turn_lifetime(describe, title=title, scopes=scopes), until)


def turn_lifetime(
    describe: Callable[[Any, Arguments, Keywords], TurnFacts | None], *, title: str, scopes: tuple[str, ...] = ()
) -> Describe:
    """Return what makes the lifetime of a turn; the arguments are those of `turn_wrapper`."""

    def lifetime(instance: Any, args: Arguments, kwargs: Keywords) -> Lifetime | None:
        facts = describe(instance, args, kwargs)
        if facts is None:
            return None
        words = None if facts.input is None else Content(facts.input)
        if scopes and claim_turn(scopes, words):
            return None
        return _TurnLifetime(facts, title)

    return lifetime
