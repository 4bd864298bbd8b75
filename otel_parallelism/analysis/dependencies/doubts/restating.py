"""
Finds arguments that may say in other words what an earlier result said, and questions that follow from one.

These are: a word that appears nowhere before a call (``yen`` after ``Kyoto``); an abbreviation, or another form of a
word, that a result contains; a date that refers to another one; and the same question put to another source after a
short text.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, TypeAlias

from otel_parallelism.analysis.dependencies.contents.derivations import has_in_order, is_short_form
from otel_parallelism.analysis.dependencies.contents.tokens import words_in
from otel_parallelism.analysis.dependencies.contents.wanted import is_small_number
from otel_parallelism.analysis.dependencies.effects.tool_verbs import words_in_name
from otel_parallelism.pace import empty, paced
from otel_parallelism.patterns import LazyPattern

from .answers import DATED, is_short_text, listed_names, tells_facts
from .reasking import SEARCHES, USUAL, Doubt

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

    from otel_parallelism.analysis.dependencies.contents.comparables import Values
    from otel_parallelism.model import Call

_Marks: TypeAlias = tuple[dict[str, set[str]], set[str]]
_MOST_COMPARED = 64
_MOST_READ = 8_000
_MOST_FIELDS = 32
_LONGEST_VALUE = 80
_SHORTEST_STEM = 4
_SHORTEST_CODE = 3
_FREE = (
    SEARCHES
    | (USUAL - {"type", "kind", "level"})
    | {"query", "output", "question", "prompt", "text", "message", "content", "body", "code", "sql", "command"}
)
_CAPITALS = LazyPattern(r"\b[A-Z][a-zA-Z]+(?: [A-Z][a-zA-Z]+)*")
_REFERS = LazyPattern(r"\b(?:after|before|following|preceding|same|later|earlier|that)\b")
_INITIALS = LazyPattern(r"(?<![\w.])[A-Z]{3,6}(?![\w])")
_CODES = LazyPattern(r"(?<![^\W_])([a-z]{1,6})[-_ ]?(\d{1,4})(?![^\W_])")
# Words in the names of tools that return the same thing from another source, or more or less of it.
_VARIANTS = frozenset(
    """
    cached live archived archive public private internal external mirror mirrored backup fallback primary secondary
    alternate alternative alt full long short brief summary detailed details detail extended complete raw deep legacy
    old beta offline online local remote premium historical historic latest draft final preliminary official estimated
    verified original translated nearby wide global
    """.split()  # noqa: SIM905 - likewise
)
_CALENDAR = frozenset({"quarter", "month", "week"})

_MEANING = "{b} was given a word that appears nowhere before it and may reword what {a} returned"
_NUMBER = "{b} was given a number that appears nowhere before it and that {a} may have named in words, or listed"
_FORM = "an argument of {b} may be short for what {a} returned, or another form of it"
_DATE = "a date of {b} refers to another one, which {a} may have returned"
_FLAG = "a yes or no that {b} was given may follow from what {a} returned"
_ELSEWHERE = "{b} was asked the same as {a}, perhaps because of what {a} returned"


class Restating:
    """Collects these doubts about the calls of one scope, in order of time."""

    def __init__(self, calls: Sequence[Call], spoken: Sequence[Values]) -> None:
        """Take note of what the user said, *spoken*."""
        self._calls = calls
        self.said: set[str] = {
            word for values in spoken for text in values.texts for word in words_in(text[:_MOST_READ])
        }
        self._stems = {word[:_SHORTEST_STEM] for word in self.said}
        self._names = [words_in_name(call.tool) for call in paced(calls)]
        self._variants = [_VARIANTS.intersection(names) for names in paced(self._names)]
        self._short: list[int] = []
        self._telling: list[int] = []
        # A model goes through what a result lists, such as the peers of a company, with the same tool too.
        self._listing: list[int] = []
        self._first_own: dict[str, int] = {}
        self._texts: list[tuple[int, list[str], list[str]]] = []
        self._given: dict[int, dict[tuple[str, str], bool]] = {}
        self._by_last: dict[str, list[int]] = {}
        self._dated = 0
        self._codes: dict[int, set[tuple[str, str]]] = {}
        self._marks: dict[int, _Marks] = {}

    def forget(self) -> None:
        """Forget all calls, with pauses."""
        empty(self._given, self._texts, self._names, self._variants, self._by_last, self._codes, self._marks)

    def start(self, index: int, arguments: Values, is_known: Callable[[str], bool]) -> list[Doubt]:
        """
        Return the doubts about a call that starts.

        Args:
            index: Its position.
            arguments: Their values.
            is_known: Returns whether a word is known so far, from the user or from another call.
        """
        self._given[index] = arguments.named
        self._codes[index] = _codes_in(arguments)
        # Where no message of the user was captured, any word may be the user's.
        partly = _unknown_words(arguments, lambda word: is_known(word) or self._says(word)) if self.said else []
        # In ADS.DE and PUM.DE one half is the same.
        unknown = [words for words in partly if 2 * sum(map(is_known, words)) < len(words)]
        restated = self._facts_before(index) if unknown else 0
        single = [words[0] for words in unknown if len(words) == 1]
        refers = any(atom.kind == "moment" and _REFERS.search(atom.token) for atom in arguments.atoms) or any(
            is_small_number(token) and not is_known(token) and not _CALENDAR.isdisjoint(words_in_name(name))
            for name, token in arguments.named
        )
        found = (
            (self._forms_before(single) if single else 0, _FORM),
            (restated | (sum(1 << i for i in self._listing[-_MOST_COMPARED:]) if partly else 0), _MEANING),
            (self._written_out(unknown) if unknown else 0, _FORM),
            (self._codes_before(index, is_known), _NUMBER),
            (self._facts_of_flags(arguments.value), _FLAG),
            (self._dated if refers else 0, _DATE),
            (self._asked_elsewhere(index, arguments), _ELSEWHERE),
        )
        return [(bits, why) for bits, why in found if bits]

    def end(self, index: int, result: Values) -> None:
        """Take note of the *result* of a call that ends."""
        bit = 1 << index
        if self._names[index]:
            self._by_last.setdefault(self._names[index][-1], []).append(index)
        texts = [text.casefold() for text in result.texts[: _MOST_COMPARED + 1] if len(text) <= _LONGEST_VALUE]
        if not result.outcome and is_short_text(result.value):
            self._short.append(index)
        if not result.outcome and tells_facts(result.value):
            self._telling.append(index)
            if any(not self.said.issuperset(words_in(name)) for name in listed_names(result.value)):
                self._listing.append(index)
        if len(texts) <= _MOST_COMPARED:
            self._texts.append((index, texts, result.texts))
        if any(map(DATED.search, texts)):
            self._dated |= bit

    def _says(self, word: str) -> bool:
        """Return whether the user said *word*, or its plural or singular."""
        return word in self.said or word + "s" in self.said or word.removesuffix("s") in self.said

    def _facts_before(self, index: int) -> int:
        """
        Return the results that a word of a call may say in other words.

        Once a call of a tool had words of the model's own, it goes through a list of its own: the Nordic capitals.
        """
        tool, recent = self._calls[index].tool, self._telling[-_MOST_COMPARED:]
        first = self._first_own.setdefault(tool, index)
        return sum(1 << i for i in recent if self._calls[i].tool != tool or i < first)

    def _forms_before(self, words: Iterable[str]) -> int:
        """Return the calls whose results contain what one of *words* is short for, or another form of it."""
        found = 0
        for earlier, texts, all_texts in self._texts[-_MOST_COMPARED:]:
            # The parts of a name may stand in fields of their own.
            joined = map(" ".join, itertools.pairwise(texts)) if len(texts) <= _MOST_FIELDS else ()
            names = itertools.chain.from_iterable(map(_names_in, all_texts[:_MOST_COMPARED]))
            for text in itertools.chain(texts, joined, names):
                inside = [word for word in words_in(text) if word.isalpha()]
                if any(is_short_form(word, inside, self.said) for word in words):
                    found |= 1 << earlier
                    break
        return found

    def _written_out(self, unknown: Iterable[Sequence[str]]) -> int:
        """Return the calls whose results contain an abbreviation of the words of an argument: ``FAA``."""
        initials = ["".join(word[0] for word in words) for words in unknown if len(words) >= _SHORTEST_CODE]
        found = 0
        for earlier, (_, short) in self._marks_of_recent() if initials else ():
            if any(word[0] == one[0] and has_in_order(one, word) for word in short for one in initials):
                found |= 1 << earlier
        return found

    def _codes_before(self, index: int, is_known: Callable[[str], bool]) -> int:
        """Return the calls whose results contain a code like one of the arguments, with another number: ``F-12``."""
        codes = {code for code in self._codes[index] if not is_known(code[1]) and not is_known("".join(code))}
        found = 0
        for earlier, (told, _) in self._marks_of_recent() if codes else ():
            own = self._codes.get(earlier, ())
            if any((kind, number) not in own for kind, _ in codes for number in told.get(kind, ())):
                found |= 1 << earlier
        return found

    def _marks_of_recent(self) -> Iterator[tuple[int, _Marks]]:
        """Yield recent calls with what is in their results: the numbers of each kind of code, and words in capitals."""
        for earlier, texts, all_texts in self._texts[-_MOST_COMPARED:]:
            if earlier not in self._marks:  # each result is searched once
                some = paced(all_texts[:_MOST_COMPARED])
                words = [word for text in some for word in _INITIALS.findall(text[:_MOST_READ])]
                codes: dict[str, set[str]] = {}
                for kind, number in (code for text in texts for code in _CODES.findall(text)):
                    codes.setdefault(kind, set()).add(number)
                self._marks[earlier] = codes, {word.casefold() for word in words}
            yield earlier, self._marks[earlier]

    def _facts_of_flags(self, given: object) -> int:
        """Return the results with a word from the name of a parameter that is a boolean, if the user did not say it."""
        flags = {name for name, value in given.items() if isinstance(value, bool)} if isinstance(given, dict) else ()
        words = {word for name in flags for word in words_in_name(str(name)) if len(word) >= _SHORTEST_STEM}
        words -= self.said
        if not words:
            return 0
        recent = self._texts[-_MOST_COMPARED:]
        return sum(1 << earlier for earlier, texts, _ in recent if any(words.intersection(words_in(t)) for t in texts))

    def _asked_elsewhere(self, index: int, arguments: Values) -> int:
        """
        Return the calls that asked another source for the same, if the user did not name this one.

        These are searches that found little, and calls for one kind of a thing (`get_old_page` after `get_page`), or
        for another one (`get_live_rate` after `get_cached_rate`).
        """
        names, recent = set(self._names[index]), set(self._short[-_MOST_COMPARED:])
        if not arguments.named or not self.said:
            return 0
        found = 0
        for earlier in self._by_last.get(self._names[index][-1], ())[-_MOST_COMPARED:] if names else ():
            added = {word for word in names.difference(self._names[earlier]) if len(word) >= _SHORTEST_STEM}
            known = any(word[:_SHORTEST_STEM] in self._stems for word in added)
            narrower = names.issuperset(self._names[earlier][1:])
            if added and narrower and not known and self._given.get(earlier) == arguments.named:
                found |= 1 << earlier
        for earlier in range(max(0, index - _MOST_COMPARED), index):
            variants = self._variants[index] ^ self._variants[earlier]
            same = variants and self._given.get(earlier) == arguments.named
            if same and _kind_of(names) == _kind_of(self._names[earlier]):
                known = any(word[:_SHORTEST_STEM] in self._stems for word in variants)
                found |= 0 if known else 1 << earlier
        for earlier in recent if not SEARCHES.isdisjoint(names) else ():
            given, before = self._given.get(earlier, {}), set(self._names[earlier])
            same = bool(given) and given.keys() <= arguments.named.keys() and not SEARCHES.isdisjoint(before)
            if same and names != before and self.said.isdisjoint(names - before):
                found |= 1 << earlier
        return found


def _codes_in(arguments: Values) -> set[tuple[str, str]]:
    """Return the letters and the number of each text among *arguments* that is a code such as ``F-12``."""
    found = (_CODES.fullmatch(text.casefold()) for text in arguments.plain if isinstance(text, str))
    return {(code[1], code[2]) for code in found if code}


def _unknown_words(arguments: Values, is_known: Callable[[str], bool]) -> list[list[str]]:
    """Return the words of each argument that is no free text, if half of them appear nowhere before the call."""
    free = {token for name, token in arguments.named if _is_free(words_in_name(name))}
    found = []
    for atom in arguments.atoms:
        words = [word for word in atom.words if not word.isdecimal()]
        if atom.kind == "flag" or not words or atom.token in free or not any(map(str.isalpha, atom.token)):
            continue
        if 2 * sum(map(is_known, words)) <= len(words):
            found.append(words)
    return found


def _is_free(words: list[str]) -> bool:
    """Return whether a parameter with these *words* in its name takes a usual setting, or any text of the model."""
    return bool(words) and _FREE.issuperset(words)


def _names_in(text: str) -> list[str]:
    """
    Return what is written with capitals in a long *text*, in lower case.

    >>> _names_in("The field is " + "very " * 20 + "old, and Equinor runs it for New York.")
    ['the', 'equinor', 'new york']
    """
    if len(text) <= _LONGEST_VALUE:
        return []
    return [name.casefold() for name in _CAPITALS.findall(text[:_MOST_READ])[:_MOST_COMPARED]]


def _kind_of(words: Collection[str]) -> set[str]:
    """Return the words of a tool's name but for variants, and for what they may be variants of: a form, a copy."""
    return set(words) - _VARIANTS - {"form", "version", "copy", "text", "data", "feed", "source", "from", "in", "the"}
