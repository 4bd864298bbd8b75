"""
The current OpenTelemetry context, read and set without the frames that the public functions add.

Like `compatibility`, this module uses private names, and the same tests check them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry import context
from opentelemetry.context.contextvars_context import ContextVarsRuntimeContext
from opentelemetry.trace.propagation import _SPAN_KEY

from otel_parallelism.interruptions import is_interruption

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.context import Context

RUNTIME_CONTEXT: Any = getattr(context, "_RUNTIME_CONTEXT", context)
"""Holds the current context. The public functions add a frame to each call, and log where `detach` fails."""

SPAN_KEY: str = _SPAN_KEY
"""The key of the current span in a context. With it, one copy of a context sets both the span and our node."""

get_current: Callable[[], Context] = RUNTIME_CONTEXT.get_current
attach: Callable[[Context], Any] = RUNTIME_CONTEXT.attach
_detach: Callable[[Any], None] = RUNTIME_CONTEXT.detach
if type(RUNTIME_CONTEXT) is ContextVarsRuntimeContext:
    # Every call reads and sets the context: without the methods of the usual class, which only call these.
    _variable: Any = RUNTIME_CONTEXT._current_context  # noqa: SLF001 - see above
    get_current, attach, _detach = _variable.get, _variable.set, _variable.reset


def detach(token: Any) -> None:
    """
    Restore the context that was current before *token* was returned.

    Does nothing where another of Python's contexts is current than at `attach`. This happens where a web framework
    enters and leaves a context manager in two calls of a thread pool, or where the garbage collector closes a
    coroutine whose event loop is gone.
    """
    try:
        _detach(token)
    except ValueError as error:
        if is_interruption(error):
            raise


def restore(token: Any, outer: Any) -> None:
    """
    Restore the context *outer* after an interruption, which may have come just before or after a change of it.

    Args:
        token: The token of the context that was attached; None where it is unknown.
        outer: The context before that; None where it is unknown.
    """
    try:
        if token is not None:
            detach(token)
        elif outer is not None and get_current() is not outer:
            attach(outer)
    except RuntimeError:
        # The token has been used: the interruption came after the context was restored.
        return
