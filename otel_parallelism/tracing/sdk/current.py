"""
OpenTelemetry's current context, one function call closer.

The public functions add a frame to each of three calls that every tool call makes, and log an error of their own
where a context is given back elsewhere than it was taken.
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
_detach: Callable[[Any], None] = _runtime.detach


def detach(token: Any) -> None:
    """
    Make current again what was so before *token* was given out.

    What begins in one of Python's contexts may end in another: a web framework enters and leaves a context manager in
    two calls of a thread pool, the garbage collector closes a coroutine whose event loop is gone. There the other's
    context cannot be given back, and need not be.
    """
    try:
        _detach(token)
    except ValueError:
        return
