"""
Tests what a model may have asked because of an earlier result although no value is passed on, and what it has not.

Each test of a doubt has calls beside it that are like the doubtful ones, and independent.
"""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import structs

from otel_parallelism.analysis.dependencies.dependency_graph import Dependencies
from otel_parallelism.analysis.dependencies.doubts.conditions import Conditions
from otel_parallelism.analysis.dependencies.particular_edges import Pair
from otel_parallelism.model import Call, Content, DeveloperText
from otel_parallelism.settings import Settings
from tests.analysis.dependencies.asked_in_turn import Told, dependencies, judged, verdict_on

_SECOND_NS = 1_000_000_000


RAIN = ("get_weather", {"city": "Oslo"}, "light rain over the fjord")
EVENTS = ("list_events", {"city": "Oslo", "kind": "indoor"}, ["a concert"])


@pytest.mark.parametrize(
    "said",
    [
        "If it rains in Oslo, list indoor events there.",
        "How is Oslo? If it rains, show me the indoor events.",
        "Weather in Oslo; indoor events in case of rain",
        "Weather in Oslo first. Otherwise indoor events.",
        "Check the weather in Oslo first, then indoor events",
        "Weather in Oslo or indoor events, one of them is enough",
        "Prefer the weather in Oslo over indoor events",
        "Try the weather in Oslo, then indoor events",
        "Weather in Oslo; failing that, indoor events",
        "Weather in Oslo, with indoor events as a backup",
        "Weather in Oslo, and indoor events when the weather is unclear",
        "Is there rain in Oslo? If there is, which indoor events are on?",
        "Find out how the weather in Oslo is. In that case indoor events.",
        "Is the weather in Oslo poor? Then the indoor events.",
        "Weather in Oslo; indoor events too, except when it is dry",
        "Should the weather in Oslo be bad, which indoor events are there?",
        "See the weather in Oslo, then decide about indoor events",
        "Weather in Oslo; that may be enough. Or list indoor events",
        "Weather in Oslo, indoor events; the first answer is enough",
        "Weather in Oslo, or indoor events: I only need one",
        "Only list indoor events if the weather in Oslo calls for it",
        "Start with the weather in Oslo. Are there indoor events?",
        "Wie ist das Wetter in Oslo? Falls es regnet, zeig mir Veranstaltungen.",
        "Sprawdź pogodę w Oslo, a w razie deszczu podaj imprezy.",
        "El tiempo en Oslo y, según lo que haya, los eventos.",
        "Das Wetter in Oslo, und je nachdem Veranstaltungen.",
        "查一下奥斯陆的天气, 根据结果推荐活动",
        "When the weather in Oslo turns bad, show me indoor events.",
        "Oslo rainy? Then the indoor events.",
        "The weather in Oslo and, as needed, indoor events",
        "Don't list indoor events before the weather service has answered for Oslo.",
        "تحقق من الطقس في Oslo وإذا كان حارا events",
        "Weather in Oslo? Too wet and I'd take the indoor events.",
        "The weather in Oslo, indoor events being the substitute",
        "The weather in Oslo; indoor events only matter where it is wet.",
        "Which of them is not on in the Oslo weather? Indoor events",
        "See the weather in Oslo and act accordingly on indoor events",
        "Weather in Oslo; its result decides about indoor events",
        "Poor weather in Oslo might call for indoor events.",
        "After you know the weather in Oslo, list indoor events.",
        "O tempo em Oslo e, caso chova, os eventos",
        "Guarda il meteo a Oslo; qualora piova, cerca eventi",
        "Xem thời tiết ở Oslo, nếu mưa thì tìm events",
        "Cek cuaca di Oslo, kalau hujan cari events",
        "Katso sää Oslo, jos sataa etsi events",
        "Nézd meg az időjárást Oslo, ha esik, keress events",
        "Podívej se na Oslo, a pokud prší, najdi events",
        "Oslo の天気を見て、雨だったら events を探して",
        "ดูอากาศที่ Oslo ถ้าฝนตกให้หา events",
        "Oslo: আবহাওয়া ভালো না হলে events দেখাও",
        "Перевір погоду в Oslo, якщо дощ, знайди events",
        "Провери времето в Oslo и ако вали, намери events",
        "Δες τον καιρό στο Oslo και εάν βρέχει βρες events",
        "בדוק את מזג האוויר ב Oslo ואם יורד גשם חפש events",
        "هوای Oslo را ببین و اگر باران بود events را پیدا کن",
        "Verifică vremea în Oslo și dacă plouă caută events",
        "Patikrink orą Oslo, jei lyja, rask events",
        "Vaata ilma Oslo, kui sajab, leia events",
        "Angalia hali ya hewa Oslo, ikiwa mvua tafuta events",
        "Oslo hava durumuna bak, kar esiyorsa etkinlikleri bul",
        "The weather in Oslo. Not nice? Get the indoor events.",
        "The weather in Oslo; should that be poor, the indoor events.",
        "How warm is Oslo? Under ten I want the indoor events.",
        "Alert me when Oslo has rain: the weather, and the indoor events",
    ],
)
def test_condition_of_the_user_may_decide_about_a_call(said: str) -> None:
    why = "what was asked has a condition: whether list_events is called may depend on what get_weather returned"
    assert judged(said, RAIN, EVENTS) == Pair("unknown", "unknown", why)


@pytest.mark.parametrize(
    "said",
    [
        "Check if it rains in Oslo, and list indoor events.",
        "Weather in Oslo and indoor events, if possible.",
        "If I fly to Oslo, how is the weather, and which indoor events are there?",
        "Weather and indoor events in Oslo. If the museum is closed, tell me.",
        "Who else likes Oslo, its weather, and indoor events?",
        "Tell me if it rains in Oslo. Which indoor events are there?",
        "I prefer sun to rain. Weather in Oslo, and indoor events",
        "Show the weather in Oslo and then the indoor events",
        "In that case, show the weather in Oslo and the indoor events",
        "Should I go to Oslo? Weather, indoor events",
        "Indoor events that start with A, and the weather in Oslo",
        "Weather in Oslo, and indoor events, not before 9",
        "Weather in Oslo, and indoor events on আবহাওয়া",
        "El tiempo en Oslo y los indoor events del caso 4711",
        "I'd like the weather in Oslo, and indoor events",
        "Weather in Oslo, AK, and indoor events",
        "Oslo のあたらしい indoor events と天気",
        "The weather in Oslo, and indoor events for under ten euros, please",
        "Nothing planned for Oslo yet. Weather? And indoor events?",
    ],
)
def test_question_with_if_and_condition_on_something_else_decide_about_no_call(said: str) -> None:
    found = judged(said, RAIN, EVENTS)
    assert (found.verdict, found.edge) == ("independent", "none")


def test_long_text_is_searched_for_conditions_only_at_its_beginning() -> None:
    assert not Conditions(["word " * 2_000 + ". Otherwise stop."]).concern(["oslo"])
    assert not Conditions(["word " * 100 + " otherwise stop."]).concern(["oslo"])


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"page": 1}, {"page": 2}),
        ({"offset": 0, "limit": 50}, {"offset": 50, "limit": 50}),
        ({"start_line": 1, "size": 80}, {"start_line": 80, "size": 80}),
    ],
)
def test_next_part_may_be_asked_for_because_of_the_first(first: dict[str, int], second: dict[str, int]) -> None:
    found = judged("Is there a lamp?", ("list_orders", first, ["desk"]), ("list_orders", second, ["lamp"]))
    assert (found.verdict, found.edge) == ("unknown", "unknown")


def test_pages_that_the_user_names_are_independent() -> None:
    pages = [("get_page", {"book": "tides", "page": page}, text) for page, text in ((17, "the moon"), (23, "the sun"))]
    found = judged("What is on pages 17 and 23 of the book tides?", *pages)
    assert (found.verdict, found.edge) == ("independent", "none")


