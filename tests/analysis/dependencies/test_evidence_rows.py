"""Tests the verdicts and sentences of pairs of calls, one test for each way in which plain matching of values errs."""

from __future__ import annotations

import json
from typing import Any

import pytest

from otel_parallelism.analysis.dependencies.dependency_graph import Dependencies
from otel_parallelism.analysis.dependencies.particular_edges import Pair
from otel_parallelism.analysis.turns.tree import is_bookkeeping
from otel_parallelism.dialects.parsing.messages import user_words
from otel_parallelism.model import Call, Content, DeveloperText
from otel_parallelism.settings import Settings

_SECOND_NS = 1_000_000_000


def call(tool: str, arguments: Any, result: Any, **facts: Any) -> Call:
    return Call("1", "", "turn", tool, 0, 0, arguments=Content(arguments), result=Content(result), **facts)


def graph_of(*calls: Call, said: str = "Please have a look.") -> Dependencies:
    """Return the graph of *calls*, run one after another, each in its own round."""
    placed = []
    for index, one in enumerate(calls):
        fields = {name: getattr(one, name) for name in one.__struct_fields__}
        fields |= {
            "span_id": f"{index:x}",
            "round": index,
            "start_ns": (2 * index + 1) * _SECOND_NS,
            "end_ns": (2 * index + 2) * _SECOND_NS,
        }
        placed.append(Call(**fields))
    return Dependencies(placed, [Content(said)], Settings())


def pair(first: Call, second: Call, said: str = "Please have a look.") -> Pair:
    return graph_of(first, second, said=said).pair(0, 1)


@pytest.mark.parametrize("said", ["Please have a look at the...", "Weather, then [truncated]", "<redacted>", "***"])
def test_where_what_was_said_is_not_whole_only_calls_of_one_tool_are_independent(said: str) -> None:
    oslo = call("get_forecast", {"city": "Oslo"}, {"sky": "overcast", "celsius": 4.5})
    lima = call("get_forecast", {"city": "Lima"}, {"sky": "bright", "celsius": 21.5})
    museums = call("list_museums", {"city": "Oslo"}, ["Munch", "Fram"])
    assert pair(oslo, lima, said=said).verdict == "independent"
    assert pair(oslo, museums, said=said) == Pair(
        "unknown",
        "unknown",
        "what was asked was not recorded in full: whether list_museums is called may depend on what get_forecast "
        "returned",
    )
    for whole in ("The weather in Oslo, and its museums.", ""):
        assert pair(oslo, museums, said=whole).verdict == "independent"


@pytest.mark.parametrize(
    ("said", "verdict"),
    [
        (Content('[{"role": "user", "content": "Oslo, and if', lambda _: [], whole=False), "unknown"),  # cut off
        (Content("Oslo, and if it rains …", lambda _: []), "unknown"),  # in a form that is not known
        (Content([DeveloperText("You are a guide.")]), "unknown"),  # the user's own words left out
        (Content([]), "independent"),  # nothing recorded: the values decide
        (Content('[{"role": "user", "parts": [{"type": "text"}]}]', user_words), "independent"),  # nor here
        (Content('[{"role": "user", "parts": [{"type": "blob", "uri": "x"}]}]', user_words), "unknown"),
    ],
)
def test_messages_without_words_of_the_user_are_not_whole(said: Content, verdict: str) -> None:
    oslo = call("get_forecast", {"city": "Oslo"}, {"sky": "overcast", "celsius": 4.5})
    museums = call("list_museums", {"city": "Oslo"}, ["Munch", "Fram"])
    placed = graph_of(oslo, museums).calls
    assert Dependencies(placed, [said], Settings()).pair(0, 1).verdict == verdict


# Results that something wraps.


@pytest.mark.parametrize(
    "wrapped",
    [
        '{"ok": true, "data": {"ticket_status": "pending"}}',
        'Tool get_ticket returned: {"ticket_status": "pending"}',
        '```json\n{"ticket_status": "pending"}\n```',
        '<result>{"ticket_status": "pending"}</result>',
        "Ticket(ticket_status='pending')",
        "ticket_status='pending' closed_by=None",
        "ticket_status: pending",
        {"type": "function_call_output", "call_id": "c_1", "output": '{"ticket_status": "pending"}'},
        {"toolUseId": "c_1", "status": "success", "content": [{"text": '{"ticket_status": "pending"}'}]},
        [{"type": "tool_result", "tool_use_id": "c_1", "content": [{"type": "text", "text": "pending"}]}],
    ],
)
def test_a_status_may_decide_whatever_wraps_it(wrapped: object) -> None:
    said = "Tell me about ticket T1 and the refund rules."
    lookup = call("get_refund_rules", {"topic": "refund"}, "Within 30 days.")
    assert pair(call("get_ticket", {"id": "T1"}, wrapped), lookup, said).verdict == "unknown"
    told = json.loads(json.dumps(wrapped).replace("pending", "T1 is a question about socks of wool"))
    assert pair(call("get_ticket", {"id": "T1"}, told), lookup, said).verdict == "independent"


