"""
Runs small random programs, as they are and recorded, with analyses at once and later.

A recorded program must have the same results and leave nothing open or held. Its reports must equal those of its spans.
"""

from __future__ import annotations

import asyncio
import functools
import itertools
import random
import time
from contextlib import contextmanager, nullcontext
from math import inf
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.context import get_current
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor
from opentelemetry.trace import NoOpTracer

from otel_parallelism import Settings, agent_turn, coverage, profiled
from otel_parallelism.model import Content
from otel_parallelism.tracing import shield
from otel_parallelism.tracing.spans.model_request import ModelRequest
from otel_parallelism.tracing.state.bounds.held_evidence import HELD
from otel_parallelism.tracing.state.registry import REGISTRY
from otel_parallelism.tracing.state.turn_end.analysis_thread import ANALYSIS_THREAD
from tests import virtual_time
from tests.amounts import some_of
from tests.conftest import Kit

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from opentelemetry.sdk.trace.export import SpanExporter
    from opentelemetry.trace import Tracer

    from otel_parallelism import Report

pytestmark = [pytest.mark.slow, pytest.mark.many]

LONG = "a long text " * 500
LEAVES = ("awaited", "returned", "streamed", "blocking", "foreign", "request")
BRANCHES = ("turn", "decorated turn", "one by one", "together", "thread", "cancelled", "background")
ROOTS = ("turn", "decorated turn", "agent", "awaited", "returned", "blocking")


class Step:
    """One step of a program, chosen at random with the steps inside; *numbers* gives each its own."""

    def __init__(self, choice: random.Random, depth: int, kinds: tuple[str, ...], numbers: Iterator[int]) -> None:
        self.number = next(numbers)
        self.kind = choice.choice(kinds)
        self.seconds = choice.choice([0.005, 0.02, 0.1])
        self.fails = choice.random() < 0.06
        self.result = choice.choice([f"result-{self.number}", LONG, [self.number, "of it"], None])
        self.tool = choice.choice(["look", "save", "think"])
        inside: tuple[str, ...] = (*LEAVES, *BRANCHES) if depth < 3 else LEAVES
        if self.kind in {"blocking", "thread"}:
            inside = ("blocking",)
        count = choice.choice([0, 0, 1]) if self.kind in LEAVES and depth else choice.randint(1, 3)
        self.inside = [Step(choice, depth + 1, inside, numbers) for _ in range(count if depth < 4 else 0)]

    def kinds(self) -> set[str]:
        """Return the kinds of this step and of all inside."""
        return {self.kind}.union(*(step.kinds() for step in self.inside))


class Program:
    """Runs steps; tools are decorated if *recorded*. It notes the kinds of steps that do not restore the context."""

    def __init__(self, tracer: Tracer, *, recorded: bool) -> None:
        self.tracer = tracer
        self.recorded = recorded
        self.tasks: list[asyncio.Task[Any]] = []
        self.leaks: list[str] = []

    def tool(self, function: Callable[..., Any], step: Step) -> Callable[..., Any]:
        return profiled(name=step.tool)(function) if self.recorded else function

    async def run(self, step: Step) -> Any:
        before = dict(get_current())
        try:
            return await self.kinds[step.kind](self, step)
        finally:
            if dict(get_current()) != before:
                self.leaks.append(step.kind)

    async def body(self, step: Step, *_: object) -> Any:
        await asyncio.sleep(step.seconds)
        inside = [await self.run(each) for each in step.inside]
        if step.fails:
            raise LookupError(step.number)
        return step.result, inside

    def block(self, step: Step, *_: object) -> Any:
        time.sleep(step.seconds)
        inside = [self.tool(self.block, each)(each) for each in step.inside]
        if step.fails:
            raise LookupError(step.number)
        return step.result, inside

    async def awaited(self, step: Step) -> Any:
        return await self.tool(functools.partial(self.body), step)(step, f"argument {step.number}")

    async def returned(self, step: Step) -> Any:
        return await self.tool(lambda step, *_: self.body(step), step)(step, {"text": LONG})

    async def streamed(self, step: Step) -> Any:
        async def stream(step: Step) -> AsyncIterator[Any]:
            yield await self.body(step)
            yield "never asked for"

        items = self.tool(stream, step)(step)
        try:
            return await anext(items)
        finally:
            await items.aclose()

    async def blocking(self, step: Step) -> Any:
        return self.tool(self.block, step)(step, step.number)

    async def foreign(self, step: Step) -> Any:
        attributes = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": f"foreign {step.number}"}
        with self.tracer.start_as_current_span("tool", attributes=attributes if step.number % 3 else None) as span:
            try:
                return await self.body(step)
            finally:
                span.set_attributes({**attributes, "gen_ai.tool.call.result": LONG})

    async def request(self, step: Step) -> Any:
        if not self.recorded:
            return await self.body(step)
        request = ModelRequest("a model", "a provider", Content(LONG))
        request.enter()
        try:
            return await self.body(step)
        finally:
            request.answered(())
            request.end()

    async def turn(self, step: Step) -> Any:
        with agent_turn("turn", input=LONG) if self.recorded else nullcontext():
            return await self.body(step)

    async def agent(self, step: Step) -> Any:
        with self.tracer.start_as_current_span("agent", attributes={"gen_ai.operation.name": "invoke_agent"}):
            return await self.body(step)

    async def decorated_turn(self, step: Step) -> Any:
        return await (agent_turn("decorated")(self.body) if self.recorded else self.body)(step)

    async def together(self, step: Step) -> Any:
        found = await asyncio.gather(*(self.run(each) for each in step.inside), return_exceptions=True)
        return [repr(each) if isinstance(each, BaseException) else each for each in found]

    async def thread(self, step: Step) -> Any:
        return await asyncio.to_thread(self.block, step)

    async def cancelled(self, step: Step) -> Any:
        try:
            return await asyncio.wait_for(self.body(step), 0.0333)
        except TimeoutError:
            return "too late"

    async def background(self, step: Step) -> Any:
        self.tasks.append(asyncio.create_task(self.body(step)))

    kinds: dict[str, Any] = {  # noqa: RUF012 - never changed
        "awaited": awaited,
        "returned": returned,
        "streamed": streamed,
        "blocking": blocking,
        "foreign": foreign,
        "request": request,
        "turn": turn,
        "agent": agent,
        "decorated turn": decorated_turn,
        "one by one": body,
        "together": together,
        "thread": thread,
        "cancelled": cancelled,
        "background": background,
    }

    def outcome(self, step: Step) -> Any:
        """Return what the program and its background tasks return or raise."""

        async def main() -> Any:
            first = await asyncio.gather(self.run(step), return_exceptions=True)
            others = [await asyncio.gather(task, return_exceptions=True) for task in self.tasks]
            return [repr(each) for each in (first, *others)]

        return virtual_time.run(main())


