"""
Reads captured chat messages: the tool calls that a model's output requests, and the user's texts in its input.

GenAI parts, OpenAI chat and responses, Anthropic and Bedrock blocks, Gemini parts, LangChain's serialised messages and
Haystack's replies differ only in names, so one recursive search reads them all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from otel_parallelism.model import AskedCall, DeveloperText

from .call_shapes import CALL_ID_KEYS, CallShape, call_shape, ids_in_standard_form, listed_call_shape
from .content import decoded, hides_some, is_cut_off, leaves_texts_out
from .envelopes import tells_of_a_tool

_DEEPEST = 24

_DEVELOPER = frozenset({"system", "developer", "systemmessage", "gen_ai.system.message"})
_USER = frozenset({"user", "human", "humanmessage", "gen_ai.user.message"})
_OTHERS = frozenset(
    {"assistant", "ai", "model", "system", "developer", "tool", "function", "critic", "ipython"}
    | {"aimessage", "aimessagechunk", "systemmessage", "toolmessage", "functionmessage", "function_call"}
    | {"function_call_output", "reasoning", "tool_use", "tool_result", "tool_call", "tool_call_response"}
)
_WORDS = frozenset({"text", "input_text", "inputtext"})
_MESSAGE_KEYS = ("messages", "contents", "message", "chat_history")
_INSTRUCTIONS = ("system", "instructions", "system_instruction", "systemInstruction")
"""Fields of a request that hold what the developer says, beside the messages."""

_REQUEST_KEYS = frozenset({"messages", "contents", "prompt", "input"})

_RUN_ENVELOPE = frozenset({"tags", "metadata", "kwargs"})

# Keys whose values may contain tool calls. Arguments of calls are not searched.
_INSIDE = (
    *("messages", "message", "parts", "content", "tool_calls", "choices", "output", "outputs", "generations"),
    *("kwargs", "data", "update", "replies", "candidates", "delta", "response", "toolCalls"),
)
_INSIDE_KEYS = frozenset(_INSIDE)
_LISTS = frozenset({"tool_calls", "toolCalls"})
_CALL_MARKS = (
    *("tool_call", "toolUse", "tool_use", "tool-call", "function_call", "functionCall", "toolCall", "toolRequest"),
)
# Marks of protocols in which a model writes tool calls into its text, without a list of calls.
_TEXT_PROTOCOLS = ("next_tool_name", "Action:", "<tool_call", "<function_call", "<tool_use", "<invoke")

_Found: TypeAlias = CallShape | Mapping[str, object]
"""A call in a model's output: its shape, or a mapping of an unknown form."""


def requested_ids(*values: object) -> tuple[str, ...] | None:
    """
    Return the ids of the tool calls that a model's output requests, in order.

    Returns:
        ``()`` if the output requests none. None if the ids are unknown: the output was not captured or is cut off, has
        no known form, requests a call without an id, or writes calls into its text.
    """
    ids: list[str] = []
    seen = False
    for value in values:
        if isinstance(value, str) and (is_cut_off(value) or has_calls_in_text(value)):
            return None
        if isinstance(value, str) and not _has_any(value, _CALL_MARKS):
            if hides_some(value):
                return None
            seen = seen or '"role"' in value or '"parts"' in value or '"choices"' in value or '"text"' in value
            continue
        some = ids_in_standard_form(value) if isinstance(value, str) else None
        if some is None:
            found: list[_Found] = []
            data = decoded(value)
            if isinstance(data, str) or not _collect_calls(data, found, 0):
                return None
            some = list(map(_id_of, found))
        ids += some
        seen = True
    return tuple(dict.fromkeys(ids)) if seen and all(ids) else None


def asked_calls(value: object) -> tuple[AskedCall, ...]:
    """Return the tool calls that a model's output asks for, in order, with or without ids; empty if it has none."""
    found: list[_Found] = []
    _collect_calls(decoded(value), found, 0)
    return _each_once(found)


