"""
The current context, and the key of the current span in it.

The public functions add a frame to each call, and log where `detach` fails.
"""

from __future__ import annotations

import sys
from contextvars import copy_context
from typing import TYPE_CHECKING, Any

from opentelemetry import context
from opentelemetry.context.contextvars_context import ContextVarsRuntimeContext
from opentelemetry.trace.propagation import _SPAN_KEY

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.context import Context

# ruff: noqa: SLF001 - this folder is where private names are accessed

RUNTIME_CONTEXT: Any = getattr(context, "_RUNTIME_CONTEXT", context)
"""Holds the current context."""

SPAN_KEY: str = _SPAN_KEY
"""The key of the current span in a context. With it, one copy of a context sets both the span and our node."""

_COLLECTS_INSIDE: bool = sys.version_info < (3, 12)
"""Whether the garbage collector may run while a context variable changes."""


def _with_context_kept(change: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """
    Return *change*, the ``set`` or ``reset`` of a context variable, for Python 3.11.

    There, the garbage collector may run inside of it, and so may a recorded call of a ``__del__``. Its own change would
    free the values of the context that *change* reads, and the process would crash. A copy keeps them.
    """

    def changed(value: Any) -> Any:
        kept = copy_context()  # noqa: F841 - it is kept until the change is made
        return change(value)

    return changed


def context_functions() -> tuple[Callable[[], Context], Callable[[Context], Any], Callable[[Any], None]]:
    """Return the functions that get, attach and detach the current context."""
    if type(RUNTIME_CONTEXT) is ContextVarsRuntimeContext:
        # Every call uses them: without the methods of the usual class, which only call these.
        variable: Any = RUNTIME_CONTEXT._current_context
        if _COLLECTS_INSIDE:
            return variable.get, _with_context_kept(variable.set), _with_context_kept(variable.reset)
        return variable.get, variable.set, variable.reset
    return RUNTIME_CONTEXT.get_current, RUNTIME_CONTEXT.attach, RUNTIME_CONTEXT.detach
