"""
The one seam to tracing: how calls that are made here become spans.

A call's span starts when its body runs; what it waited before, for a slot, a rate or a thread, is its queue time and
never its work. A function that is ``@profiled`` already is recorded here instead of by its decorator, which could not
know since when it waits: one span, with everything that was declared.
"""

from __future__ import annotations

import asyncio
import inspect
import types
from collections.abc import Awaitable, Callable, Generator, Iterable, Mapping
from contextvars import copy_context
from functools import partial
from threading import get_ident
from types import CodeType
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec
from opentelemetry.context import Context, attach

from otel_parallelism.errors import CancelledCallError
from otel_parallelism.model import Effect
from otel_parallelism.tracing.spans.kinds import kind_of
from otel_parallelism.tracing.spans.profiled_calls import begin, end, fail, leave
from otel_parallelism.tracing.state.callers import calling_frame
from otel_parallelism.tracing.state.nodes import CallNode
from otel_parallelism.tracing.state.tool import Tool, tool_name

from .isolation import is_cancelled, isolated, steps

if TYPE_CHECKING:
    from types import FrameType


Resource: TypeAlias = str | Callable[..., object]
Outcome: TypeAlias = tuple[Any, BaseException | None, CallNode | None, Context | None]
"""What came of a call in a thread: its result or its error; a node and its context where it must be awaited still."""


Place: TypeAlias = tuple[CodeType | None, int]
"""Where in which code something was asked for; the frame itself would keep its variables alive."""


def place_of(frame: FrameType) -> Place:
    """Return where *frame* is, or the first around it that is the user's; nowhere where an event loop comes first."""
    outside = calling_frame(frame)
    return (None, 0) if outside is None else (outside.f_code, outside.f_lasti)