def listed_ids(value: object) -> tuple[str, ...] | None:
    """Return the ids in a list that holds nothing but tool calls; None if one has no id, or if the list is cut off."""
    if isinstance(value, str) and is_cut_off(value):
        return None
    data = decoded(value)
    if not isinstance(data, Sequence) or isinstance(data, bytes | str):
        return None
    calls = listed_calls(value)
    return tuple(call.call_id for call in calls) if all(call.call_id for call in calls) else None


def listed_calls(value: object) -> tuple[AskedCall, ...]:
    """Return the calls in a list that holds nothing but tool calls, with or without ids."""
    data = decoded(value)
    found: list[_Found] = []
    if isinstance(data, Sequence) and not isinstance(data, bytes | str):
        _collect_calls([decoded(item) for item in data], found, 0, listed=True)
    return _each_once(found)


def has_calls_in_text(value: str) -> bool:
    """Return whether a model's output has tool calls in its text, in one of the known text protocols."""
    return _has_any(value, _TEXT_PROTOCOLS)


def _has_any(text: str, marks: Sequence[str]) -> bool:
    for mark in marks:  # noqa: SIM110 - a loop is faster than a generator, and every output is searched
        if mark in text:
            return True
    return False


def _collect_calls(data: object, found: list[_Found], depth: int, *, listed: bool = False) -> bool:
    """
    Append the calls in *data* to *found*; return False if *data* is nested too deeply.

    Any mapping that is *listed* in a list of tool calls is a call, whatever its keys.
    """
    if depth > _DEEPEST:
        return False
    if isinstance(data, str):
        data = decoded(data) if data[:1] in {"{", "["} else None
    if type(data) is dict or isinstance(data, Mapping):
        call = listed_call_shape(data) if listed else call_shape(data)
        if call is not None or listed:
            found.append(data if call is None else call)
            return True
        return _INSIDE_KEYS.isdisjoint(data) or _collect_inside(data, found, depth)
    if type(data) is list or (isinstance(data, Sequence) and not isinstance(data, bytes | str)):
        for item in data:
            if not _collect_calls(item, found, depth + 1, listed=listed):
                return False
    return True


def _collect_inside(data: Mapping[str, object], found: list[_Found], depth: int) -> bool:
    keys = [key for key in data if key in _INSIDE_KEYS]
    if len(keys) > 1:
        keys.sort(key=_INSIDE.index)
    for key in keys:  # noqa: SIM110 - as above
        if not _collect_calls(data[key], found, depth + 1, listed=key in _LISTS):
            return False
    return True


def _each_once(found: Sequence[_Found]) -> tuple[AskedCall, ...]:
    """Return the calls in *found*, the first of each id."""
    asked: list[AskedCall] = []
    ids: set[str] = set()
    for call in found:
        call_id = _id_of(call)
        if not call_id or call_id not in ids:
            ids.add(call_id)
            name, arguments = (call.name, call.arguments) if isinstance(call, CallShape) else ("", None)
            asked.append(AskedCall(name if isinstance(name, str) else "", decoded(arguments), call_id))
    return tuple(asked)


def _id_of(call: _Found) -> str:
    """Return the id of *call*; empty if it has none."""
    if isinstance(call, CallShape):
        call_id = call.call_id
    else:
        call_id = next((call[key] for key in CALL_ID_KEYS if key in call), "")
    return call_id if isinstance(call_id, str) else ""


def user_words(value: object) -> list[object]:
    """
    Return the texts of the user's messages in *value*, without tool results that are sent as user messages.

    The texts of system messages are among them, as `DeveloperText`. An empty text alone stands for messages that were
    recorded without their texts.
    """
    words: list[object] = []
    data = decoded(value)
    _collect(data, words, loose=False)
    return words or ([""] if leaves_texts_out(data) else [])


def run_input(value: object) -> list[object]:
    """Return the input of an agent run: the user's texts if *value* contains messages, else all its values."""
    words: list[object] = []
    _collect(decoded(value), words, loose=True)
    return words


