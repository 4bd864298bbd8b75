"""
Measures for how long a call holds the event loop's thread between two suspensions.

The wrapper of a coroutine sees each suspension, because it resumes the coroutine itself instead of awaiting it. The
first stretch starts with the call and the last one ends with it, so a call that is never suspended costs no reading of
the clock.
"""

from __future__ import annotations

from threading import get_ident
from types import coroutine
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from otel_parallelism import clock
from otel_parallelism.tracing.state.nodes import LEAST_BLOCKED_NS, SUSPENDED

from .machine_time import held_and_stalled_ns

if TYPE_CHECKING:
    from collections.abc import Generator

    from otel_parallelism.tracing.state.nodes import CallNode


class Stretches(msgspec.Struct):
    """What is measured of one part of a call that another task runs; the fields are as in ``CallNode``."""

    task: int
    resumed_ns: int = SUSPENDED
    long_ns: int = 0
    blocked_ns: int = 0
    thread: int = 0


class Resumable(Protocol):
    """A coroutine, or one step of an async generator."""

    def send(self, value: Any, /) -> Any:
        """Resume it with *value*."""

    def throw(self, error: BaseException, /) -> Any:
        """Resume it with *error*."""

    def close(self) -> None:
        """Close it."""


@coroutine
def measured(body: Resumable, node: CallNode | Stretches) -> Generator[Any, Any, Any]:
    """
    Run *body*, part of the call *node*, and return its result.

    Each stretch of at least `LEAST_BLOCKED_NS` between two suspensions is added to the node. The last stretch is added
    by `end_stretch`, when the call ends or *body* is suspended for the program to use what it yields.
    """
    node.resumed_ns = clock.now_ns()
    try:
        awaited = body.send(None)
    except StopIteration as stop:
        return stop.value
    except BaseException:
        # It may keep the error, whose traceback keeps this frame.
        del body
        raise
    rest: Any = resumed(body, node, awaited)  # `coroutine` makes it awaitable as well
    del body
    return (yield from rest)


@coroutine
def resumed(body: Resumable, node: CallNode | Stretches, awaited: Any) -> Generator[Any, Any, Any]:
    """Run the rest of *body*, which has been suspended to await *awaited*; see `measured`."""
    thrown: list[BaseException] = []
    sent: Any = None
    while True:
        # As `end_stretch`, without its frame.
        now_ns = clock.BEGAN_NS + clock.passed_ns()
        if now_ns - node.resumed_ns >= LEAST_BLOCKED_NS and node.task:
            _add_stretch(node, now_ns)
        node.resumed_ns = SUSPENDED
        try:
            sent = yield awaited
        except GeneratorExit:
            body.close()
            raise
        except BaseException as error:  # noqa: BLE001 - passed on to the body
            thrown.append(error)
        node.resumed_ns = clock.BEGAN_NS + clock.passed_ns()
        # Outside the except clause, so that the error does not become the context of later ones.
        try:
            awaited = body.throw(thrown.pop()) if thrown else body.send(sent)
        except StopIteration as stop:
            return stop.value
        except BaseException:
            # As in `measured`.
            del body
            raise


def end_stretch(node: CallNode | Stretches, now_ns: int) -> None:
    """Add the stretch that ends now to the call *node* if it is long enough."""
    if now_ns - node.resumed_ns >= LEAST_BLOCKED_NS and node.task:
        _add_stretch(node, now_ns)
    node.resumed_ns = SUSPENDED


def _add_stretch(node: CallNode | Stretches, now_ns: int) -> None:
    """Add to *node* what its body held the thread for, in the long stretch that ends now; see `machine_time`."""
    held_ns, stalled_ns = held_and_stalled_ns(node.resumed_ns, now_ns)
    if held_ns >= LEAST_BLOCKED_NS:
        node.blocked_ns += held_ns
        node.thread = get_ident()  # the loop's, which need not be the one that made the call
    elif not stalled_ns:
        return
    node.long_ns += held_ns + stalled_ns
