"""Tests what may follow from a result by its meaning: numbers, other sources, rules on what was returned, and state."""

from __future__ import annotations

import pytest

from otel_parallelism.analysis.dependencies.effects.argument_effects import argument_effect
from otel_parallelism.analysis.dependencies.effects.tool_verbs import assumed_effect
from otel_parallelism.analysis.dependencies.guards import guard_of
from tests.analysis.dependencies.asked_in_turn import Told, verdict_on

_SECOND_NS = 1_000_000_000


BARN: Told = ("get_barn", {"barn": "west"}, {"sheep": 57})


@pytest.mark.parametrize(
    ("second", "verdict"),
    [
        (("find_carts", {"count": 6}, "two"), "unknown"),
        (("find_carts", {"n": "six"}, "two"), "unknown"),
        (("get_class", {"group": "K9"}, "late"), "unknown"),
        (("get_ear_tags", {"place": "7b"}, "blue"), "unknown"),
        (("get_fence", {"height": "4 3/8"}, "new"), "unknown"),
        (("find_carts", {"count": 10}, "two"), "independent"),
        (("find_carts", {"limit": 6}, "two"), "independent"),
        (("find_carts", {"num_results": 6}, "two"), "independent"),
        (("find_carts", {"barn": "west"}, "two"), "independent"),
    ],
)
def test_number_of_the_models_own_may_follow_from_a_count(second: Told, verdict: str) -> None:
    assert verdict_on("Carts for the sheep of barn west, and what the sheep need", BARN, second) == verdict


@pytest.mark.parametrize("berths", ["seven", "eight"])
def test_number_in_words_may_count_what_a_result_lists(berths: str) -> None:
    boats: Told = ("list_boats", {"pier": "north"}, [8.5] * 7)
    second = ("find_berths", {"pier": "north", "n": berths}, "yes")
    assert verdict_on("Berths at pier north for our boats", boats, second) == "unknown"


@pytest.mark.parametrize(
    ("said", "one", "other", "verdict"),
    [
        ("The map of Elk Lake", "get_online_map", "get_offline_map", "unknown"),
        ("The map of Elk Lake", "get_map", "get_detailed_map", "unknown"),
        ("The map of Elk Lake", "get_short_map_text", "get_map", "unknown"),
        ("The map of Elk Lake", "get_map", "get_map_full_version", "unknown"),
        ("The offline and the online map of Elk Lake", "get_online_map", "get_offline_map", "independent"),
        ("The map of Elk Lake", "get_map", "get_depth", "independent"),
        ("The map of Elk Lake", "get_fish_map", "get_depth_map", "independent"),
    ],
)
def test_same_thing_in_another_variant_may_follow_from_the_first(said: str, one: str, other: str, verdict: str) -> None:
    lake = {"name": "Elk Lake"}
    answer = [{"part": part} for part in range(8)]
    assert verdict_on(said, (one, lake, answer), (other, lake, answer)) == verdict


@pytest.mark.parametrize(
    ("said", "prompt", "verdict"),
    [
        ("Member Ottilie", "Gold members have a locker in the vault.", "unknown"),
        ("Member Ottilie", "You are polite. Lockers: gold ones are in the vault.", "unknown"),
        ("Member Ottilie and her locker", "Gold members have a locker in the vault.", "independent"),
        ("Member Ottilie", "Silver members have a locker in the vault.", "unknown"),
        ("Member Ottilie", "You know the members and the lockers of the vault.", "independent"),
        ("Member Ottilie", "Gold members are greeted by name. You may read lockers.", "independent"),
    ],
)
def test_rule_of_the_system_prompt_may_name_what_was_returned(said: str, prompt: str, verdict: str) -> None:
    first: Told = ("get_member", {"name": "Ottilie"}, {"level": "gold", "joined": "in spring"})
    assert verdict_on(said, first, ("get_locker", {"member": "Ottilie"}, "a12"), prompt) == verdict


@pytest.mark.parametrize(
    ("result", "guard"),
    [
        ({"note": "The lift is temporarily closed"}, "any"),
        ("This page has moved, look elsewhere", "any"),
        ("Out of service, try again later", "any"),
        ({"depth": 4.1, "age": "2 days"}, "any"),
        ({"depth": 4.1, "requests_remaining": 0}, "any"),
        ({"depth": 4.1, "by": "Kim", "note": "Provisional, by hand"}, "any"),
        ({"depth": 4.1, "requests_remaining": 4999}, ""),
        ({"name": "Kim", "age": 7}, ""),
        ("The lift moves ten people", ""),
    ],
)
def test_result_that_is_no_good_answer_decides_what_follows(result: object, guard: str) -> None:
    assert guard_of("get_sounding", result) == guard


@pytest.mark.parametrize(
    ("tool", "effect"),
    [
        ("get_one_time_link", "unknown"),
        ("fetch_single_use_ticket", "unknown"),
        ("get_captcha", "unknown"),
        ("read_highlighted_text", "unknown"),
        ("get_current_branch", "unknown"),
        ("list_active_layers", "read"),
        ("get_current_price", "read"),
        ("get_current_weather", "read"),
        ("list_active_users", "read"),
        ("get_time_zone", "read"),
    ],
)
def test_effect_of_a_name_with_hidden_state(tool: str, effect: str) -> None:
    assert assumed_effect(tool) == effect


