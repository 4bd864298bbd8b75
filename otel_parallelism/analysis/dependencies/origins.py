"""Tracks from when on each value of a scope is known, and which arguments were there before an earlier call began."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_parallelism.pace import empty, paced

from .contents.comparables import Values, single_words
from .doubts.choices import Choices
from .doubts.named_tools import NamedTools
from .doubts.one_by_one import OneByOne
from .doubts.own_numbers import OwnNumbers
from .doubts.own_words import OwnWords
from .doubts.queries import Queries
from .doubts.reasking import Doubt, Reasking
from .doubts.requests.plain_requests import PlainRequests
from .doubts.restating import Restating
from .doubts.unasked import Unasked
from .guards import Guard, guard_of, tells_time

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from otel_parallelism.model import Call

    from .contents.atoms import Atom

_ALWAYS_NS = -1
_NAMES = ("", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_CARDINAL = {str(number): name for number, name in enumerate(_NAMES)}


class KnownValues:
    """
    The values that were said, given or returned so far, each with the time from which it is known, in nanoseconds.

    Values are added in order of time.
    """

    def __init__(self, spoken: Sequence[Values]) -> None:
        """Start with what is known before the first call: the user's messages."""
        self._since_ns: dict[str, int] = {}
        # Small values may stand in a result by chance.
        self._said: set[str] = set()
        self._given_ns: dict[tuple[str, str], int] = {}
        for values in spoken:
            self._add(values, _ALWAYS_NS)
            self._said |= values.words
            self._said.update(values.tokens)

    def forget(self) -> None:
        """Forget all values, with pauses."""
        empty(self._since_ns, self._given_ns)

    def add_result(self, values: Values, at_ns: int) -> None:
        """Add the values of a result that was returned at *at_ns*."""
        self._add(values, at_ns)

    def add_arguments(self, tool: str, values: Values, at_ns: int) -> None:
        """Add the values of the arguments of *tool*, which was called at *at_ns*."""
        self._add(values, at_ns)
        for atom in values.atoms:
            self._given_ns.setdefault((tool, atom.token), at_ns)
            for word in atom.words:
                self._since_ns.setdefault(word, at_ns)
            for form, _ in atom.forms:
                self._since_ns.setdefault(form, at_ns)

    def _add(self, values: Values, at_ns: int) -> None:
        for group in (values.tokens, values.words, values.forms, single_words(values)):
            for token in group:
                self._since_ns.setdefault(token, at_ns)

    def explained_from_ns(self, tool: str, atoms: Sequence[Atom]) -> int | None:
        """
        Return from when on all *atoms*, the arguments of *tool*, are known; None if some are not, or there are none.

        A call without arguments is not explained, because nothing shows where the decision to make it came from.
        """
        latest_ns: int | None = None
        for atom in atoms:
            since_ns = self._given_ns.get((tool, atom.token)) if atom.small else self._known_ns(atom)
            if since_ns is None and atom.small and self._is_said(atom):
                since_ns = _ALWAYS_NS
            if since_ns is None:
                return None
            latest_ns = since_ns if latest_ns is None else max(latest_ns, since_ns)
        return latest_ns

    def lacks_origin(self, atoms: Iterable[Atom]) -> bool:
        """Return whether a number of three digits, a date, a time or a code among *atoms* is not known."""
        for atom in atoms:
            if atom.code and self._known_ns(atom) is None:
                return True
            if atom.kind == "moment" and self._known_ns(atom) is None and not self._has_derived(atom):
                return True
            if atom.kind == "figure" and self._known_ns(atom) is None and not self._has_derived(atom):
                pieces = atom.pieces or (atom.token,)
                if any(self._words_ns(piece.split(" ")) is None for piece in pieces):
                    return True
        return False

    def has(self, word: str) -> bool:
        """Return whether *word* is known so far."""
        return word in self._since_ns

    def is_said(self, word: str) -> bool:
        """Return whether the user said *word*, or its plural or singular."""
        return any(self._since_ns.get(form) == _ALWAYS_NS for form in (word, word + "s", word.removesuffix("s")))

    def _is_said(self, atom: Atom) -> bool:
        return (
            atom.kind != "flag"
            and bool(atom.token)
            and (atom.token in self._said or _CARDINAL.get(atom.token) in self._said)
        )

    def _known_ns(self, atom: Atom) -> int | None:
        """Return from when on *atom* is known: its token, one of its forms, or all its words."""
        since = self._since_ns
        found = [since[name] for name in (atom.token, *(form for form, _ in atom.forms)) if name in since]
        by_words_ns = None if _has_day(atom) else self._words_ns(atom.words)
        if by_words_ns is not None:
            found.append(by_words_ns)
        return min(found, default=None)

    def _words_ns(self, words: Sequence[str]) -> int | None:
        if not words or any(word not in self._since_ns for word in words):
            return None
        return max(self._since_ns[word] for word in words)

    def _has_derived(self, atom: Atom) -> bool:
        return any(
            form in self._since_ns
            or (" " in form and not _repeats_figure(form) and self._words_ns(form.split(" ")) is not None)
            for form in atom.derived
        )


