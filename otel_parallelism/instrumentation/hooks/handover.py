"""
What a framework knows of a call where it decides to make it, kept for where the tool is run.

Between the two may lie its own span, filters and a thread. A span of ours outside of its own would tell of the call
twice; inside, the call's id is no longer known.
"""

from __future__ import annotations

from contextlib import suppress
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from otel_parallelism import clock
from otel_parallelism.tracing.shield import swallow

if TYPE_CHECKING:
    from collections.abc import Callable

    from otel_parallelism.tracing.spans.kinds import Kind

    from .lifetimes import Arguments, Keywords, Wrapper, WrapperFactory


class PendingCall:
    """A call that is about to be run: of which tool, by what id, and since when."""

    __slots__ = ("call_id", "called_ns", "tool")

    def __init__(self, tool: Any, call_id: str) -> None:
        self.tool: Any = tool
        self.call_id: str = call_id
        self.called_ns: int = clock.now_ns()


class PendingCalls:
    """The calls of one framework on their way from its decision to the tool."""

    def __init__(self, framework: str) -> None:
        self._handed: ContextVar[PendingCall | None] = ContextVar(f"otel_parallelism_{framework}", default=None)

    def given(self, describe: Callable[[Any, Arguments, Keywords], PendingCall]) -> WrapperFactory:
        """Return what wraps the coroutine function that decides; *describe* says for which tool, and may fail."""

        def make(_: Kind) -> Wrapper:
            async def run(wrapped: Any, instance: Any, args: Arguments, kwargs: Keywords) -> Any:
                try:
                    handed = describe(instance, args, kwargs)
                except Exception as error:  # noqa: BLE001 - a framework that has changed is no reason to fail
                    swallow("describing a call", error)
                    return await wrapped(*args, **kwargs)
                token = self._handed.set(handed)
                try:
                    return await wrapped(*args, **kwargs)
                finally:
                    # Closed by the garbage collector, it ends in another context.
                    with suppress(ValueError):
                        self._handed.reset(token)

            return run

        return make

    def taken(self, tool: Any) -> PendingCall | None:
        """Return the call that *tool* is run for, once; None for a run that nobody decided on: code calls the tool."""
        handed = self._handed.get()
        if handed is None or handed.tool is not tool:
            return None
        handed.tool = None
        return handed
