"""A tool call that a framework makes: a span of ours, or what we know of it where somebody else's is open."""

from __future__ import annotations

from functools import lru_cache
from threading import get_ident
from typing import TYPE_CHECKING, Any

from otel_parallelism import clock, names
from otel_parallelism.tracing.sdk.current import get_current
from otel_parallelism.tracing.shield import swallow
from otel_parallelism.tracing.state.call_contents import hold_arguments, hold_result
from otel_parallelism.tracing.state.existing_spans import around, call_around
from otel_parallelism.tracing.state.live_tree import new_span_id
from otel_parallelism.tracing.state.nodes import MISSING, CallNode, SpanNode
from otel_parallelism.tracing.state.registry import REGISTRY
from otel_parallelism.tracing.state.tool import Tool

from .details import write_error
from .profiled_calls import begin, end, fail, leave, task_id

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.context import Context

    from otel_parallelism.model import Effect


@lru_cache(maxsize=4096)
def framework_tool(name: str, effect: Effect = "unknown", *, blocking: bool = False) -> Tool:
    """
    Return the tool called *name*, the same one each time.

    Args:
        name: As the model calls it.
        effect: What the framework knows of it.
        blocking: Whether it is run by calling a plain function, which whoever runs it waits for.
    """
    tool = Tool(None, name, None if effect == "unknown" else effect, None, None, blocking=blocking)
    tool.effect_source = "framework" if effect != "unknown" else ""
    return tool


class ToolFailedError(Exception):
    """Stands for an error that a framework has turned into a result; its type is what a span shows of it."""


class ToolCall:
    """
    One execution of a tool by a framework, from when its wrapper is called.

    ``enter`` begins it, ``end`` or ``fail`` ends it; none of them raises. Where another instrumentation's or the
    framework's own span of this call is open already, none is made: that one's call gets what is known here. So does
    a call of ours around it, which another framework told: an agent's tool that a server of the Model Context Protocol
    runs.
    """

    __slots__ = ("_arguments", "_node", "_quiet", "_told")

    def __init__(self, tool: Tool, call_id: str = "", arguments: Mapping[str, Any] | None = None) -> None:
        """
        Args:
            tool: What is called; see `framework_tool`.
            call_id: What the model calls this call, if that is known.
            arguments: By name, if known; held as evidence as a decorated call's are.
        """
        self._arguments = arguments
        self._quiet = False
        self._told: CallNode | None = None
        self._node: CallNode | None = CallNode(
            None, None, 0, 0, tool=tool, called_ns=clock.now_ns(), thread=get_ident(), call_id=call_id, framework=True
        )

    def enter(self) -> None:
        """Begin: the body is about to run."""
        node = self._node
        if node is None:
            return
        node.whole = self._arguments is not None
        try:
            theirs = call_around(around(), node.tool.name, node.call_id)
        except Exception as error:  # noqa: BLE001 - the call goes on, with a span of ours
            swallow("looking for a call's own span", error)
            theirs = None
        if isinstance(theirs, SpanNode):
            self._quiet = True
            self._note(node, theirs)
        elif theirs is not None:
            self._told, self._node = theirs, None
            self._pass_on(theirs, node.tool.effect)
        elif not begin(node, (), {} if self._arguments is None else dict(self._arguments)):
            self._node = None
        self._arguments = None

    def _pass_on(self, told: CallNode, effect: Effect) -> None:
        if effect == "unknown" or told.tool.effect != "unknown":
            return
        try:
            told.tool = framework_tool(told.tool.name, effect, blocking=told.tool.blocking)
            if told.span is not None:
                told.span.set_attribute(names.EFFECT, effect)
        except Exception as error:  # noqa: BLE001 - as below
            swallow("passing on a call's effect", error)

    def _note(self, node: CallNode, theirs: SpanNode) -> None:
        try:
            node.parent = theirs
            node.span_id = new_span_id()
            node.start_ns = clock.now_ns()
            node.task = task_id()
            if REGISTRY.evidence and self._arguments is not None:
                hold_arguments(node, (), self._arguments)
            theirs.facts = node
        except Exception as error:  # noqa: BLE001 - what is known is a gain, not a must
            swallow("noting a call", error)

    def leave(self) -> Context:
        """Return the context that the call runs in, and give the caller's back."""
        node = self._node
        return get_current() if node is None or node.token is None else leave(node)

    def end(self, result: Any = MISSING) -> None:
        """End: the body returned *result*; left out where that was not seen."""
        node, self._node = self._node, None
        if node is None:
            return
        if not self._quiet:
            end(node, result, node.left_ns)
            return
        try:
            node.end_ns = clock.now_ns()
            if REGISTRY.evidence and result is not MISSING and not node.finished:
                hold_result(node, result, REGISTRY.max_bytes, REGISTRY.max_items)
        except Exception as error:  # noqa: BLE001 - the call has succeeded and stays so
            swallow("ending a call", error)

    def fail(self, error: BaseException) -> None:
        """End: the body raised *error*, or the framework tells of it in some other way."""
        node, self._node = self._node, None
        if node is None:
            return
        if self._quiet:
            node.end_ns = clock.now_ns()
            node.error = True
        else:
            fail(node, error)

    def end_failed(self) -> None:
        """End: the body returned, but what it returned says that the tool has failed."""
        error = ToolFailedError()
        told, self._told = self._told, None
        if told is not None:
            # Whoever is around may hand that on to the model as if it were any result.
            told.error = True
            if told.span is not None:
                write_error(told.span, error)
        self.fail(error)

    def seen(self, item: Any) -> None:
        """Take note of an *item* that goes out while the call runs: the last one may be its result."""
