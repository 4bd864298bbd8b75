from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import (
    SECOND_NS,
    TRACE,
    TURN,
    at,
    call,
    contents,
    instants,
    passage,
    scope_calls,
    span_trees,
    step,
    turn_span,
)

from otel_parallelism.analysis.turns import normalization as module
from otel_parallelism.analysis.turns.normalization import normalize
from otel_parallelism.analysis.turns.tree import is_bookkeeping
from otel_parallelism.model import Call, Content, Coverage, Passage, Step, Turn, TurnSpan
from otel_parallelism.settings import Settings

if TYPE_CHECKING:
    from otel_parallelism.analysis.turns.normalization import Normalized
    from otel_parallelism.model import Observation

MS = 0.001


def of(*spans: Observation, **settings: Any) -> Normalized:
    return normalize(spans, Settings(**settings))


def only(found: Normalized) -> Turn:
    (turn,) = found.turns
    return turn


def ids(turn: Turn) -> list[str]:
    return [one.span_id for one in turn.calls]


def scopes(turn: Turn) -> dict[str, str]:
    return {one.span_id: one.scope for one in turn.calls}


def by_id(found: Normalized) -> dict[str, Turn]:
    return {turn.span_id: turn for turn in found.turns}


def one(name: str, start: float, end: float, parent: str = TURN, tool: str = "get_page", **fields: Any) -> Call:
    """Return a call of one instrumentation."""
    return call(name, start, end, tool, parent_id=parent, **{"instrumentation": "one", **fields})


def two(name: str, start: float, end: float, parent: str = TURN, tool: str = "get_page", **fields: Any) -> Call:
    """Return a call of another instrumentation."""
    return one(name, start, end, parent, tool, **{"instrumentation": "two", **fields})


# -- Rule 1: duplicates -------------------------------------------------------------------------------------------


def test_merged_duplicates_have_the_outer_interval_and_the_data_of_both() -> None:
    outer = one("a", 1, 3, arguments=Content("in"), effect="read", effect_source="assumed", links=("x",))
    inner = two(
        "b",
        1.1,
        2.9,
        "a",
        call_id="id1",
        result=Content("out"),
        effect="write",
        effect_source="framework",
        resource="db",
        depends_on=("get_x",),
        error=True,
        called_ns=at(1),
        task=7,
        thread=8,
        in_loop=True,
        queue_ns=5,
    )
    (merged,) = only(of(turn_span(0, 9), outer, inner)).calls
    assert (merged.span_id, merged.start_ns, merged.end_ns, merged.scope) == ("a", at(1), at(3), "")
    assert merged.arguments == Content("in")
    assert merged.result == Content("out")
    assert (merged.effect, merged.effect_source, merged.resource) == ("write", "framework", "db")
    assert (merged.call_id, merged.error, merged.depends_on, merged.links) == ("id1", True, ("get_x",), ("x",))
    assert (merged.called_ns, merged.task, merged.thread, merged.in_loop, merged.queue_ns) == (at(1), 7, 8, True, 5)


def test_whole_content_is_preferred_to_truncated_content() -> None:
    outer = one("a", 1, 3, result=Content("ou", whole=False))
    (merged,) = only(of(turn_span(0, 9), outer, two("b", 1, 3, "a", result=Content("out")))).calls
    assert merged.result == Content("out")


def test_duplicates_are_merged_through_passages_and_with_a_server_prefix() -> None:
    turn = only(
        of(
            turn_span(0, 9),
            one("a", 1, 3, tool="srv__get_page"),
            passage("p", 1, 3, parent_id="a"),
            passage("q", 1, 3, parent_id="p"),
            two("b", 1, 3, "q"),
        )
    )
    assert ids(turn) == ["a"]


def test_three_nested_duplicates_are_merged() -> None:
    spans = [
        turn_span(0, 9),
        one("a", 1, 4),
        two("b", 1.1, 3.9, "a", result=Content("inner")),
        one("c", 1.2, 3.8, "b", instrumentation="three", result=Content("innermost"), arguments=Content("args")),
        one("d", 2, 3, "c", "other"),
    ]
    turn = only(of(*spans))
    assert scopes(turn) == {"a": "", "d": "a"}
    # The data of the outer call takes precedence.
    assert turn.calls[0].result == Content("inner")
    assert turn.calls[0].arguments == Content("args")


def test_duplicates_are_merged_through_other_calls() -> None:
    turn = only(of(turn_span(0, 9), one("a", 1, 4), one("m", 1, 4, "a", "session_call"), two("b", 1.1, 3.9, "m")))
    assert scopes(turn) == {"a": "", "m": "a"}


def test_tool_that_calls_itself_through_another_is_no_duplicate() -> None:
    spans = [turn_span(0, 9)]
    parent = TURN
    for level, tool in enumerate(("get_page", "rank", "get_page")):
        spans += [one(f"a{level}", 1, 4, parent, tool), two(f"b{level}", 1, 4, f"a{level}", tool)]
        parent = f"b{level}"
    assert scopes(only(of(*spans))) == {"a0": "", "a1": "a0", "a2": "a1"}


def test_equal_ids_are_merged_across_tools_processes_and_times() -> None:
    server = two("b", 2, 9.5, "a", "page", call_id="id1", source="server")
    turn = only(of(turn_span(0, 10), one("a", 1, 3, call_id="id1"), server))
    assert ids(turn) == ["a"]
    assert turn.calls[0].end_ns == at(3)


@pytest.mark.parametrize(
    ("name", "inner"),
    [
        ("another tool", two("b", 1, 3, "a", "list_orders")),
        ("another id", two("b", 1, 3, "a", call_id="id2")),
        ("another process", two("b", 1, 3, "a", source="server")),
    ],
)
def test_nested_calls_that_differ_are_not_merged(name: str, inner: Call) -> None:
    turn = only(of(turn_span(0, 9), one("a", 1, 3, call_id="id1"), inner))
    assert scopes(turn) == {"a": "", "b": "a"}, name


