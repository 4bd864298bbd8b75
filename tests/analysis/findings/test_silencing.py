from __future__ import annotations

import pytest

from otel_parallelism.analysis.findings.silencing import is_silenced
from otel_parallelism.model import Finding


def finding(*tools: str) -> Finding:
    return Finding(
        kind="sequential_chain",
        cause="code",
        advice="recommended",
        calls=tools,
        span_ids=tuple(f"c{n}" for n in range(len(tools))),
        avoidable=1.0,
    )


@pytest.mark.parametrize(
    ("pattern", "silenced"),
    [
        ("get_*", True),
        ("GET_a", True),  # one other call is left, which makes no chain
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
def test_by_tool_cause_agent_and_pair(pattern: str, silenced: bool) -> None:
    assert is_silenced(finding("get_a", "get_b"), "Travel", [pattern]) == silenced


def test_a_tools_pattern_leaves_a_finding_that_two_others_make() -> None:
    assert not is_silenced(finding("get_a", "get_b", "get_c"), "", ["get_a"])
    assert is_silenced(finding("get_a", "get_b", "get_c"), "", ["get_a", "get_b"])


def test_a_pair_silences_only_what_has_no_other_tool() -> None:
    assert is_silenced(finding("get_a", "get_b", "get_a"), "", ["get_a+get_b"])
    assert not is_silenced(finding("get_a", "get_b", "get_c"), "", ["get_a+get_b"])


def test_a_decorator_counts_like_a_tools_pattern() -> None:
    assert is_silenced(finding("get_a", "get_b"), "", [], {"c0"})
    assert not is_silenced(finding("get_a", "get_b", "get_c"), "", [], {"c0"})
    assert not is_silenced(finding("get_a", "get_b"), "", [])