def test_search_in_other_words_than_the_user_may_follow_from_what_was_found() -> None:
    first = ("search_papers", {"query": "tide prediction by neural nets"}, ["Ocean waves"])
    again = ("search_papers", {"query": "tidal forecasting with deep learning"}, ["LSTM for tides"])
    found = judged("Find the paper on tide prediction by neural nets", first, again)
    assert found.evidence == (
        "a later search_papers was asked in other words, perhaps because of what an earlier search_papers returned"
    )


@pytest.mark.parametrize(
    ("said", "one", "other"),
    [
        ("Compare owls and bats", "owls and their hunting", "bats and their hunting"),
        ("What do we know of tides?", "tide height", "tide timing"),
        ("Weather in the Nordic capitals", "weather oslo", "weather stockholm"),
    ],
)
def test_searches_for_different_things_are_independent(said: str, one: str, other: str) -> None:
    found = judged(said, ("web_search", {"query": one}, "some text of it"), ("web_search", {"query": other}, "more"))
    assert (found.verdict, found.edge) == ("independent", "none")


def test_number_may_be_a_position_in_a_list() -> None:
    found = judged(
        "Find a red kettle, and tell me about the second one",
        ("search_products", {"query": "red kettle"}, ["Rouge", "Cherry Boil", "Red Pot"]),
        ("view_result", {"index": 1}, "1.7 l"),
    )
    assert found.evidence == "a number that view_result was given may be a position in what search_products returned"


@pytest.mark.parametrize(
    ("answer", "second"),
    [
        ({"km": 16.1}, ("get_walk_time", {"miles": 10}, "3 h")),
        (1984, ("get_rate", {"age": 42}, "low")),
    ],
)
def test_number_without_origin_may_say_a_short_answer_otherwise(answer: Any, second: Told) -> None:
    found = judged("Say hello to my newest guest, and look after them", ("get_guest_fact", {}, answer), second)
    assert (found.verdict, found.edge) == ("unknown", "unknown")


@pytest.mark.parametrize(
    "second",
    [
        ("get_news", {"city": "Oslo"}, "all quiet"),
        ("get_forecast", {"city": "Oslo", "units": "metric"}, "snow"),
        ("find_hotels", {"city": "Oslo", "sort_by": "price"}, ["Grand"]),
        ("find_hotels", {"city": "Oslo", "reason": "guest asked"}, ["Grand"]),
    ],
)
def test_usual_parameters_say_no_answer_otherwise(second: Told) -> None:
    found = judged("Weather, news and hotels of Oslo", RAIN, second)
    assert (found.verdict, found.edge) == ("independent", "none")


def test_identifier_and_error_are_not_said_otherwise() -> None:
    for answer in ({"id": "A81-x9"}, {"error": "timed out"}):
        found = judged("Hello", ("get_fact", {"of": "hello"}, answer), ("get_topic", {"topic": "robots"}, "fine"))
        assert "otherwise" not in found.evidence


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (
            ("read_csv", {"path": "sales.csv"}, "Loaded dataframe with 3 columns"),
            ("describe_column", {"name": "x"}, "3"),
        ),
        (("get_seat_hold", {"seat": "x"}, "held for 5 min"), ("get_price", {"file": "sales.csv"}, "cheap")),
        (("analyze_data", {"path": "sales.csv"}, "Results are available in the workspace."), ("get_x", {}, "12 x")),
        (("view_file", {"path": "sales.csv"}, "a b c"), ("find_in_open_file", {"text": "x"}, "line 8")),
        (("view_file", {"path": "sales.csv"}, "a b c"), ("read_output", {"lines": 50}, "listening")),
        (("fetch_report", {"output_path": "sales.csv"}, "a b c"), ("read_file", {"path": "sales.csv"}, "a b c")),
        (("fetch_to", {"x": "sales.csv"}, "a b c"), ("read_file", {"path": "sales.csv"}, "a b c")),
    ],
)
def test_calls_that_leave_or_use_something_behind_are_not_known_to_read(first: Told, second: Told) -> None:
    assert judged("x of sales.csv", first, second).edge == "unknown"


@pytest.mark.parametrize(
    "second",
    [
        ("get_lab_results", {"patient_id": 7}, "fine all over"),
        ("get_results_page", {"name": "sales.csv"}, "Opened by the mayor in May"),
        ("search_flights", {"destination": "sales"}, "one at noon"),
        ("list_open_orders", {"shop": "sales"}, "a lamp"),
    ],
)
def test_names_that_look_like_leaving_something_behind_still_read(second: Told) -> None:
    found = judged("sales.csv of 7, please", ("read_file", {"path": "sales.csv"}, "a and b and c"), second)
    assert (found.verdict, found.edge) == ("independent", "none")


@pytest.mark.parametrize(
    ("first", "answer", "again"),
    [
        ({"id": "d-17"}, "[showing a part of it]", {"id": "d-17", "section": "annex"}),
        ({"city": "Kopenhagn"}, "That name has several meanings", {"city": "Kopenhagn, Denmark"}),
    ],
)
def test_asking_the_same_in_more_detail_may_follow_from_the_answer(
    first: dict[str, str], answer: str, again: dict[str, str]
) -> None:
    found = judged("Show d-17 and Kopenhagn", ("get_text", first, answer), ("get_text", again, "all of it is here"))
    assert (
        found.evidence
        == "a later get_text asks for the same in more detail, perhaps because of what an earlier get_text returned"
    )


def test_other_items_of_a_list_are_not_more_detail() -> None:
    one, other = ({"files": [name, "notes.md"], "workdir": "/srv"} for name in ("tides.md", "winds.md"))
    found = judged("Explain it", ("get_texts", one, "the moon pulls"), ("get_texts", other, "the sun heats"))
    assert (found.verdict, found.edge) == ("independent", "none")


def test_a_flag_is_more_detail() -> None:
    one, other = {"doc": "tides"}, {"doc": "tides", "full": True}
    found = judged("The doc tides", ("get_text", one, "the moon pulls"), ("get_text", other, "the sun heats"))
    assert (found.edge, "in more detail" in found.evidence) == ("unknown", True)


def test_details_that_the_user_named_are_independent() -> None:
    one, other = ({"doc": "tides"}, {"doc": "tides", "section": "annex"})
    found = judged("The doc tides and its annex", ("get_text", one, "the moon"), ("get_text", other, "the sun"))
    assert (found.verdict, found.edge) == ("independent", "none")


@pytest.mark.parametrize(
    ("answer", "edge"),
    [
        ("We are closed today", "unknown"),
        ("The server is busy right now", "unknown"),
        ("This page has moved", "unknown"),
        ("Cache warmed", "unknown"),
        ("Sold out", "unknown"),
        ("The closed door, a novel", "none"),
        ("Busy streets of Oslo", "none"),
        ("How to move a page", "none"),
    ],
)
def test_answer_that_refuses_or_reports_may_decide_what_comes_next(answer: str, edge: str) -> None:
    found = judged(
        "Hours and menu of Blue", ("get_hours", {"shop": "Blue"}, answer), ("get_menu", {"shop": "Blue"}, "tea")
    )
    assert found.edge == edge


@pytest.mark.parametrize(
    ("result", "tool", "arguments"),
    [
        ({"destination": "Kyoto"}, "get_exchange_rate", {"currency": "yen"}),
        ({"species": "Monstera deliciosa"}, "get_care_guide", {"plant": "swiss cheese zx"}),
        ("a bicycle", "list_products", {"category": "vélos"}),
        ({"date": "2023-08-14"}, "get_sales", {"quarter": "Q3"}),
        ({"colour": "#FF0000"}, "find_lamp", {"shade": "red"}),
        ("The disease is African trypanosomiasis", "lookup_drug", {"indication": "sleeping sickness"}),
    ],
)
def test_word_without_origin_may_say_a_short_answer_otherwise(
    result: Any, tool: str, arguments: dict[str, Any]
) -> None:
    found = judged("About ZX-8821", ("get_booking", {"ref": "ZX-8821"}, result), (tool, arguments, "fine weather"))
    why = f"{tool} was given a word that appears nowhere before it and may reword what get_booking returned"
    assert found == Pair("unknown", "unknown", why)