class Origins:
    """
    What each call's result says of later calls, and since when each call's arguments are known.

    Attributes:
        explained_from_ns: For each call the time from which on all values of its arguments are known, if they are.
        lacks_origin: For each call whether a number, a date or an identifier of its arguments appears nowhere before.
        has_moment: For each call whether its arguments contain a date or a time.
        clocks: Bits of the calls that tell what time it is.
        guards: For each call the later calls that its result may decide about.
        seen: Bits of the calls whose results were seen, at least in part.
        selected: For each call bits of the calls whose results contain one of its arguments as a complete value.
        chosen: Likewise, but only of results that contain nothing else.
        doubts: For each call why it may have been asked for because of earlier calls, though no value was passed on.
    """

    def __init__(self, count: int) -> None:
        """Start with what is so of *count* calls if nothing of them was seen."""
        self.explained_from_ns: list[int | None] = [None] * count
        self.lacks_origin: list[bool] = [False] * count
        self.has_moment: list[bool] = [False] * count
        self.guards: list[Guard] = ["any"] * count
        self.selected: list[int] = [0] * count
        self.chosen: list[int] = [0] * count
        self.doubts: list[list[Doubt]] = [[] for _ in paced(range(count))]
        self.clocks: int = 0
        self.seen: int = 0

    def forget(self) -> None:
        """Forget what was found of the calls, with pauses."""
        empty(self.doubts, self.selected, self.chosen, self.explained_from_ns)


class OriginSearch(Origins):
    """Finds the origins from the starts and ends of a scope's calls in order of time."""

    clocks: int
    seen: int

    def __init__(self, calls: Sequence[Call], arguments: Sequence[Values | None], spoken: Sequence[Values]) -> None:
        super().__init__(len(calls))
        self._calls = calls
        self._known = KnownValues(spoken)
        self._reasking = Reasking(calls, spoken, arguments)
        self._restating = Restating(calls, spoken)
        self._own_numbers = OwnNumbers(calls)
        self._own_words = OwnWords(calls, self._restating.said)
        self._choices = Choices(calls, arguments, spoken)
        self._queries = Queries(calls, self._restating.said)
        self._unasked = Unasked(calls, spoken, self._restating.said)
        self._named_tools = NamedTools(calls)
        self._plain_requests = PlainRequests(calls, arguments, [text for one in spoken for text in one.texts])
        self._one_by_one = OneByOne(
            calls,
            [text for one in spoken for text in one.texts],
            [text for one in spoken for text in one.instructions],
        )
        self._holders: dict[str, int] = {}
        self._choosers: dict[str, int] = {}

    def start(self, index: int, arguments: Values | None) -> None:
        """Look up where the *arguments* of a call that starts come from, and add them."""
        call = self._calls[index]
        if arguments is None:
            return
        if arguments.whole:
            self.explained_from_ns[index] = self._known.explained_from_ns(call.tool, arguments.atoms)
        self.lacks_origin[index] = self._known.lacks_origin(arguments.atoms)
        self.has_moment[index] = any(atom.kind == "moment" for atom in arguments.atoms)
        self.doubts[index] = [
            *self._reasking.start(index, arguments, self._known.is_said, self.explained_from_ns[index]),
            *self._restating.start(index, arguments, self._known.has),
            *self._own_numbers.start(index, arguments, self._known.has),
            *self._own_words.start(index, arguments, self._known.has),
            *self._choices.start(index),
            *self._queries.start(index, arguments),
            *self._named_tools.start(index),
            *self._unasked.start(index, arguments, self._known.has),
            *self._plain_requests.start(index),
            *self._one_by_one.start(index, arguments, self._known.is_said),
        ]
        for atom in arguments.atoms:
            for name in (atom.token, *(form for form, _ in atom.forms)):
                self.selected[index] |= self._holders.get(name, 0)
                self.chosen[index] |= self._choosers.get(name, 0)
        self._known.add_arguments(call.tool, arguments, call.start_ns)

    def end(self, index: int, arguments: Values | None, result: Values | None) -> None:
        """Add what the *result* of a call that ends shows."""
        call, bit = self._calls[index], 1 << index
        if tells_time(call.tool, result.value if result is not None else None, call.start_ns):
            self.clocks |= bit
        if result is None:
            return
        if result.readable:
            self.seen |= bit
            given = frozenset(arguments.plain) if arguments is not None else frozenset()
            self.guards[index] = guard_of(call.tool, result.value, given)
        self._reasking.end(index, result)
        self._restating.end(index, result)
        self._own_numbers.end(index, result)
        self._own_words.end(index, result)
        self._choices.end(index)
        self._queries.end(index)
        self._unasked.end(index, result)
        self._named_tools.end(index, result)
        self._plain_requests.end(index)
        own = frozenset() if arguments is None else _names(arguments)
        for token in result.whole_leaves:
            if token not in own:
                self._holders[token] = self._holders.get(token, 0) | bit
                if result.alone:
                    self._choosers[token] = self._choosers.get(token, 0) | bit
        self._known.add_result(result, call.end_ns)

    def forget_search(self) -> None:
        """Forget everything but the attributes, with pauses."""
        self._known.forget()
        self._reasking.forget()
        self._restating.forget()
        self._own_numbers.forget()
        self._own_words.forget()
        self._choices.forget()
        self._queries.forget()
        self._plain_requests.forget()
        empty(self._holders, self._choosers)


def _has_day(atom: Atom) -> bool:
    """Return whether *atom* holds a day of the calendar: its single figures may stand in other dates."""
    return any(form[:1] == "@" for form, _ in atom.forms)


def _repeats_figure(form: str) -> bool:
    """
    Return whether a date has one figure twice: another date may hold it once, as ``11 12 2026`` does.

    >>> _repeats_figure("12 12 2026"), _repeats_figure("11 12 2026")
    (True, False)
    """
    figures = form.split(" ")
    return len({*figures}) < len(figures)


def _names(arguments: Values) -> frozenset[str]:
    """Return the tokens and the other forms of *arguments*."""
    return frozenset(name for atom in arguments.atoms for name in (atom.token, *(form for form, _ in atom.forms)))
