"""The values to search results for: those that occur in some argument."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING, Final, TypeVar

from otel_parallelism.pace import empty, paced, pause
from otel_parallelism.patterns import LazyPattern

from . import tokens

if TYPE_CHECKING:
    from .comparables import Values

T = TypeVar("T")

# Starts with a literal character, which the search can jump to.
_PADDED = LazyPattern(r"0(?<![^\W_]0)(?=\d{4})0*(\d+)")
_MOMENT = LazyPattern(r"(\d-\d\d)T(?=\d\d:)")
_GROUPED = ("1,000",)
_SMALL = 4
_MANY = 2_000
_MOST_JOINED = 64
_PARTS = 16


class PartedSet(AbstractSet[T]):
    """
    A set in parts that grow one by one.

    A plain set is copied as a whole when it grows, which takes long if it is large.

    >>> some = PartedSet("abca")
    >>> len(some), "a" in some, "d" in some, sorted(some)
    (3, True, False, ['a', 'b', 'c'])
    """

    __slots__ = ("parts",)

    def __init__(self, items: Iterable[T]) -> None:
        """Add *items*."""
        self.parts: tuple[set[T], ...] = tuple(set() for _ in range(_PARTS))
        for item in items:
            self.parts[hash(item) % _PARTS].add(item)

    def __contains__(self, item: object) -> bool:
        """Return whether *item* is in the set."""
        return item in self.parts[hash(item) % _PARTS]

    def __iter__(self) -> Iterator[T]:
        """Return the items, in any order."""
        for part in self.parts:
            yield from part

    def __len__(self) -> int:
        """Return the number of items."""
        return sum(map(len, self.parts))


class Wanted:
    """
    The values to search results for: those that occur in some argument.

    Attributes:
        tokens: The tokens of all arguments, and their single words.
        words: The single words alone.
        named: The pairs of a field's name and its token; ``names`` are the names alone.
        whole_parts: The integers next to each number, to skip other numbers quickly.
        figures: The words of each token that consists of short numbers only, such as a date or a fraction, with the
            fraction itself.
        has_dates: Whether one of the figures is a date or a time.
        forms: The identity and transformed forms of all arguments.
        near_forms: The integers next to each number among them, as ``whole_parts``.
        has_counts: Whether some of them are lengths or other small numbers that may be computed.
        has_days: Whether some of them are days.
        has_names: Whether some of them are names of several words.
        joined: The others that are texts; None if they are many.
    """

    __slots__ = (
        "figures",
        "forms",
        "has_counts",
        "has_dates",
        "has_days",
        "has_names",
        "joined",
        "known",
        "known_forms",
        "named",
        "names",
        "near_forms",
        "tokens",
        "whole_parts",
        "words",
    )

    def __init__(self, arguments: Iterable[Values | None]) -> None:
        arguments = tuple(arguments)
        self.named: set[tuple[str, str]] = {
            pair for values in paced(arguments) if values is not None for pair in values.named
        }
        pause()
        self.names: set[str] = {name for name, _ in paced(self.named)}
        forms = (
            form
            for values in paced(arguments)
            if values is not None
            for atom in values.atoms
            for form, _ in (*atom.forms, *atom.transforms)
        )
        # Each value has several forms.
        self.forms: AbstractSet[str] = set(forms) if len(arguments) < _MANY else PartedSet(forms)
        pause()
        found_numbers = [number for form in paced(self.forms) if form[0] == "=" for number in _number_of(form)]
        self.near_forms: set[int] = {whole + step for whole in map(int, paced(found_numbers)) for step in (-1, 0, 1)}
        self.has_counts: bool = any(form[0] == "#" for form in paced(self.forms))
        self.has_days: bool = any(form[0] == "@" for form in paced(self.forms))
        self.has_names: bool = any(" " in form for form in paced(self.forms))
        joined = [form for form in paced(self.forms) if form[0] not in "=#@" and " " not in form]
        self.joined: list[str] | None = joined if len(joined) <= _MOST_JOINED else None
        found = {
            token for values in paced(arguments) if values is not None for token in (*values.tokens, *values.derived)
        }
        self.words: set[str] = {
            word for token in paced(found) for word in ((token,) if token.isalnum() else tokens.words_in(token))
        }
        self.tokens: set[str] = {token for some in (found, self.words) for token in paced(some)}
        numbers = [number for token in paced(found) if (number := tokens.number_of(token)) is not None]
        # A number written with fewer decimals may be rounded to the next integer.
        self.whole_parts: set[int] = {whole + step for whole in map(int, paced(numbers)) for step in (-1, 0, 1)}
        some = ((frozenset(tokens.words_in(token)), token) for token in paced(found) if not token.isalnum())
        self.figures: list[tuple[frozenset[str], str]] = [
            (figures, token.lstrip("-") if "." in token else "")
            for figures, token in some
            if figures and all(map(is_small_number, figures))
        ]
        # What has been found in the texts and keys searched so far: results repeat each other.
        self.known: tuple[dict[str, Values], dict[str, Values]] = ({}, {})
        self.known_forms: dict[str | float, tuple[str, ...]] = {}
        self.has_dates: bool = any(not fraction and len(figures) > 1 for figures, fraction in paced(self.figures))
        empty(found, numbers)

    def forget(self) -> None:
        """Forget all values, with pauses."""
        empty(self.figures, self.known_forms, *self.known)
        self.joined = None
        if isinstance(self.forms, PartedSet):
            empty(*self.forms.parts)
        for name in ("named", "names", "forms", "words", "tokens", "whole_parts", "near_forms"):
            if isinstance(getattr(self, name), set):
                empty(getattr(self, name))
            # An emptied set keeps its memory.
            setattr(self, name, set())
            pause()

    def words_in(self, text: str) -> AbstractSet[str]:
        """Return the wanted words in *text*, including numbers with grouped digits or leading zeros."""
        if self.has_dates:
            text = _MOMENT.sub(r"\1 ", text)
        found = self.words.intersection(tokens.words_in(text))
        if self.whole_parts:
            found = found.union(self.words.intersection(_PADDED.findall(text)))
            if tokens.is_grouped(text):
                return found.union(_GROUPED)
        return found

    def is_figure_in(self, text: str, found: AbstractSet[str]) -> bool:
        """Return whether *text*, in which the words *found* occur, may contain a wanted date or fraction."""
        return any(found >= figures and fraction in text for figures, fraction in self.figures)


def _number_of(form: str) -> list[float]:
    """Return the number in *form*; empty if it is too large to have other forms."""
    try:
        number = float(form[1:])
    except ValueError:  # in hexadecimal digits
        return []
    return [number] if math.isfinite(number) else []


def is_small_number(word: str) -> bool:
    """Return whether *word* is a number of four digits at most."""
    return word.isdecimal() and len(word) <= _SMALL


NOTHING: Final = Wanted(())
"""Of a result that is searched for nothing, only its outcome is found, and whether it was read in full."""
