"""
Finds numbers of the model's own that may follow from an earlier result.

A model writes a measurement in another unit, a year of birth as an age or a league (``U13``), and the number of what a
result lists in figures or in words. A bound in a query may come from the answer to another query.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_parallelism.analysis.dependencies.contents.wanted import is_small_number
from otel_parallelism.analysis.dependencies.effects.tool_verbs import words_in_name
from otel_parallelism.pace import empty
from otel_parallelism.patterns import LazyPattern

from .answers import is_answer, size_of, tells_numbers
from .reasking import Doubt, is_usual

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from otel_parallelism.analysis.dependencies.contents.comparables import Values
    from otel_parallelism.model import Call

_MOST_COMPARED = 64
_LONGEST_VALUE = 80
_FEW_TEXTS = 4
_SMALLEST_OWN = 3
_NUMERAL = LazyPattern(
    r"\b(?:three|four|five|six|seven|eight|nine|ten|eleven|twelve|dozen|half|quarter|twice|double|hundred|thousand"
    r"|(?:thir|four|fif|six|seven|eigh|nine)teen|(?:twen|thir|for|fif|six|seven|eigh|nine)ty)\b"
)
_NUMERALS = {
    word: number
    for number, word in enumerate("three four five six seven eight nine ten eleven twelve".split(), start=3)  # noqa: SIM905 - a list of quoted words would be longer
}
_SEPARATOR = LazyPattern(r",| and |;")
# Numbers that a query compares with, as in "units < 42".
_THRESHOLD = LazyPattern(r"[<>]=?\s*(\d+(?:\.\d+)?)(?![\w.-])")
_FRACTION = LazyPattern(r"\d{1,3}(?:[. /]\d{1,3}){1,2}")
_CODE = LazyPattern(r"[a-z]{1,3}\d{1,2}|\d{1,2}[a-z]")
# How many there are to be. As the size of a page, a model writes a round number.
_HOW_MANY = frozenset({"count", "number", "n", "num"})
_ROUND = 5

_MEANING = "{b} was given a number that appears nowhere before it and may follow from what {a} returned"
_NUMBER = "{b} was given a number that appears nowhere before it and that {a} may have named in words, or listed"


class OwnNumbers:
    """Collects these doubts about the calls of one scope, in order of time."""

    def __init__(self, calls: Sequence[Call]) -> None:
        """Start before the first of *calls*."""
        self._calls = calls
        self._answers: list[int] = []
        self._lists: list[int] = []
        self._sizes: list[tuple[int, int]] = []

    def start(self, index: int, arguments: Values, is_known: Callable[[str], bool]) -> list[Doubt]:
        """
        Return the doubts about a call that starts.

        Args:
            index: Its position.
            arguments: The values of its arguments.
            is_known: Returns whether a word is known so far, from the user or from another call.
        """
        usual = {token for name, token in arguments.named if _is_usual_number(name, token)}
        own = _own_numbers(arguments, usual, is_known)
        found = (
            (self._others(index, self._counted(own)) if own else 0, _NUMBER),
            (self._answers_before(index, arguments, usual, is_known), _MEANING),
        )
        return [(bits, why) for bits, why in found if bits]

    def end(self, index: int, result: Values) -> None:
        """Take note of the list, or the short answer, that the *result* of a call that ends is."""
        if not result.outcome and (is_answer(result.value) or tells_numbers(result.value)):
            self._answers.append(index)
        texts = [text.casefold() for text in result.texts[: _MOST_COMPARED + 1] if len(text) <= _LONGEST_VALUE]
        several = len(texts) == 1 and len(_SEPARATOR.findall(texts[0])) > 1
        if several or (len(texts) <= _FEW_TEXTS and any(map(_NUMERAL.search, texts))):
            self._lists.append(index)
        size = size_of(result.value)
        if size > 1 and isinstance(result.value, (dict, list, tuple)):
            self._sizes.append((index, size))

    def forget(self) -> None:
        """Forget all calls, with pauses."""
        empty(self._answers, self._lists, self._sizes)

    def _counted(self, numbers: Collection[int]) -> set[int]:
        """Return the calls whose results name numbers, or list so many things; the user may be one more."""
        listed = {i for i, size in self._sizes[-_MOST_COMPARED:] if any(0 <= number - size <= 1 for number in numbers)}
        return listed.union(self._lists[-_MOST_COMPARED:])

    def _others(self, index: int, earlier: Iterable[int]) -> int:
        tool = self._calls[index].tool
        return sum(1 << i for i in earlier if self._calls[i].tool != tool)

    def _answers_before(
        self, index: int, arguments: Values, usual: Collection[str], is_known: Callable[[str], bool]
    ) -> int:
        """
        Return the short answers of other tools, if a call is given a number that appears nowhere before it.

        A word that appears nowhere before it is the model's own.
        """
        for atom in arguments.atoms:
            if atom.token in usual or not (
                _number_of(atom.token) >= _SMALLEST_OWN
                or _FRACTION.fullmatch(atom.token)
                or _CODE.fullmatch(atom.token)
            ):
                continue
            if not any(map(is_known, atom.words)):
                return self._others(index, self._answers[-_MOST_COMPARED:])
        for text in arguments.plain:
            bounds = _THRESHOLD.findall(text) if isinstance(text, str) else ()
            if any(len(bound) > 1 and not is_known(bound) for bound in bounds):
                return sum(1 << i for i in self._answers[-_MOST_COMPARED:])
        return 0


def _own_numbers(arguments: Values, usual: Collection[str], is_known: Callable[[str], bool]) -> list[int]:
    """Return the small whole numbers that are no *usual* settings and appear nowhere before the call."""
    return [
        _number_of(atom.token)
        for atom in arguments.atoms
        if atom.token not in usual and _number_of(atom.token) >= _SMALLEST_OWN and not is_known(atom.token)
    ]


def _number_of(token: str) -> int:
    """
    Return the small number that *token* is, in figures or in words; 0 if it is none.

    >>> _number_of("12"), _number_of("seven"), _number_of("seventh")
    (12, 7, 0)
    """
    return int(token) if is_small_number(token) else _NUMERALS.get(token, 0)


def _is_usual_number(name: str, token: str) -> bool:
    """
    Return whether the value *token* of a parameter is one that models set as usual.

    >>> _is_usual_number("limit", "7"), _is_usual_number("count", "7"), _is_usual_number("count", "20")
    (True, False, True)
    """
    if not is_usual(name):
        return False
    number, words = _number_of(token), words_in_name(name)
    return number < _SMALLEST_OWN or number % _ROUND == 0 or len(words) > 1 or _HOW_MANY.isdisjoint(words)
