from __future__ import annotations

import pytest
from strategies import call

from otel_parallelism.analysis.dependencies.effects import call_effect
from otel_parallelism.analysis.dependencies.tool_verbs import assumed_effect
from otel_parallelism.settings import Settings


@pytest.mark.parametrize(
    "tool",
    [
        "get_weather",
        "searchFlights",
        "list-orders",
        "getHTTPPage",
        "lookup",
        "read_and_count",
        "fetchURL2",
        "Find user",
        "get_forward_rate",
    ],
)
def test_a_reading_verb_in_front_is_a_read(tool: str) -> None:
    assert assumed_effect(tool) == "read"


@pytest.mark.parametrize(
    "tool",
    [
        "create_booking",
        "get_or_create",
        "check_in",
        "checkIn",
        "find_and_replace",
        "book_flight",
        "search_then_book",
        "log_in",
        "get_and_increment",
        "find_and_fix",
        "searchFlightsAndHold",
        "select_dropdown_option",
    ],
)
def test_a_writing_verb_anywhere_and_a_noun_that_is_one_in_front_is_a_write(tool: str) -> None:
    assert assumed_effect(tool) == "write"


@pytest.mark.parametrize("tool", ["", "frobnicate", "weather", "____", "42", "the_get", "forward_geocode"])
def test_other_names_say_nothing(tool: str) -> None:
    assert assumed_effect(tool) == "unknown"


def test_a_noun_that_may_be_a_verb_is_one_only_in_front() -> None:
    assert assumed_effect("get_order") == "read"
    assert assumed_effect("order_status") == "write"


def test_the_order_is_decorator_framework_settings_name() -> None:
    settings = Settings(writes=("get_*",), read_only=("CREATE_*",))
    for source in ("declared", "framework"):
        assert call_effect(call("a", 0, 1, "get_x", effect="read", effect_source=source), settings) == ("read", source)
    assert call_effect(call("a", 0, 1, "get_x"), settings) == ("write", "settings")
    assert call_effect(call("a", 0, 1, "create_x"), settings) == ("read", "settings")
    assert call_effect(call("a", 0, 1, "create_x"), Settings()) == ("write", "assumed")
    assert call_effect(call("a", 0, 1, "frobnicate"), Settings()) == ("unknown", "")


def test_a_write_pattern_wins_over_a_read_pattern_and_serial_tools_count_as_writing() -> None:
    assert call_effect(call("a", 0, 1, "x"), Settings(writes=("x",), read_only=("x",))) == ("write", "settings")
    assert call_effect(call("a", 0, 1, "x"), Settings(serial=("x",), read_only=("x",))) == ("write", "settings")


def test_an_effect_that_a_dialect_told_without_its_source_is_believed_after_the_settings() -> None:
    assert call_effect(call("a", 0, 1, "x", effect="read"), Settings()) == ("read", "framework")
    assert call_effect(call("a", 0, 1, "x", effect="read"), Settings(writes=("x",))) == ("write", "settings")