@pytest.mark.parametrize(
    "told", [{"status": "success"}, "<non-serializable>", "blob://traces/7", "Promise { <pending> }"]
)
def test_a_result_that_is_not_there_shows_nothing(told: object) -> None:
    first = call("get_forecast", {"city": "Oslo"}, told)
    other = call("get_forecast", {"city": "Lima"}, {"sky": "bright", "celsius": 21})
    assert pair(first, other, "Compare the weather of Oslo and Lima.").verdict == "unknown"


# Values that first occur in a result.


def test_value_from_a_result_is_a_dependence() -> None:
    found = pair(
        call("find_customer", {"email": "ada@example.org"}, {"customer_id": "cus_81Kd92", "vip": None}),
        call("list_invoices", {"customer_id": "cus_81Kd92"}, []),
    )
    assert found == Pair("dependent", "hard", "a value that find_customer returned is an argument of list_invoices")


def test_calls_that_share_no_value_are_independent_and_reads_may_run_together() -> None:
    found = pair(
        call("get_forecast", {"city": "Oslo"}, {"sky": "overcast", "celsius": 4}),
        call("get_forecast", {"city": "Lima"}, {"sky": "bright", "celsius": 21}),
        said="Compare the weather of Oslo and Lima.",
    )
    assert found == Pair(
        "independent",
        "none",
        "every argument of a later get_forecast was known before an earlier get_forecast began; both only read, "
        "judging by their names",
    )


# Repeated values: they occur in the producer's own arguments, or before.


def test_result_that_repeats_its_argument_is_no_origin() -> None:
    found = pair(
        call("get_parcel", {"tracking": "PX-4471-9920"}, {"tracking": "PX-4471-9920", "state": "on a truck"}),
        call("get_customs", {"tracking": "PX-4471-9920"}, {"duty": 0}),
    )
    assert (found.verdict, found.edge) == ("independent", "none")
    assert found.evidence.startswith("every argument of get_customs was known before get_parcel began")


def test_value_depends_on_its_first_origin_only() -> None:
    graph = graph_of(
        call("search_parcels", {"name": "Okafor"}, [{"tracking": "PX-4471-9920"}]),
        call("get_parcel", {"tracking": "PX-4471-9920"}, {"tracking": "PX-4471-9920", "weight": "3 kg"}),
        call("get_customs", {"tracking": "PX-4471-9920"}, {"duty": 0}),
    )
    assert graph.pair(0, 1).verdict == "dependent"
    assert graph.pair(0, 2).verdict == "dependent"
    assert (graph.pair(1, 2).verdict, graph.pair(1, 2).edge) == ("independent", "none")


# State and side effects.


def test_two_writes_keep_their_order_though_they_share_no_value() -> None:
    found = pair(
        call("create_folder", {"path": "reports"}, {"note": "in the north hall"}),
        call("move_file", {"source": "q3.pdf", "target": "reports"}, {"note": "in the north hall"}),
        said="Put q3.pdf into a new folder called reports.",
    )
    assert found == Pair("independent", "hard", "both write")


def test_read_after_a_write_is_not_known_to_be_safe() -> None:
    found = pair(
        call("update_price", {"sku": "lamp"}, {"note": "in the north hall"}),
        call("list_prices", {"shop": "north"}, [{"chair": 20}]),
        said="Raise the price of the lamp, then list those of shop north.",
    )
    assert found == Pair("independent", "unknown", "update_price writes")


def test_a_write_is_named_beside_another_doubt() -> None:
    found = pair(
        call("get_price", {"sku": "lamp"}, {"price": 310}),
        call("set_price", {"sku": "lamp", "price": 457}, {"note": "done"}),
        said="Bring the price of the lamp in line with the market.",
    )
    assert found.edge == "unknown"
    assert found.evidence.endswith("what get_price returned; set_price writes")


