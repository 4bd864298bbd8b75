"""
OpenTelemetry's GenAI conventions in all their versions, and the additions of frameworks that follow them.

The place of content changed over the years: numbered attributes, one event per message, one event for all messages, and
now ``gen_ai.input.messages`` and ``gen_ai.output.messages`` on the span. All forms are read; the newest wins.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import msgspec

from otel_parallelism import names
from otel_parallelism.patterns import LazyPattern
from otel_parallelism.shown_names import encodable

from .parsing import envelopes, messages
from .parsing.content import captured, decoded, is_cut_off
from .parsing.facts import CallMark, Dialect, Facts, first_value, text
from .parsing.genai.genai_answers import asked
from .parsing.genai.genai_keys import PROMPT_ROLE, RUN_MESSAGES, genai_keys
from .parsing.usage import input_usage

if TYPE_CHECKING:
    from otel_parallelism.model import Content, SpanRecord

    from .parsing.facts import Describer, Kind
    from .parsing.genai.genai_keys import GenaiKeys

_REQUEST_TYPE = "llm.request.type"

OPERATION_KINDS: dict[str, Kind] = {
    names.INVOKE_AGENT: "turn",
    names.INVOKE_WORKFLOW: "turn",
    "invoke_swarm": "turn",
    "invoke_graph": "turn",
    "create_agent": "passage",
    names.EXECUTE_TOOL: "call",
    "chat": "step",
    "generate_content": "step",
    "text_completion": "step",
    "execute_event_loop_cycle": "cycle",
}
# Older names, and names of handwritten spans.
OLDER_OPERATION_KINDS: dict[str, Kind] = {
    "agent.run": "turn",
    "workflow.run": "turn",
    "tool.execute": "call",
    "tool.call": "call",
    "tool_call": "call",
    "tool_execution": "call",
    "chat.completions": "step",
    "text.completions": "step",
    "chat_completion": "step",
    "completion": "step",
    "tool_selection": "step",
    "model_step": "cycle",
    "agent_step": "cycle",
}
# pydantic-ai's names for a run and for the parent of one round's calls, before it had operation names.
_RUN = "agent run"
_ROUND = LazyPattern(r"running (?:tools|\d+ tools?)")

# google-adk's id for a call without a response: one that failed, was cancelled, or is answered later.
_NO_ID = "<not specified>"

_TOOL_EVENT = "gen_ai.tool.message"
_CHOICE_EVENT = "gen_ai.choice"
_SPEAKERS = {"gen_ai.user.message": "user", "gen_ai.system.message": "system"}
_EVENT_CONTENT = "gen_ai.event.content"
_PROMPT_EVENT = "gen_ai.content.prompt"
_PROMPT = "gen_ai.prompt"
_LABEL = LazyPattern(r"^(system|developer|user|human|assistant|ai|tool|function): ", re.MULTILINE | re.IGNORECASE)
_LEGACY_EVENTS = "events"
_TRUNCATED = "anthropic.content.truncated"


def _describe(span: SpanRecord) -> Facts | None:
    """
    Return the facts in ``gen_ai.*`` attributes; the operation name decides, or the span's name if there is none.

    If the span's name starts with another operation, that operation wins: some model requests overwrite the operation
    name of the agent run around them.
    """
    keys = tuple(span.attributes)
    operation = text(span.attributes, names.OPERATION_NAME)
    if operation:
        return _describer(keys, span.name, operation)(span)
    kind = _kind_without_operation(span)
    return None if kind is None else _FACTS[kind](span, genai_keys(keys)) if kind in _FACTS else Facts(kind=kind)


def _describer(keys: tuple[str, ...], name: str, operation: str) -> Describer:
    """Return what describes spans with these *keys* of attributes, this *name* and this *operation* as `_describe`."""
    if not operation:
        return _describe
    kind = OPERATION_KINDS.get(operation) or OLDER_OPERATION_KINDS.get(operation)
    if kind is not None:
        named = OPERATION_KINDS.get(name.partition(" ")[0], kind)
        # A run may be named "chat with support".
        kind = named if (kind, named) != ("turn", "step") else kind
    facts_of = None if kind is None else _FACTS.get(kind)
    if facts_of is None:
        return lambda _: Facts(kind=kind)
    found = genai_keys(keys)
    return lambda span: facts_of(span, found)


def _kind_without_operation(span: SpanRecord) -> Kind | None:
    attributes = span.attributes
    if text(attributes, _REQUEST_TYPE) in {"chat", "completion"}:
        return "step"
    kind = _kind_by_name(span.name)
    if kind is None and text(attributes, names.TOOL_NAME) and not text(attributes, "mcp.method.name"):
        kind = None if span.name.split(" ", 1)[0] == "chat" else "call"
    if kind is None and text(attributes, *RUN_MESSAGES):
        kind = "turn"
    return kind


def _kind_by_name(name: str) -> Kind | None:
    if name.startswith("execute_tool "):
        return "call"
    if name.startswith("invoke_agent") or name == _RUN:
        return "turn"
    return "cycle" if name == "execute_event_loop_cycle" or _ROUND.fullmatch(name) else None


def _step(span: SpanRecord, keys: GenaiKeys) -> Facts:
    requested, answer = asked(span, keys)
    usage = input_usage(span.attributes, keys.tokens, keys.cache_read, keys.cache_written)
    return Facts(
        kind="step",
        requested=requested,
        answer=answer,
        input_tokens=usage.tokens,
        cached_tokens=usage.cached,
        words=_words(span, keys),
    )


def _turn(span: SpanRecord, keys: GenaiKeys) -> Facts:
    agent = text(span.attributes, *keys.agents) or span.name.partition("invoke_agent ")[2]
    return Facts(kind="turn", agent=agent, words=_words(span, keys))


def _call(span: SpanRecord, keys: GenaiKeys) -> Facts:
    attributes = span.attributes
    given = first_value(attributes, keys.arguments)
    output = first_value(attributes, keys.results)
    for event in span.events:
        if event.name == _TOOL_EVENT and given is None:
            given = event.attributes.get("content", event.attributes.get(_EVENT_CONTENT))
        elif event.name == _CHOICE_EVENT and output is None:
            output = first_value(event.attributes, ("message", "content", _EVENT_CONTENT))
        if given is None:
            given = event.attributes.get(names.INPUT_MESSAGES)
        if output is None:
            output = event.attributes.get(names.OUTPUT_MESSAGES)
    tool = text(attributes, names.TOOL_NAME)
    call_id = text(attributes, *keys.call_ids).replace(_NO_ID, "")
    whole = attributes.get(_TRUNCATED) is not True
    return Facts(
        kind="call",
        tool=tool or span.name.removeprefix("execute_tool ").removeprefix("anthropic.custom_tool_use "),
        call_id=call_id or envelopes.tool_call_id(output) or envelopes.tool_call_id(given),
        arguments=None if given is None else captured(given, envelopes.arguments, whole=whole),
        result=None if output is None else captured(output, envelopes.result, whole=whole),
        failed=attributes.get("gen_ai.tool.status") == "error" or envelopes.tool_failed(output),
    )


def _words(span: SpanRecord, keys: GenaiKeys) -> Content | None:
    attributes = span.attributes
    given = first_value(attributes, keys.inputs)
    if given is None:
        said: list[object] = []
        for event in span.events:
            if names.INPUT_MESSAGES in event.attributes:
                said.append(event.attributes[names.INPUT_MESSAGES])
            elif event.name in _SPEAKERS:
                said.append(_said(event.attributes, _SPEAKERS[event.name]))
            elif event.name == _PROMPT_EVENT and _PROMPT in event.attributes:
                said.append(_labelled(event.attributes[_PROMPT]))
        given = said or attributes.get(_LEGACY_EVENTS)
    if given is None and keys.prompt:
        return captured(attributes, _prompt_words)
    if given is None and _PROMPT in attributes:
        given = _labelled(attributes[_PROMPT])
    given = _after_instructions(attributes.get(names.SYSTEM_INSTRUCTIONS), given)
    return captured(given, messages.user_words, whole=attributes.get(_TRUNCATED) is not True)


def _after_instructions(instructions: object, given: object) -> object:
    """Return the messages *given* after a system message with *instructions*; other forms stay as they are."""
    if not instructions:
        return given
    listed = instructions.startswith("[") and instructions.endswith("]") if isinstance(instructions, str) else False
    if isinstance(given, str) and isinstance(instructions, str) and given.startswith("[{"):
        part = {"type": "text", "content": encodable(instructions)}
        parts = instructions if listed else msgspec.json.encode([part]).decode()
        return f'[{{"role": "system", "parts": {parts}}}, {given[1:]}'
    if isinstance(given, list | tuple):
        told = decoded(instructions) if listed else instructions
        return [{"role": "system", "content": told}, *given]
    return given


def _labelled(prompt: object) -> object:
    """Return the messages in a text that begins each with its role, as in ``user: hi``; any other value unchanged."""
    if not isinstance(prompt, str) or is_cut_off(prompt):
        return prompt
    before, *parts = _LABEL.split(prompt)
    if before.strip() or not parts:
        return prompt
    return [{"role": role.lower(), "content": said.strip()} for role, said in zip(parts[::2], parts[1::2], strict=True)]


def _said(attributes: Mapping[str, object], role: str) -> Mapping[str, object]:
    """Return the message of a user's or a system event; its content may be wrapped in a message."""
    inner = decoded(attributes.get("content", attributes.get(_EVENT_CONTENT)))
    return {"role": role, "content": inner.get("content", inner) if isinstance(inner, Mapping) else inner}


def _prompt_words(value: object) -> list[object]:
    """Return the user's messages in the numbered attributes ``gen_ai.prompt.N.role`` and ``.content``."""
    if not isinstance(value, Mapping):
        return []
    said = [
        {"role": role, "content": value.get(match[1] + ".content")}
        for key, role in value.items()
        if isinstance(key, str) and (match := PROMPT_ROLE.fullmatch(key))
    ]
    return messages.user_words(said)


_FACTS: Mapping[Kind, Callable[[SpanRecord, GenaiKeys], Facts]] = {"call": _call, "step": _step, "turn": _turn}

DIALECT = Dialect(
    describe=_describe,
    describer=_describer,
    rank=30,
    keys=frozenset({names.OPERATION_NAME, names.TOOL_NAME, _REQUEST_TYPE, *RUN_MESSAGES}),
    names=("execute_tool ", "invoke_agent", "execute_event_loop_cycle", "running ", "agent run"),
    call_mark=CallMark(names.OPERATION_NAME, frozenset({names.EXECUTE_TOOL}), f"{names.EXECUTE_TOOL} "),
)
