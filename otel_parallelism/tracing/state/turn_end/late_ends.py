"""Ends turns whose analysis would hold up the program: it runs in a thread, and their spans are exported after it."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

import msgspec

from otel_parallelism import clock
from otel_parallelism.model import TurnSpan
from otel_parallelism.names import DEFERRED
from otel_parallelism.pace import empty, paced, pause
from otel_parallelism.tracing.sdk.held_spans import HeldSpan, hold_span
from otel_parallelism.tracing.sdk.results import add_attributes, is_open, log_result, write_report
from otel_parallelism.tracing.shield import swallow
from otel_parallelism.tracing.state.bounds.held_evidence import HELD, LET_GO
from otel_parallelism.tracing.state.live_tree import count_late_node
from otel_parallelism.tracing.state.nodes import MISSING, Node, SpanNode, TurnNode
from otel_parallelism.tracing.state.registry import REGISTRY

from .analysis_thread import ANALYSIS_THREAD
from .observations import TurnContents, collect_observations, trace_hex
from .releasing import discard, release_contents, root_of, unlink
from .turn_reports import TurnOutcome, publish, turn_outcome, wrappers_of

if TYPE_CHECKING:
    from otel_parallelism.model import Report

_LONGEST_WAIT_S = 60.0
_MANY_WAITING = 500
"""Past so many turns that wait for their analysis, the contents of their calls are let go."""

_inner: dict[int, int] = {}
"""How many turns inside an open node, by its id, are not analysed yet."""


class LateEnd:
    """
    The end of a turn whose analysis runs later.

    Attributes:
        done: Whether the analysis has run.
        found: Its report; None until then, and where the turn has none.
    """

    def __init__(self) -> None:
        self.done: bool = False
        self.found: Report | None = None

    def report(self) -> Report | None:
        """Wait for the report and return it; None where the turn has none, or its analysis takes too long."""
        if not self.done:
            # In a forked process nothing is left to wait for.
            ANALYSIS_THREAD.wait(lambda: self.done or not ANALYSIS_THREAD.waiting, _LONGEST_WAIT_S)
        return self.found


class LateAnalysis:
    """
    The analysis of a turn that has ended.

    Args:
        node: The turn or local root.
        end_ns: When it ended.
        late: Gets the report, if it still exists then.
    """

    def __init__(self, node: Node, end_ns: int, late: LateEnd) -> None:
        self._node = node
        # A call lets go of its span as it ends.
        self._span = node.span
        self._trace_id = trace_hex(node)
        self._end_ns = end_ns
        self._late = weakref.ref(late)
        # The times of a span can be given, even in the future.
        self._seen_ns = max(clock.now_ns(), end_ns)
        self._wrappers = wrappers_of(node)
        self._held: HeldSpan | None = None
        self._cancelled = False
        self._settled = False

    def hold(self) -> None:
        """Hold the export of the span, which is about to end; where that is not possible, mark it as without result."""
        node = self._node
        if is_open(node.span):
            self._held = hold_span(node.span, ANALYSIS_THREAD.wait_for_all)
            if self._held is None and is_turn(node):
                add_attributes(node.span, {DEFERRED: True})

    def cancel(self) -> None:
        """Analyse nothing after an interruption of the program; the span is exported as it is."""
        self._cancelled = True
        self._settle()

    def run(self) -> None:
        """Analyse the turn, and pass its report on. Raises nothing but interruptions."""
        node = self._node
        try:
            if not self._cancelled:
                self._analyze(node)
        except Exception as error:  # noqa: BLE001 - later analyses must run
            discard(node)
            swallow("analysing a turn", error)
        finally:
            self._settle()

    def _settle(self) -> None:
        """Let nothing wait for this any longer."""
        if self._held is not None:
            self._held.release()
        if not self._settled:
            self._settled = True
            _forget_inner(self._node)
        late = self._late()
        if late is not None:
            late.done = True

    def _analyze(self, node: Node) -> None:
        registry = REGISTRY
        found = collect_observations(
            node,
            self._end_ns,
            trace_id=self._trace_id,
            least_ns=registry.settings.min_avoidable * 1e9,
            seen_ns=self._seen_ns,
        )
        if len(ANALYSIS_THREAD.waiting) > _MANY_WAITING:
            _let_go(found)
        pause()
        outcome = turn_outcome(node, found, self._wrappers)
        pause()
        if outcome is not None:
            self._pass_on(node, outcome)
        children = [child for visited in found.visited for child in paced(visited.children or ())]
        with registry.lock:
            unlink(node, found)
        for child in paced(children):
            if child.start_ns > self._seen_ns and not child.finished:
                count_late_node(child)
        release_contents(node, found, outcome)
        pause()
        # Where the program has not kept the report, its parts are freed here too.
        calls: list[Any] = [] if outcome is None else [*outcome.report.turn.calls, *outcome.report.schedule]
        del outcome
        empty(children, found.observations, found.calls, found.visited, calls)

    def _pass_on(self, node: Node, outcome: TurnOutcome) -> None:
        """Pass the report in *outcome* to the program, to the turn's span or the log, and to all that listen."""
        late = self._late()
        if late is not None:
            late.found = outcome.report
        if self._held is not None:
            write_report(self._held, outcome.report, REGISTRY.settings)
            self._held.release()
        elif outcome.is_own:
            log_result(self._span, outcome.report, REGISTRY.settings)
        if outcome.is_own:
            publish(node, outcome, self._span)


