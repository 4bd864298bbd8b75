"""The turns of one trace, once every span has its place: calls cut at their turn's end, rounds, coverage."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING

import msgspec

from otel_parallelism.model import Call, Interval, Observation, Step, Turn, TurnSpan

from .normalized import Normalized
from .rounds import assign

if TYPE_CHECKING:
    from collections.abc import Sequence

    from otel_parallelism.settings import Settings

    from .tree import Tree

_in_order = attrgetter("start_ns", "end_ns", "span_id")


def collect(
    tree: Tree,
    guessed: set[str],
    wrapped: dict[str, tuple[str, ...]],
    impossible: set[str],
    settings: Settings,
) -> Normalized:
    """
    Read the turns off *tree*.

    Args:
        tree: With every span in its place.
        guessed: Calls placed by time alone, whose scope is not known for sure.
        wrapped: For each turn that had wrappers, their span ids, the outermost first.
        impossible: Spans that ended before they began.
        settings: ``max_calls_per_turn`` bounds a turn.
    """
    turn_spans = {span.span_id: span for span in tree.spans.values() if type(span) is TurnSpan}
    calls: dict[str, list[Call]] = {span_id: [] for span_id in turn_spans}
    steps: dict[str, list[Step]] = {span_id: [] for span_id in turn_spans}
    anomalies: dict[str, int] = dict.fromkeys(turn_spans, 0)
    uncovered: list[Call] = []
    turn_spans = _outlasting(tree, turn_spans)
    uncertain = guessed | impossible
    for span in tree.spans.values():
        if type(span) is Call:
            turn_id = tree.turn_of(span.span_id)
            if turn_id is None or _is_late(tree, span, turn_spans[turn_id]):
                uncovered.append(span)
                continue
            anomalies[turn_id] += span.span_id in impossible
            scope = tree.inside[span.span_id]
            calls[turn_id].append(_settled(span, "" if scope == turn_id else scope, turn_spans[turn_id]))
        elif type(span) is Step:
            scope = tree.inside[span.span_id]
            if scope in turn_spans:
                steps[scope].append(span)
        elif type(span) is TurnSpan:
            scope = tree.inside[span.span_id]
            if scope in turn_spans and not _began_after(span, turn_spans[scope]):
                anomalies[scope] += span.span_id in impossible
                sub_agent = _as_call(turn_spans[span.span_id], wrapped, tree)
                calls[scope].append(_settled(sub_agent, "", turn_spans[scope]))

    turns = tuple(
        _turn(
            tree,
            span,
            calls=calls[span.span_id],
            steps=steps[span.span_id],
            anomalies=anomalies[span.span_id],
            wrappers=wrapped.get(span.span_id, ()),
            uncertain=uncertain,
            most_calls=settings.max_calls_per_turn,
        )
        for span in turn_spans.values()
    )
    return Normalized(turns, tuple(uncovered), len(tree.spans), len(impossible))


def _outlasting(tree: Tree, turn_spans: dict[str, TurnSpan]) -> dict[str, TurnSpan]:
    """Turns with their ends moved where every call began after it: such a span ends with its first answer."""
    inside: dict[str, list[Observation]] = {}
    for span in tree.spans.values():
        if type(span) in (Call, TurnSpan):
            turn_id = tree.turn_of(span.span_id)
            if turn_id is not None:
                inside.setdefault(turn_id, []).append(span)
    moved = dict(turn_spans)
    # The innermost first: a sub-agent may last longer than its span tells.
    for turn_id in sorted(inside, key=lambda turn_id: -len(tree.around(turn_id))):
        turn = turn_spans[turn_id]
        held = [moved.get(span.span_id, span) for span in inside[turn_id]]
        if all(_began_after(span, turn) for span in held):
            moved[turn_id] = msgspec.structs.replace(turn, end_ns=max(span.end_ns for span in held))
    return moved


def _began_after(span: Observation, turn: TurnSpan) -> bool:
    return span.source == turn.source and span.start_ns >= turn.end_ns and span.end_ns > turn.end_ns


def _is_late(tree: Tree, call: Call, turn: TurnSpan) -> bool:
    """Whether *call*, or one around it, began after its turn."""
    at: Observation = call
    while at.span_id != turn.span_id:
        if _began_after(at, turn):
            return True
        at = tree.spans[tree.inside[at.span_id]]
    return False


def _settled(call: Call, scope: str, turn: TurnSpan) -> Call:
    """*call* with its scope, cut at its turn's end if it outlived it."""
    if call.end_ns > turn.end_ns and call.source == turn.source:
        return msgspec.structs.replace(call, scope=scope, end_ns=turn.end_ns)
    return msgspec.structs.replace(call, scope=scope) if scope != call.scope else call


def _as_call(turn: TurnSpan, wrapped: dict[str, tuple[str, ...]], tree: Tree) -> Call:
    """A sub-agent, as the one call it is to the turn around it; its outermost wrapper gives the interval."""
    outermost = tree.spans[wrapped[turn.span_id][0]] if turn.span_id in wrapped else turn
    return Call(
        trace_id=turn.trace_id,
        span_id=turn.span_id,
        parent_id=outermost.parent_id,
        tool=turn.agent or turn.name,
        start_ns=outermost.start_ns,
        end_ns=max(outermost.end_ns, turn.end_ns),
        arguments=turn.input,
        sub_agent=True,
        source=turn.source,
        instrumentation=turn.instrumentation,
    )


def _turn(
    tree: Tree,
    span: TurnSpan,
    *,
    calls: list[Call],
    steps: list[Step],
    anomalies: int,
    wrappers: tuple[str, ...],
    uncertain: set[str],
    most_calls: int,
) -> Turn:
    calls.sort(key=_in_order)
    steps.sort(key=_in_order)
    kept = calls[:most_calls]
    own = [call for call in kept if not call.scope]
    if steps or tree.has_cycles:
        cycles: dict[str, Interval] = {}
        if not steps:
            for call in own:
                cycle = tree.cycle_of(call.span_id)
                if cycle is not None:
                    cycles[call.span_id] = Interval(cycle.start_ns, cycle.end_ns)
        found = assign(own, steps, cycles)
        placed = {call.span_id: call for call in found.calls}
        steps = list(found.steps)
        kept = [placed.get(call.span_id, call) for call in kept]
    known = sum(1 for call in kept if call.tool and call.start_ns > 0 and call.span_id not in uncertain)
    inputs = [span.input, *(step.messages for step in steps)]
    for wrapper_id in wrappers:
        original = tree.originals.get(wrapper_id)
        if isinstance(original, TurnSpan):
            inputs.insert(0, original.input)
    return Turn(
        trace_id=span.trace_id,
        span_id=span.span_id,
        name=span.name,
        agent=span.agent or _inherited_agent(tree, wrappers),
        start_ns=span.start_ns,
        end_ns=span.end_ns,
        calls=tuple(kept),
        steps=tuple(steps),
        inputs=tuple(content for content in inputs if content is not None),
        coverage=known / len(calls) if calls else 1.0,
        anomalies=anomalies,
        wrappers=wrappers,
    )


def _inherited_agent(tree: Tree, wrappers: Sequence[str]) -> str:
    for wrapper_id in reversed(wrappers):
        original = tree.originals.get(wrapper_id)
        if isinstance(original, TurnSpan) and original.agent:
            return original.agent
    return ""
