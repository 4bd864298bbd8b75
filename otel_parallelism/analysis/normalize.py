"""
Turns from observations: one call per execution, in the right turn and scope, whatever instrumentations wrote it.

Follows the numbered normalisation rules of the definitions: duplicates, wrappers, calls that are not nested in
time, orphans, bookkeeping tools, and calls still open when their turn ends.
"""

from __future__ import annotations

import itertools
from fnmatch import fnmatchcase
from functools import lru_cache
from operator import attrgetter
from typing import TYPE_CHECKING

import msgspec

from otel_parallelism.model import Call, Coverage, Interval, Observation, Passage, Step, Turn, TurnSpan

from .duplicates import merge_calls, merge_steps
from .rounds import assign
from .tree import Tree

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from otel_parallelism.settings import Settings

_TOLERANCE_NS = 1_000_000
_LEAST_CALLS_OF_A_ROOT = 2
_in_order = attrgetter("start_ns", "end_ns", "span_id")


class Normalized(msgspec.Struct, frozen=True):
    """Turns in order of start, and what lies outside them."""

    turns: tuple[Turn, ...]
    uncovered: tuple[Call, ...] = ()
    spans: int = 0
    anomalies: int = 0

    @property
    def coverage(self) -> Coverage:
        """Calls with and without a turn; sub-agents count as turns here, not as calls."""
        covered = sum(1 for turn in self.turns for call in turn.calls if not call.sub_agent)
        return Coverage(
            calls=covered + len(self.uncovered),
            calls_without_turn=len(self.uncovered),
            spans=self.spans,
            anomalies=self.anomalies,
        )


def normalize(observations: Iterable[Observation], settings: Settings) -> Normalized:
    """
    Sort *observations* of any traces, in any order, into turns.

    Args:
        observations: One a span; a span told twice counts once.
        settings: ``bookkeeping`` names the tools that are not calls, ``max_calls_per_turn`` bounds a turn.

    Returns:
        Turns in order of start, calls that belong to none, and counts of spans and impossible intervals.
    """
    traces: dict[str, dict[str, Observation]] = {}
    spans = 0
    for observation in observations:
        trace = traces.setdefault(observation.trace_id, {})
        if observation.span_id not in trace:
            trace[observation.span_id] = observation
            spans += 1
    turns: list[Turn] = []
    uncovered: list[Call] = []
    anomalies = 0
    for trace in traces.values():
        found = _trace(trace, settings)
        turns += found.turns
        uncovered += found.uncovered
        anomalies += found.anomalies
    turns.sort(key=attrgetter("start_ns", "span_id"))
    uncovered.sort(key=_in_order)
    return Normalized(tuple(turns), tuple(uncovered), spans, anomalies)


def _plain(spans: dict[str, Observation], settings: Settings) -> Normalized | None:
    """
    The answer for the trace most turns have, one turn and nothing but calls of its own; None for any other.

    It is what the general way gives, without the ancestry: a turn pays for this each time it ends.
    """
    turn: TurnSpan | None = None
    calls: list[Call] = []
    for span in spans.values():
        if type(span) is Call:
            calls.append(span)
        elif type(span) is TurnSpan and turn is None:
            turn = span
        else:
            return None
    if turn is None or len(calls) > settings.max_calls_per_turn:
        return None
    turn_id, end_ns, source, instrumentation = turn.span_id, turn.end_ns, turn.source, ""
    for call in calls:
        instrumentation = instrumentation or call.instrumentation
        if (
            call.parent_id != turn_id
            or not call.tool
            or not 0 < call.start_ns <= call.end_ns <= end_ns
            or call.source != source
            or call.instrumentation != instrumentation
            or call.scope
            or is_bookkeeping(call.tool, settings.bookkeeping)
        ):
            return None
    calls.sort(key=_in_order)
    found = Turn(
        trace_id=turn.trace_id,
        span_id=turn_id,
        name=turn.name,
        agent=turn.agent,
        start_ns=turn.start_ns,
        end_ns=end_ns,
        calls=tuple(calls),
        inputs=() if turn.input is None else (turn.input,),
    )
    return Normalized((found,), (), len(spans), 0)


