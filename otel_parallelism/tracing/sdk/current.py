"""The current OpenTelemetry context, read and set without the frames that the public functions add."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .compatibility import RUNTIME_CONTEXT, SPAN_KEY

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.context import Context

__all__ = ["SPAN_KEY", "attach", "detach", "get_current"]

get_current: Callable[[], Context] = RUNTIME_CONTEXT.get_current
attach: Callable[[Context], Any] = RUNTIME_CONTEXT.attach
_detach: Callable[[Any], None] = RUNTIME_CONTEXT.detach


def detach(token: Any) -> None:
    """
    Restore the context that was current before *token* was returned.

    Does nothing where another of Python's contexts is current than at `attach`. This happens where a web framework
    enters and leaves a context manager in two calls of a thread pool, or where the garbage collector closes a
    coroutine whose event loop is gone.
    """
    try:
        _detach(token)
    except ValueError:
        return
