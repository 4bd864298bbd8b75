"""Captured text and what it says: JSON, a Python literal, or plain words; read only when someone asks."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

import msgspec

from otel_parallelism.model import Content

if TYPE_CHECKING:
    from collections.abc import Callable

# What instrumentations write in place of content that they were told to hide, all of it or single values in it; the
# Collector's redaction processor, on the way, writes four stars.
_HIDDEN = frozenset({"__REDACTED__", "REDACTED", "[REDACTED]", "<redacted>", "<REDACTED>", "***", "****"})
_MARKS_OF_HIDDEN = ("[Scrubbed due to", "__REDACTED__", "[REDACTED]", "<REDACTED>", "<redacted>", '"***"', "****")
_HIDDEN_PART = re.compile(
    r"\[Scrubbed due to [^\]]*\]|__REDACTED__|\[REDACTED\]|<REDACTED>|<redacted>|(?<=\")\*\*\*(?=\")|\*{4,}"
)

# Lengths at which exporters and SDKs commonly cut attribute values off, without any mark.
_USUAL_LIMITS = frozenset(
    {128, 256, 512, 1000, 1024, 2000, 2048, 4000, 4095, 4096, 5000, 8000, 8191, 8192, 10_000, 12_000, 16_384}
    | {20_000, 32_000, 32_766, 32_767, 32_768, 50_000, 64_000, 65_535, 65_536, 100_000}
)
_MARKS = ("…", "...", "truncated")
_AFTER_MARK = "\"'}])> \n"
_CLOSING = {"{": "}", "[": "]", '"': '"'}

_LONGEST_LITERAL = 100_000
# Only what `repr` writes for dicts, lists, tuples, sets and scalars. Anything else would be refused anyway, and some
# of it makes the compiler print warnings into the user's program.
_LITERAL = re.compile(
    r"""(?:[\s{}\[\](),:]
        | [+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?(?![\w.])
        | (?:True|False|None)\b | set\(\)
        | b?'(?:[^'\\\n] | \\[\\'"nrt] | \\x[0-9a-f]{2} | \\u[0-9a-f]{4} | \\U[0-9a-f]{8})*+'
        | b?"(?:[^"\\\n] | \\[\\'"nrt] | \\x[0-9a-f]{2} | \\u[0-9a-f]{4} | \\U[0-9a-f]{8})*+"
    )*+""",
    re.VERBOSE,
)
_JSON = msgspec.json.Decoder()


def captured(value: object, parse: Callable[[object], object], *, whole: bool = True) -> Content | None:
    """
    Hold *value*, unread, with the *parse* that undoes its dialect's envelope.

    Args:
        value: As the span has it.
        parse: A module's own function, so that content can be sent to another process.
        whole: False where the span itself says that it lost content.

    Returns:
        None where nothing was captured (absent, hidden); a content that is not ``whole`` where it was cut off or some
        of its values were hidden.
    """
    if value is None:
        return None
    if isinstance(value, str):
        if value in _HIDDEN:
            return None
        if hides_some(value):
            value = _HIDDEN_PART.sub("", value)
            return Content(value, parse, whole=False) if value else None
        return Content(value, parse, whole=whole and not is_cut_off(value))
    return Content(value, parse, whole=whole)


def hides_some(text: str) -> bool:
    """Tell whether some value in *text* was replaced by a mark, so as not to be seen."""
    return any(mark in text for mark in _MARKS_OF_HIDDEN)


def is_cut_off(text: str) -> bool:
    """Tell whether *text* ends as if it had been longer: a mark, JSON left open, or a usual limit's very length."""
    if len(text) in _USUAL_LIMITS or text[-16:].rstrip(_AFTER_MARK).lower().endswith(_MARKS):
        return True
    closing = _CLOSING.get(text[:1])
    return closing is not None and (text[-1] != closing or len(text) == 1)


def decoded(value: object) -> object:
    """
    Turn text that is JSON, or the ``repr`` of plain Python data, into that data; leave all else as it is.

    Scalars stay text: that ``1e5`` is a number and not an identifier is nothing a captured value can tell.
    """
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    if not isinstance(value, str):
        return value
    text = value.strip()
    if text[:1] in {"{", "[", '"'}:
        try:
            return _JSON.decode(text)
        except (msgspec.DecodeError, RecursionError, UnicodeError):
            pass  # perhaps Python's way of writing it
    if text[:1] in {"{", "[", "(", "'", '"'} and len(text) <= _LONGEST_LITERAL and _LITERAL.fullmatch(text):
        try:
            return ast.literal_eval(text)
        except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
            pass  # words that look like data
    return value
