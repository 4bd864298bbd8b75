"""
OpenInference (Phoenix, Arize): ``openinference.span.kind`` on spans whose names differ with every framework.

Kinds are not always right: model requests are marked as agents if their graph node is named so, and an agent's run as a
model request by the instrumentation of Google's ADK.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from otel_parallelism.model import AskedCall
from otel_parallelism.patterns import LazyPattern

from .parsing import envelopes, messages
from .parsing.content import captured, decoded
from .parsing.facts import CallMark, Dialect, Facts, text, whole_number

if TYPE_CHECKING:
    from otel_parallelism.model import Content, SpanRecord

_KIND = "openinference.span.kind"

_INPUT, _OUTPUT = "input.value", "output.value"
_CALL_IDS = ("tool_call.id", "tool.call_id", "tool.id")
_DOCUMENTS = "retrieval.documents."
_OUTPUT_MESSAGES = "llm.output_messages."
_INPUT_MESSAGES = "llm.input_messages."
_MESSAGE_FIELD = LazyPattern(
    r"llm\.input_messages\.(\d+)\.message\.(role|content|contents\.\d+\.message_content\.text)"
)

_RUN_NAMES = ("invoke_agent", "agent_run [", "invoke_workflow")
_RUN_SUFFIX = LazyPattern(r"\.(?:a?run|a?kickoff|_?execute(?:_core)?|on_messages(?:_stream)?)$")
_TOOL_SUFFIX = LazyPattern(r"\.(?:a?call|__call__|a?run|tool|a?execute|a?invoke)$")
_RETRIEVE_SUFFIX = LazyPattern(r"\._?a?(?:retrieve|search|query)$")
_CYCLE = LazyPattern(r"turn|Step \d+|tools|execute_event_loop_cycle|Cycle .+")
_MODEL_NODES = frozenset({"agent", "model", "llm", "call_model"})


def _describe(span: SpanRecord) -> Facts | None:
    """Return the facts by the span's kind, corrected by its name where kinds are known to be wrong."""
    kind = text(span.attributes, _KIND).upper()
    if not kind:
        return None
    if kind in {"TOOL", "RETRIEVER"}:
        return _call(span) if kind == "TOOL" else _retrieval(span)
    if kind == "LLM" and "._prepare_" not in span.name:  # LlamaIndex prepares a request there and sends none
        return _turn(span) if span.name.startswith(_RUN_NAMES) else _step(span)
    if kind == "AGENT":
        return Facts(kind="passage") if span.name in _MODEL_NODES and _says(span, "langgraph_node") else _turn(span)
    if _says(span, "lc_agent_name"):  # LangChain records agents as chains with the agent's name
        return _turn(span)
    return Facts(kind="cycle" if _is_cycle(span) else None)


def _step(span: SpanRecord) -> Facts:
    return Facts(
        kind="step",
        requested=_requested(span),
        answer=_answer(span),
        input_tokens=whole_number(span.attributes, "llm.token_count.prompt"),
        cached_tokens=whole_number(span.attributes, "llm.token_count.prompt_details.cache_read"),
        words=_words(span, run=False),
    )


def _turn(span: SpanRecord) -> Facts:
    agent = text(span.attributes, "agent.name", "graph.node.name")
    if not agent:
        agent = span.name.removeprefix("invoke_agent ").removeprefix("agent_run [").removesuffix("]")
        agent = _RUN_SUFFIX.sub("", agent)
    return Facts(kind="turn", agent=agent, words=_words(span, run=True))


def _call(span: SpanRecord) -> Facts:
    attributes = span.attributes
    output = attributes.get(_OUTPUT)
    google = span.instrumentation.endswith("google_adk")
    return Facts(
        kind="call",
        tool=text(attributes, "tool.name") or _TOOL_SUFFIX.sub("", span.name.removeprefix("execute_tool ")),
        call_id=text(attributes, *_CALL_IDS) or envelopes.tool_call_id(output),
        arguments=captured(attributes.get(_INPUT), envelopes.arguments),
        result=captured(output, envelopes.function_response if google else envelopes.result),
        failed=text(attributes, "tool.status") == "error" or envelopes.tool_failed(output),
    )


def _retrieval(span: SpanRecord) -> Facts:
    """Return the facts of a retrieval. Its input is the query; which index or filter it searched is not recorded."""
    attributes = span.attributes
    # The output may tell more of the documents than their own attributes, such as where they are.
    found = {key: value for key, value in attributes.items() if key.startswith(_DOCUMENTS) or key == _OUTPUT}
    return Facts(
        kind="call",
        tool=text(attributes, "tool.name", "retriever.name") or _RETRIEVE_SUFFIX.sub("", span.name),
        arguments=captured(attributes.get(_INPUT), envelopes.arguments, whole=False),
        result=captured(found if len(found) > 1 else attributes.get(_OUTPUT, found or None), envelopes.result),
        effect="read",
        effect_source="framework",
    )


