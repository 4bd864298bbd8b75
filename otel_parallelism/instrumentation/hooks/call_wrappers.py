"""Wrappers around functions that run one tool: each run of them is a call."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from otel_parallelism.model import Effect
from otel_parallelism.tracing.shield import swallow
from otel_parallelism.tracing.spans.tool_call import ToolCall, framework_tool
from otel_parallelism.tracing.state.nodes import MISSING

from .lifetimes import is_named_error, lifetime_wrapper

if TYPE_CHECKING:
    from otel_parallelism.tracing.spans.kinds import Kind

    from .lifetimes import Arguments, Keywords, Lifetime, Until, Wrapper, WrapperFactory


class CallFacts(msgspec.Struct, frozen=True):
    """
    What a framework says of a tool call that it is about to make.

    ``call_id`` is what the model calls it; ``arguments`` are by name, None where they are not known as such.
    ``blocking``: the tool is a plain function, which the framework's coroutine calls in the event loop's thread; None
    where that is as the wrapped function is. ``called_ns`` is when the call was handed over to be run, 0 where that is
    now. An exception of a class named in ``pauses``, or derived from it, is how the framework stops for a while: no
    failure.
    """

    tool: str
    call_id: str = ""
    arguments: Mapping[str, Any] | None = None
    effect: Effect = "unknown"
    blocking: bool | None = None
    called_ns: int = 0
    pauses: tuple[str, ...] = ()


class Returned(msgspec.Struct, frozen=True):
    """What a call came to: its value, ``MISSING`` where it is none to look at, and whether the tool failed."""

    value: Any
    failed: bool = False


class _ReadCall(ToolCall):
    """A call whose result is read out of what the framework's function returns or hands out."""

    __slots__ = ("_last", "_pauses", "_read", "instance")

    def __init__(
        self, facts: CallFacts, read: Callable[[Any], Returned] | None, *, blocking: bool, instance: Any = None
    ) -> None:
        blocking = blocking if facts.blocking is None else facts.blocking
        super().__init__(framework_tool(facts.tool, facts.effect, blocking=blocking), facts.call_id, facts.arguments)
        if facts.called_ns and self._node is not None:
            self._node.called_ns = facts.called_ns
        self._read = read
        self.instance = instance
        self._pauses = facts.pauses
        self._last: Any = MISSING

    def seen(self, item: Any) -> None:
        self._last = item

    def end(self, result: Any = MISSING) -> None:
        if result is MISSING:
            result = self._last if self._read is not None else MISSING
        self._last = MISSING
        if result is not MISSING and self._read is not None:
            try:
                returned = self._read(result)
            except Exception as error:  # noqa: BLE001 - a framework that has changed is no reason to fail
                swallow("reading a call's result", error)
                returned = Returned(MISSING)
            if returned.failed:
                self.end_failed()
                return
            result = returned.value
        super().end(result)

    def fail(self, error: BaseException) -> None:
        if is_named_error(error, self._pauses):
            super().end(MISSING)
        else:
            super().fail(error)


def tool_call_wrapper(
    describe: Callable[[Any, Arguments, Keywords], CallFacts | None],
    read: Callable[[Any], Returned] | None = None,
    until: Until | None = None,
) -> WrapperFactory:
    """
    Return what wraps a function that runs one tool: each run of it is a call.

    Args:
        describe: Says which tool, from instance and arguments; None for what is no call.
        read: Finds the tool's own result in what the function returns (a generator: in its last item). Without it the
            result is taken as it is.
        until: As for `around`; the lifetime's ``instance`` is the one whose method this is.
    """

    def make(kind: Kind) -> Wrapper:
        blocking = kind in {"function", "generator"}

        def lifetime(instance: Any, args: Arguments, kwargs: Keywords) -> Lifetime | None:
            facts = describe(instance, args, kwargs)
            if facts is None or not facts.tool:
                return None
            return _ReadCall(facts, read, blocking=blocking, instance=None if until is None else instance)

        return lifetime_wrapper(lifetime, until)(kind)

    return make