def test_one_millisecond_outside_counts_as_within() -> None:
    assert ids(only(of(turn_span(0, 9), one("a", 1, 3), two("b", 1 - MS, 3 + MS, "a")))) == ["a"]
    # The inner call may be the longer one.
    assert ids(only(of(turn_span(0, 9), one("a", 1, 3), two("b", 0.9, 3.1, "a")))) == ["a"]
    assert ids(only(of(turn_span(0, 9), one("a", 1, 3), two("b", 2, 3 + 2 * MS, "a")))) == ["a", "b"]


def test_server_span_that_outlasts_its_client_is_a_duplicate() -> None:
    turn = only(of(turn_span(0, 9), one("a", 1, 3), two("b", 1.1, 6, "a", remote_parent=True)))
    assert [(each.span_id, each.end_ns) for each in turn.calls] == [("a", at(3))]


def test_span_that_ends_just_after_a_failed_call_is_a_duplicate() -> None:
    turn = only(of(turn_span(0, 9), one("a", 1, 3, error=True), two("b", 1.1, 3 + 5 * MS, "a")))
    assert [(each.span_id, each.end_ns) for each in turn.calls] == [("a", at(3))]
    # One instrumentation makes one span per call.
    assert ids(only(of(turn_span(0, 9), one("a", 1, 3, error=True), one("b", 1.1, 4, "a")))) == ["a", "b"]


def test_unnamed_calls_are_not_merged() -> None:
    assert len(ids(only(of(turn_span(0, 9), one("a", 1, 3, tool=""), two("b", 1, 3, "a", ""))))) == 2


def test_calls_with_a_turn_between_are_not_merged() -> None:
    found = by_id(
        of(
            turn_span(0, 9),
            one("a", 1, 8),
            turn_span(2, 7, "sub", "a"),
            two("b", 3, 4, "sub"),
            step("s", 2, 3, parent_id="sub"),
        )
    )
    assert ids(found[TURN]) == ["a"]
    assert ids(found["sub"]) == ["b"]


def test_tool_that_calls_itself_more_than_once_is_recursion() -> None:
    turn = only(of(turn_span(0, 9), one("a", 1, 5), one("b", 1, 2, "a"), one("c", 2, 3, "a")))
    assert scopes(turn) == {"a": "", "b": "a", "c": "a"}


def test_recursive_calls_with_duplicates_are_merged_pairwise() -> None:
    spans = [
        turn_span(0, 9),
        *(one("a", 1, 5, call_id="id0"), two("a2", 1, 5, "a", call_id="id0")),
        *(one("b", 1, 2, "a2"), two("b2", 1, 2, "b")),
        *(one("c", 2, 3, "a2"), two("c2", 2, 3, "c")),
    ]
    assert scopes(only(of(*spans))) == {"a": "", "b": "a", "c": "a"}


def test_duplicate_by_id_makes_another_inner_call_recursive() -> None:
    turn = only(
        of(turn_span(0, 9), one("a", 1, 5, call_id="id1"), two("b", 1, 5, "a", call_id="id1"), one("c", 2, 3, "a"))
    )
    assert scopes(turn) == {"a": "", "c": "a"}


def test_siblings_of_two_instrumentations_are_merged() -> None:
    turn = only(of(turn_span(0, 9), one("a", 1, 3), two("b", 1.1, 2.9), one("c", 4, 5), two("d", 3.9, 5.1)))
    assert [(c.span_id, c.start_ns, c.end_ns) for c in turn.calls] == [("a", at(1), at(3)), ("d", at(3.9), at(5.1))]


def test_siblings_of_an_instrumentation_without_a_name_are_merged() -> None:
    # Decorated calls have none while their turn is live, and often come first.
    assert ids(only(of(turn_span(0, 9), one("a", 1, 3, instrumentation=""), two("b", 1.2, 2.8)))) == ["a"]


def test_siblings_of_one_instrumentation_are_not_merged() -> None:
    assert len(only(of(turn_span(0, 9), one("a", 1, 3), one("b", 1.1, 2.9))).calls) == 2


def test_parallel_siblings_are_merged_only_by_id() -> None:
    spans = [one("a", 1, 3), one("b", 1, 3), two("c", 1.1, 2.9), two("d", 1.1, 2.9)]
    assert len(only(of(turn_span(0, 9), *spans)).calls) == 4
    told = [msgspec.structs.replace(span, call_id=f"id{n % 2}") for n, span in enumerate(spans)]
    assert ids(only(of(turn_span(0, 9), *told))) == ["a", "b"]


def test_parallel_siblings_that_began_and_ended_together_are_merged_in_order_of_start() -> None:
    spans = [one("a", 1, 3), one("b", 1.0001, 3.0001), two("c", 1.0002, 2.9998), two("d", 1.0003, 2.9999)]
    assert ids(only(of(turn_span(0, 9), *spans))) == ["a", "b"]


def test_siblings_of_three_instrumentations_are_merged() -> None:
    spans = [one("a", 1, 3), two("b", 1.1, 2.9), one("c", 1.2, 2.8, instrumentation="three")]
    assert ids(only(of(turn_span(0, 9), *spans))) == ["a"]


def test_siblings_one_after_another_are_not_merged() -> None:
    assert len(only(of(turn_span(0, 9), one("a", 1, 3), two("b", 3.1, 5))).calls) == 2


