"""Tests that changes to a turn that teach nothing, or that take knowledge away, never add a recommended pair."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import EXACT, READS, TURN, in_order, passage, turns

from otel_parallelism.analysis.analyze import analyze
from otel_parallelism.analysis.dependencies.dependency_graph import Dependencies
from otel_parallelism.analysis.turns.normalization import normalize
from otel_parallelism.model import Call, Turn, TurnSpan

if TYPE_CHECKING:
    from otel_parallelism.model import Observation

many = settings() if settings.get_current_profile_name() == "core" else settings(max_examples=1_000)
# Another read of the same kind for each tool.
_RENAMED = dict(zip(READS, ("get_trains", "search_hostels", "list_invoices"), strict=True))


def recommended(turn: Turn) -> set[frozenset[str]]:
    """The pairs of calls that one finding recommends to run together."""
    found: set[frozenset[str]] = set()
    for finding in analyze(turn, EXACT).findings:
        if finding.advice == "recommended" and finding.kind == "sequential_chain":
            stages = [[finding.span_ids[at] for at in stage] for stage in finding.stages] or [list(finding.span_ids)]
            for stage in stages:
                found.update(frozenset(pair) for pair in itertools.combinations(stage, 2))
    return found


def independent(turn: Turn) -> set[frozenset[str]]:
    """The pairs of calls of one scope without any edge between them."""
    found: set[frozenset[str]] = set()
    for scope in {call.scope for call in turn.calls}:
        calls = [call for call in turn.calls if call.scope == scope]
        graph = Dependencies(calls, turn.inputs, EXACT)
        for later, earlier in itertools.combinations(range(len(calls))[::-1], 2):
            if calls[earlier].end_ns <= calls[later].start_ns and not graph.after_any[later] >> earlier & 1:
                found.add(frozenset({calls[earlier].span_id, calls[later].span_id}))
    return found


def replaced(turn: Turn, change: dict[str, dict[str, object]]) -> Turn:
    """The turn with the fields of some of its calls changed."""
    calls = [msgspec.structs.replace(call, **change.get(call.span_id, {})) for call in turn.calls]
    return msgspec.structs.replace(turn, calls=tuple(calls))


@many
@given(turns())
def test_renaming_tools_within_their_kind_changes_nothing(turn: Turn) -> None:
    names = {call.span_id: {"tool": _RENAMED.get(call.tool, call.tool)} for call in turn.calls}
    needs = {
        call.span_id: {"depends_on": tuple(_RENAMED.get(tool, tool) for tool in call.depends_on)}
        for call in turn.calls
        if call.depends_on is not None
    }
    renamed = replaced(turn, {span_id: {**name, **needs.get(span_id, {})} for span_id, name in names.items()})
    assert recommended(renamed) == recommended(turn)


@many
@given(turns(), st.data())
def test_removing_results_adds_no_independent_pair(turn: Turn, data: st.DataObject) -> None:
    gone = [call for call in turn.calls if data.draw(st.booleans())]
    assert independent(replaced(turn, {call.span_id: {"result": None} for call in gone})) <= independent(turn)


@many
@given(turns())
def test_removing_the_users_messages_adds_no_independent_pair(turn: Turn) -> None:
    assert independent(msgspec.structs.replace(turn, inputs=())) <= independent(turn)


@many
@given(turns(nested=False))
def test_unrelated_spans_change_nothing(turn: Turn) -> None:
    spans: list[Observation] = [
        TurnSpan(turn.trace_id, TURN, "", turn.name, turn.start_ns, turn.end_ns),
        *(call for call in turn.calls),
    ]
    others = [passage("other", 0, 1), Call("other", "x", "", "get_flights", turn.start_ns, turn.end_ns)]
    (alone,) = normalize(spans, EXACT).turns
    (beside, *_) = (one for one in normalize([*others, *spans], EXACT).turns if one.span_id == TURN)
    assert recommended(beside) == recommended(alone)


@many
@given(turns(nested=False))
def test_second_instrumentation_adds_no_recommended_pair(turn: Turn) -> None:
    root = TurnSpan(turn.trace_id, TURN, "", turn.name, turn.start_ns, turn.end_ns)
    calls = [call for call in in_order(turn.calls) if call.end_ns > call.start_ns]
    again = [
        msgspec.structs.replace(
            call, span_id=f"z{call.span_id}", parent_id=call.span_id, instrumentation="second", links=()
        )
        for call in calls
    ]
    (alone,) = normalize([root, *calls], EXACT).turns
    (both,) = normalize([root, *calls, *again], EXACT).turns
    assert recommended(both) <= recommended(alone)
