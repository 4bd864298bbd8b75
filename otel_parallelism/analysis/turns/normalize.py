"""
Turns from observations: one call per execution, in the right turn and scope, whatever instrumentations wrote it.

Follows the numbered normalisation rules of the definitions: duplicates, of calls and of whole runs, wrappers, calls
that are not nested in time, orphans, bookkeeping tools, and calls still open when their turn ends.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from functools import lru_cache
from operator import attrgetter
from typing import TYPE_CHECKING

import msgspec

from otel_parallelism.model import Call, Observation, Step, Turn, TurnSpan

from .assembly import collect
from .duplicate_turns import join_echoes
from .duplicates import merge_calls, merge_steps
from .normalized import Normalized
from .placement import lift_what_is_not_nested, make_roots_turns, place_orphans, unwrap
from .requests import settle_requests
from .tree import Tree, passage

if TYPE_CHECKING:
    from collections.abc import Iterable

    from otel_parallelism.settings import Settings

_in_order = attrgetter("start_ns", "end_ns", "span_id")


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
        known = trace.get(observation.span_id)
        if known is None:
            spans += 1
        # Told more than once, it may have been open the first time.
        if known is None or known.end_ns < observation.end_ns:
            trace[observation.span_id] = observation
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
    if (
        turn is None
        or len(calls) > settings.max_calls_per_turn
        or turn.end_ns < turn.start_ns
        or turn.parent_id in spans
    ):
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
            spans[span_id] = passage(spans[span_id])

    tree = Tree(spans)
    calls = [span for span in spans.values() if type(span) is Call]
    if any(type(span) is Step for span in spans.values()):
        settle_requests(tree)
        merge_steps(tree)
    merge_calls(tree)
    # Once the runs of one agent are joined, those of the agents that its calls ask lie side by side.
    while join_echoes(tree, calls):
        merge_steps(tree)
        merge_calls(tree)
    guessed = place_orphans(tree)
    make_roots_turns(tree)
    wrapped = unwrap(tree)
    lift_what_is_not_nested(tree)
    return collect(tree, guessed, wrapped, impossible, settings)


@lru_cache(maxsize=4096)
def is_bookkeeping(tool: str, patterns: tuple[str, ...]) -> bool:
    """Whether *tool* matches one of the globs *patterns*, case ignored: it only keeps the agent's books."""
    name = tool.lower()
    return any(fnmatchcase(name, pattern.lower()) for pattern in patterns)