@pytest.mark.parametrize(
    ("result", "tool", "arguments"),
    [
        # Identifiers, a usual setting, and words of the user.
        ([{"name": f"W-237815{index}"} for index in range(6)], "get_exchange_rate", {"currency": "yen"}),
        ({"order": "W-2378156"}, "get_exchange_rate", {"currency": "yen"}),
        ({"destination": "Kyoto"}, "get_exchange_rate", {"format": "json"}),
        ({"destination": "Kyoto"}, "get_weather", {"city": "Oslo"}),
        ({"price": 31.2}, "list_events", {"category": "attractions"}),
    ],
)
def test_word_of_the_model_is_no_other_word_for_anything_else(
    result: Any, tool: str, arguments: dict[str, Any]
) -> None:
    said = "About ZX-8821, and how is the weather in Oslo?"
    found = judged(said, ("get_booking", {"ref": "ZX-8821"}, result), (tool, arguments, "fine weather"))
    assert (found.verdict, found.edge) == ("independent", "none")


@pytest.mark.parametrize(
    ("names", "argument"),
    [
        (["Globex Corporation", "Initech", "Hooli", "Pied Piper", "Umbrella", "Wonka"], "GLBX"),
        (["Ada Byron Lovelace", "Bo Diddley", "Cy Young", "Dee Dee", "Eve Ray", "Flo Rida"], "abl"),
        (["Rome, Italy", "Paris", "Oslo", "Lima", "Hanoi", "Quito"], "Italian"),
    ],
)
def test_word_may_be_short_for_a_name_in_a_list_or_another_form_of_it(names: list[str], argument: str) -> None:
    found = judged("Who is it?", ("list_names", {"page_of": "book"}, names), ("get_one", {"login": argument}, "fine"))
    assert found.evidence == "an argument of get_one may be short for what list_names returned, or another form of it"


@pytest.mark.parametrize(("word", "verdict"), [("kroner", "independent"), ("Oslo", "unknown")])
def test_word_of_the_model_lists_more_only_after_words_of_the_model(word: str, verdict: str) -> None:
    first = ("get_article", {"title": word}, "A long text about it, and about much else")
    found = judged("What is Oslo like?", first, ("get_article", {"title": "Munch"}, "He was a painter"))
    assert found.verdict == verdict


@pytest.mark.parametrize("result", ["Ada, Bo, Cy and Dee", "they are four"])
def test_number_may_count_what_a_text_lists(result: str) -> None:
    found = judged("A table for team Tide", ("get_team", {"name": "Tide"}, result), ("find_table", {"seats": 4}, "T"))
    assert found.verdict == "unknown"


def test_date_may_refer_to_another_one() -> None:
    said = "The concert, and a hotel in Rome for the Friday after"
    first = ("get_concert", {"city": "Rome"}, {"date": "2024-05-01", "name": "Tosca"})
    second = ("search_hotels", {"city": "Rome", "date": "the Friday after"}, ["Sol"])
    assert judged(said, first, second).evidence == (
        "a date of search_hotels refers to another one, which get_concert may have returned"
    )
    assert judged(said, ("get_concert", {"city": "Rome"}, ["Tosca"]), second).verdict == "independent"


def test_query_may_be_written_by_the_description_of_the_tables() -> None:
    query = ("run_query", {"sql": "SELECT count(*) FROM users"}, "12 of them, and more to come")
    assert judged("How many users are there?", ("list_tables", {}, ["users", "orders"]), query).verdict == "unknown"
    other = ("run_query", {"sql": "SELECT name FROM orders"}, '[{"name": "lamp"}, {"name": "desk"}]')
    assert judged("Users and names of orders, count and select all", other, query).verdict == "independent"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"near": "Bergen", "kind": "sushi", "radius": 5}, {"near": "Bergen", "kind": "sushi", "radius": 10}),
        ({"near": "Bergen", "kind": "sushi", "price": "cheap"}, {"near": "Bergen", "kind": "sushi"}),
        ({"path": "src/app/core"}, {"path": "src/app"}),
    ],
)
def test_same_with_a_wider_bound_may_follow_from_what_was_found(first: dict[str, Any], second: dict[str, Any]) -> None:
    said = "A cheap sushi bar near Bergen"
    found = judged(said, ("list_places", first, ["Noodle house"]), ("list_places", second, ["Sushi bar"]))
    assert found.verdict == "unknown"
    assert found.evidence.startswith("a later list_places asks for the same with a wider bound or fewer conditions")


def test_bounds_that_the_user_names_are_independent() -> None:
    said = "Sushi bars within 5 km and within 10 km of Bergen"
    calls = [("list_places", {"near": "Bergen", "radius": radius}, ["Noodle house"]) for radius in (5, 10)]
    assert judged(said, calls[0], calls[1]).verdict == "independent"


def test_same_search_in_another_source_may_follow_from_a_short_answer() -> None:
    first = ("search_handbook", {"query": "leave rule"}, "The chapter speaks about office plants")
    second = ("web_search", {"query": "leave rule"}, "Twenty-five days")
    assert judged("What is the leave rule?", first, second).evidence == (
        "web_search was asked the same as search_handbook, perhaps because of what search_handbook returned"
    )
    assert judged("Leave rule in the handbook and on the web?", first, second).verdict == "independent"
    long = ("search_handbook", {"query": "leave rule"}, [{"title": f"Chapter {index}"} for index in range(8)])
    assert judged("What is the leave rule?", long, second).verdict == "independent"


PURCHASES = ("list_purchases", {"year": "2023"}, [{"item": "Kestrel 14 notebook, graphite"}, {"item": "Desk lamp"}])


@pytest.mark.parametrize(
    "query",
    [
        "65 W adapter with round plug",
        "spare adapter Umbra Corp",
        "spare power adapter tip shaped barrel connector",
        "Netzteil rund",
    ],
)
def test_search_in_words_of_the_model_may_be_for_what_was_returned(query: str) -> None:
    second = ("search_products", {"query": query}, ["Umbra 65 W"])
    found = judged("I need a spare charger for the machine I bought in 2023", PURCHASES, second)
    assert (found.verdict, found.edge) == ("unknown", "unknown")
    assert found.evidence.startswith("search_products searches")


@pytest.mark.parametrize(
    ("said", "query"),
    [
        ("My purchases of 2023, and a desk light", "bright desk light"),
        ("My purchases of 2023, and chairs", "ergonomic office chair"),
        ("My purchases of 2023, and brightness sensors", "bright sensor"),
        ("My purchases of 2023, and what is new in Oslo?", "news Oslo"),
    ],
)
def test_search_in_words_of_the_user_needs_no_result(said: str, query: str) -> None:
    found = judged(said, PURCHASES, ("search_products", {"query": query}, ["Umbra"]))
    assert (found.verdict, found.edge) == ("independent", "none")


@pytest.mark.parametrize(
    ("result", "verdict"), [({"ph": 5.4, "p": 3, "k": 18}, "unknown"), ({"taken": "A81-x9"}, "independent")]
)
def test_search_may_say_what_was_measured(result: dict[str, Any], verdict: str) -> None:
    sample = ("get_soil_sample", {"field": "F3"}, result)
    products = ("search_products", {"query": "phosphorus fertiliser with lime"}, "a long list")
    assert judged("What fertiliser does field F3 need?", sample, products).verdict == verdict


def test_searches_that_are_all_in_words_of_the_model_are_independent() -> None:
    calls = [
        ("web_search", {"query": query}, "a long text") for query in ("stock index level", "government bond yield")
    ]
    found = judged("How do markets move?", calls[0], calls[1])
    assert (found.verdict, found.edge) == ("independent", "none")


def test_expression_is_no_search_in_words() -> None:
    second = ("query_metrics", {"query": "sum(rate(requests_total))"}, [7.5, 8.5])
    assert judged("How busy is web-881?", ("get_pod", {"name": "web-881"}, {"node": "n7"}), second).edge == "none"


