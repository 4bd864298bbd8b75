"""Holds the user's words until the turn ends."""

from __future__ import annotations

from typing import Any

import msgspec

from otel_parallelism.model import Content


class _HeldWords(msgspec.Struct, eq=False):
    """A mutable holder of the user's words; ``words`` is None once they are released."""

    words: Content | None


def hold_words(words: Content) -> Content:
    """Return a content that reads as *words* until `release_words` releases it, even where a report still holds it."""
    return Content(_HeldWords(words), _read_words, words.whole, words.identities)


def release_words(held: Content) -> None:
    """Release the words that *held*, a result of `hold_words`, refers to."""
    if isinstance(held.value, _HeldWords):
        held.value.words = None


def _read_words(held: Any) -> object:
    words: Content | None = held.words
    if words is None:
        raise LookupError("the user's words are no longer held: the turn is over")
    return words.value if words.parse is None else words.parse(words.value)
