"""Holds the user's words until the turn ends."""

from __future__ import annotations

from typing import Any

import msgspec

from otel_parallelism.model import Content

from .bounds.held_evidence import HELD, evidence_size
from .nodes import Node, SpanNode, StepNode, TurnNode


class _HeldWords(msgspec.Struct, eq=False):
    """A mutable holder of the user's words; ``words`` is None once they are released."""

    words: Content | None
    held_size: int = 0

    def let_go(self) -> None:
        """Hold the words no longer."""
        self.words = None


def hold_words(words: Content) -> Content:
    """Return a content that reads as *words* until `release_words` releases it, even where a report still holds it."""
    held = _HeldWords(words)
    HELD.add(held, evidence_size(words.value))
    return Content(held, _read_words, words.whole, words.identities)


def release_words(held: Content) -> None:
    """Release the words that *held*, a result of `hold_words`, refers to."""
    if isinstance(held.value, _HeldWords):
        held.value.words = None
        if held.value.held_size > 0:
            HELD.remove(held.value)


def release_words_of(node: Node) -> None:
    """Release the user's words that *node*, which no turn will collect, holds."""
    words = held_words(node)
    if words is not None:
        release_words(words)


def _read_words(held: Any) -> object:
    words: Content | None = held.words
    if words is None:
        raise LookupError("the user's words are no longer held")
    return words.data()


def held_words(node: Node) -> Content | None:
    """Return the user's words that *node*, a model request or an ended turn, holds; else None."""
    holder = node.facts if isinstance(node, SpanNode) else node
    if isinstance(holder, StepNode):
        return holder.messages
    if not node.finished:
        return None
    if isinstance(holder, TurnNode):
        return holder.input
    return holder if isinstance(holder, Content) else None
