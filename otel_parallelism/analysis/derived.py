"""
What a value may have been made from: another form of it, or a longer one that it is a part of.

Programs and models put a listed file's name behind a path, a date's figures in another order, a number into a code.
That a result held such a form proves nothing, but it is no longer known that the argument did not come from there.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .tokens import COMMON, PIECES, number_of, of_text

if TYPE_CHECKING:
    from collections.abc import Iterator

_JOINTS = re.compile(r"[/\\@:?&=#]+")
_FIGURES = re.compile(r"(\d{1,4})[-/.](\d{1,2})[-/.](\d{1,4})")
_DAY = re.compile(r"((?:19|20)\d\d)(\d\d)(\d\d)")
_DIGITS = re.compile(r"\d{4,}")
_CLOCK = re.compile(r"(?<![\d:])(\d{1,2}):(\d{2})(?::\d{2})?(?:\s?([ap])m)?", re.IGNORECASE)
_LEAST = 3
_NOON = 12


def derived(text: str) -> Iterator[str]:
    """
    Yield forms of what *text* may have been made from: the components of a path or an address, a file's name without
    its ending, digits that letters stand around, a code without its dashes, a date's figures in another order.

    >>> list(derived("/src/app/main.py")), list(derived("U12345")), list(derived("20240520"))
    (['src', 'app', 'main py', 'main'], ['12345'], ['2024 05 20'])
    """
    if text.isalpha():
        return
    if ":" in text:
        yield from _times(text)
    for raw in PIECES.findall(text):
        piece = raw.strip(".:-/\\")
        if len(piece) > _LEAST and not piece.isalpha():
            for form in _derived(piece):
                if len(form) >= _LEAST and form not in COMMON:
                    yield form


def _times(text: str) -> Iterator[str]:
    """Yield the times of day in *text* as a clock of 24 hours shows them, or as one of 12."""
    for hour, minute, half in _CLOCK.findall(text):
        if half:
            yield f"{int(hour) % _NOON + _NOON * (half in 'pP'):02} {minute}"
        else:
            twelve, name = (int(hour) - 1) % _NOON + 1, "am" if int(hour) < _NOON else "pm"
            yield from (f"{twelve} {minute} {name}", f"{twelve} {minute}{name}")


def _derived(piece: str) -> Iterator[str]:
    day = _FIGURES.fullmatch(piece) if piece[0].isdecimal() else None
    if day is not None:
        first, second, third = (figures.zfill(2) for figures in day.groups())
        yield from (f"{third} {second} {first}", f"{third} {first} {second}", f"{second} {third} {first}")
        return
    if piece.isdecimal():
        day = _DAY.fullmatch(piece)
        if day is not None:
            yield " ".join(day.groups())
        return
    components = _JOINTS.split(piece)
    for component in components:
        if len(components) > 1:
            yield of_text(component)[0]
        stem = component.rpartition(".")[0]
        if stem and not stem.isdecimal():
            yield of_text(stem)[0]
    if len(components) == 1:
        yield from (digits for digits in _DIGITS.findall(piece) if digits != piece)
        if not piece.isalnum() and any(map(str.isdigit, piece)) and number_of(of_text(piece)[0]) is None:
            yield "".join(filter(str.isalnum, piece)).casefold()
