from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from otel_parallelism.dialects import classify
from otel_parallelism.model import Passage, SpanRecord, Step, TurnSpan

if TYPE_CHECKING:
    from collections.abc import Callable

    Make = Callable[..., SpanRecord]

SCOPE = "openlit.instrumentation.langgraph"


@pytest.mark.parametrize(
    ("name", "node", "scope", "kind"),
    [
        ("model", "model", SCOPE, Step),
        ("agent", "agent", SCOPE, Step),
        ("tools", "tools", SCOPE, Passage),
        ("researcher", "researcher", SCOPE, TurnSpan),
        ("model", "7", SCOPE, TurnSpan),
        ("model", "model", "openlit.instrumentation.crewai", TurnSpan),
    ],
)
def test_graph_nodes_recorded_as_agents(span: Make, name: str, node: str, scope: str, kind: type) -> None:
    attributes = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": name, "gen_ai.agent.id": node}
    seen = classify(span(f"invoke_agent {name}", attributes, instrumentation=scope))
    assert isinstance(seen, kind)
    if isinstance(seen, Passage):
        assert seen.cycle


def test_graph_is_a_turn(span: Make) -> None:
    attributes = {"gen_ai.operation.name": "invoke_workflow", "gen_ai.workflow.name": "helper"}
    seen = classify(span("invoke_workflow helper", attributes, instrumentation=SCOPE))
    assert isinstance(seen, TurnSpan)
    assert seen.agent == "helper"
