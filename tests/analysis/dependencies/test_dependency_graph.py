from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from strategies import READS, WRITES, call, contents, in_order, read, scope_calls

from otel_parallelism.analysis.dependencies.dependency_graph import Dependencies
from otel_parallelism.analysis.dependencies.particular_edges import Pair
from otel_parallelism.model import Call, Content
from otel_parallelism.settings import Settings


def relate(*calls: Call, settings: Settings | None = None) -> Dependencies:
    """Return the graph of *calls*; what `read` gives its calls by default is what the user asked for."""
    asked = Content(" ".join(["x", *(one.span_id for one in calls)]))
    return Dependencies(calls, (asked,), settings or Settings())


def pair(earlier: Call, later: Call, **options: Settings) -> Pair:
    return relate(earlier, later, **options).pair(0, 1)


@given(scope_calls(), contents)
def test_edge_sets_agree_with_pairs(calls: list[Call], said: Content | None) -> None:
    graph = Dependencies(calls, () if said is None else (said,), Settings())
    for later in range(len(calls)):
        for earlier in range(len(calls)):
            hard, soft = graph.hard[later] >> earlier & 1, graph.soft[later] >> earlier & 1
            if earlier < later and calls[earlier].end_ns <= calls[later].start_ns:
                edge = graph.pair(earlier, later).edge
                if graph.after_hard[later] >> earlier & 1:  # edges between the calls in between hold it anyway
                    soft |= edge == "unknown"
                    hard |= edge == "hard" and graph.evidence.is_chain
                assert (hard, soft) == {"hard": (1, 0), "unknown": (0, 1), "none": (0, 0)}[edge]
            else:
                assert not hard
                assert not soft


def test_value_that_may_match_by_chance_is_none_where_the_later_call_was_made_before() -> None:
    first, later = read("a", 0, 1, 4, "page 5"), read("b", 2, 3, 5, "page 6")
    assert pair(first, later).edge == "unknown"
    made_before = msgspec.structs.replace(later, called_ns=first.start_ns + 1)
    graph = relate(first, made_before)
    assert (graph.pair(0, 1).edge, graph.soft) == ("none", [0, 0])
    # Where it was made once the first call had ended, the value may be its own.
    assert pair(first, msgspec.structs.replace(later, called_ns=first.end_ns + 1)).edge == "unknown"


def test_chain_of_values_needs_no_other_edges() -> None:
    chain = [read("a", 0, 1, "x", "BK-99881"), read("b", 2, 3, "BK-99881", "CK-77221"), read("c", 4, 5, "CK-77221")]
    graph = relate(*chain)
    assert (graph.hard, graph.soft, graph.after_hard) == ([0, 0b1, 0b10], [0, 0, 0], [0, 0b1, 0b11])
    assert "origins" not in vars(graph.evidence)
    assert "effects" not in vars(graph.known)
    assert graph.pair(0, 2).edge == "unknown"
    overlapping = relate(chain[0], chain[1], read("c", 2.5, 5, "BK-99881"))
    assert "origins" not in vars(overlapping.evidence)
    apart = relate(chain[0], chain[1], read("c", 4, 5, "an unknown thing"))
    assert apart.soft[2]
    assert "origins" in vars(apart.evidence)


@given(scope_calls())
def test_after_sets_are_the_transitive_closure(calls: list[Call]) -> None:
    graph = relate(*calls)
    both = [hard | soft for hard, soft in zip(graph.hard, graph.soft, strict=True)]
    for direct, closed in ((graph.hard, graph.after_hard), (both, graph.after_any)):
        for later in range(len(calls)):
            reached, rest = 0, direct[later]
            while rest:
                index = rest.bit_length() - 1
                rest &= ~(1 << index)
                reached |= 1 << index
                rest |= direct[index] & ~reached
            assert closed[later] == reached


