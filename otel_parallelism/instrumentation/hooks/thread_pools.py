"""
Carries the turn into thread pools: ``ThreadPoolExecutor.submit`` and ``loop.run_in_executor`` lose the context.

This happens only inside a turn or a call, and only for OpenTelemetry's context: the program's own context variables are
not carried. The time of a framework's call that goes to a pool at once starts when a thread takes it and ends when the
thread is done: waiting for a thread is not work.
"""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Any

from otel_parallelism import clock
from otel_parallelism.tracing.sdk.current import SPAN_KEY, attach, detach, get_current
from otel_parallelism.tracing.shield import swallow
from otel_parallelism.tracing.spans.profiled_calls import begun_later
from otel_parallelism.tracing.state.callers import run_submitted, submission
from otel_parallelism.tracing.state.live_tree import parent_node
from otel_parallelism.tracing.state.nodes import SCOPE_KEY, CallNode, Node, SpanNode
from otel_parallelism.tracing.state.registry import REGISTRY

from .patching import Patch

if TYPE_CHECKING:
    from types import FrameType

    from opentelemetry.context import Context

    from otel_parallelism.model import Dispatch
    from otel_parallelism.tracing.spans.kinds import Kind

    from .lifetimes import Arguments, Keywords, Wrapper


_AT_ONCE_NS = 5_000_000
_LEAST_WORKERS = 5
"""The workers of the smallest default pool of an event loop. A smaller pool may be meant to keep calls from running."""
_MOST_FRAMES = 8


def _carrying_wrapper(_: Kind) -> Wrapper:
    def submit(wrapped: Any, pool: Any, args: Arguments, kwargs: Keywords) -> Any:
        context = get_current()
        scope: Any = context.get(SCOPE_KEY)
        if not args or (scope is None and not _in_turn(context)):
            return wrapped(*args, **kwargs)
        carried = _Carried(args[0], context, _waiting(context, scope))
        try:
            if getattr(pool, "_max_workers", 0) >= _LEAST_WORKERS:
                carried.submitted = submission(sys._getframe(1))  # noqa: SLF001 - cheaper than inspect
        except Exception as error:  # noqa: BLE001 - the caller then stays unknown
            swallow("looking for what submits a function to a pool", error)
        if REGISTRY.dispatch is not None and _is_awaited():
            carried.dispatch = REGISTRY.dispatch(Node(scope, None, 0, 0))
        return wrapped(carried, *args[1:], **kwargs)

    return submit


def _waiting(context: Context, scope: Any) -> CallNode | None:
    """Return the framework's call that the function submitted in *context* runs, in a span of ours or of another."""
    span: Any = context.get(SPAN_KEY)
    if span is not None and (scope is None or scope.span is not span):
        node = parent_node(scope, span)
        scope = node.facts if isinstance(node, SpanNode) else node
    return scope if type(scope) is CallNode and _goes_at_once(scope) else None


def _in_turn(context: Context) -> bool:
    """Return whether *context* is inside a turn that is a span of another instrumentation."""
    span: Any = context.get(SPAN_KEY)
    if span is None or not REGISTRY.turns:
        return False
    node = parent_node(None, span)
    while node is not None and id(node) not in REGISTRY.turns:
        node = node.parent
    return node is not None


def _goes_at_once(call: CallNode) -> bool:
    """Return whether *call* is a framework's, has just begun, and has no child yet."""
    return call.framework and not call.children and clock.now_ns() - call.start_ns < _AT_ONCE_NS


def _is_awaited() -> bool:
    """Return whether ``asyncio.to_thread`` submits the function, which awaits its end."""
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001 - cheaper than inspect
    for _ in range(_MOST_FRAMES):
        if frame is None:
            return False
        if frame.f_code is asyncio.to_thread.__code__:
            return True
        frame = frame.f_back
    return False


class _Carried:
    """
    A function that runs in the context in which it was submitted.

    Attributes:
        dispatch: What submitted it, if that does nothing else until the function ends; in tests only.
        submitted: What function of the program submitted it, if that is known.
    """

    __slots__ = ("_context", "_function", "_made_ns", "_waiting", "dispatch", "submitted")

    def __init__(self, function: Any, context: Context, waiting: CallNode | None) -> None:
        self._function = function
        self._context = context
        self._waiting = waiting
        self._made_ns = clock.now_ns()
        self.dispatch: Dispatch | None = None
        self.submitted: tuple[Any, ...] | None = None

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        token = attach(self._context)
        waiting = self._waiting
        if waiting is not None:
            begun_later(waiting)
        submitted = self.submitted
        try:
            # A function that waited for a thread ran when that was free, whatever the program did.
            if submitted is not None and clock.now_ns() - self._made_ns < _AT_ONCE_NS:
                return run_submitted(submitted, self._function, args, kwargs)
            return self._function(*args, **kwargs)
        finally:
            if waiting is not None:
                waiting.left_ns = clock.now_ns()
            detach(token)


PATCHES = (Patch("concurrent.futures.thread:ThreadPoolExecutor.submit", _carrying_wrapper),)
