"""Encodes a document as JSON, whatever texts its names consist of."""

from __future__ import annotations

import re
from typing import Any, Final

import msgspec

from otel_parallelism.shown_names import encodable

_ACTING: Final = re.compile(
    rb"\x7f|\xc2[\x80-\x9f]|\xe2\x80[\x8e\x8f\xa8-\xae]|\xe2\x81[\xa6-\xa9]|(?<=#)#(?=\w{0,40}\[)"
)
"""
The bytes of characters that JSON allows and a terminal acts on: controls, ends of lines, directions of text.

Also a sign of what a runner of continuous integration takes for a command: see `escaped_commands`.
"""


def encoded(document: msgspec.Struct) -> bytes:
    """
    Return *document* as JSON, with escapes for the characters that a terminal or a runner acts on.

    Halves of surrogate pairs, which UTF-8 does not have, become U+FFFD.
    """
    try:
        made = msgspec.json.encode(document)
    except UnicodeEncodeError:
        made = msgspec.json.encode(_with_whole_characters(msgspec.to_builtins(document)))
    return _ACTING.sub(_escape, made)


def _escape(found: re.Match[bytes]) -> bytes:
    return b"\\u%04x" % ord(found[0].decode())


def _with_whole_characters(value: Any) -> Any:
    if isinstance(value, str):
        return encodable(value)
    if isinstance(value, dict):
        return {_with_whole_characters(key): _with_whole_characters(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_with_whole_characters(item) for item in value]
    return value
