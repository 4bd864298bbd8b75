"""
Reads chat messages of any form: which tool calls a model's output asks for, and what the user said in its input.

The forms differ in names only: GenAI parts, OpenAI chat and responses, Anthropic and Bedrock blocks, Gemini parts,
LangChain's serialised messages, Haystack's replies. So both questions are one walk over what the text says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .content import decoded, hides_some, is_cut_off

_DEEPEST = 24

_USER = frozenset({"user", "human", "humanmessage", "gen_ai.user.message"})
_OTHERS = frozenset(
    {"assistant", "ai", "model", "system", "developer", "tool", "function", "critic", "ipython"}
    | {"aimessage", "aimessagechunk", "systemmessage", "toolmessage", "functionmessage", "function_call"}
    | {"function_call_output", "reasoning", "tool_use", "tool_result", "tool_call", "tool_call_response"}
)
_WORDS = frozenset({"text", "input_text", "inputtext"})
_TALK = ("messages", "contents", "message", "chat_history")
_RUN_ENVELOPE = frozenset({"tags", "metadata", "kwargs"})

# Where messages keep what may hold a tool call; its arguments are not looked into.
_INSIDE = (
    *("messages", "message", "parts", "content", "tool_calls", "choices", "output", "outputs", "generations"),
    *("kwargs", "data", "update", "replies", "candidates", "delta", "response", "toolCalls"),
)
_LISTS = frozenset({"tool_calls", "toolCalls"})
_CALLS = frozenset({"tool_call", "tool_use", "tool-call"})
_IDS = ("id", "tool_call_id", "call_id", "toolCallId")
_ASKED = ("tool_call", "toolUse", "tool_use", "tool-call", "function_call", "functionCall", "toolCall")
# A model that asks for tools in words of its own protocol: what it asked for is not listed.
_IN_WORDS = ("next_tool_name", "Action:", "<tool_call", "<function_call", "<tool_use", "<invoke")


def requested_ids(*values: object) -> tuple[str, ...] | None:
    """
    List the ids of the tool calls that a model's output asks for, in order.

    Returns:
        ``()`` where the output was seen and asks for none; None where that cannot be told: nothing captured, cut
        off, not a message of a known form, a call without an id, or calls asked for in words.
    """
    found: list[str] = []
    seen = False
    for value in values:
        if isinstance(value, str) and (is_cut_off(value) or asks_in_words(value)):
            return None
        if isinstance(value, str) and not any(sign in value for sign in _ASKED):
            if hides_some(value):
                return None
            seen = seen or '"role"' in value or '"parts"' in value or '"choices"' in value or '"text"' in value
            continue
        data = decoded(value)
        if isinstance(data, str):
            return None
        if not _requests(data, found, 0):
            return None
        seen = True
    return tuple(dict.fromkeys(found)) if seen else None


def asks_in_words(value: str) -> bool:
    """Tell whether a model's output asks for tools in words, by a protocol of its own."""
    return any(sign in value for sign in _IN_WORDS)


def _requests(data: object, found: list[str], depth: int, *, listed: bool = False) -> bool:
    """Collect ids into *found*; false if a call has none. What is *listed* as a tool call is one, whatever it holds."""
    if depth > _DEEPEST:
        return False
    if isinstance(data, str):
        data = decoded(data) if data[:1] in {"{", "["} else None
    if isinstance(data, Mapping):
        call_id = _call_id(data)
        if call_id is None and listed:
            call_id = _id(data)
        if call_id is not None:
            if call_id and call_id not in found:
                found.append(call_id)
            return bool(call_id)
        return all(_requests(data[key], found, depth + 1, listed=key in _LISTS) for key in _INSIDE if key in data)
    if isinstance(data, Sequence) and not isinstance(data, bytes | str):
        return all(_requests(item, found, depth + 1, listed=listed) for item in data)
    return True


def _call_id(data: Mapping[str, object]) -> str | None:
    """Return the id of the tool call that *data* is, empty if it has none; None if it is no tool call."""
    for key, name in (("toolUse", "toolUseId"), ("tool_call", "id"), ("function_call", "id"), ("functionCall", "id")):
        inner = data.get(key)
        if isinstance(inner, Mapping):
            return _string(inner.get(name))
    kind = data.get("type")
    if kind in _CALLS:
        return _id(data)
    if kind == "function_call":
        return _string(data.get("call_id", data.get("id")))
    if data.get("part_kind") == "tool-call":
        return _string(data.get("tool_call_id"))
    if isinstance(data.get("function"), Mapping) and data.keys() & {"id", "arguments", "type"}:
        return _string(data.get("id"))
    return None


def _id(call: Mapping[str, object]) -> str:
    return _string(next((call[key] for key in _IDS if key in call), None))


def _string(value: object) -> str:
    return value if isinstance(value, str) else ""


def user_words(value: object) -> list[object]:
    """Return what the user said in the messages that *value* holds: texts, without tool results in a user's guise."""
    words: list[object] = []
    _collect(decoded(value), words, loose=False)
    return words


def run_input(value: object) -> list[object]:
    """Return what a whole run was given: the user's words if it is messages, else everything in it."""
    words: list[object] = []
    _collect(decoded(value), words, loose=True)
    return words


def _collect(data: object, words: list[object], *, loose: bool, depth: int = 0) -> None:
    if depth > _DEEPEST:
        return
    if isinstance(data, str):
        if loose and data:
            words.append(data)
    elif isinstance(data, Mapping):
        _collect_mapping(data, words, loose=loose, depth=depth)
    elif isinstance(data, Sequence) and not isinstance(data, bytes):
        if len(data) == 2 and _speaker(data[0]) and isinstance(data[1], str):  # noqa: PLR2004  ("user", "hi")
            if _speaker(data[0]) == "user":
                words.append(data[1])
            return
        for item in data:
            _collect(decoded(item), words, loose=loose, depth=depth + 1)
    elif loose and data is not None:
        words.append(data)


def _collect_mapping(data: Mapping[str, object], words: list[object], *, loose: bool, depth: int) -> None:
    speaker = _speaker_of(data)
    if speaker == "user":
        _say(_said(data), words)
    if speaker:
        return
    talk = [key for key in _TALK if isinstance(data.get(key), str | Sequence | Mapping)]
    if loose:
        # LangChain's callbacks add what is new in every run and nobody said.
        skipped = _RUN_ENVELOPE if "inputs" in data else ()
        talk += [key for key in data if key not in talk and key not in skipped]
    elif not talk:
        talk = [key for key in ("input", "inputs") if key in data]
    for key in talk:
        _collect(decoded(data[key]), words, loose=loose, depth=depth + 1)


def _said(data: Mapping[str, object]) -> object:
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
    """Return ``user``, ``other``, or an empty string if *value* names no speaker."""
    if not isinstance(value, str):
        return ""
    name = value.lower()
    if name in _USER:
        return "user"
    return "other" if name in _OTHERS or name.startswith("gen_ai.") else ""


def _say(data: object, words: list[object], depth: int = 0) -> None:
    """Collect the texts of one message's content."""
    if isinstance(data, str):
        if data:
            words.append(data)
    elif isinstance(data, Mapping):
        kind = data.get("type")
        text = data.get("text", data.get("content") if kind in _WORDS else None)
        if text and (kind is None or kind in _WORDS):
            words.append(text)
    elif isinstance(data, Sequence) and not isinstance(data, bytes) and depth < _DEEPEST:
        for item in data:
            _say(item, words, depth + 1)
