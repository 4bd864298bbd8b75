"""``@profiled``: records every call of a function as a tool call."""

from __future__ import annotations

import asyncio
import sys
import weakref
from collections.abc import Callable, Coroutine, Iterable
from threading import get_ident
from types import CodeType, CoroutineType, FrameType
from typing import TYPE_CHECKING, Any, TypeVar, overload

from otel_parallelism import clock
from otel_parallelism.tracing.sdk.current import get_current
from otel_parallelism.tracing.state.callers import INSIDE, calling_frame, frames_around
from otel_parallelism.tracing.state.handed_objects import hold_receiver
from otel_parallelism.tracing.state.nodes import MISSING, SUSPENDED, CallNode
from otel_parallelism.tracing.state.tool import Tool, check

from .kinds import Profiled, Steps, drive, drive_async, kind_of
from .profiled_calls import abandon, begin, end, fail, leave
from .stretches import measured, resumed

if TYPE_CHECKING:
    from opentelemetry.context import Context

    from otel_parallelism.model import Effect

F = TypeVar("F", bound=Callable[..., Any])
Resource = str | Callable[..., object]
Dependencies = Iterable[str | Callable[..., Any]]


@overload
def profiled(function: F, /) -> F: ...
@overload
def profiled(
    *,
    name: str | None = None,
    effect: Effect | None = None,
    resource: Resource | None = None,
    depends_on: Dependencies | None = None,
    silence: bool = False,
) -> Callable[[F], F]: ...
def profiled(
    function: Any = None,
    /,
    *,
    name: str | None = None,
    effect: Effect | None = None,
    resource: Resource | None = None,
    depends_on: Dependencies | None = None,
    silence: bool = False,
) -> Any:
    """
    Record every call of the decorated function as a tool call, with a span ``execute_tool {name}``.

    Works on async and sync functions, methods (above or below ``@staticmethod`` and ``@classmethod``), generators,
    partials and callable objects. The result is of the same kind and behaves the same.

    Args:
        function: The function, if the decorator is used without arguments.
        name: The tool's name; default: the function's name.
        effect: ``read`` if calls change nothing, ``write`` if they do. Only reads, and calls on different resources,
            are ever recommended to run together.
        resource: What calls read or write: a key, or a callable that computes it from the call's arguments. Two calls
            on one resource keep their order if one of them writes.
        depends_on: The tools (names or decorated functions) whose results this tool needs; an empty list declares
            that it needs none.
        silence: Whether findings about this tool are left out of reports, metrics and events. They are still counted.

    Raises:
        TypeError: The decorated object is not a function, or an argument is of the wrong type.
        ValueError: *name* or *resource* is empty, or *effect* is neither ``read`` nor ``write``.
    """
    check(name, effect, resource, depends_on)
    depends_on = None if depends_on is None else list(depends_on)

    def decorate(function: Any) -> Any:
        if isinstance(function, type) or not (callable(function) or isinstance(function, (staticmethod, classmethod))):
            kind = "a class" if isinstance(function, type) else f"a {type(function).__name__}"
            raise TypeError(f"profiled decorates functions, not {kind}")
        return record(function, name, effect, resource, depends_on, silence=silence)

    return decorate if function is None else decorate(function)


def record(
    function: Any,
    name: str | None = None,
    effect: Effect | None = None,
    resource: Resource | None = None,
    depends_on: Dependencies | None = None,
    *,
    silence: bool = False,
    enabled: Callable[[], bool] | None = None,
) -> Any:
    """Return the decorated *function*. While *enabled* returns False, its calls are not recorded."""
    kind = kind_of(function)
    blocking = kind in {"function", "generator"}
    tool = Tool(function, name, effect, resource, depends_on, silenced=silence, blocking=blocking)
    wrapper: Any = Profiled(function, _WRAPPERS[kind](tool), enabled=enabled)
    wrapper._self_tool = tool  # noqa: SLF001 - wrapt keeps attributes of that prefix on the wrapper
    return wrapper


def _called(tool: Tool, receiver: object) -> CallNode:
    """Return the node of a call of *tool* that its wrapper makes now, on *receiver* if it is a method."""
    place: tuple[CodeType | None, int] = (None, 0)
    try:
        frame: FrameType | None = sys._getframe(2)  # noqa: SLF001 - as inspect's, cheaper
    except ValueError:
        # C code calls the wrapper: a new thread, a greenlet, a callback.
        frame = None
    if frame is not None:
        if frame.f_code.co_filename in INSIDE:
            frame = calling_frame(frame)
        place = (None, 0) if frame is None else (frame.f_code, frame.f_lasti)
    node = CallNode(
        None, None, 0, 0, 0, None, False, False, 0, 0, None,  # noqa: FBT003 - positional arguments: keywords double the cost
        tool, clock.now_ns(), *place, get_ident(),
    )  # fmt: skip
    node.around = None if frame is None else frames_around(frame)
    if receiver is not None:
        hold_receiver(node, receiver)
    return node