@given(scope_calls())
def test_every_pair_has_a_sentence(calls: list[Call]) -> None:
    graph = relate(*calls)
    for later in range(len(calls)):
        for earlier in range(later):
            if calls[earlier].end_ns <= calls[later].start_ns:
                assert graph.pair(earlier, later).evidence


def test_declared_to_need_a_tool_is_dependent_on_every_call_of_it_before() -> None:
    calls = (
        read("a", 0, 1, tool="get_a"),
        read("b", 1, 2, tool="get_b"),
        read("c", 2, 3, tool="get_a"),
        read("d", 3, 4, tool="get_d", depends_on=("get_a",)),
    )
    graph = relate(*calls)
    assert [graph.pair(earlier, 3).verdict for earlier in range(3)] == ["dependent", "independent", "dependent"]
    assert graph.hard[3] == 0b101


def test_declared_independence_concerns_data_only() -> None:
    assert pair(call("a", 0, 1), call("b", 1, 2, depends_on=())).edge == "none"
    assert pair(call("a", 0, 1), call("b", 1, 2, tool="frobnicate", depends_on=())).edge == "unknown"
    assert pair(call("a", 0, 1, WRITES[0]), call("b", 1, 2, WRITES[1], depends_on=())).edge == "hard"


def test_declaration_takes_precedence_over_value_and_retry() -> None:
    made = read("a", 0, 1, result="BK-99881", error=True)
    assert pair(made, read("b", 1, 2, "BK-99881")).verdict == "dependent"
    assert pair(made, read("b", 1, 2, "BK-99881", depends_on=())).verdict == "independent"


def test_span_link_is_a_dependence_despite_declarations() -> None:
    assert pair(read("a", 0, 1), read("b", 1, 2, links=("a",))).edge == "hard"
    assert pair(read("a", 0, 1), read("b", 1, 2, links=("z",))).edge == "none"
    assert pair(read("a", 0, 1), read("b", 1, 2, links=("a",), depends_on=("get_c",))).edge == "hard"
    assert pair(read("a", 0, 1, resource="x"), read("b", 1, 2, links=("a",), resource="y")).edge == "hard"


def test_different_resources_are_independent_even_for_writes() -> None:
    one, two = call("a", 0, 1, WRITES[0], resource="x"), call("b", 1, 2, "frobnicate", resource="y")
    assert pair(one, two).edge == "none"
    assert pair(one, two).verdict == "independent"


def test_different_resources_take_precedence_over_retry_and_value() -> None:
    failed = read("a", 0, 1, result="BK-99881", resource="x", error=True)
    assert pair(failed, read("b", 1, 2, "BK-99881", resource="y")).edge == "none"
    assert relate(failed, read("b", 1, 2, "BK-99881", resource="y")).hard == [0, 0]


def test_shared_resource_is_a_hard_edge_only_with_a_write() -> None:
    assert pair(read("a", 0, 1, resource="x"), read("b", 1, 2, tool=WRITES[0], resource="x")).edge == "hard"
    assert pair(read("a", 0, 1, tool=WRITES[0], resource="x"), read("b", 1, 2, resource="x")).edge == "hard"
    assert pair(read("a", 0, 1, resource="x"), read("b", 1, 2, resource="x")).edge == "none"
    obscure, writing = read("a", 0, 1, tool="frobnicate", resource="x"), read("b", 1, 2, tool=WRITES[0], resource="x")
    assert pair(obscure, writing) == Pair("independent", "hard", "both use x")
    assert relate(obscure, writing).hard == [0, 0b1]


def test_effects_without_resources() -> None:
    reading, writing, obscure = READS[0], WRITES[0], "frobnicate"
    expected = {
        (reading, reading): "none",
        (reading, writing): "unknown",
        (writing, reading): "unknown",
        (writing, writing): "hard",
        (reading, obscure): "unknown",
        (obscure, writing): "unknown",
        (obscure, obscure): "unknown",
    }
    for (first, second), edge in expected.items():
        assert pair(read("a", 0, 1, tool=first), read("b", 1, 2, tool=second)).edge == edge


