"""
What coding agents tell as OpenTelemetry log records: messages, model requests and calls, each with its duration.

A record is written at the end of what it tells. Claude Code, Codex and Gemini CLI name the same things differently.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

import msgspec

from .agent_turns import AgentName
from .record_fields import decoded_json, iso_ns, record_list, record_number, record_part, record_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

EventKind: TypeAlias = Literal["said", "replied", "called"]

_AGENTS: Final[Mapping[str, AgentName]] = {
    "claude_code": "claude-code",
    "codex": "codex",
    "gemini_cli": "gemini-cli",
}
_KINDS: Final[Mapping[str, EventKind]] = {
    "claude_code.user_prompt": "said",
    "claude_code.api_request": "replied",
    "claude_code.tool_result": "called",
    "codex.user_prompt": "said",
    "codex.sse_event": "replied",
    "codex.websocket_event": "replied",
    "codex.tool_result": "called",
    "gemini_cli.user_prompt": "said",
    "gemini_cli.api_response": "replied",
    "gemini_cli.tool_call": "called",
}
_COMPLETED: Final = "response.completed"
_INPUT: Final = ("input_tokens", "input_token_count")
_CACHED: Final = ("cache_read_tokens", "cached_token_count", "cached_content_token_count")
_WRITTEN: Final = "cache_creation_tokens"
_ARGUMENTS: Final = ("tool_input", "tool_parameters", "arguments", "function_args")
_UTILITY: Final = "utility_"
_MS: Final = 1_000_000


class AgentEvent(msgspec.Struct):
    """
    A message of the person, a response of the model, or a call.

    Attributes:
        agent: The agent.
        session: The id of the session.
        prompt: The id of the message that it belongs to; empty if there is none.
        kind: What it is.
        start_ns: When it began.
        end_ns: When it ended.
        text: The words of the person, or the name of the tool.
        call_id: The id of a call; empty if there is none.
        arguments: The arguments of a call; None if they are unknown.
        result: What a call returned; None if it is unknown.
        failed: Whether a call failed.
        input_tokens: The input tokens of a response.
        cached_tokens: Those of them that came from a cache.
    """

    agent: AgentName
    session: str
    prompt: str
    kind: EventKind
    start_ns: int
    end_ns: int
    text: str = ""
    call_id: str = ""
    arguments: Any = None
    result: Any = None
    failed: bool = False
    input_tokens: int | None = None
    cached_tokens: int | None = None


def agent_events(value: Mapping[str, Any]) -> list[AgentEvent] | None:
    """Return the events in a JSON object with log records; None if it is something else. Other records are left out."""
    if "hrTime" in value:
        return list(_read(record_part(value, "attributes"), _hr_ns(value["hrTime"]), value.get("_body", "")))
    if "resourceLogs" not in value:
        return [] if "scopeMetrics" in value or "resourceMetrics" in value else None
    found: list[AgentEvent] = []
    for group in record_list(value, "resourceLogs"):
        for scope in record_list(group, "scopeLogs"):
            for record in record_list(scope, "logRecords"):
                attributes = {
                    record_text(pair, "key"): _plain(pair.get("value")) for pair in record_list(record, "attributes")
                }
                name = record_text(record, "eventName") or _plain(record.get("body"))
                found += _read(attributes, _whole(record.get("timeUnixNano")) or 0, name)
    return found


def _plain(value: object) -> Any:
    """Return one value of OTLP's JSON; nested ones are not needed."""
    if not isinstance(value, dict) or len(value) != 1:
        return None
    ((kind, plain),) = value.items()
    return _whole(plain) if kind == "intValue" else plain


def _whole(value: object) -> int | None:
    text = str(value)
    return int(text) if len(text) < 20 and text.isascii() and text.isdigit() else None  # noqa: PLR2004 - 64 bits


def _hr_ns(pair: object) -> int:
    match pair:
        case [int(seconds), int(rest)]:
            return seconds * 10**9 + rest
    return 0


def _read(attributes: Mapping[str, Any], at_ns: int, body: object) -> Iterator[AgentEvent]:
    name = record_text(attributes, "event.name")
    # Claude Code has its prefix in the body only.
    full = body if isinstance(body, str) and body.endswith(f".{name}") else name
    kind, agent = _KINDS.get(full), _AGENTS.get(full.partition(".")[0])
    end_ns = iso_ns(attributes.get("event.timestamp")) or at_ns
    session = record_text(attributes, "session.id", "conversation.id")
    if kind is None or agent is None or not end_ns or not session:
        return
    if kind == "replied" and _is_part(attributes):
        return
    took_ns = _number(attributes, "duration_ms") * _MS
    event = AgentEvent(
        agent, session, record_text(attributes, "prompt.id", "prompt_id"), kind, end_ns - took_ns, end_ns
    )
    if kind == "said":
        event.text = record_text(attributes, "prompt")
    elif kind == "replied":
        event.input_tokens, event.cached_tokens = _tokens(agent, attributes)
    else:
        event.text = record_text(attributes, "tool_name", "function_name")
        event.call_id = record_text(attributes, "tool_use_id", "call_id")
        given = record_text(attributes, *_ARGUMENTS)
        event.arguments = (decoded_json(given) or given) if given else None
        event.result = record_text(attributes, "output") or None
        event.failed = str(attributes.get("success")).lower() == "false"
    yield event


def _is_part(attributes: Mapping[str, Any]) -> bool:
    """Return whether a record tells a part of a response, or a request that is none of the turn's."""
    part = record_text(attributes, "event.kind")
    return (part not in {"", _COMPLETED}) or record_text(attributes, "role").startswith(_UTILITY)


def _tokens(agent: AgentName, attributes: Mapping[str, Any]) -> tuple[int | None, int | None]:
    if not any(key in attributes for key in _INPUT):
        return None, None
    plain, cached = _number(attributes, *_INPUT), _number(attributes, *_CACHED)
    # Claude Code counts cached tokens beside the others.
    return (plain + cached + _number(attributes, _WRITTEN) if agent == "claude-code" else plain), cached


def _number(attributes: Mapping[str, Any], *keys: str) -> int:
    """Return the first of *keys* that is a number, also one that is written as text; else 0."""
    whole = record_number(attributes, *keys)
    if whole is not None:
        return whole
    for key in keys:
        value = attributes.get(key)
        if isinstance(value, float) and 0 <= value < 10**15:
            return round(value)
        if isinstance(value, str) and (found := _whole(value.partition(".")[0])) is not None:
            return found
    return 0
