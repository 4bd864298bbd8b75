"""
Records how calls are dispatched while a test runs: which unit runs each one, and what other units do as it begins.

Tools of tests return at once, so calls that a program starts together run one after another. Their times then show
nothing, but their tasks do.
"""

from __future__ import annotations

import itertools
import sys
import threading
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from otel_parallelism.model import Dispatch
from otel_parallelism.tracing.shield import swallow
from otel_parallelism.tracing.state.nodes import CallNode, TurnNode
from otel_parallelism.tracing.state.registry import REGISTRY

from .asyncio_tasks import running_task, task_dispatch
from .threads import greenlet, pool_job, submitted_by
from .trio_tasks import trio_dispatch, trio_task

if TYPE_CHECKING:
    from otel_parallelism.tracing.state.nodes import Node


class DispatchRecorder:
    """Gives a number to each unit; a unit that ends never passes its number on. Safe for use from several threads."""

    def __init__(self) -> None:
        self._numbers: WeakKeyDictionary[Any, int] = WeakKeyDictionary()
        self._next = itertools.count(1)
        self._lock = threading.Lock()

    def start(self) -> None:
        """Record the calls, the model requests and the turns that begin from now on."""
        REGISTRY.dispatch = self.dispatch

    @staticmethod
    def stop() -> None:
        """Record nothing from now on."""
        REGISTRY.dispatch = None

    def dispatch(self, node: Node) -> Dispatch | None:
        """Return how *node*, which begins now, was dispatched; None if that cannot be told."""
        try:
            return self._dispatch(node)
        except Exception as error:  # noqa: BLE001 - the call of the test runs in any case
            swallow("recording how a call was dispatched", error)
            return None

    def _dispatch(self, node: Node) -> Dispatch:
        task = running_task()
        if task is not None:
            return task_dispatch(task, self._number, opener=_opener(node))
        task = trio_task()
        if task is not None:
            return trio_dispatch(task, self._number, opener=_opener(node))
        other = greenlet()
        if other is not None:
            return Dispatch(self._number(other), alone=False)
        job = pool_job(sys._getframe(1))  # noqa: SLF001 - cheaper than inspect
        task_around = submitted_by(job)
        if task_around is not None:
            return task_around
        unit: Any = job or threading.current_thread()
        number = self._number(unit)
        # A coroutine that no known event loop runs may be one of several that a thread runs by turns. Workers of one
        # queue may be started one by one, so that the others are not seen while the first takes all items.
        awaited = isinstance(node, CallNode) and not node.tool.blocking and not node.tool.framework
        known = unit is threading.main_thread() or number == _opener(node)
        return Dispatch(number, alone=known and not awaited)

    def _number(self, unit: Any) -> int:
        with self._lock:
            number = self._numbers.get(unit)
            if number is None:
                number = self._numbers[unit] = next(self._next)
            return number


def _opener(node: Node) -> int:
    """Return the unit that began what is around *node*: a call or a turn; 0 if that is unknown."""
    around = node.parent
    while around is not None and not isinstance(around, (CallNode, TurnNode)):
        around = around.parent
    return 0 if around is None or around.dispatch is None else around.dispatch.unit