class Recording:
    """
    How calls of one function are recorded.

    Attributes:
        function: What is called, without the decorator of ours that it may have had.
        name: The calls' tool name.
        tool: What was declared about it; None if no spans are wanted.
        is_async: Whether it is awaited in the event loop rather than run in a thread.
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
            function: What is called.
            name: The tool's name; the function's own if not given.
            effect: What calls do; what its decorator declared if not given.
            resource: What calls read or write; what its decorator declared if not given.
            depends_on: Tools that it needs besides those that its decorator declared.
            place: Where the calls were asked for.
            spans: Whether calls become spans.

        Raises:
            TypeError: *function* cannot be called, or is a generator function.
        """
        if not callable(function):
            raise TypeError(f"a function is needed, not {type(function).__name__}")
        kind = kind_of(function)
        if kind not in {"coroutine", "function"}:
            raise TypeError(f"{tool_name(function)}() is a generator function: it has no one result")
        self.function: Callable[..., Any]
        wrapped, self.function, self._args, self._kwargs = _undecorated(function)
        self.is_async: bool = kind == "coroutine"
        self.name: str = name or function_name(function)
        self._place = place
        self.tool: Tool | None = None
        if spans:
            self.tool = _tool(
                self.function, wrapped, self.name, effect=effect, resource=resource, depends_on=depends_on
            )

    @types.coroutine
    def isolated(
        self, args: tuple[Any, ...], kwargs: Mapping[str, Any], submitted_ns: int, call_id: str, *, whole: bool
    ) -> Generator[Any, Any, Any]:
        """
        Make a call of an async function in a context of its own, its span from here to its end; await the result.

        No coroutine around another: whatever the call waits for passes through each.

        Args:
            args: Positional arguments.
            kwargs: Keyword arguments.
            submitted_ns: Since when the call waits.
            call_id: What the model calls it.
            whole: Whether this is all there is to the call, no attempt of several and without a time that it may take.

        Raises:
            CancelledCallError: The call, as a *whole*, was cancelled from within.
        """
        context = copy_context()
        run = context.run
        if self._args or self._kwargs:
            args, kwargs = self._all(args, kwargs)
        node = None if self.tool is None else run(self._begin, args, kwargs, submitted_ns, call_id)
        try:
            coroutine = run(self.function, *args, **kwargs)
            if type(coroutine) is not types.CoroutineType:
                coroutine = _coroutine(coroutine)
            result = yield from steps(coroutine, context)
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
        """Call a function that is not async, in a thread; nothing is raised across threads."""
        args, kwargs = self._all(args, kwargs)
        node = None if self.tool is None else self._begin(args, kwargs, submitted_ns, call_id)
        try:
            result = self.function(*args, **kwargs)
        except BaseException as error:  # noqa: BLE001 - told where it is awaited
            if node is not None:
                fail(node, error)
            return None, error, None, None
        if inspect.isawaitable(result):
            return result, None, node, None if node is None else leave(node)
        if node is not None:
            end(node, result)
        return result, None, None, None

    def _all(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The arguments after those that a partial holds already."""
        if not self._args and not self._kwargs:
            return args, {**kwargs}
        return (*self._args, *args), {**self._kwargs, **kwargs}

    def _begin(
        self, args: tuple[Any, ...], kwargs: Mapping[str, Any], submitted_ns: int, call_id: str
    ) -> CallNode | None:
        """Start a call's span and make it the current one; there is a tool."""
        node = CallNode(
            None,
            None,
            0,
            0,
            tool=self.tool,  # type: ignore[arg-type] # as said
            called_ns=submitted_ns,
            code=self._place[0],
            instruction=self._place[1],
            thread=get_ident(),
            call_id=call_id,
        )
        if isinstance(self.function, types.MethodType):
            node.receiver = id(self.function.__self__)
        return node if begin(node, args, kwargs) else None


async def _coroutine(awaitable: Awaitable[Any]) -> Any:
    """Await what a function that is marked as async returned, which need not be a coroutine."""
    return await awaitable


async def result_of(outcome: Outcome) -> Any:
    """Return the result of a call made in a thread; what it returned is awaited if it can be, as part of the call."""
    result, error, node, context = outcome
    if error is not None:
        # A StopIteration would end the coroutine that it is raised in.
        if isinstance(error, StopIteration):
            raise RuntimeError(f"the call raised {error!r}") from error
        raise error
    if not inspect.isawaitable(result):
        return result
    return await isolated(_rest(result, node, context), copy_context())


def drop(outcome: Outcome) -> None:
    """Let go of what a call in a thread returned, since its caller no longer waits."""
    result, _, node, context = outcome
    if inspect.iscoroutine(result):
        result.close()
    if node is not None and context is not None:
        fail(node, asyncio.CancelledError())


async def _rest(awaitable: Any, node: CallNode | None, context: Context | None) -> Any:
    if node is None or context is None:
        return await awaitable
    attach(context)  # and never detached: the context of this call ends with it
    try:
        result = await awaitable
    except BaseException as error:
        fail(node, error)
        raise
    end(node, result)
    return result


class Declared(msgspec.Struct, frozen=True):
    """What ``@profiled`` was told about a function; None and ``()`` where nothing."""

    name: str
    effect: Effect | None
    resource: Resource | None
    depends_on: tuple[str, ...]


def declared(function: Any) -> Declared | None:
    """Return what was declared about *function*, a method or a partial of it; None if it is not profiled."""
    tool = _undecorated(function)[0]
    if tool is None:
        return None
    return Declared(tool.name, _effect(tool), tool.resource_of or tool.resource or None, tool.depends_on or ())


def function_name(function: Any) -> str:
    """Return the tool name that *function* goes by: as declared, or its own."""
    tool = _undecorated(function)[0]
    return tool_name(function) if tool is None else tool.name


def _effect(tool: Tool) -> Effect | None:
    return tool.effect if tool.effect_source == "declared" and tool.effect != "unknown" else None


def _undecorated(function: Any) -> tuple[Tool | None, Any, tuple[Any, ...], dict[str, Any]]:
    """Take *function* apart: what was declared about it, what it wraps, and the arguments that a partial holds."""
    if isinstance(function, partial):
        tool, inner, args, kwargs = _undecorated(function.func)
        if tool is None:
            return None, function, (), {}
        return tool, inner, (*args, *function.args), {**kwargs, **function.keywords}
    # A method's wrapper is reached through the instance as another wrapper, around the bound method.
    holder = getattr(function, "_self_parent", None)
    tool = getattr(function if holder is None else holder, "_self_tool", None)
    if not isinstance(tool, Tool):
        return None, function, (), {}
    return tool, function.__wrapped__, (), {}


def _tool(
    function: Callable[..., Any],
    declared: Tool | None,
    name: str,
    *,
    effect: Effect | None,
    resource: Resource | None,
    depends_on: Iterable[str] | None,
) -> Tool:
    needed = None if depends_on is None else tuple(depends_on)
    if declared is None:
        return Tool(function, name, effect, resource, needed)
    if name == declared.name and effect is None and resource is None and not needed:
        return declared
    return Tool(
        function,
        name,
        effect or _effect(declared),
        resource or declared.resource_of or declared.resource or None,
        needed if declared.depends_on is None else tuple(dict.fromkeys((*declared.depends_on, *(needed or ())))),
    )
