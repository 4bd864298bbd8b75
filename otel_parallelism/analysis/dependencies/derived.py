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


def derived(text: str) -> Iterator[tuple[str, str]]:
    """
    Yield forms of what *text* may have been made from, each with the form that says more: the components of a path or
    an address, a file's name without its ending, digits that letters stand around, a code without its dashes, a date's
    figures in another order, a time of day on another clock.

    >>> list(derived("src/main.py")), list(derived("U12345")), list(derived("20240520"))
    ([('src', 'src main py'), ('main py', 'src main py'), ('main', 'main py')], [('12345', 'u12345')], \
[('2024 05 20', '20240520')])
    """
    if text.isalpha():
        return
    if ":" in text:
        yield from _times(text)
    for raw in PIECES.findall(text):
        piece = raw.strip(".:-/\\")
        if len(piece) > _LEAST and not piece.isalpha():
            whole = of_text(piece)[0]
            for form, fuller in _parts(piece, whole):
                if len(form) >= _LEAST and form not in COMMON and form != whole:
                    yield form, fuller


def _times(text: str) -> Iterator[tuple[str, str]]:
    """Yield the times of day in *text* as a clock of 24 hours shows them, or as one of 12."""
    for hour, minute, half in _CLOCK.findall(text):
        shown = f"{hour} {minute}"
        if half:
            yield f"{int(hour) % _NOON + _NOON * (half in 'pP'):02} {minute}", shown
        else:
            twelve, name = (int(hour) - 1) % _NOON + 1, "am" if int(hour) < _NOON else "pm"
            yield f"{twelve} {minute} {name}", shown
            yield f"{twelve} {minute}{name}", shown


def _parts(piece: str, whole: str) -> Iterator[tuple[str, str]]:
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
        name = of_text(component)[0] if len(components) > 1 else whole
        yield name, whole
        stem = component.rpartition(".")[0]
        if stem and not stem.isdecimal():
            yield of_text(stem)[0], name
    if len(components) == 1:
        yield from ((digits, whole) for digits in _DIGITS.findall(piece) if digits != piece)
        if not piece.isalnum() and any(map(str.isdigit, piece)) and number_of(whole) is None:
            yield "".join(filter(str.isalnum, piece)).casefold(), whole
