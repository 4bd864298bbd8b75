"""
The turns in the spans and log records that Claude Code, Codex and Gemini CLI export themselves.

A trace with a turn's span is analysed as it is. Where each request and each call is a trace of its own, or a log
record, turns are put together by session and time.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

import msgspec

from otel_parallelism import names
from otel_parallelism.dialects import classify
from otel_parallelism.model import Call, Step, TurnSpan

from .agent_events import AgentEvent, agent_events
from .agent_turns import AskedTool, ModelResponse, RecordedTurn
from .record_fields import decoded_json

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from otel_parallelism.model import Content, SpanRecord

    from .agent_turns import AgentName

_SESSION: Final = ("session.id", "conversation.id", "gen_ai.conversation.id", "thread.id", "thread_id")
_PROMPT: Final = ("gen_ai.prompt.name", "prompt.id", "prompt_id")
_INTERACTION: Final = "claude_code.interaction"
_UUID_LENGTH: Final = 36


class NativeTelemetry:
    """What files of telemetry have of the agents' sessions."""

    def __init__(self, agents: Collection[AgentName]) -> None:
        """Start with nothing; telemetry of other *agents* is left out."""
        self._agents = agents
        self._traces: dict[str, list[SpanRecord]] = defaultdict(list)
        self._events: list[AgentEvent] = []

    def add_span(self, span: SpanRecord) -> None:
        """Add one span, of whatever program."""
        self._traces[span.trace_id].append(span)

    def add_value(self, text: Any) -> bool:
        """Add the log records in a JSON value; returns whether it has signals other than spans."""
        value = decoded_json(bytes(text))
        found = agent_events(value) if isinstance(value, dict) and "resourceSpans" not in value else None
        self._events += found or ()
        return found is not None

    def traces(self, known: Collection[str]) -> Iterator[tuple[AgentName, str, list[SpanRecord]]]:
        """Yield each trace that has a turn, with its agent and session, but not of the sessions *known*."""
        for spans in self._traces.values():
            agent, session = _agent_of(spans), _session_of(spans)
            if agent is not None and agent in self._agents and _key(session) not in known and _has_turn(spans):
                yield agent, session or spans[0].trace_id, [_named(span, agent) for span in spans]

    def turns(self, known: Collection[str]) -> Iterator[RecordedTurn]:
        """Yield the turns that are put together, but not of the sessions *known*."""
        told = [event for spans in self._traces.values() if not _has_turn(spans) for event in _events_of(spans)]
        in_spans = {event.session for event in told}
        # Gemini CLI tells the same in spans and in records; only records have the person's messages.
        told += (event for event in self._events if event.kind == "said" or event.session not in in_spans)
        sessions: dict[tuple[AgentName, str], list[AgentEvent]] = defaultdict(list)
        for event in told:
            if event.agent in self._agents and _key(event.session) not in known:
                sessions[event.agent, event.session].append(event)
        for events in sessions.values():
            yield from _turns(sorted(events, key=lambda event: (event.start_ns, event.kind != "said")))


def session_keys(sessions: Iterable[str]) -> frozenset[str]:
    """Return what identifies *sessions* in telemetry: transcripts of Codex have their id at the end of a name."""
    return frozenset(map(_key, sessions))


def _key(session: str) -> str:
    return session[-_UUID_LENGTH:]


def _named(span: SpanRecord, agent: AgentName) -> SpanRecord:
    """Return *span*; a turn of Claude Code, which has no agent's name, with the name that transcripts get."""
    if span.name != _INTERACTION or names.AGENT_NAME in span.attributes:
        return span
    return msgspec.structs.replace(span, attributes={**span.attributes, names.AGENT_NAME: agent})


def _agent_of(spans: list[SpanRecord]) -> AgentName | None:
    for span in spans:
        if span.name.startswith("claude_code."):
            return "claude-code"
        if span.name == "session_task.turn":
            return "codex"
        if span.instrumentation == "gemini-cli" or span.attributes.get(names.AGENT_NAME) == "gemini-cli":
            return "gemini-cli"
    return None


def _session_of(spans: list[SpanRecord]) -> str:
    return next((found for span in spans if (found := _text(span.attributes, _SESSION))), "")


def _text(attributes: Mapping[str, Any], keys: tuple[str, ...]) -> str:
    return next((value for key in keys if isinstance(value := attributes.get(key), str) and value), "")


def _has_turn(spans: list[SpanRecord]) -> bool:
    return any(isinstance(classify(span), TurnSpan) for span in spans)


def _events_of(spans: list[SpanRecord]) -> Iterator[AgentEvent]:
    agent, session = _agent_of(spans), _session_of(spans)
    if agent is None or not session:
        return
    for span in spans:
        found, prompt = classify(span), _text(span.attributes, _PROMPT)
        if isinstance(found, Step):
            yield AgentEvent(
                *(agent, session, prompt, "replied", found.start_ns, found.end_ns),
                input_tokens=found.input_tokens,
                cached_tokens=found.cached_tokens,
            )
        elif isinstance(found, Call):
            yield AgentEvent(
                *(agent, session, prompt, "called", found.start_ns, found.end_ns),
                text=found.tool,
                call_id=found.call_id,
                arguments=_parsed(found.arguments),
                result=_parsed(found.result),
                failed=found.error,
            )


def _parsed(content: Content | None) -> Any:
    """Return what a call was given or returned; None if it is not there, or only a part of it is."""
    if content is None or not content.whole:
        return None
    return content.data()


def _turns(events: list[AgentEvent]) -> Iterator[RecordedTurn]:
    """Yield the turns of one session, whose *events* are in order of their start."""
    turn: RecordedTurn | None = None
    prompt = ""
    for event in events:
        new = event.kind == "said" or (event.prompt and prompt and event.prompt != prompt)
        prompt = event.prompt or prompt
        if turn is None or new:
            if turn is not None and turn.responses:
                yield turn
            words = event.text if event.kind == "said" else ""
            turn = RecordedTurn(event.agent, event.session, "", words, event.start_ns, event.end_ns, [])
        turn.end_ns = max(turn.end_ns, event.end_ns)
        if event.kind == "replied":
            response = ModelResponse(event.start_ns, event.end_ns, [], event.input_tokens, event.cached_tokens)
            turn.responses.append(response)
        elif event.kind == "called" and turn.responses:
            turn.responses[-1].calls.append(_asked(event, sum(len(each.calls) for each in turn.responses)))
    if turn is not None and turn.responses:
        yield turn


def _asked(event: AgentEvent, number: int) -> AskedTool:
    return AskedTool(
        event.call_id or f"call {number}",
        event.text,
        event.arguments,
        event.start_ns,
        event.end_ns,
        event.result,
        failed=event.failed,
        took_ns=event.end_ns - event.start_ns,
    )
