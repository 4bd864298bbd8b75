"""The tracer of our own spans: that of a given provider, or the global provider's, looked up at the first span."""

from __future__ import annotations

import functools
import sys
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from opentelemetry import trace

from otel_parallelism import names

if TYPE_CHECKING:
    from collections.abc import Callable


@functools.cache
def package_version() -> str:
    """Return the version of this package, or an empty string where it is not installed."""
    try:
        return version("otel-parallelism")
    except PackageNotFoundError:
        return ""


def tracer_of(provider: trace.TracerProvider | None) -> trace.Tracer:
    """Return our tracer of *provider*; None means the global provider."""
    return trace.get_tracer(names.INSTRUMENTATION, package_version(), provider, names.SCHEMA_URL)


class LazyTracer(trace.Tracer):
    """
    Looks up the global provider's tracer at the first span, not at import, since the look-up may load a provider.

    It passes that tracer to ``use``, so that later spans are started with it directly.
    """

    def __init__(self, use: Callable[[trace.Tracer], None]) -> None:
        self._use = use

    def start_span(self, *args: Any, **kwargs: Any) -> trace.Span:
        """Start a span with the global provider's tracer. At the interpreter's exit, nothing can be looked up."""
        if sys.is_finalizing():
            return trace.INVALID_SPAN
        tracer = tracer_of(None)
        self._use(tracer)
        return tracer.start_span(*args, **kwargs)

    def start_as_current_span(self, *args: Any, **kwargs: Any) -> Any:
        """Start a span with the global provider's tracer and make it the current one."""
        tracer = tracer_of(None)
        self._use(tracer)
        return tracer.start_as_current_span(*args, **kwargs)
