"""What the Model Context Protocol's own objects say: a tool's annotations of its effect, a result of what it holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from otel_parallelism.analysis.dependencies.effects import hinted_effect
from otel_parallelism.instrumentation.hooks.call_wrappers import Returned
from otel_parallelism.tracing.sdk.current import get_current
from otel_parallelism.tracing.shield import swallow
from otel_parallelism.tracing.state.nodes import MISSING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from opentelemetry.context import Context

    from otel_parallelism.model import Effect


class ToolListing:
    """A list of tools on its way: no span, only what it says in the end. Effects of tools in other pages stay."""

    __slots__ = ("_known", "_read")

    def __init__(self, known: dict[str, Effect], read: Callable[[Any], Iterable[tuple[str, Any]]]) -> None:
        """
        Args:
            known: Where the effects go, by the tool's name.
            read: Finds the tools' names and annotations in the listing's result.
        """
        self._known = known
        self._read = read

    def enter(self) -> None:
        """Nothing."""

    def leave(self) -> Context:
        """Return what is current, which this never changes."""
        return get_current()

    def seen(self, item: Any) -> None:
        """Nothing."""

    def end(self, result: Any) -> None:
        """Keep the effects of the tools in *result*."""
        try:
            self._known.update((name, annotated_effect(annotations)) for name, annotations in self._read(result))
        except Exception as error:  # noqa: BLE001 - a framework that has changed is no reason to fail
            swallow("reading a list of tools", error)

    def fail(self, error: BaseException) -> None:
        """Nothing."""


def annotated_effect(annotations: Any) -> Effect:
    """
    Return the effect that *annotations* tell of, ``unknown`` where they don't.

    Args:
        annotations: A mapping or an object, with the protocol's names or Python's; None if there are none.
    """
    return hinted_effect(
        _either(annotations, "readOnlyHint", "read_only_hint"),
        _either(annotations, "destructiveHint", "destructive_hint"),
    )


def tool_result(result: Any) -> Returned:
    """Return what a ``tools/call`` came to: its texts and its structured content, if there is nothing else in it."""
    failed = _either(result, "isError", "is_error") is True
    content = getattr(result, "content", None)
    if not isinstance(content, list):
        return Returned(MISSING, failed=failed)
    texts = [getattr(block, "text", None) for block in content]
    structured = _either(result, "structuredContent", "structured_content")
    return Returned(MISSING if None in texts else [*texts, structured], failed=failed)


def _either(thing: Any, *names: str) -> Any:
    """The value of *thing*, a mapping or a model of pydantic's, by the one of *names* that it knows."""
    if isinstance(thing, Mapping):
        return next((thing[name] for name in names if thing.get(name) is not None), None)
    # Versions that go by one name warn where they are asked for the other.
    fields = getattr(type(thing), "model_fields", ())
    return next((getattr(thing, name) for name in names if name in fields), None)
