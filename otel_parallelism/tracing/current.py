"""
OpenTelemetry's current context, one function call closer.

The public functions add a frame to each of three calls that every tool call makes, and log an error of their own
where a context is given back in another task; here that raises ValueError, which our callers deal with.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry import context
from opentelemetry.trace.propagation import _SPAN_KEY  # written at once with ours: one copy of the context, not two

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.context import Context

_runtime: Any = getattr(context, "_RUNTIME_CONTEXT", context)

SPAN_KEY: str = _SPAN_KEY
"""Where the context holds the current span."""

get_current: Callable[[], Context] = _runtime.get_current
attach: Callable[[Context], Any] = _runtime.attach
detach: Callable[[Any], None] = _runtime.detach
