"""Finds what a text may be derived from: components of paths, dates and times written otherwise, stems, initials."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from otel_parallelism.patterns import LazyPattern

from . import tokens

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

_JOINTS = LazyPattern(r"[/\\@:?&=#]+")
_FIGURES = LazyPattern(r"(\d{1,4})[-/.](\d{1,2})[-/.](\d{1,4})")
_DAY = LazyPattern(r"((?:19|20)\d\d)(\d\d)(\d\d)")
_DIGITS = LazyPattern(r"\d{4,}")
_CLOCK = LazyPattern(r"(?<![\d:])(\d{1,2}):(\d{2})(?::\d{2})?(?:\s?([ap])m)?", re.IGNORECASE)
_MIN_SOURCE_LENGTH = 3
_SMALL_WORDS = frozenset("and of the for in de la".split())  # noqa: SIM905 - a list of quoted words would be longer
_SHORTEST_STEM = 4
_SHORTEST_CODE = 3
_LONGEST_CODE = 12
_FEWEST_NAMES = 2
_NOON = 12


def source_forms(text: str) -> Iterator[tuple[str, str]]:
    """
    Yield forms that *text* may be derived from, each with the longer form that contains it.

    These are the components of a path or an address, a file's name without its extension, digits between letters, a
    code without its dashes, the figures of a date in another order, and a time of day on a 12-hour or 24-hour clock.

    >>> list(source_forms("src/main.py"))
    [('src', 'src main py'), ('main py', 'src main py'), ('main', 'main py')]
    >>> list(source_forms("U12345")), list(source_forms("20240520"))
    ([('12345', 'u12345')], [('2024 05 20', '20240520')])
    """
    if text.isalpha():
        return
    if ":" in text:
        yield from _times(text)
    for raw in tokens.pieces_of(text):
        piece = raw.strip(".:-/\\")
        if len(piece) > _MIN_SOURCE_LENGTH and not piece.isalpha():
            whole = tokens.of_text(piece)[0]
            for form, fuller in _components(piece, whole):
                if len(form) >= _MIN_SOURCE_LENGTH and form not in tokens.COMMON_WORDS and form != whole:
                    yield form, fuller


def _times(text: str) -> Iterator[tuple[str, str]]:
    """Yield each time of day in *text* on the other clock: 12-hour times on 24 hours, and vice versa."""
    for hour, minute, half in _CLOCK.findall(text):
        shown = f"{hour} {minute}"
        if half:
            yield f"{int(hour) % _NOON + _NOON * (half in 'pP'):02} {minute}", shown
        else:
            twelve, name = (int(hour) - 1) % _NOON + 1, "am" if int(hour) < _NOON else "pm"
            yield f"{twelve} {minute} {name}", shown
            yield f"{twelve} {minute}{name}", shown


def _components(piece: str, whole: str) -> Iterator[tuple[str, str]]:
    day = _FIGURES.fullmatch(piece) if piece[0].isdecimal() else None
    if day is not None:
        first, second, third = (figures.zfill(2) for figures in day.groups())
        for form in (f"{third} {second} {first}", f"{third} {first} {second}", f"{second} {third} {first}"):
            yield form, whole
        return
    if piece.isdecimal():
        day = _DAY.fullmatch(piece)
        if day is not None:
            yield " ".join(day.groups()), whole
        return
    components = _JOINTS.split(piece)
    for component in components:
        name = tokens.of_text(component)[0] if len(components) > 1 else whole
        yield name, whole
        stem = component.rpartition(".")[0]
        if stem and not stem.isdecimal():
            yield tokens.of_text(stem)[0], name
    if len(components) == 1:
        yield from ((digits, whole) for digits in _DIGITS.findall(piece) if digits != piece)
        if not piece.isalnum() and any(map(str.isdigit, piece)) and tokens.number_of(whole) is None:
            yield "".join(filter(str.isalnum, piece)).casefold(), whole


def is_short_form(word: str, inside: Sequence[str], said: Collection[str] = ()) -> bool:
    """
    Return whether *word* may be made of the words *inside* a text: their initials, a login, or another ending.

    >>> [is_short_form(word, ["ada", "lovelace"]) for word in ("alovelace", "adal", "lace")]
    [True, True, False]
    >>> is_short_form("italian", ["rome", "italy"]), is_short_form("glbx", ["globex"])
    (True, True)
    """
    names = [one for one in inside if one not in _SMALL_WORDS]
    if len(word) >= _SHORTEST_STEM:
        for one in names:
            if len(one) >= _SHORTEST_STEM and one[:_SHORTEST_STEM] == word[:_SHORTEST_STEM] and one not in said:
                return True
    if not _SHORTEST_CODE <= len(word) <= _LONGEST_CODE:
        return False
    if _FEWEST_NAMES <= len(names) <= len(word):
        initials = "".join(one[0] for one in names)
        if word in {initials, names[0][0] + names[-1], names[0] + names[-1][0]}:
            return True
    bare = not any(letter in "aeiouy" for letter in word[1:])
    return bare and any(one != word and one[0] == word[0] and has_in_order(one, word) for one in names)


def has_in_order(word: str, letters: str) -> bool:
    """
    Return whether *letters* stand in *word* in this order.

    >>> has_in_order("euasa", "easa"), has_in_order("euasa", "aes")
    (True, False)
    """
    rest = iter(word)
    return all(letter in rest for letter in letters)
