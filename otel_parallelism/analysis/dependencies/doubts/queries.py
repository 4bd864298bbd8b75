"""
Finds queries in SQL that may follow from an earlier result.

These are: a query after a description of the tables; and a query of the same table as before with a condition that is
not the user's: ``WHERE phone IS NULL`` after a count of the values in each column.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_parallelism.analysis.dependencies.contents.tokens import words_in
from otel_parallelism.analysis.dependencies.effects.sql_effects import looks_like_sql
from otel_parallelism.analysis.dependencies.effects.tool_verbs import words_in_name
from otel_parallelism.pace import empty
from otel_parallelism.patterns import LazyPattern

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from otel_parallelism.analysis.dependencies.contents.comparables import Values
    from otel_parallelism.model import Call

    from .reasking import Doubt

_MOST_COMPARED = 64
_LONGEST_QUERY = 8_000
_STEM = 4
_LAYOUTS = frozenset("schema schemas table tables column columns describe fields databases".split())  # noqa: SIM905 - a list of quoted words would be longer
_TABLE = LazyPattern(r"(?i)\b(?:from|join)\s+[\"`\[]?([\w.]+)")
_CONDITIONS = LazyPattern(r"(?is)\b(?:where|having)\b(.*?)(?=\b(?:group|order)\s+by\b|\blimit\b|\bunion\b|\Z)")
_OF_THE_LANGUAGE = frozenset(
    """
    and or not in is null like ilike between exists case when then else end select from where having as true false date
    cast extract year month day interval current_date now any all on
    """.split()  # noqa: SIM905 - a list of quoted words would be longer
)

_LAYOUT = "{b} sends a query, which may be written by the tables that {a} described"
_NARROWED = "{b} sends a query of the same table as {a}, with a condition that may follow from what {a} returned"


class Queries:
    """Collects these doubts about the calls of one scope, in order of time."""

    def __init__(self, calls: Sequence[Call], said: Collection[str]) -> None:
        """Take note of the words that the user *said*."""
        self._calls = calls
        self._stems = {word[:_STEM] for word in said}
        self._layouts = 0
        self._sent: list[tuple[int, frozenset[str], frozenset[str]]] = []

    def start(self, index: int, arguments: Values) -> list[Doubt]:
        """Return the doubts about a call that starts with *arguments*."""
        texts = [text for text in arguments.plain if isinstance(text, str) and len(text) <= _LONGEST_QUERY]
        queries = [text for text in texts if looks_like_sql(text)]
        if not queries:
            return []
        tables = frozenset(name.lower() for text in queries for name in _TABLE.findall(text))
        conditions = [part for text in queries for part in _CONDITIONS.findall(text)]
        words = frozenset(word for part in conditions for word in words_in(part)) - _OF_THE_LANGUAGE
        own = {word for word in words if word[:_STEM] not in self._stems}
        narrowed = sum(
            1 << earlier
            for earlier, its_tables, its_words in self._sent[-_MOST_COMPARED:]
            if not tables.isdisjoint(its_tables) and not own <= its_words
        )
        self._sent.append((index, tables, words))
        return [(bits, why) for bits, why in ((self._layouts, _LAYOUT), (narrowed, _NARROWED)) if bits]

    def end(self, index: int) -> None:
        """Take note of a call that ends."""
        if not _LAYOUTS.isdisjoint(words_in_name(self._calls[index].tool)):
            self._layouts |= 1 << index

    def forget(self) -> None:
        """Forget all calls, with pauses."""
        empty(self._sent)
