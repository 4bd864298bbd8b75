"""
Normalizes observations to turns: one call per execution, in the right turn and scope, for any instrumentation.

First, traces that links or a conversation hold together are joined. The passes of each trace are: adopt siblings of
turns, merge duplicate calls, requests and turns, place orphans, make roots turns, remove wrappers, lift misplaced
calls, and assemble the turns.
"""

from __future__ import annotations

from collections import Counter
from operator import attrgetter
from typing import TYPE_CHECKING

import msgspec

from otel_parallelism.model import Call, Coverage, Observation, Passage, Step, Turn, TurnSpan, UnknownSpans
from otel_parallelism.pace import ordered, paced

from .across.conversations import join_traces
from .across.offered_tools import offered_tools, with_description
from .assembly import assemble
from .duplicate_turns import join_duplicate_turns
from .duplicates import merge_calls, merge_steps
from .merging import says_more
from .placement import lift_misplaced_calls, make_roots_turns, place_orphans, remove_wrappers
from .requests import settle_requests
from .rounds import assign_rounds
from .siblings import adopt_siblings
from .tree import Tree, as_passage, is_bookkeeping
from .waiting import note_serial_work

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from otel_parallelism.settings import Settings

_in_order = attrgetter("start_ns", "end_ns", "span_id")


class Normalized(msgspec.Struct, frozen=True):
    """
    The result of `normalize`.

    ``turns`` are in order of start, ``uncovered`` are the calls that belong to no turn, ``spans`` is the number of
    distinct spans, and ``anomalies`` the number of spans that end before they start. ``unknown`` are the spans of an
    input without any turn and call.
    """

    turns: tuple[Turn, ...]
    uncovered: tuple[Call, ...] = ()
    spans: int = 0
    anomalies: int = 0
    unknown: tuple[UnknownSpans, ...] = ()

    @property
    def coverage(self) -> Coverage:
        """The number of calls with and without a turn. A sub-agent counts as a turn here, not as a call."""
        covered = 0
        for turn in self.turns:
            covered += len([call for call in turn.calls if not call.sub_agent])
            if turn.past_bound is not None:
                covered += turn.past_bound.calls + turn.past_bound.inner
        return Coverage(
            calls=covered + len(self.uncovered),
            calls_without_turn=len(self.uncovered),
            spans=self.spans,
            anomalies=self.anomalies,
            unknown=self.unknown,
        )


def normalize(observations: Iterable[Observation], settings: Settings, bounded: str = "") -> Normalized:
    """
    Sort *observations* into turns.

    Args:
        observations: Observations of any traces, in any order. If a span occurs twice, as in two exports of a trace,
            the copy that says more counts, whichever comes first.
        settings: ``bookkeeping`` names tools that do not count as calls, ``max_calls_per_turn`` bounds a turn.
        bounded: The span id of the turn that has calls past a bound, which *observations* lack.
    """
    traces: dict[str, dict[str, Observation]] = {}
    spans = anomalies = 0
    for observation in paced(observations):
        if not observation.span_id:  # it would be the parent of every root
            spans += 1
            continue
        trace = traces.get(observation.trace_id)
        if trace is None:
            trace = traces[observation.trace_id] = {}
        known = trace.get(observation.span_id)
        if known is None:
            spans += 1
            trace[observation.span_id] = observation
        elif says_more(observation, known):
            trace[observation.span_id] = observation
    join_traces(traces)
    turns: list[Turn] = []
    uncovered: list[Call] = []
    for trace in traces.values():
        plain = _plain_trace(trace, settings)
        if plain is not None:
            turns.append(plain)
            continue
        found = _normalized_trace(trace, settings, bounded)
        turns += found.turns
        uncovered += found.uncovered
        anomalies += found.anomalies
    turns.sort(key=attrgetter("start_ns", "span_id", "trace_id"))
    uncovered.sort(key=_in_order)
    unknown = () if turns or uncovered else _unknown_spans(span for trace in traces.values() for span in trace.values())
    return Normalized(tuple(turns), tuple(uncovered), spans, anomalies, unknown)


def joined_coverage(parts: Iterable[Coverage], turns: int) -> Coverage:
    """Return the coverage of an input with so many *turns* from that of its *parts*, which share no trace."""
    calls = without_turn = spans = anomalies = 0
    counted: Counter[tuple[str, str]] = Counter()
    for part in parts:
        calls += part.calls
        without_turn += part.calls_without_turn
        spans += part.spans
        anomalies += part.anomalies
        for one in part.unknown:
            counted[one.scope, one.name] += one.spans
    return Coverage(calls, without_turn, spans, anomalies, () if turns or calls else _most_frequent(counted))


def _unknown_spans(spans: Iterable[Observation]) -> tuple[UnknownSpans, ...]:
    """Return how often each name occurs among *spans* that are no model requests, most frequent first."""
    return _most_frequent(Counter((span.instrumentation, span.name) for span in spans if type(span) is Passage))


def _most_frequent(counted: Counter[tuple[str, str]]) -> tuple[UnknownSpans, ...]:
    most_frequent = sorted(counted.items(), key=lambda item: (-item[1], item[0]))
    return tuple(UnknownSpans(scope, name, number) for (scope, name), number in most_frequent)


