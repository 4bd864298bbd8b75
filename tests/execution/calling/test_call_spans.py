from __future__ import annotations

import asyncio
import functools
import time
from typing import TYPE_CHECKING, Any

import pytest
import wrapt

from otel_parallelism import agent_turn, parallel_map, profiled, run_tools
from otel_parallelism.execution import Rate, Retry, TaskGraph
from otel_parallelism.names import EFFECT, ERROR_TYPE, QUEUE_TIME, RESOURCE, TOOL_CALL_ID, TOOL_NAME
from tests.virtual_time import exactly

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan

    from otel_parallelism import Report
    from tests.execution.conftest import Near, Run, Spans


def seconds(span: ReadableSpan) -> float:
    assert span.start_time is not None
    assert span.end_time is not None
    return (span.end_time - span.start_time) / 1e9


def attribute(span: ReadableSpan, key: str) -> Any:
    return (span.attributes or {}).get(key)


def report_of(turn: agent_turn) -> Report:  # type: ignore[valid-type] # the factory stands for what it makes
    assert turn.report is not None
    return turn.report


class Session:
    @profiled(effect="read")
    async def look(self, name: str) -> str:
        await asyncio.sleep(0.06)
        return f"nothing about {name}"

    def look_well(self, name: str) -> str:
        time.sleep(0.06)
        return f"nothing about {name}"


@pytest.mark.parametrize("method", ["look", "look_well"])
def test_mapping_a_method_needs_the_call_that_returned_its_object(run: Run, spans: Spans, method: str) -> None:
    @profiled(effect="read")
    async def open_session() -> Session:
        await asyncio.sleep(0.06)
        return Session()

    async def main() -> Report:
        async with agent_turn() as turn:
            session = await open_session()
            await parallel_map(["Ann"], getattr(session, method), limit=3)
        return report_of(turn)

    assert run(main).verdict == "serial_by_need"
    assert len(spans.calls()) == 2


@pytest.mark.parametrize("is_async", [True, False])
def test_waiting_for_a_place_is_queue_time_and_no_work(run: Run, near: Near, spans: Spans, is_async: bool) -> None:
    async def fetch_async(_: int) -> None:
        await asyncio.sleep(0.05)

    def fetch(_: int) -> None:
        time.sleep(0.05)

    async def main() -> Report:
        async with agent_turn("batch") as turn:
            await parallel_map(range(6), fetch_async if is_async else fetch, limit=2, name="fetch")
        return report_of(turn)

    report = run(main)
    calls = spans.calls()
    assert [attribute(call, TOOL_NAME) for call in calls] == ["fetch"] * 6
    assert [seconds(call) for call in calls] == [near(0.05)] * 6
    queued = [attribute(call, QUEUE_TIME) or 0 for call in calls]
    assert queued == [near(delay_s) for delay_s in (0, 0, 0.05, 0.05, 0.1, 0.1)]
    assert report.calls == 6
    assert report.peak_concurrency == 2
    assert report.ratio == pytest.approx(2, rel=1e-5 if near is exactly else 0.2)
    assert [call.queue_ns / 1e9 for call in report.turn.calls] == pytest.approx(queued, abs=0.001)


def test_waiting_for_a_rate_is_queue_time(run: Run, near: Near, spans: Spans) -> None:
    async def fetch(_: int) -> None:
        pass

    async def main() -> None:
        await parallel_map(iter(range(3)), fetch, limit=3, rate=Rate(20))

    run(main)
    assert [attribute(call, QUEUE_TIME) or 0 for call in spans.calls()] == [near(0), near(0.05), near(0.1)]
    assert [seconds(call) for call in spans.calls()] == [near(0)] * 3


