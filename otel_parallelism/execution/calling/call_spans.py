"""
Records the calls that this package makes as spans.

A call's span starts when its body runs. The time that it waited before, for a slot, a rate or a thread, is its queue
time. A ``@profiled`` function is recorded here instead of by its decorator, which does not know the queue time, so a
call has one span with everything that is declared.
"""

from __future__ import annotations

import asyncio
import inspect
import types
from contextvars import copy_context
from threading import get_ident
from types import CodeType
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec
from opentelemetry.context import Context, attach

from otel_parallelism.errors import CancelledCallError
from otel_parallelism.tracing.spans.kinds import kind_of
from otel_parallelism.tracing.spans.profiled_calls import begin, end, fail, leave
from otel_parallelism.tracing.spans.stretches import measured
from otel_parallelism.tracing.state.callers import calling_frame, frame_above
from otel_parallelism.tracing.state.handed_objects import hold_receiver
from otel_parallelism.tracing.state.nodes import CallNode
from otel_parallelism.tracing.state.tool import Tool, tool_name

from .declarations import Resource, combined_tool, function_name, undecorated
from .isolation import driven_steps, is_cancelled, isolated

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Generator, Iterable, Mapping

    from otel_parallelism.model import Effect


class Outcome(msgspec.Struct):
    """The result or the error of a call in a thread; its node and context if the result is still to be awaited."""

    result: Any = None
    error: BaseException | None = None
    node: CallNode | None = None
    context: Context | None = None


Place: TypeAlias = tuple[CodeType | None, int]
"""A code object and an instruction in it. A frame would keep its variables alive."""


def calling_place() -> Place:
    """
    Return the place of the innermost user frame around the calling function.

    Returns:
        ``(None, 0)`` if there is none, or an event loop comes first.
    """
    outside = calling_frame(frame_above(2))
    return (None, 0) if outside is None else (outside.f_code, outside.f_lasti)


