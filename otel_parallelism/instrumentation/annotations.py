"""What a tool's annotations, as the Model Context Protocol has them, say of its effect."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from otel_parallelism.model import Effect


def effect_of(annotations: Any) -> Effect:
    """
    Return the effect that *annotations* tell of, ``unknown`` where they don't.

    Args:
        annotations: A mapping or an object, with the protocol's names or Python's; None if there are none.
    """
    read_only = _hint(annotations, "readOnlyHint", "read_only_hint")
    if read_only is True:
        return "read"
    if read_only is False or _hint(annotations, "destructiveHint", "destructive_hint") is True:
        return "write"
    return "unknown"


def _hint(annotations: Any, *keys: str) -> object:
    for key in keys:
        found = annotations.get(key) if isinstance(annotations, Mapping) else getattr(annotations, key, None)
        if found is not None:
            return found
    return None
