"""This package's own attributes: declarations of a call, and the tool calls that a model's answer asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from otel_parallelism import names
from otel_parallelism.model import Caller

from .parsing.facts import Dialect, Facts, text

if TYPE_CHECKING:
    from otel_parallelism.model import Effect, SpanRecord

_KEYS = frozenset(
    {
        names.EFFECT,
        names.RESOURCE,
        names.DEPENDS_ON,
        names.QUEUE_TIME,
        names.BLOCKED,
        names.STALLED,
        names.FRAMEWORK,
        names.SWITCH,
        names.REQUESTED,
        names.CALLER_FILE_PATH,
    }
)
_SECOND_NS = 1_000_000_000


def _describe(span: SpanRecord) -> Facts | None:
    """Return the facts in our own attributes; the kind follows from the GenAI attributes beside them."""
    attributes = span.attributes
    if _KEYS.isdisjoint(attributes):
        return None
    effect = text(attributes, names.EFFECT)
    thread = attributes.get(names.THREAD_ID)
    depends_on, requested = attributes.get(names.DEPENDS_ON), attributes.get(names.REQUESTED)
    return Facts(
        effect=cast("Effect", effect) if effect in {"read", "write"} else "unknown",
        resource=text(attributes, names.RESOURCE),
        depends_on=_texts(depends_on),
        requested=_texts(requested),
        queue_ns=_nanoseconds(attributes.get(names.QUEUE_TIME)),
        blocked_ns=_nanoseconds(attributes.get(names.BLOCKED)),
        stalled_ns=_nanoseconds(attributes.get(names.STALLED)),
        thread=thread if isinstance(thread, int) else 0,
        caller=_caller(text(attributes, names.CALLER_FILE_PATH), attributes.get(names.CALLER_LINE_NUMBER)),
        framework=text(attributes, names.FRAMEWORK),
        switch=text(attributes, names.SWITCH),
    )


def _caller(path: str, line: object) -> Caller | None:
    return Caller(path, line) if path and isinstance(line, int) and line > 0 else None


def _texts(values: object) -> tuple[str, ...] | None:
    return tuple(value for value in values if isinstance(value, str)) if isinstance(values, list | tuple) else None


def _nanoseconds(seconds: object) -> int:
    if isinstance(seconds, int | float) and 0 < seconds < 10**9:  # false for infinities and NaN
        return round(seconds * _SECOND_NS)
    return 0


DIALECT = Dialect(describe=_describe, rank=110, beside_others=True, beside_keys=_KEYS)
