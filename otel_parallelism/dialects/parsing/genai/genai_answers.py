"""What a model's answer asks for, in all places where versions of OpenTelemetry's GenAI conventions put the answer."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from otel_parallelism import names
from otel_parallelism.dialects.parsing import messages
from otel_parallelism.dialects.parsing.content import captured, decoded
from otel_parallelism.dialects.parsing.facts import text
from otel_parallelism.long_numbers import text_of
from otel_parallelism.model import AskedCall
from otel_parallelism.patterns import LazyPattern

from .genai_keys import COMPLETION

if TYPE_CHECKING:
    from otel_parallelism.model import Content, SpanRecord

    from .genai_keys import GenaiKeys

_CHOICE_EVENT = "gen_ai.choice"
_EVENT_CONTENT = "gen_ai.event.content"
_COMPLETION_EVENT = "gen_ai.content.completion"
_COMPLETION = "gen_ai.completion"
_LEGACY_EVENTS = "events"
_TRUNCATED = "anthropic.content.truncated"
_TRACELOOPS_RESPONSE = "openai.response"
_ITEM_ID = "fc_"
"""The prefix of item ids. Traceloop records the item's id instead of the call's id; no call has that id."""
_STOPPED_FOR_TOOLS = LazyPattern(r"tool|function", re.IGNORECASE)


def asked(span: SpanRecord, keys: GenaiKeys) -> tuple[tuple[str, ...] | None, Content | None]:
    """
    Return what the answer in *span* asks for.

    Args:
        span: The span of a model request.
        keys: What its attributes hold.

    Returns:
        The ids of the calls, None if they are unknown, and the answer, which is parsed to the calls; None if it was
        not captured.
    """
    output = _output(span, keys)
    return _asked_ids(span, output, keys), _captured_answer(span, output, keys)


def _asked_ids(span: SpanRecord, output: list[object] | None, keys: GenaiKeys) -> tuple[str, ...] | None:
    found = _listed(span, output, keys)
    if span.name == _TRACELOOPS_RESPONSE and found and found[0].startswith(_ITEM_ID):
        return None
    # An answer with a tool finish reason asked for tools, even if the captured part lists none.
    return None if found == () and _stopped_for_tools(span, keys) else found


def _captured_answer(span: SpanRecord, output: list[object] | None, keys: GenaiKeys) -> Content | None:
    if output:
        return captured(output[0] if len(output) == 1 else output, messages.asked_calls)
    if keys.completion:
        return captured(span.attributes, _flat_calls)
    return None


def _stopped_for_tools(span: SpanRecord, keys: GenaiKeys) -> bool:
    reasons = [span.attributes[key] for key in keys.stop_reasons]
    reasons += [event.attributes.get("finish_reason") for event in span.events if event.name == _CHOICE_EVENT]
    return any(reason is not None and _STOPPED_FOR_TOOLS.search(text_of(reason)) for reason in reasons)


def _listed(span: SpanRecord, output: list[object] | None, keys: GenaiKeys) -> tuple[str, ...] | None:
    """Return the ids of tool calls in the captured output; None if nothing was captured."""
    attributes = span.attributes
    # anthropic cuts the oldest content first, so the output is complete if a part of the input is left.
    if attributes.get(_TRUNCATED) is True and '"type"' not in text(attributes, names.INPUT_MESSAGES):
        return None
    if output is not None:
        return messages.requested_ids(*output)
    return _flat_requested(attributes) if keys.completion else None


def _output(span: SpanRecord, keys: GenaiKeys) -> list[object] | None:
    """Return the messages of the answer, undecoded; None if none were captured, or only as numbered attributes."""
    attributes = span.attributes
    for key in keys.outputs:
        if attributes[key] is not None:
            return [attributes[key]]
    choices: list[object] = []
    for event in span.events:
        if names.OUTPUT_MESSAGES in event.attributes:
            choices.append(event.attributes[names.OUTPUT_MESSAGES])
        elif event.name == _CHOICE_EVENT:
            inner = event.attributes.get(_EVENT_CONTENT)
            choices.append({"role": "assistant", **event.attributes} if inner is None else inner)
        elif event.name == _COMPLETION_EVENT and event.attributes.get(_COMPLETION):
            choices.append(event.attributes[_COMPLETION])
    if choices:
        return choices
    if _LEGACY_EVENTS in attributes:
        return _listed_choices(attributes[_LEGACY_EVENTS])
    return None


def _listed_choices(events: object) -> list[object]:
    """Return the choices among events that are stored in one attribute; other events are history."""
    listed = decoded(events)
    if not isinstance(listed, list):
        return []
    return [one for one in listed if isinstance(one, Mapping) and one.get("event.name") == _CHOICE_EVENT]


def _flat_requested(attributes: Mapping[str, object]) -> tuple[str, ...] | None:
    """Return the ids in ``gen_ai.completion.N.tool_calls.M.id``; None if a call with other fields has no id."""
    asked = _flat_calls(attributes)
    return tuple(call.call_id for call in asked) if all(call.call_id for call in asked) else None


def _flat_calls(attributes: object) -> tuple[AskedCall, ...]:
    """Return the calls in ``gen_ai.completion.N.tool_calls.M.{id,name,arguments}``."""
    fields: dict[str, dict[str, object]] = {}
    for key, value in attributes.items() if isinstance(attributes, Mapping) else ():
        call, found, field = key.partition(".tool_calls.")
        if found and key.startswith(COMPLETION):
            number, _, name = field.partition(".")
            fields.setdefault(f"{call}.{number}", {})[name.removeprefix("function.")] = value
    return tuple(
        AskedCall(tool=text(of_call, "name"), arguments=decoded(of_call.get("arguments")), call_id=text(of_call, "id"))
        for of_call in fields.values()
    )