def _trace(spans: dict[str, Observation], settings: Settings) -> Normalized:
    plain = _plain(spans, settings)
    if plain is not None:
        return plain
    impossible: set[str] = set()
    for span_id, span in spans.items():
        if span.end_ns < span.start_ns:
            impossible.add(span_id)
            spans[span_id] = msgspec.structs.replace(span, end_ns=span.start_ns)
        if type(span) is Call and is_bookkeeping(span.tool, settings.bookkeeping):
            spans[span_id] = _passage(spans[span_id])

    tree = Tree(spans)
    if any(type(span) is Step for span in spans.values()):
        for span_id in tree.steps_with_calls_inside():
            tree.replace(_passage(spans[span_id]))
        merge_steps(tree)
    merge_calls(tree)
    guessed = _place_orphans(tree)
    _make_roots_turns(tree)
    wrapped = _unwrap(tree)
    _lift_what_is_not_nested(tree)
    return _collect(tree, guessed, wrapped, impossible, settings)


@lru_cache(maxsize=4096)
def is_bookkeeping(tool: str, patterns: tuple[str, ...]) -> bool:
    """Whether *tool* matches one of the globs *patterns*, case ignored: it only keeps the agent's books."""
    name = tool.lower()
    return any(fnmatchcase(name, pattern.lower()) for pattern in patterns)


def _passage(span: Observation) -> Passage:
    return Passage(
        trace_id=span.trace_id,
        span_id=span.span_id,
        parent_id=span.parent_id,
        name="",
        start_ns=span.start_ns,
        end_ns=span.end_ns,
        source=span.source,
        instrumentation=span.instrumentation,
    )


def _holds(turn: Observation, span: Observation) -> bool:
    return turn.start_ns <= span.start_ns and span.end_ns <= turn.end_ns


def _place_orphans(tree: Tree) -> set[str]:
    """
    Put calls and steps that no turn encloses into the innermost turn whose interval holds them.

    Returns:
        The span ids of the calls placed by time alone.
    """
    placed: set[str] = set()
    turns = [span for span in tree.spans.values() if type(span) is TurnSpan]
    if not turns:
        return placed
    for span in list(tree.spans.values()):
        if type(span) not in (Call, Step) or tree.inside[span.span_id]:
            continue
        holding = sorted((t for t in turns if _holds(t, span)), key=lambda t: t.end_ns - t.start_ns)
        if not holding:
            continue
        # Turns that overlap without nesting could each be the one: then it is neither's.
        if all(_holds(outer, inner) for inner, outer in itertools.pairwise(holding)):
            tree.inside[span.span_id] = holding[0].span_id
            placed.add(span.span_id)
    return placed


def _make_roots_turns(tree: Tree) -> None:
    """Make a local root that holds two calls or more, and no turn around them, the turn itself."""
    held: dict[str, list[str]] = {}
    for span in tree.spans.values():
        if type(span) is Call and tree.turn_of(span.span_id) is None:
            root = tree.root_of(span.span_id)
            if root != span.span_id:
                held.setdefault(root, []).append(span.span_id)
    roots: set[str] = set()
    for root_id, calls in held.items():
        if len(calls) < _LEAST_CALLS_OF_A_ROOT:
            continue
        root = tree.spans[root_id]
        name = root.tool if isinstance(root, Call) else getattr(root, "name", "")
        tree.replace(
            TurnSpan(
                trace_id=root.trace_id,
                span_id=root.span_id,
                parent_id=root.parent_id,
                name=name,
                start_ns=root.start_ns,
                end_ns=root.end_ns,
                input=root.arguments if isinstance(root, Call) else None,
                source=root.source,
                instrumentation=root.instrumentation,
            )
        )
        roots.add(root_id)
    if roots:
        for span in tree.spans.values():
            if type(span) in (Call, Step, TurnSpan) and not tree.inside[span.span_id]:
                root_id = tree.root_of(span.span_id)
                if root_id in roots and root_id != span.span_id:
                    tree.inside[span.span_id] = root_id


def _unwrap(tree: Tree) -> dict[str, tuple[str, ...]]:
    """
    Take out turns that hold nothing but one other turn.

    Returns:
        For each turn that had wrappers, their span ids, the outermost first.
    """
    content: dict[str, list[str]] = {}
    for span in tree.spans.values():
        if type(span) in (Call, Step, TurnSpan) and tree.inside[span.span_id]:
            content.setdefault(tree.inside[span.span_id], []).append(span.span_id)
    wrapped: dict[str, tuple[str, ...]] = {}
    turns = sorted((s for s in tree.spans.values() if type(s) is TurnSpan), key=lambda s: -tree.depth(s.span_id))
    for turn in turns:
        inner_ids = content.get(turn.span_id, ())
        if len(inner_ids) != 1:
            continue
        inner = tree.spans[inner_ids[0]]
        if type(inner) is not TurnSpan:
            continue
        outside = tree.inside[turn.span_id]
        wrapped[inner.span_id] = (turn.span_id, *wrapped.pop(turn.span_id, ()), *wrapped.get(inner.span_id, ()))
        tree.inside[inner.span_id] = outside
        tree.replace(_passage(turn))
        if outside:
            content[outside] = [inner.span_id if i == turn.span_id else i for i in content[outside]]
    return wrapped