def test_calls_of_one_proved_round_are_independent() -> None:
    same = {"round": 0, "proved": True}
    assert pair(call("a", 0, 1, **same), call("b", 1, 2, **same)).edge == "none"
    value = (read("a", 0, 1, result="BK-99881", error=True, **same), read("b", 1, 2, "BK-99881", **same))
    assert pair(*value).verdict == "independent"
    assert relate(*value).hard == [0, 0]


def test_calls_of_an_inferred_round_are_not_independent() -> None:
    for sure in ({"round": 0}, {"round": 0, "proved": False}):
        assert pair(call("a", 0, 1, round=0, proved=True), call("b", 1, 2, **sure)).verdict == "unknown"
    assert pair(call("a", 0, 1, round=0, proved=True), call("b", 1, 2, round=1, proved=True)).verdict == "unknown"


def test_repeating_a_tool_after_it_failed_is_a_retry() -> None:
    assert pair(read("a", 0, 1, error=True), read("b", 1, 2)).edge == "hard"
    assert pair(read("a", 0, 1), read("b", 1, 2)).edge == "none"


def test_call_right_after_a_failed_or_empty_call_may_react_to_it() -> None:
    other = read("b", 1, 2, tool=READS[1])
    assert pair(read("a", 0, 1, error=True), other).edge == "unknown"
    assert pair(read("a", 0, 1, result=[]), other).edge == "unknown"
    later = read("c", 2, 3, tool=READS[2])
    assert relate(read("a", 0, 1, error=True), other, later).soft == [0, 0b1, 0]
    beside = read("c", 1, 4, tool=READS[2])
    assert relate(read("a", 0, 1, error=True), other, beside).soft == [0, 0b1, 0b1]


def test_model_may_react_after_the_rest_of_an_inferred_round() -> None:
    asked = {"round": 0}
    failed, rest = read("a", 0, 1, error=True, **asked), read("b", 1, 2, tool=READS[1], **asked)
    also, other = read("c", 2, 3, tool="get_c", **asked), read("d", 4, 5, tool=READS[2], round=1)
    graph = relate(failed, rest, also, other, read("e", 6, 7, tool="get_e", round=2))
    assert graph.pair(0, 1).edge == graph.pair(0, 3).edge == "unknown"
    assert graph.pair(0, 2).edge == graph.pair(0, 4).edge == "none"
    # Calls before the first model request were made by code; the model may react to them as well.
    early = [read("a", 0, 1, error=True), read("b", 1, 2, tool=READS[1]), read("c", 2, 3, tool="get_c"), other]
    assert relate(*early).pair(0, 3).edge == "unknown"


def test_retry_follows_all_failures() -> None:
    failed = (read("a", 0, 1, error=True), read("b", 1, 2, error=True), read("c", 2, 3))
    assert relate(*failed).hard == [0, 0b1, 0b11]


def test_success_ends_the_retries() -> None:
    failed, again, other = read("a", 0, 1, error=True), read("b", 1, 2), read("c", 2, 3)
    assert relate(failed, again, other).hard == [0, 0b1, 0]


def test_call_after_a_corrected_one_may_be_made_as_that_one_was() -> None:
    again, other = read("b", 1, 2), read("c", 2, 3)
    corrected = relate(read("a", 0, 1, error=True), again, other).pair(0, 2)
    assert corrected == Pair("unknown", "unknown", "get_flights failed, and was called in another way since")
    assert relate(read("a", 0, 1, "x of b", error=True), again, other).pair(0, 2).edge == "none"


def test_success_in_the_round_of_the_failure_is_no_retry() -> None:
    asked = {"round": 0, "proved": True}
    failed, beside = read("a", 0, 1, error=True, **asked), read("b", 1, 2, **asked)
    again = relate(failed, beside, read("c", 2, 3, round=1, proved=True))
    assert again.pair(0, 2).evidence == "get_flights was tried again after it failed"
    assert again.hard == [0, 0, 0b11]


