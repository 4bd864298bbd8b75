from __future__ import annotations

import asyncio
import threading
import time
from contextvars import copy_context
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs import export as log_export
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.trace import ConcurrentMultiSpanProcessor, SpanLimits, SpanProcessor
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, set_span_in_context

from otel_parallelism import Settings, agent_turn, clock, coverage, live_turns, names, profiled, subscribe
from otel_parallelism.dialects import classify
from otel_parallelism.tracing.processor import UNRELATED_IN_A_ROW, ParallelismProcessor
from otel_parallelism.tracing.sdk import records
from otel_parallelism.tracing.spans.turn import AgentTurn
from otel_parallelism.tracing.state.registry import REGISTRY
from tests.virtual_time import exactly

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.sdk.trace import Span

    from otel_parallelism.model import Observation, SpanRecord
    from tests.conftest import Kit

OPERATION = names.OPERATION_NAME
# Renamed between the lowest and the newest supported SDK.
InMemoryLogRecordExporter = getattr(log_export, "InMemoryLogRecordExporter", None) or log_export.InMemoryLogExporter
AGENT = {OPERATION: "invoke_agent", "gen_ai.agent.name": "theirs"}
STEP_S = 0.06


def tool(name: str) -> dict[str, str]:
    return {OPERATION: "execute_tool", "gen_ai.tool.name": name}


@profiled(effect="read")
async def fetch(key: object) -> object:
    await asyncio.sleep(STEP_S)
    return key


def call(kit: Kit, name: str = "look", start: int | None = None, end: int | None = None, **more: str) -> None:
    """A whole foreign call, its kind known at once."""
    span = kit.tracer().start_span(name, attributes={**tool(name), **more}, start_time=start)
    span.end(end)


def test_result_is_on_foreign_turn_with_unchanged_end_time(kit: Kit) -> None:
    base = clock.now_ns()
    turn = kit.tracer().start_span("invoke_agent theirs", attributes=AGENT, start_time=base)
    with trace.use_span(turn):
        for index in range(3):
            call(kit, f"get_{index}", base + index * 10**9, base + (index + 1) * 10**9)
    turn.end(base + 4 * 10**9)
    span = kit.span("invoke_agent theirs")
    assert span.end_time == base + 4 * 10**9
    assert "end" not in turn.__dict__
    written = kit.result("invoke_agent theirs")
    assert (written["calls"], written["ratio"], written["verdict"]) == (3, 1.0, "possibly_sequential")
    (report,) = kit.reports
    assert report.turn.agent == "theirs"
    assert coverage() == coverage().__class__(calls=3, spans=4)


