"""The vocabulary of this package's own spans: what `@profiled` declared about a call."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from otel_parallelism import names

from .facts import Facts, text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from otel_parallelism.model import Effect, SpanRecord

KEYS = frozenset({names.EFFECT, names.RESOURCE, names.DEPENDS_ON, names.QUEUE_TIME})
_SECOND_NS = 1_000_000_000


def read(span: SpanRecord) -> Facts | None:
    """Return what was declared on *span*; that it is a call its GenAI names say. None if nothing was."""
    attributes = span.attributes
    if KEYS.isdisjoint(attributes):
        return None
    effect = text(attributes, names.EFFECT)
    depends_on = attributes.get(names.DEPENDS_ON)
    queue_time = attributes.get(names.QUEUE_TIME)
    return Facts(
        effect=cast("Effect", effect) if effect in {"read", "write"} else "unknown",
        resource=text(attributes, names.RESOURCE),
        depends_on=(
            tuple(name for name in depends_on if isinstance(name, str))
            if isinstance(depends_on, list | tuple)
            else None
        ),
        queue_ns=_nanoseconds(queue_time),
    )


def _names(values: Iterable[object]) -> tuple[str, ...]:
    return tuple(value for value in values if isinstance(value, str))


def _nanoseconds(seconds: object) -> int:
    if isinstance(seconds, int | float) and 0 < seconds < 10**9:  # keeps infinities and NaN out
        return round(seconds * _SECOND_NS)
    return 0
