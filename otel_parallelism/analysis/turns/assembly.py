"""Assembles the turns of one trace from its finished tree: cuts calls at the end of their turn, assigns rounds."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING

import msgspec

from otel_parallelism.model import Call, Interval, Observation, Step, Turn, TurnSpan
from otel_parallelism.pace import ordered, paced

from .bounded_calls import totals_past_bound
from .rounds import assign_rounds
from .waiting import waiting_inside

if TYPE_CHECKING:
    from collections.abc import Sequence

    from otel_parallelism.settings import Settings

    from .tree import Tree

_in_order = attrgetter("start_ns", "end_ns", "span_id")


def assemble(
    tree: Tree,
    placed_by_time: set[str],
    wrappers: dict[str, tuple[str, ...]],
    impossible: set[str],
    settings: Settings,
) -> tuple[tuple[Turn, ...], tuple[Call, ...]]:
    """
    Return the turns of *tree*, and the calls that belong to none.

    Args:
        tree: The tree after all other passes.
        placed_by_time: The ids of calls whose scope is only inferred from time.
        wrappers: The span ids of the wrappers of each turn that had any, the outermost first.
        impossible: The ids of spans that end before they start.
        settings: ``max_calls_per_turn`` bounds a turn.
    """
    turn_spans = {span.span_id: span for span in paced(tree.spans.values()) if type(span) is TurnSpan}
    calls: dict[str, list[Call]] = {span_id: [] for span_id in turn_spans}
    steps: dict[str, list[Step]] = {span_id: [] for span_id in turn_spans}
    anomalies: dict[str, int] = dict.fromkeys(turn_spans, 0)
    uncovered: list[Call] = []
    sought = [span.span_id for span in paced(tree.spans.values()) if type(span) in (Call, TurnSpan)]
    turn_of = tree.innermost_turns([*sought, *tree.hand_offs])
    lateness = _Lateness(tree)
    turn_spans = _extended(tree, turn_spans, turn_of)
    uncertain = placed_by_time | impossible
    waits = waiting_inside(tree)
    for span in paced(tree.spans.values()):
        if type(span) is Call:
            turn_id = turn_of[span.span_id]
            if not turn_id or lateness.is_late(span, turn_spans[turn_id]):
                uncovered.append(span)
                continue
            anomalies[turn_id] += span.span_id in impossible
            scope = tree.inside[span.span_id]
            calls[turn_id].append(
                _in_turn(span, "" if scope == turn_id else scope, turn_spans[turn_id], waits.get(span.span_id, ()))
            )
        elif type(span) is Step:
            scope = tree.inside[span.span_id]
            if scope in turn_spans:
                steps[scope].append(span)
        elif type(span) is TurnSpan:
            scope = tree.inside[span.span_id]
            if scope in turn_spans and not _began_after(span, turn_spans[scope]):
                anomalies[scope] += span.span_id in impossible
                sub_agent = _as_call(turn_spans[span.span_id], wrappers, tree)
                calls[scope].append(_in_turn(sub_agent, "", turn_spans[scope], waits.get(span.span_id, ())))

    hand_offs: dict[str, list[int]] = {}
    for span_id, at_ns in tree.hand_offs.items():
        hand_offs.setdefault(turn_of[span_id], []).append(at_ns)
    turns = tuple(
        _turn(
            tree,
            span,
            calls=calls[span.span_id],
            steps=steps[span.span_id],
            anomalies=anomalies[span.span_id],
            wrappers=wrappers.get(span.span_id, ()),
            hand_offs=hand_offs.get(span.span_id, ()),
            uncertain=uncertain,
            max_calls=settings.max_calls_per_turn,
            waiting=waits.get(span.span_id, ()),
        )
        for span in turn_spans.values()
    )
    return turns, tuple(uncovered)


def _extended(tree: Tree, turn_spans: dict[str, TurnSpan], turn_of: dict[str, str]) -> dict[str, TurnSpan]:
    """
    Return *turn_spans*, each extended to its last call if all its calls start after its end.

    Some instrumentations end a turn's span with the first answer of the model.
    """
    inside: dict[str, list[Observation]] = {}
    for span in paced(tree.spans.values()):
        if type(span) in (Call, TurnSpan):
            turn_id = turn_of[span.span_id]
            if turn_id:
                inside.setdefault(turn_id, []).append(span)
    extended = dict(turn_spans)
    depths = tree.depths() if len(inside) > 1 else dict.fromkeys(inside, 0)
    # The innermost first: a sub-agent's own span may have been extended.
    for turn_id in sorted(inside, key=lambda turn_id: -depths[turn_id]):
        turn = turn_spans[turn_id]
        contents = [extended.get(span.span_id, span) for span in paced(inside[turn_id])]
        if all(_began_after(span, turn) for span in contents):
            extended[turn_id] = msgspec.structs.replace(turn, end_ns=max(span.end_ns for span in contents))
    return extended


def _began_after(span: Observation, turn: TurnSpan) -> bool:
    return span.source == turn.source and span.start_ns >= turn.end_ns and span.end_ns > turn.end_ns


class _Lateness:
    """Tells late calls; each span of a finished *tree* is gone through once, however deep it lies."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._late: dict[str, bool] = {}

    def is_late(self, call: Call, turn: TurnSpan) -> bool:
        """Return whether *call*, or a span that encloses it inside *turn*, began after the turn's end."""
        tree = self._tree
        path = []
        at: Observation = call
        while at.span_id != turn.span_id and at.span_id not in self._late:
            path.append(at)
            at = tree.spans[tree.inside[at.span_id]]
        late = at.span_id != turn.span_id and self._late[at.span_id]
        for passed in reversed(path):
            late = late or _began_after(passed, turn)
            self._late[passed.span_id] = late
        return late


