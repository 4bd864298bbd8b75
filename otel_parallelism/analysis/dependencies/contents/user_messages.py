"""Reads the user's messages, which most model requests of a turn repeat, each once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_parallelism.model import DeveloperText
from otel_parallelism.pace import paced

from .values import values_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from otel_parallelism.model import Content

    from .comparables import Values
    from .reading_budget import ReadingBudget
    from .wanted import Wanted


def values_of_messages(
    said: Iterable[Content], max_leaves: int, max_bytes: int, wanted: Wanted, budget: ReadingBudget
) -> list[Values]:
    """
    Return the values in the user's messages.

    The requests of a turn repeat these messages, most of them with more around them: equal ones are searched once.

    Args:
        said: The messages.
        max_leaves: As for `values_of`.
        max_bytes: As for `values_of`.
        wanted: As for `values_of`.
        budget: As for `values_of`.
    """
    found: list[Values] = []
    heard: set[object] = set()
    for content in paced(said):
        texts = None if budget.is_spent() else _plain_texts(content)
        if texts is not None:
            if texts in heard:
                continue
            heard.add(texts)
        values = values_of(content, max_leaves, max_bytes, wanted, message=True, budget=budget)
        if values is not None:
            found.append(values)
    return found


def _plain_texts(content: Content) -> object:
    """Return *content* in a form that equal messages share; None if it is not just text."""
    if type(content.value) is not str:
        return None
    try:
        data = content.data()
    except Exception:  # noqa: BLE001 - a dialect's parser may fail in any way on unknown data
        return None
    if type(data) is not list or not all(type(one) is str or type(one) is DeveloperText for one in data):
        return None
    return content.whole, tuple([(type(one), one) for one in data])
