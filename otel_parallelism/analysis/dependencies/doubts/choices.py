"""
Finds calls about one of several things that were compared before.

"Which of the shops A and B is cheaper, and when does it close?" asks for the price at both, and for the hours of one.
The user names the shops, so that no value of a result shows which one was chosen. Whatever the language, who wants the
price at A and B and the hours of B for certain says B twice, once for each tool.

The things may have been compared under names that the user did not say: the airports of two towns, before a hotel in
one of the towns. Then only a request that compares tells that one of them was chosen. One call may compare two things
as well: the result of the match for "Did Brann or Molde win, and when does the winner play next?"
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from otel_parallelism.analysis.dependencies.contents.tokens import words_in
from otel_parallelism.pace import empty, paced
from otel_parallelism.patterns import CaselessPattern

from .languages.foreign_answers import has_foreign_comparison

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from otel_parallelism.analysis.dependencies.contents.comparables import Values
    from otel_parallelism.model import Call

    from .reasking import Doubt

_MOST_READ = 8_000
_FEWEST = 2
_MOST_TOOLS = 32
_MOST_ALTERNATIVES = 8
_LONGEST_NAME = 4
OR = frozenset({"or", "vs", "versus", "against", "oder", "ou", "o", "eller", "lub", "или"})
"""Words between two things that leave a choice."""

_COMPARES = CaselessPattern(
    r"\b(?:compar\w+|better|worse|best|worst|most|least|fewest|whichever|whatever|winners?|winning|loser|former|latter"
    r"|rank|choose|pick|decide|recommend|which (?:one|of)|the ones? (?:that|which|with|who)|of the (?:two|three|four)"
    r"|(?:cheap|old|young|new|larg|bigg|small|fast|slow|quick|long|short|warm|cold|hott|cool|dri|high|low|clos|near"
    r"|saf|strong|weak|great|earl|clean|deep|heavi|light|rich|poor|bus|quiet|tall|wid|easi|hard|simpl)"
    r"(?:i?er|i?est)|more \w+ (?:one|of)|less \w+ (?:one|of)|only (?:one|those|the ones?))\b",
)
_WHY = "what {a} returned may have decided that {b} was called for one of the things that were compared"


class Choices:
    """Collects these doubts about the calls of one scope, in order of time."""

    def __init__(self, calls: Sequence[Call], arguments: Sequence[Values | None], spoken: Iterable[Values]) -> None:
        """
        Find which things each tool compares.

        Args:
            calls: The calls of one scope in order of start.
            arguments: Their values.
            spoken: What the user said.
        """
        self._calls = calls
        self._given = [_things_in(values) for values in paced(arguments)]
        self._asked: dict[str, set[str]] = {}
        self._compared: dict[str, set[str]] = {}
        self._comparers: dict[str, list[str]] = {}
        self._users: dict[str, set[str]] = {}
        self._holders: dict[tuple[str, str], set[int]] = {}
        self._ended: dict[str, int] = {}
        self._other_names: dict[str, frozenset[str]] = {}
        self._made = Counter(call.tool for call in paced(calls))
        texts = list(dict.fromkeys(text[:_MOST_READ] for values in spoken for text in values.texts))
        self._compares = any(map(_COMPARES.search, texts))
        self._seeks_one = self._compares or any(map(has_foreign_comparison, texts))
        self._said = [_spaced(words_in(text)) for text in texts]
        self._given_both: list[tuple[int, list[frozenset[str]]]] = []
        self._sides = self._named_with_or()
        self._alternatives = [
            frozenset({one, other})
            for before, after in self._sides
            for one in before
            for other in after
            if one != other
        ]
        self._group()

    def _named_with_or(self) -> list[tuple[frozenset[str], frozenset[str]]]:
        """Return what may be the things before and after each "or" of the user: its nearest word, two, and more."""
        found: dict[tuple[frozenset[str], frozenset[str]], None] = {}
        for text in self._said:
            words = text.split()
            for at in [at for at, word in enumerate(words) if word in OR][:_MOST_ALTERNATIVES]:
                before = frozenset(" ".join(words[start:at]) for start in range(max(0, at - _LONGEST_NAME), at))
                ends = range(at + 2, min(at + 2 + _LONGEST_NAME, len(words) + 1))
                found[before, frozenset(" ".join(words[at + 1 : end]) for end in ends)] = None
        return list(found)

    def _group(self) -> None:
        """Note what each tool was asked about, and what it was asked about in some of its calls but not in all."""
        in_all: dict[str, frozenset[str]] = {}
        for index, (call, given) in paced(enumerate(zip(self._calls, self._given, strict=True))):
            self._asked.setdefault(call.tool, set()).update(given)
            for thing in given:
                self._users.setdefault(thing, set()).add(call.tool)
                self._holders.setdefault((call.tool, thing), set()).add(index)
            in_all[call.tool] = in_all.get(call.tool, given) & given
        for tool, asked in self._asked.items():
            self._compared[tool] = asked - in_all[tool]
            for thing in paced(self._compared[tool]):
                self._comparers.setdefault(thing, []).append(tool)

    def start(self, index: int) -> list[Doubt]:
        """Return the doubts about a call that starts: calls of other tools that compared what it is about with more."""
        if not self._said:
            return []
        tool, bits = self._calls[index].tool, 0
        comparers = {one for thing in self._given[index] for one in self._comparers.get(thing, ())[:_MOST_TOOLS]}
        for other in comparers - {tool}:
            # A tool that is asked about several of the things is asked about what the user listed.
            chosen = self._compared[other] & self._asked[tool]
            # The things of one call are one: a town and the date of being there.
            single = len(chosen) == 1 or len(set().union(*(self._holders[other, thing] for thing in chosen))) == 1
            if single and self._ended.get(other, 0).bit_count() >= _FEWEST and self._may_be_chosen(chosen):
                bits |= self._ended[other]
        bits |= self._compared_under_other_names(index) if self._seeks_one else 0
        bits |= self._given_alternatives(index) | self._before_one_alternative(index)
        return [(bits, _WHY)] if bits else []

    def _given_alternatives(self, index: int) -> int:
        """Return the calls of other tools that were given two things, "A or B", if a call is given one of them."""
        tool, given = self._calls[index].tool, self._given[index]
        return sum(
            1 << earlier
            for earlier, pairs in self._given_both[-_MOST_TOOLS:]
            if self._calls[earlier].tool != tool and any(len(pair & given) == 1 for pair in pairs)
        )

    def _before_one_alternative(self, index: int) -> int:
        """Return the calls of other tools, if a call is given one of two things, "A or B", and no call the other."""
        tool, given = self._calls[index].tool, self._given[index]
        sides = [(one, other) for pair in self._sides for one, other in (pair, pair[::-1])]
        if not any(one & given and self._users.keys().isdisjoint(other) for one, other in sides):
            return 0
        return sum(ended for other, ended in self._ended.items() if other != tool)

    def _compared_under_other_names(self, index: int) -> int:
        """Return the calls of tools that were called more often, each with a name that the user did not say."""
        tool, bits = self._calls[index].tool, 0
        for other, ended in list(self._ended.items())[-_MOST_TOOLS:]:
            if max(_FEWEST - 1, self._made[tool]) < ended.bit_count() and other != tool:
                names = self._other_names_of(other)
                bits |= ended if names and names.isdisjoint(self._asked[tool]) else 0
        is_named = bits and any(any(map(str.isalpha, one)) and self._times_said(one) for one in self._given[index])
        return bits if is_named else 0

    def _other_names_of(self, tool: str) -> frozenset[str]:
        """Return the names that *tool* was given and the user did not say; none if a call of it has no such name."""
        if tool not in self._other_names:
            unsaid = frozenset(thing for thing in self._compared[tool] if not self._times_said(thing))
            named = frozenset[int]().union(*(self._holders[tool, thing] for thing in unsaid))
            self._other_names[tool] = unsaid if len(named) == self._made[tool] else frozenset()
        return self._other_names[tool]

    def end(self, index: int) -> None:
        """Take note of a call that ends."""
        tool = self._calls[index].tool
        self._ended[tool] = self._ended.get(tool, 0) | 1 << index
        both = [pair for pair in self._alternatives if pair <= self._given[index]]
        if both:
            self._given_both.append((index, both))

    def forget(self) -> None:
        """Forget all calls, with pauses."""
        empty(self._given, self._users, self._holders, self._comparers, self._asked, self._compared)

    def _may_be_chosen(self, things: Iterable[str]) -> bool:
        """Return whether the user compares, or names one of *things* less often than tools are asked about it."""
        return self._compares or any(self._times_said(thing) < len(self._users[thing]) for thing in things)

    def _times_said(self, thing: str) -> int:
        # A language without spaces has no words to look for.
        sought = _spaced(thing.split()) if thing.isascii() else thing
        return sum(text.count(sought) for text in self._said)


def _things_in(values: Values | None) -> frozenset[str]:
    return frozenset(atom.token for atom in values.atoms if atom.kind != "flag") if values is not None else frozenset()


def _spaced(words: Iterable[str]) -> str:
    """
    Return *words* so that each, and each sequence of them, stands between two spaces of its own.

    >>> _spaced(["new", "york"])
    ' new  york '
    """
    return "".join(f" {word} " for word in words)