def _in_turn(call: Call, scope: str, turn: TurnSpan, waiting: tuple[Interval, ...]) -> Call:
    """Return *call* with *scope* and *waiting*, cut at the end of *turn* if it ends later in the same process."""
    end_ns, outlived_ns = call.end_ns, call.outlived_ns
    if end_ns > turn.end_ns and call.source == turn.source:
        end_ns, outlived_ns = turn.end_ns, end_ns - turn.end_ns
    if scope == call.scope and end_ns == call.end_ns and not waiting:
        return call
    inside = (Interval(wait.start_ns, min(wait.end_ns, end_ns)) for wait in waiting)
    return msgspec.structs.replace(
        call,
        scope=scope,
        end_ns=end_ns,
        outlived_ns=outlived_ns,
        waiting=tuple(wait for wait in inside if wait.duration_ns),
    )


def _as_call(turn: TurnSpan, wrappers: dict[str, tuple[str, ...]], tree: Tree) -> Call:
    """Return a sub-agent as a call of the enclosing turn; its outermost wrapper gives the interval."""
    outermost = tree.spans[wrappers[turn.span_id][0]] if turn.span_id in wrappers else turn
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
    hand_offs: Sequence[int],
    uncertain: set[str],
    max_calls: int,
    waiting: tuple[Interval, ...],
) -> Turn:
    calls = ordered(calls, key=_in_order)
    steps.sort(key=_in_order)
    kept = calls[:max_calls]
    unrequested: frozenset[str] = frozenset()
    if steps or tree.has_cycles:
        own = [call for call in paced(kept) if not call.scope]
        cycles: dict[str, Interval] = {}
        if not steps:
            for call in paced(own):
                cycle = tree.cycle_of(call.span_id)
                if cycle is not None:
                    cycles[call.span_id] = Interval(cycle.start_ns, cycle.end_ns)
        rounds = assign_rounds(own, steps, cycles)
        placed = {call.span_id: call for call in paced(rounds.calls)}
        steps = list(rounds.steps)
        unrequested = rounds.unrequested
        kept = [placed.get(call.span_id, call) for call in paced(kept)]
    known = sum(1 for call in paced(kept) if call.tool and call.start_ns > 0 and call.span_id not in uncertain)
    inputs = [span.input, *(step.messages for step in steps)]
    originals = [tree.originals.get(wrapper_id) for wrapper_id in reversed(wrappers)]
    inputs = [*(original.input for original in originals if isinstance(original, TurnSpan)), *inputs]
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
        unrequested=unrequested,
        hand_offs=tuple(sorted(hand_offs)),
        waiting=waiting,
        past_bound=totals_past_bound(calls, max_calls),
    )


def _inherited_agent(tree: Tree, wrappers: Sequence[str]) -> str:
    for wrapper_id in reversed(wrappers):
        original = tree.originals.get(wrapper_id)
        if isinstance(original, TurnSpan) and original.agent:
            return original.agent
    return ""