def test_nested_steps_are_merged() -> None:
    outer = step("s", 0, 2, input_tokens=None)
    inner = step("t", 0.5, 1.5, parent_id="p", requested=("id1",), input_tokens=900, messages=Content("go"))
    turn = only(of(turn_span(0, 9), outer, passage("p", 0, 2, parent_id="s"), inner, one("a", 3, 4, call_id="id1")))
    (merged,) = turn.steps
    assert (merged.span_id, merged.start_ns, merged.end_ns) == ("s", at(0), at(2))
    assert (merged.requested, merged.input_tokens, merged.messages) == (("id1",), 900, Content("go"))
    assert (turn.calls[0].round, turn.calls[0].proved) == (0, True)


def test_step_that_encloses_calls_becomes_a_passage() -> None:
    turn = only(of(turn_span(0, 9), step("s", 0, 5), passage("p", 1, 5, parent_id="s"), one("a", 2, 3, "p")))
    assert turn.steps == ()
    assert scopes(turn) == {"a": ""}


# -- Duplicate turns ----------------------------------------------------------------------------------------------

ONE, TWO = {"instrumentation": "one"}, {"instrumentation": "two"}


def duplicate_runs() -> list[Observation]:
    """Return a turn of one instrumentation, and inside it the duplicate turn of another one."""
    return [
        turn_span(0, 9, **ONE),
        *(step("s", 0.2, 0.9, **ONE), one("a", 1, 3), one("b", 1, 3), one("c", 4, 5, tool="list_orders")),
        turn_span(0.1, 8.9, "duplicate", TURN, agent="helper", input=Content("words"), **TWO),
        passage("node", 0.1, 8.9, parent_id="duplicate"),
        step("t", 0.1, 1, parent_id="node", requested=("id0", "id1"), **TWO),
        *(two("x", 1.1, 2.9, "node", call_id="id0"), two("y", 1.1, 2.9, "node", call_id="id1")),
        two("z", 3.9, 5.1, "node", "list_orders", call_id="id2"),
    ]


def with_ids(spans: list[Observation]) -> list[Observation]:
    known = {"a": "id0", "b": "id1"}
    return [
        msgspec.structs.replace(span, call_id=known[span.span_id])
        if type(span) is Call and span.span_id in known
        else span
        for span in spans
    ]


def exchanged_instrumentations(spans: list[Observation]) -> list[Observation]:
    """Return *spans* with the two instrumentations exchanged."""
    exchanged = {"one": "two", "two": "one", "": ""}
    return [msgspec.structs.replace(span, instrumentation=exchanged[span.instrumentation]) for span in spans]


@pytest.mark.parametrize("spans", [with_ids(duplicate_runs()), exchanged_instrumentations(with_ids(duplicate_runs()))])
def test_duplicate_turns_are_joined(spans: list[Observation]) -> None:
    turn = only(of(*spans))
    assert (turn.span_id, turn.agent, turn.inputs) == (TURN, "helper", (Content("words"),))
    assert [(c.span_id, c.call_id, c.scope) for c in turn.calls] == [
        ("a", "id0", ""),
        ("b", "id1", ""),
        ("z", "id2", ""),
    ]
    (merged,) = turn.steps
    assert (merged.span_id, merged.requested) == ("t", ("id0", "id1"))


@given(st.permutations(with_ids(duplicate_runs())))
def test_duplicate_turns_are_joined_in_any_order(spans: list[Observation]) -> None:
    assert shown(of(*spans)) == shown(of(*with_ids(duplicate_runs())))


def test_three_duplicate_turns_are_joined() -> None:
    third = [
        turn_span(0.2, 8.8, "third", TURN, instrumentation="three"),
        *(
            one(f"{c}3", start, end, "third", call_id=f"id{c}", instrumentation="three")
            for c, start, end in (("0", 1.2, 2.8), ("1", 1.2, 2.8))
        ),
    ]
    assert ids(only(of(*with_ids(duplicate_runs()), *third))) == ["a", "b", "z"]


def test_turn_with_ambiguous_matches_is_a_sub_agent() -> None:
    found = by_id(of(*duplicate_runs()))
    assert ids(found[TURN]) == ["duplicate", "a", "b", "c"]
    assert ids(found["duplicate"]) == ["x", "y", "z"]


def test_agent_that_calls_the_same_tools_at_other_times_is_a_sub_agent() -> None:
    for late in (two("x", 1.5, 3.5, "sub"), two("x", 4, 5, "sub"), two("x", 1.1, 2.9, "sub", source="server")):
        found = by_id(of(turn_span(0, 9, **ONE), one("a", 1, 3), turn_span(0.5, 8, "sub", TURN, **TWO), late))
        assert ids(found[TURN]) == ["sub", "a"]
        assert ids(found["sub"]) == ["x"]


def test_agent_with_one_call_more_is_a_sub_agent() -> None:
    more = two("more", 6, 7, "duplicate", "get_more")
    found = by_id(of(*with_ids(duplicate_runs()), more))
    assert ids(found[TURN]) == ["duplicate", "a", "b", "c"]
    assert ids(found["duplicate"]) == ["x", "y", "z", "more"]


def test_turn_whose_calls_already_have_duplicates_is_a_sub_agent() -> None:
    """The caller's call has its duplicate already, so the call inside the agent is none."""
    spans = [turn_span(0, 9, **ONE), one("a", 1, 3), two("x", 1.1, 2.9), turn_span(0.5, 8, "sub", TURN, **TWO)]
    found = by_id(of(*spans, two("y", 1.2, 2.8, "sub")))
    assert ids(found[TURN]) == ["sub", "a"]
    assert ids(found["sub"]) == ["y"]


def test_equal_agents_of_one_instrumentation_stay_apart() -> None:
    agents = [turn_span(1, 8, f"sub{n}", TURN, **TWO) for n in range(2)]
    for calls in (
        [two("a", 2, 3, "sub0"), two("b", 2, 3, "sub1")],
        [*(two("a", 2, 3, "sub0"), one("a1", 2, 3, "sub0")), *(two("b", 2, 3, "sub1"), one("b1", 2, 3, "sub1"))],
    ):
        assert sorted(by_id(of(turn_span(0, 9, **ONE), *agents, *calls))) == ["sub0", "sub1", TURN]


