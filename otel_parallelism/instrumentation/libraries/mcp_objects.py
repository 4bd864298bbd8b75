"""Objects of the Model Context Protocol: the annotations of tools, and the results of calls."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from otel_parallelism.analysis.dependencies.effects.mcp_hints import hinted_effect
from otel_parallelism.instrumentation.hooks.call_wrappers import Returned
from otel_parallelism.tracing.sdk.current import get_current
from otel_parallelism.tracing.shield import swallow
from otel_parallelism.tracing.state.nodes import MISSING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from opentelemetry.context import Context

    from otel_parallelism.model import Effect


class ListedTool(NamedTuple):
    """What a server's list says of a tool: the declared effect, and what the model reads of it."""

    effect: Effect = "unknown"
    description: Any = ""


class ToolListing:
    """A request for a list of tools, as a lifetime without a span; keeps what is known of the tools at its end."""

    __slots__ = ("_known", "_read")

    def __init__(self, known: dict[str, ListedTool], read: Callable[[Any], Iterable[tuple[str, Any, Any]]]) -> None:
        """
        Args:
            known: Receives the tools by name; those of other pages of the list stay.
            read: Returns names, annotations and descriptions of the tools in the result.
        """
        self._known = known
        self._read = read

    def enter(self) -> None:
        """Do nothing."""

    def leave(self) -> Context:
        """Return the current context, which this lifetime does not change."""
        return get_current()

    def seen(self, item: Any) -> None:
        """Do nothing."""

    def end(self, result: Any) -> None:
        """Keep the tools in *result*."""
        try:
            self._known.update(
                (name, ListedTool(annotated_effect(annotations), description))
                for name, annotations, description in self._read(result)
            )
        except Exception as error:  # noqa: BLE001 - the framework may have changed; its call goes on
            swallow("reading a list of tools", error)

    def fail(self, error: BaseException) -> None:
        """Do nothing."""


def annotated_effect(annotations: Any) -> Effect:
    """
    Return the effect that *annotations* declare, ``unknown`` if they declare none.

    Args:
        annotations: A mapping or an object, with names in the protocol's style or in Python's; None if there are none.
    """
    return hinted_effect(
        _either(annotations, "readOnlyHint", "read_only_hint"),
        _either(annotations, "destructiveHint", "destructive_hint"),
    )


def mcp_result(result: Any) -> Returned:
    """Return the texts and the structured content of a ``tools/call``; ``MISSING`` if it has other content."""
    failed = _either(result, "isError", "is_error") is True
    content = getattr(result, "content", None)
    if not isinstance(content, list):
        return Returned(MISSING, failed=failed)
    texts = [getattr(block, "text", None) for block in content]
    structured = _either(result, "structuredContent", "structured_content")
    return Returned(MISSING if None in texts else [*texts, structured], failed=failed)


def _either(thing: Any, *names: str) -> Any:
    """Return the value of *thing*, a mapping or a pydantic model, under the first of *names* that it has."""
    if isinstance(thing, Mapping):
        return next((thing[name] for name in names if thing.get(name) is not None), None)
    # Some versions warn when the other name is used.
    fields = getattr(type(thing), "model_fields", ())
    return next((getattr(thing, name) for name in names if name in fields), None)
