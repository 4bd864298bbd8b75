"""
Carries the turn into thread pools: ``ThreadPoolExecutor.submit`` and ``loop.run_in_executor`` lose the context.

Only inside a turn or a call, and only OpenTelemetry's context: the program's own context variables stay as they would
have been.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from otel_parallelism.tracing.current import SPAN_KEY, attach, detach, get_current
from otel_parallelism.tracing.nodes import SCOPE_KEY
from otel_parallelism.tracing.recorder import RECORDER

from .patching import Patch

if TYPE_CHECKING:
    from opentelemetry.context import Context

    from otel_parallelism.tracing.kinds import Kind

    from .lifetimes import Arguments, Keywords, Wrapper


def _carried(_: Kind) -> Wrapper:
    def submit(wrapped: Any, _: Any, args: Arguments, kwargs: Keywords) -> Any:
        context = get_current()
        if not args or (context.get(SCOPE_KEY) is None and not _in_turn(context)):
            return wrapped(*args, **kwargs)
        return wrapped(_Carried(args[0], context), *args[1:], **kwargs)

    return submit


def _in_turn(context: Context) -> bool:
    """Whether *context* is inside of a turn that somebody else's span is."""
    span: Any = context.get(SPAN_KEY)
    if span is None or not RECORDER.turns:
        return False
    node = RECORDER.parent_of(None, span)
    while node is not None and id(node) not in RECORDER.turns:
        node = node.parent
    return node is not None


class _Carried:
    """A function that runs in the context of whoever submitted it."""

    __slots__ = ("_context", "_function")

    def __init__(self, function: Any, context: Context) -> None:
        self._function = function
        self._context = context

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        token = attach(self._context)
        try:
            return self._function(*args, **kwargs)
        finally:
            detach(token)


PATCHES = (Patch("concurrent.futures.thread:ThreadPoolExecutor.submit", _carried),)
