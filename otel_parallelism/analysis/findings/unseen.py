"""Calls that the model asked for and that were not seen to run, because nothing records their tools."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from otel_parallelism.analysis.turns.asked_calls import asked_by

if TYPE_CHECKING:
    from collections.abc import Sequence

    from otel_parallelism.model import Step, Turn

_SEVERAL = 2


def unseen_calls(turn: Turn, bookkeeping: Sequence[str]) -> tuple[str, ...] | None:
    """
    Return the names of the tools that the model asked for if no call of *turn* was seen; None if there is no such case.

    One call in the last response of a turn is no such case: many libraries ask for a tool to get structured output,
    and never run it. The names are those that the model requests tell, each once; there may be none.

    Args:
        turn: The turn after normalisation.
        bookkeeping: Patterns of tools that do not count as calls.
    """
    if turn.calls:
        return None
    found: dict[str, None] = {}
    asked = False
    for position, step in enumerate(turn.steps):
        tools = _counted_tools(step, bookkeeping)
        if tools is not None and (position + 1 < len(turn.steps) or len(tools) >= _SEVERAL):
            asked = True
            found.update(dict.fromkeys(tool for tool in tools if tool))
    return tuple(found) if asked else None


def _counted_tools(step: Step, bookkeeping: Sequence[str]) -> tuple[str, ...] | None:
    """Return the tool of each call that *step* requests, "" if unknown, without bookkeeping; None if there is none."""
    requested = step.requested
    tools = step.requested_tools or tuple(call.tool for call in asked_by(step))
    if requested is not None and len(tools) != len(requested):
        tools = ("",) * len(requested)
    counted = tuple(
        tool for tool in tools if not any(fnmatchcase(tool.lower(), pattern.lower()) for pattern in bookkeeping)
    )
    return counted or None