def _requested(span: SpanRecord) -> tuple[str, ...] | None:
    """Return the ids in ``llm.output_messages.N.message.tool_calls.M.tool_call.id``; None if a call has no id."""
    attributes = span.attributes
    seen = False
    asked: set[str] = set()
    ids: dict[str, str] = {}
    for key, value in attributes.items():
        if not key.startswith(_OUTPUT_MESSAGES):
            continue
        seen = True
        call, found, field = key.partition(".tool_call.")
        if found:
            asked.add(call)
            if field == "id" and isinstance(value, str):
                ids[call] = value
        elif isinstance(value, str) and messages.has_calls_in_text(value):
            return None
    if not seen:
        output = attributes.get(_OUTPUT)
        return None if output is None else messages.requested_ids(output)
    if not asked:
        return _requested_in_output(attributes)
    named = set(ids.values())
    return tuple(dict.fromkeys(ids.values())) if asked <= ids.keys() or (named and _is_repeated(asked, ids)) else None


def _requested_in_output(attributes: Mapping[str, object]) -> tuple[str, ...] | None:
    """Return the ids in the raw output, the only place for calls of LangChain.js; ``()`` if it has none."""
    output = attributes.get(_OUTPUT)
    if not isinstance(output, str) or '"tool_calls":' not in output:
        return ()
    return messages.requested_ids(output)


def _answer(span: SpanRecord) -> Content | None:
    attributes = span.attributes
    alone = _OUTPUT not in attributes
    if any(key.startswith(_OUTPUT_MESSAGES) and (alone or ".tool_call." in key) for key in attributes):
        return captured(attributes, _asked_calls)
    return captured(attributes.get(_OUTPUT), messages.asked_calls)


def _asked_calls(attributes: object) -> tuple[AskedCall, ...]:
    """Return the calls in ``llm.output_messages.N.message.tool_calls.M.tool_call.*``."""
    fields: dict[str, dict[str, object]] = {}
    for key, value in attributes.items() if isinstance(attributes, Mapping) else ():
        call, found, field = key.partition(".tool_call.")
        if found and ".tool_calls." in call and key.startswith(_OUTPUT_MESSAGES):
            fields.setdefault(call, {})[field] = value
    return tuple(
        AskedCall(
            tool=text(of_call, "function.name"),
            arguments=decoded(of_call.get("function.arguments")),
            call_id=text(of_call, "id"),
        )
        for of_call in fields.values()
    )


def _is_repeated(asked: set[str], ids: Mapping[str, str]) -> bool:
    """Return whether each call without an id is a content block that repeats a call with an id."""
    return all(call in ids for call in asked if ".tool_calls." in call)


def _words(span: SpanRecord, *, run: bool) -> Content | None:
    attributes = span.attributes
    if any(key.startswith(_INPUT_MESSAGES) for key in attributes):
        return captured(attributes, _message_words)
    return captured(attributes.get(_INPUT), messages.run_input if run else messages.user_words)


def _message_words(value: object) -> list[object]:
    """Return the user's messages in the numbered attributes ``llm.input_messages.N.message.*``."""
    if not isinstance(value, Mapping):
        return []
    said: dict[str, dict[str, object]] = {}
    for key, item in value.items():
        match = _MESSAGE_FIELD.fullmatch(key) if isinstance(key, str) else None
        if match:
            message = said.setdefault(match[1], {"content": []})
            if match[2] == "role":
                message["role"] = item
            elif isinstance(item, str) and isinstance(message["content"], list):
                message["content"].append(item)
    return messages.user_words(list(said.values()))


def _says(span: SpanRecord, key: str) -> bool:
    """Return whether entry *key* of LangChain's metadata is the span's name."""
    metadata = text(span.attributes, "metadata")
    return f'"{key}": "{span.name}"' in metadata or f'"{key}":"{span.name}"' in metadata


def _is_cycle(span: SpanRecord) -> bool:
    if "__pregel_push" in text(span.attributes, "metadata"):
        return False  # a node that LangGraph makes for one call does not hold the whole round
    return bool(_CYCLE.fullmatch(span.name)) or ("tool" in span.name.lower() and _says(span, "langgraph_node"))


DIALECT = Dialect(
    describe=_describe, rank=100, keys=frozenset({_KIND}), call_mark=CallMark(_KIND, frozenset({"TOOL", "RETRIEVER"}))
)
