"""Wrappers that record each call of a decorated function, one for each kind of function."""

from __future__ import annotations

import asyncio
import sys
from threading import get_ident
from types import CodeType, CoroutineType, FrameType, FunctionType, coroutine
from typing import TYPE_CHECKING, Any
from weakref import ref

from otel_parallelism import clock
from otel_parallelism.interruptions import is_interruption
from otel_parallelism.tracing.sdk.current import get_current
from otel_parallelism.tracing.state.callers import (
    PROGRAM_FILES,
    SUBMITTED,
    calling_frame,
    current_task,
    frames_around,
    program_frames_around,
    running_loop,
    submitted_stack,
)
from otel_parallelism.tracing.state.handed_objects import hold_receiver
from otel_parallelism.tracing.state.nodes import MISSING, SCOPE_KEY, SUSPENDED, CallNode

from .arguments import bound_to_first, check_arguments, positional_bounds
from .depth.deep_calls import FRAMES, RESUMED_FRAMES, call_deep, is_deep, with_room
from .function_names import copy_named_like, name_like
from .generator_steps import Steps, StreamedCall, drive, drive_async
from .kinds import is_awaited
from .profiled_calls import abandon, begin, end, fail, leave
from .stretches import measured, resumed

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.context import Context

    from otel_parallelism.tracing.state.tool import Tool

_frame = sys._getframe  # noqa: SLF001 - as inspect's, cheaper
_UNSHARED = 2 if sys.version_info < (3, 14) else 1
"""The references that ``sys.getrefcount`` counts to an object that one variable holds."""


def _called(tool: Tool, receiver: object) -> CallNode:  # noqa: C901 - as `_coroutine`
    """Return the node of a call of *tool* that its wrapper makes now, on *receiver* if it is a method."""
    code: CodeType | None = None
    instruction = 0
    around: tuple[object, ...] | None = None
    calling_task: object = None
    try:
        frame: FrameType | None = _frame(2)
    except ValueError:
        # C code calls the wrapper: a new thread, a greenlet, a callback.
        frame = None
    nearest = frame
    if frame is not None:
        code = frame.f_code
        if code.co_filename not in PROGRAM_FILES:
            frame = calling_frame(frame)
            code = None if frame is None else frame.f_code
        if frame is not None:
            instruction = frame.f_lasti
            try:
                inside = type(get_current().get(SCOPE_KEY)) is CallNode
            except Exception as error:
                if is_interruption(error):
                    raise
                inside = True  # The program has attached something that is no context; `begin` counts the failure.
            around = program_frames_around(frame) if inside else frames_around(frame)
            # As `callers.calling_task`, without another call.
            loop = running_loop()
            if loop is not None:
                try:
                    calling_task = ref(current_task(loop))
                except TypeError:
                    calling_task = None  # outside of a task, or in one of another kind
    if SUBMITTED and (submitted := SUBMITTED.get(get_ident())) is not None:
        stack = submitted_stack(nearest, submitted)
        if stack is not None:
            calling_task, code, instruction, *rest = stack
            around = tuple(rest)
    node = CallNode(
        None, None, 0, 0, 0, None, False, False, 0, 0, None, None, False, None, None, 0,  # noqa: FBT003 - positional arguments: keywords double the cost
        tool, clock.BEGAN_NS + clock.passed_ns(), code, instruction, get_ident(),
    )  # fmt: skip
    node.around = around
    node.calling_task = calling_task
    if receiver is not None:
        hold_receiver(node, receiver)
    return node


def _coroutine(tool: Tool) -> Callable[..., Any]:  # noqa: C901 - runs for every call: a function more would cost time
    async def run(wrapped: Any, args: tuple[Any, ...], kwargs: dict[str, Any], node: CallNode) -> Any:
        try:
            if not begin(node, args, kwargs):
                return await wrapped(*args, **kwargs)
            node.resumed_ns = node.start_ns
            body = wrapped(*args, **kwargs) if kwargs else wrapped(*args)
            if type(body) is CoroutineType:
                if type(node.parent) is CallNode:
                    body = with_room(body, node, FRAMES, RESUMED_FRAMES)
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
        if receiver is None and tool.owner is not None:
            wrapped, receiver, args = bound_to_first(tool.owner, wrapped, args)
        # This runs when the call is made, not when its body starts: calls made together differ from calls made one by
        # one.
        number = len(args)
        if type(wrapped) is not FunctionType:
            number += 1
        if kwargs or number < least or number > most:
            check_arguments(wrapped, args, kwargs)
        return run(wrapped, args, kwargs, _called(tool, receiver))

    name_like(run, tool.function)
    least, most = positional_bounds(tool.function)
    return call


