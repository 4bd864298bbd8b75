"""
Turns of coding agents as spans in the GenAI vocabulary, which then take the same way as any other.

Where a transcript does not tell enough, the span says less, and nothing is promised for the call.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Final

from otel_parallelism import names
from otel_parallelism.analysis.dependencies.effects.argument_effects import argument_effect
from otel_parallelism.model import SpanRecord

from .found_paths import FoundPaths
from .known_tools import ASKING, READING, SHELLS, WRITING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otel_parallelism.model import Effect

    from .agent_turns import AskedTool, ModelResponse, RecordedTurn

_WAITING: Final = "blocked_on_user"
_CUT: Final = "anthropic.content.truncated"
_CACHE_READ: Final = "gen_ai.usage.cache_read.input_tokens"
_LEAST_WAIT_NS: Final = 1_000_000_000
_LEAST_QUEUE_NS: Final = 100_000_000
_QUICK_NS: Final = 15_000_000_000
"""A call that takes longer than this may have waited for a permission, unless the transcript tells how long it ran."""


def session_spans(turn: RecordedTurn) -> list[SpanRecord]:
    """Return the spans of *turn*, one trace: the turn's first, then each response and the calls that it asked for."""
    return list(_Spans(turn).all())


def trace_id_of(turn: RecordedTurn) -> str:
    """Return an id that is the same for a turn that is recorded in several files, as resumed sessions are."""
    first = next((call.call_id for response in turn.responses for call in response.calls if call.call_id), "")
    text = "\0".join((turn.agent, str(turn.start_ns), first or turn.session))
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=16).hexdigest()


def cancelled_batches(turn: RecordedTurn) -> Iterator[tuple[int, int]]:
    """Yield for each response with calls that were cancelled because another failed: all its calls, and those."""
    for response in turn.responses:
        cancelled = sum(call.cancelled for call in response.calls)
        if cancelled:
            yield len(response.calls), cancelled


class _Spans:
    def __init__(self, turn: RecordedTurn) -> None:
        self._turn = turn
        self._trace_id = trace_id_of(turn)
        self._number = 0
        self._paths = FoundPaths(turn.words, turn.project)

    def all(self) -> Iterator[SpanRecord]:
        turn = self._turn
        words = [{"role": "user", "parts": [{"type": "text", "content": turn.words}]}]
        root = self._span(
            "",
            f"invoke_agent {turn.agent}",
            turn.start_ns,
            turn.end_ns,
            {
                names.OPERATION_NAME: names.INVOKE_AGENT,
                names.AGENT_NAME: turn.agent,
                names.INPUT_MESSAGES: words,
            },
        )
        yield root
        for response in turn.responses:
            yield from self._response(response, root.span_id)

    def _span(
        self,
        parent_id: str,
        name: str,
        start_ns: int,
        end_ns: int,
        attributes: dict[str, Any],
        *,
        links: tuple[str, ...] = (),
    ) -> SpanRecord:
        self._number += 1
        return SpanRecord(
            self._trace_id,
            f"{self._number:016x}",
            parent_id,
            name,
            start_ns,
            max(start_ns, end_ns),
            attributes,
            links=links,
            source=self._turn.session,
        )

    def _response(self, response: ModelResponse, root_id: str) -> Iterator[SpanRecord]:
        attributes: dict[str, Any] = {
            names.OPERATION_NAME: "chat",
            names.REQUESTED: tuple(call.call_id for call in response.calls),
        }
        if response.input_tokens is not None:
            attributes[names.INPUT_TOKENS] = response.input_tokens
            attributes[_CACHE_READ] = response.cached_tokens or 0
        if response.texts:
            attributes[names.OUTPUT_MESSAGES] = [{"role": "assistant", "parts": _parts_of(response)}]
        yield self._span(root_id, "chat", response.start_ns, response.end_ns, attributes)
        alone = len(response.calls) == 1
        made: list[tuple[AskedTool, str]] = []
        free_ns = 0
        for call in response.calls:
            end_ns = call.end_ns or self._turn.end_ns
            start_ns = call.start_ns
            effect = _effect(call)
            if self._turn.agent == "claude-code" and effect != "read":
                # Such calls of one response run one after another.
                start_ns = min(end_ns, max(start_ns, free_ns))
                free_ns = max(free_ns, end_ns)
            if not alone:
                start_ns = _ran_from_ns(call, start_ns, end_ns)
            waited_ns = _waited_ns(call, start_ns, end_ns, alone=alone)
            links = self._paths.sources_of(call)
            span = self._call(call, root_id, start_ns, end_ns, waited_ns, links=links)
            made.append((call, span.span_id))
            yield span
            if waited_ns:
                yield self._span(span.span_id, _WAITING, start_ns, start_ns + waited_ns, {})
        for call, span_id in made:
            self._paths.add_asked(call, span_id)
        for call, span_id in made:
            self._paths.add_result(call, span_id)

    def _call(
        self, call: AskedTool, root_id: str, start_ns: int, end_ns: int, waited_ns: int, *, links: tuple[str, ...]
    ) -> SpanRecord:
        attributes: dict[str, Any] = {
            names.OPERATION_NAME: names.EXECUTE_TOOL,
            names.TOOL_NAME: call.tool or "(no name)",
            names.TOOL_CALL_ID: call.call_id,
        }
        if call.arguments is not None:
            attributes[names.TOOL_CALL_ARGUMENTS] = call.arguments
        if call.result is not None and call.end_ns:
            attributes[names.TOOL_CALL_RESULT] = call.result
        if call.tool in READING:
            attributes[names.EFFECT] = "read"
        elif call.tool in WRITING:
            attributes[names.EFFECT] = "write"
        if call.failed:
            attributes[names.ERROR_TYPE] = "tool_error"
        slow = end_ns - start_ns - waited_ns > _QUICK_NS and call.took_ns is None
        if (slow and call.may_wait) or not call.end_ns:
            attributes[_CUT] = True
        return self._span(root_id, f"execute_tool {call.tool}", start_ns, end_ns, attributes, links=links)


def _parts_of(response: ModelResponse) -> list[dict[str, Any]]:
    """Return the texts and the calls of a response as parts of a message."""
    return [
        *({"type": "text", "content": text} for text in response.texts),
        *(
            {"type": "tool_call", "id": call.call_id, "name": call.tool, "arguments": call.arguments}
            for call in response.calls
        ),
    ]


def _ran_from_ns(call: AskedTool, start_ns: int, end_ns: int) -> int:
    """Return when one of several calls began to run: later than it was asked for if the others were run first."""
    if call.took_ns is None or call.declined or call.tool in ASKING:
        return start_ns
    ran_ns = end_ns - call.took_ns
    return ran_ns if ran_ns - start_ns >= _LEAST_QUEUE_NS else start_ns


def _waited_ns(call: AskedTool, start_ns: int, end_ns: int, *, alone: bool) -> int:
    """Return for how long a call waited at its start: for the person's answer, or until it ran."""
    if call.declined or call.tool in ASKING:
        return end_ns - start_ns
    if alone and call.took_ns is not None:
        waited_ns = end_ns - start_ns - call.took_ns
        return waited_ns if waited_ns >= _LEAST_WAIT_NS else 0
    return 0


def _effect(call: AskedTool) -> Effect:
    """Return the effect of a call as far as it decides whether the agent runs it beside others."""
    if call.tool in READING or call.tool.startswith("Web"):
        return "read"
    if call.tool in SHELLS:
        return argument_effect(call.tool, call.arguments) or "unknown"
    # Sub-agents and other servers' tools run beside others.
    return "write" if call.tool in WRITING else "read"
