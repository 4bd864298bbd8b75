"""Copies the beginning of a value to plain data without running code of the program, and unwraps results."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from otel_parallelism.long_numbers import decode_json
from otel_parallelism.patterns import LazyPattern

from .outcomes import result_outcome

_MAX_PARTS = 300
_DEEPEST = 12
_SCALARS: tuple[Any, ...] = (str, bool, int, float)
_SEQUENCES: tuple[Any, ...] = (list, tuple, set, frozenset)

_MOST_WRAPPERS = 6
_WRAPPING = frozenset(
    """
    result results output outputs data value content text response payload body return_value returned toolResult
    tool_result functionResponse function_response structuredContent structured_content resource json
    """.split()  # noqa: SIM905 - a list of quoted words would be longer
)
"""Fields that hold the content of a result."""

_LABELS = frozenset(
    """
    type kind call_id callId tool_call_id toolCallId tool_use_id toolUseId artifact tool tool_name toolName uri mimeType
    mime_type elapsed elapsed_ms elapsed_s duration duration_ms took took_ms annotations _meta request_id requestId
    """.split()  # noqa: SIM905 - likewise
)
"""Fields that say which call or kind of result it is, and nothing of its content."""

_CALL_IDS = frozenset("call_id callId tool_call_id toolCallId tool_use_id toolUseId".split())  # noqa: SIM905 - likewise
_NAMES = frozenset({"name", "id"})
_SUCCEEDED = frozenset({"ok", "success", "successful", "succeeded", "status"})
_SUCCESSES = frozenset({"ok", "success", "successful", "succeeded", "completed", "200"})
_FAILED = frozenset({"isError", "is_error", "error", "failed"})
_BLOCKS = frozenset({"text", "json", "tool_result", "output_text", "resource"})
_MARKS = ("<", "`", "b")
_OPENING = ("{", "[", '"')
_CLOSING = ("}", "]")
_LONGEST_TEXT = 4_000
_LONGEST_PREFIX = 100
_MOST_LINES = 40
_IN_MARKS = LazyPattern(
    r"<(\w+)>(?P<tagged>.*)</\1>|```\w*\n(?P<fenced>.*)\n```|b'(?P<bytes>.*)'|b\"(?P<more>.*)\"", re.DOTALL
)
_VALUE = r"""(?:'(?:[^'\\]|\\.)*+'|"(?:[^"\\]|\\.)*+"|[^\s,='"()\[\]{}]+)"""
_FIELD = rf"([A-Za-z_]\w*)=({_VALUE})"
_SHOWN = LazyPattern(rf"(?:[A-Za-z_]\w*\()?((?:[A-Za-z_]\w*={_VALUE}(?:, | |(?=\)|$)))+)\)?", re.DOTALL)
_SHOWN_FIELD = LazyPattern(_FIELD, re.DOTALL)
# A colon between two figures is one of a time, and what says no is a sentence: "Table at 19:30", "No table: ask Ann".
_LINE = LazyPattern(
    r"[-*]? ?(?!(?i:no|none|nothing|never|sorry)\b[\w -]* )([A-Za-z_][\w -]{0,40}):(?!(?<=\d:)\d) ?(\S.*|)"
)
_NUMBER = LazyPattern(r"-?\d{1,15}(?:\.\d{1,15})?")
_CONSTANTS = {"true": True, "True": True, "false": False, "False": False, "null": None, "None": None}


class Unreadable:
    """A part of a value that is no plain data, or lies beyond the bound."""

    __slots__ = ()


UNREADABLE = Unreadable()


def plain_data(value: Any) -> object:
    """
    Return *value* as dicts, lists and scalars; other objects, and all that is beyond a bound, are `UNREADABLE`.

    >>> plain_data({"a": (1, "x", None)})
    {'a': [1, 'x', None]}
    """
    return _copied(value, [_MAX_PARTS], 0)


def _copied(value: Any, budget: list[int], depth: int) -> object:
    budget[0] -= 1
    if budget[0] < 0 or depth > _DEEPEST:
        return UNREADABLE
    # isinstance() would read the object's __class__, which may be the program's code.
    kind = type(value)
    if value is None or kind in _SCALARS:
        return value
    if issubclass(kind, dict):
        return _copied_mapping(value, budget, depth + 1)
    for base in _SEQUENCES:
        if issubclass(kind, base):
            return [_copied(inner, budget, depth + 1) for inner in _first(base.__iter__(value), budget)]
    for base in _SCALARS:
        if issubclass(kind, base):
            return str.__str__(value) if base is str else base.__int__(value) if base is int else float.__float__(value)
    return UNREADABLE


def _copied_mapping(value: dict[Any, Any], budget: list[int], depth: int) -> dict[object, object]:
    """Return a copy of *value*, whose items are at this *depth*; scalars, which are most, need no call."""
    copied: dict[object, object] = {}
    readable = depth <= _DEEPEST
    for key, inner in _first(dict.items(value), budget):
        name: object = UNREADABLE
        if type(key) in _SCALARS:
            budget[0] -= 1
            name = key if readable and budget[0] >= 0 else UNREADABLE
        if type(inner) in _SCALARS:
            budget[0] -= 1
            copied[name] = inner if readable and budget[0] >= 0 else UNREADABLE
        else:
            copied[name] = _copied(inner, budget, depth)
    return copied


