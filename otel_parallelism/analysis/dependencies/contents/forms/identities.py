"""Finds the identity forms of texts: the value itself without what writers change."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote

from otel_parallelism.analysis.dependencies.contents import tokens
from otel_parallelism.pace import paced
from otel_parallelism.patterns import LazyPattern

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
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
_DIGIT = LazyPattern(r"\d")
ESCAPE = LazyPattern(r"%[0-9a-fA-F]{2}")
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
_BETWEEN = "\0"
_MARKS_INSIDE = _MARKS.replace(_BETWEEN.encode(), b"")
LONGEST = 80
SHORTEST = 4
"""The lengths of texts that are compared as a whole."""
_DISTINCTIVE = 6
_DISTINCTIVE_LETTERS = 8
_FEW_WORDS = 4


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
    if _is_one_word(text):
        return iter([(text.lower(), len(text) >= _DISTINCTIVE_LETTERS)] if SHORTEST <= len(text) <= LONGEST else ())
    return _forms_of(text)


def _is_one_word(text: str) -> bool:
    """Return whether *text* is a single word, such as the name of a field, which has no other form."""
    return text.isascii() and text.isalpha() and text[1:].islower()


def _forms_of(text: str) -> Iterator[tuple[str, bool]]:
    parts = [text] if len(text) <= _PART else _parts_of(text)
    has_digits = _have_digits(parts)
    days = [day for part in paced(parts) for day in days_in(part)] if has_digits else []
    # A date is no identifier: it may stand in many results by chance.
    dated = bool(days) or (has_digits and any(_TIME.search(part) is not None for part in paced(parts)))
    if len(text) <= LONGEST:
        whole = _without_joints(text)
        if len(whole) >= SHORTEST:
            yield whole, not dated and _is_distinctive(whole)
            if whole[0] == "0" and whole.isdecimal():
                yield whole.lstrip("0"), len(whole.lstrip("0")) >= _DISTINCTIVE
        for name in _names_of(text):
            yield name, not dated and len(whole) >= _DISTINCTIVE_LETTERS
    for joined in _joined_pieces(parts, len(text)):
        yield joined, not dated and _is_distinctive(joined) and any(map(str.isdigit, joined))
    for joined in _joined_digits(parts) if has_digits else ():
        yield joined, not dated
    yield from ((day, False) for day in days)


def _have_digits(parts: Sequence[str]) -> bool:
    for part in paced(parts):  # noqa: SIM110 - a loop is faster than a generator
        if _DIGIT.search(part) is not None:
            return True
    return False


def _names_of(text: str) -> Iterator[str]:
    """Yield the words of *text* in order if it may be a name: it has a few words, and nothing but words."""
    spread = _HUMPS.sub(" ", text)
    words = tokens.words_in(spread) if text.isascii() else _JOINTS.sub(" ", spread).casefold().split()
    if 1 < len(words) <= _FEW_WORDS and all(word.isalpha() for word in words):
        yield " ".join(sorted(words))


def _joined_pieces(parts: Sequence[str], length: int) -> Iterator[str]:
    """Yield the pieces inside *parts*, of a text of this *length*, without their joints."""
    for part in paced(parts):
        for piece in paced(_PIECE.findall(part)):
            # Most pieces of a long text are plain words, which have no other form.
            if piece.isalnum() and (piece[1:].islower() or not _HUMPS.search(piece)):
                continue
            joined = _without_joints(piece)
            if SHORTEST <= len(joined) != length:
                yield joined


def _joined_digits(parts: Sequence[str]) -> Iterator[str]:
    """Yield the long numbers in *parts* whose digits stand apart."""
    for part in paced(parts):
        for digits in _SPACED_DIGITS.findall(part):
            joined = _JOINTS.sub("", digits)
            if len(joined) >= _DISTINCTIVE:
                yield joined


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


def may_have_joined(texts: Sequence[str], joined: Iterable[str]) -> bool:
    """
    Return False if none of *texts* has any of the identity forms *joined*, which are single words, and no days.

    Searching all texts at once is several times as fast as finding the forms of each.
    """
    every = _BETWEEN.join(texts)
    if not every.isascii() or every.count(_BETWEEN) >= len(texts) or "%" in every:
        return True
    squeezed = every.encode().translate(None, _MARKS_INSIDE).lower().decode()
    return any(form in squeezed for form in paced(joined))


def wanted_forms(
    text: str, wanted: AbstractSet[str], *, names: bool = True, days: bool = True, joined: bool = True
) -> Iterator[str]:
    """
    Yield the identity forms of *text*, part of a result, that are *wanted*.

    Args:
        text: The text.
        wanted: The forms to look for.
        names: Whether some of them may be names of several words.
        days: Whether some of them may be days.
        joined: Whether *text* may have others of them.
    """
    found = _all_wanted(text, names=names, days=days, joined=joined)
    yield from (form for form in found if form in wanted)
    if "%" in text and ESCAPE.search(text):
        found = _all_wanted(plain_text(unquote(text)), names=names, days=days, joined=joined)
        yield from (form for form in found if form in wanted)


def _all_wanted(text: str, *, names: bool, days: bool, joined: bool) -> Iterator[str]:
    """Yield the identity forms of *text* as `identity_forms` does, but for those that are not wanted."""
    if _is_one_word(text):
        if joined and SHORTEST <= len(text) <= LONGEST:
            yield text.lower()
        return
    parts = [text] if len(text) <= _PART else _parts_of(text)
    if names and len(text) <= LONGEST:
        yield from _names_of(text)
    if joined:
        yield from _joined_forms(text, parts)
    if (joined or days) and _have_digits(parts):
        yield from _joined_digits(parts) if joined else ()
        yield from (day for part in paced(parts) for day in days_in(part)) if days else ()


def _joined_forms(text: str, parts: Sequence[str]) -> Iterator[str]:
    """Yield *text*, if it is short, and the pieces inside its *parts*, without their joints."""
    if len(text) <= LONGEST:
        whole = _without_joints(text)
        if len(whole) >= SHORTEST:
            yield whole
            if whole[0] == "0" and whole.isdecimal():
                yield whole.lstrip("0")
    yield from _joined_pieces(parts, len(text))