def test_duplicate_turns_of_a_sub_agent_are_joined() -> None:
    """Merging the duplicate calls makes the turns inside them siblings."""
    spans = [
        *(turn_span(0, 9, **ONE), one("ask", 1, 8, tool="ask"), turn_span(2, 7, "sub", "ask", **ONE)),
        one("a", 3, 4, "sub"),
        *(turn_span(0, 9, "duplicate", TURN, **TWO), two("ask2", 1.1, 7.9, "duplicate", "ask")),
        *(turn_span(2.1, 6.9, "sub2", "ask2", **TWO), two("a2", 3.1, 3.9, "sub2")),
    ]
    for order in (spans, spans[::-1], exchanged_instrumentations(spans)):
        found = by_id(of(*order))
        assert {turn_id: ids(turn) for turn_id, turn in found.items()} == {TURN: ["ask"], "sub": ["a"]}


def test_empty_turn_whose_calls_are_in_a_sibling_is_a_duplicate() -> None:
    spans = [
        turn_span(0, 9, "around", **TWO),
        turn_span(1, 8, "empty", "around", agent="helper", **ONE),
        turn_span(1.1, 7.9, "within", "around", **TWO),
        *(one("a", 2, 3, "within"), two("a2", 2.1, 2.9, "within"), one("b", 4, 5, "within")),
    ]
    for order in (spans, spans[::-1]):
        turn = only(of(*order))
        assert (turn.span_id, turn.agent, turn.wrappers, ids(turn)) == ("within", "helper", ("around",), ["a", "b"])
    # It is a sub-agent if the sibling has no call of its instrumentation, at another time, or if two turns are empty.
    without = [span for span in spans if span.span_id not in {"a", "b"}]
    earlier = [turn_span(0, 0.5, "empty", "around", **ONE) if span.span_id == "empty" else span for span in spans]
    for other in (without, earlier, [*spans, turn_span(1, 8, "empty2", "around", **ONE)]):
        assert "empty" in by_id(of(*other))


# -- Rule 2: wrappers ---------------------------------------------------------------------------------------------


def test_turn_that_contains_only_a_turn_is_a_wrapper() -> None:
    inner = turn_span(1, 8, "inner", "outer", input=Content("inner words"))
    outer = turn_span(0, 9, "outer", agent="boss", input=Content("words"))
    turn = only(
        of(outer, passage("p", 0, 9, parent_id="outer"), inner, one("a", 2, 3, "inner"), one("b", 3, 4, "inner"))
    )
    assert (turn.span_id, turn.wrappers, turn.agent) == ("inner", ("outer",), "boss")
    assert turn.inputs == (Content("words"), Content("inner words"))
    assert (turn.start_ns, turn.end_ns) == (at(1), at(8))


def test_nested_wrappers_are_listed_outermost_first() -> None:
    spans = [
        turn_span(0, 9, "w1"),
        turn_span(0, 9, "w2", "w1"),
        turn_span(0, 9, "w3", "w2"),
        turn_span(1, 8, "t", "w3"),
    ]
    for order in (spans, spans[::-1]):
        turn = only(of(*order, one("a", 2, 3, "t")))
        assert (turn.span_id, turn.wrappers) == ("t", ("w1", "w2", "w3"))


def test_turn_with_a_step_a_call_or_two_turns_is_no_wrapper() -> None:
    sub = turn_span(2, 3, "sub", TURN)
    for other in (step("s", 0, 1), one("a", 0, 1), turn_span(4, 5, "sub2", TURN)):
        assert TURN in by_id(of(turn_span(0, 9), sub, other))


def test_turn_with_only_a_turn_and_bookkeeping_is_a_wrapper() -> None:
    turn = only(
        of(turn_span(0, 9), one("f", 8, 9, tool="final_answer"), turn_span(1, 8, "t", TURN), one("a", 2, 3, "t"))
    )
    assert turn.wrappers == (TURN,)


def test_wrapped_sub_agent_is_one_call_with_the_wrappers_interval() -> None:
    spans = [
        turn_span(0, 9),
        step("s", 0, 1),
        turn_span(1, 8, "w", TURN),
        turn_span(2, 7, "sub", "w", agent="helper", input=Content("q")),
        one("a", 3, 4, "sub"),
    ]
    found = by_id(of(*spans))
    (sub_agent,) = found[TURN].calls
    assert (sub_agent.span_id, sub_agent.tool, sub_agent.sub_agent) == ("sub", "helper", True)
    assert (sub_agent.start_ns, sub_agent.end_ns, sub_agent.arguments) == (at(1), at(8), Content("q"))
    assert found["sub"].wrappers == ("w",)


# -- Sub-agents ---------------------------------------------------------------------------------------------------


def test_sub_agent_is_one_call_of_the_outer_turn_and_a_turn_of_its_own() -> None:
    found = of(
        turn_span(0, 9), one("a", 0, 1), turn_span(1, 8, "sub", TURN), one("b", 2, 3, "sub"), one("c", 3, 4, "sub")
    )
    turns = by_id(found)
    assert ids(turns[TURN]) == ["a", "sub"]
    assert ids(turns["sub"]) == ["b", "c"]
    assert found.coverage == Coverage(calls=3, calls_without_turn=0, spans=5)


def test_sub_agent_inside_a_tool_call_is_that_call() -> None:
    found = by_id(
        of(
            turn_span(0, 9),
            one("a", 1, 8),
            turn_span(2, 7, "sub", "a"),
            one("b", 3, 4, "sub"),
            one("c", 3.2, 3.8, "b", "x"),
        )
    )
    assert ids(found[TURN]) == ["a"]
    assert scopes(found["sub"]) == {"b": "", "c": "b"}