def _first(items: Any, budget: list[int]) -> list[Any]:
    """Return items while the budget lasts, and one more."""
    found = []
    for item in items:
        found.append(item)
        if len(found) > budget[0] + 1:
            break
    return found


def inner_data(value: object) -> object:
    r"""
    Return the content of a result, as plain data, without what wraps it.

    Content may be wrapped in JSON in a text, perhaps after a few words, between tags or in a code block; in an object
    whose other fields say its kind, that the call succeeded, or how long it took; in the ``repr`` of an object; or in a
    text with a line for each field. Other values are returned as they are.

    Args:
        value: Plain data.

    >>> inner_data('Tool t returned: {"id": 7}'), inner_data({"type": "text", "text": '{"id": 7}'})
    ({'id': 7}, {'id': 7})
    >>> inner_data("Job(state='done', runs=2)"), inner_data("state: done\nruns: 2")
    ({'state': 'done', 'runs': 2}, {'state': 'done', 'runs': 2})
    >>> inner_data("No table then: ask Ann"), inner_data("Table at 19:30"), inner_data("Table: at 19:30")
    ('No table then: ask Ann', 'Table at 19:30', {'Table': 'at 19:30'})
    >>> inner_data({"ok": True, "data": []}), inner_data({"state": "done", "data": []})
    ([], {'state': 'done', 'data': []})
    """
    for _ in range(_MOST_WRAPPERS):
        inner = _in_text(value) if isinstance(value, str) else _in_container(value)
        if inner is value:
            break
        value = inner
    return value


def _in_container(value: object) -> object:
    if isinstance(value, dict):
        wrapping = [name for name in value if name in _WRAPPING and value[name] is not None]
        if len(wrapping) == 1 and all(
            name == wrapping[0] or _says_nothing(name, inner, value) for name, inner in value.items()
        ):
            return value[wrapping[0]]
    elif isinstance(value, list):
        told = [inner for inner in value if inner is not None]
        if len(told) == 1 and _is_block(told[0]):
            return told[0]
    return value


def _is_block(item: object) -> bool:
    """Return whether the only *item* of a list is a content block or JSON text, rather than the only one found."""
    if isinstance(item, dict):
        return item.get("type") in _BLOCKS or (len(item) == 1 and not _WRAPPING.isdisjoint(item))
    return isinstance(item, str) and item[:1] in _OPENING


def _says_nothing(name: object, value: object, fields: dict[object, object]) -> bool:
    """Return whether the field *name*, one of the *fields* of a result, has nothing of its content."""
    if value is None:
        return True
    if name in _SUCCEEDED:
        return value is True or (isinstance(value, str) and value.lower() in _SUCCESSES)
    if name in _FAILED:
        return value is False
    return name in _LABELS or (name in _NAMES and not _CALL_IDS.isdisjoint(fields))


def _in_text(text: str) -> object:
    """Return the data in *text*; *text* itself if it has none."""
    stripped = text.strip()
    if len(stripped) > _LONGEST_TEXT:
        return text
    if stripped[:1] in _OPENING:
        found = _json_or_none(stripped)
        return text if found is None else found
    wrapped = _IN_MARKS.fullmatch(stripped) if stripped[:1] in _MARKS else None
    if wrapped:
        return next(part for part in wrapped.groups()[1:] if part is not None)
    if stripped[-1:] in _CLOSING and (begins := _first_opening(stripped[:_LONGEST_PREFIX])):
        found = _json_or_none(stripped[begins:])
        if found is not None:
            return found
    return _fields_in(stripped) or text


def _first_opening(text: str) -> int:
    """Return where the first object or list in *text* begins; 0 if there is none after its beginning."""
    return min((at for at in (text.find("{"), text.find("[")) if at > 0), default=0)


def _fields_in(text: str) -> dict[str, object] | None:
    """Return the fields of *text*, the ``repr`` of an object or a field a line; None for any other text."""
    beginning = text[:_LONGEST_PREFIX]
    shown = _SHOWN.fullmatch(text) if "=" in beginning else None
    if shown:
        return {name: _scalar(inner) for name, inner in _SHOWN_FIELD.findall(shown[1])}
    lines = text.split("\n") if ":" in beginning else ()
    if not 0 < len(lines) <= _MOST_LINES or result_outcome(text):
        return None
    fields = [_LINE.fullmatch(line) for line in lines]
    return {field[1]: _scalar(field[2]) for field in fields if field} if all(fields) else None


def _json_or_none(text: str) -> object:
    """Return the object, list or text in *text*, which is JSON; None for any other text."""
    try:
        return decode_json(text)
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        return None


def _scalar(text: str) -> object:
    """Return the value that *text* shows."""
    if text[:1] in {"'", '"'} and text[-1:] == text[:1] and len(text) > 1:
        return text[1:-1]
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if _NUMBER.fullmatch(text):
        return float(text) if "." in text else int(text)
    return text
