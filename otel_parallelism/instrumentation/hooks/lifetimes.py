"""
A lifetime begins with a call of a wrapped function and ends when the result is complete; usually it is a span.

Framework modules describe a call from the framework's own objects. If that fails, the function runs as if it were not
wrapped.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from opentelemetry.instrumentation.utils import is_instrumentation_enabled

from otel_parallelism.tracing.shield import swallow
from otel_parallelism.tracing.spans.kinds import Kind
from otel_parallelism.tracing.spans.tool_call import ToolCall

if TYPE_CHECKING:
    from opentelemetry.context import Context

    from otel_parallelism.tracing.state.nodes import CallNode


Arguments: TypeAlias = tuple[Any, ...]
Keywords: TypeAlias = dict[str, Any]
Wrapper: TypeAlias = Callable[[Any, Any, Arguments, Keywords], Any]
"""A wrapper with wrapt's signature: the wrapped function, the instance, positional and keyword arguments."""

WrapperFactory: TypeAlias = Callable[[Kind], Wrapper]
"""Returns the wrapper for a function of the given kind."""


class Lifetime(Protocol):
    """What begins and ends with one run of a function. Its methods do not raise."""

    def enter(self) -> None:
        """Begin, and become current in the context."""

    def leave(self) -> Context:
        """Restore the context from before `enter`, and return the context in which the rest of the work runs."""
        ...

    def seen(self, item: Any) -> None:
        """Record an *item* that the function yields."""

    def end(self, result: Any, /) -> None:
        """End with the function's *result*, which is ``MISSING`` for a generator."""

    def fail(self, error: BaseException) -> None:
        """End with the *error* that the function raised."""


Describe: TypeAlias = Callable[[Any, Arguments, Keywords], Lifetime | None]
"""Returns the lifetime for a call, from its instance and arguments; None for a call that is not recorded."""

Until: TypeAlias = Callable[[Any, Lifetime], bool]
"""
Arranges that a lifetime ends when a returned object is complete.

Returns false if the object is already complete; the lifetime then ends at once.
"""


def describe_call(describe: Describe, instance: Any, args: Arguments, kwargs: Keywords) -> Lifetime | None:
    """Return the lifetime that *describe* makes; None also if it fails or if instrumentation is suppressed."""
    try:
        return describe(instance, args, kwargs) if is_instrumentation_enabled() else None
    except Exception as error:  # noqa: BLE001 - the framework may have changed; its call goes on
        swallow(f"describing a call in {getattr(describe, '__module__', '?')}", error)
        return None


def measured_call(lifetime: Lifetime) -> CallNode | None:
    """Return the node of the call whose stretches in the event loop's thread are measured; None if there is none."""
    return lifetime.measured if isinstance(lifetime, ToolCall) else None


def end_with_future(future: asyncio.Future[Any], lifetime: Lifetime) -> None:
    """End *lifetime* with the result, the error or the cancellation of *future*, which is done."""
    if future.cancelled():
        lifetime.fail(asyncio.CancelledError())
        return
    # The public method would mark the error as retrieved, and asyncio would no longer log it.
    error = getattr(future, "_exception", None)
    if error is not None:
        lifetime.fail(error)
    else:
        lifetime.end(future.result())


def is_named_error(error: BaseException, names: tuple[str, ...]) -> bool:
    """Return whether the class of *error*, or one of its base classes, has one of these *names*."""
    return bool(names) and any(kind.__name__ in names for kind in type(error).__mro__)


def argument(args: Arguments, kwargs: Keywords, position: int, name: str) -> Any:
    """Return the argument that is given by *name* or at *position*; None if it is not given."""
    if name in kwargs:
        return kwargs[name]
    return args[position] if 0 <= position < len(args) else None
