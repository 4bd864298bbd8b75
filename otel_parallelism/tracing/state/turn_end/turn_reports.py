"""Makes the report of a turn that ends from its contents, and passes it to all that listen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import msgspec

from otel_parallelism.analysis.analyze import analyze
from otel_parallelism.analysis.turns.bounded_calls import joined_totals
from otel_parallelism.analysis.turns.normalization import Normalized, holds, normalize, plain_turn
from otel_parallelism.model import Call, Report, Turn, TurnSpan
from otel_parallelism.pace import paced
from otel_parallelism.tracing.shield import swallow
from otel_parallelism.tracing.state.bounds.held_evidence import LET_GO
from otel_parallelism.tracing.state.live_tree import link_node
from otel_parallelism.tracing.state.nodes import CallNode, Node, SpanNode, TurnNode
from otel_parallelism.tracing.state.registry import REGISTRY

from .source_files import source_file

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .observations import TurnContents


class TurnOutcome(msgspec.Struct):
    """The report of a turn, with the number of anomalies; ``is_own`` is False where it is that of a wrapped turn."""

    report: Report
    anomalies: int = 0
    is_own: bool = True


def turn_outcome(node: Node, found: TurnContents, wrappers: Sequence[TurnNode]) -> TurnOutcome | None:
    """Return the report of *node*, which *wrappers* wrap, from its contents; None where it is not a turn."""
    first = found.observations[0]
    if len(found.observations) == 1 and type(first) is not TurnSpan:
        if type(first) is Call and holds(first, REGISTRY.settings):
            _count_outside((first,), node)
        return None
    settings = REGISTRY.settings
    normalized = _normalized(found)
    _count_outside(normalized.uncovered, node)
    for turn in normalized.turns:
        if turn.span_id in found.ended:
            # These calls started within that turn, but its report is published already.
            _count_outside(turn.calls, node)
    for turn in normalized.turns:
        if turn.span_id == first.span_id:
            turn = _within(wrappers, _with_bounds(turn, found))  # noqa: PLW2901 - the same turn, completed
            report = analyze(turn, settings, REGISTRY.experience, source_file)
            if report.peak_concurrency > 1:
                REGISTRY.experience.learn(turn)
            return TurnOutcome(report, normalized.anomalies)
        if first.span_id in turn.wrappers:
            # If the wrapped turn is still open, it is counted when it ends.
            inner = node.inner if isinstance(node.inner, Report) else analyze(turn, settings, None, source_file)
            return TurnOutcome(inner, is_own=False)
    return None


def _normalized(found: TurnContents) -> Normalized:
    """Return the turns in *found*, with those that are nested in the one that ends."""
    first, settings = found.observations[0], REGISTRY.settings
    if found.flat and type(first) is TurnSpan:
        turn = plain_turn(first, cast("list[Call]", found.observations[1:]), settings)
        if turn is not None:
            return Normalized((turn,))
    past = found.past_bound
    return normalize(found.observations, settings, first.span_id if past is not None and past.calls else "")


def publish(node: Node, outcome: TurnOutcome, span: Any) -> None:
    """
    Count a report, keep it for enclosing turns that may only wrap this one, and pass it to all listeners.

    Args:
        node: The turn.
        outcome: Its report.
        span: Its span, which need not be open any more.
    """
    registry = REGISTRY
    report = outcome.report
    kept = len([call for call in paced(report.turn.calls) if not call.sub_agent])
    with registry.lock:
        _count(node, outcome, kept)
    if registry.instruments is not None:
        try:
            registry.instruments.record(report, span)
        except Exception as error:  # noqa: BLE001 - a meter must not fail the program
            swallow("recording metrics", error)
    for subscriber in registry.subscribers:
        try:
            subscriber(report)
        except Exception as error:  # noqa: BLE001 - a subscriber must not fail the program
            swallow("calling a subscriber", error)


def _count(node: Node, outcome: TurnOutcome, kept: int) -> None:
    """Count the turn of *node*; *kept* is how many of its kept calls are no sub-agents."""
    beyond = outcome.report.turn.past_bound
    REGISTRY.calls += kept + (0 if beyond is None else beyond.calls + beyond.inner)
    REGISTRY.anomalies += outcome.anomalies
    around = node.parent
    while around is not None:
        around.inner = outcome.report if around.inner is None else False
        around = around.parent


def _count_outside(calls: tuple[Call, ...], node: Node) -> None:
    """Count *calls* that no turn encloses as uncovered, or link them to the only open turn."""
    registry = REGISTRY
    for call in calls:
        if call.sub_agent:
            continue
        turn = REGISTRY.only_turn(call.start_ns)
        if turn is None or turn is node:
            with registry.lock:
                registry.uncovered += 1
            continue
        # Arguments and results are released with the call's own tree.
        alone = msgspec.structs.replace(call, arguments=None, result=None)
        link_node(SpanNode(turn, None, int(call.span_id, 16), call.start_ns, call.end_ns, observation=alone))


def wrappers_of(node: Node) -> tuple[TurnNode, ...]:
    """Return the open turns that so far have only *node* inside, the innermost first."""
    found = []
    around = node.parent
    while around is not None and around.children is not None and len(around.children) == 1:
        if isinstance(around, TurnNode):
            found.append(around)
        around = around.parent
    return tuple(found)


def _within(wrappers: Sequence[TurnNode], turn: Turn) -> Turn:
    """Return *turn* with the agent's name and the user's words of the *wrappers* around it."""
    for around in wrappers:
        inputs = turn.inputs if around.input is None else (around.input, *turn.inputs)
        turn = msgspec.structs.replace(turn, agent=turn.agent or around.agent, inputs=inputs)
    return turn


def _with_bounds(turn: Turn, found: TurnContents) -> Turn:
    """Return *turn* with what bounds left out: the totals of calls, by whose number its coverage is lowered."""
    holders: list[CallNode | SpanNode] = [*found.calls, *found.spans]
    let_go = len([holder for holder in paced(holders) if holder.held_size == LET_GO])
    if let_go:
        turn = msgspec.structs.replace(turn, let_go=let_go)
    totals = found.past_bound
    if totals is None:
        return turn
    cut = turn.past_bound
    linked = len(turn.calls) + (0 if cut is None else cut.calls + cut.inner)
    coverage = turn.coverage * linked / (linked + totals.calls + totals.inner) if linked else 0.0
    return msgspec.structs.replace(turn, past_bound=joined_totals(cut, totals), coverage=coverage)