def test_step_inside_a_call_is_not_a_step_of_the_turn() -> None:
    assert only(of(turn_span(0, 9), one("a", 1, 8), step("s", 2, 3, parent_id="a"))).steps == ()


# -- Rule 3: not nested in time, not nested ------------------------------------------------------------------------


def test_call_that_reaches_outside_its_parent_call_is_lifted() -> None:
    turn = only(of(turn_span(0, 9), one("a", 1, 3), one("b", 2, 4, "a", "x"), one("c", 0.5, 2, "a", "y")))
    assert scopes(turn) == {"a": "", "b": "", "c": ""}


def test_call_one_millisecond_outside_its_parent_is_not_lifted() -> None:
    spans = (one("b", 1 - MS, 2, "a", "x"), one("c", 2, 3 + MS, "a", "y"), one("d", 2, 3 + 1.5 * MS, "a", "z"))
    assert scopes(only(of(turn_span(0, 9), one("a", 1, 3), *spans))) == {"a": "", "b": "a", "c": "a", "d": ""}


def test_lifted_call_climbs_as_needed_and_keeps_its_contents() -> None:
    spans = [
        one("a", 1, 5, tool="t1"),
        one("b", 2, 3, "a", "t2"),
        one("c", 2.5, 4, "b", "t3"),
        one("d", 2.6, 6, "b", "t4"),
        one("e", 3, 5.9, "d", "t5"),
    ]
    expected = {"a": "", "b": "a", "c": "a", "d": "", "e": "d"}
    assert scopes(only(of(turn_span(0, 9), *spans))) == expected
    assert scopes(only(of(*spans[::-1], turn_span(0, 9)))) == expected


def test_call_of_another_process_is_not_lifted() -> None:
    turn = only(of(turn_span(0, 9), one("a", 1, 3), one("b", 2, 4, "a", "x", source="server")))
    assert scopes(turn) == {"a": "", "b": "a"}


def test_sub_agent_that_reaches_outside_its_call_is_lifted() -> None:
    found = by_id(of(turn_span(0, 9), one("a", 1, 3), turn_span(2, 5, "sub", "a"), one("b", 3, 4, "sub")))
    assert ids(found[TURN]) == ["a", "sub"]


# -- Rule 4: orphans ----------------------------------------------------------------------------------------------


def test_orphan_belongs_to_the_innermost_turn_that_contains_it() -> None:
    spans = [turn_span(0, 9), one("a", 0, 1), turn_span(1, 8, "sub", TURN), one("b", 2, 3, "sub")]
    found = by_id(of(*spans, one("x", 4, 5, "gone"), one("y", 8, 9, "gone")))
    assert ids(found["sub"]) == ["b", "x"]
    assert ids(found[TURN]) == ["a", "sub", "y"]
    assert found["sub"].coverage == 0.5
    assert found[TURN].coverage == pytest.approx(2 / 3)


def test_orphan_within_turns_that_do_not_nest_belongs_to_none() -> None:
    overlapping = [turn_span(0, 5, "t1"), turn_span(3, 9, "t2")]
    nested_in_time_only = [turn_span(0, 9, "t1", TURN), turn_span(3, 5, "t2", TURN)]
    for turns in (overlapping, nested_in_time_only):
        found = of(turn_span(0, 10), *turns, one("a", 0, 1), one("x", 4, 4.5, "gone"))
        assert [c.span_id for c in found.uncovered] == ["x"]
        assert found.coverage == Coverage(calls=2, calls_without_turn=1, spans=5)


def test_orphan_belongs_to_the_innermost_of_nested_turns_that_end_in_any_order() -> None:
    for ends in ((9, 8, 7), (7, 8, 9), (8, 9, 7), (9, 7, 8)):
        outer, middle, inner = ends
        nested = [turn_span(0, outer), turn_span(1, middle, "sub", TURN), turn_span(2, inner, "subsub", "sub")]
        found = by_id(of(*nested, one("a", 2, 3, "subsub"), one("x", 4, 6, "gone")))
        assert ids(found["subsub"]) == ["a", "x"]


def test_orphan_outside_every_turn_belongs_to_none() -> None:
    found = of(turn_span(0, 5), one("a", 1, 2), one("x", 4, 6, "gone"))
    assert [c.span_id for c in found.uncovered] == ["x"]
    assert found.coverage.share == 0.5


def test_orphan_of_another_trace_belongs_to_none() -> None:
    found = of(turn_span(0, 9), msgspec.structs.replace(one("x", 1, 2, "gone"), trace_id="other"))
    assert [c.span_id for c in found.uncovered] == ["x"]


def test_orphan_is_not_placed_into_a_turn_inside_it() -> None:
    found = of(one("a", 0, 5, "gone"), turn_span(0, 5, "sub", "a"), one("b", 1, 2, "sub"))
    assert [c.span_id for c in found.uncovered] == ["a"]
    assert ids(by_id(found)["sub"]) == ["b"]


def test_orphan_keeps_its_contents_and_orphaned_steps_are_placed() -> None:
    turn = only(
        of(turn_span(0, 9), one("x", 1, 4, "gone"), one("y", 2, 3, "x", "t2"), step("s", 0, 1, parent_id="gone"))
    )
    assert scopes(turn) == {"x": "", "y": "x"}
    assert [s.span_id for s in turn.steps] == ["s"]
    assert turn.coverage == 0.5


# -- Local roots --------------------------------------------------------------------------------------------------


def test_root_with_two_calls_and_no_turn_becomes_a_turn() -> None:
    root = passage("http", 0, 9, parent_id="", name="POST /chat")
    turn = only(
        of(
            root,
            one("a", 1, 2, "http"),
            step("s", 0, 1, parent_id="http"),
            passage("p", 2, 4, parent_id="http"),
            one("b", 2, 3, "p"),
        )
    )
    assert (turn.span_id, turn.name, ids(turn)) == ("http", "POST /chat", ["a", "b"])
    assert [s.span_id for s in turn.steps] == ["s"]
    assert [c.round for c in turn.calls] == [0, 0]


