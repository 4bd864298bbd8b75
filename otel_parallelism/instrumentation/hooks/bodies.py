"""Bodies of calls that a framework runs in tasks of their own, where the call's wrapper does not see them suspend."""

from __future__ import annotations

from types import CoroutineType
from typing import TYPE_CHECKING, Any

from otel_parallelism import clock
from otel_parallelism.tracing.shield import swallow
from otel_parallelism.tracing.spans.profiled_calls import task_id
from otel_parallelism.tracing.spans.stretches import Stretches, end_stretch, measured
from otel_parallelism.tracing.state.existing_spans import around
from otel_parallelism.tracing.state.nodes import CallNode, SpanNode

if TYPE_CHECKING:
    from otel_parallelism.tracing.spans.kinds import Kind

    from .lifetimes import Arguments, Keywords, Wrapper, WrapperFactory


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
    if task == node.task:
        return await body
    part = Stretches(task)
    try:
        return await measured(body, part)
    finally:
        end_stretch(part, clock.now_ns())
        node.blocked_ns += part.blocked_ns