@pytest.mark.parametrize(("path", "verdict"), [("app/server.py", "unknown"), ("app/client.py", "independent")])
def test_path_may_be_made_of_a_name_that_a_file_imports(path: str, verdict: str) -> None:
    first = ("read_file", {"path": "app/factory.py"}, "from .server import Server\n\nserver = Server()\n")
    found = judged("How does app/factory.py start the server or the client?", first, ("read_file", {"path": path}, "x"))
    assert found.verdict == "independent"  # All words of both paths are the user's.
    found = judged("How does it start the server or the client?", first, ("read_file", {"path": path}, "x"))
    assert found.verdict == verdict


def test_search_with_fewer_words_may_follow_from_one_that_found_a_single_thing() -> None:
    said = "Find papers on tidal heating of icy moons with ammonia in the ocean"
    narrow, wide = "tidal heating ocean ammonia moons", "tidal heating icy"
    for found, verdict in ((["A note"], "unknown"), (["A note", "Another"], "independent")):
        first, second = (("search_papers", {"query": query}, found) for query in (narrow, wide))
        assert judged(said, first, second).verdict == verdict


def test_name_in_a_long_text_may_be_what_a_short_word_stands_for() -> None:
    text = "The field lies in the north, was found in 1978, and is run by Umbrella Norge for its three owners so far."
    for symbol, may in (("UMBR", "may be chance"), ("WNKA", "may reword what")):
        search, price = ("web_search", {"query": "field"}, text), ("get_price", {"symbol": symbol}, 27.3)
        assert may in judged("Price of a share in the field?", search, price).evidence


PATIENT = {
    "name": "J. Alvarez",
    "born": "1941-08-30",
    "problems": ["hypertension", "osteoarthritis"],
    "visits": [{"ward": "4C", "note": "Stable, goes home to Pune"}],
    "weight": 71.5,
    "height": 1.63,
    "sex": "F",
}


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("get_local_time", {"timezone": "Asia/Kolkata"}),
        ("get_guideline", {"population": "elderly"}),
        ("get_dose", {"band": 4}),
        ("list_trials", {"min_age": 80}),
        ("find_gown", {"size": "EU 43"}),
        ("get_drugs", {"type": "for the old"}),
        ("list_doctors", {"科室": "风湿免疫科"}),
    ],
)
def test_word_or_number_may_say_otherwise_what_a_record_describes(tool: str, arguments: dict[str, Any]) -> None:
    second = (tool, arguments, "fine weather")
    for result, verdict in (
        (PATIENT, "unknown"),
        ({"wet": 91.5, "lux": 420.5}, "unknown"),
        ("Born in 1941, and lives in Pune. " * 5, "unknown"),
        ({"id": "A81-x9"}, "independent"),
    ):
        assert judged("Look after patient P-40", ("get_patient", {"id": "P-40"}, result), second).verdict == verdict


def test_login_may_be_made_of_the_parts_of_a_name() -> None:
    account = {"name": "Nordic Power", "owner": {"first": "Ina", "last": "Berg"}, "tier": "A", "since": 7, "seats": 9}
    account |= {"city": "Voss", "plan": "Gold"}
    pipeline = ("get_pipeline", {"login": "iberg"}, [{"value": 7.5}])
    found = judged("Pipeline of the owner of ZX-8", ("get_account", {"ref": "ZX-8"}, account), pipeline)
    assert found.evidence.endswith("may be short for what get_account returned, or another form of it")


def test_size_of_a_thing_is_no_usual_setting() -> None:
    profile = ("get_profile", {"user": "me"}, {"shoes_us": "9.5"})
    for name, verdict in (("size_eu", "unknown"), ("page_size", "independent")):
        second = ("list_products", {"kind": "shoes", name: 43}, ["Kestrel"])
        assert judged("Find shoes for me", profile, second).verdict == verdict


def compared(said: str, first: list[Told], second: list[Told]) -> list[str]:
    """Return the verdicts on the calls *first*, and each of *second*, that a model asked for in turn."""
    graph = dependencies(said, *first, *second)
    return [graph.pair(a, b).verdict for a in range(len(first)) for b in range(len(first), len(first) + len(second))]


PRICES: list[Told] = [("get_price", {"shop": shop}, price) for shop, price in (("Kiwi", 54.9), ("Meny", 59.9))]
HOURS: list[Told] = [("get_hours", {"shop": shop}, "from nine to ten") for shop in ("Kiwi", "Meny")]


@pytest.mark.parametrize(
    ("said", "second", "verdict"),
    [
        ("Is Kiwi or Meny cheaper for coffee, and when does it close?", HOURS[:1], "unknown"),
        ("Compare the price at Kiwi and Meny, and tell me the hours of the winner", HOURS[1:], "unknown"),
        ("Price at Kiwi and Meny, and the hours of whatever suits us", HOURS[1:], "unknown"),
        ("Which of Kiwi and Meny has the lowest price, and how late are both open?", HOURS, "independent"),
        ("Price of coffee at Kiwi and Meny, and the hours of Kiwi", HOURS[:1], "independent"),
    ],
)
def test_call_about_one_of_several_compared_things_may_follow_from_the_comparison(
    said: str, second: list[Told], verdict: str
) -> None:
    assert set(compared(said, PRICES, second)) == {verdict}


@pytest.mark.parametrize(
    ("said", "verdict"),
    [
        ("京都と奈良の桜を調べて、見頃のほうの宿を探してください。", "unknown"),
        ("Les avis sur 京都 et 奈良, puis les hôtels du mieux noté", "unknown"),
        ("Weather in 京都 and 奈良, and hotels where it will be dry", "unknown"),
        ("京都と奈良の桜を調べて、奈良の宿を探してください。", "independent"),
        ("Blossoms in 京都 and 奈良, please, and hotels in 奈良", "independent"),
    ],
)
@pytest.mark.parametrize("day", [{}, {"date": "2024-05-01"}])
def test_thing_that_is_named_once_may_be_chosen_among_those_named(said: str, verdict: str, day: dict[str, str]) -> None:
    bloom: list[Told] = [("get_bloom", {"town": town}, "the buds are pink") for town in ("京都", "奈良")]
    bloom[1][1].update(day)
    found = compared(f"{said} 2024-05-01, 2024-05-01", bloom, [("get_hotels", {"town": "奈良", **day}, "the old mill")])
    assert set(found) == {verdict}


@pytest.mark.parametrize(
    ("said", "names", "second", "verdict"),
    [
        ("Is Lisbon or Porto cheaper? A hotel there.", ("LIS", "OPO"), ("get_hotels", {"town": "Porto"}), "unknown"),
        ("News on Apple or Ford, the better one", ("AAPL", "FN"), ("get_news", {"of": "Ford", "top": 2}), "unknown"),
        ("Ist Rom oder Wien besser? Ein Hotel dort.", ("FCO", "VIE"), ("get_hotels", {"town": "Wien"}), "unknown"),
        ("El fondo Alfa o Beta, ¿cuál rinde más?", ("ES01", "ES02"), ("get_fee", {"fund": "Beta"}), "unknown"),
        ("哪个更便宜, 里斯本 还是 波尔图? 酒店", ("LIS", "OPO"), ("get_hotels", {"town": "波尔图"}), "unknown"),
        (
            "Fares to Lisbon and Porto. Hotels in Porto.",
            ("LIS", "OPO"),
            ("get_hotels", {"town": "Porto"}),
            "independent",
        ),
        (
            "Is Oslo or Rome cheaper? Hotels in Porto.",
            ("Oslo", "Rome"),
            ("get_hotels", {"town": "Porto"}),
            "independent",
        ),
    ],
)
def test_things_may_be_compared_under_names_that_the_user_did_not_say(
    said: str, names: tuple[str, str], second: tuple[str, dict[str, Any]], verdict: str
) -> None:
    fares: list[Told] = [("get_score", {"of": name}, "a b c d") for name in names]
    assert set(compared(said, fares, [(*second, "the old mill")])) == {verdict}


