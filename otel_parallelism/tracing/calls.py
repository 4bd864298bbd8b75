"""
One decorated call: its span, its place in the live tree, and what is held of it.

This is the path every tool call takes, so it is written out by hand: no context manager, one copy of the context,
one small object, no lock. An error of ours never reaches the call.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from threading import get_ident
from time import time_ns
from types import CodeType
from typing import Any

from opentelemetry.context import Context, attach, detach, get_current
from opentelemetry.trace import SpanKind
from opentelemetry.trace.propagation import _SPAN_KEY  # read and written at once with ours: one copy, not two

from .capture import hold_arguments, hold_result
from .details import extra_attributes, resource_of, write_error, write_result
from .nodes import SCOPE_KEY, CallNode
from .recorder import RECORDER
from .shield import swallow
from .tool import Tool

_INTERNAL = SpanKind.INTERNAL
_LEAST_QUEUE_NS = 1_000_000
_running_loop = asyncio._get_running_loop  # noqa: SLF001 - documented; does not raise, and is asked on every call
# Python 3.11's current_task() is not yet written in C and takes four times as long as this look-up.
STREAMED = object()
_tasks: Any = getattr(asyncio.tasks, "_current_tasks", None)


def task_id() -> int:
    """Return what tells the running asyncio task from others that run at the same time, 0 outside of one."""
    loop = _running_loop()
    return 0 if loop is None else id(_tasks.get(loop))


def begin(
    tool: Tool, args: tuple[Any, ...], kwargs: dict[str, Any], called_ns: int, code: CodeType | None, instruction: int
) -> CallNode | None:
    """
    Start the span of a call whose body is about to run, and make it the current one.

    Args:
        tool: What is called.
        args: Positional arguments, without ``self`` or ``cls``.
        kwargs: Keyword arguments.
        called_ns: When the wrapper was called.
        code: The code that called it, or None.
        instruction: Where in that code.

    Returns:
        The call's node; None where something of ours failed, and the call goes on without.
    """
    try:
        recorder = RECORDER
        current = get_current()
        span_around = current.get(_SPAN_KEY)
        parent: Any = current.get(SCOPE_KEY)
        if parent is None or parent.span is not span_around:
            parent = recorder.parent_of(parent, span_around)
        start_ns = time_ns()
        node = CallNode(
            parent,
            None,
            0,
            start_ns,
            tool=tool,
            called_ns=called_ns,
            code=code,
            instruction=instruction,
            thread=get_ident(),
        )
        loop = _running_loop()
        if loop is not None:
            node.in_loop = True
            node.task = id(_tasks.get(loop))
        if tool.resource_of is not None:
            node.resource = resource_of(tool, args, kwargs)
        if recorder.evidence:
            hold_arguments(node, args, kwargs)
        queue_ns = start_ns - called_ns
        attributes = tool.attributes
        if queue_ns >= _LEAST_QUEUE_NS or node.resource or recorder.verbose:
            attributes = extra_attributes(
                tool, node, args, kwargs, queue_ns if queue_ns >= _LEAST_QUEUE_NS else 0
            )
        span = recorder.tracer.start_span(tool.span_name, current, _INTERNAL, attributes, None, start_ns)
        node.span = span
        span_id = span.get_span_context().span_id
        # Without an SDK a tracer gives out the span around it again, or one without an id.
        if not span_id or (span_around is not None and span_around.get_span_context().span_id == span_id):
            node.span_id = random.getrandbits(64) | 1
        else:
            node.span_id = span_id
            recorder.spans[span_id] = node
        if parent is None:
            recorder.adopt(node)
        else:
            children = parent.children
            if children is not None and len(children) < recorder.max_calls:
                children.append(node)
                node.linked = True
            elif not recorder.link(node):
                recorder.late(node)
        node.token = attach(Context({**current, _SPAN_KEY: span, SCOPE_KEY: node}))
    except Exception as error:  # noqa: BLE001 - whatever fails here must not fail the call
        swallow("starting a call", error)
        return None
    return node


def leave(node: CallNode) -> Context:
    """Return the context that *node*'s call runs in, and give the caller's back."""
    context = get_current()
    detach(node.token)
    node.token = None
    return context


def end(node: CallNode, result: Any) -> None:
    """End the span of a call that returned *result* (`STREAMED` where that went out bit by bit)."""
    end_ns = time_ns()
    try:
        node.end_ns = end_ns
        if node.token is not None:
            detach(node.token)
        recorder = RECORDER
        if recorder.evidence and result is not STREAMED:
            hold_result(node, result, recorder.max_bytes, recorder.max_items)
        span = node.span
        if recorder.verbose and recorder.settings.capture_content and result is not STREAMED:
            write_result(span, result)
        recorder.spans.pop(node.span_id, None)
        if node.parent is None:
            recorder.end_root(node, end_ns)
        span.end(end_ns)
        node.span = None
    except Exception as error:  # noqa: BLE001 - the call has succeeded and stays so
        swallow("ending a call", error)


def fail(node: CallNode, error: BaseException) -> None:
    """End the span of a call that raised *error* or was cancelled."""
    end_ns = time_ns()
    try:
        node.end_ns = end_ns
        node.error = True
        if node.token is not None:
            detach(node.token)
        span = node.span
        RECORDER.spans.pop(node.span_id, None)
        if span.is_recording():
            write_error(span, error)
        if node.parent is None:
            RECORDER.end_root(node, end_ns)
        span.end(end_ns)
        node.span = None
    except Exception as failure:  # noqa: BLE001 - the call's own error is the one to raise
        swallow("ending a failed call", failure)
