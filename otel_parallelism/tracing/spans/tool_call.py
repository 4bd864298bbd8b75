"""A tool call of a framework: a span of ours, or data added to a span that another instrumentation already made."""

from __future__ import annotations

from functools import lru_cache
from threading import get_ident
from typing import TYPE_CHECKING, Any

from otel_parallelism import clock, names
from otel_parallelism.errors import ParallelismError
from otel_parallelism.failures import failure_of_exception
from otel_parallelism.tracing.sdk.current import get_current
from otel_parallelism.tracing.sdk.results import add_attributes
from otel_parallelism.tracing.shield import swallow
from otel_parallelism.tracing.state.call_contents import hold_arguments, hold_result
from otel_parallelism.tracing.state.existing_spans import around, call_around
from otel_parallelism.tracing.state.live_tree import new_span_id
from otel_parallelism.tracing.state.nodes import MISSING, CallNode, SpanNode
from otel_parallelism.tracing.state.registry import REGISTRY
from otel_parallelism.tracing.state.tool import Tool

from .details import write_error
from .profiled_calls import begin, end, fail, leave, task_id
from .stretches import end_stretch

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.context import Context

    from otel_parallelism.model import Effect


@lru_cache(maxsize=4096)
def framework_tool(
    name: str, effect: Effect = "unknown", *, blocking: bool = False, framework: str = "", description: str = ""
) -> Tool:
    """
    Return the tool *name*, the same object each time.

    Args:
        name: The name by which the model calls the tool.
        effect: The effect that the framework declares.
        blocking: Whether the tool is a plain function, which blocks its caller.
        framework: The framework's name.
        description: What the model reads of the tool.
    """
    declared = None if effect == "unknown" else effect
    tool = Tool(None, name, declared, None, None, blocking=blocking, framework=framework, description=description)
    tool.effect_source = "framework" if effect != "unknown" else ""
    return tool


class ToolFailedError(ParallelismError):
    """Stands for an error that a framework turned into a result; spans show its type."""