def test_tool_with_unknown_effect_is_never_recommended() -> None:
    calls = call("frobnicate", {"a": "x1"}, "in the north hall"), call("get_sky", {"city": "Oslo"}, "grey")
    found = pair(*calls, said="And the sky of Oslo?")
    assert found == Pair("independent", "unknown", "whether frobnicate only reads is not known")


def test_declared_resources_that_differ_allow_two_writes() -> None:
    found = pair(
        call("save_page", {"page": "a"}, "saved", resource="page:a"),
        call("save_page", {"page": "b"}, "saved", resource="page:b"),
    )
    assert (found.verdict, found.edge) == ("independent", "none")
    assert found.evidence == "they are declared to use different resources; their resources are declared to differ"


# Control flow: a call reacts to an earlier one, which no value shows.


@pytest.mark.parametrize(
    ("facts", "result"),
    [
        ({"error": True}, "timed out"),
        ({}, {"error": "timed out"}),
        ({}, "Error: timed out"),
        ({}, {"success": False, "reason": "timed out"}),
    ],
    ids=["the span failed", "an error in the result", "a text that says so", "no success"],
)
def test_the_same_tool_after_a_failure_is_a_retry(facts: dict[str, Any], result: Any) -> None:
    found = pair(
        call("get_stock", {"store": "Oslo"}, result, **facts), call("get_stock", {"store": "Bergen"}, {"lamps": 7})
    )
    assert found == Pair("dependent", "hard", "get_stock was tried again after it failed")


def test_another_tool_right_after_a_failure_may_be_a_fallback() -> None:
    graph = graph_of(
        call("get_stock", {"store": "Oslo"}, {"error": "timed out"}),
        call("list_warehouses", {"country": "Norway"}, ["north hall"]),
        call("get_sky", {"city": "Lima"}, "bright"),
    )
    assert graph.pair(0, 1) == Pair(
        "unknown", "unknown", "list_warehouses came right after get_stock failed, perhaps because of that"
    )
    assert (graph.pair(0, 2).verdict, graph.pair(0, 2).edge) == ("independent", "none")


def test_call_after_an_empty_result_may_be_a_second_attempt() -> None:
    found = pair(
        call("search_trains", {"to": "Lund", "day": "tonight"}, []),
        call("search_buses", {"to": "Lund", "day": "tonight"}, ["the late one"]),
    )
    assert found == Pair(
        "unknown", "unknown", "search_buses came right after search_trains found nothing, perhaps because of that"
    )


def test_calls_of_one_response_do_not_react_to_each_other() -> None:
    first = call("get_stock", {"store": "Oslo"}, {"error": "timed out"})
    second = call("get_sky", {"city": "Lima"}, "bright")
    calls = [
        Call("1", f"{i}", "t", c.tool, i * 10, i * 10 + 5, round=0, proved=True, arguments=c.arguments, result=c.result)
        for i, c in enumerate((first, second))
    ]
    found = Dependencies(calls, [], Settings()).pair(0, 1)
    assert (found.verdict, found.edge) == ("independent", "none")
    assert found.evidence.startswith("the model asked for both in one response")


def test_signing_in_comes_before_what_needs_it() -> None:
    found = pair(
        call("login", {"user": "ada"}, {"greeting": "hello there"}),
        call("create_note", {"text": "milk"}, {"id": 4}),
        said="Note milk.",
    )
    assert found == Pair("independent", "hard", "both write")
    reading = pair(call("login", {"user": "ada"}, {"greeting": "hello there"}), call("list_notes", {}, ["milk"]))
    assert reading == Pair("independent", "hard", "login acts on a screen or a session")


def test_reasoning_tool_is_bookkeeping_or_of_unknown_effect() -> None:
    assert is_bookkeeping("think", Settings().bookkeeping)
    found = pair(
        call("get_report", {"quarter": "third"}, {"summary": "Sales fell in the north."}),
        call("reason", {"thought": "The north did badly, so look there next."}, "noted"),
    )
    assert (found.verdict, found.edge) == ("unknown", "unknown")
    unrelated = pair(call("get_report", {"quarter": "third"}, {"sum": 7}), call("reason", {"thought": "Hm."}, "noted"))
    assert unrelated == Pair("independent", "unknown", "whether reason only reads is not known")


# Composed or computed values.


