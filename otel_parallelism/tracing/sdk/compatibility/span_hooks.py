"""
The ``on_start`` and ``on_end`` of a span processor, which pass over spans that have nothing to do with agents.

They run for every span of the program. The public properties add a call to every access, so the hooks read the private
fields themselves, and call other functions only where a span may matter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from otel_parallelism.dialects import KEYS, is_named
from otel_parallelism.tracing.sdk.records import DECLARED
from otel_parallelism.tracing.shield import swallow

from .span_fields import raw_attributes

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import ReadableSpan, Span

# ruff: noqa: SLF001 - this folder is where private names are accessed


class SpanCounter(Protocol):
    """Holds the number of spans that have ended."""

    seen: int


def start_hook(
    open_spans: dict[int, Any],
    most: int,
    skipped: Collection[str],
    pass_over: Callable[[str], bool],
    start: Callable[[Span, Context | None], None],
) -> Callable[..., None]:
    """
    Return an ``on_start`` hook.

    Args:
        open_spans: Gets the unrelated spans, by their ids.
        most: How many spans *open_spans* may have; from then on, *start* is called with every span.
        skipped: Names of instrumentation scopes whose spans all count as unrelated. Scopes are compared by name: up to
            SDK 1.40 every ``get_tracer()`` creates a new scope object.
        pass_over: Called with the name of a scope that is not in *skipped*, for a span whose name and attributes show
            no agent; returns whether the span counts as unrelated.
        start: Called with all other spans.
    """
    is_plain, declared = KEYS.isdisjoint, DECLARED

    def on_start(span: Any, parent_context: Context | None = None) -> None:
        try:
            scope = span._instrumentation_scope._name
            if len(open_spans) < most and (
                scope in skipped
                or (
                    is_plain(span._attributes._dict)
                    and declared.patterns is None
                    and not is_named(span._name)
                    and pass_over(scope)
                )
            ):
                open_spans[span._context[1]] = span
            else:
                start(span, parent_context)
        except Exception as error:  # noqa: BLE001 - it would be raised in the program
            swallow("starting a span", error)

    return on_start


def end_hook(
    open_spans: dict[int, Any], node: type, counter: SpanCounter, end: Callable[[ReadableSpan, Any], None]
) -> Callable[[ReadableSpan], None]:
    """
    Return an ``on_end`` hook, which removes a span from *open_spans*, and does nothing with a span that is not there.

    Args:
        open_spans: Open spans, or their nodes, by the ids of the spans.
        node: The type of a node.
        counter: Counts the spans.
        end: Called with a span that has a node or may matter, and its node, or the span as it was while open.
    """
    remove, is_plain, declared = open_spans.pop, KEYS.isdisjoint, DECLARED

    def on_end(span: Any) -> None:
        try:
            known = remove(span._context[1], None)
            if known is None:
                return
            counter.seen += 1
            try:
                attributes = span._attributes._dict
            except AttributeError:
                attributes = raw_attributes(span)
            if type(known) is node or declared.patterns is not None or not is_plain(attributes):
                end(span, known)
        except Exception as error:  # noqa: BLE001 - it would be raised in the program
            swallow("ending a span", error)

    return on_end
