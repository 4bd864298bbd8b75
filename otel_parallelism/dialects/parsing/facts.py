"""What one dialect knows about one span: the piece that every dialect hands over and `classify` puts together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

import msgspec

from otel_parallelism.model import Content, Effect

if TYPE_CHECKING:
    from collections.abc import Mapping

Kind: TypeAlias = Literal["turn", "call", "step", "cycle", "passage"]
"""``cycle`` is a step-like parent; ``passage`` says that a span is *not* a run, whatever else it looks like."""


class Facts(msgspec.Struct, frozen=True):
    """
    A span as one dialect understands it; whatever that dialect does not say keeps its default.

    ``requested`` are the ids of the tool calls a model's output asks for (None: not captured), ``words`` what the
    user said in the input of a step or a turn, ``title`` a turn's name where its span's is none, ``failed`` that
    the dialect's own fields tell of an error.
    """

    kind: Kind | None = None
    tool: str = ""
    call_id: str = ""
    agent: str = ""
    title: str = ""
    arguments: Content | None = None
    result: Content | None = None
    failed: bool = False
    requested: tuple[str, ...] | None = None
    input_tokens: int | None = None
    words: Content | None = None
    effect: Effect = "unknown"
    resource: str = ""
    depends_on: tuple[str, ...] | None = None
    queue_ns: int = 0


def text(attributes: Mapping[str, object], *keys: str) -> str:
    """Return the first of *keys* that holds text that is not empty, else an empty string."""
    for key in keys:
        value = attributes.get(key)
        if isinstance(value, str) and value:
            return value
    return ""


def whole_number(attributes: Mapping[str, object], *keys: str) -> int | None:
    """Return the first of *keys* that holds a whole number that is not negative, else None."""
    for key in keys:
        value = attributes.get(key)
        if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
            return value
    return None
