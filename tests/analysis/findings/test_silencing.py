from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from strategies import call

from otel_parallelism.analysis.findings.silencing import is_silenced

if TYPE_CHECKING:
    from otel_parallelism.model import Call


def calls(*tools: str, decorated: str = "") -> list[Call]:
    """Calls of *tools*; the decorator of *decorated* silences findings."""
    return [call(f"c{n}", n, n + 1, tool, silenced=tool == decorated) for n, tool in enumerate(tools)]


@pytest.mark.parametrize(
    ("pattern", "silenced"),
    [
        ("get_*", True),
        ("GET_a", True),  # only one call of another tool is left, which is no chain
        ("list_*", False),
        ("cause:code", True),
        ("cause: code", True),
        ("cause:model", False),
        ("agent:trav*", True),
        ("agent:other", False),
        ("get_a+get_b", True),
        ("get_a + list_c", False),
        ("get_*+list_c", True),
    ],
)
def test_pattern_of_tool_cause_agent_or_pair_silences(pattern: str, silenced: bool) -> None:
    assert is_silenced(calls("get_a", "get_b"), "code", "Travel", [pattern]) == silenced


def test_pattern_of_tool_keeps_finding_with_two_other_calls() -> None:
    assert not is_silenced(calls("get_a", "get_b", "get_c"), "code", "", ["get_a"])
    assert is_silenced(calls("get_a", "get_b", "get_c"), "code", "", ["get_a", "get_b"])


def test_pair_silences_only_finding_without_other_tools() -> None:
    assert is_silenced(calls("get_a", "get_b", "get_a"), "code", "", ["get_a+get_b"])
    assert not is_silenced(calls("get_a", "get_b", "get_c"), "code", "", ["get_a+get_b"])


def test_decorator_acts_like_pattern_of_tool() -> None:
    assert is_silenced(calls("get_a", "get_b", decorated="get_a"), "code", "", [])
    assert not is_silenced(calls("get_a", "get_b", "get_c", decorated="get_a"), "code", "", [])
    assert not is_silenced(calls("get_a", "get_b"), "code", "", [])
