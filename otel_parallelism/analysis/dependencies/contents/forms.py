"""
Finds the forms in which one value may be written: case, joints, accents, encodings, dates, units.

An identity form is the value itself without what writers change. A transformed form is another value that a program
may have made this one from. A result is compared by its identity forms.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING
from urllib.parse import unquote

from otel_parallelism.pace import paced
from otel_parallelism.patterns import LazyPattern

from . import tokens

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Set as AbstractSet

# Before and after a code or a number in Chinese, Japanese or Korean, whose letters are taken apart.
_OTHER_SCRIPT = LazyPattern(
    r"(?<=[\u1100-\u11ff\u3040-\u9fff])(?=[A-Za-z0-9#])|(?<=[A-Za-z0-9])(?=[\u1100-\u11ff\u3040-\u9fff])"
)
_ACCENTS = LazyPattern(r"[\u0300-\u036f]")
_JOINTS = LazyPattern(r"[\W_]+")
_HUMPS = LazyPattern(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_PIECE = LazyPattern(r"[^\s,;|&()\[\]{}\"'<>=*!?]{5,80}")
_SPACED_DIGITS = LazyPattern(r"\+?\(?\d[\d ()./-]{5,24}\d")
_BASE64 = LazyPattern(r"[A-Za-z0-9+/_-]{8,400}={0,2}")
_HEX = LazyPattern(r"(?:0x(?=.)|(?=.{4}))([0-9a-fA-F]{1,400})")
_DIGIT = LazyPattern(r"\d")
_ESCAPE = LazyPattern(r"%[0-9a-fA-F]{2}")
_ISO_DAY = LazyPattern(r"(?<!\d)((?:19|20)\d\d)[-/.]?(0[1-9]|1[0-2])[-/.]?(0[1-9]|[12]\d|3[01])(?!\d)")
_DAY_FIRST = LazyPattern(r"(?<!\d)(\d{1,2})[-/.](\d{1,2})[-/.]((?:19|20)\d\d)(?!\d)")
_TIME = LazyPattern(r"(?<!\d)\d{1,2}:\d{2}(?!\d)")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_NAMED_DAY = LazyPattern(
    r"(?<!\w)(?:(\d{1,2})(?:st|nd|rd|th)?(?: of)? )?(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?"
    r"(?: (\d{1,2})(?:st|nd|rd|th)?(?!\d))?(?:,? ((?:19|20)\d\d))?",
    re.IGNORECASE,
)
# A word and the space after it, where no date and no number goes on. No match of another pattern lies across it.
_APART = LazyPattern(
    r"(?<!\S)(?!of\s|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[^\W\d_](?:[^\W\d_]*\s|\w*\s(?=[^\W\d_]))",
    re.IGNORECASE,
)
_PART = 16_000
_MARKS = bytes(code for code in range(128) if not chr(code).isalnum())
_LONGEST = 80
_SHORTEST = 4
_DISTINCTIVE = 6
_DISTINCTIVE_LETTERS = 8
_FEW_WORDS = 4
_SIGNIFICANT = 4
_UNITS = (1000.0, 0.001, 100.0, 0.01, 1e6, 1e-6, 60.0, 1 / 60)
_LARGEST = 1e15


def plain_text(text: str) -> str:
    r"""
    Return *text* without accents and in its compatible form, so that composed and decomposed letters are equal.

    >>> plain_text("Cafe\u0301 Müller")
    'Cafe Muller'
    """
    if text.isascii():
        return text
    from unicodedata import normalize  # noqa: PLC0415 - a large table, which few programs need

    return _ACCENTS.sub("", normalize("NFKD", text))


def message_text(text: str) -> str:
    """
    Return *text*, a message, as `plain_text` does, and put spaces around codes in sentences without spaces.

    >>> message_text("订单A100和A200的状态"), message_text("order A100")
    ('订单 A100 和 A200 的状态', 'order A100')
    """
    return text if text.isascii() else _OTHER_SCRIPT.sub(" ", plain_text(text))


def identity_forms(text: str) -> Iterator[tuple[str, bool]]:
    """
    Return the identity forms of *text*, and whether a match of each is no coincidence.

    >>> dict(identity_forms("#W2378156")), dict(identity_forms("Lovelace, Ada"))
    ({'w2378156': True, '2378156': True}, {'lovelaceada': True, 'ada lovelace': True})
    """
    if text.isascii() and text.isalpha() and text[1:].islower():
        # A single word, such as the name of a field, has no other form.
        return iter([(text.lower(), len(text) >= _DISTINCTIVE_LETTERS)] if _SHORTEST <= len(text) <= _LONGEST else ())
    return _forms_of(text)


def _forms_of(text: str) -> Iterator[tuple[str, bool]]:
    parts = [text] if len(text) <= _PART else _parts_of(text)
    has_digits = any(_DIGIT.search(part) is not None for part in paced(parts))
    days = [day for part in paced(parts) for day in days_in(part)] if has_digits else []
    # A date is no identifier: it may stand in many results by chance.
    dated = bool(days) or (has_digits and any(_TIME.search(part) is not None for part in paced(parts)))
    if len(text) <= _LONGEST:
        whole = _without_joints(text)
        if len(whole) >= _SHORTEST:
            yield whole, not dated and _is_distinctive(whole)
            if whole.isdecimal() and whole[0] == "0":
                yield whole.lstrip("0"), len(whole.lstrip("0")) >= _DISTINCTIVE
        spread = _HUMPS.sub(" ", text)
        words = tokens.words_in(spread) if text.isascii() else _JOINTS.sub(" ", spread).casefold().split()
        if 1 < len(words) <= _FEW_WORDS and all(word.isalpha() for word in words):
            yield " ".join(sorted(words)), not dated and len(whole) >= _DISTINCTIVE_LETTERS
    for piece in (piece for part in paced(parts) for piece in paced(_PIECE.findall(part))):
        # Most pieces of a long text are plain words, which have no other form.
        if piece.isalnum() and (piece[1:].islower() or not _HUMPS.search(piece)):
            continue
        joined = _without_joints(piece)
        if _SHORTEST <= len(joined) != len(text):
            yield joined, not dated and _is_distinctive(joined) and any(map(str.isdigit, joined))
    for digits in (digits for part in paced(parts) for digits in _SPACED_DIGITS.findall(part)) if has_digits else ():
        joined = _JOINTS.sub("", digits)
        if len(joined) >= _DISTINCTIVE:
            yield joined, not dated
    yield from ((day, False) for day in days)


def _parts_of(text: str) -> list[str]:
    """Return *text*, which is long, in parts. Searching the parts finds what searching the whole text finds."""
    parts = []
    start = 0
    while len(text) - start > _PART:
        apart = _APART.search(text, start + _PART)
        if apart is None:
            break
        parts.append(text[start : apart.end()])
        start = apart.end()
    return [*parts, text[start:]]


def _without_joints(text: str) -> str:
    if text.isascii():
        return text.encode().translate(None, _MARKS).lower().decode()
    return _JOINTS.sub("", text).casefold()


def days_in(text: str) -> Iterator[str]:
    """
    Yield the days in *text*, each with its year, if known, and without.

    >>> list(days_in("20240520")), list(days_in("on May 21st"))
    (['@2024-05-20', '@05-20'], ['@05-21'])
    """
    if text.isalpha():
        return
    # Looking for what every date contains is many times as fast as the expressions.
    if "19" in text or "20" in text:
        for year, month, day in _ISO_DAY.findall(text):
            yield f"@{year}-{month}-{day}"
            yield f"@{month}-{day}"
        for first, second, year in _DAY_FIRST.findall(text):
            for day, month in ((first, second), (second, first)):
                yield f"@{year}-{month:0>2}-{day:0>2}"
                yield f"@{month:0>2}-{day:0>2}"
    lowered = text.lower()
    for before, name, after, year in (
        _NAMED_DAY.findall(text) if any(name in lowered for name in paced(_MONTHS)) else ()
    ):
        day, month = before or after, f"{_MONTHS.index(name.lower()) + 1:02}"
        if day:
            if year:
                yield f"@{year}-{month}-{day:0>2}"
            yield f"@{month}-{day:0>2}"


def _is_distinctive(joined: str) -> bool:
    if any(map(str.isdigit, joined)):
        return len(joined) >= _DISTINCTIVE
    return len(joined) >= _DISTINCTIVE_LETTERS


def transformed_forms(text: str) -> Iterator[tuple[str, bool]]:
    """
    Yield forms of the values that *text* may encode, or that may encode it: URL escapes, base64, and hex.

    >>> dict(transformed_forms("YWNtZS0xMTgy"))["acme1182"]
    True
    """
    if len(text) > 4 * _LONGEST:
        return
    if "%" in text and _ESCAPE.search(text):
        yield from identity_forms(plain_text(unquote(text)))
    if _BASE64.fullmatch(text):
        yield from _of_bytes(_decoded_base64(text))
    figures = _HEX.fullmatch(text)
    if figures is not None and len(figures[1]) % 2 == 0:
        yield from _of_bytes(bytes.fromhex(figures[1]))
    if figures is not None and len(figures[1]) <= 16:  # noqa: PLR2004 - the digits of 64 bits
        yield f"={int(figures[1], 16)}", len(figures[1]) >= _SIGNIFICANT
    if _SHORTEST <= len(text) <= _LONGEST:
        raw = text.encode()
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
    if len(text) >= _SHORTEST and text.isprintable():
        yield from identity_forms(plain_text(text))


def transformed_numbers(number: float) -> Iterator[tuple[str, bool]]:
    """
    Yield the forms of the numbers that *number* may be in another unit, and the lengths that it may count.

    >>> dict(transformed_numbers(12.5))["=12500"]
    False
    """
    if not -_LARGEST < number < _LARGEST:
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
    if -_LARGEST < number < _LARGEST:
        yield f"={tokens.of_number(number)[0]}"
        if number != int(number):
            for decimals in (0, 1, 2):
                yield f"={tokens.of_number(round(float(number), decimals))[0]}"


def wanted_forms(text: str, wanted: AbstractSet[str]) -> Iterator[str]:
    """Yield the identity forms of *text*, part of a result, that are *wanted*."""
    for form, _ in identity_forms(text):
        if form in wanted:
            yield form
    if "%" in text and _ESCAPE.search(text):
        for form, _ in identity_forms(plain_text(unquote(text))):
            if form in wanted:
                yield form


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