def test_single_thing_is_compared_with_nothing() -> None:
    said = "Is Kiwi cheaper than last year, and when does it close?"
    assert compared(said, PRICES[:1], HOURS[:1]) == ["independent"]


@pytest.mark.parametrize(
    ("said", "result", "verdict"),
    [
        ("What will a new screen for ZX-8821 cost?", {"model": "Kestrel", "warranty_until": "autumn"}, "unknown"),
        ("What will a new screen for ZX-8821 cost in warranty?", {"warranty_until": "autumn"}, "independent"),
        ("What will a new screen for ZX-8821 cost?", {"model": "Kestrel"}, "independent"),
    ],
)
def test_yes_or_no_may_follow_from_what_was_returned(said: str, result: dict[str, str], verdict: str) -> None:
    price = ("get_price", {"part": "screen", "in_warranty": False}, 289.5)
    assert judged(said, ("get_machine", {"serial": "ZX-8821"}, result), price).verdict == verdict


def test_word_may_be_the_name_of_a_place() -> None:
    stock = ("get_stock_level", {"kind": "lamp", "store": "Furuset"}, [31.5])
    for result, verdict in (({"lat": 59.42, "lon": 10.48}, "unknown"), ({"x": 59.42}, "independent")):
        assert judged("A lamp near me?", ("get_location", {"of": "me"}, result), stock).verdict == verdict


@pytest.mark.parametrize(
    ("query", "verdict"),
    [
        ("SELECT name FROM products WHERE units < 42", "unknown"),
        ("SELECT name FROM products WHERE units < 80", "independent"),
    ],
)
def test_bound_of_a_query_may_be_computed_from_the_answer_to_another_one(query: str, verdict: str) -> None:
    first = ("run_sql", {"query": "SELECT avg(units) FROM sales"}, [[84]])
    second = ("run_sql", {"query": query}, [["lamp"], ["desk"]])
    assert judged("Average units of sales, products that sell less than 80", first, second).verdict == verdict


def test_quarter_may_be_that_of_a_date() -> None:
    goals = ("get_goals", {"quarter": 4}, ["ship it"])
    for end, verdict in (("mid November", "unknown"), ("with the last release", "independent")):
        assert (
            judged("Goals at the end of Falk", ("get_project", {"name": "Falk"}, {"end": end}), goals).verdict
            == verdict
        )


def test_searches_for_two_things_of_one_result_are_independent() -> None:
    told: list[Told] = [
        ("get_quest", {"which": "active"}, "Bring old Marta three moonpetals and a vial of swamp water."),
        ("find_item", {"name": "moonpetals"}, "in the Silver Glade"),
        ("find_item", {"name": "swamp water"}, "in the Mire"),
    ]
    assert compared("What do I need for my active quest?", told[:2], told[2:]) == ["unknown", "independent"]


PAGE: Told = ("fetch_page", {"url": "https://tides.example/guide"}, "Ask the harbour master instead")


@pytest.mark.parametrize(
    ("said", "second", "verdict"),
    [
        ("Read https://tides.example/guide", "get_archived_page", "unknown"),
        ("Read https://tides.example/guide, now and from the archive", "get_archived_page", "independent"),
        ("Read https://tides.example/guide", "get_history", "independent"),
    ],
)
def test_same_thing_from_a_source_that_the_user_did_not_name_may_follow_from_what_was_returned(
    said: str, second: str, verdict: str
) -> None:
    assert judged(said, PAGE, (second, PAGE[1], "The guide: go at dawn")).verdict == verdict


def test_kinds_that_stand_beside_each_other_are_independent() -> None:
    told = [(f"get_{kind}_distance", {"to": "Voss"}, "100 km") for kind in ("train", "driving")]
    assert judged("How far is Voss by train and by car?", told[0], told[1]).verdict == "independent"


@pytest.mark.parametrize(("tool", "verdict"), [("get_errors", "independent"), ("get_notes", "unknown")])
def test_errors_in_a_list_of_errors_are_no_failure(tool: str, verdict: str) -> None:
    found = [(tool, {"of": name}, ["timed out after 3 s", "KeyError: total"]) for name in ("api", "cron")]
    usage = ("get_usage", {"host": "tide"}, 81.5)
    assert judged("Errors and notes of api and cron, and the usage of tide", found[0], usage).verdict == verdict


@pytest.mark.parametrize(
    ("said", "second", "verdict"),
    [
        ("Why is the checkout slow?", ("get_autoscaler", {"app": "checkout"}, "three at most"), "unknown"),
        ("The checkout did not start. Look at it.", ("get_autoscaler", {"app": "checkout"}, "three"), "unknown"),
        ("The checkout has no pods. What now?", ("get_autoscaler", {"app": "checkout"}, "three"), "unknown"),
        ("Warum ist checkout so langsam?", ("list_deployments", {}, ["v7 of noon"]), "unknown"),
        ("排查 checkout 变慢的原因", ("get_autoscaler", {"app": "checkout"}, "three at most"), "unknown"),
        ("Why is the checkout slow? Look at its logs.", ("get_logs", {"app": "checkout"}, "a b c"), "independent"),
        ("Why are checkout and cart slow?", ("list_pods", {"app": "cart"}, ["cart-7 at rest"]), "independent"),
        ("Tell me about the checkout", ("get_autoscaler", {"app": "checkout"}, "three at most"), "independent"),
    ],
)
def test_what_is_looked_at_in_search_of_a_cause_may_follow_from_what_was_seen(
    said: str, second: Told, verdict: str
) -> None:
    pods = ("list_pods", {"app": "checkout"}, ["checkout-1 at its bound", "checkout-2 at its bound"])
    assert judged(said, pods, second).verdict == verdict


@pytest.mark.parametrize(
    ("query", "verdict"),
    [
        ("SELECT channel, count(*) FROM customers WHERE phone IS NULL GROUP BY channel", "unknown"),
        ("SELECT count(*) FROM customers c JOIN shops s ON s.id = c.shop HAVING min(age) < 12", "unknown"),
        ("SELECT count(*) FROM customers WHERE country = 'Norway'", "independent"),
        ("SELECT country, count(*) FROM customers GROUP BY country", "independent"),
        ("SELECT count(*) FROM returns WHERE done IS NULL", "independent"),
    ],
)
def test_condition_of_a_query_may_follow_from_an_earlier_query_of_the_table(query: str, verdict: str) -> None:
    first = ("run_sql", {"query": "SELECT count(*) n, count(phone) p FROM customers"}, [{"n": 9.5, "p": 4.5}])
    said = "How complete are the customers, how many are in each country, and in Norway? And the returns?"
    assert judged(said, first, ("run_sql", {"query": query}, [[7.5]])).verdict == verdict


@pytest.mark.parametrize(
    ("prompt", "said", "verdict"),
    [
        ("You help a shop. If an order leaves the country, check its customs status too.", "Order 900?", "unknown"),
        ("Shipping abroad calls for a look at the customs status.", "Order 900?", "unknown"),
        ("Where an order goes abroad, the customs status is to be read as well.", "Order 900?", "unknown"),
        ("For large orders always get the customs status.", "Order 900?", "unknown"),
        ("Orders above 500 euros: add the customs status. Be brief.", "Order 900?", "unknown"),
        ("Bestellungen ins Ausland: falls nötig, den customs status prüfen.", "Order 900?", "unknown"),
        ("Out-of-town orders need a customs status.", "Order 900?", "unknown"),
        ("Every order needs a customs status.", "Order 900?", "independent"),
        ("Always get the customs status.", "Order 900?", "independent"),
        ("Late orders deserve a look at the customs status.", "Order 900?", "unknown"),
        ("Orders from afar: mention the customs status.", "Order 900?", "unknown"),
        ("You are an agent for orders and their customs status.", "Order 900?", "independent"),
        ("If the user asks for the customs status, get it.", "Order 900?", "independent"),
        ("If needed, get the customs status.", "Order 900?", "independent"),
        ("If an order is late, offer a refund.", "Order 900?", "independent"),
        ("You may get the customs status of orders.", "Order 900?", "independent"),
        ("If an order leaves the country, get its customs status.", "Order 900 and its customs status?", "independent"),
    ],
)
def test_condition_of_the_system_prompt_may_decide_about_a_call(prompt: str, said: str, verdict: str) -> None:
    order = ("get_order", {"id": 900}, [{"to": f"the shop in street {number}"} for number in range(7)])
    calls = [
        Call("1", f"{at}", "turn", tool, at * _SECOND_NS, at * _SECOND_NS + 1, round=at, arguments=Content(arguments))
        for at, (tool, arguments, _) in enumerate((order, ("get_customs_status", {"order": 900}, "")))
    ]
    calls[0] = structs.replace(calls[0], result=Content(order[2]))
    words = Content([DeveloperText(prompt), said])
    assert Dependencies(calls, [words], Settings()).pair(0, 1).verdict == verdict


