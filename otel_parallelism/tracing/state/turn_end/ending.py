"""Ends a turn: turns its part of the live tree into a report, at once or later, and publishes it."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from opentelemetry.trace import INVALID_SPAN

from otel_parallelism import clock
from otel_parallelism.tracing.sdk.compatibility.span_ends import end_interrupted
from otel_parallelism.tracing.sdk.held_spans import exports_at_once
from otel_parallelism.tracing.sdk.results import is_open, write_report
from otel_parallelism.tracing.shield import swallow
from otel_parallelism.tracing.state.bounds.past_bound import count_end
from otel_parallelism.tracing.state.fork import follow_forks
from otel_parallelism.tracing.state.registry import REGISTRY

from .analysis_thread import ANALYSIS_THREAD, is_in_event_loop
from .end_cost import end_cost_ns
from .late_ends import LateEnd, end_later, has_late_inside, is_turn
from .observations import collect_observations
from .releasing import discard, release_contents, unlink
from .source_files import FILES_LOCK
from .turn_reports import publish, turn_outcome, wrappers_of

if TYPE_CHECKING:
    from opentelemetry.trace import Span

    from otel_parallelism.model import Report
    from otel_parallelism.tracing.state.nodes import CallNode, Node

# Calls and turns are recorded without `install`, too, and a process may fork in the middle of one.
follow_forks(FILES_LOCK)

_MOST_AT_ONCE_NS = 500_000_000
_MOST_WAITING = 1_000
"""Past so many turns that wait for their analysis, turns are analysed where they end."""


def finish(node: Node, end_ns: int) -> Report | LateEnd | None:
    """
    End *node*, a turn or a local root, and write its report on its span, if that is still open.

    Where an event loop would wait for the analysis for longer than ``turn_end_budget``, it runs later, in the thread of
    `ANALYSIS_THREAD`.
    The nodes below are unlinked, and the arguments, results and user's words they hold are released, after it. A turn
    that only wraps another gets the report of that turn.

    Returns:
        The report, or what will have it; None where *node* is not a turn, or has ended already.
    """
    registry = REGISTRY
    if node.counted_in is not None:
        count_end(node)
    if _is_late(node, end_ns):
        return end_later(node, end_ns)
    with registry.lock:
        if node.finished:
            return None
        least_ns = 0.0 if registry.dispatch is not None else registry.settings.min_avoidable * 1e9
        found = collect_observations(node, end_ns, least_ns=least_ns)
        node.finished = True
        registry.turns.pop(id(node), None)
        unlink(node, found)
    outcome = None
    try:
        outcome = turn_outcome(node, found, wrappers_of(node))
        if outcome is not None and outcome.is_own:
            publish(node, outcome, node.span)
    finally:
        release_contents(node, found, outcome)
    report = None if outcome is None else outcome.report
    if report is not None and is_open(node.span):
        write_report(node.span, report, registry.settings)
    return report


def _is_late(node: Node, end_ns: int) -> bool:
    """Return whether *node*, which ends, is analysed later: it takes long, or turns inside it are not analysed yet."""
    registry = REGISTRY
    if node.finished or not ANALYSIS_THREAD.available or len(ANALYSIS_THREAD.waiting) >= _MOST_WAITING:
        return False
    if has_late_inside(node):
        return True
    budget_ns = registry.budget_ns
    # Outside of an event loop, the program waits for the end whatever it takes.
    if budget_ns == inf or not node.children or not is_in_event_loop():
        return False
    if end_cost_ns(node, end_ns, registry.settings, budget_ns) <= budget_ns:
        return False
    # Where each span is exported as it ends, the loop stands still for every span anyway, and the result would come too
    # late to be exported. But it does not wait for long, as for a first turn of many calls whose source is followed.
    if (
        exports_at_once(node.span)
        and end_cost_ns(node, end_ns, registry.settings, _MOST_AT_ONCE_NS) <= _MOST_AT_ONCE_NS
    ):
        return False
    # Calls that are no turn's are linked to the only other open turn, if there is one: now, as it may end.
    return is_turn(node) or not registry.turns


def finish_root(node: CallNode, end_ns: int) -> None:
    """End *node*, a decorated call without a parent. With several calls inside, it is a turn of its own."""
    try:
        finish(node, end_ns)
    except Exception as error:  # noqa: BLE001 - the span must end in any case
        discard(node)
        swallow("ending a call that is a turn", error)


def abandon_turn(node: Node | None, span: Span, error: BaseException) -> None:
    """End *node*, a turn whose start or end *error* stopped, and its *span*, without a report."""
    try:
        end_ns = clock.now_ns()
        if node is not None:
            node.end_ns = node.end_ns or end_ns
            end_ns = node.end_ns + node.shift
            REGISTRY.spans.pop(node.span_id, None)
            discard(node)
        end_interrupted(None if span is INVALID_SPAN else span, end_ns, error)
    except Exception as failure:  # noqa: BLE001 - the run has ended
        swallow("abandoning a turn", failure)
