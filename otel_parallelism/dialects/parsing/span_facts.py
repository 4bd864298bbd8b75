"""Makes the facts of calls, model requests and turns from a span's input and output, as most dialects record them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import envelopes, messages
from .content import captured
from .facts import Facts
from .usage import NO_USAGE, InputUsage

if TYPE_CHECKING:
    from collections.abc import Callable


def call_facts(
    tool: str,
    given: object,
    output: object,
    *,
    call_id: str = "",
    failed: bool = False,
    retrieval: bool = False,
    arguments: Callable[[object], object] = envelopes.arguments,
    result: Callable[[object], object] = envelopes.result,
) -> Facts:
    """
    Return the facts of a call.

    Args:
        tool: The tool's name.
        given: The call's arguments as captured; None if they were not.
        output: The call's result as captured; None if it was not.
        call_id: The model's id of the call.
        failed: Whether the dialect's own fields report an error.
        retrieval: Whether the call only reads. The query is then not all that it was given: which index or filter it
            searched is not recorded.
        arguments: Removes the dialect's envelope of arguments.
        result: Removes the dialect's envelope of results.
    """
    return Facts(
        kind="call",
        tool=tool,
        call_id=call_id or envelopes.tool_call_id(output) or envelopes.tool_call_id(given),
        arguments=captured(given, arguments, whole=not retrieval),
        result=captured(output, result),
        failed=failed or envelopes.tool_failed(output),
        effect="read" if retrieval else "unknown",
        effect_source="framework" if retrieval else "",
    )


def step_facts(given: object, output: object, usage: InputUsage = NO_USAGE) -> Facts:
    """Return the facts of a model request with the input messages *given* and the messages *output*, both captured."""
    return Facts(
        kind="step",
        requested=None if output is None else messages.requested_ids(output),
        answer=captured(output, messages.asked_calls),
        input_tokens=usage.tokens,
        cached_tokens=usage.cached,
        words=captured(given, messages.user_words),
    )


def turn_facts(agent: str, given: object) -> Facts:
    """Return the facts of a run of *agent* with the input *given*, as captured."""
    return Facts(kind="turn", agent=agent, words=captured(given, messages.run_input))
