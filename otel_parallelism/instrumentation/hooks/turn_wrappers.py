"""Wrappers around functions that are an agent's run: each run of them is a turn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from otel_parallelism.model import Content
from otel_parallelism.tracing.sdk.current import get_current
from otel_parallelism.tracing.spans.turn import AgentTurn
from otel_parallelism.tracing.state.existing_spans import claim_turn

from .lifetimes import is_named_error, lifetime_wrapper

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.context import Context

    from .lifetimes import Arguments, Describe, Keywords, Lifetime, Until, WrapperFactory


class TurnFacts(msgspec.Struct, frozen=True):
    """
    What a framework says of an agent run: the agent's name, and the user's words in any form.

    ``duplicate_scopes`` names the instrumentation scopes whose spans inside the turn repeat what our own spans say,
    possibly under other parents. ``pauses`` is as in `CallFacts`.
    """

    agent: str = ""
    input: object = None
    duplicate_scopes: frozenset[str] = frozenset()
    pauses: tuple[str, ...] = ()


class _Turn:
    """An `AgentTurn` as a lifetime."""

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
    Return what wraps a function that is an agent's run: each run of it is a turn.

    Args:
        describe: Says whose run, from instance and arguments; None for what is none.
        title: What a turn of an agent without a name is called.
        scopes: Parts of the names of the instrumentation scopes whose turn spans mean this same run: where one is
            open right around it, there is none of ours.
        until: As for `around`.
    """
    return lifetime_wrapper(turn_lifetime(describe, title=title, scopes=scopes), until)


def turn_lifetime(
    describe: Callable[[Any, Arguments, Keywords], TurnFacts | None], *, title: str, scopes: tuple[str, ...] = ()
) -> Describe:
    """Return what makes the turn that a call of a function is; the arguments are those of `turns`."""

    def lifetime(instance: Any, args: Arguments, kwargs: Keywords) -> Lifetime | None:
        facts = describe(instance, args, kwargs)
        if facts is None:
            return None
        words = None if facts.input is None else Content(facts.input)
        if scopes and claim_turn(scopes, words):
            return None
        return _Turn(facts, title)

    return lifetime
