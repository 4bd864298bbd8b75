"""What happens when a turn ends: its part of the live tree becomes a report, which is told to whoever listens."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, cast

import msgspec

from otel_parallelism.analysis.analyze import analyze
from otel_parallelism.analysis.turns.normalize import is_bookkeeping, normalize
from otel_parallelism.analysis.turns.normalized import Normalized
from otel_parallelism.model import Call, Report, Turn, TurnSpan
from otel_parallelism.tracing.sdk.records import is_marked
from otel_parallelism.tracing.sdk.results import write_report
from otel_parallelism.tracing.shield import swallow
from otel_parallelism.tracing.state.live_tree import link_node
from otel_parallelism.tracing.state.nodes import CallNode, Node, SpanNode, TurnNode, release_call
from otel_parallelism.tracing.state.registry import REGISTRY
from otel_parallelism.tracing.state.user_words import release_words

from .observations import TurnContents, collect_observations, words_of

if TYPE_CHECKING:
    from otel_parallelism.settings import Settings

_in_order = attrgetter("start_ns", "end_ns", "span_id")


def finish(node: Node, end_ns: int) -> Report | None:
    """
    End *node*, a turn or a local root, and return its report; None where it is no turn after all.

    It is taken out of the live tree, which is taken apart below it, and what was held for evidence is let go. A
    wrapper gets the report of the turn it wraps.
    """
    registry = REGISTRY
    with registry.lock:
        if node.finished:
            return None
        registry.turns.pop(id(node), None)
        found = collect_observations(node, end_ns, least_ns=registry.settings.min_avoidable * 1e9)
        node.finished = True
        registry.spans_ended += found.made + (type(node) is TurnNode)
        for visited in found.visited:
            visited.children = None
        top: Node = node
        while top.parent is not None:
            top = top.parent
        # A root that lives as long as the process has room for the turns to come.
        top.held -= len(found.observations) - 1
    report = _report(node, found)
    wrapped = None if report is None else found.ended.get(report.turn.span_id)
    if wrapped is not None and isinstance(node, (SpanNode, TurnNode)):
        node.kept = [wrapped]
    for call in found.calls:
        release_call(call)
    _release_words(node, found, wraps=wrapped is not None)
    return report


def _release_words(node: Node, found: TurnContents, *, wraps: bool) -> None:
    """Let go of what the user said, of *node* itself only when no turn around it is left whose call it is."""
    around = node.parent
    while around is not None and (around.finished or (type(around) is SpanNode and not is_marked(around.span))):
        around = around.parent
    if around is not None and wraps:
        return
    own = words_of(node) if around is None else None
    for words in found.words if own is None else (own, *found.words):
        release_words(words)


def finish_root(node: CallNode, end_ns: int) -> None:
    """End *node*, a decorated call that nothing encloses; one that holds several calls is a turn of its own."""
    try:
        report = finish(node, end_ns)
        if report is not None and node.span.is_recording():
            write_report(node.span, report, REGISTRY.settings)
    except Exception as error:  # noqa: BLE001 - the span is to end as it would have
        swallow("ending a call that is a turn", error)


def _report(node: Node, found: TurnContents) -> Report | None:
    first = found.observations[0]
    if len(found.observations) == 1 and type(first) is not TurnSpan:
        if type(first) is Call:
            _count_outside((first,), node)
        return None
    settings = REGISTRY.settings
    turn = _flat(found, settings) if found.flat else None
    normalized = normalize(found.observations, settings) if turn is None else Normalized((turn,))
    _count_outside(normalized.uncovered, node)
    for turn in normalized.turns:
        if turn.span_id in found.ended:
            # By time these calls would be its own, but it has been told already.
            _count_outside(turn.calls, node)
        if turn.span_id == first.span_id:
            turn = _within_wrappers(_with_dropped(turn, found.dropped), node)  # noqa: PLW2901 - the same turn, completed
            report = analyze(turn, settings, REGISTRY.experience)
            if report.peak_concurrency > 1:
                REGISTRY.experience.learn(turn)
            _publish(node, report, normalized.anomalies)
            return report
        if first.span_id in turn.wrappers:
            # The turn inside may outlive its wrapper; it then counts by itself when it ends.
            return node.inner if isinstance(node.inner, Report) else analyze(turn, settings)
    return None


def _flat(found: TurnContents, settings: Settings) -> Turn | None:
    """
    The turn of our own making that holds only decorated calls, as most do; None where that needs a closer look.

    It is what `normalize` gives for it, without asking every call what is so by construction.
    """
    top = found.observations[0]
    if not isinstance(top, TurnSpan):
        return None
    calls = cast("list[Call]", found.observations[1:])
    if any(is_bookkeeping(tool, settings.bookkeeping) for tool in {call.tool for call in calls}):
        return None
    end_ns = top.end_ns
    for call in calls:
        if not call.start_ns <= call.end_ns <= end_ns:
            return None
    calls.sort(key=_in_order)
    return Turn(
        trace_id=top.trace_id,
        span_id=top.span_id,
        name=top.name,
        agent=top.agent,
        start_ns=top.start_ns,
        end_ns=end_ns,
        calls=tuple(calls),
        inputs=() if top.input is None else (top.input,),
    )


def _publish(node: Node, report: Report, anomalies: int) -> None:
    """Count *report*, keep it for the turns around that may turn out to be wrappers, and tell it."""
    registry = REGISTRY
    with registry.lock:
        registry.calls += len(report.turn.calls) - len([call for call in report.turn.calls if call.sub_agent])
        registry.anomalies += anomalies
        around = node.parent
        while around is not None:
            around.inner = report if around.inner is None else False
            around = around.parent
    if registry.instruments is not None:
        try:
            registry.instruments.record(report, node.span)
        except Exception as error:  # noqa: BLE001 - a meter's error is not the program's
            swallow("recording metrics", error)
    for subscriber in registry.subscribers:
        try:
            subscriber(report)
        except Exception as error:  # noqa: BLE001 - a subscriber's error is not the program's
            swallow("telling a subscriber of a report", error)


def _count_outside(calls: tuple[Call, ...], node: Node) -> None:
    """Count *calls* that no turn encloses, unless the process's only open turn takes them."""
    registry = REGISTRY
    for call in calls:
        if call.sub_agent:
            continue
        turn = REGISTRY.only_turn(call.start_ns)
        if turn is None or turn is node:
            with registry.lock:
                registry.uncovered += 1
            continue
        # Without contents: they are let go with the tree that the call comes from.
        alone = msgspec.structs.replace(call, arguments=None, result=None)
        link_node(SpanNode(turn, None, int(call.span_id, 16), call.start_ns, call.end_ns, observation=alone))


def _within_wrappers(turn: Turn, node: Node) -> Turn:
    """*turn*, with what the turns that so far hold nothing but it know: the agent's name, the user's words."""
    around = node.parent
    while around is not None and around.children is not None and len(around.children) == 1:
        if isinstance(around, TurnNode):
            inputs = turn.inputs if around.input is None else (around.input, *turn.inputs)
            turn = msgspec.structs.replace(turn, agent=turn.agent or around.agent, inputs=inputs)
        around = around.parent
    return turn


def _with_dropped(turn: Turn, dropped: int) -> Turn:
    """*turn*, its coverage lowered by the calls that a bound left out."""
    if not dropped:
        return turn
    kept = len(turn.calls)
    return msgspec.structs.replace(turn, coverage=turn.coverage * kept / (kept + dropped))