CONTRACT = "合同HT-12,审批人是王芳,状态待审"
INCIDENT = "決済遅延2件、担当は佐藤さん"
RANKING = "一位はトヨタ、2位はホンダ、3位は日産です"
LABORATORY = "TSH 9.1 mIU/L, FT4 8.2 pmol/L"


@pytest.mark.parametrize(
    ("said", "first", "second", "verdict"),
    [
        (
            "合同HT-12由谁审批?",
            ("get_contract", {"id": "HT-12"}, CONTRACT),
            ("get_presence", {"of": "王芳"}, "在"),
            "unknown",
        ),
        (
            "最近哪家值得关注?",
            ("search", {"query": "AI公司"}, "月之暗面完成新一轮融资;智谱上市"),
            ("search", {"query": "月之暗面金额"}, "10"),
            "unknown",
        ),
        (
            "INC-9の連絡先は?",
            ("get_incident", {"id": "INC-9"}, INCIDENT),
            ("get_phone", {"of": "佐藤"}, "9"),
            "unknown",
        ),
        ("A1の人気の車?", ("get_ranking", {"of": "A1"}, RANKING), ("get_maker", {"of": "トヨタ"}, "愛知"), "unknown"),
        (
            "指标意味着什么?",
            ("get_results", {"of": "P-3"}, LABORATORY),
            ("search", {"query": "甲状腺减退诊断"}, "高"),
            "unknown",
        ),
        (
            "苹果和华为的市值?",
            ("get_value", {"of": "苹果"}, "三万亿美元"),
            ("get_value", {"of": "华为"}, "未上市"),
            "independent",
        ),
        (
            "北京和上海的天气预报",
            ("search", {"q": "北京天气预报"}, "北京晴"),
            ("search", {"q": "上海天气预报"}, "雨"),
            "independent",
        ),
        (
            "東京と大阪の人口を",
            ("get_people", {"of": "東京"}, "1400万人"),
            ("get_people", {"of": "大阪"}, "多い"),
            "independent",
        ),
        (
            "トヨタとホンダの株価",
            ("get_price", {"of": "トヨタ"}, "三千円"),
            ("get_price", {"of": "ホンダ"}, "高い"),
            "independent",
        ),
        (
            "张三和李四的年假?",
            ("get_leave", {"of": "张三"}, "五天"),
            ("get_leave", {"of": "李四"}, "八天"),
            "independent",
        ),
    ],
)
def test_letters_of_a_script_without_spaces_may_come_from_a_result(
    said: str, first: Told, second: Told, verdict: str
) -> None:
    assert judged(said, first, second).verdict == verdict


@pytest.mark.parametrize(
    ("said", "first", "second", "verdict"),
    [
        ("Is Zalando dear?", ("ZAL.DE", {"pe": 31.2, "peers": ["ASOS", "Boozt"]}), "ASC.L", "unknown"),
        ("Adidas beside its rivals?", ("ADS.DE", {"pe": 20, "rivals": ["Puma", "Nike"]}), "PUM.DE", "unknown"),
        (
            "Compare BMW with its peers",
            ("BMW.DE", "81 EUR. Peers: Volkswagen, Mercedes-Benz and Ford"),
            "MBG.DE",
            "unknown",
        ),
        (
            "Alternatives to Aspirin?",
            ("N02BA", {"like": [{"name": "Ibuprofen"}, {"name": "Dafalgan"}]}),
            "N02BE",
            "unknown",
        ),
        ("Is Austria large beside its neighbours?", ("Wien", ["Germany", "Italy"]), "Berlin", "unknown"),
        ("The Nordic capitals?", ("Oslo", {"people": 709037, "tags": ["sea", "snow"]}), "Stockholm", "independent"),
        ("BMW beside Ford and Volkswagen?", ("BMW.DE", {"rivals": ["Ford", "Volkswagen"]}), "VOW.DE", "independent"),
    ],
)
def test_names_that_a_result_lists_may_be_said_in_other_words(
    said: str, first: tuple[str, Any], second: str, verdict: str
) -> None:
    assert judged(said, ("get_facts", {"of": first[0]}, first[1]), ("get_facts", {"of": second}, 7)).verdict == verdict


@pytest.mark.parametrize(
    ("said", "first", "second", "verdict"),
    [
        ("订单A100和A200的状态?", ("A100", "已发货"), "A200", "independent"),
        ("注文1001と1002の状況を", ("1001", "発送済み"), "1002", "independent"),
        ("AAPL과 TSLA의 주가는?", ("AAPL", 212.3), "TSLA", "independent"),
        ("A7机房的主机温度?", ("A7", "主机H3在线"), "H3", "unknown"),
        ("如果订单A100已发货,查A200的物流", ("A100", "已发货"), "A200", "unknown"),
    ],
)
def test_code_may_stand_in_a_sentence_without_spaces(
    said: str, first: tuple[str, Any], second: str, verdict: str
) -> None:
    assert (
        judged(said, ("get_state", {"of": first[0]}, first[1]), ("get_state", {"of": second}, 7.5)).verdict == verdict
    )


@pytest.mark.parametrize(
    ("said", "verdict"),
    [
        ("Did Brann or Molde win? When does the winner play next?", "unknown"),
        ("Hat Brann oder Molde gewonnen? Und das nächste Spiel?", "unknown"),
        ("The result of Brann and Molde, and when Molde plays next", "independent"),
    ],
)
def test_one_call_may_compare_two_things(said: str, verdict: str) -> None:
    result = ("get_result", {"home": "Brann", "away": "Molde"}, "a draw")
    assert judged(said, result, ("get_fixture", {"team": "Molde"}, "on Sunday")).verdict == verdict


@pytest.mark.parametrize(
    ("said", "verdict"),
    [
        ("The level of R3 and, above 80%, the rain there", "unknown"),
        ("O nível de R3 e, passando de 80, a chuva", "unknown"),
        ("R3的水位, 超过80就看降雨", "unknown"),
        ("The level of R3 and the rain above 5%", "independent"),
        ("The level of R3 and the rain there, for boat 80", "independent"),
    ],
)
def test_bound_that_no_call_is_given_is_compared_with_a_result(said: str, verdict: str) -> None:
    rain = ("get_rain", {"basin": "R3", "chance": 5}, "some showers")
    assert judged(f"{said} 5", ("get_level", {"of": "R3"}, {"percent": 83.5}), rain).verdict == verdict


def test_count_decides_about_nothing_else_that_is_counted() -> None:
    said = "Count the entries and the accounts of s-71, and show its owner."
    entries, accounts = (("count_" + kind, {"of": "s-71"}, 812) for kind in ("entries", "accounts"))
    assert judged(said, entries, accounts).verdict == "independent"
    assert judged(said, entries, ("get_owner", {"of": "s-71"}, "Ada")).verdict == "unknown"
    assert judged(said, (*entries[:2], 0), accounts).verdict == "unknown"


