"""
Calls that a framework has decided to make and not yet run, with what only the place of the decision knows.

Between the two may be the framework's own span, filters and a change of thread. A span of ours outside the framework's
span would record the call twice; inside it, the id of the call is no longer available.
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
    """A call that is about to run: its tool, its id, and since when it waits."""

    __slots__ = ("call_id", "called_ns", "tool")

    def __init__(self, tool: Any, call_id: str) -> None:
        self.tool: Any = tool
        self.call_id: str = call_id
        self.called_ns: int = clock.now_ns()


class PendingCalls:
    """The pending calls of one framework, one for each context."""

    def __init__(self, framework: str) -> None:
        self._pending: ContextVar[PendingCall | None] = ContextVar(f"otel_parallelism_{framework}", default=None)

    def recording_wrapper(self, describe: Callable[[Any, Arguments, Keywords], PendingCall]) -> WrapperFactory:
        """
        Return a factory of wrappers for the coroutine function that decides to make a call.

        Args:
            describe: Returns the pending call from instance and arguments; may fail.
        """

        def make(_: Kind) -> Wrapper:
            async def run(wrapped: Any, instance: Any, args: Arguments, kwargs: Keywords) -> Any:
                try:
                    pending = describe(instance, args, kwargs)
                except Exception as error:  # noqa: BLE001 - the framework may have changed; its call goes on
                    swallow("describing a call", error)
                    return await wrapped(*args, **kwargs)
                token = self._pending.set(pending)
                try:
                    return await wrapped(*args, **kwargs)
                finally:
                    # A coroutine that the garbage collector closes ends in another context.
                    with suppress(ValueError):
                        self._pending.reset(token)

            return run

        return make

    def take(self, tool: Any) -> PendingCall | None:
        """Return the pending call of *tool*, once; None for a run of the tool that the framework did not decide on."""
        pending = self._pending.get()
        if pending is None or pending.tool is not tool:
            return None
        pending.tool = None
        return pending