def _function(tool: Tool) -> Callable[..., Any]:
    def call(wrapped: Any, receiver: object, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if receiver is None and tool.owner is not None:
            wrapped, receiver, args = bound_to_first(tool.owner, wrapped, args)
        node = _called(tool, receiver)
        try:
            if not begin(node, args, kwargs):
                return wrapped(*args, **kwargs)
            node.resumed_ns = node.start_ns
            deep = type(node.parent) is CallNode and is_deep(node)
            result = call_deep(node, FRAMES, wrapped, *args, **kwargs) if deep else wrapped(*args, **kwargs)
            kind = type(result)
            if kind is CoroutineType and sys.getrefcount(result) > _UNSHARED:
                # The program may await it elsewhere, or compare it.
                end(node, MISSING)
                return result
            if kind is CoroutineType:
                tool.blocking = False
                waiting: Any = _await(_Unawaited(result, node), node, leave(node))
                waiting.__name__, waiting.__qualname__ = result.__name__, result.__qualname__
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


class _Unawaited:
    """
    The coroutine that a plain function returned, until our coroutine around it starts.

    The code of ours never runs if it is closed or dropped first, as by a task that is cancelled before its first step.
    """

    __slots__ = ("_coroutine", "_node")

    def __init__(self, coroutine: CoroutineType[Any, Any, Any], node: CallNode) -> None:
        self._node = node
        self._coroutine: CoroutineType[Any, Any, Any] | None = coroutine

    def take(self) -> Any:
        """Return the coroutine; what becomes of it is the caller's task."""
        coroutine, self._coroutine = self._coroutine, None
        # What interrupts `__del__` would be lost.
        self.__class__ = _Awaited  # type: ignore[assignment] # of the same layout
        return coroutine

    def __del__(self) -> None:
        """End the call. Python warns of our coroutine if it was never awaited, and would warn again of this one."""
        coroutine = getattr(self, "_coroutine", None)  # an interruption may come before it is set
        if coroutine is not None:
            coroutine.close()
            if self._node.span is not None:
                fail(self._node, GeneratorExit())


class _Awaited:
    """What an `_Unawaited` becomes: nothing is left to do."""

    __slots__ = ("_coroutine", "_node")


async def _await(unawaited: _Unawaited, node: CallNode, context: Context) -> Any:
    """Await the coroutine that a plain function returned; the call ends with it."""
    steps = Steps(context, node)
    try:
        with steps:
            result = await measured(unawaited.take(), node)
        end(node, result)
    except BaseException as error:
        steps.drop()
        try:
            if node.span is not None:
                fail(node, error)
        finally:
            # An interruption may come before the first instruction of `fail`.
            if node.span is not None:
                abandon(node, error)
        raise
    return result


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


def _generator(tool: Tool) -> Callable[..., Any]:
    drive_named = copy_named_like(drive, tool.function)
    drive_awaited = coroutine(copy_named_like(drive, tool.function))

    def call(wrapped: Any, receiver: object, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if receiver is None and tool.owner is not None:
            wrapped, receiver, args = bound_to_first(tool.owner, wrapped, args)
        node = _called(tool, receiver)
        if is_awaited(wrapped):
            streamed = StreamedCall(node, args, kwargs)
            return drive_awaited(wrapped(*args, **kwargs), streamed, streamed.keep)
        return drive_named(wrapped(*args, **kwargs), StreamedCall(node, args, kwargs))

    return call


def _async_generator(tool: Tool) -> Callable[..., Any]:
    drive_named = copy_named_like(drive_async, tool.function)

    def call(wrapped: Any, receiver: object, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if receiver is None and tool.owner is not None:
            wrapped, receiver, args = bound_to_first(tool.owner, wrapped, args)
        node = _called(tool, receiver)
        return drive_named(wrapped(*args, **kwargs), StreamedCall(node, args, kwargs))

    return call


WRAPPERS = {
    "coroutine": _coroutine,
    "function": _function,
    "generator": _generator,
    "async generator": _async_generator,
}
"""For each kind of function, what makes the wrapper that records its calls."""