class ToolCall:
    """
    One execution of a tool by a framework, from when its wrapper is called.

    ``enter`` starts it, ``end`` or ``fail`` ends it; none of them raises. If the framework or another instrumentation
    has already opened a span for this call, no span is made: our data is added to the existing call. The same happens
    if a call of ours with the same tool is open, such as an agent's tool that is served over the Model Context
    Protocol.

    Attributes:
        measured: The node to which the stretches of the body in the event loop's thread are added; None if they are not
            measured.
    """

    __slots__ = ("_arguments", "_existing", "_node", "_quiet", "measured")

    def __init__(
        self, tool: Tool, call_id: str = "", arguments: Mapping[str, Any] | None = None, switch: str = ""
    ) -> None:
        """
        Args:
            tool: The tool; see `framework_tool`.
            call_id: The model's id of this call, if known.
            arguments: The arguments by name, if known; held as evidence, as for a decorated call.
            switch: The framework's setting that keeps the call from running beside others.
        """
        self._arguments = arguments
        self._quiet = False
        self._existing: CallNode | None = None
        self._node: CallNode | None = CallNode(
            None,
            None,
            0,
            0,
            tool=tool,
            called_ns=clock.now_ns(),
            thread=get_ident(),
            call_id=call_id,
            framework=True,
            switch=switch,
        )
        self.measured: CallNode | None = self._node

    def enter(self) -> None:
        """Start the call: its body is about to run."""
        node = self._node
        if node is None:
            return
        node.whole = self._arguments is not None
        try:
            theirs = call_around(around(), node.tool.name, node.call_id)
        except Exception as error:  # noqa: BLE001 - the call gets a span of ours
            swallow("looking for an existing span of a call", error)
            theirs = None
        if isinstance(theirs, SpanNode):
            self._quiet = True
            self._note(node, theirs)
        elif theirs is not None:
            self._existing, self._node = theirs, None
            self._add_to_tool(theirs, node.tool)
            node.start_ns, node.task = clock.now_ns(), task_id()
            theirs.defined = theirs.defined or node.defined
            theirs.handed += node.handed
            theirs.changes = theirs.changes or node.changes
            # In the same task, the existing call or its body measures the stretches of this one too.
            if node.task in {theirs.task, theirs.body_task}:
                self.measured = None
        elif not begin(node, (), {} if self._arguments is None else dict(self._arguments)):
            self._node = self.measured = None
        self._arguments = None

    def _add_to_tool(self, existing: CallNode, more: Tool) -> None:
        """Add the effect and the description of the tool *more* to the existing call, where it has none."""
        tool = existing.tool
        effect = more.effect if tool.effect == "unknown" else "unknown"
        try:
            description = tool.description() or more.description()
            if effect == "unknown" and (tool.function is not None or description == tool.description()):
                return
            existing.tool = framework_tool(
                tool.name,
                tool.effect if effect == "unknown" else effect,
                blocking=tool.blocking,
                framework=tool.framework,
                description=description,
            )
            if existing.span is not None and effect != "unknown":
                existing.span.set_attribute(names.EFFECT, effect)
        except Exception as error:  # noqa: BLE001 - as below
            swallow("adding a call's effect", error)

    def _note(self, node: CallNode, theirs: SpanNode) -> None:
        try:
            node.parent = theirs
            node.span_id = new_span_id()
            node.start_ns = clock.now_ns()
            node.task = task_id()
            if REGISTRY.dispatch is not None:
                node.dispatch = REGISTRY.dispatch(node)
            if REGISTRY.evidence and self._arguments is not None:
                hold_arguments(node, (), self._arguments)
            theirs.facts = node
            effect = "" if node.tool.effect == "unknown" else node.tool.effect
            known: dict[str, str] = {names.EFFECT: effect, names.TOOL_CALL_ID: node.call_id}
            add_attributes(theirs.span, {key: value for key, value in known.items() if value})
        except Exception as error:  # noqa: BLE001 - the data is optional
            swallow("adding data to an existing call", error)

    def leave(self) -> Context:
        """Return the context of the call, and restore the caller's context."""
        node = self._node
        if node is not None and node.token is not None:
            return leave(node)
        if self.measured is not None:
            end_stretch(self.measured, clock.now_ns())
        return get_current()

    def end(self, result: Any = MISSING) -> None:
        """End the call; *result* is what the body returned, if known."""
        node, self._node = self._node, None
        if node is None:
            self._add_stretches()
            return
        if not self._quiet:
            end(node, result, node.left_ns)
            return
        try:
            node.end_ns = clock.now_ns()
            end_stretch(node, node.end_ns)
            if REGISTRY.evidence and result is not MISSING and not node.finished:
                hold_result(node, result, REGISTRY.max_bytes, REGISTRY.max_items)
        except Exception as error:  # noqa: BLE001 - the call has succeeded
            swallow("ending a call", error)

    def fail(self, error: BaseException) -> None:
        """End the call with *error*, which the body raised or the framework reported."""
        node, self._node = self._node, None
        if node is None:
            self._add_stretches()
            return
        if self._quiet:
            node.end_ns = clock.now_ns()
            end_stretch(node, node.end_ns)
            node.error = failure_of_exception(error)
        else:
            fail(node, error)

    def _add_stretches(self) -> None:
        """Add the measured stretches to the existing call, which is still open."""
        node, existing = self.measured, self._existing
        self.measured = self._existing = None
        if node is not None and existing is not None:
            end_stretch(node, clock.now_ns())
            existing.long_ns += node.long_ns
            if node.blocked_ns:
                existing.blocked_ns += node.blocked_ns
                existing.thread = node.thread

    def end_failed(self) -> None:
        """End the call: the body returned a result that reports a failure."""
        error = ToolFailedError()
        existing = self._existing
        if existing is not None:
            # The surrounding framework may pass the result to the model like any other.
            existing.error = existing.error or "failed"
            if existing.span is not None:
                write_error(existing.span, error)
        self.fail(error)

    def seen(self, item: Any) -> None:
        """Do nothing with an *item* that the call streams."""