def test_root_with_one_call_is_no_turn() -> None:
    found = of(passage("http", 0, 9, parent_id=""), one("a", 1, 2, "http"))
    assert found.turns == ()
    assert [c.span_id for c in found.uncovered] == ["a"]


def test_root_call_with_two_calls_becomes_a_turn() -> None:
    turn = only(
        of(one("a", 0, 9, "", "research", arguments=Content("topic")), one("b", 1, 2, "a"), one("c", 2, 3, "a"))
    )
    assert (turn.name, ids(turn), turn.inputs) == ("research", ["b", "c"], (Content("topic"),))


def test_turn_below_a_root_turn_is_one_of_its_calls() -> None:
    found = by_id(
        of(
            passage("http", 0, 9, parent_id=""),
            one("a", 0, 1, "http"),
            one("b", 1, 2, "http"),
            turn_span(3, 8, "t", "http"),
            one("c", 4, 5, "t"),
        )
    )
    assert ids(found["http"]) == ["a", "b", "t"]
    assert ids(found["t"]) == ["c"]


def test_each_process_has_its_own_root() -> None:
    spans = [
        one("tools", 0, 9, "", "tools/call", source="client"),
        passage("handle", 1, 8, parent_id="tools", source="server", remote_parent=True),
        one("a", 2, 3, "handle", source="server"),
        one("b", 3, 4, "handle", source="server"),
        one("c", 3, 4, "b", "inner", source="server"),
    ]
    found = of(*spans)
    assert scopes(only(found)) == {"a": "", "b": "", "c": "b"}
    assert only(found).span_id == "handle"
    assert [c.span_id for c in found.uncovered] == ["tools"]


# -- Rule 5: bookkeeping ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "tool",
    [
        "final_answer",
        "Finish",
        "think",
        "transfer_to_billing",
        "handoff_to_x",
        "Handoff-transfer_to_x",
        "(merged tools)",
    ],
)
def test_bookkeeping_tools_do_not_count_as_calls(tool: str) -> None:
    turn = only(of(turn_span(0, 9), one("a", 1, 2), one("k", 3, 5, tool=tool), one("b", 4, 5, "k")))
    assert scopes(turn) == {"a": "", "b": ""}
    assert turn.coverage == 1.0


def test_bookkeeping_tools_are_a_setting() -> None:
    spans = (turn_span(0, 9), one("a", 1, 2, tool="note_this"), one("b", 3, 5, tool="think"))
    assert ids(only(of(*spans, bookkeeping=("NOTE_*",)))) == ["b"]
    assert is_bookkeeping("Note_x", ("note_*",))
    assert not is_bookkeeping("a_note_x", ("note_*",))


# -- Rule 6: calls that outlive their turn ------------------------------------------------------------------------


def test_call_that_outlasts_its_turn_is_cut() -> None:
    turn = only(of(turn_span(0, 5), one("a", 1, 2), one("b", 3, 9), one("c", 4, 8, "b", "inner")))
    assert [(c.span_id, c.end_ns) for c in turn.calls] == [("a", at(2)), ("b", at(5)), ("c", at(5))]


def test_call_of_another_process_is_not_cut() -> None:
    assert only(of(turn_span(0, 5), one("a", 1, 2), one("b", 3, 9, source="server"))).calls[1].end_ns == at(9)


def test_call_that_starts_after_its_turn_is_uncovered() -> None:
    found = of(turn_span(0, 5), one("a", 1, 2), one("b", 5, 7), one("c", 6, 7))
    assert ids(only(found)) == ["a"]
    assert [c.span_id for c in found.uncovered] == ["b", "c"]
    assert found.coverage == Coverage(calls=3, calls_without_turn=2, spans=4)


def test_empty_call_at_the_end_of_the_turn_belongs_to_it() -> None:
    assert ids(only(of(turn_span(0, 5), one("a", 1, 2), one("b", 5, 5)))) == ["a", "b"]


def test_turn_with_only_late_calls_is_extended() -> None:
    turn = only(of(turn_span(0, 1), one("a", 1, 3), one("b", 3, 6)))
    assert (turn.end_ns, ids(turn)) == (at(6), ["a", "b"])


def test_extended_sub_agent_is_an_extended_call() -> None:
    found = by_id(
        of(turn_span(0, 9), one("a", 0, 1), turn_span(1, 2, "sub", TURN), one("b", 2, 4, "sub"), one("c", 4, 6, "sub"))
    )
    assert [(c.span_id, c.end_ns) for c in found[TURN].calls] == [("a", at(1)), ("sub", at(6))]


# -- Broken data --------------------------------------------------------------------------------------------------


def test_interval_that_ends_before_it_starts_is_empty_and_an_anomaly() -> None:
    found = of(turn_span(0, 9), one("a", 1, 2), one("b", 5, 3))
    assert found.anomalies == 1
    assert found.coverage.anomalies == 1
    turn = only(found)
    assert (turn.anomalies, turn.coverage) == (1, 0.5)
    assert (turn.calls[1].start_ns, turn.calls[1].end_ns) == (at(5), at(5))


def test_turn_that_ends_before_it_starts_is_an_anomaly() -> None:
    assert of(turn_span(5, 3)).anomalies == 1
    assert of(turn_span(5, 3), one("a", 1, 2)).anomalies == 1


def test_orphan_with_an_impossible_interval_is_subtracted_once() -> None:
    turn = only(of(turn_span(0, 9), one("a", 1, 2), one("b", 2, 3), one("c", 5, 4, "gone")))
    assert turn.coverage == pytest.approx(2 / 3)


