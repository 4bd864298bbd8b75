"""What the Model Context Protocol's own objects say: a tool's annotations of its effect, a result of what it holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from otel_parallelism.analysis.effects import hinted_effect
from otel_parallelism.tracing.nodes import UNSEEN

from .calls import Returned

if TYPE_CHECKING:
    from otel_parallelism.model import Effect


def effect_of(annotations: Any) -> Effect:
    """
    Return the effect that *annotations* tell of, ``unknown`` where they don't.

    Args:
        annotations: A mapping or an object, with the protocol's names or Python's; None if there are none.
    """
    return hinted_effect(
        _either(annotations, "readOnlyHint", "read_only_hint"),
        _either(annotations, "destructiveHint", "destructive_hint"),
    )


def returned(result: Any) -> Returned:
    """Return what a ``tools/call`` came to: its texts and its structured content, if there is nothing else in it."""
    failed = _either(result, "isError", "is_error") is True
    content = getattr(result, "content", None)
    if not isinstance(content, list):
        return Returned(UNSEEN, failed=failed)
    texts = [getattr(block, "text", None) for block in content]
    structured = _either(result, "structuredContent", "structured_content")
    return Returned(UNSEEN if None in texts else [*texts, structured], failed=failed)


def _either(thing: Any, *names: str) -> Any:
    """The value of *thing*, a mapping or a model of pydantic's, by the one of *names* that it knows."""
    if isinstance(thing, Mapping):
        return next((thing[name] for name in names if thing.get(name) is not None), None)
    # Versions that go by one name warn where they are asked for the other.
    fields = getattr(type(thing), "model_fields", ())
    return next((getattr(thing, name) for name in names if name in fields), None)
