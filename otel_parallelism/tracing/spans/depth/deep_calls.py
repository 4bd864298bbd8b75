"""Makes room for calls that are deep inside one another, at every 32nd level: under the recursion limit and in C."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

from otel_parallelism.tracing.state.nodes import CallNode

from .c_stack import WATCHES_STACK, make_stack_room, restore_stack_limit
from .recursion_limit import lower_limit, raise_limit

if TYPE_CHECKING:
    from collections.abc import Callable

    from otel_parallelism.tracing.spans.stretches import Resumable

STRIDE: Final = 32
"""Room is made at multiples of this depth, for the calls up to the next one."""

_STACK_STRIDE: Final = 8 * STRIDE

# Python 3.11 counts calls of C functions, too: that of wrapt's wrapper, or of `send`.
FRAMES: Final = 2 if sys.version_info < (3, 12) else 1
"""How many frames a wrapper adds to those of the function."""

RESUMED_FRAMES: Final = FRAMES + 1
"""How many frames the wrapper of a coroutine adds once the coroutine has been suspended."""

_OWN_FRAMES: Final = 48
"""What our code needs at the deepest level, to record the call."""


def is_deep(node: CallNode) -> bool:
    """Count the calls around *node*, which has begun, and return whether to make room for those inside it."""
    around = node.parent
    # Another thread has a stack of its own, and a task begins at the bottom of the stack.
    if type(around) is not CallNode or around.thread != node.thread or around.task != node.task:
        return False
    node.depth = depth = around.depth + 1
    return not depth % STRIDE


def call_deep(node: CallNode, frames: int, call: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
    """
    Return what *call* returns for *args* and *kwargs*, with room for calls inside it.

    Args:
        node: The recorded call, at a multiple of `STRIDE`.
        frames: How many frames each level adds to the function's own.
        call: Runs the function, or resumes it.
        args: Positional arguments.
        kwargs: Keyword arguments.

    Raises:
        RecursionError: There is not enough C stack.
    """
    depth = node.depth
    stack = make_stack_room(depth, _STACK_STRIDE) if WATCHES_STACK and not depth % _STACK_STRIDE else None
    more = STRIDE * frames
    if depth == STRIDE:
        # Those around have been given no room.
        more += more + _OWN_FRAMES
    raised = 0
    try:
        raised = raise_limit(more)
        return call(*args, **kwargs)
    finally:
        lower_limit(raised)
        if stack is not None:
            restore_stack_limit(stack)


def with_room(body: Resumable, node: CallNode, frames: int, suspended: int = 0) -> Resumable:
    """Return *body*, which runs the call *node*, in `DeepSteps` if it has to make room; see there."""
    return DeepSteps(body, node, frames, suspended) if is_deep(node) else body


class DeepSteps:
    """
    A coroutine, a generator or a step of an async generator, resumed by `call_deep`.

    Args:
        body: What is resumed.
        node: The recorded call, at a multiple of `STRIDE`.
        frames: How many frames each level adds to the function's own, when *body* is first resumed.
        suspended: How many it adds later; default: as many.
    """

    __slots__ = ("_body", "_frames", "_node", "_suspended")

    def __init__(self, body: Resumable, node: CallNode, frames: int, suspended: int = 0) -> None:
        self._body = body
        self._node = node
        self._frames = frames
        self._suspended = suspended or frames

    def send(self, value: Any, /) -> Any:
        """Resume it with *value*."""
        frames, self._frames = self._frames, self._suspended
        try:
            return call_deep(self._node, frames, self._body.send, value)
        except RecursionError:
            # Without enough C stack it has not been resumed, and Python would warn that it was never awaited.
            self._body.close()
            raise

    def throw(self, error: BaseException, /) -> Any:
        """Resume it with *error*."""
        return call_deep(self._node, self._suspended, self._body.throw, error)

    def close(self) -> None:
        """Close it."""
        call_deep(self._node, self._suspended, self._body.close)
