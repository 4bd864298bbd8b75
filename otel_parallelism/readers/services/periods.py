"""Searches a period in parts where a server answers with no more than so many traces, and has no pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_S: Final = 1_000_000_000


def found_in_period(
    search: Callable[[int, int], list[Any]], start_ns: int, end_ns: int, most: int
) -> Iterator[list[Any]]:
    """
    Yield what *search* finds in the parts of a period, the earliest first.

    A part with *most* results may have more, and is searched in halves, down to a second. What is at the edge of two
    parts can be found twice.

    Args:
        search: Returns the results of a part, from its start to its end in nanoseconds.
        start_ns: The start of the period.
        end_ns: Its end.
        most: How many results a search has at most.
    """
    parts = [(start_ns, end_ns)]
    while parts:
        start, end = parts.pop()
        found = search(start, end)
        if len(found) < most or end - start <= _S:
            yield found
            continue
        middle = (start + end) // 2
        parts += [(middle, end), (start, middle)]