def test_a_pause_before_another_attempt_is_neither(run: Run, spans: Spans) -> None:
    attempts = 0

    async def fetch(_: int) -> None:
        nonlocal attempts
        attempts += 1
        if attempts == 1:
            raise ConnectionError

    async def main() -> None:
        await parallel_map([0], fetch, limit=1, retry=Retry(times=1, wait=0.1))

    run(main)
    first, second = spans.calls()
    assert (first.status.is_ok, second.status.is_ok) == (False, True)
    assert attribute(second, QUEUE_TIME) is None
    assert (second.start_time or 0) - (first.end_time or 0) > 0.04e9  # the pause is 0.05 s to 0.1 s, at random


@pytest.mark.parametrize("is_async", [True, False])
def test_profiled_function_makes_one_span_with_its_declarations(run: Run, spans: Spans, is_async: bool) -> None:
    @profiled(name="load", effect="read", resource=lambda table, key: f"{table}/{key}")
    async def load_async(table: str, key: int) -> int:
        return key

    @profiled(name="load", effect="read", resource=lambda table, key: f"{table}/{key}")
    def load(table: str, key: int) -> int:
        return key

    async def main() -> list[int]:
        return await parallel_map([1, 2], functools.partial(load_async if is_async else load, "users"), limit=1)

    assert run(main) == [1, 2]
    assert [
        (attribute(call, TOOL_NAME), attribute(call, EFFECT), attribute(call, RESOURCE)) for call in spans.calls()
    ] == [("load", "read", "users/1"), ("load", "read", "users/2")]


def test_a_profiled_method(run: Run, spans: Spans) -> None:
    class Shop:
        stock = 5

        @profiled(effect="read")
        async def count(self, item: str) -> int:
            return self.stock + len(item)

    async def main() -> Any:
        return await run_tools([{"id": "a", "name": "count", "arguments": {"item": "x"}}], [Shop().count])

    assert run(main) == [{"id": "a", "name": "count", "content": "6", "is_error": False}]
    (call,) = spans.calls()
    assert (attribute(call, TOOL_NAME), attribute(call, EFFECT), attribute(call, TOOL_CALL_ID)) == (
        "count",
        "read",
        "a",
    )


def test_calls_inside_a_call_are_its_children(run: Run, spans: Spans) -> None:
    @profiled
    async def inner() -> None:
        pass

    async def outer(_: int) -> None:
        await inner()

    async def main() -> None:
        await parallel_map(range(2), outer, limit=2)

    run(main)
    by_id = {span.context.span_id: span for span in spans.calls() if span.context}
    inside = [span for span in spans.calls() if span.name.endswith("inner")]
    assert [by_id[span.parent.span_id].name for span in inside if span.parent] == ["execute_tool outer"] * 2


def test_awaitable_result_of_a_sync_function_is_part_of_its_call(run: Run, near: Near, spans: Spans) -> None:
    @profiled
    async def inner(_: int) -> None:
        await asyncio.sleep(0.05)

    async def main() -> None:
        await parallel_map(range(2), lambda number: inner(number), limit=2, name="outer")  # noqa: PLW0108

    run(main)
    outer = [span for span in spans.calls() if span.name.endswith("outer")]
    assert [seconds(span) for span in outer] == [near(0.05)] * 2


@pytest.mark.parametrize("timeout", [None, 5])
def test_an_async_function_that_another_wraps_may_return_any_awaitable(
    run: Run, near: Near, spans: Spans, timeout: float | None
) -> None:
    @wrapt.decorator
    def begun_at_once(wrapped: Any, _: object, args: tuple[int, ...], __: object) -> asyncio.Task[int]:
        if args[0] < 0:
            raise StopIteration(args[0])
        return asyncio.ensure_future(wrapped(*args))

    @begun_at_once
    async def fetch(number: int) -> int:
        await asyncio.sleep(0.02)
        return 2 * number

    async def main() -> list[Any]:
        async with agent_turn("wrapped"):
            return await parallel_map([1, -1, 2], fetch, limit=3, timeout=timeout, on_error="return")

    first, stopped, last = run(main)
    assert (first, last) == (2, 4)
    assert isinstance(stopped, RuntimeError)  # a StopIteration would be taken for a result
    assert isinstance(stopped.__cause__, StopIteration)
    assert sorted(seconds(call) for call in spans.calls()) == [near(0), near(0.02), near(0.02)]
    assert [attribute(call, ERROR_TYPE) for call in spans.calls()].count("StopIteration") == 1