def test_second_call_with_the_id_of_one_request_is_a_retry() -> None:
    asked = {"round": 0, "proved": True, "call_id": "id1"}
    failed, again = read("a", 0, 1, error=True, **asked), read("b", 1, 2, **asked)
    assert pair(failed, again) == Pair("dependent", "hard", "get_flights was tried again after it failed")
    # A wrapper may fall back on another tool or reject a result, but some clients use one id for all calls.
    assert pair(failed, read("b", 1, 2, tool=READS[1], **asked)).edge == "hard"
    assert pair(read("a", 0, 1, **asked), again).edge == "unknown"
    beside = read("b", 1, 2, **{**asked, "call_id": "id2"})
    assert pair(failed, beside).verdict == "independent"
    # Some models number their requests anew in each response.
    assert pair(read("a", 0, 1, **asked), read("b", 1, 2, **{**asked, "round": 1})).edge == "none"


def test_retry_waits_for_the_whole_round_of_the_failure() -> None:
    first, second = {"round": 0, "proved": True}, {"round": 1, "proved": True}
    failed, long = read("a", 0, 1, error=True, **first), read("b", 0, 5, tool=READS[1], **first)
    again, other = read("c", 6, 8, **second), read("d", 6, 8, tool=READS[2], **second)
    graph = relate(failed, long, again, other)
    assert graph.hard == [0, 0, 0b11, 0]
    assert graph.pair(1, 2) == Pair(
        "independent", "hard", "the model asked for search_hotels together with what get_flights had to wait for"
    )
    # A retry that no model request lists may be made by the framework, which does not wait for the round.
    for edge, unsure in (("none", {}), ("unknown", {"round": 1}), ("none", {"round": 0, "proved": True})):
        assert relate(failed, long, read("c", 6, 8, **unsure)).pair(1, 2).edge == edge


def test_possible_need_may_extend_to_the_whole_round() -> None:
    first, second = {"round": 0, "proved": True}, {"round": 1, "proved": True}
    unseen, long = call("a", 0, 1, **first), read("b", 0, 5, tool=READS[1], **first)
    graph = relate(unseen, long, read("c", 6, 8, **second))
    assert (graph.hard, graph.soft) == ([0, 0, 0], [0, 0, 0b11])
    assert graph.pair(1, 2) == Pair(
        "independent",
        "unknown",
        "perhaps the model had to see what search_hotels returned before it asked for get_flights",
    )


def test_inferred_rounds_give_unknown_edges_unless_declared() -> None:
    first, value = {"round": 0}, "BK-99881"
    made, long = read("a", 0, 1, "x", value, **first), read("b", 0, 5, tool=READS[1], resource="y", **first)
    assert relate(made, long, read("c", 6, 8, value, round=1)).pair(1, 2).edge == "unknown"
    # Code made these calls, or may have: a value's absence shows nothing.
    assert relate(made, long, read("c", 6, 8, value, round=0)).pair(1, 2).edge == "unknown"
    assert relate(made, long, read("c", 6, 8, value)).pair(1, 2).edge == "unknown"
    assert relate(made, long, read("c", 6, 8, "b", round=1)).pair(1, 2).edge == "none"
    assert relate(made, long, read("c", 6, 8, round=1, depends_on=(READS[0],))).pair(1, 2).edge == "none"
    elsewhere = relate(msgspec.structs.replace(made, resource="z"), long, read("c", 6, 8, value, round=1, resource="z"))
    assert [elsewhere.pair(earlier, 2).edge for earlier in (0, 1)] == ["hard", "none"]