def _collect(data: object, words: list[object], *, loose: bool, depth: int = 0) -> None:
    if depth > _DEEPEST:
        return
    if isinstance(data, str):
        if loose and data:
            words.append(data)
    elif type(data) is dict or isinstance(data, Mapping):
        _collect_mapping(data, words, loose=loose, depth=depth)
    elif isinstance(data, Sequence) and not isinstance(data, bytes):
        if len(data) == 2 and _speaker(data[0]) and isinstance(data[1], str):  # noqa: PLR2004  ("user", "hi")
            words += _as_said(_speaker(data[0]), [data[1]])
            return
        for item in data:
            _collect(decoded(item), words, loose=loose, depth=depth + 1)
    elif loose and data is not None:
        words.append(data)


def _collect_mapping(data: Mapping[str, object], words: list[object], *, loose: bool, depth: int) -> None:
    speaker = _speaker_of(data)
    if speaker:
        texts: list[object] = []
        if speaker != "other":
            _collect_texts(_content_of(data), texts)
        words += _as_said(speaker, texts)
        return
    words += _as_said("developer", instructions := _instructions_of(data))
    inside = [key for key in _MESSAGE_KEYS if key in data and isinstance(data[key], str | Sequence | Mapping)]
    if loose:
        # LangChain's callbacks add values that differ in every run and are not part of the input.
        skipped = _RUN_ENVELOPE if "inputs" in data else ()
        skipped = (*skipped, *_INSTRUCTIONS) if instructions else skipped
        inside += [key for key in data if key not in inside and key not in skipped]
    elif not inside:
        inside = [key for key in ("input", "inputs") if key in data]
        if isinstance(data.get("input"), str) and "model" in data:
            words += _as_said("user", [data["input"]])
    for key in inside:
        _collect(decoded(data[key]), words, loose=loose, depth=depth + 1)


def _instructions_of(data: Mapping[str, object]) -> list[object]:
    """Return the developer's texts in a request's own field for them."""
    texts: list[object] = []
    if _REQUEST_KEYS.isdisjoint(data):
        return texts
    config = data.get("config")
    for fields in (data, config if isinstance(config, Mapping) else {}):
        for key in _INSTRUCTIONS:
            found = decoded(fields.get(key))
            _collect_texts(found.get("parts", found) if isinstance(found, Mapping) else found, texts)
    return texts


def _as_said(speaker: str, texts: list[object]) -> list[object]:
    """Return *texts* if the user is the *speaker*, marked if the developer is, and nothing of others."""
    if speaker == "developer":
        return [DeveloperText(text) for text in texts if isinstance(text, str)]
    return [text for text in texts if not tells_of_a_tool(text)] if speaker == "user" else []


def _content_of(data: Mapping[str, object]) -> object:
    inner = next((data[key] for key in ("parts", "content", "blocks", "text", "data", "kwargs") if data.get(key)), None)
    return decoded(inner["content"] if isinstance(inner, Mapping) and "content" in inner else inner)


def _speaker_of(data: Mapping[str, object]) -> str:
    for key in ("role", "_role", "type", "event.name"):
        speaker = _speaker(data.get(key))
        if speaker:
            return speaker
    names = data.get("id")
    return _speaker(names[-1]) if isinstance(names, list) and names else ""


def _speaker(value: object) -> str:
    """Return ``user``, ``developer``, ``other``, or an empty string if *value* names no speaker."""
    if not isinstance(value, str):
        return ""
    name = value.lower()
    if name in _USER:
        return "user"
    if name in _DEVELOPER:
        return "developer"
    return "other" if name in _OTHERS or name.startswith("gen_ai.") else ""


def _collect_texts(data: object, words: list[object], depth: int = 0) -> None:
    """Append the texts of one message's content to *words*."""
    if isinstance(data, str):
        if data:
            words.append(data)
    elif isinstance(data, Mapping):
        kind = data.get("type")
        of_words = isinstance(kind, str) and kind in _WORDS
        text = data.get("text", data.get("content") if of_words else None)
        if text and (kind is None or of_words):
            words.append(text)
    elif isinstance(data, Sequence) and not isinstance(data, bytes) and depth < _DEEPEST:
        for item in data:
            _collect_texts(item, words, depth + 1)
