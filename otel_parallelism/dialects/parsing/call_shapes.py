"""
Recognises the tool calls that a model's output contains: ids, names and arguments, in the form of any provider.

The one reader for spans' messages, for responses and stream events of clients, and for responses given to
``run_tools``. It accepts mappings (decoded JSON) and objects of client libraries.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, Literal, TypeAlias

import msgspec

CallForm: TypeAlias = Literal["anthropic", "chat", "responses", "plain"]
"""The message format of the provider; the result of a call is written in the same format."""

_Lookup: TypeAlias = Callable[[str], Any]


class CallShape(msgspec.Struct, frozen=True):
    """
    One tool call as the model's output states it; values are not checked or decoded.

    Attributes:
        form: The provider's format; None for a format in which no result can be written.
        call_id: The model's id of the call; None if it has none.
        name: The tool's name, or the type of a call of the provider's own tool, such as ``local_shell_call``.
        arguments: A mapping, its JSON text, or free text for a custom tool.
        custom: Whether the arguments are free text.
    """

    form: CallForm | None
    call_id: Any
    name: Any = None
    arguments: Any = None
    custom: bool = False


_FORMS: Final[Mapping[str, CallForm]] = {
    "tool_use": "anthropic",
    "function_call": "responses",
    "custom_tool_call": "responses",
    "function": "chat",
    "custom": "chat",
    "tool_call": "plain",
    "tool-call": "plain",
}
# Keys that wrap a call, with the key of the id inside.
_WRAPPERS: Final = (
    ("toolUse", "toolUseId"),
    ("toolRequest", "ref"),
    ("tool_call", "id"),
    ("function_call", "id"),
    ("functionCall", "id"),
)
# A mapping that is a call by its keys has one of these, or a type.
_KEYS_OF_CALLS: Final = frozenset({*(key for key, _ in _WRAPPERS), "part_kind", "function", "type"})
CALL_ID_KEYS: Final = ("id", "tool_call_id", "call_id", "toolCallId")
"""Keys under which a call may have its id, highest precedence first."""

_NAMES: Final = ("name", "tool_name", "toolName")
_ARGUMENTS: Final = ("arguments", "args", "input")
# A mapping with a function is a call only if it has one of these too.
_CHAT_KEYS: Final = frozenset({"id", "arguments", "type"})


_PLAIN_PARTS: Final = frozenset({"text", "reasoning"})


class _Part(msgspec.Struct, forbid_unknown_fields=True):
    """A part of a message in the form of the GenAI conventions."""

    type: str
    id: str | None = None
    name: object = None
    arguments: object = None
    content: str = ""


class _Message(msgspec.Struct, forbid_unknown_fields=True):
    """A message in the form of the GenAI conventions."""

    role: str
    parts: list[_Part]
    name: object = None
    finish_reason: object = None


_STANDARD: Final = msgspec.json.Decoder(list[_Message])


def ids_in_standard_form(text: str) -> list[str] | None:
    """
    Return the ids of the calls in JSON that has just the form of the GenAI conventions; None for any other text.

    Most outputs have this form. Decoding nothing else takes a fraction of the time of a search for calls in any form,
    which would find the same ids; the id of a call without one is empty.

    >>> ids_in_standard_form('[{"role": "assistant", "parts": [{"type": "tool_call", "id": "a", "name": "rain"}]}]')
    ['a']
    """
    if text[:1] != "[":
        return None
    try:
        messages = _STANDARD.decode(text)
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        return None
    ids: list[str] = []
    for message in messages:
        for part in message.parts:
            if part.type == "tool_call":
                ids.append(part.id or "")
            elif part.type not in _PLAIN_PARTS or part.content[:1] in {"{", "["}:
                return None  # data in a text may hold calls too
    return ids


def field(item: object, name: str) -> Any:
    """Return the field *name* of a mapping or an object; None if it has none."""
    return item.get(name) if isinstance(item, Mapping) else getattr(item, name, None)


def call_shape(item: object) -> CallShape | None:  # noqa: PLR0911 - one for each form
    """Return the tool call that *item* of a model's output is; None if it is something else, such as text."""
    is_mapping = type(item) is dict or isinstance(item, Mapping)
    if is_mapping and _KEYS_OF_CALLS.isdisjoint(item):  # type: ignore[arg-type] # a mapping's keys
        return None
    get = _lookup(item)
    kind = get("type")
    form = _FORMS.get(kind) if isinstance(kind, str) else None
    if is_mapping:
        found = _mapping_call(item, get)  # type: ignore[arg-type] # as above
        if found is not None:
            return found
    elif form == "chat":
        return _chat_call(get)
    if form == "responses":
        custom = kind == "custom_tool_call"
        call_id = _first(get, ("call_id", "id"))
        return CallShape(form, call_id, get("name"), get("input" if custom else "arguments"), custom)
    if form is not None and form != "chat":
        return _named_call(get, form)
    # Calls of the provider's tools that the program runs have a call id; those that the provider runs have none.
    if isinstance(kind, str) and kind.endswith("_call") and get("call_id"):
        return CallShape(None, get("call_id"), kind)
    return None


def _mapping_call(item: Mapping[str, Any], get: _Lookup) -> CallShape | None:
    """Return the call that *item* is by its keys rather than by its type; None if no key says so."""
    for key, id_key in _WRAPPERS:
        inner = get(key)
        if inner is not None and isinstance(inner, Mapping):
            return CallShape(None, inner.get(id_key), _first(inner.get, _NAMES), _first(inner.get, _ARGUMENTS))
    if get("part_kind") == "tool-call":
        return _named_call(get, None)
    function = get("function")
    if function is not None and isinstance(function, Mapping) and not _CHAT_KEYS.isdisjoint(item):
        return _chat_call(get)
    return _chat_call(get) if get("type") == "custom" and isinstance(get("custom"), Mapping) else None


def listed_call_shape(item: object) -> CallShape | None:
    """
    Return the tool call that *item* of a list of tool calls is.

    In such a list, an item without a type is a call if it has a function, a custom tool or a name. Stream events
    contain calls in pieces, without names and ids from the second piece on.
    """
    found = call_shape(item)
    if found is not None:
        return found
    get = _lookup(item)
    kind = get("type")
    if kind in ("function", "custom") or get("function") is not None or get("custom") is not None:
        return _chat_call(get)
    if not isinstance(kind, str) and isinstance(_first(get, _NAMES), str):
        return _named_call(get, "plain")
    return None


def _lookup(item: object) -> _Lookup:
    if type(item) is dict or isinstance(item, Mapping):
        return item.get
    fields = getattr(item, "__dict__", None)
    if fields is None:
        return lambda name: getattr(item, name, None)
    # Faster than getattr: pydantic's models look up unknown names in Python code.
    return lambda name: fields[name] if name in fields else getattr(item, name, None)


def _chat_call(get: _Lookup) -> CallShape:
    function, custom = get("function"), get("custom")
    if function is None and custom is not None:
        return CallShape("chat", get("id"), field(custom, "name"), field(custom, "input"), custom=True)
    return CallShape("chat", get("id"), field(function, "name"), field(function, "arguments"))


def _named_call(get: _Lookup, form: CallForm | None) -> CallShape:
    return CallShape(form, _first(get, CALL_ID_KEYS), _first(get, _NAMES), _first(get, _ARGUMENTS))


def _first(get: _Lookup, keys: tuple[str, ...]) -> Any:
    for key in keys:
        value = get(key)
        if value is not None:
            return value
    return None
