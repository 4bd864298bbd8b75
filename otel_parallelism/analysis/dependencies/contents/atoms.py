"""Describes the single values of arguments: where each may be known from, and whether it must have an origin."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Literal, TypeAlias

import msgspec

from otel_parallelism.patterns import LazyPattern

from . import tokens
from .forms.identities import identity_forms
from .forms.transformations import transformed_forms, transformed_numbers

if TYPE_CHECKING:
    from collections.abc import Sequence

AtomKind: TypeAlias = Literal["word", "figure", "moment", "flag"]

_MOMENT = LazyPattern(
    r"(?<!\d)(?:\d{4}-\d{1,2}(?:-\d{1,2})?|\d{1,2}[/.]\d{1,2}[/.]\d{2,4}|\d{1,2}:\d{2}|\d{1,2} ?[ap]m)(?!\d)"
    r"|\b(?:(?:mon|tues|wednes|thurs|fri|satur|sun)day|today|tomorrow|yesterday|tonight|(?:this|next|last) \w+"
    r"|january|february|march|april|june|july|august|september|october|november|december"
    r"|(?:jan|feb|mar|apr|jun|jul|aug|sep|sept|oct|nov|dec|mon|tue|wed|thu|fri|sat|sun)\b)",
    re.IGNORECASE,
)
_DIGITS = LazyPattern(r"\d")
_DATED_CODE = LazyPattern(r"(?:19|20)\d\d-?(?:w\d{1,2}|q[1-4]|h[12])", re.IGNORECASE)
_CODE = LazyPattern(r"[A-Z]{2,3}")
_FIRST_YEAR, _LAST_YEAR = 1900, 2100
_FIRST_EPOCH, _LAST_EPOCH = 1_000_000_000, 4_000_000_000
_MANY_DIGITS = 3
_LEAST_ROUNDED = 10
_SHORTEST_WORD = 2
# Words that carry no value of their own.
_FILLERS = frozenset(
    "a an the of in on at to for and or by with from is are be as it its this that about into per via vs".split()  # noqa: SIM905 - a list of quoted words would be longer
)


class Atom(msgspec.Struct, frozen=True):
    """
    One value of a call's arguments.

    Attributes:
        kind: A ``figure`` has three digits or more, a ``moment`` is a date or a time, a ``flag`` a boolean.
        token: Its comparable form.
        words: Its single words, without fillers. If all are known, it is.
        forms: Its identity forms, each with whether a match is no coincidence. If one is known, it is.
        transforms: Likewise its transformed forms, which do not make it known.
        derived: Forms from which it may be derived.
        pieces: The parts with three digits or more; each must have an origin.
        small: Whether it is a number of one or two digits, or a code of two or three letters, which any text may
            contain by chance.
        code: Whether it is a code of two or three capitals, which stands for a name.
    """

    kind: AtomKind
    token: str
    words: tuple[str, ...] = ()
    forms: tuple[tuple[str, bool], ...] = ()
    transforms: tuple[tuple[str, bool], ...] = ()
    derived: tuple[str, ...] = ()
    pieces: tuple[str, ...] = ()
    small: bool = False
    code: bool = False


def atom_of_flag(flag: bool) -> Atom:  # noqa: FBT001 - the value itself
    """Return the atom of a boolean, which nothing but an equal argument before explains."""
    return Atom("flag", tokens.of_flag(flag)[0], small=True)


def atom_of_number(number: float) -> Atom:
    """Return the atom of a number; years and timestamps are moments as well as figures."""
    token = tokens.of_number(number)[0]
    many = sum(map(str.isdigit, token.partition("e")[0])) >= _MANY_DIGITS
    moment = math.isfinite(number) and (_FIRST_YEAR <= number <= _LAST_YEAR or _is_epoch(number))
    kind: AtomKind = "moment" if moment else "figure" if many else "word"
    same = ((f"={token}", tokens.of_number(number)[1] and not moment),) if abs(number) >= _LEAST_ROUNDED else ()
    return Atom(kind, token, (token,), same, tuple(transformed_numbers(number)), small=not many)


def _is_epoch(number: float) -> bool:
    return any(_FIRST_EPOCH <= number / unit <= _LAST_EPOCH for unit in (1, 1_000, 1_000_000, 1_000_000_000))


def atom_of_text(text: str, derived: Sequence[str] = ()) -> Atom:
    """
    Return the atom of a text.

    Args:
        text: A complete value, without accents.
        derived: Longer or shorter forms from which it may be derived.

    >>> atom_of_text("Rooms of 2026-03-14").kind, atom_of_text("LMP-1182").pieces, atom_of_text("12").small
    ('moment', ('lmp 1182',), True)
    """
    token = tokens.of_text(text)[0]
    number = tokens.number_of(token)
    if number is not None and not text.strip().startswith("0"):
        plain = atom_of_number(number)
        return msgspec.structs.replace(plain, forms=(*plain.forms, *identity_forms(text)))
    words = tuple(word for word in tokens.words_in(text) if word not in _FILLERS)
    found = [raw.strip(".:-/\\") for raw in tokens.pieces_of(text)]
    pieces = tuple(tokens.of_text(raw)[0] for raw in found if len(_DIGITS.findall(raw)) >= _MANY_DIGITS)
    moment = _MOMENT.search(text) or _DATED_CODE.search(text)
    other = list(transformed_forms(text))
    if number is not None:
        other += transformed_numbers(number)
    code = _CODE.fullmatch(text.strip()) is not None
    return Atom(
        "moment" if moment else "figure" if pieces else "word",
        token,
        words,
        tuple(identity_forms(text)),
        tuple(other),
        tuple(derived),
        pieces,
        small=not token or code or len(token) <= _SHORTEST_WORD,
        code=code,
    )