def _lift_what_is_not_nested(tree: Tree) -> None:
    """Move a call that reaches outside its parent call's interval to the parent's own scope, outermost first."""
    nested = [
        span
        for span in tree.spans.values()
        if type(span) in (Call, TurnSpan) and type(tree.spans.get(tree.inside[span.span_id])) is Call
    ]
    nested.sort(key=lambda span: tree.depth(span.span_id))
    for span in nested:
        parent = tree.spans.get(tree.inside[span.span_id])
        while (
            type(parent) is Call
            and parent.source == span.source
            and (span.start_ns < parent.start_ns - _TOLERANCE_NS or span.end_ns > parent.end_ns + _TOLERANCE_NS)
        ):
            tree.inside[span.span_id] = tree.inside[parent.span_id]
            parent = tree.spans.get(tree.inside[span.span_id])


def _collect(
    tree: Tree,
    guessed: set[str],
    wrapped: dict[str, tuple[str, ...]],
    impossible: set[str],
    settings: Settings,
) -> Normalized:
    turn_spans = {span.span_id: span for span in tree.spans.values() if type(span) is TurnSpan}
    calls: dict[str, list[Call]] = {span_id: [] for span_id in turn_spans}
    steps: dict[str, list[Step]] = {span_id: [] for span_id in turn_spans}
    anomalies: dict[str, int] = dict.fromkeys(turn_spans, 0)
    uncovered: list[Call] = []
    turn_spans = _outlasting(tree, turn_spans)
    for span in tree.spans.values():
        if type(span) is Call:
            turn_id = tree.turn_of(span.span_id)
            if turn_id is None or _began_after(span, turn_spans[turn_id]):
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
                calls[scope].append(_settled(_as_call(span, wrapped, tree), "", turn_spans[scope]))

    turns = tuple(
        _turn(tree, span, calls[span.span_id], steps[span.span_id], anomalies[span.span_id], wrapped, guessed, settings)
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
    for turn_id, held in inside.items():
        turn = turn_spans[turn_id]
        if all(_began_after(span, turn) for span in held):
            moved[turn_id] = msgspec.structs.replace(turn, end_ns=max(span.end_ns for span in held))
    return moved


def _began_after(span: Observation, turn: TurnSpan) -> bool:
    return span.source == turn.source and span.start_ns >= turn.end_ns and span.end_ns > turn.end_ns


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
        end_ns=outermost.end_ns,
        arguments=turn.input,
        sub_agent=True,
        source=turn.source,
        instrumentation=turn.instrumentation,
    )


def _turn(
    tree: Tree,
    span: TurnSpan,
    calls: list[Call],
    steps: list[Step],
    anomalies: int,
    wrapped: dict[str, tuple[str, ...]],
    guessed: set[str],
    settings: Settings,
) -> Turn:
    calls.sort(key=_in_order)
    steps.sort(key=_in_order)
    kept = calls[: settings.max_calls_per_turn]
    own = [call for call in kept if not call.scope]
    if steps or tree.has_cycles:
        cycles: dict[str, Interval] = {}
        if not steps:
            for call in own:
                cycle = tree.cycle_of(call.span_id)
                if cycle is not None:
                    cycles[call.span_id] = Interval(cycle.start_ns, cycle.end_ns)
        placed = {call.span_id: call for call in assign(own, steps, cycles).calls}
        kept = [placed.get(call.span_id, call) for call in kept]
    known = sum(1 for call in kept if call.tool and call.start_ns > 0 and call.span_id not in guessed) - min(
        anomalies, len(kept)
    )
    wrappers = wrapped.get(span.span_id, ())
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
        coverage=max(0, known) / len(calls) if calls else 1.0,
        anomalies=anomalies,
        wrappers=wrappers,
    )


def _inherited_agent(tree: Tree, wrappers: Sequence[str]) -> str:
    for wrapper_id in reversed(wrappers):
        original = tree.originals.get(wrapper_id)
        if isinstance(original, TurnSpan) and original.agent:
            return original.agent
    return ""
