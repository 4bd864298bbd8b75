"""Nothing that a tool is given, returns or says in an error leaves the process, in any finding, unless asked for."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from typing import TYPE_CHECKING, Any

import opentelemetry._logs
import pytest
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs import export as log_export
from opentelemetry.trace import Status, StatusCode

from otel_parallelism import (
    CancelledCallError,
    Settings,
    SkippedTaskError,
    TaskGraph,
    agent_turn,
    live_turns,
    names,
    parallel_map,
    profiled,
    prompt,
    run_tools,
)
from otel_parallelism.model import Analysis
from otel_parallelism.reports.json import json_schema
from otel_parallelism.tracing import shield
from tests.everything_shown import shown

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from tests.conftest import Kit

# Its name before OpenTelemetry 1.39.
InMemoryLogRecordExporter = getattr(log_export, "InMemoryLogRecordExporter", None) or log_export.InMemoryLogExporter

CANARY = "canary-7f3a91-sings"
FEATHER = "7f3a91"
NAP_S = 0.06
WANTED = {"code", "blocking", "limit", "contention"}


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """What findings that are emitted as log-based events become."""
    exporter = InMemoryLogRecordExporter()
    provider = LoggerProvider(shutdown_on_exit=False)
    provider.add_log_record_processor(log_export.SimpleLogRecordProcessor(exporter))
    monkeypatch.setattr(opentelemetry._logs, "get_logger", lambda name, **_: provider.get_logger(name))
    yield exporter
    provider.shutdown()


@profiled(effect="read")
async def look(key: object, *, note: object = None) -> dict[str, object]:
    await asyncio.sleep(NAP_S)
    return {CANARY: f"{CANARY}-of-{key}", "list": [CANARY, note]}


@profiled(effect="write")
async def keep(key: str) -> str:
    await asyncio.sleep(NAP_S)
    return key


@profiled
async def unheard_of(key: str) -> str:
    await asyncio.sleep(NAP_S)
    return f"{key}-{CANARY}"


@profiled(effect="read")
async def fail(key: str) -> None:
    await asyncio.sleep(NAP_S)
    raise ValueError(f"no such thing: {key}")


@profiled(effect="read")
async def drip(key: str) -> AsyncIterator[str]:
    for _ in range(2):
        await asyncio.sleep(NAP_S / 2)
        yield key


@profiled(effect="read")
async def block(key: str) -> str:
    time.sleep(NAP_S)  # noqa: ASYNC251 - what makes the finding
    return key


async def chain() -> None:
    for index in range(3):
        await look(f"{CANARY}-{index}", note={CANARY: [CANARY]})


async def handed_on() -> None:
    found = await look(CANARY)
    await look(found, note=found[CANARY])
    await look(f"{found[CANARY]},{found[CANARY]}")


async def order() -> None:
    await keep(f"{CANARY}1")
    await keep(f"{CANARY}2")


async def unknown() -> None:
    await unheard_of(f"{CANARY}1")
    await unheard_of(f"{CANARY}2")
    async for _ in drip(CANARY):
        pass


async def errors() -> None:
    for index in range(2):
        with pytest.raises(ValueError, match=CANARY):
            await fail(f"{CANARY}{index}")
    await look(CANARY)


@profiled(effect="read")
async def fail_in_a_class_of_data(key: str) -> None:
    await asyncio.sleep(NAP_S)
    raise type(key, (ValueError,), {"__module__": key})(key) from LookupError(key)


async def errors_of_data() -> None:
    for index in range(2):
        with pytest.raises(ValueError, match=CANARY):
            await fail_in_a_class_of_data(f"{CANARY}{index}")
    with pytest.raises(ValueError, match=CANARY):
        await parallel_map([CANARY], fail_in_a_class_of_data, limit=1)


async def blocking() -> None:
    await asyncio.gather(*(block(f"{CANARY}{index}") for index in range(3)))


async def limited() -> None:
    gate = asyncio.Semaphore(2)

    async def one(index: int) -> None:
        async with gate:
            await look(f"{CANARY}{index}")

    await asyncio.gather(*(one(index) for index in range(6)))


async def contended() -> None:
    lock = asyncio.Lock()

    @profiled(effect="read", name="behind_a_lock")
    async def locked(key: str) -> str:
        async with lock:
            await asyncio.sleep(NAP_S)
        return key

    await asyncio.gather(*(locked(f"{CANARY}{index}") for index in range(5)))


async def inside() -> None:
    @profiled(effect="read", name="outer")
    async def outer(key: str) -> str:
        await chain()
        return key

    await outer(CANARY)


SCENES = (chain, handed_on, order, unknown, errors, errors_of_data, blocking, limited, contended, inside)


def told(kit: Kit, caplog: pytest.LogCaptureFixture, logged: Any) -> dict[str, str]:
    """All that left the process or is shown, by where."""
    stored = kit.stored()
    found = {
        "schema": json.dumps(json_schema()),
        "spans and metrics": kit.everything(),
        "events": "".join(record.log_record.attributes.__repr__() for record in logged.get_finished_logs()),
        "log": caplog.text + "".join(str(record.args) + record.getMessage() for record in caplog.records),
    }
    for whose, analysis in (("live", Analysis(tuple(kit.reports), stored.coverage)), ("stored", stored)):
        found |= {f"{whose} {name}": text for name, text in shown(analysis).items()}
    return found


@pytest.mark.slow
async def test_no_finding_of_any_kind_tells_what_the_tools_were_given(
    make_kit: Callable[..., Kit], caplog: pytest.LogCaptureFixture, logged: Any
) -> None:
    kit = make_kit(Settings(emit="both", caller_on_calls=True, call_duration_metric=True))
    open_turns = []
    # On a busy machine a staircase or a limit may come out too crooked to be seen at the first try.
    for _ in range(4):
        for scene in SCENES:
            with agent_turn(scene.__name__, input=f"Sing, {CANARY}, sing!"):
                await scene()
                open_turns.append(repr(live_turns()))
        if {f.cause for report in kit.reports for f in report.findings} >= WANTED:
            break
    with pytest.raises(RuntimeError), agent_turn("raises", input=[{"role": "user", "content": CANARY}]):
        raise RuntimeError(CANARY)
    kinds = {(f.kind, f.cause, f.advice) for report in kit.reports for f in report.findings}
    assert {cause for _, cause, _ in kinds} >= WANTED
    assert {advice for _, _, advice in kinds} >= {"recommended", "potential"}
    assert len(logged.get_finished_logs()) >= len(kinds)
    assert all(FEATHER not in text for text in open_turns)
    for where, text in told(kit, caplog, logged).items():
        assert text or where == "log"
        assert FEATHER not in text, where
    assert FEATHER not in repr(kit.reports)


async def test_no_exception_of_ours_quotes_what_it_was_given() -> None:
    async def cancelled(key: str) -> None:
        raise asyncio.CancelledError(key)

    async def needs(cancelled: object) -> None:
        raise AssertionError(cancelled)

    graph = TaskGraph(on_failure="dependents")
    graph.task(cancelled)
    graph.task(needs)
    outcomes = await graph.run(key=CANARY)
    raised: list[BaseException] = list(outcomes.errors.values())
    assert {type(one) for one in raised} == {CancelledCallError, SkippedTaskError}
    odd: Any = type("Odd", (), {"__repr__": lambda _: CANARY})()
    for use in (
        lambda: parallel_map(odd, cancelled),
        lambda: run_tools(odd, {}),
        lambda: run_tools([], odd),
        lambda: prompt(odd),
        lambda: profiled(odd),
    ):
        with pytest.raises(TypeError) as caught:
            await use()
        raised.append(caught.value)
    for one in raised:
        assert FEATHER not in f"{one!r} {one}", type(one)


def own(attributes: Any) -> str:
    """What we wrote into somebody else's attributes."""
    return json.dumps({key: value for key, value in attributes.items() if key.startswith(names.PREFIX)})


