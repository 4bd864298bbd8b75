"""Turns of other instrumentations end in ``_on_ending`` where an SDK lets processors write there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.sdk.trace import Span

from otel_parallelism.tracing.state.registry import REGISTRY

if TYPE_CHECKING:
    from tests.conftest import Kit

AGENT = {"gen_ai.operation.name": "invoke_agent"}
TOOL = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "look_up"}


@pytest.fixture
def writable_hook(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the SDK call ``_on_ending`` before it freezes a span."""
    original = Span.end

    def end(span: Any, end_time: int | None = None) -> None:
        if span.is_recording():
            # Without its multi-processor: SDKs before 1.40 do not forward the hook.
            for processor in span._span_processor._span_processors:
                getattr(processor, "_on_ending", lambda _: None)(span)
        original(span, end_time)

    monkeypatch.setattr(Span, "end", end)


@pytest.mark.usefixtures("writable_hook")
def test_result_is_written_in_the_hook_without_a_patched_end(kit: Kit) -> None:
    tracer = kit.tracer()
    # The first span that ends shows what the SDK allows.
    tracer.start_span("GET /").end()
    with tracer.start_as_current_span("agent", attributes=AGENT) as turn:
        for _ in range(2):
            with tracer.start_as_current_span("tool", attributes=TOOL):
                pass
        assert "end" not in vars(turn)
    assert kit.result("agent")["calls"] == 2
    assert REGISTRY.candidates == {}


@pytest.mark.usefixtures("writable_hook")
def test_first_turn_gets_its_result_once(kit: Kit) -> None:
    # Its `end` is patched, since the SDK's ability is not known yet; the hook finds the turn finished.
    tracer = kit.tracer()
    with (
        tracer.start_as_current_span("agent", attributes=AGENT),
        tracer.start_as_current_span("tool", attributes=TOOL),
    ):
        pass
    assert kit.result("agent")["calls"] == 1
    assert len(kit.reports) == 1


def test_a_second_end_writes_nothing(kit: Kit) -> None:
    kit.forgive()
    turn = kit.tracer().start_span("agent", attributes=AGENT)
    end = turn.end
    end()
    end()
    assert len(kit.spans) == 1