def test_no_spans_where_none_are_wanted(run: Run, spans: Spans) -> None:
    async def fetch(number: int) -> int:
        return number

    async def main() -> None:
        await parallel_map(range(3), fetch, limit=2, spans=False)
        await run_tools([{"id": "a", "name": "fetch", "arguments": {"number": 1}}], [fetch], spans=False)
        graph = TaskGraph(spans=False)
        graph.add(fetch)
        await graph.run(number=1)

    run(main)
    assert spans.all() == []


def test_errors_and_cancellations_are_on_the_spans(run: Run, spans: Spans) -> None:
    async def work(number: int) -> None:
        await asyncio.sleep(0.01 if number == 0 else 10)
        raise LookupError

    async def main() -> None:
        with pytest.raises(LookupError):
            await parallel_map(range(2), work, limit=2)

    run(main)
    assert sorted(attribute(span, "error.type") for span in spans.calls()) == ["CancelledError", "LookupError"]


def test_a_round_run_together_is_seen_as_parallel(run: Run, near: Near) -> None:
    async def get_weather(city: str) -> str:
        await asyncio.sleep(0.1)
        return city

    asked = [{"type": "tool_use", "id": f"t{n}", "name": "get_weather", "input": {"city": "x"}} for n in range(5)]

    async def main() -> Report:
        async with agent_turn("trip") as turn:
            await run_tools(asked, [get_weather])
        return report_of(turn)

    report = run(main)
    assert report.verdict == "parallel"
    assert report.ratio == pytest.approx(5, rel=1e-5 if near is exactly else 0.2)
    assert report.findings == ()
    assert [call.call_id for call in report.turn.calls] == ["t0", "t1", "t2", "t3", "t4"]
    assert report.turn.calls[0].caller is not None
    assert report.turn.calls[0].caller.file_path == __file__


def test_a_chain_in_a_graph_is_seen_as_needed(run: Run) -> None:
    graph = TaskGraph()

    @graph.task
    async def get_a() -> int:
        await asyncio.sleep(0.06)
        return 1

    @graph.task
    async def get_b(get_a: int) -> int:
        await asyncio.sleep(0.06)
        return get_a

    @graph.task
    async def get_c(get_b: int) -> int:
        await asyncio.sleep(0.06)
        return get_b

    async def main() -> Report:
        async with agent_turn("chain") as turn:
            await graph.run()
        return report_of(turn)

    report = run(main)
    assert report.verdict == "serial_by_need"
    assert report.efficiency == pytest.approx(1, abs=0.02)
    assert [call.depends_on for call in report.turn.calls] == [(), ("get_a",), ("get_b",)]


def test_a_bounded_map_is_a_limit_and_no_waste(run: Run) -> None:
    async def get_page(_: int) -> None:
        await asyncio.sleep(0.05)

    async def main() -> Report:
        async with agent_turn("batch") as turn:
            await parallel_map(range(20), get_page, limit=4)
        return report_of(turn)

    report = run(main)
    assert report.efficiency == pytest.approx(1, abs=0.05)
    assert report.chains == 0
    assert report.avoidable == 0


@pytest.mark.usefixtures("no_threads_left")
def test_result_of_a_thread_after_its_timeout_is_closed(run: Run, spans: Spans) -> None:
    begun = []

    async def rest() -> None:
        begun.append(True)

    def slow(_: int) -> Any:
        time.sleep(0.1)
        return rest()

    async def main() -> Any:
        found = await parallel_map([0], slow, limit=1, timeout=0.02, on_error="return")
        await asyncio.sleep(0.2)
        return found

    (error,) = run(main)
    assert isinstance(error, TimeoutError)
    assert begun == []
    assert [attribute(span, "error.type") for span in spans.calls()] == ["CancelledError"]