def plain_turn(span: TurnSpan, calls: list[Call], settings: Settings, steps: Sequence[Step] = ()) -> Turn | None:
    """
    Return the turn of *span* if it needs no normalization, which holds for most turns; else None.

    The result equals that of `normalize`, which builds a tree and takes longer.

    Args:
        span: The turn's span.
        calls: All calls below the turn, each a named child of *span* that is made by the same instrumentation in the
            same process; sorted in place.
        settings: As for `normalize`.
        steps: All model requests below the turn, each a child of *span* that is made by the same instrumentation, and
            does not end before it starts. Nothing else is below the turn.
    """
    start_ns, end_ns = span.start_ns, span.end_ns
    if len(calls) > settings.max_calls_per_turn or end_ns < start_ns:
        return None
    for tool in {call.tool for call in paced(calls)}:
        if is_bookkeeping(tool, settings.bookkeeping):
            return None
    last_ns = 0
    in_order = True
    for call in paced(calls):
        call_ns = call.start_ns
        if not 0 < call_ns <= call.end_ns <= end_ns:
            return None
        if call_ns <= last_ns:
            in_order = False
        last_ns = call_ns
    if not in_order:
        calls[:] = ordered(calls, key=_in_order)
    if tools := offered_tools((span, *steps)):
        calls = [with_description(call, tools) for call in paced(calls)]
    rounds = assign_rounds(calls, sorted(steps, key=_in_order), {})
    inputs = [span.input, *[step.messages for step in paced(rounds.steps)]]
    return Turn(
        trace_id=span.trace_id,
        span_id=span.span_id,
        name=span.name,
        agent=span.agent,
        start_ns=start_ns,
        end_ns=end_ns,
        calls=rounds.calls,
        steps=rounds.steps,
        inputs=tuple([content for content in inputs if content is not None]),
        unrequested=rounds.unrequested,
    )


def _plain_trace(spans: dict[str, Observation], settings: Settings) -> Turn | None:
    """
    Return the only turn of a trace with nothing but its own calls and model requests; None for any other trace.

    Other spans may be around the turn and inside of calls and requests, but no call or request inside of them.
    """
    turn: TurnSpan | None = None
    calls: list[Call] = []
    steps: list[Step] = []
    passages = 0
    for span in paced(spans.values()):
        if type(span) is Call:
            calls.append(span)
        elif type(span) is Step:
            steps.append(span)
        elif type(span) is Passage and not (span.cycle or span.waiting or span.end_ns < span.start_ns):
            passages += 1
        elif type(span) is TurnSpan and turn is None:
            turn = span
        else:
            return None
    if turn is None or not _is_below_passages(turn, spans):
        return None
    if not _are_its_own(turn, calls, steps):
        return None
    if passages and len(calls) > 1:
        tree = Tree(dict(spans))
        note_serial_work(tree)
        calls = [span for span in paced(tree.spans.values()) if type(span) is Call]
    return plain_turn(turn, calls, settings, steps)


def _are_its_own(turn: TurnSpan, calls: Sequence[Call], steps: Sequence[Step]) -> bool:
    """Return whether *calls* and *steps* are children of *turn*, in one process, and of one instrumentation each."""
    turn_id, source = turn.span_id, turn.source
    for call in paced(calls):
        if (
            call.parent_id != turn_id
            or not call.tool
            or call.source != source
            or call.instrumentation != calls[0].instrumentation
            or call.scope
        ):
            return False
    for step in paced(steps):
        if step.parent_id != turn_id or step.instrumentation != steps[0].instrumentation or step.end_ns < step.start_ns:
            return False
    return True


def _is_below_passages(turn: TurnSpan, spans: dict[str, Observation]) -> bool:
    """Return whether all spans around *turn* are passages."""
    passed: set[str] = set()
    around = spans.get(turn.parent_id)
    while type(around) is Passage and around.span_id not in passed:
        passed.add(around.span_id)
        around = spans.get(around.parent_id)
    return around is None or type(around) is Passage


def _normalized_trace(spans: dict[str, Observation], settings: Settings, bounded: str) -> Normalized:
    impossible: set[str] = set()
    hand_offs: dict[str, int] = {}
    for span_id, span in paced(spans.items()):
        if span.end_ns < span.start_ns:
            impossible.add(span_id)
            spans[span_id] = msgspec.structs.replace(span, end_ns=span.start_ns)
        if type(span) is Call and is_bookkeeping(span.tool, settings.bookkeeping):
            spans[span_id] = as_passage(spans[span_id])
            if is_bookkeeping(span.tool, _HAND_OFFS):
                hand_offs[span_id] = span.start_ns
    if tools := offered_tools(spans.values()):
        spans.update((key, with_description(span, tools)) for key, span in paced(spans.items()) if type(span) is Call)

    tree = Tree(spans)
    tree.hand_offs = hand_offs
    adopt_siblings(tree)
    tree.break_cycles()
    calls = [span for span in paced(spans.values()) if type(span) is Call]
    if any(type(span) is Step for span in paced(spans.values())):
        settle_requests(tree)
        merge_steps(tree)
    merge_calls(tree)
    # Joining two turns makes the sub-agents inside them siblings, which may be duplicates in turn.
    while join_duplicate_turns(tree, calls):
        merge_steps(tree)
        merge_calls(tree)
    tree.break_cycles()  # broken ids may make a span a duplicate of one inside it
    placed_by_time = place_orphans(tree)
    make_roots_turns(tree)
    wrappers = remove_wrappers(tree, bounded)
    lift_misplaced_calls(tree)
    tree.break_cycles()
    note_serial_work(tree)
    turns, uncovered = assemble(tree, placed_by_time, wrappers, impossible, settings)
    return Normalized(turns, uncovered, len(tree.spans), len(impossible))


_HAND_OFFS = ("transfer_to_*", "transfer_back_to_*", "handoff_to_*", "handoff-*")
"""Bookkeeping tools that hand the turn over to another agent."""


def holds(observation: Observation, settings: Settings) -> bool:
    """Return whether *observation* makes what is around it more than an empty turn."""
    if type(observation) is Call:
        return not is_bookkeeping(observation.tool, settings.bookkeeping)
    return type(observation) is not Passage