def test_a_span_is_classified_again_only_if_it_has_changed(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    classified: list[tuple[str, bool]] = []

    def counting(record: SpanRecord) -> Observation:
        classified.append((record.name, "gen_ai.tool.call.result" in record.attributes))
        return classify(record)

    monkeypatch.setattr(records, "classify", counting)
    with kit.tracer().start_as_current_span("invoke_agent theirs", attributes=AGENT):
        call(kit, "as_begun")
        with kit.tracer().start_as_current_span("with_result", attributes=tool("with_result")) as span:
            span.set_attribute("gen_ai.tool.call.result", "rain")
        with kit.tracer().start_as_current_span("failed", attributes=tool("failed")) as span:
            span.set_status(trace.StatusCode.ERROR)
        with kit.tracer().start_as_current_span("renamed", attributes=tool("one")) as span:
            span.set_attribute("gen_ai.tool.name", "other")
    (report,) = kit.reports
    assert [one.tool for one in report.turn.calls] == ["as_begun", "with_result", "failed", "other"]
    assert [one.error for one in report.turn.calls] == [False, False, True, False]
    assert all(one.end_ns > one.start_ns for one in report.turn.calls)
    assert [seen for seen in classified if seen[0] != "invoke_agent theirs"] == [
        ("as_begun", False),
        ("with_result", False),
        ("with_result", True),
        *[("failed", False)] * 2,
        *[("renamed", False)] * 2,
    ]


def test_what_a_tools_span_says_after_its_start_counts(kit: Kit) -> None:
    base = clock.now_ns()
    tracer = kit.tracer()
    turn = tracer.start_span("invoke_agent theirs", attributes=AGENT, start_time=base)
    with trace.use_span(turn):
        for index in range(4):
            started_ns = base + index * 10**9
            span = tracer.start_span("execute_tool early", attributes=tool("early"), start_time=started_ns)
            span.set_attribute("gen_ai.tool.name", f"late_{index}")
            if index == 1:
                span.set_status(trace.StatusCode.ERROR)
            if index == 2:
                # A model request that began as a call.
                span.set_attribute(OPERATION, "chat")
                span.update_name("chat model")
            if index == 3:
                span.set_attribute("gen_ai.tool.call.result", "x" * 10_000)
            span.end(started_ns + 10**9)
        (live,) = live_turns()
        assert (live.calls, live.open_calls, round(live.work, 6)) == (3, 0, 3.0)
    turn.end(base + 4 * 10**9)
    (report,) = kit.reports
    assert [(one.tool, one.error) for one in report.turn.calls] == [
        ("late_0", False),
        ("late_1", True),
        ("late_3", False),
    ]
    assert report.turn.calls[2].result is not None


@pytest.mark.parametrize("bound", [2, 100])
def test_tools_spans_are_classified_when_their_turn_ends(
    make_kit: Callable[..., Kit], monkeypatch: pytest.MonkeyPatch, bound: int
) -> None:
    classified: list[str] = []

    def counting(record: SpanRecord) -> Observation:
        classified.append(record.name)
        return classify(record)

    kit = make_kit(Settings(max_calls_per_turn=bound))
    monkeypatch.setattr(records, "classify", counting)
    base = clock.now_ns()
    turn = kit.tracer().start_span("invoke_agent theirs", attributes=AGENT, start_time=base)
    with trace.use_span(turn):
        classified.clear()
        for index in range(6):
            call(kit, f"execute_tool {index}", base + index * 10**9, base + (index + 1) * 10**9)
        assert classified == []
    turn.end(base + 6 * 10**9)
    (report,) = kit.reports
    assert (report.calls, round(report.work, 6), report.ratio) == (6, 6.0, 1.0)
    assert len(report.turn.calls) == min(bound, 6)


@pytest.mark.parametrize("explicit", [True, False])
async def test_decorated_calls_belong_to_foreign_turn(kit: Kit, explicit: bool) -> None:
    tracer = kit.tracer()
    with tracer.start_as_current_span("request"):
        with tracer.start_as_current_span("invoke_agent", attributes=AGENT, end_on_exit=not explicit) as span:
            await asyncio.gather(*(fetch(key) for key in range(3)))
        if explicit:
            span.end()
    written = kit.result("invoke_agent")
    assert (written["calls"], written["verdict"]) == (3, "parallel")
    assert not kit.result("request")


@pytest.mark.parametrize(
    "late",
    [
        {OPERATION: "invoke_agent"},
        {"openinference.span.kind": "AGENT"},
        {"traceloop.span.kind": "workflow"},
        {"langfuse.observation.type": "agent"},
    ],
)
@pytest.mark.parametrize("nested", [True, False])
def test_kind_set_after_span_start(kit: Kit, late: dict[str, str], nested: bool) -> None:
    tracer = kit.tracer()
    with tracer.start_as_current_span("request"), tracer.start_as_current_span("the agent") as turn:
        with tracer.start_as_current_span("node"):
            for name in ("one", "two"):
                with tracer.start_as_current_span(name) as span:
                    if nested:
                        with tracer.start_as_current_span("socket"):
                            pass
                    span.set_attributes(tool(name))
        turn.set_attributes(late)
    assert kit.result("the agent")["calls"] == 2
    assert not kit.result("request")
    assert len(kit.reports) == 1


def test_local_root_with_two_calls_is_a_turn(kit: Kit) -> None:
    with kit.tracer().start_as_current_span("job"):
        call(kit, "one")
        call(kit, "two")
    assert kit.result("job")["calls"] == 2
    assert kit.reports[0].turn.name == "job"


async def test_decorated_root_call_with_two_calls_is_a_turn(kit: Kit) -> None:
    @profiled
    async def orchestrate() -> None:
        await asyncio.gather(fetch(1), fetch(2))

    await orchestrate()
    assert kit.result("execute_tool orchestrate")["verdict"] == "parallel"
    assert coverage() == coverage().__class__(calls=2, spans=3)


def test_local_root_with_remote_parent_is_a_turn(kit: Kit) -> None:
    far = NonRecordingSpan(SpanContext(7, 8, is_remote=True, trace_flags=TraceFlags(1)))
    with kit.tracer().start_as_current_span("POST /chat", context=set_span_in_context(far)):
        call(kit, "one")
        call(kit, "two")
    assert kit.result("POST /chat")["calls"] == 2


def test_single_call_is_counted_without_turn(kit: Kit) -> None:
    with kit.tracer().start_as_current_span("job"):
        call(kit)
    call(kit)
    assert kit.reports == []
    assert coverage() == coverage().__class__(calls=2, calls_without_turn=2, spans=3)


def test_tool_that_is_no_call_is_none_without_a_turn(kit: Kit) -> None:
    call(kit, "think")
    with agent_turn("mine"):
        context = trace.context_api.get_current()
    token = trace.context_api.attach(context)
    call(kit, "think")
    call(kit, "look")
    trace.context_api.detach(token)
    assert (coverage().calls, coverage().calls_without_turn) == (1, 1)


async def test_call_beside_a_turn_that_has_its_report_is_counted(kit: Kit) -> None:
    async def agent() -> None:
        with agent_turn("mine"):
            await asyncio.gather(fetch(1), fetch(2))

    with kit.tracer().start_as_current_span("POST /chat"):
        await fetch(3)
        await asyncio.gather(agent(), fetch(4))
        await fetch(5)
    # The spans, read later, show that the fourth ran within the turn.
    assert [report.calls for report in kit.stored().reports] == [3, 3]
    assert [report.calls for report in kit.reports] == [2, 3]
    assert (coverage().calls, coverage().calls_without_turn) == (5, 1)


def test_foreign_call_without_context_joins_only_open_turn(kit: Kit) -> None:
    with agent_turn("mine") as turn:
        token = trace.context_api.attach(trace.context_api.Context())
        call(kit, "whole")
        with kit.tracer().start_as_current_span("late") as span:
            span.set_attributes(tool("late"))
        with kit.tracer().start_as_current_span("MCP session"):
            call(kit, "inside")
        trace.context_api.detach(token)
    assert turn.report is not None
    assert sorted(call.tool for call in turn.report.turn.calls) == ["inside", "late", "whole"]
    assert coverage().calls_without_turn == 0


def test_wrapper_has_result_of_inner_turn_and_is_not_counted(kit: Kit) -> None:
    tracer = kit.tracer()
    with (
        tracer.start_as_current_span("workflow", attributes={OPERATION: "invoke_workflow"}),
        tracer.start_as_current_span("glue"),
        tracer.start_as_current_span("agent", attributes=AGENT),
    ):
        call(kit, "one")
        call(kit, "two")
    assert kit.result("workflow") == kit.result("agent")
    assert kit.result("agent")["calls"] == 2
    assert len(kit.reports) == 1
    assert sum(point.count for point in kit.points("agent.parallelism.turn.duration")) == 1


def test_agent_turn_around_foreign_turn_has_its_report(kit: Kit) -> None:
    unnamed = {OPERATION: "invoke_agent"}
    said: list[object] = []
    subscribe(lambda report: said.extend(words.parse(words.value) for words in report.turn.inputs if words.parse))
    with agent_turn("mine", input="hello") as turn, kit.tracer().start_as_current_span("agent", attributes=unnamed):
        call(kit, "one")
        call(kit, "two")
    assert turn.report is kit.reports[0]
    assert turn.report.turn.agent == "mine"
    assert said == ["hello"]
    assert len(kit.reports) == 1
    assert kit.result("invoke_agent mine") == kit.result("agent")


def test_framework_span_of_decorated_tool_is_the_same_call(make_kit: Callable[..., Kit]) -> None:
    kit = make_kit(Settings(min_avoidable=0))

    @profiled
    def look() -> None: ...

    with agent_turn() as turn:
        for _ in range(2):
            attributes = {"openinference.span.kind": "TOOL", "tool.name": "look"}
            tracer = kit.tracer()
            with tracer.start_as_current_span("look", attributes=attributes), tracer.start_as_current_span("adapter"):
                look()
    assert turn.report is not None
    assert turn.report.calls == 2
    assert len(turn.report.turn.calls) == 2
    assert turn.report.turn.calls[0].caller is not None


def test_model_requests_separate_rounds(kit: Kit) -> None:
    with agent_turn() as turn:
        for name in ("one", "two"):
            with kit.tracer().start_as_current_span("chat model", attributes={OPERATION: "chat"}):
                time.sleep(0.01)
            call(kit, name)
    assert turn.report is not None
    assert turn.report.steps == 2
    assert [call.round for call in turn.report.turn.calls] == [0, 1]


def test_open_foreign_call_lasts_until_turn_end(kit: Kit) -> None:
    tracer = kit.tracer()
    with tracer.start_as_current_span("agent", attributes=AGENT):
        span = tracer.start_span("slow", attributes=tool("slow"))
        time.sleep(STEP_S)
        (live,) = live_turns()
        assert (live.agent, live.calls, live.open_calls) == ("theirs", 1, 1)
        assert live.ratio == pytest.approx(1.0)
    span.end()
    (report,) = kit.reports
    assert report.work == exactly(STEP_S)
    assert coverage().calls == 1


def test_span_ended_by_two_threads_is_reported_once(kit: Kit) -> None:
    for _ in range(20):
        span = kit.tracer().start_span("agent", attributes=AGENT)
        with trace.use_span(span):
            call(kit)
        gate = threading.Barrier(2)

        def end(span: Any = span, gate: threading.Barrier = gate) -> None:
            gate.wait()
            span.end()

        threads = [threading.Thread(target=end) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    ended = [span for span in kit.spans if span.name == "agent"]
    assert len(ended) == 20
    assert [(span.attributes or {})[names.CALLS] for span in ended] == [1] * 20
    assert len(kit.reports) == 20


async def test_hooks_run_in_other_threads(make_kit: Callable[..., Kit]) -> None:
    kit = make_kit(active_span_processor=ConcurrentMultiSpanProcessor(2))
    tracer = kit.tracer()
    with tracer.start_as_current_span("agent", attributes=AGENT):
        await asyncio.gather(fetch(1), fetch(2))
        call(kit)

    @profiled
    def outer() -> None:
        with tracer.start_as_current_span("adapter"):
            call(kit, "inner")

    with agent_turn() as turn:
        outer()
        call(kit)
    assert kit.result("agent")["calls"] == 3
    assert turn.report is not None
    assert [(call.tool, call.scope == "") for call in turn.report.turn.calls] == [
        ("outer", True),
        ("inner", False),
        ("look", True),
    ]


def test_foreign_calls_inside_decorated_call_are_in_its_scope(kit: Kit) -> None:
    @profiled
    def outer() -> None:
        with kit.tracer().start_as_current_span("adapter"):
            call(kit, "inner")

    with agent_turn() as turn:
        outer()
    assert turn.report is not None
    inner = next(call for call in turn.report.turn.calls if call.tool == "inner")
    assert inner.scope == next(call for call in turn.report.turn.calls if call.tool == "outer").span_id


@pytest.mark.parametrize("limit", [1, 3, 8, 128])
def test_user_attributes_are_not_evicted(make_kit: Callable[..., Kit], limit: int) -> None:
    # However short the calls are, the turn has all numbers.
    exact = Settings(min_avoidable=0, min_avoidable_share=0)
    kit = make_kit(exact, span_limits=SpanLimits(max_span_attributes=limit))
    theirs = dict(list({OPERATION: "invoke_agent", "user.id": "u", "tenant": "t"}.items())[:limit])
    with kit.tracer().start_as_current_span("agent", attributes=theirs):
        call(kit, "one")
        call(kit, "two")
    span = kit.span("agent")
    assert theirs.items() <= dict(span.attributes or {}).items()
    assert span.dropped_attributes == 0
    ours = [key for key in span.attributes or {} if key.startswith(names.PREFIX)]
    most_important = [attribute.key for attribute in names.TURN_ATTRIBUTES]
    present = {*most_important} - {names.CAUSE, names.RECOMMENDATION}
    expected = [key for key in most_important if key in present][: max(0, limit - len(theirs))]
    assert set(ours) - {names.CAUSE, names.RECOMMENDATION} <= set(most_important)
    if limit <= 8:
        assert len(ours) == max(0, limit - len(theirs))
        assert ours[: len(expected)][:4] == expected[:4][: len(ours)]


def test_long_strings_are_cut_without_warning(make_kit: Callable[..., Kit]) -> None:
    kit = make_kit(
        Settings(min_avoidable=0, min_avoidable_share=0, max_findings=2),
        span_limits=SpanLimits(max_attribute_length=12, max_events=2, max_event_attributes=3),
    )
    with agent_turn("cut") as turn:
        turn.span.add_event("mine")
        for index in range(3):
            call(kit, f"get_{index}", effect="read")
            time.sleep(0.002)
    span = kit.span("invoke_agent cut")
    assert all(len(value) <= 12 for value in (span.attributes or {}).values() if isinstance(value, str))
    assert span.events[0].name == "mine"
    assert span.dropped_events == 0


async def test_findings_are_events(make_kit: Callable[..., Kit]) -> None:
    kit = make_kit(Settings(min_avoidable=0.01))
    with kit.tracer().start_as_current_span("agent", attributes=AGENT):
        await fetch(1)
        await fetch(2)
    (event,) = kit.span("agent").events
    assert event.name == names.FINDING_EVENT
    attributes = dict(event.attributes or {})
    assert attributes[names.FINDING_TOOLS] == ("fetch", "fetch")
    assert attributes[names.FINDING_CAUSE] == "code"
    assert attributes[names.CALLER_FILE_PATH] == __file__
    assert attributes[names.FINDING_AVOIDABLE] == exactly(STEP_S)


async def test_dropped_spans_with_head_sampler(make_kit: Callable[..., Kit]) -> None:
    kit = make_kit(sampler=ALWAYS_OFF)
    with agent_turn("unseen") as turn:
        await asyncio.gather(*(fetch(key) for key in range(3)))
        (live,) = live_turns()
        assert live.calls == 3
    assert kit.spans == ()
    assert turn.report is not None
    assert (turn.report.calls, turn.report.verdict) == (3, "parallel")
    assert len({call.span_id for call in turn.report.turn.calls}) == 3
    (point,) = kit.points("agent.parallelism.ratio")
    assert point.count == 1
    assert dict(point.attributes) == {"gen_ai.agent.name": "unseen", names.VERDICT: "parallel"}


def test_root_marked_late_as_model_request_is_not_a_turn(kit: Kit) -> None:
    tracer = kit.tracer()
    with tracer.start_as_current_span("invoke_agent x", attributes=AGENT) as outer:
        with tracer.start_as_current_span("call_llm") as relabelled:
            call(kit, "one")
            call(kit, "two")
            relabelled.set_attribute("openinference.span.kind", "LLM")
        outer.set_attribute("seen", value=True)
    assert kit.result("invoke_agent x")["calls"] == 2
    assert not kit.result("call_llm")


def test_turn_ended_through_original_end_is_analyzed(kit: Kit) -> None:
    class Holds(SpanProcessor):
        held: Any = None

        def on_start(self, span: Span, parent_context: Any = None) -> None:
            if span.name == "agent":
                Holds.held = type(span).end

    kit.provider.add_span_processor(Holds())
    span = kit.tracer().start_span("agent")
    with trace.use_span(span):
        call(kit, "one")
        call(kit, "two")
    span.set_attributes(AGENT)
    Holds.held(span)
    assert [report.calls for report in kit.reports] == [2]
    assert not kit.result("agent")
    span.__dict__.pop("end", None)
    REGISTRY.candidates.clear()


def test_unrelated_spans_leave_nothing_behind(kit: Kit) -> None:
    tracer = kit.tracer()
    with tracer.start_as_current_span("GET /"), tracer.start_as_current_span("SELECT"):
        pass
    assert kit.reports == []
    assert not any(key.startswith(names.PREFIX) for span in kit.spans for key in span.attributes or {})


@pytest.mark.parametrize("known_at_start", [True, False])
def test_turns_are_found_after_many_unrelated_spans(kit: Kit, known_at_start: bool) -> None:
    tracer = kit.tracer()
    for _ in range(2 * UNRELATED_IN_A_ROW):
        with tracer.start_as_current_span("GET /"):
            pass
    for turn in range(2):
        with tracer.start_as_current_span(f"agent {turn}") as span:
            span.set_attributes(AGENT)
            for index in range(3):
                with tracer.start_as_current_span("tool", attributes=tool("x") if known_at_start else {}) as inner:
                    inner.set_attributes(tool(f"get_{index}"))
        assert kit.result(f"agent {turn}")["calls"] == 3


def test_skipped_scope_is_checked_again_where_a_turn_of_ours_names_it(kit: Kit) -> None:
    tracer = kit.tracer("skipped at first")
    for _ in range(UNRELATED_IN_A_ROW):
        tracer.start_span("GET /").end()
    with AgentTurn("ours", None, None, frozenset({"skipped at first"})):
        # Like an instrumentation that chooses the parents of its spans itself.
        span = tracer.start_span("run", Context())
        call(kit)
        span.set_attributes(AGENT)
        span.end()
    assert [(report.turn.name, report.calls) for report in kit.reports] == [("ours", 1)]


def test_unrelated_scopes_are_counted_by_name_and_bounded(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("otel_parallelism.tracing.processor.MAX_SCOPES", 10)
    (processor,) = (follower for follower in REGISTRY.followers if isinstance(follower, ParallelismProcessor))
    for version in range(20):
        kit.provider.get_tracer("theirs", str(version)).start_span("GET /").end()
    assert processor._unrelated == {"theirs": 20}
    for number in range(100):
        kit.tracer(f"tenant {number}").start_span("GET /").end()
    assert len(processor._unrelated) <= 11


@pytest.mark.parametrize("attributes", [{}, AGENT, {names.OPERATION_NAME: "chat"}])
def test_abandoned_spans_are_forgotten(
    make_kit: Callable[..., Kit], monkeypatch: pytest.MonkeyPatch, attributes: dict[str, str]
) -> None:
    monkeypatch.setattr("otel_parallelism.tracing.processor.MAX_OPEN_SPANS", 100)
    kit = make_kit()
    abandoned = [kit.tracer().start_span("never ended", attributes=attributes) for _ in range(300)]
    assert max(map(len, (REGISTRY.spans, REGISTRY.turns, REGISTRY.candidates))) <= 101
    with kit.tracer().start_as_current_span("agent", attributes=AGENT):
        call(kit)
    assert kit.result("agent")["calls"] == 1
    abandoned[0].end()
    assert len(kit.reports) == 1 + (attributes == AGENT)
    REGISTRY.clear()


def test_abandoned_turns_are_forgotten(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("otel_parallelism.tracing.state.registry.MAX_OPEN_SPANS", 100)
    abandoned = [agent_turn() for _ in range(300)]
    for turn in abandoned:
        copy_context().run(turn.__enter__)
    assert max(map(len, (REGISTRY.spans, REGISTRY.turns))) <= 101
    for turn in abandoned:
        turn.end()
    assert len(kit.reports) == 300


def test_long_lived_root_with_many_turns(make_kit: Callable[..., Kit]) -> None:
    kit = make_kit(Settings(max_spans_per_trace=50))
    with kit.tracer().start_as_current_span("worker"):
        for _ in range(30):
            with kit.tracer().start_as_current_span("agent", attributes=AGENT):
                for index in range(4):
                    call(kit, f"get_{index}")
    assert [report.calls for report in kit.reports] == [4] * 30


def test_calls_past_the_bound_lower_coverage(make_kit: Callable[..., Kit]) -> None:
    kit = make_kit(Settings(max_calls_per_turn=5))

    @profiled
    def look() -> None: ...

    with agent_turn() as turn:
        for _ in range(10):
            look()
    assert turn.report is not None
    assert turn.report.calls == 10
    assert len(turn.report.turn.calls) == 5
    assert turn.report.coverage == pytest.approx(0.5)
    assert len(kit.calls()) == 10


def test_turns_past_the_bound_are_reported_and_not_live(make_kit: Callable[..., Kit]) -> None:
    kit = make_kit(Settings(max_open_turns=1))
    with agent_turn("first"), agent_turn("second") as second:
        call(kit)
        assert [turn.name for turn in live_turns()] == ["first"]
    assert second.report is not None
    assert second.report.calls == 1


@pytest.mark.parametrize(("emit", "events", "logs"), [("event", 1, 0), ("log", 0, 1), ("both", 1, 1)])
async def test_findings_are_log_based_events(
    make_kit: Callable[..., Kit], monkeypatch: pytest.MonkeyPatch, emit: Any, events: int, logs: int
) -> None:
    exporter = InMemoryLogRecordExporter()
    logger_provider = LoggerProvider(shutdown_on_exit=False)
    logger_provider.add_log_record_processor(SimpleLogRecordProcessor(exporter))
    monkeypatch.setattr("opentelemetry._logs._internal._LOGGER_PROVIDER", logger_provider)
    kit = make_kit(Settings(min_avoidable=0.01, emit=emit))
    with agent_turn("clerk") as turn:
        await fetch(1)
        await fetch(2)
    assert len(kit.span("invoke_agent clerk").events) == events
    records = [data.log_record for data in exporter.get_finished_logs()]
    assert [record.event_name for record in records] == [names.FINDING_EVENT] * logs
    for record in records:
        assert record.span_id == turn.span.get_span_context().span_id
        assert dict(record.attributes or {})[names.FINDING_TOOLS] == ("fetch", "fetch")


def test_remote_parent_of_this_process_is_found(kit: Kit) -> None:
    # With another agent's turn open nothing but the parent can tell whose calls these are.
    other = kit.tracer().start_span("invoke_agent other", trace.context_api.Context(), attributes=AGENT)
    with kit.tracer().start_as_current_span("invoke_agent theirs", attributes=AGENT):
        near = [kit.tracer().start_span("execute_tool get", attributes=tool("get")) for _ in range(2)]
        far = []
        for span in near:
            context = span.get_span_context()
            flags = context.trace_flags  # without them the server's span would be dropped
            sent = NonRecordingSpan(SpanContext(context.trace_id, context.span_id, is_remote=True, trace_flags=flags))
            there = set_span_in_context(sent, trace.context_api.Context())
            far.append(kit.tracer("server").start_span("execute_tool get", there, attributes=tool("get")))
        for span in (*far, *near):
            span.end()
    other.end()
    assert kit.result("invoke_agent theirs")["calls"] == 2
    assert coverage().calls_without_turn == 0
