"""Ends a turn: turns its part of the live tree into a report, and publishes it."""

from __future__ import annotations

from typing import cast

import msgspec

from otel_parallelism.analysis.analyze import analyze
from otel_parallelism.analysis.turns.bounded_calls import joined_totals
from otel_parallelism.analysis.turns.normalization import Normalized, holds, normalize, plain_turn
from otel_parallelism.model import Call, Report, Turn, TurnSpan
from otel_parallelism.tracing.sdk.records import is_marked
from otel_parallelism.tracing.sdk.results import write_report
from otel_parallelism.tracing.shield import swallow
from otel_parallelism.tracing.state.bounds.held_evidence import HELD, LET_GO
from otel_parallelism.tracing.state.bounds.past_bound import count_end
from otel_parallelism.tracing.state.live_tree import link_node
from otel_parallelism.tracing.state.nodes import CallNode, Node, SpanNode, TurnNode, release_call
from otel_parallelism.tracing.state.registry import REGISTRY
from otel_parallelism.tracing.state.user_words import release_words

from .observations import TurnContents, collect_observations, held_words
from .source_files import source_file


def finish(node: Node, end_ns: int) -> Report | None:
    """
    End *node*, a turn or a local root, and return its report; None where it is not a turn.

    The nodes below are unlinked, and the arguments, results and user's words they hold are released. A turn that only
    wraps another gets the report of that turn.
    """
    registry = REGISTRY
    if node.counted_in is not None:
        count_end(node)
    with registry.lock:
        if node.finished:
            return None
        least_ns = 0.0 if registry.dispatch is not None else registry.settings.min_avoidable * 1e9
        found = collect_observations(node, end_ns, least_ns=least_ns)
        node.finished = True
        registry.turns.pop(id(node), None)
        registry.spans_ended += found.made + (type(node) is TurnNode)
        room = 0
        for visited in found.visited:
            visited.children = None
            room += visited.room
            visited.room = 0
        # A root that lives as long as the process needs room for later turns.
        _root(node).held -= room
    if isinstance(node, (SpanNode, TurnNode)):
        node.emptied = any(holds(observation, registry.settings) for observation in found.observations[1:])
    report = _report(node, found)
    wrapped = None if report is None else found.ended.get(report.turn.span_id)
    if wrapped is not None and isinstance(node, (SpanNode, TurnNode)):
        node.kept = [wrapped]
    for call in found.calls:
        release_call(call)
    for span in found.spans:
        HELD.remove(span)
    _release_words(node, found, wraps=wrapped is not None)
    if registry.on_change is not None:
        registry.on_change()
    return report


def discard(node: Node) -> None:
    """End *node*, a turn or a local root whose end was interrupted, without a report; unlink and release all below."""
    with REGISTRY.lock:
        node.finished = True
        REGISTRY.turns.pop(id(node), None)
        below: list[Node] = [node]
        room = 0
        while below:
            visited = below.pop()
            below += visited.children or ()
            visited.children = None
            room += visited.room
            visited.room = 0
            if isinstance(visited, CallNode):
                release_call(visited)
            elif isinstance(visited, SpanNode):
                HELD.remove(visited)
        _root(node).held -= room
    if REGISTRY.on_change is not None:
        REGISTRY.on_change()


def _root(node: Node) -> Node:
    while node.parent is not None:
        node = node.parent
    return node


def _release_words(node: Node, found: TurnContents, *, wraps: bool) -> None:
    """Release the user's words below *node*, and those of *node* unless an enclosing open turn still needs them."""
    around = node.parent
    while around is not None and (around.finished or (type(around) is SpanNode and not is_marked(around.span))):
        around = around.parent
    if around is not None and wraps:
        return
    own = held_words(node) if around is None else None
    for words in found.words if own is None else (own, *found.words):
        release_words(words)


