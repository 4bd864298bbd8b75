from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from otel_parallelism.dialects import classify
from otel_parallelism.model import Call, Passage, SpanRecord

if TYPE_CHECKING:
    from collections.abc import Callable

    Make = Callable[..., SpanRecord]


@pytest.mark.parametrize(
    "name", ["human_approval", "Human approval", "wait_for_user", "interrupt", "tool_approval: delete_file"]
)
def test_spans_named_after_a_person_are_waits(span: Make, name: str) -> None:
    seen = classify(span(name))
    assert isinstance(seen, Passage)
    assert seen.waiting


@pytest.mark.parametrize("name", ["interruptible_fetch", "user_input_parser", "approvals", "retrieve"])
def test_other_spans_are_no_waits(span: Make, name: str) -> None:
    seen = classify(span(name))
    assert isinstance(seen, Passage)
    assert not seen.waiting


def test_wait_below_a_prefix_is_found_beside_agent_attributes(span: Make) -> None:
    seen = classify(span("agent.tool.blocked_on_user", {"gen_ai.operation.name": "permission"}))
    assert isinstance(seen, Passage)
    assert seen.waiting


def test_elicitation_asks_the_user(span: Make) -> None:
    seen = classify(span("elicitation/create", {"mcp.method.name": "elicitation/create"}))
    assert isinstance(seen, Passage)
    assert seen.waiting


def test_tool_that_asks_a_person_is_a_call(span: Make) -> None:
    attributes = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "human_input"}
    assert isinstance(classify(span("human_input", attributes)), Call)
