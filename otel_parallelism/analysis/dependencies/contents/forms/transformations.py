"""Finds the values that a text or a number may be made from, and those that may be computed from results."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING
from urllib.parse import unquote

from otel_parallelism.analysis.dependencies.contents import tokens
from otel_parallelism.patterns import LazyPattern

from .identities import ESCAPE, LONGEST, SHORTEST, identity_forms, plain_text

if TYPE_CHECKING:
    from collections.abc import Iterator

_BASE64 = LazyPattern(r"[A-Za-z0-9+/_-]{8,400}={0,2}")
_HEX = LazyPattern(r"(?:0x(?=.)|(?=.{4}))([0-9a-fA-F]{1,400})")
_JOINTS = LazyPattern(r"[\W_]+")
_SIGNIFICANT = 4
_UNITS = (1000.0, 0.001, 100.0, 0.01, 1e6, 1e-6, 60.0, 1 / 60)
LARGEST = 1e15
"""Larger numbers have no other forms."""


def transformed_forms(text: str) -> Iterator[tuple[str, bool]]:
    """
    Yield forms of the values that *text* may encode, or that may encode it: URL escapes, base64, and hex.

    >>> dict(transformed_forms("YWNtZS0xMTgy"))["acme1182"]
    True
    """
    if len(text) > 4 * LONGEST:
        return
    if "%" in text and ESCAPE.search(text):
        yield from identity_forms(plain_text(unquote(text)))
    if _BASE64.fullmatch(text):
        yield from _of_bytes(_decoded_base64(text))
    figures = _HEX.fullmatch(text)
    if figures is not None and len(figures[1]) % 2 == 0:
        yield from _of_bytes(bytes.fromhex(figures[1]))
    if figures is not None and len(figures[1]) <= 16:  # noqa: PLR2004 - the digits of 64 bits
        yield f"={int(figures[1], 16)}", len(figures[1]) >= _SIGNIFICANT
    if SHORTEST <= len(text) <= LONGEST:
        raw = text.encode("utf-8", "surrogatepass")
        yield _JOINTS.sub("", base64.b64encode(raw).decode().rstrip("=")).casefold(), True
        yield raw.hex(), True


def _decoded_base64(text: str) -> bytes:
    bare = text.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(bare + "=" * (-len(bare) % 4), validate=True)
    except (binascii.Error, ValueError):
        return b""


def _of_bytes(raw: bytes) -> Iterator[tuple[str, bool]]:
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        return
    if len(text) >= SHORTEST and text.isprintable():
        yield from identity_forms(plain_text(text))


def transformed_numbers(number: float) -> Iterator[tuple[str, bool]]:
    """
    Yield the forms of the numbers that *number* may be in another unit, and the lengths that it may count.

    >>> dict(transformed_numbers(12.5))["=12500"]
    False
    """
    if not -LARGEST < number < LARGEST:
        return
    if number == int(number) and 0 < number < 100:  # noqa: PLR2004 - a list is seldom longer
        yield f"#{int(number)}", False
    significant = len(tokens.of_number(number)[0].replace(".", "").strip("-0"))
    if significant > 1:
        for unit in _UNITS:
            yield f"={tokens.of_number(round(number * unit, 9))[0]}", significant >= _SIGNIFICANT
    if number == int(number) and number >= 1000:  # noqa: PLR2004 - shorter ones are chance
        yield f"{int(number):x}", number >= 1e6  # noqa: PLR2004 - likewise


def rounded_numbers(number: float) -> Iterator[str]:
    """Yield the identity forms of *number* as a result: as it is, and rounded to a few decimals."""
    if -LARGEST < number < LARGEST:
        yield f"={tokens.of_number(number)[0]}"
        if number != int(number):
            for decimals in (0, 1, 2):
                yield f"={tokens.of_number(round(float(number), decimals))[0]}"


def computed_numbers(numbers: list[float], sizes: list[int]) -> Iterator[str]:
    """Yield the forms of small whole numbers that may be computed from a result: lengths, neighbours, differences."""
    yield from (f"#{size}" for size in sizes)
    few = [number for number in numbers[:8] if -1e6 < number < 1e6]  # noqa: PLR2004 - larger ones have an origin
    for index, one in enumerate(few):
        found = [one + 1, one - 1, one * 2, one / 2]
        for other in few[:index]:
            found += [one + other, abs(one - other), one * other]
        yield from (f"#{int(value)}" for value in found if value == int(value))
    if len(few) > 2:  # noqa: PLR2004 - two were added above
        yield f"#{int(sum(few))}"
