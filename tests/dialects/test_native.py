from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from otel_parallelism import names
from otel_parallelism.dialects import classify
from otel_parallelism.model import Call, SpanRecord, TurnSpan

if TYPE_CHECKING:
    from collections.abc import Callable

    Make = Callable[..., SpanRecord]

OURS = {names.OPERATION_NAME: names.EXECUTE_TOOL, names.TOOL_NAME: "get_invoice"}


def test_declarations_of_a_call_are_read(span: Make) -> None:
    attributes = {
        **OURS,
        names.EFFECT: "write",
        names.RESOURCE: "ledger",
        names.DEPENDS_ON: ("find_user", "get_orders"),
        names.QUEUE_TIME: 0.25,
    }
    seen = classify(span("execute_tool get_invoice", attributes, links=("a" * 16,), instrumentation="otel_parallelism"))
    assert isinstance(seen, Call)
    assert (seen.tool, seen.effect, seen.effect_source, seen.resource) == ("get_invoice", "write", "declared", "ledger")
    assert seen.depends_on == ("find_user", "get_orders")
    assert seen.links == ("a" * 16,)
    assert seen.queue_ns == 250_000_000


def test_empty_depends_on_differs_from_none(span: Make) -> None:
    independent = classify(span("x", {**OURS, names.DEPENDS_ON: []}))
    silent = classify(span("x", OURS))
    assert isinstance(independent, Call)
    assert isinstance(silent, Call)
    assert independent.depends_on == ()
    assert silent.depends_on is None
    assert (silent.effect, silent.effect_source) == ("unknown", "")


@pytest.mark.parametrize("queue_time", ["soon", -1.0, float("nan"), float("inf"), None])
def test_invalid_queue_time_is_ignored(span: Make, queue_time: object) -> None:
    seen = classify(span("x", {**OURS, names.QUEUE_TIME: queue_time, names.EFFECT: "maybe"}))
    assert isinstance(seen, Call)
    assert seen.queue_ns == 0
    assert seen.effect == "unknown"


def test_own_turn_is_a_turn(span: Make) -> None:
    attributes = {names.OPERATION_NAME: names.INVOKE_AGENT, names.AGENT_NAME: "helper", names.RATIO: 1.0}
    seen = classify(span("invoke_agent helper", attributes))
    assert isinstance(seen, TurnSpan)
    assert seen.agent == "helper"
