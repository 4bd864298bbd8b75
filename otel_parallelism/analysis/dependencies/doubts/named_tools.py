"""Finds calls of tools that an earlier result names: "this endpoint moved; ask get_report_v2"."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_parallelism.analysis.dependencies.effects import verb_tables
from otel_parallelism.analysis.dependencies.effects.tool_verbs import words_in_name
from otel_parallelism.pace import paced
from otel_parallelism.patterns import LazyPattern

if TYPE_CHECKING:
    from collections.abc import Sequence

    from otel_parallelism.analysis.dependencies.contents.comparables import Values
    from otel_parallelism.model import Call

    from .reasking import Doubt

_MOST_TEXTS = 64
_MOST_READ = 8_000
_MOST_TOOLS = 64
_LONGEST = 100
# A name of one word stands in many results by chance.
_TOOL_NAME = LazyPattern(r"\w++(?:[.-]\w++)++|\w[^\W_]*+_\w++|[a-z]++[A-Z]\w*+")

_JOINTS = "_.-"

_NAMED = "{a} returned the name of {b}, which may be why it was called"


class NamedTools:
    """Collects these doubts about the calls of one scope, in order of time."""

    def __init__(self, calls: Sequence[Call]) -> None:
        """Take note of the names that *calls* have."""
        self._calls = calls
        tools = dict.fromkeys(call.tool for call in paced(calls))
        names = {(name.casefold(), tool) for tool in list(tools)[:_MOST_TOOLS] for name in _names_of(tool)}
        # A single tool can be named by no result of another one.
        self._names = sorted(names) if len(tools) > 1 else []
        self._named_by: dict[str, int] = {}

    def start(self, index: int) -> list[Doubt]:
        """Return the doubts about a call that starts."""
        bits = self._named_by.get(self._calls[index].tool, 0)
        return [(bits, _NAMED)] if bits else []

    def end(self, index: int, result: Values) -> None:
        """Take note of the tools that the *result* of a call names."""
        for text in paced(result.texts[:_MOST_TEXTS] if self._names else ()):
            lowered = text[:_MOST_READ].casefold()
            for name, tool in self._names:
                if name in lowered and tool != self._calls[index].tool:
                    self._named_by[tool] = self._named_by.get(tool, 0) | 1 << index


def _names_of(tool: str) -> list[str]:
    """
    Return the names by which a result may name a *tool*: its own, and the one after the name of its server.

    >>> _names_of("mcp__shop__get_report"), _names_of("shop_get_report"), _names_of("get_report"), _names_of("report")
    (['mcp__shop__get_report', 'get_report'], ['shop_get_report', 'get_report'], ['get_report'], [])
    """
    starts = [0, *(at + 1 for at, letter in enumerate(tool[:_LONGEST]) if at and letter in _JOINTS)]
    ends = (tool[at:] for at in starts if not verb_tables.READS.isdisjoint(words_in_name(tool[at:])[:1]))
    own = next(ends, "").lstrip(_JOINTS)
    return [name for name in dict.fromkeys((tool, own)) if _TOOL_NAME.fullmatch(name)]