@pytest.mark.parametrize(
    ("result", "argument"),
    [
        ([{"id": "room::4417"}, {"id": "room::2891"}], "room::4417,room::2891"),
        ({"order": 48213}, "order:48213"),
        ({"order": 48213}, "/v2/orders/48213/lines"),
        ({"order": "ORD-48213"}, 48213),
        ({"total": 18249.5}, "18249.50 * 1.25"),
        ({"total": 18249.5}, "(18249.50-300)/2"),
        ({"total": 18249.5}, "$18,249.50"),
        ({"total": "18,249.50 EUR"}, 18249.5),
        ({"longitude": 151.20929551}, 151.2093),
        ({"text": "Your code is QX81-77Z4, valid for an hour."}, {"code": "QX81-77Z4"}),
        ({"path": "/srv/a/b.txt"}, "cat /srv/a/b.txt | head"),
    ],
)
def test_compound_argument_is_split_into_parts(result: Any, argument: Any) -> None:
    found = pair(call("get_source", {"name": "x"}, result), call("get_target", {"value": argument}, "fine"))
    assert found == Pair("dependent", "hard", "a value that get_source returned is an argument of get_target")


@pytest.mark.parametrize(
    ("result", "argument"),
    [
        ({"rooms": 4}, "room::4"),
        ({"price": 350}, "350 + 20"),
        ({"rate": 0.2}, "100*0.2"),
        ({"price": 33.333333}, 33.33),
    ],
)
def test_small_number_in_a_compound_argument_is_unknown(result: Any, argument: Any) -> None:
    found = pair(call("get_source", {"name": "x"}, result), call("get_target", {"value": argument}, "fine"))
    assert found == Pair(
        "unknown", "unknown", "an argument of get_target also stands in what get_source returned, which may be chance"
    )


def test_numbers_are_compared_as_numbers() -> None:
    found = pair(
        call("get_total", {"cart": "mine"}, {"total": 128450.0}), call("get_fee", {"amount": "128450"}, {"fee": 3})
    )
    assert found.verdict == "dependent"


# Results whose keys are values.


def test_key_of_a_result_is_a_value() -> None:
    found = pair(
        call("list_airfields", {"region": "west"}, {"KQX": "Long Meadow", "KZB": "Stone Field"}),
        call("get_runway", {"airfield": "KZB"}, {"length": 800}),
    )
    assert found == Pair("dependent", "hard", "a value that list_airfields returned is an argument of get_runway")


def test_key_that_is_a_common_word_is_unknown() -> None:
    found = pair(
        call("get_rates", {"shop": "north"}, {"express": 9, "economy": 4}),
        call("get_terms", {"kind": "express"}, "two"),
    )
    assert (found.verdict, found.edge) == ("unknown", "unknown")


def test_names_of_fields_and_parameters_are_not_values() -> None:
    found = pair(
        call("get_hall", {"hall_name": "big"}, {"hall_name": "Big Hall", "opening_days": ["weekdays"]}),
        call("get_event", {"hall_name": "old mill", "filters": {"opening_days": "weekend"}}, "a concert"),
        said="What is on at the old mill at the weekend?",
    )
    assert (found.verdict, found.edge) == ("independent", "none")


# Small numbers, booleans and dates: neither proof nor ignored.


@pytest.mark.parametrize(
    ("result", "argument"),
    [
        ({"count": 2}, {"adults": 2}),
        ({"year": 2000}, {"from": 2000}),
        ({"rate": 0.2}, {"share": 0.2}),
        ({"in_stock": True}, {"express": True}),
        ({"day": "2031-04-09"}, {"date": "2031-04-09"}),
        ({"at": "2031-04-09T18:30:00Z"}, {"date": "2031-04-09"}),
        ({"day": "April 9, 2031"}, {"date": "April 9, 2031"}),
        ({"state": "open"}, {"filter": "open"}),
        ({"colour": 255}, {"key": "0xff"}),
    ],
    ids=["small number", "year", "fraction", "flag", "date", "moment's date", "date in words", "word", "number in hex"],
)
def test_match_that_may_be_coincidence_is_unknown(result: Any, argument: Any) -> None:
    found = pair(call("get_offer", {"name": "x"}, result), call("search_rooms", argument, ["one"]))
    assert found == Pair(
        "unknown", "unknown", "an argument of search_rooms also stands in what get_offer returned, which may be chance"
    )