def end_later(node: Node, end_ns: int) -> LateEnd | None:
    """End *node* and have it analysed later; None where it has ended already."""
    registry = REGISTRY
    late = LateEnd()
    analysis = LateAnalysis(node, end_ns, late)
    with registry.lock:
        if node.finished:
            return None
        _finish(node)
    try:
        analysis.hold()
        ANALYSIS_THREAD.submit(analysis.run)
    except BaseException:
        analysis.cancel()
        raise
    if registry.on_change is not None:
        registry.on_change()
    return late


def _finish(node: Node) -> None:
    node.finished = True
    REGISTRY.turns.pop(id(node), None)
    # No call is linked to it any more, and those past the bound that are still open count up to now.
    registry_room, node.room = node.room, 0
    root_of(node).held -= registry_room
    if node.past_bound is not None:
        node.past_bound = msgspec.structs.replace(node.past_bound)
    _count_inner(node, 1)


def _forget_inner(node: Node) -> None:
    """Let the turns around *node*, whose analysis is done, wait for it no longer."""
    with REGISTRY.lock:
        _count_inner(node, -1)


def _count_inner(node: Node, number: int) -> None:
    """Add *number* to the turns that each node around *node* waits for."""
    around = node.parent
    while around is not None:
        left = _inner.get(id(around), 0) + number
        if left > 0:
            _inner[id(around)] = left
        else:
            _inner.pop(id(around), None)
        around = around.parent


def _let_go(found: TurnContents) -> None:
    """Let go of the contents of all calls in *found*: comparing them would keep many other turns waiting."""
    for call in paced(found.calls):
        if call.arguments is not None or call.result is not MISSING:
            HELD.remove(call)
            call.arguments = call.objects = None
            call.result = MISSING
            call.held_size = LET_GO


def is_turn(node: Node) -> bool:
    """Return whether *node*, which ends, is a turn whatever is inside it."""
    return isinstance(node, TurnNode) or (isinstance(node, SpanNode) and type(node.observation) is TurnSpan)


def has_late_inside(node: Node) -> bool:
    """Return whether turns inside *node* are not analysed yet."""
    return id(node) in _inner


def forget_late_ends() -> None:
    """Forget the turns that are not analysed yet: a forked process leaves them to its parent."""
    _inner.clear()
