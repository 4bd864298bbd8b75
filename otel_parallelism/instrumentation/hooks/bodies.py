"""
Bodies of calls that run in tasks of their own, where the call's wrapper does not see them suspend.

A framework may start such a task, or a server in the same process, which receives the context with the request.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import CoroutineType
from typing import TYPE_CHECKING, Any, TypeAlias

from opentelemetry.instrumentation.utils import is_instrumentation_enabled

from otel_parallelism import clock
from otel_parallelism.analysis.turns.counterparts import same_tool
from otel_parallelism.tracing.shield import swallow
from otel_parallelism.tracing.spans.profiled_calls import task_id
from otel_parallelism.tracing.spans.stretches import Stretches, end_stretch, measured
from otel_parallelism.tracing.state.existing_spans import around
from otel_parallelism.tracing.state.handed_objects import hold_dependencies
from otel_parallelism.tracing.state.nodes import CallNode, SpanNode

from .call_wrappers import defining_code

if TYPE_CHECKING:
    from otel_parallelism.tracing.spans.kinds import Kind

    from .lifetimes import Arguments, Keywords, Wrapper, WrapperFactory

_MOST_SPANS = 16
"""How many spans between a body and its call are passed: those of a client, a transport and a server."""

ServedTool: TypeAlias = Callable[[Any, "Arguments", "Keywords"], tuple[str, Any] | None]
"""Returns the name and the function, None if unknown, of the tool that a server runs; None if it runs no tool."""


def body_wrapper(position: int, name: str) -> WrapperFactory:
    """
    Return a factory of wrappers for a function that runs the body of a call, a coroutine, in a task of its own.

    Args:
        position: The position of the coroutine among the arguments.
        name: Its name there.
    """

    def make(_: Kind) -> Wrapper:
        def call(wrapped: Any, _: Any, args: Arguments, kwargs: Keywords) -> Any:
            if name in kwargs:
                return wrapped(*args, **{**kwargs, name: _followed(kwargs[name])})
            if position < len(args):
                return wrapped(*args[:position], _followed(args[position]), *args[position + 1 :], **kwargs)
            return wrapped(*args, **kwargs)

        return call

    return make


def served_body_wrapper(describe: ServedTool) -> WrapperFactory:
    """
    Return a factory of wrappers for a coroutine function by which a server runs a tool.

    If the call of this very tool is open in this process, what the tool holds the event loop for is added to it.
    Nothing else is recorded: the call may come from another process.
    """

    def make(_: Kind) -> Wrapper:
        async def call(wrapped: Any, instance: Any, args: Arguments, kwargs: Keywords) -> Any:
            # The context is that of the task that runs this, not of the code that called the function.
            node = _answered(describe, instance, args, kwargs)
            body = wrapped(*args, **kwargs)
            return await (body if node is None or type(body) is not CoroutineType else _run(body, node))

        return call

    return make


def _answered(describe: ServedTool, instance: Any, args: Arguments, kwargs: Keywords) -> CallNode | None:
    """Return the open call that a server answers with this run of a tool, or None."""
    try:
        served = describe(instance, args, kwargs) if is_instrumentation_enabled() else None
        node = None if served is None else _caller_of(served[0])
        if served is not None and node is not None:
            _note_function(node, served[1])
    except Exception as error:  # noqa: BLE001 - the body runs unmeasured
        swallow("looking for the call that a server answers", error)
        return None
    return node


def _note_function(node: CallNode, function: Any) -> None:
    if function is not None and node.defined is None:
        node.defined = defining_code(function)
        # The client knows the arguments; other parameters come from the server.
        hold_dependencies(node, function, (), (), node.arguments if isinstance(node.arguments, Mapping) else None)


def _caller_of(tool: str) -> CallNode | None:
    """Return the innermost open call in the current context if it is a framework's call of *tool*, else None."""
    node = around()
    for _ in range(_MOST_SPANS):
        call = node.facts if isinstance(node, SpanNode) else node
        if isinstance(call, CallNode):
            return call if call.framework and not call.end_ns and same_tool(call.tool.name, tool) else None
        if not isinstance(node, SpanNode):
            break
        node = node.parent
    return None


def _followed(body: Any) -> Any:
    """Return *body*, with what it holds the event loop for added to the call in whose context it is made."""
    try:
        node = around()
        if isinstance(node, SpanNode):
            node = node.facts if isinstance(node.facts, CallNode) else None
        if not isinstance(node, CallNode) or node.end_ns or type(body) is not CoroutineType:
            return body
    except Exception as error:  # noqa: BLE001 - the body runs unmeasured
        swallow("looking for the call of a body", error)
        return body
    return _run(body, node)


async def _run(body: Any, node: CallNode) -> Any:
    task = task_id()
    if task in {node.task, node.body_task}:
        return await body
    part = Stretches(task)
    node.body_task = task
    try:
        return await measured(body, part)
    finally:
        end_stretch(part, clock.now_ns())
        node.body_task = 0
        # A call that was given up may have ended before.
        if not node.end_ns:
            node.long_ns += part.long_ns
            if part.blocked_ns:
                node.blocked_ns += part.blocked_ns
                node.thread = part.thread