FLIGHT = ("search_flights", {"date": "2026-12-11"}, [{"flight": "TP 763", "arrives": "00:10+1"}])


@pytest.mark.parametrize(
    ("day", "verdict"), [("2026-12-12", "unknown"), ("2026-11-11", "unknown"), ("2026-12-11", "independent")]
)
def test_date_is_not_known_by_figures_of_another_date(day: str, verdict: str) -> None:
    said = "I fly on 11 December. The flight, and a hotel from the day of landing."
    assert judged(said, FLIGHT, ("search_hotels", {"check_in": day}, "Aurora")).verdict == verdict


ONE_PRICE = ("get_price", {"of": "lamp"}, "a fair one")
OTHER_PRICE = ("get_price", {"of": "desk"}, "a steep one")


@pytest.mark.parametrize(
    ("prompt", "verdict"),
    [
        ("The price service bans clients that send more than one request at a time.", "unknown"),
        ("Prices: never ask for two of them in parallel.", "unknown"),
        ("Our backend is rate limited.", "unknown"),
        ("Price service: never more than one call in flight.", "unknown"),
        ("Never more than one tool call.", "independent"),
        ("The API takes one request per second.", "unknown"),
        ("Weather maps: one request per second.", "independent"),
        ("Call one tool at a time.", "independent"),
        ("Ask for prices in parallel.", "independent"),
    ],
)
def test_limit_of_a_service_may_keep_calls_apart(prompt: str, verdict: str) -> None:
    assert verdict_on("The price of the lamp and of the desk", ONE_PRICE, OTHER_PRICE, prompt) == verdict


@pytest.mark.parametrize(
    ("prompt", "said", "verdict"),
    [
        ("Above 500 euros, look at the credit of the customer too.", "Order 7 of customer C7?", "unknown"),
        ("Above 500 euros, look at the credit of the customer too.", "Order 7, and the credit of C7?", "independent"),
        ("Before you read a credit, look up the order.", "Order 7, and the credit of C7?", "unknown"),
        ("Always get the order before the credit.", "Order 7, and the credit of C7?", "unknown"),
        ("Before you answer, think of the order of words.", "Order 7, and the credit of C7?", "independent"),
        ("Ask the bank for a score only if the country differs.", "Order 7 of customer C7?", "independent"),
    ],
)
def test_rule_of_the_system_prompt_may_decide_about_what_the_user_named(prompt: str, said: str, verdict: str) -> None:
    order = ("get_order", {"id": 7}, {"total": 812.5, "items": 3.5})
    assert verdict_on(said, order, ("get_credit", {"customer": "C7"}, {"limit": 5000}), prompt) == verdict


@pytest.mark.parametrize(
    ("prompt", "verdict"),
    [
        ("Wenn eine Bestellung ins Ausland geht, prüfe auch die Bonität.", "unknown"),
        ("Über 500 EUR: sieh dir auch die Bonität an.", "unknown"),
        ("Si une commande dépasse 500 EUR, consultez aussi la solvabilité.", "unknown"),
        ("Si un pedido supera los 500 EUR, consulta también el crédito.", "unknown"),
        ("Als een bestelling boven 500 EUR ligt, kijk dan ook naar het krediet.", "unknown"),
        ("Если заказ больше 500 EUR, проверь также кредит.", "unknown"),
        ("注文が500ユーロを超える場合は、与信も確認してください。", "unknown"),
        ("如果订单超过500欧元,还要查询客户的信用。", "unknown"),
        ("Wenn der Nutzer danach fragt, prüfe die Bonität.", "independent"),
        ("Wenn nötig, suche im Netz. Antworte immer auf Deutsch.", "independent"),
        ("Wenn eine Frage unhöflich ist, bleibe freundlich.", "independent"),
        ("Prüfe die Bonität.", "independent"),
        ("Si l'utilisateur pose une question hors sujet, refuse poliment.", "independent"),
        ("如果用户询问天气,请查询天气。", "independent"),
        ("If you consult SI units, check them.", "independent"),
    ],
)
def test_rule_in_another_language_than_the_tools_may_concern_any_of_them(prompt: str, verdict: str) -> None:
    order = ("get_order", {"id": 7}, {"total": 812.5, "items": 3.5})
    assert (
        verdict_on("Order 7 of customer C7?", order, ("get_credit", {"customer": "C7"}, {"limit": 5000}), prompt)
        == verdict
    )
    lamp, desk = (("get_price", {"item": item}, {"eur": 81.5}) for item in ("lamp", "desk"))
    assert verdict_on("The price of the lamp and of the desk", lamp, desk, prompt) == "independent"


@pytest.mark.parametrize(
    ("said", "verdict"),
    [
        ("Show order 7, and if…", "unknown"),
        ("Show order 7 and if it [truncated]", "unknown"),
        ("<35 chars>", "unknown"),
        ("s3://prompts/7", "unknown"),
        ("Show order 7, and the credit of C7.", "independent"),
    ],
)
def test_words_of_the_user_that_are_cut_off_may_have_had_a_condition(said: str, verdict: str) -> None:
    order = ("get_order", {"id": 7}, {"total": 812.5, "items": 3.5})
    assert judged(said, order, ("get_credit", {"customer": "C7"}, {"limit": 5000})).verdict == verdict


def test_rule_may_name_a_tool_by_any_noun_of_its_name() -> None:
    first, second = ("get_payment", {"id": "P1"}, {"country": "MT"}), ("get_fraud_score", {"id": "P1"}, 0.7)
    asked = "Payment P1, please."
    assert verdict_on(asked, first, second, "Ask the fraud service only if the countries differ.") == "unknown"
    assert verdict_on(asked, first, second, "Ask the weather service only if the countries differ.") == "independent"


def test_limit_as_the_topic_of_a_question_keeps_nothing_apart() -> None:
    docs, tickets = (("search_" + kind, {"query": "rate limits"}, "a b c") for kind in ("docs", "tickets"))
    assert judged("Rate limits in the docs, and rate limits in tickets", docs, tickets).verdict == "independent"


@pytest.mark.parametrize(
    ("arguments", "verdict"), [({"fd": 3}, "unknown"), ({"cursor": "c17"}, "unknown"), ({"path": "a"}, "independent")]
)
def test_open_file_or_cursor_has_one_position(arguments: dict[str, Any], verdict: str) -> None:
    opened: Told = ("open_table", {"name": "sales"}, {"fd": 3, "cursor": "c17", "path": "a"})
    reads: list[Told] = [("read_rows", {**arguments, "bytes": size}, "a b c") for size in (64, 200)]
    assert compared("The first 64 and then 200 bytes of a in sales", [opened, reads[0]], [reads[1]])[-1] == verdict


def test_log_with_an_error_has_not_failed() -> None:
    log = ("get_error_log", {"service": "api"}, ["timeout talking to redis"])
    version = ("get_version", {"service": "api"}, "lavender")
    assert judged("The error log and the version of api", log, version).verdict == "independent"
    assert judged("The pages and the version of api", ("get_pages", *log[1:]), version).verdict == "unknown"


@pytest.mark.parametrize(
    ("said", "verdict"),
    [
        ("The status of n1 and n2, strictly one after another", "unknown"),
        ("Frage n1 und n2 bitte nacheinander ab", "unknown"),
        ("依次查询 n1 和 n2", "unknown"),
        ("One by one: the status of n1 and n2", "independent"),
        ("The status of n1 and n2, and which one is by the door", "independent"),
    ],
)
def test_order_that_the_user_asks_for_is_kept(said: str, verdict: str) -> None:
    nodes = [("get_node", {"node": node}, {"uptime": 41.5, "load": 0.7}) for node in ("n1", "n2")]
    assert judged(said, *nodes).verdict == verdict


