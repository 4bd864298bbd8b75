"""``@profiled``: makes every call of a function a tool call of the turn around it."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Coroutine, Iterable
from time import time_ns
from types import CodeType, CoroutineType, FrameType
from typing import Any, TypeVar, overload

from opentelemetry.context import Context, get_current

from otel_parallelism.model import Effect

from .callers import calling_frame
from .calls import STREAMED, begin, end, fail, leave
from .kinds import Profiled, Steps, drive, drive_async, kind_of
from .nodes import CallNode
from .tool import Tool, check

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
) -> Callable[[F], F]: ...
def profiled(
    function: Any = None,
    /,
    *,
    name: str | None = None,
    effect: Effect | None = None,
    resource: Resource | None = None,
    depends_on: Dependencies | None = None,
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
        tool = Tool(function, name, effect, resource, depends_on)
        wrapper = Profiled(function, _WRAPPERS[kind_of(function)](tool))
        wrapper._self_tool = tool  # noqa: SLF001 - wrapt keeps attributes of that prefix on the wrapper
        return wrapper

    return decorate if function is None else decorate(function)


def _place(frame: FrameType | None) -> tuple[CodeType | None, int]:
    frame = calling_frame(frame)
    return (None, 0) if frame is None else (frame.f_code, frame.f_lasti)


def _coroutine(tool: Tool) -> Callable[..., Any]:
    async def run(
        wrapped: Any, args: tuple[Any, ...], kwargs: dict[str, Any], called_ns: int, code: CodeType | None, at: int
    ) -> Any:
        node = begin(tool, args, kwargs, called_ns, code, at)
        if node is None:
            return await wrapped(*args, **kwargs)
        try:
            result = await wrapped(*args, **kwargs)
        except BaseException as error:
            fail(node, error)
            raise
        end(node, result)
        return result

    def call(wrapped: Any, _: object, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        # The time of this line, not of the body's first, tells calls made together from calls made one by one.
        frame = calling_frame(sys._getframe(1))  # noqa: SLF001 - what inspect.currentframe() returns, cheaper
        if frame is None:
            return run(wrapped, args, kwargs, time_ns(), None, 0)
        return run(wrapped, args, kwargs, time_ns(), frame.f_code, frame.f_lasti)

    return call


def _function(tool: Tool) -> Callable[..., Any]:
    def call(wrapped: Any, _: object, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        code, at = _place(sys._getframe(1))  # noqa: SLF001 - as above
        node = begin(tool, args, kwargs, time_ns(), code, at)
        if node is None:
            return wrapped(*args, **kwargs)
        try:
            result = wrapped(*args, **kwargs)
        except BaseException as error:
            fail(node, error)
            raise
        if type(result) is CoroutineType:
            return _await(result, node, leave(node))
        if isinstance(result, asyncio.Future):
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

    future.add_done_callback(done)
    return future


class _Streamed:
    """A call whose result goes out bit by bit: it lasts from the first item's making to the last."""

    __slots__ = ("_arguments", "_node")

    def __init__(self, *arguments: Any) -> None:
        self._arguments = arguments
        self._node: CallNode | None = None

    def start(self) -> Context:
        """Start the call; see ``Stretch``."""
        self._node = begin(*self._arguments)
        return get_current() if self._node is None else leave(self._node)

    def end(self, error: BaseException | None) -> None:
        """End the call; see ``Stretch``."""
        if self._node is None:
            return
        if error is None:
            end(self._node, STREAMED)
        else:
            fail(self._node, error)


def _generator(tool: Tool) -> Callable[..., Any]:
    def call(wrapped: Any, _: object, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        place = _place(sys._getframe(1))  # noqa: SLF001 - as above
        return drive(wrapped(*args, **kwargs), _Streamed(tool, args, kwargs, time_ns(), *place))

    return call


def _async_generator(tool: Tool) -> Callable[..., Any]:
    def call(wrapped: Any, _: object, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        place = _place(sys._getframe(1))  # noqa: SLF001 - as above
        return drive_async(wrapped(*args, **kwargs), _Streamed(tool, args, kwargs, time_ns(), *place))

    return call


_WRAPPERS = {
    "coroutine": _coroutine,
    "function": _function,
    "generator": _generator,
    "async generator": _async_generator,
}