class Recording:
    """
    Makes and records the calls of one function.

    Attributes:
        function: The function, without ``@profiled``.
        name: The tool name of the calls.
        tool: The declarations for the spans; None if calls make no spans.
        is_async: Whether the function is awaited in the event loop rather than run in a thread.
    """

    __slots__ = ("_args", "_kwargs", "_place", "function", "is_async", "name", "tool")

    def __init__(
        self,
        function: Callable[..., Any],
        *,
        name: str | None = None,
        effect: Effect | None = None,
        resource: Resource | None = None,
        depends_on: Iterable[str] | None = None,
        place: Place = (None, 0),
        spans: bool = True,
    ) -> None:
        """
        Args:
            function: The function to call.
            name: The tool name; by default the declared name or the function's.
            effect: The effect of the calls; by default the declared one.
            resource: The resource of the calls; by default the declared one.
            depends_on: Tools that the calls need, besides the declared ones.
            place: The place in the user's code that requests the calls.
            spans: Whether calls make spans.

        Raises:
            TypeError: *function* cannot be called, or is a generator function.
        """
        if not callable(function):
            raise TypeError(f"expected a function, not {type(function).__name__}")
        kind = kind_of(function)
        if kind not in {"coroutine", "function"}:
            raise TypeError(f"{tool_name(function)}() is a generator function, which has no single result")
        self.function: Callable[..., Any]
        wrapped, self.function, self._args, self._kwargs = undecorated(function)
        self.is_async: bool = kind == "coroutine"
        self.name: str = name or function_name(function)
        self._place = place
        self.tool: Tool | None = None
        if spans:
            self.tool = combined_tool(
                self.function, wrapped, self.name, effect=effect, resource=resource, depends_on=depends_on
            )

    @types.coroutine
    def isolated(
        self, args: tuple[Any, ...], kwargs: Mapping[str, Any], submitted_ns: int, call_id: str, *, whole: bool
    ) -> Generator[Any, Any, Any]:
        """
        Call an async function in a copy of the context, with a span; await the result.

        This is a generator rather than a coroutine, so that no further coroutine passes on each wait.

        Args:
            args: Positional arguments.
            kwargs: Keyword arguments.
            submitted_ns: When the call began to wait, in nanoseconds since the epoch.
            call_id: The model's id of the call.
            whole: Whether this is the whole call, rather than one attempt or a call with a timeout.

        Raises:
            CancelledCallError: The function cancelled itself, and *whole* is true.
        """
        context = copy_context()
        run = context.run
        if self._args or self._kwargs:
            args, kwargs = self._all(args, kwargs)
        node = None if self.tool is None else run(self._begin, args, kwargs, submitted_ns, call_id)
        try:
            coroutine: Any = run(self.function, *args, **kwargs)
            if type(coroutine) is not types.CoroutineType:
                coroutine = _coroutine(coroutine)
            body: Any = coroutine if node is None else measured(coroutine, node)
            result = yield from driven_steps(body, context)  # pyright: ignore[reportArgumentType] - seen as awaitable only
        except BaseException as error:
            if node is not None:
                run(fail, node, error)
            if whole and isinstance(error, asyncio.CancelledError) and not is_cancelled():
                raise CancelledCallError(f"{self.name} was cancelled from within") from error
            raise
        if node is not None:
            run(end, node, result)
        return result

    def run(self, args: tuple[Any, ...], kwargs: Mapping[str, Any], submitted_ns: int, call_id: str) -> Outcome:
        """Call a sync function in the current worker thread; return its error rather than raise it."""
        args, kwargs = self._all(args, kwargs)
        node = None if self.tool is None else self._begin(args, kwargs, submitted_ns, call_id)
        try:
            result = self.function(*args, **kwargs)
        except BaseException as error:  # noqa: BLE001 - raised where the outcome is awaited
            if node is not None:
                fail(node, error)
            return Outcome(error=error)
        if is_awaitable(result):
            return Outcome(result, None, node, None if node is None else leave(node))
        if node is not None:
            end(node, result)
        return Outcome(result)

    def _all(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Return the arguments, after those of a partial."""
        if not self._args and not self._kwargs:
            return args, {**kwargs}
        return (*self._args, *args), {**self._kwargs, **kwargs}

    def _begin(
        self, args: tuple[Any, ...], kwargs: Mapping[str, Any], submitted_ns: int, call_id: str
    ) -> CallNode | None:
        """Start a call's span and make it current; None if it is not recorded. ``tool`` is not None."""
        node = CallNode(
            None,
            None,
            0,
            0,
            tool=self.tool,  # type: ignore[arg-type] # see above
            called_ns=submitted_ns,
            code=self._place[0],
            instruction=self._place[1],
            thread=get_ident(),
            call_id=call_id,
        )
        if isinstance(self.function, types.MethodType):
            hold_receiver(node, self.function.__self__)
        return node if begin(node, args, kwargs) else None


async def _coroutine(awaitable: Awaitable[Any]) -> Any:
    """Await an awaitable that is no coroutine."""
    return await awaitable


async def outcome_result(outcome: Outcome) -> Any:
    """Return the result of a call made in a thread; an awaitable result is awaited as part of the call."""
    # The frames of the thread hold the outcome, and the error's traceback leads to them: a reference cycle.
    error, outcome.error = outcome.error, None
    if error is not None:
        try:
            # Python turns a StopIteration that a coroutine raises into a RuntimeError without this message.
            if isinstance(error, StopIteration):
                raise RuntimeError(f"the call raised {error!r}") from error  # noqa: TRY004 - as Python does
            raise error
        finally:
            del error  # as above
    if not is_awaitable(outcome.result):
        return outcome.result
    return await isolated(_rest(outcome.result, outcome.node, outcome.context), copy_context())


def is_awaitable(result: object) -> bool:
    """Return whether *result* can be awaited; asks its type only, as a lazy object may run code for anything else."""
    kind = type(result)
    if kind is types.GeneratorType:
        return bool(result.gi_code.co_flags & inspect.CO_ITERABLE_COROUTINE)  # type: ignore[attr-defined] # a generator
    return any("__await__" in vars(base) for base in kind.__mro__)


def discard_outcome(outcome: Outcome) -> None:
    """Close the result of a call in a thread whose caller no longer waits, and end its span."""
    if type(outcome.result) is types.CoroutineType:
        outcome.result.close()
    if outcome.node is not None and outcome.context is not None:
        fail(outcome.node, asyncio.CancelledError())


async def _rest(awaitable: Any, node: CallNode | None, context: Context | None) -> Any:
    if node is None or context is None:
        return await awaitable
    attach(context)  # not detached: the context ends with the call
    try:
        result = await awaitable
    except BaseException as error:
        fail(node, error)
        raise
    end(node, result)
    return result