@pytest.mark.parametrize(
    ("result", "verdict"),
    [
        ("This report has moved; ask get_sales_v2.", "unknown"),
        ({"hint": "GET_SALES_V2 is faster"}, "unknown"),
        ("This report is about sales.", "independent"),
    ],
)
def test_tool_that_a_result_names_may_be_called_because_of_it(result: object, verdict: str) -> None:
    said = "Sales and the report of May"
    assert (
        judged(said, ("get_report", {"month": "May"}, result), ("get_sales_v2", {"month": "May"}, 42)).verdict
        == verdict
    )


@pytest.mark.parametrize(
    ("said", "verdict"),
    [
        ("What is new after the version of core that runs?", "unknown"),
        ("Which version of core runs, and what is new in 2.10?", "independent"),
    ],
)
def test_a_fraction_that_was_not_said_may_follow_from_a_short_answer(said: str, verdict: str) -> None:
    first = ("get_installed", {"package": "core"}, {"version": "2.9"})
    assert judged(said, first, ("get_news", {"version": "2.10"}, "Starts faster")).verdict == verdict


@pytest.mark.parametrize(
    "tool", ["mcp__crm__get_sales_v2", "mcp_crm_get_sales_v2", "crm_get_sales_v2", "crm.get_sales_v2"]
)
def test_a_result_names_a_tool_without_its_server(tool: str) -> None:
    first = ("get_report", {"month": "May"}, "This report has moved; ask get_sales_v2.")
    assert judged("Sales and the report of May", first, (tool, {"month": "May"}, 42)).verdict == "unknown"


@pytest.mark.parametrize(
    ("said", "result", "name", "verdict"),
    [
        ("What is team Nord about?", {"subject": "vat"}, "tbl_vat", "unknown"),
        ("What is team Nord about?", {"subject": "User"}, "user_enabled", "unknown"),
        ("What is team Nord about?", "src/money/tax.py:12: def add(x)", "test_tax", "unknown"),
        ("What is team Nord about, and the rows of vat?", {"subject": "vat"}, "tbl_vat", "independent"),
        ("What is team Nord about?", {"subject": "about vat and more"}, "tbl_vat", "independent"),
        ("What is team Nord about, and the rows of tbl_tax?", {"subject": "vat"}, "tbl_tax", "independent"),
    ],
)
def test_a_name_may_be_made_of_a_short_word_of_a_result(said: str, result: object, name: str, verdict: str) -> None:
    first = ("get_team", {"team": "Nord"}, result)
    assert judged(said, first, ("list_rows", {"of": name}, ["a row"])).verdict == verdict


@pytest.mark.parametrize(
    ("result", "given", "verdict"),
    [
        ({"room": "B7"}, {"of": "B7-cup"}, "unknown"),
        ({"file": "plan.dwg"}, {"of": "dwg"}, "unknown"),
        ({"agency": "EASA"}, {"of": "European Union Aviation Safety Agency"}, "unknown"),
        ({"form": "F-12"}, {"of": "F-13"}, "unknown"),
        ({"form": "F-13"}, {"of": "lamps"}, "independent"),
    ],
)
def test_names_and_codes_may_be_made_of_a_result(result: dict[str, str], given: dict[str, Any], verdict: str) -> None:
    first = ("get_seat", {"person": "Al"}, result | {"since": "the first day in May, when the whole team came in"})
    assert (
        judged("Where does Al sit, and what about lamps?", first, ("list_things", given, ["pens"])).verdict == verdict
    )


def test_a_level_may_reword_what_a_result_describes() -> None:
    first = ("get_profile", {"person": "Kim"}, "speaks it as they do in Oslo, where she grew up")
    second = ("list_courses", {"level": "advanced"}, ["Poems of Norway"])
    assert judged("How is Kim's Norwegian, and which courses are there?", first, second).verdict == "unknown"


def test_codes_after_a_call_without_known_arguments() -> None:
    first = Call("1", "0", "t", "get_form", 0, _SECOND_NS, result=Content({"form": "F-12"}), round=0)
    later = Call("1", "1", "t", "get_pay", 2 * _SECOND_NS, 3 * _SECOND_NS, arguments=Content({"of": "F-13"}), round=1)
    assert Dependencies([first, later], [Content("Which form is next?")], Settings()).pair(0, 1).verdict == "unknown"


@pytest.mark.parametrize(
    ("before", "after", "verdict"),
    [
        ({"build": "web"}, {"build": "web", "again": True}, "unknown"),
        ({"build": "web", "lines": 20}, {"build": "web", "lines": 40}, "unknown"),
        ({"build": "web", "hours": 1}, {"build": "web", "hours": 24}, "unknown"),
        ({"build": "web", "lines": 20}, {"build": "api", "lines": 20}, "independent"),
    ],
)
def test_the_same_with_a_flag_or_more_of_it_may_be_asked_because_of_a_result(
    before: dict[str, Any], after: dict[str, Any], verdict: str
) -> None:
    first, second = (("get_log", given, f"all {given['build']} steps are there") for given in (before, after))
    assert judged("The logs of web and of api", first, second).verdict == verdict


def test_a_number_may_be_one_less_than_one_that_a_field_of_a_result_names_in_words() -> None:
    first = ("get_recipe", {"name": "goulash nine"}, {"steps": "fourteen"})
    second = ("search_recipes", {"dish": "goulash", "max_steps": 13}, ["two"])
    assert judged("Is there a goulash that is easier than goulash nine?", first, second).verdict == "unknown"


def test_a_condition_about_another_one_concerns_any_call() -> None:
    reviews = ("get_reviews", {"cafe": "Blau"}, ["Cold tea", "Rude"])
    another = ("search_cafes", {"near": "Blau"}, ["Rot"])
    assert judged("Is cafe Blau good? If reviews are bad tell me another.", reviews, another).verdict == "unknown"
    assert judged("Reviews of cafe Blau, and cafes near Blau", reviews, another).verdict == "independent"


@pytest.mark.parametrize("tool", ["get_runbook", "load_skill", "search_tools"])
def test_instructions_decide_what_is_called_next(tool: str) -> None:
    first = (tool, {"topic": "disk"}, "Look at the free space, then at the journal")
    found = judged("Handle the disk alert on h1", first, ("get_journal", {"host": "h1"}, "ok so far"))
    assert found.evidence == f"whether get_journal is called may depend on what {tool} returned"


@pytest.mark.parametrize(("guests", "verdict"), [(3, "unknown"), (4, "unknown"), (7, "independent")])
def test_number_may_count_what_a_result_lists(guests: int, verdict: str) -> None:
    family = ("get_family", {"user": "me"}, ["Ana", "Ben", "Cleo"])
    hotels = ("search_hotels", {"city": "Oslo", "guests": guests}, ["Grand", "Bristol"])
    assert judged("A hotel in Oslo for me and my family", family, hotels).verdict == verdict


@pytest.mark.parametrize(
    ("said", "verdict"),
    [("The avatar of Ana", "unknown"), ("The account of Ana, and https://cdn.example/a/N2x.png", "independent")],
)
def test_address_may_be_made_of_what_a_result_told(said: str, verdict: str) -> None:
    account = ("get_account", {"name": "Ana"}, {"uid": 77123})
    assert judged(said, account, ("fetch_url", {"url": "https://cdn.example/a/N2x.png"}, "an image")).verdict == verdict


@pytest.mark.parametrize(
    ("said", "verdict"),
    [
        ("Which team does play at home on Sunday, Red or Blue? News on the other one.", "unknown"),
        ("Who plays at home on Sunday? And news on Blue.", "independent"),
    ],
)
def test_one_of_two_things_may_be_chosen_by_a_result(said: str, verdict: str) -> None:
    home = ("get_home_team", {"day": "Sunday"}, "Red")
    assert judged(said, home, ("get_news", {"team": "Blue"}, "The coach leaves")).verdict == verdict


def test_reading_of_poor_quality_may_be_why_another_sensor_is_read() -> None:
    sensors = [("read_sensor", {"id": one}, {"value": 21.5, "quality": "bad"}) for one in ("S1", "S2")]
    assert judged("Read sensors S1 and S2", *sensors).verdict == "unknown"