async def test_what_others_wrote_on_their_spans_goes_no_further(
    make_kit: Callable[..., Kit], caplog: pytest.LogCaptureFixture, logged: Any
) -> None:
    kit = make_kit(Settings(emit="both"))
    tracer = kit.tracer("some.framework")
    said = json.dumps([{"role": "user", "parts": [{"type": "text", "content": CANARY}]}])
    asked = json.dumps(
        [{"role": "assistant", "parts": [{"type": "tool_call", "id": str(i), "name": "get_a"} for i in range(3)]}]
    )
    turn = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "singer", "gen_ai.input.messages": said}
    step = {
        "gen_ai.operation.name": "chat",
        "gen_ai.input.messages": said,
        "gen_ai.output.messages": asked,
        "gen_ai.system_instructions": CANARY,
    }
    with tracer.start_as_current_span("invoke_agent singer", attributes=turn):
        with tracer.start_as_current_span("chat m", attributes=step):
            await asyncio.sleep(NAP_S / 4)
        for index in range(3):
            call = {
                "gen_ai.operation.name": "execute_tool",
                "gen_ai.tool.name": "get_a",
                "gen_ai.tool.call.id": str(index),
                "gen_ai.tool.call.arguments": json.dumps({"key": f"{CANARY}{index}"}),
                "gen_ai.tool.call.result": json.dumps({CANARY: CANARY}),
            }
            with tracer.start_as_current_span("execute_tool get_a", attributes=call) as span:
                await asyncio.sleep(NAP_S)
                if index == 2:
                    span.record_exception(ValueError(CANARY))
                    span.set_status(Status(StatusCode.ERROR, CANARY))
    (report,) = kit.reports
    assert [finding.cause for finding in report.findings] == ["dispatch"]
    found = told(kit, caplog, logged)
    del found["spans and metrics"]
    data = kit.reader.get_metrics_data()
    assert data is not None
    found["metrics"] = data.to_json()
    for span in kit.spans:
        found[f"ours on {span.name} {span.context.span_id}"] = own(span.attributes)
        found[f"our events on {span.name} {span.context.span_id}"] = "".join(
            own(event.attributes) for event in span.events if event.name.startswith(names.PREFIX)
        )
    assert any(text != "{}" and where.startswith("ours on invoke_agent") for where, text in found.items())
    for where, text in found.items():
        assert FEATHER not in text, where