def test_coverage_counts_calls_without_a_name_or_a_time() -> None:
    nameless, timeless = one("b", 2, 3, tool=""), msgspec.structs.replace(one("c", 2, 3), start_ns=0)
    turn = only(of(turn_span(0, 9), one("a", 1, 2), nameless, timeless))
    assert turn.coverage == pytest.approx(1 / 3)


def test_the_same_span_twice_counts_once() -> None:
    spans = (turn_span(0, 9), one("a", 1, 2), one("b", 2, 3))
    assert of(*spans, *spans) == of(*spans)


def test_span_given_open_and_ended_counts_as_ended() -> None:
    unended, ended = one("a", 1, 1), one("a", 1, 5)
    for spans in ((unended, ended), (ended, unended)):
        assert of(turn_span(0, 9), *spans, one("b", 5, 6)) == of(turn_span(0, 9), ended, one("b", 5, 6))


def test_orphans_that_enclose_turns_are_placed_equally_in_any_order() -> None:
    spans = (
        turn_span(0, 9),
        one("around", 1, 8, "gone"),
        turn_span(2, 7, "inner", "around"),
        one("late", 3, 4, "lost"),
    )
    expected = of(*spans)
    assert [ids(turn) for turn in expected.turns] == [["around"], ["late"]]
    for order in itertools.permutations(spans):
        assert of(*order) == expected


@pytest.mark.parametrize("size", [1, 2, 3])
def test_cyclic_parent_ids_lose_no_call(size: int) -> None:
    circle = [one(f"c{n}", n, 9 - n, f"c{(n + 1) % size}", f"t{n}") for n in range(size)]
    found = of(turn_span(0, 9), *circle)
    assert found.coverage.calls == size
    turns = [turn_span(n, 9 - n, f"t{n}", f"t{(n + 1) % size}") for n in range(size)]
    assert of(*turns).spans == size
    passages = [passage(f"p{n}", n, 9 - n, parent_id=f"p{(n + 1) % size}") for n in range(size)]
    assert of(*passages, one("a", 1, 2, "p0"), one("b", 2, 3, "p0")).coverage.calls == 2
    steps = [step(f"s{n}", n, 9 - n, parent_id=f"s{(n + 1) % size}") for n in range(size)]
    assert of(turn_span(0, 9), *steps).spans == size + 1


def test_turn_inside_its_own_call() -> None:
    found = of(turn_span(0, 9, parent_id="a"), one("a", 1, 2), one("b", 2, 3))
    assert ids(only(found)) == ["a", "b"]


def test_calls_past_the_bound_lower_coverage() -> None:
    spans = [one(f"c{n}", n, n + 1) for n in range(6)]
    turn = only(of(turn_span(0, 9), *spans, max_calls_per_turn=3))
    assert ids(turn) == ["c0", "c1", "c2"]
    assert turn.coverage == 0.5


# -- The whole ----------------------------------------------------------------------------------------------------


def test_no_spans_give_no_turns() -> None:
    assert of() == of(*())
    assert of().turns == ()
    assert of().coverage.share == 1.0


def test_turns_come_in_order_of_start_and_calls_in_order() -> None:
    found = of(turn_span(5, 9, "late"), turn_span(0, 3, "early"), one("b", 2, 3, "early"), one("a", 1, 2, "early"))
    assert [turn.span_id for turn in found.turns] == ["early", "late"]
    assert ids(found.turns[0]) == ["a", "b"]


def test_rounds_come_from_steps_or_else_step_like_parents() -> None:
    cycles = [passage(f"p{n}", n, n + 1, cycle=True) for n in range(2)]
    calls = [one("a", 0, 1, "p0"), one("b", 1, 2, "p1")]
    assert [c.round for c in only(of(turn_span(0, 9), *cycles, *calls)).calls] == [0, 1]
    assert [c.round for c in only(of(turn_span(0, 9), *cycles, *calls, step("s", 0, 0.1))).calls] == [0, 0]
    # A step-like parent outside the enclosing call does not count.
    deep = one("c", 1.1, 1.2, "b", "inner")
    assert [c.round for c in only(of(turn_span(0, 9), *cycles, *calls, deep)).calls] == [0, 1, None]


def shown(found: Normalized) -> tuple[object, ...]:
    return (found.turns, found.uncovered, found.spans, found.anomalies)


@given(span_trees(), st.randoms(use_true_random=False))
def test_order_of_spans_is_irrelevant(spans: list[Observation], random: Any) -> None:
    mixed = list(spans)
    random.shuffle(mixed)
    assert shown(of(*mixed)) == shown(of(*spans))


@given(span_trees())
def test_every_call_occurs_once(spans: list[Observation]) -> None:
    found = of(*spans)
    told = {span.span_id for span in spans if type(span) is Call}
    kept = [c.span_id for turn in found.turns for c in turn.calls if not c.sub_agent]
    kept += [c.span_id for c in found.uncovered]
    assert len(kept) == len(set(kept))
    assert set(kept) <= told
    for turn in found.turns:
        inside = {c.span_id for c in turn.calls}
        assert all(c.scope in inside for c in turn.calls if c.scope)
        assert 0 <= turn.coverage <= 1
        assert turn.span_id not in inside


@given(span_trees())
def test_no_call_of_the_same_process_outlasts_its_turn(spans: list[Observation]) -> None:
    sources = {span.span_id: span.source for span in spans}
    for turn in of(*spans).turns:
        for one_call in turn.calls:
            if sources[one_call.span_id] == sources[turn.span_id] and one_call.duration_ns:
                assert one_call.end_ns <= turn.end_ns


@given(span_trees(), st.integers(0, 10**15))
def test_shifting_all_times_shifts_all_times(spans: list[Observation], shift_ns: int) -> None:
    def shifted(thing: Any) -> Any:
        return msgspec.structs.replace(thing, start_ns=thing.start_ns + shift_ns, end_ns=thing.end_ns + shift_ns)

    found, moved = of(*spans), of(*map(shifted, spans))
    assert moved.uncovered == tuple(map(shifted, found.uncovered))
    for before, after in zip(found.turns, moved.turns, strict=True):
        assert after.calls == tuple(map(shifted, before.calls))
        assert (after.coverage, after.wrappers) == (before.coverage, before.wrappers)


