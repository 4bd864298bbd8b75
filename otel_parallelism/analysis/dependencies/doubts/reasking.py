"""
Finds what a model may have asked because of an earlier result, though no value of that result is an argument.

These are: the next page, a search in other words, the item at a position of a list, and whatever a condition of the
user decides about.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from otel_parallelism.analysis.dependencies.contents.tokens import words_in
from otel_parallelism.analysis.dependencies.contents.wanted import is_small_number
from otel_parallelism.analysis.dependencies.effects.tool_verbs import words_in_name
from otel_parallelism.pace import empty

from .answers import size_of
from .conditions import Conditions
from .thresholds import has_loose_clause, has_unused_bound

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from otel_parallelism.analysis.dependencies.contents.comparables import Values
    from otel_parallelism.model import Call

Doubt: TypeAlias = tuple[int, str]
"""Bits of earlier calls, and a sentence with ``{a}`` for the earlier tool and ``{b}`` for the later one."""

IsSaid: TypeAlias = "Callable[[str], bool]"

_EVERY = -1
_MOST_COMPARED = 64
SEARCHES = frozenset(
    "search find lookup query retrieve retrieval ask browse grep discover google wikipedia wiki tavily rag".split()  # noqa: SIM905 - a list of quoted words would be longer
)
_PAGES = frozenset({"page", "offset", "skip", "cursor", "batch", "chunk", "start", "end"})
_WITH_PAGES = frozenset("number num no index idx line lines row from to at size limit count".split())  # noqa: SIM905 - likewise
_POSITIONS = frozenset("index idx position rank nth ordinal choice option selection number".split())  # noqa: SIM905 - likewise
_WITH_POSITIONS = frozenset("item result row list entry link hit selected chosen".split())  # noqa: SIM905 - likewise
_BOUNDS = frozenset("radius distance depth within range max limit top hops km miles level size n num number".split())  # noqa: SIM905 - likewise
_BOUNDS |= frozenset("count lines rows results entries items tail head last days hours weeks months years".split())  # noqa: SIM905 - likewise
_LARGEST_POSITION = 100
# Parameters that a model sets as usual, or in which it explains itself.
USUAL = frozenset(
    """
    unit units format sort order by mode limit top k n max min num per page count fields include detail details
    verbose level depth type kind temperature style timeout encoding thought thoughts reason reasoning
    explanation rationale purpose goal description note comment
    """.split()  # noqa: SIM905 - likewise
)
_LIMITS = frozenset({"min", "max", "minimum", "maximum"})
# What is listed or read: a bound on its number is no bound on what is asked for.
_LISTED = _LIMITS | frozenset(
    """
    results result items hits records matches entries rows documents docs values edges nodes tokens chars characters
    length size count number num n k depth page pages per lines words bytes limit time timeout returned to return
    """.split()  # noqa: SIM905 - likewise
)
_SHARED = 2

_CONDITION = "what was asked has a condition: whether {b} is called may depend on what {a} returned"
_NEXT_PAGE = "{b} asks for another part of the same, perhaps because of what {a} returned"
_FURTHER = "{b} asks for the same in more detail, perhaps because of what {a} returned"
_WIDER = "{b} asks for the same with a wider bound or fewer conditions, perhaps because of what {a} returned"
_OTHER_WORDS = "{b} was asked in other words, perhaps because of what {a} returned"
_POSITION = "a number that {b} was given may be a position in what {a} returned"


class Reasking:
    """Collects the doubts about the calls of one scope, in order of time."""

    def __init__(self, calls: Sequence[Call], spoken: Sequence[Values], arguments: Sequence[Values | None]) -> None:
        """Take note of what the user said, *spoken*, and of the *arguments* of all calls."""
        self._calls = calls
        said = [text for values in spoken for text in values.texts]
        loose = has_unused_bound(said, arguments) or has_loose_clause(said, arguments)
        self._conditions = Conditions(said, concern_all=loose)
        self._by_tool: dict[str, list[int]] = {}
        self._searched: dict[int, tuple[set[str], set[str]]] = {}
        self._again: set[int] = set()
        self._few: set[int] = set()
        self._named: dict[int, dict[str, str]] = {}
        self._plain: dict[int, frozenset[str | float]] = {}
        self._lists: list[tuple[int, int]] = []

    def start(
        self,
        index: int,
        arguments: Values,
        is_said: IsSaid,
        known_ns: int | None,
    ) -> list[Doubt]:
        """
        Return the doubts about a call that starts.

        Args:
            index: Its position.
            arguments: Their values.
            is_said: Returns whether the user said a word.
            known_ns: From when on all arguments are known, if they are.
        """
        tool = self._calls[index].tool
        in_name = words_in_name(tool)
        given = [word for atom in arguments.atoms for word in atom.words if is_said(word)]
        searches = not SEARCHES.isdisjoint(in_name)
        found: list[Doubt] = []
        if self._conditions.concern([*given, *in_name]):
            found.append((_EVERY, _CONDITION))
        named = {" ".join(words_in_name(name)): token for name, token in arguments.named}
        same = self._by_tool.setdefault(tool, [])
        recent = same[-_MOST_COMPARED:]
        self._named[index], self._plain[index] = named, arguments.plain
        for bits, why in (
            (self._earlier_parts(recent, named, is_said), _NEXT_PAGE),
            (self._further_asked(index, recent, named, is_said), _FURTHER),
            (self._wider_asked(recent, named, is_said), _WIDER),
            (self._searches_before(index, recent, arguments, is_said, known_ns) if searches else 0, _OTHER_WORDS),
            (self._lists_with_positions(tool, named), _POSITION),
        ):
            if bits:
                found.append((bits, why))
        same.append(index)
        return found

    def end(self, index: int, result: Values) -> None:
        """Take note of the list, or the short answer, that the *result* of a call that ends is."""
        size = size_of(result.value)
        if size <= 1 and isinstance(result.value, (dict, list, tuple)):
            self._few.add(index)
        if size > 1:
            self._lists.append((index, size))

    def forget(self) -> None:
        """Forget all calls, with pauses."""
        empty(self._named, self._plain, self._searched)

    def _earlier_parts(self, recent: Iterable[int], named: dict[str, str], is_said: IsSaid) -> int:
        """Return the calls that asked for another part of what a call asks for: another page, offset or line."""
        parts = {name for name in named if _is_part(name)}
        if not parts or all(is_said(named[name]) for name in parts):
            return 0
        rest = {name: token for name, token in named.items() if name not in parts}
        return sum(
            1 << earlier
            for earlier in recent
            if {name: token for name, token in self._named[earlier].items() if not _is_part(name)} == rest
        )

    def _further_asked(self, index: int, recent: Iterable[int], named: dict[str, str], is_said: IsSaid) -> int:
        """Return the calls whose arguments a call has too, beside flags, others or longer ones that were not said."""
        found = 0
        for earlier in recent:
            before = self._named[earlier]
            longer = {name: token for name, token in named.items() if before.get(name) != token}
            repeats = bool(before) and all(_goes_on(named.get(name, ""), token) for name, token in before.items())
            added = " ".join(longer.values()).split()
            # Without more words, a call that repeats another has more flags, if nothing in its lists differs either.
            further = not all(is_said(word) for word in added) if added else self._plain[index] == self._plain[earlier]
            if repeats and further:
                found |= 1 << earlier
        return found

    def _wider_asked(self, recent: Iterable[int], named: dict[str, str], is_said: IsSaid) -> int:
        """Return the calls that a call repeats with a larger bound, less in a path, or fewer arguments."""
        found = 0
        for earlier in recent:
            before = self._named[earlier]
            changed = [name for name, token in named.items() if before.get(name) != token]
            dropped = not changed and 0 < len(named) < len(before)
            if dropped or (
                len(changed) == 1
                and named.keys() == before.keys()
                and not all(is_said(word) for word in named[changed[0]].split())
                and _is_wider(changed[0], named[changed[0]], before[changed[0]])
            ):
                found |= 1 << earlier
        return found

    def _searches_before(
        self,
        index: int,
        recent: Iterable[int],
        arguments: Values,
        is_said: IsSaid,
        known_ns: int | None,
    ) -> int:
        """
        Return the searches that used the words of the user which a search replaces, or adds to, with its own.

        A search with fewer words may also follow from one that found a single thing. A search that names something else
        of what the user named, or that replaces words of the model's own, asks for something else. So does one in words
        that were known before.
        """
        texts = [text for text in arguments.plain if isinstance(text, str) and _is_query(text)]
        words = {word for text in texts for word in words_in(text)} & {
            w for atom in arguments.atoms for w in atom.words
        }
        said = {word for word in words if is_said(word)}
        self._searched[index] = words, said
        found = 0
        for earlier in recent:
            before, said_before = self._searched.get(earlier, (set(), set()))
            replaces = words != said <= before and (earlier in self._again or before - words <= said_before)
            if known_ns is not None and known_ns <= self._calls[earlier].start_ns:
                replaces = False
            broadens = earlier in self._few and len(words) < len(before) and len(said & before) >= _SHARED
            if replaces or broadens:
                found |= 1 << earlier
        if found:
            self._again.add(index)
        return found

    def _lists_with_positions(self, tool: str, named: dict[str, str]) -> int:
        positions = [int(token) for name, token in named.items() if _is_position(name) and is_small_number(token)]
        if not positions or max(positions) > _LARGEST_POSITION:
            return 0
        return sum(
            1 << earlier
            for earlier, size in self._lists[-_MOST_COMPARED:]
            if max(positions) <= size and self._calls[earlier].tool != tool
        )


def is_usual(name: str) -> bool:
    """
    Return whether a parameter of this name is one that models set as usual: the size of a page, but not of a shoe.

    >>> is_usual("sortBy"), is_usual("page_size"), is_usual("shoe_size"), is_usual("city")
    (True, True, False, False)
    >>> is_usual("max_results"), is_usual("max_price"), is_usual("min_level")
    (True, False, False)
    """
    words = words_in_name(name)
    if not _LIMITS.isdisjoint(words):
        return _LISTED.issuperset(words)
    return words == ["size"] or not USUAL.isdisjoint(words)


def _is_wider(name: str, token: str, before: str) -> bool:
    """Return whether the value *token* of a parameter is a larger bound than *before*, or its beginning."""
    if not _BOUNDS.isdisjoint(name.split()) and is_small_number(token) and is_small_number(before):
        return int(token) > int(before)
    return token != before and _goes_on(before, token)


def _goes_on(token: str, before: str) -> bool:
    """Return whether the value *token* is, or begins with, the value *before*."""
    return token == before or (token.startswith(before + " ") and not before.isdecimal())


def _is_query(text: str) -> bool:
    """Return whether *text* has several words, and is no name: some of them are in lower case."""
    words = text.split()
    return len(words) > 1 and any(word.isalpha() and word.islower() for word in words)


def _is_part(name: str) -> bool:
    words = set(name.split())
    return bool(words & _PAGES) and words <= _PAGES | _WITH_PAGES


def _is_position(name: str) -> bool:
    words = set(name.split())
    return bool(words & _POSITIONS) and words <= _POSITIONS | _WITH_POSITIONS
