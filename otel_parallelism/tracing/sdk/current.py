"""The current OpenTelemetry context, read and set without the frames that the public functions add."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from otel_parallelism.interruptions import is_interruption

from .compatibility.runtime_context import SPAN_KEY, context_functions

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.context import Context

__all__ = ["SPAN_KEY", "attach", "detach", "get_current", "reset", "restore"]

get_current: Callable[[], Context]
attach: Callable[[Context], Any]
reset: Callable[[Any], None]
"""As `detach`, but raises a ``ValueError`` where another of Python's contexts is current."""

get_current, attach, reset = context_functions()


def detach(token: Any) -> None:
    """
    Restore the context that was current before *token* was returned.

    Does nothing where another of Python's contexts is current than at `attach`. This happens where a web framework
    enters and leaves a context manager in two calls of a thread pool, or where the garbage collector closes a
    coroutine whose event loop is gone. Does nothing either where an interruption came right after a first `detach`.
    """
    try:
        reset(token)
    except (ValueError, RuntimeError) as error:
        if is_interruption(error):
            raise


def restore(token: Any, outer: Any) -> None:
    """
    Restore the context *outer* after an interruption, which may have come just before or after a change of it.

    Args:
        token: The token of the context that was attached; None where it is unknown.
        outer: The context before that; None where it is unknown.
    """
    if token is not None:
        detach(token)
    elif outer is not None and get_current() is not outer:
        attach(outer)