@given(st.lists(scope_calls(max_size=4), max_size=5))
def test_call_waits_for_whole_previous_round(rounds: list[list[Call]]) -> None:
    calls: list[Call] = []
    for number, asked in enumerate(rounds):
        # Each round starts after all earlier calls have ended.
        later_ns = max((call.end_ns for call in calls), default=0) - min((call.start_ns for call in asked), default=0)
        calls += [
            msgspec.structs.replace(
                call,
                span_id=f"r{number}{call.span_id}",
                start_ns=call.start_ns + later_ns,
                end_ns=call.end_ns + later_ns,
                round=None if call.round is None else number,
            )
            for call in asked
        ]
    calls = in_order(calls)
    graph = relate(*calls)
    for later, b in enumerate(calls):
        followed = {calls[i].round for i in range(later) if graph.after_hard[later] >> i & 1 and calls[i].proved}
        perhaps = {calls[i].round for i in range(later) if graph.after_any[later] >> i & 1}
        for earlier in range(later):
            a = calls[earlier]
            if b.round is None or a.round in {None, b.round} or a.end_ns > b.start_ns:
                continue
            if b.proved and a.proved and a.round in followed:
                assert graph.after_hard[later] >> earlier & 1
            if not b.resource and b.depends_on is None and a.round in perhaps:
                assert graph.after_any[later] >> earlier & 1


def test_success_that_started_before_the_failure_ends_no_retries() -> None:
    failed, beside, again = read("a", 0, 2, error=True), read("b", 1, 3), read("c", 3, 4)
    assert relate(failed, beside, again).hard == [0, 0, 0b1]


def test_returned_value_in_arguments_is_a_dependence() -> None:
    assert pair(read("a", 0, 1, "x", "BK-99881"), read("b", 1, 2, {"id": "BK-99881"})).verdict == "dependent"
    assert pair(read("a", 0, 1, "x", "BK-99881"), read("b", 1, 2, {"id": "b"})).verdict == "independent"


def test_content_not_read_in_full_is_unknown() -> None:
    seen, cut = Content("x"), Content("x", whole=False)
    for result in (None, cut):
        assert pair(call("a", 0, 1, result=result), call("b", 1, 2, arguments=seen)).edge == "unknown"
    for arguments in (None, cut):
        assert pair(call("a", 0, 1, result=seen), call("b", 1, 2, arguments=arguments)).edge == "unknown"


def test_empty_calls_at_one_instant_form_no_cycle() -> None:
    graph = relate(*(call(name, 1, 1, "frobnicate") for name in "abc"), call("d", 1, 2, "frobnicate"))
    assert graph.soft == [0, 0b1, 0b11, 0b111]


def test_calls_that_overlap_have_no_edge() -> None:
    graph = relate(call("a", 0, 2, WRITES[0]), call("b", 1, 3, WRITES[0]))
    assert graph.hard == [0, 0]
    assert graph.soft == [0, 0]


def test_declared_tool_that_has_not_ended_is_no_edge() -> None:
    graph = relate(read("a", 0, 3, tool="get_a"), read("b", 1, 2, depends_on=("get_a",)))
    assert graph.hard == [0, 0]


def test_the_evidence_of_effects_names_tool_and_resource() -> None:
    both_write = pair(read("a", 0, 1, tool=WRITES[0]), read("b", 1, 2, tool=WRITES[1]))
    assert both_write.evidence == "both write"
    assert "db" in pair(read("a", 0, 1, resource="db"), read("b", 1, 2, tool=WRITES[1], resource="db")).evidence
    assert "frobnicate" in pair(read("a", 0, 1), read("b", 1, 2, tool="frobnicate")).evidence
    mixed = pair(read("a", 0, 1, tool="get_a"), read("b", 1, 2, tool=WRITES[0])).evidence
    assert mixed == f"{WRITES[0]} writes"
    assumed = pair(read("a", 0, 1), read("b", 1, 2)).evidence
    assert "judging by their names" in assumed
    declared = {"effect": "read", "effect_source": "declared"}
    assert "judging" not in pair(read("a", 0, 1, **declared), read("b", 1, 2, **declared)).evidence
