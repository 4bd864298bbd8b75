"""How much the core tries of what the ``thorough`` environment tries whole; mark such tests with ``many``."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from hypothesis import settings

if TYPE_CHECKING:
    from collections.abc import Iterable

Item = TypeVar("Item")

THOROUGH = settings.default.max_examples >= 100


def some_of(items: Iterable[Item], every: int = 4) -> list[Item]:
    """Return every fourth of *items*, or every n-th; all of them in the ``thorough`` environment."""
    return list(items)[:: 1 if THOROUGH else every]