def _coroutine(tool: Tool) -> Callable[..., Any]:
    async def run(wrapped: Any, args: tuple[Any, ...], kwargs: dict[str, Any], node: CallNode) -> Any:
        try:
            if not begin(node, args, kwargs):
                return await wrapped(*args, **kwargs)
            node.resumed_ns = node.start_ns
            body = wrapped(*args, **kwargs) if kwargs else wrapped(*args)
            if type(body) is CoroutineType:
                # Most of the cost of `measured` is saved for a call that is never suspended.
                try:
                    awaited = body.send(None)
                except StopIteration as stop:
                    result = stop.value
                else:
                    result = await resumed(body, node, awaited)
            else:
                node.resumed_ns = SUSPENDED
                result = await body
            end(node, result)
        except BaseException as error:
            try:
                if node.span is not None:
                    fail(node, error)
            finally:
                # An interruption may come before the first instruction of `fail`.
                if node.span is not None:
                    abandon(node, error)
            raise
        return result

    def call(wrapped: Any, receiver: object, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        # This runs when the call is made, not when its body starts: calls made together differ from calls made one by
        # one.
        return run(wrapped, args, kwargs, _called(tool, receiver))

    return call


def _function(tool: Tool) -> Callable[..., Any]:
    def call(wrapped: Any, receiver: object, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        node = _called(tool, receiver)
        try:
            if not begin(node, args, kwargs):
                return wrapped(*args, **kwargs)
            node.resumed_ns = node.start_ns
            result = wrapped(*args, **kwargs)
            kind = type(result)
            if kind is CoroutineType:
                tool.blocking = False
                waiting = _await(result, node, leave(node))
                # A task cancelled before its first step drops the coroutine, and its code never runs.
                weakref.finalize(waiting, _dropped, node).atexit = False
                return waiting
            if issubclass(kind, asyncio.Future):
                tool.blocking = False
                return _follow(result, node)
            end(node, result)
        except BaseException as error:
            try:
                if node.span is not None:
                    fail(node, error)
            finally:
                # An interruption may come before the first instruction of `fail`.
                if node.span is not None:
                    abandon(node, error)
            raise
        return result

    return call


async def _await(coroutine: Coroutine[Any, Any, Any], node: CallNode, context: Context) -> Any:
    """Await the coroutine that a plain function returned; the call ends with it."""
    try:
        with Steps(context, node):
            result = await measured(coroutine, node)
        end(node, result)
    except BaseException as error:
        try:
            if node.span is not None:
                fail(node, error)
        finally:
            # An interruption may come before the first instruction of `fail`.
            if node.span is not None:
                abandon(node, error)
        raise
    return result


def _dropped(node: CallNode) -> None:
    """End the call *node*, whose coroutine was dropped, unless it has ended."""
    if not node.end_ns:
        fail(node, GeneratorExit())


def _follow(future: asyncio.Future[Any], node: CallNode) -> asyncio.Future[Any]:
    """Return *future*, which a plain function returned; the call ends when the future is done."""
    leave(node)

    def done(future: asyncio.Future[Any]) -> None:
        if future.cancelled():
            fail(node, asyncio.CancelledError())
            return
        # The private field, because exception() would mark the exception as retrieved.
        error = getattr(future, "_exception", None)
        if error is not None:
            fail(node, error)
        else:
            end(node, future.result())

    if future.done():
        # Its loop may be closed, and would then call no callback.
        done(future)
    else:
        future.add_done_callback(done)
    return future


class _Streamed:
    """A call of a generator: it lasts from the start of the first item to the end of the last."""

    __slots__ = ("_args", "_begun", "_kwargs", "measured")

    def __init__(self, node: CallNode, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.measured: CallNode = node
        self._args = args
        self._kwargs = kwargs
        self._begun = False

    def start(self) -> Context:
        """Start the call; see ``Stretch``."""
        try:
            self._begun = begin(self.measured, self._args, self._kwargs)
            return leave(self.measured) if self._begun else get_current()
        except BaseException as error:
            if self.measured.span is not None:
                abandon(self.measured, error)
            raise

    def end(self, error: BaseException | None) -> None:
        """End the call; see ``Stretch``."""
        if not self._begun or self.measured.span is None:
            return
        if error is None:
            end(self.measured, MISSING)
        else:
            fail(self.measured, error)


def _generator(tool: Tool) -> Callable[..., Any]:
    def call(wrapped: Any, receiver: object, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        node = _called(tool, receiver)
        return drive(wrapped(*args, **kwargs), _Streamed(node, args, kwargs))

    return call


def _async_generator(tool: Tool) -> Callable[..., Any]:
    def call(wrapped: Any, receiver: object, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        node = _called(tool, receiver)
        return drive_async(wrapped(*args, **kwargs), _Streamed(node, args, kwargs))

    return call


_WRAPPERS = {
    "coroutine": _coroutine,
    "function": _function,
    "generator": _generator,
    "async generator": _async_generator,
}
