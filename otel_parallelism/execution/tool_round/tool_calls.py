"""
Reads which tools a model's response asks for: Anthropic, OpenAI chat, OpenAI responses, and plain dicts.

A response may be given whole, as its message, or as the calls alone; as the client's objects or as dicts. What is no
call to be answered here (text, reasoning, a tool that the provider runs itself) is passed over.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final, Literal, TypeAlias

import msgspec

Form: TypeAlias = Literal["anthropic", "chat", "responses", "plain"]
"""Whose way of asking, and so of being answered, it is."""


class ToolCall(msgspec.Struct, frozen=True):
    """
    One call that a model asks for.

    ``arguments`` are by name, or one text for a tool that takes free text (``custom``). ``problem`` says why they
    cannot be used, where they cannot.
    """

    call_id: str
    name: str
    arguments: Mapping[str, Any] | str
    problem: str = ""
    custom: bool = False


class Asked(msgspec.Struct, frozen=True):
    """The calls that a response asks for, in its order, and whose form they have."""

    form: Form
    calls: tuple[ToolCall, ...]


_FORMS: Final[Mapping[str, Form]] = {
    "tool_use": "anthropic",
    "function_call": "responses",
    "custom_tool_call": "responses",
    "function": "chat",
    "custom": "chat",
    "tool_call": "plain",
}


def read(response: Any) -> Asked:
    """
    Return what *response* asks for.

    Raises:
        TypeError: It, or something in it, is of no form that is known.
        ValueError: It mixes the forms of several providers.
    """
    form: Form | None = None
    calls = []
    for item in _items(response):
        found = _form(item)
        if found is None:
            continue
        if form is not None and found != form:
            raise ValueError(f"tool calls of two forms in one response: {form} and {found}")
        form = found
        calls.append(_READERS[found](item))
    return Asked(form or "plain", tuple(calls))


def _items(response: Any) -> Iterable[Any]:
    choices = field(response, "choices")
    if choices:
        response = field(choices[0], "message")
    for key in ("tool_calls", "output", "content"):
        inside = field(response, key)
        if isinstance(inside, list | tuple):
            return inside
    if isinstance(response, Mapping) or field(response, "type") in _FORMS:
        return (response,) if field(response, "role") is None else ()
    if isinstance(response, Iterable) and not isinstance(response, str | bytes):
        return response
    # A message of a client's own type that asks for no tool.
    if field(response, "role") is not None:
        return ()
    raise TypeError(f"no tool calls and no message that could hold some: {type(response).__name__}")


def _form(item: Any) -> Form | None:
    """Whose call *item* is; None if it is something else that a response holds."""
    kind = field(item, "type")
    if isinstance(kind, str):
        return _FORMS.get(kind)
    if field(item, "function") is not None:
        return "chat"
    if isinstance(field(item, "name"), str):
        return "plain"
    raise TypeError(f"not a tool call: {type(item).__name__} without a type, a function or a name")


def _anthropic(item: Any) -> ToolCall:
    return _call(field(item, "id"), field(item, "name"), field(item, "input"))


def _chat(item: Any) -> ToolCall:
    call_id, custom = field(item, "id"), field(item, "custom")
    if custom is not None:
        return ToolCall(str(call_id or ""), str(field(custom, "name") or ""), str(field(custom, "input")), custom=True)
    function = field(item, "function")
    return _call(call_id, field(function, "name"), field(function, "arguments"))


def _responses(item: Any) -> ToolCall:
    call_id, name = field(item, "call_id"), field(item, "name")
    if field(item, "type") == "custom_tool_call":
        return ToolCall(str(call_id or ""), str(name or ""), str(field(item, "input")), custom=True)
    return _call(call_id, name, field(item, "arguments"))


def _plain(item: Any) -> ToolCall:
    given = next((found for key in ("arguments", "args", "input") if (found := field(item, key)) is not None), None)
    return _call(field(item, "id"), field(item, "name"), given)


_READERS: Final = {"anthropic": _anthropic, "chat": _chat, "responses": _responses, "plain": _plain}


def _call(call_id: object, name: object, given: Any) -> ToolCall:
    arguments, problem = _arguments(given)
    return ToolCall(str(call_id or ""), str(name or ""), arguments, problem)


def _arguments(given: Any) -> tuple[Mapping[str, Any], str]:
    if isinstance(given, str | bytes):
        # A tool without parameters is called with an empty text by some models.
        try:
            given = json.loads(given) if given.strip() else {}
        except ValueError as error:
            return {}, f"the arguments are not valid JSON: {error}"
    if given is None:
        return {}, ""
    if not isinstance(given, Mapping):
        return {}, f"the arguments are not a JSON object but {type(given).__name__}"
    return given, ""


def field(item: Any, name: str) -> Any:
    """Return what *item*, a dict or a client's object, has under *name*; None if nothing."""
    return item.get(name) if isinstance(item, Mapping) else getattr(item, name, None)
