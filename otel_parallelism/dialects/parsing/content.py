"""Holds captured content undecoded, and decodes it on demand: JSON, a Python literal, or plain text."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

import msgspec

from otel_parallelism.long_numbers import decode_json
from otel_parallelism.model import Content
from otel_parallelism.patterns import LazyPattern

if TYPE_CHECKING:
    from collections.abc import Callable

# Texts that instrumentations write in place of hidden content or of single hidden values. The Collector's redaction
# processor writes four asterisks.
_HIDDEN = frozenset({"__REDACTED__", "REDACTED", "[REDACTED]", "<redacted>", "<REDACTED>", "***", "****"})
_LONGEST_HIDDEN = max(map(len, _HIDDEN))
_MARKS_OF_HIDDEN = ("[Scrubbed due to", "__REDACTED__", "[REDACTED]", "<REDACTED>", "<redacted>", '"***"', "****")
_HIDDEN_PART = LazyPattern(
    r"\[Scrubbed due to [^\[\]]*\]|__REDACTED__|\[REDACTED\]|<REDACTED>|<redacted>|(?<=\")\*\*\*(?=\")|\*{4,}"
)

# Lengths at which exporters and SDKs commonly cut attribute values off without a mark.
_USUAL_LIMITS = frozenset(
    {128, 256, 512, 1000, 1024, 2000, 2048, 4000, 4095, 4096, 5000, 8000, 8191, 8192, 10_000, 12_000, 16_384}
    | {20_000, 32_000, 32_766, 32_767, 32_768, 50_000, 64_000, 65_535, 65_536, 100_000}
)
_MARKS = ("…", "...", "truncated")
_LAST_OF_MARKS = frozenset({"", "…", ".", "d", "D"})
_CUT = "[TRUNCATED"
_CUT_TAIL = 64
"""Some programs append ``[TRUNCATED: original length 12345]`` to what is left, and the like."""

_AFTER_MARK = "\"'}])> \n"
_CLOSING = {"{": "}", "[": "]", '"': '"'}

_LONGEST_LITERAL = 100_000
# Only what `repr` writes for dicts, lists, tuples, sets and scalars. `literal_eval` rejects most other texts, and for
# some of them the compiler prints warnings in the user's program.
_LITERAL = LazyPattern(
    r"""(?:[\s{}\[\](),:]
        | [+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?(?![\w.])
        | (?:True|False|None)\b | set\(\)
        | b?'(?:[^'\\\n] | \\[\\'"nrt] | \\x[0-9a-f]{2} | \\u[0-9a-f]{4} | \\U[0-9a-f]{8})*+'
        | b?"(?:[^"\\\n] | \\[\\'"nrt] | \\x[0-9a-f]{2} | \\u[0-9a-f]{4} | \\U[0-9a-f]{8})*+"
    )*+""",
    re.VERBOSE,
)


def captured(value: object, parse: Callable[[object], object], *, whole: bool = True) -> Content | None:
    """
    Return *value* as content that *parse* decodes when it is needed.

    Args:
        value: The attribute's value.
        parse: Removes the dialect's envelope; a function of a module, so that the content can be pickled.
        whole: False if the span says that content was dropped.

    Returns:
        None if *value* is absent or hidden. The content is not ``whole`` if it was cut off or some of its values are
        hidden.
    """
    if value is None:
        return None
    if isinstance(value, str):
        if len(value) <= _LONGEST_HIDDEN and value in _HIDDEN:  # a longer text need not be hashed
            return None
        if hides_some(value):
            value = _HIDDEN_PART.sub("", value)
            return Content(value, parse, whole=False) if value else None
        return Content(value, parse, whole=whole and not is_cut_off(value))
    return Content(value, parse, whole=whole)


def hides_some(text: str) -> bool:
    """Return whether a mark in *text* replaces a hidden value."""
    # Nearly all texts have none of what the marks have in common. A single character is found far sooner than several.
    starred, bracketed = "*" in text and "***" in text, "<" in text and "<redacted>" in text
    if not starred and not bracketed and "REDACTED" not in text and "[Scrubbed" not in text:
        return False
    return any(mark in text for mark in _MARKS_OF_HIDDEN)


def is_cut_off(text: str) -> bool:
    """Return whether *text* was probably cut off: it has a mark, unclosed JSON, or the length of a usual limit."""
    if _CUT in text[-_CUT_TAIL:]:
        return True
    closing = _CLOSING.get(text[:1])
    if closing is not None and (len(text) == 1 or (text[-1] != closing and text.rstrip()[-1] != closing)):
        return True
    tail = text[-16:].rstrip(_AFTER_MARK)
    if tail[-1:] in _LAST_OF_MARKS and tail.lower().endswith(_MARKS):
        return True
    return len(text) in _USUAL_LIMITS and not (closing is not None and _is_json(text))


def _is_json(text: str) -> bool:
    """Return whether *text* is complete JSON; it is whole then, whatever its length."""
    try:
        decode_json(text)
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        return False
    return True


def leaves_texts_out(messages: object) -> bool:
    """Return whether one of *messages* has only the types of its parts: the contents were not recorded."""
    if not isinstance(messages, list):
        return False
    listed = [one.get("parts") for one in messages if isinstance(one, dict)]
    return any(
        parts and all(isinstance(part, dict) and part.keys() == {"type"} for part in parts)
        for parts in listed
        if isinstance(parts, list)
    )


def decoded(value: object) -> object:
    """
    Return the data in text that is JSON or the ``repr`` of plain Python data; return any other value unchanged.

    Scalars stay text, since ``1e5`` may be an identifier.
    """
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    if not isinstance(value, str):
        return value
    text = value.strip()
    if text[:1] in {"{", "[", '"'}:
        try:
            data = decode_json(text)
            # The data may be JSON in a JSON string.
            return decoded(data) if isinstance(data, str) and data[:1] in {"{", "["} else data
        except (msgspec.DecodeError, RecursionError, UnicodeError):
            pass  # may be a Python literal
    if text[:1] in {"{", "[", "(", "'", '"'} and len(text) <= _LONGEST_LITERAL and _LITERAL.fullmatch(text):
        try:
            return ast.literal_eval(text)
        except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
            pass  # plain text that looks like a literal
    return value
