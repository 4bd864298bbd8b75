"""Replaces what programs write into JSON although it is none: ``NaN``, ``Infinity``, and halves of surrogate pairs."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Final

import msgspec

_ANY: Final = msgspec.json.Decoder(msgspec.Raw)
_VALUE: Final = re.compile(rb"(?<=[:\[,\s])(?:NaN|-?Infinity)(?=\s*[,}\]])")
_ESCAPE: Final = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(?P<half>u[dD][89a-fA-F][0-9a-fA-F]{2})|.)"
)
_EMPTY: Final = {3: b'"" ', 8: b"null    ", 9: b"null     "}


def mended_json(text: bytes) -> bytes:
    """Return *text* with JSON of the same length in place of such parts; text that is JSON stays as it is."""
    return without_half_pairs(without_not_numbers(text))


def without_not_numbers(text: bytes) -> bytes:
    """
    Return *text* with other values of the same length in place of such ones; text that is JSON stays as it is.

    >>> without_not_numbers(b'{"a": NaN, "b": -Infinity}')
    b'{"a": "" , "b": null     }'
    """
    if b"NaN" not in text and b"Infinity" not in text:
        return text
    with suppress(msgspec.DecodeError):
        _ANY.decode(text)
        return text
    return _VALUE.sub(lambda found: _EMPTY[len(found[0])], text)


def without_half_pairs(text: bytes) -> bytes:
    r"""
    Return *text* with U+FFFD, which is as long, in place of escapes of half a surrogate pair.

    JavaScript and Python write such an escape where a string was cut in the middle of a character.

    >>> without_half_pairs(rb'["\ud83d\ude00", "\ud83d", "\\ud83d"]')
    b'["\\ud83d\\ude00", "\\ufffd", "\\\\ud83d"]'
    """
    if b"\\ud" not in text and b"\\uD" not in text:
        return text
    return _ESCAPE.sub(lambda found: b"\\ufffd" if found["half"] else found[0], text)