def test_flag_that_works_anew_acts() -> None:
    assert argument_effect("get_report", {"month": "May", "regenerate": True}) == "unknown"
    assert argument_effect("get_report", {"month": "May", "regenerate": False}) is None


@pytest.mark.parametrize(
    ("said", "told", "verdict"),
    [
        ("The bell of Nes", {"cast": "in spring", "note": "see its ledger"}, "unknown"),
        ("The bell of Nes", "A ledger has more on it", "unknown"),
        ("The bell of Nes and the ledger", {"note": "see its ledger"}, "independent"),
        ("The bell of Nes", {"note": "see its frame"}, "independent"),
    ],
)
def test_result_may_speak_of_what_is_asked_next(said: str, told: object, verdict: str) -> None:
    bell = {"place": "Nes"}
    assert verdict_on(said, ("get_bell", bell, told), ("get_ledger", bell, "of 1712")) == verdict


def test_word_of_the_user_in_the_plural_is_known() -> None:
    posts: Told = ("list_posts", {"at": "Rolle & Co"}, ["a clerk of the yard"])
    pay = ("get_pay", {"trade": "cooper", "town": "Nes"}, {"nok": 41250})
    assert verdict_on("Posts at Rolle & Co, and the pay of coopers in Nes", posts, pay) == "independent"
    assert verdict_on("Posts at Rolle & Co, and the pay for them in Nes", posts, pay) == "unknown"


@pytest.mark.parametrize(
    ("said", "note", "verdict"),
    [
        ("Look after boiler B4.", {"note": "gurgles at dawn"}, "unknown"),
        ("Please sort out boiler B4", "It gurgles at dawn", "unknown"),
        ("The tenant of boiler B4 is cold, please help.", "It gurgles at dawn", "unknown"),
        ("Make sense of boiler B4", "It gurgles at dawn", "unknown"),
        ("Help me find boiler B4", "It gurgles at dawn", "independent"),
        ("Respond to the owner of boiler B4", "It gurgles at dawn", "unknown"),
        ("Look after boiler B4.", {"id": "B4-x91"}, "independent"),
        ("Show boiler B4.", {"note": "gurgles at dawn"}, "independent"),
        ("Look after boiler B4: its page and its valves.", {"note": "gurgles at dawn"}, "independent"),
    ],
)
def test_what_is_looked_up_to_handle_a_thing_may_follow_from_what_is_known_of_it(
    said: str, note: object, verdict: str
) -> None:
    boiler = {"boiler": "B4"}
    assert verdict_on(said, ("get_page", boiler, note), ("get_valves", boiler, [1.5, 2.5])) == verdict


@pytest.mark.parametrize(
    ("query", "verdict"),
    [
        ("crews hire procedure", "unknown"),
        ("casks hire procedure", "independent"),
        ("casks lend", "independent"),
    ],
)
def test_search_that_adds_words_to_what_a_result_spoke_of_may_follow_from_it(query: str, verdict: str) -> None:
    annex: Told = ("get_annex", {"contract": "R77"}, "Crews: Nes, Voss, Bryggen, and no others in all of the fjord")
    search = ("search_contract", {"contract": "R77", "query": query}, "see 22")
    assert verdict_on("May we lend casks to other crews by contract R77?", annex, search) == verdict


@pytest.mark.parametrize(
    ("said", "told", "verdict"),
    [
        ("May cask 40 go by boat?", "By boat only if the road is longer than an hour", "unknown"),
        ("May cask 40 go by boat?", {"rule": "Unless it is oak, by boat"}, "unknown"),
        ("May cask 40 go by boat, and how long is the road?", "By boat only if the road is longer", "independent"),
        ("May cask 40 go by boat?", "By boat, at any time of the year", "independent"),
    ],
)
def test_rule_in_a_result_may_be_why_what_nobody_named_is_called(said: str, told: object, verdict: str) -> None:
    assert verdict_on(said, ("get_bylaw", {"on": "boat"}, told), ("get_road", {"cask": 40}, [31.5])) == verdict


def test_sentence_with_a_time_or_a_denial_is_an_answer() -> None:
    for told in ("No table at 19:30; 20:15 is free", "No table that day: ask at Nes"):
        assert guard_of("get_table", told) == guard_of("get_table", {"text": told}) == "any"


@pytest.mark.parametrize(
    ("said", "verdict"), [("A bed for Nes please", "unknown"), ("A bed in 3A or 3B for Nes please", "independent")]
)
def test_condition_of_a_prompt_may_name_what_a_call_is_given_by_a_code(said: str, verdict: str) -> None:
    beds = ("get_beds", {"ward": "3A"}, {"litres": 7.5}), ("get_beds", {"ward": "3B"}, {"litres": 8.5})
    assert verdict_on(said, *beds, "Those of Nes go to 3A. Only where 3A is wet look at 3B.") == verdict
