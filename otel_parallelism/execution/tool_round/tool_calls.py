"""
Reads the tool calls in a model's response: Anthropic, OpenAI chat, OpenAI responses, and plain dicts.

A response is the whole response, its message, or its list of calls; as objects of the client or as dicts. Other
contents, such as text, reasoning and calls that the provider runs itself, are skipped.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from otel_parallelism.dialects.parsing.call_shapes import CallForm, CallShape, field, listed_call_shape


class RequestedTool(msgspec.Struct, frozen=True):
    """
    One tool call of a response, with decoded arguments.

    Attributes:
        call_id: The model's id of the call.
        name: The tool's name.
        arguments: By parameter name, or one text for a *custom* tool.
        problem: Why the arguments cannot be used; empty if they can.
        custom: Whether the tool takes free text.
    """

    call_id: str
    name: str
    arguments: Mapping[str, Any] | str
    problem: str = ""
    custom: bool = False


class ResponseCalls(msgspec.Struct, frozen=True):
    """The tool calls of a response, in its order, and the provider's format."""

    form: CallForm
    calls: tuple[RequestedTool, ...]


def response_calls(response: Any) -> ResponseCalls:
    """
    Return the tool calls in *response*.

    Raises:
        TypeError: *response*, or an item in it, has no known form.
        ValueError: It mixes the formats of several providers.
    """
    form: CallForm | None = None
    calls = []
    for item in _items(response):
        shape = _shape(item)
        if shape is None or shape.form is None:
            continue
        if form is not None and shape.form != form:
            raise ValueError(f"tool calls of two forms in one response: {form} and {shape.form}")
        form = shape.form
        calls.append(_requested_tool(shape))
    return ResponseCalls(form or "plain", tuple(calls))


def _items(response: Any) -> Iterable[Any]:
    choices = field(response, "choices")
    if choices:
        response = field(choices[0], "message")
    for key in ("tool_calls", "output", "content"):
        inside = field(response, key)
        if isinstance(inside, list | tuple):
            return inside
    if isinstance(response, Mapping) or (field(response, "role") is None and listed_call_shape(response) is not None):
        return (response,) if field(response, "role") is None else ()
    if isinstance(response, Iterable) and not isinstance(response, str | bytes):
        return response
    # A client's message object without tool calls.
    if field(response, "role") is not None:
        return ()
    raise TypeError(f"neither tool calls nor a message that could contain some: {type(response).__name__}")


def _shape(item: Any) -> CallShape | None:
    """
    Return the tool call that *item* is; None if it is other content of a response.

    Raises:
        TypeError: It has neither a type nor a call's fields.
    """
    shape = listed_call_shape(item)
    if shape is None and not isinstance(field(item, "type"), str):
        raise TypeError(f"not a tool call: {type(item).__name__} without a type, a function or a name")
    return shape


def _requested_tool(shape: CallShape) -> RequestedTool:
    call_id, name = str(shape.call_id or ""), str(shape.name or "")
    if shape.custom:
        return RequestedTool(call_id, name, str(shape.arguments), custom=True)
    arguments, problem = _decoded_arguments(shape.arguments)
    return RequestedTool(call_id, name, arguments, problem)


def _decoded_arguments(given: Any) -> tuple[Mapping[str, Any], str]:
    """Return the arguments by name and an empty text, or no arguments and the reason why they cannot be used."""
    if isinstance(given, str | bytes):
        # Some models send an empty text for a tool without parameters.
        try:
            given = json.loads(given) if given.strip() else {}
        except ValueError as error:
            return {}, f"the arguments are not valid JSON: {error}"
    if given is None:
        return {}, ""
    if not isinstance(given, Mapping):
        return {}, f"the arguments are not a JSON object but {type(given).__name__}"
    return given, ""