@st.composite
def requests(draw: st.DrawFn) -> list[Step]:
    """Draw model requests of a turn; a few end before they start, or are of another instrumentation."""
    parts = st.tuples(instants, st.integers(-1, 6), st.sampled_from((None, (), ("i0",), ("i1", "i2"))), contents)
    return [
        Step(
            TRACE,
            f"s{number}",
            TURN,
            start_ns,
            start_ns + length * SECOND_NS // 10,
            requested=requested,
            messages=said,
            instrumentation=draw(st.sampled_from(("", "", "", "other"))),
        )
        for number, (start_ns, length, requested, said) in enumerate(draw(st.lists(parts, max_size=3)))
    ]


@st.composite
def other_spans(draw: st.DrawFn) -> list[Passage]:
    """Draw other spans around a turn or anywhere below it; a few are step-like, or are of waiting for a person."""
    holders = st.sampled_from(("", "gone", TURN, "c0", "c1", "c2", "s0", "p0", "p1", "p2", "p3"))
    parts = st.tuples(instants, st.integers(-1, 6), holders, *[st.sampled_from((False,) * 9 + (True,))] * 2)
    return [
        Passage(
            TRACE,
            f"p{number}",
            parent_id,
            "GET",
            start_ns,
            start_ns + length * SECOND_NS // 10,
            cycle=cycle,
            waiting=waiting,
            source=draw(st.sampled_from(("", "", "", "server"))),
        )
        for number, (start_ns, length, parent_id, cycle, waiting) in enumerate(draw(st.lists(parts, max_size=5)))
    ]


@given(
    scope_calls(max_size=5),
    requests(),
    other_spans(),
    contents,
    st.sampled_from(("", "gone", "c0", TURN, "p0", "p1")),
    st.integers(-2, 20),
)
def test_plain_turn_equals_the_normalized_turn(  # noqa: PLR0917 - what a trace has
    calls: list[Call], steps: list[Step], others: list[Passage], said: Content | None, parent_id: str, length: int
) -> None:
    calls = [
        msgspec.structs.replace(
            c, tool=c.tool or "get_x", round=None, proved=False, bound=False, call_id=f"i{number}" * (number % 3 > 0)
        )
        for number, c in enumerate(calls)
    ]
    start_ns = min((c.start_ns for c in calls), default=at(0))
    turn = msgspec.structs.replace(
        turn_span(0, 0, parent_id=parent_id, input=said), start_ns=start_ns, end_ns=start_ns + length * SECOND_NS // 10
    )
    spans: list[Observation] = [turn, *calls, *steps, *others]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(module, "_plain_trace", lambda spans, settings: None)
        general = of(*spans)
    assert shown(of(*spans)) == shown(general)


def test_plain_turn_rejects_all_other_traces() -> None:
    spans: dict[str, Observation] = {TURN: turn_span(0, 9), "a": one("a", 1, 2), "b": one("b", 2, 3)}
    assert module._plain_trace(dict(spans), Settings()) == only(of(*spans.values()))
    requests = {"s": step("s", 0, 1), "t": step("t", 1, 2)}
    assert module._plain_trace({**spans, **requests}, Settings()) == only(of(*spans.values(), *requests.values()))
    other_step = step("u", 2, 3, instrumentation="other")
    assert module._plain_trace({**spans, **requests, "u": other_step}, Settings()) is None
    for other in (
        step("s", 1, 2, parent_id="a"),
        step("s", 2, 1),
        passage("p", 0, 1, cycle=True),
        passage("p", 0, 1, waiting=True),
        passage("p", 1, 0),
        one("x", 1, 2, "a"),
        one("x", 1, 2, tool=""),
        one("x", 2, 1),
        one("x", 8, 10),
        one("x", 1, 2, source="server"),
        two("x", 1, 2),
        one("x", 1, 2, tool="think"),
        turn_span(1, 2, "sub", TURN),
    ):
        assert module._plain_trace({**spans, other.span_id: other}, Settings()) is None
    assert module._plain_trace(spans, Settings(max_calls_per_turn=1)) is None


def test_hundred_levels_of_spans_are_followed() -> None:
    levels: list[Passage | TurnSpan | Step | Call] = [turn_span(0, 500)]
    for n in range(100):
        levels.append(passage(f"p{n}", 0, 500, parent_id=levels[-1].span_id))
        levels.append(one(f"c{n}", n, 500 - n, f"p{n}", f"t{n}"))
    turn = only(of(*levels))
    assert scopes(turn) == {"c0": ""} | {f"c{n}": f"c{n - 1}" for n in range(1, 100)}


def test_run_told_again_beside_the_turn_is_no_turn_of_its_own() -> None:
    """Two instrumentations may each make a turn's span for one run, side by side below a root that is no turn."""
    spans: list[Observation] = [passage("root", 0, 9)]
    for name, make in (("first", one), ("again", two)):
        spans.append(turn_span(0, 8, span_id=name, parent_id="root", instrumentation=name))
        spans += [make(f"{name}{at}", at, at + 1, name) for at in range(1, 4)]
    turn = only(of(*spans))
    assert len(turn.calls) == 3


def test_span_without_an_id_is_the_parent_of_none() -> None:
    nameless = call("", 0, 1)
    outer, inner = call("a", 0, 1), call("b", 2, 3, parent_id="a")
    found = normalize([turn_span(0, 9), nameless, outer, inner], Settings())
    assert found.spans == 4
    assert [each.span_id for turn in found.turns for each in turn.calls] == ["a", "b"]
