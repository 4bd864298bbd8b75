"""``@profiled``: makes every call of a function a tool call of the turn around it."""

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
from otel_parallelism.tracing.state.callers import INSIDE, calling_frame
from otel_parallelism.tracing.state.nodes import MISSING, CallNode
from otel_parallelism.tracing.state.tool import Tool, check

from .kinds import Profiled, Steps, drive, drive_async, kind_of
from .profiled_calls import begin, end, fail, leave

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
    partials and callable objects; what it returns is of the same kind and behaves the same.

    Args:
        function: What to decorate, where used without arguments.
        name: The tool's name; the function's own if not given.
        effect: ``read`` if calls change nothing, ``write`` if they do. Only reads, and calls on disjoint resources,
            are ever recommended to run together.
        resource: What calls read or write: a key, or a callable that computes one from the call's arguments. Two
            calls on one resource, one of them a write, keep their order.
        depends_on: The tools (names or decorated functions) whose results this one needs; an empty list declares
            that it needs none.
        silence: Whether findings about it are left out of reports, metrics and events (they are still counted).

    Raises:
        TypeError: What is decorated is no function, or an argument is of the wrong type.
        ValueError: *name* or *resource* is empty, or *effect* is unknown.
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
    """Return *function* as `profiled` decorates it; while *enabled* returns false its calls are not recorded."""
    kind = kind_of(function)
    blocking = kind in {"function", "generator"}
    tool = Tool(function, name, effect, resource, depends_on, silenced=silence, blocking=blocking)
    wrapper: Any = Profiled(function, _WRAPPERS[kind](tool), enabled=enabled)
    wrapper._self_tool = tool  # noqa: SLF001 - wrapt keeps attributes of that prefix on the wrapper
    return wrapper


def _called(tool: Tool, receiver: object, frame: FrameType) -> CallNode:
    """Return the node of a call of *tool*, a method of *receiver* if not None, made now by the code of *frame*."""
    code: CodeType | None = frame.f_code
    instruction = frame.f_lasti
    if frame.f_code.co_filename in INSIDE:
        outside = calling_frame(frame)
        code, instruction = (None, 0) if outside is None else (outside.f_code, outside.f_lasti)
    node = CallNode(
        None, None, 0, 0, 0, None, False, False, 0, 0, None,  # noqa: FBT003 - by position: keywords cost as much again
        tool, clock.now_ns(), code, instruction, get_ident(),
    )  # fmt: skip
    if receiver is not None:
        node.receiver = id(receiver)
    return node


def _coroutine(tool: Tool) -> Callable[..., Any]:
    async def run(wrapped: Any, args: tuple[Any, ...], kwargs: dict[str, Any], node: CallNode) -> Any:
        if not begin(node, args, kwargs):
            return await wrapped(*args, **kwargs)
        try:
            result = await (wrapped(*args, **kwargs) if kwargs else wrapped(*args))
        except BaseException as error:
            fail(node, error)
            raise
        end(node, result)
        return result

    def call(wrapped: Any, receiver: object, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        # When this runs, not when the body does, tells calls made together from calls made one by one.
        return run(wrapped, args, kwargs, _called(tool, receiver, sys._getframe(1)))  # noqa: SLF001 - as inspect's, cheaper

    return call


def _function(tool: Tool) -> Callable[..., Any]:
    def call(wrapped: Any, receiver: object, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        node = _called(tool, receiver, sys._getframe(1))  # noqa: SLF001 - as above
        if not begin(node, args, kwargs):
            return wrapped(*args, **kwargs)
        try:
            result = wrapped(*args, **kwargs)
        except BaseException as error:
            fail(node, error)
            raise
        if type(result) is CoroutineType:
            tool.blocking = False
            waiting = _await(result, node, leave(node))
            # A task that is cancelled before its first step throws it away, and nothing of it ever runs.
            weakref.finalize(waiting, _thrown_away, node).atexit = False
            return waiting
        if isinstance(result, asyncio.Future):
            tool.blocking = False
            return _follow(result, node)
        end(node, result)
        return result

    return call


async def _await(coroutine: Coroutine[Any, Any, Any], node: CallNode, context: Context) -> Any:
    """Await what a plain function returned: its call is over when the coroutine is."""
    try:
        with Steps(context):
            result = await coroutine
    except BaseException as error:
        fail(node, error)
        raise
    end(node, result)
    return result


def _thrown_away(node: CallNode) -> None:
    """End the call *node* if the coroutine that it returned, and that is no more, has not."""
    if not node.end_ns:
        fail(node, GeneratorExit())


def _follow(future: asyncio.Future[Any], node: CallNode) -> asyncio.Future[Any]:
    """Return *future*, which a plain function returned: its call is over when that is done."""
    leave(node)

    def done(future: asyncio.Future[Any]) -> None:
        if future.cancelled():
            fail(node, asyncio.CancelledError())
            return
        # Asked for through the private field: asking properly would count as having looked at the error.
        error = getattr(future, "_exception", None)
        if error is not None:
            fail(node, error)
        else:
            end(node, future.result())

    if future.done():
        # Its loop may be gone (a result that was kept, say), and would refuse to call anything.
        done(future)
    else:
        future.add_done_callback(done)
    return future


class _Streamed:
    """A call whose result goes out bit by bit: it lasts from the first item's making to the last."""

    __slots__ = ("_args", "_begun", "_kwargs", "_node")

    def __init__(self, node: CallNode, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self._node = node
        self._args = args
        self._kwargs = kwargs
        self._begun = False

    def start(self) -> Context:
        """Start the call; see ``Stretch``."""
        self._begun = begin(self._node, self._args, self._kwargs)
        return leave(self._node) if self._begun else get_current()

    def end(self, error: BaseException | None) -> None:
        """End the call; see ``Stretch``."""
        if not self._begun:
            return
        if error is None:
            end(self._node, MISSING)
        else:
            fail(self._node, error)


def _generator(tool: Tool) -> Callable[..., Any]:
    def call(wrapped: Any, receiver: object, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        node = _called(tool, receiver, sys._getframe(1))  # noqa: SLF001 - as above
        return drive(wrapped(*args, **kwargs), _Streamed(node, args, kwargs))

    return call


def _async_generator(tool: Tool) -> Callable[..., Any]:
    def call(wrapped: Any, receiver: object, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        node = _called(tool, receiver, sys._getframe(1))  # noqa: SLF001 - as above
        return drive_async(wrapped(*args, **kwargs), _Streamed(node, args, kwargs))

    return call


_WRAPPERS = {
    "coroutine": _coroutine,
    "function": _function,
    "generator": _generator,
    "async generator": _async_generator,
}