class Exporting(SpanProcessor):
    """Exports each span at its end, and waits for no result."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter

    def on_end(self, span: ReadableSpan) -> None:
        self._exporter.export([span])


@contextmanager
def late_analyses(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Make analyses wait until the block ends, as behind others in the thread."""
    waiting: list[Callable[[], None]] = []
    with monkeypatch.context() as patch:
        patch.setattr(ANALYSIS_THREAD, "available", True)
        patch.setattr(ANALYSIS_THREAD, "submit", waiting.append)
        yield
    for analysis in waiting:
        analysis()


def summary(report: Report) -> dict[str, Any]:
    return {
        "id": report.turn.span_id,
        "calls": sorted((call.span_id, call.tool, call.start_ns, call.end_ns) for call in report.turn.calls),
        "figures": (report.calls, report.ratio, report.work, report.makespan, report.peak_concurrency),
    }


def calls_of(report: Report) -> int:
    """Return how many calls of a report are no sub-agents."""
    past = report.turn.past_bound
    kept = sum(not call.sub_agent for call in report.turn.calls)
    return kept if past is None else kept + past.calls + past.inner


def check(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    choice = random.Random(seed)  # noqa: S311 - no secret depends on it
    step = Step(choice, 0, ROOTS, itertools.count())
    step.tool = "look"  # a tool that is no call may be no turn either
    bounded = choice.random() < 0.2
    late = choice.random() < 0.6
    settings = Settings(
        max_calls_per_turn=choice.randint(0, 3) if bounded else 10_000,
        turn_end_budget=0 if late else inf,
        evidence=choice.random() < 0.8,
        max_held_bytes=choice.choice([0, 20_000, 64_000_000]),
    )
    plain = Program(NoOpTracer(), recorded=False).outcome(step)
    kit = Kit(settings, exporting=Exporting)
    try:
        program = Program(kit.tracer(), recorded=True)
        with late_analyses(monkeypatch) if late else nullcontext():
            outcome = program.outcome(step)
        assert (outcome, program.leaks) == (plain, [])
        assert shield.internal_errors() == {}
        assert (REGISTRY.spans, REGISTRY.turns, REGISTRY.candidates, HELD.size) == ({}, {}, {}, 0)
        seen = coverage()
        assert seen.calls == seen.calls_without_turn + sum(map(calls_of, kit.reports))
        # Only the exported spans show what goes on after a turn, as a thread does; they know of no bound.
        kinds = step.kinds()
        if not (bounded or "background" in kinds or {"thread", "cancelled"} <= kinds):
            stored = kit.stored()
            live = sorted(map(summary, kit.reports), key=lambda each: str(each["id"]))
            assert live == sorted(map(summary, stored.reports), key=lambda each: str(each["id"]))
            assert (seen.calls, seen.calls_without_turn) == (stored.coverage.calls, stored.coverage.calls_without_turn)
    finally:
        kit.close()


@pytest.mark.parametrize("first", some_of(range(0, 400, 50)))
def test_random_programs(first: int, monkeypatch: pytest.MonkeyPatch, make_kit: Any) -> None:
    for seed in range(first, first + 50):
        try:
            check(seed, monkeypatch)
        except BaseException as error:
            error.add_note(f"seed {seed}")
            raise
