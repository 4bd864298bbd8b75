"""
Reads the texts of a model's captured answer, in the forms in which `messages` reads its tool calls.

A text may stand there twice: beside a generation of LangChain's, say, stands the message that has it. So of several
places in one mapping, the first with a text counts. What a model thought is no text of its answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec

from otel_parallelism.patterns import LazyPattern

from .call_shapes import call_shape
from .content import decoded

if TYPE_CHECKING:
    from otel_parallelism.model import Content

_DEEPEST = 24
_ANSWERERS = frozenset({"", "assistant", "ai", "model", "aimessage", "aimessagechunk", "chatbot"})
_OTHER_KINDS = LazyPattern(r".*(?:reason|think|summary|tool|function).*")
"""Types of the parts of an answer that have no text of it."""

_CONTENTS = frozenset({"content", "text", "_content"})
_PLACES = (
    *("choices", "candidates", "generations", "replies", "messages", "outputs", "output", "response", "message"),
    *("data", "kwargs", "update", "delta", "content", "parts", "blocks", "contents", "_content", "text"),
)
"""Keys under which an answer or a part of it stands, the outermost first."""

_ATTRIBUTE = LazyPattern(
    r"gen_ai\.completion\.\d+\.content"
    r"|llm\.output_messages\.\d+\.message\.(?:content|contents\.\d+\.message_content\.text)"
    r"|ai\.response\.text|lk\.(?:pii\.)?response\.text"
)
"""Attributes that hold a text and nothing else."""


class CallsAndTexts(msgspec.Struct, frozen=True):
    """Reads an answer: the calls that it asks for, as *calls* reads them, and then its texts."""

    calls: Callable[[object], object]

    def __call__(self, value: object) -> tuple[object, ...]:
        """Return the calls and the texts of an answer, which is JSON, data, plain text or the attributes of a span."""
        found = self.calls(value)
        listed = tuple(found) if isinstance(found, (list, tuple)) else ()
        of_span = value if isinstance(value, Mapping) else {}
        return (*listed, *answer_texts(of_span, value))


def with_texts(answer: Content | None) -> Content | None:
    """Return *answer* so that its texts are read beside its calls."""
    if answer is None or answer.parse is None:
        return answer
    return msgspec.structs.replace(answer, parse=CallsAndTexts(answer.parse))


def answer_texts(attributes: Mapping[str, object], answer: object = None) -> tuple[str, ...]:
    """
    Return the texts of a model's answer, in order.

    Args:
        attributes: The attributes of the span. If some of them hold texts alone, what else the span has does not count.
        answer: The answer as the span's dialect found it: JSON, data, or plain text.
    """
    found: list[str] = []
    own = [value for key, value in attributes.items() if _ATTRIBUTE.fullmatch(key)]
    if own:
        for value in own:
            _collect_content(value, found, 0)
        # The content of a message may be listed as one text and again in parts.
        return tuple(dict.fromkeys(found))
    known = decoded(answer)
    if not (isinstance(known, Sequence) and not isinstance(known, str) and not _holds_parts(known)):
        _collect_content(answer, found, 0)
    return tuple(found)


def _collect(data: object, found: list[str], depth: int) -> None:
    """Append the texts of a message, of a part of one, or of what holds messages."""
    if depth > _DEEPEST:
        return
    data = decoded(data)
    if isinstance(data, Mapping):
        _collect_mapping(data, found, depth)
    elif isinstance(data, Sequence) and not isinstance(data, bytes | str):
        for item in data:
            _collect(item, found, depth + 1)


def _collect_mapping(data: Mapping[str, object], found: list[str], depth: int) -> None:
    kind, role = (str(data.get(key) or "").lower() for key in ("type", "role"))
    if data.keys() == {"type", "value"}:  # LangWatch's
        _collect_content(data["value"], found, depth + 1)
        return
    if role not in _ANSWERERS or _OTHER_KINDS.fullmatch(kind) or call_shape(data) is not None:
        return
    before = len(found)
    for key in _PLACES:
        if key in data and len(found) == before:
            (_collect_content if key in _CONTENTS else _collect)(data[key], found, depth + 1)


def _collect_content(data: object, found: list[str], depth: int) -> None:
    """Append the texts of *data*, where a string is a text unless it is JSON of messages or parts of them."""
    if isinstance(data, str) and not _holds_parts(decoded(data)):
        if data:
            found.append(data)
    elif isinstance(data, str | Mapping):
        _collect(data, found, depth)
    elif isinstance(data, Sequence) and not isinstance(data, bytes):
        for item in data:
            (_collect_content if isinstance(item, str) else _collect)(item, found, depth + 1)


def _holds_parts(data: object) -> bool:
    """Return whether *data* are messages or parts of them, rather than what a model wrote as JSON."""
    if isinstance(data, Mapping):
        return data.keys() == {"type", "value"} or any(key in data for key in _PLACES) or call_shape(data) is not None
    if isinstance(data, Sequence) and not isinstance(data, bytes | str):
        return bool(data) and all(_holds_parts(decoded(item)) for item in data)
    return False
