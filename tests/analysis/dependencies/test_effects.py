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
def test_reading_verb_at_the_beginning_is_a_read(tool: str) -> None:
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
def test_writing_verb_is_a_write(tool: str) -> None:
    assert assumed_effect(tool) == "write"


@pytest.mark.parametrize("tool", ["", "frobnicate", "weather", "____", "42", "the_get", "forward_geocode"])
def test_other_names_have_unknown_effect(tool: str) -> None:
    assert assumed_effect(tool) == "unknown"


def test_ambiguous_noun_is_a_verb_only_at_the_beginning() -> None:
    assert assumed_effect("get_order") == "read"
    assert assumed_effect("order_status") == "write"


def test_precedence_is_decorator_framework_settings_name() -> None:
    settings = Settings(writes=("get_*",), read_only=("CREATE_*",))
    for source in ("declared", "framework"):
        assert call_effect(call("a", 0, 1, "get_x", effect="read", effect_source=source), settings) == ("read", source)
    assert call_effect(call("a", 0, 1, "get_x"), settings) == ("write", "settings")
    assert call_effect(call("a", 0, 1, "create_x"), settings) == ("read", "settings")
    assert call_effect(call("a", 0, 1, "create_x"), Settings()) == ("write", "assumed")
    assert call_effect(call("a", 0, 1, "frobnicate"), Settings()) == ("unknown", "")


def test_write_pattern_takes_precedence_and_serial_tools_write() -> None:
    assert call_effect(call("a", 0, 1, "x"), Settings(writes=("x",), read_only=("x",))) == ("write", "settings")
    assert call_effect(call("a", 0, 1, "x"), Settings(serial=("x",), read_only=("x",))) == ("write", "settings")


def test_effect_without_source_ranks_after_the_settings() -> None:
    assert call_effect(call("a", 0, 1, "x", effect="read"), Settings()) == ("read", "framework")
    assert call_effect(call("a", 0, 1, "x", effect="read"), Settings(writes=("x",))) == ("write", "settings")