def finish_root(node: CallNode, end_ns: int) -> None:
    """End *node*, a decorated call without a parent. With several calls inside, it is a turn of its own."""
    try:
        report = finish(node, end_ns)
        if report is not None and node.span.is_recording():
            write_report(node.span, report, REGISTRY.settings)
    except Exception as error:  # noqa: BLE001 - the span must end in any case
        discard(node)
        swallow("ending a call that is a turn", error)


def _report(node: Node, found: TurnContents) -> Report | None:
    """Return the report of *node* from its contents, and publish it; None where it is not a turn."""
    first = found.observations[0]
    if len(found.observations) == 1 and type(first) is not TurnSpan:
        if type(first) is Call:
            _count_outside((first,), node)
        return None
    settings = REGISTRY.settings
    turn = None
    if found.flat and type(first) is TurnSpan:
        turn = plain_turn(first, cast("list[Call]", found.observations[1:]), settings)
    normalized = normalize(found.observations, settings) if turn is None else Normalized((turn,))
    _count_outside(normalized.uncovered, node)
    for turn in normalized.turns:
        if turn.span_id in found.ended:
            # These calls started within that turn, but its report is published already.
            _count_outside(turn.calls, node)
        if turn.span_id == first.span_id:
            turn = _within_wrappers(_with_bounds(turn, found), node)  # noqa: PLW2901 - the same turn, completed
            report = analyze(turn, settings, REGISTRY.experience, source_file)
            if report.peak_concurrency > 1:
                REGISTRY.experience.learn(turn)
            _publish(node, report, normalized.anomalies)
            return report
        if first.span_id in turn.wrappers:
            # If the wrapped turn is still open, it is counted when it ends.
            return node.inner if isinstance(node.inner, Report) else analyze(turn, settings, None, source_file)
    return None


def _publish(node: Node, report: Report, anomalies: int) -> None:
    """Count *report*, keep it for enclosing turns that may only wrap this one, and pass it to all listeners."""
    registry = REGISTRY
    with registry.lock:
        beyond = report.turn.past_bound
        registry.calls += len(report.turn.calls) - len([call for call in report.turn.calls if call.sub_agent])
        registry.calls += 0 if beyond is None else beyond.calls + beyond.inner
        registry.anomalies += anomalies
        around = node.parent
        while around is not None:
            around.inner = report if around.inner is None else False
            around = around.parent
    if registry.instruments is not None:
        try:
            registry.instruments.record(report, node.span)
        except Exception as error:  # noqa: BLE001 - a meter must not fail the program
            swallow("recording metrics", error)
    for subscriber in registry.subscribers:
        try:
            subscriber(report)
        except Exception as error:  # noqa: BLE001 - a subscriber must not fail the program
            swallow("calling a subscriber", error)


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


def _within_wrappers(turn: Turn, node: Node) -> Turn:
    """Return *turn* with the agent's name and the user's words of the enclosing turns that only wrap it."""
    around = node.parent
    while around is not None and around.children is not None and len(around.children) == 1:
        if isinstance(around, TurnNode):
            inputs = turn.inputs if around.input is None else (around.input, *turn.inputs)
            turn = msgspec.structs.replace(turn, agent=turn.agent or around.agent, inputs=inputs)
        around = around.parent
    return turn


def _with_bounds(turn: Turn, found: TurnContents) -> Turn:
    """Return *turn* with what bounds left out: the totals of calls, by whose number its coverage is lowered."""
    holders: list[CallNode | SpanNode] = [*found.calls, *found.spans]
    let_go = len([holder for holder in holders if holder.held_size == LET_GO])
    if let_go:
        turn = msgspec.structs.replace(turn, let_go=let_go)
    totals = found.past_bound
    if totals is None:
        return turn
    cut = turn.past_bound
    linked = len(turn.calls) + (0 if cut is None else cut.calls + cut.inner)
    coverage = turn.coverage * linked / (linked + totals.calls + totals.inner) if linked else 0.0
    return msgspec.structs.replace(turn, past_bound=joined_totals(cut, totals), coverage=coverage)