async def test_an_internal_error_is_logged_without_its_words(
    make_kit: Callable[..., Kit], caplog: pytest.LogCaptureFixture
) -> None:
    kit = make_kit()

    def key_of(key: str) -> str:
        raise LookupError(f"cannot tell {key}")

    @profiled(effect="read", resource=key_of)
    async def get(key: str) -> str:
        return key

    with agent_turn("shape", input=CANARY):
        await get(CANARY)
    assert shield.internal_errors() == {"computing a declared resource: LookupError": 1}
    (record,) = [entry for entry in caplog.records if entry.levelno >= logging.WARNING]
    assert "computing a declared resource: LookupError" in record.getMessage()
    assert "key_of" in record.getMessage()
    assert FEATHER not in caplog.text
    assert FEATHER not in kit.everything()
    shield._counts.clear()
    kit.forgive()


@pytest.mark.slow
async def test_with_capture_on_content_is_on_the_calls_own_span_only(
    make_kit: Callable[..., Kit], caplog: pytest.LogCaptureFixture, logged: Any
) -> None:
    settings = Settings.from_environment({names.CAPTURE_CONTENT: "true"}, emit="both")
    assert settings.capture_content
    kit = make_kit(settings)
    with agent_turn("shape", input=CANARY):
        await chain()
        with pytest.raises(ValueError, match=CANARY):
            await fail(CANARY)
    for span in kit.calls():
        assert span.attributes is not None
        assert CANARY in str(span.attributes[names.TOOL_CALL_ARGUMENTS])
        said = [event.attributes or {} for event in span.events]
        if span.name == "execute_tool fail":
            assert any(CANARY in str(one["exception.message"]) for one in said)
        else:
            assert CANARY in str(span.attributes[names.TOOL_CALL_RESULT])
    found = told(kit, caplog, logged)
    del found["spans and metrics"]
    data = kit.reader.get_metrics_data()
    assert data is not None
    found["metrics"] = data.to_json()
    found["turn"] = kit.span("invoke_agent shape").to_json()
    for where, text in found.items():
        assert FEATHER not in text, where
