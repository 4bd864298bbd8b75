"""
Decodes JSON with numbers of any length, and writes values as text that may hold such a number.

Python converts no integer of more than 4,300 digits, and the decoder refuses numbers beyond the largest float. Such a
number is content like any other, so it stays the text that it is.
"""

from __future__ import annotations

import json
import math

import msgspec

MAX_DIGITS = 4_000
"""A longer integer stays text."""

_DECODER = msgspec.json.Decoder()


def decode_json(text: str | bytes | memoryview | msgspec.Raw) -> object:
    """
    Return the data of the JSON *text*; a number that is too large for a number stays text.

    Raises:
        msgspec.DecodeError: The text is not JSON.
        RecursionError: It is nested too deeply.
        UnicodeError: It is not UTF-8.

    >>> decode_json('{"n": 1e999, "m": 2}')
    {'n': '1e999', 'm': 2}
    """
    try:
        return _DECODER.decode(text)
    except msgspec.ValidationError:
        # The only thing to validate without a type is whether a number is in range.
        written = text if isinstance(text, str) else bytes(text).decode()
        return json.loads(written, parse_int=_whole, parse_float=_fraction)


def text_of(value: object) -> str:
    """
    Return ``str(value)``; where Python refuses to write a whole number that long, an empty string.

    >>> text_of(12), text_of([10**5_000])
    ('12', '')
    """
    try:
        return str(value)
    except ValueError:
        return ""


def is_out_of_range(error: msgspec.ValidationError) -> bool:
    """Return whether *error* is about a number that is too large."""
    return "out of range" in str(error)


def _whole(written: str) -> int | str:
    return int(written) if len(written) <= MAX_DIGITS else written


def _fraction(written: str) -> float | str:
    number = float(written)
    return number if math.isfinite(number) else written
