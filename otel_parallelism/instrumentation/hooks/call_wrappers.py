"""Wrappers of functions that run one tool: each run is a call."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from otel_parallelism.model import Effect
from otel_parallelism.tracing.bytecode.layers import innermost_function
from otel_parallelism.tracing.shield import swallow
from otel_parallelism.tracing.spans.tool_call import ToolCall, framework_tool
from otel_parallelism.tracing.state.handed_objects import hold_dependencies
from otel_parallelism.tracing.state.nodes import MISSING

from .lifetime_wrappers import lifetime_wrapper
from .lifetimes import is_named_error

if TYPE_CHECKING:
    from types import CodeType

    from otel_parallelism.tracing.spans.kinds import Kind

    from .lifetimes import Arguments, Keywords, Lifetime, Until, Wrapper, WrapperFactory


_LONGEST_DESCRIPTION = 2_000


class CallFacts(msgspec.Struct, frozen=True):
    """
    What a framework knows about a tool call that it is about to make.

    Attributes:
        tool: The tool's name.
        call_id: The id that the model gave the call.
        arguments: The arguments by name; None if they are not known by name.
        effect: Whether the tool reads or writes.
        blocking: Whether the tool is a plain function that runs in the event loop's thread; None if that follows from
            the kind of the wrapped function.
        called_ns: When the framework decided to make the call; 0 if that is now.
        switch: The framework's setting that keeps the call from running beside others, such as ``max_concurrency=1``.
        pauses: Names of exception classes by which the framework pauses a call. These, and classes derived from them,
            do not count as failures.
        function: The function of the tool, or the method of its class. What it uses outside counts as handed over, and
            findings name where it is defined.
        shared: Objects of the program that the framework passes to all tools, by the name that tools know them by.
        injected: Objects of the framework, in which only objects that are known to be unsafe count.
        description: What the model reads of the tool; anything but a text counts as none.
        read: Returns the tool's own result where the wrapped function puts it into one of its arguments.
    """

    tool: str
    call_id: str = ""
    arguments: Mapping[str, Any] | None = None
    effect: Effect = "unknown"
    blocking: bool | None = None
    called_ns: int = 0
    pauses: tuple[str, ...] = ()
    function: Any = None
    shared: tuple[tuple[str, Any], ...] = ()
    injected: tuple[tuple[str, Any], ...] = ()
    switch: str = ""
    description: Any = ""
    read: Callable[[], Returned] | None = None


class Returned(msgspec.Struct, frozen=True):
    """The result of a call: its value, ``MISSING`` where none is available, and whether the tool failed."""

    value: Any
    failed: bool = False


class _ReadCall(ToolCall):
    """A call whose result is extracted from what the framework's function returns or yields."""

    __slots__ = ("_last", "_pauses", "_read", "instance")

    def __init__(
        self,
        facts: CallFacts,
        read: Callable[[Any], Returned] | None,
        *,
        blocking: bool,
        framework: str,
        instance: Any = None,
    ) -> None:
        blocking = blocking if facts.blocking is None else facts.blocking
        said = facts.description[:_LONGEST_DESCRIPTION] if isinstance(facts.description, str) else ""
        tool = framework_tool(facts.tool, facts.effect, blocking=blocking, framework=framework, description=said)
        super().__init__(tool, facts.call_id, facts.arguments, facts.switch)
        if facts.called_ns and self._node is not None:
            self._node.called_ns = facts.called_ns
        if self._node is not None and (facts.function is not None or facts.shared or facts.injected):
            try:
                hold_dependencies(self._node, facts.function, facts.shared, facts.injected, facts.arguments)
            except Exception as error:  # noqa: BLE001 - the data is optional
                swallow("noting what a framework passes to a tool", error)
        if self._node is not None:
            self._node.defined = defining_code(facts.function)
        put = facts.read
        self._read = read if put is None else lambda _: put()
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
            except Exception as error:  # noqa: BLE001 - the framework may have changed; the call ends anyway
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


def defining_code(function: Any) -> CodeType | None:
    """Return the code of *function*, which may be bound, partial or wrapped; None if it has none."""
    found = innermost_function(function)
    return None if found is None else found.__code__


def tool_call_wrapper(
    describe: Callable[[Any, Arguments, Keywords], CallFacts | None],
    read: Callable[[Any], Returned] | None = None,
    until: Until | None = None,
) -> WrapperFactory:
    """
    Return a factory of wrappers that make each run of a function a call.

    Args:
        describe: Returns the facts from instance and arguments; None for a run that is not a call.
        read: Extracts the tool's own result from what the function returns, or from the last item of a generator.
            Without it, the result is used as it is.
        until: As for `lifetime_wrapper`; the lifetime has the instance that the method belongs to as ``instance``.
    """
    framework = describe.__module__.rpartition(".")[2]

    def make(kind: Kind) -> Wrapper:
        blocking = kind in {"function", "generator"}

        def lifetime(instance: Any, args: Arguments, kwargs: Keywords) -> Lifetime | None:
            facts = describe(instance, args, kwargs)
            if facts is None or not facts.tool:
                return None
            bound = None if until is None else instance
            return _ReadCall(facts, read, blocking=blocking, framework=framework, instance=bound)

        return lifetime_wrapper(lifetime, until)(kind)

    return make