def test_small_number_in_several_results_may_come_from_any_of_them() -> None:
    graph = graph_of(
        call("get_fare", {"to": "Umeå"}, {"fare": 140}),
        call("get_fare", {"to": "Lund"}, {"fare": 140}),
        call("calculate", {"expression": "140 + 20"}, 160),
        said="What is it to Umeå and to Lund?",
    )
    assert (graph.pair(0, 2).verdict, graph.pair(1, 2).verdict) == ("unknown", "unknown")
    assert graph.pair(0, 1).edge == "none"


def test_small_number_under_the_name_of_an_id_is_proof() -> None:
    graph = graph_of(
        call("list_floors", {"house": "mill"}, {"floors": [4, 17]}),
        call("find_room", {"name": "attic"}, {"room_id": 17}),
        call("get_room", {"room_id": 17}, {"windows": "none"}),
    )
    assert graph.pair(1, 2) == Pair("dependent", "hard", "a value that find_room returned is an argument of get_room")
    assert (graph.pair(0, 2).verdict, graph.pair(0, 2).edge) == ("independent", "none")


# Values in both the prompt and the result.


def test_value_also_given_by_the_user_is_unknown() -> None:
    found = pair(
        call("get_account", {"email": "ada@example.org"}, {"order": "A-77120-K", "name": "Ada"}),
        call("get_order", {"order": "A-77120-K"}, {"lines": ["lamp"]}),
        said="I am ada@example.org. What is in my order A-77120-K?",
    )
    assert found == Pair(
        "unknown", "unknown", "an argument of get_order stands both in what get_account returned and in what was asked"
    )


# Paraphrases in the prompt.


def test_value_that_paraphrases_the_user_is_unknown() -> None:
    found = pair(
        call("find_place", {"query": "hotel near the lake"}, {"title": "Chelsea Hotel, Toronto"}),
        call("get_reviews", {"place": "Chelsea Hotel, Toronto"}, ["nice"]),
        said="Is the hotel Chelsea in Toronto any good? It should be near the lake.",
    )
    assert found == Pair(
        "unknown", "unknown", "an argument of get_reviews stands both in what find_place returned and in what was asked"
    )


# Values in several results.


def test_value_in_several_results_originates_from_the_first() -> None:
    graph = graph_of(
        call("search_books", {"title": "dunes"}, [{"isbn": "9780441172719"}]),
        call("search_shops", {"town": "Umeå"}, [{"shop": "corner", "best": "9780441172719"}]),
        call("get_book", {"isbn": "9780441172719"}, {"pages": 600}),
        said="Find the book about dunes and a shop in Umeå.",
    )
    assert graph.pair(0, 2).verdict == "dependent"
    assert (graph.pair(1, 2).verdict, graph.pair(1, 2).edge) == ("independent", "none")


# No matching of substrings.


@pytest.mark.parametrize(
    ("result", "argument"),
    [
        ({"city": "Parish Bay"}, {"city": "Paris"}),
        ({"sku": "AX4471209"}, {"sku": "X447"}),
        ({"order": 4821377}, {"order": 48213}),
        ({"name": "Johnson"}, {"name": "John"}),
    ],
)
def test_part_of_a_word_is_no_match(result: Any, argument: Any) -> None:
    found = pair(
        call("get_source", {"name": "x"}, result),
        call("get_target", argument, "fine"),
        said="Look up Paris, X447, 48213 and John.",
    )
    assert (found.verdict, found.edge) == ("independent", "none")
    assert found.evidence.startswith("every argument of get_target was known before get_source began")


# Contents that were not read in full.


@pytest.mark.parametrize(
    "first",
    [
        Call("1", "a", "t", "get_source", 0, 1, arguments=Content(["x"])),
        Call("1", "a", "t", "get_source", 0, 1, arguments=Content(["x"]), result=Content("begi", whole=False)),
        Call("1", "a", "t", "get_source", 0, 1, arguments=Content(["x"]), result=Content("y" * 300_000)),
        Call("1", "a", "t", "get_source", 0, 1, arguments=Content(["x"]), result=Content(object())),
    ],
    ids=["not captured", "cut off", "too large", "opaque"],
)
def test_content_not_read_in_full_makes_the_pair_unknown(first: Call) -> None:
    second = Call("1", "b", "t", "get_target", 2, 3, arguments=Content(["zebra"]), result=Content("fine"))
    found = Dependencies([first, second], [], Settings()).pair(0, 1)
    assert found == Pair(
        "unknown", "unknown", "what get_source returned or what get_target was given was not seen in full"
    )
