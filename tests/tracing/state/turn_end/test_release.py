"""Objects that live longer than a turn, such as a task that it started, hold no content of its calls."""

from __future__ import annotations

import asyncio
import gc
import weakref
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.context import attach, detach, get_current
from opentelemetry.sdk.trace import TracerProvider

from otel_parallelism import Settings, agent_turn, names, profiled
from otel_parallelism.model import Content
from otel_parallelism.tracing import shield
from otel_parallelism.tracing.spans.model_request import ModelRequest
from otel_parallelism.tracing.state.bounds.held_evidence import HELD
from otel_parallelism.tracing.state.turn_end import ending

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.conftest import Kit


class Said:
    """An object of the program, with content."""

    content = "Book me a flight"


@pytest.fixture
def living() -> Iterator[list[asyncio.Task[Any]]]:
    """Tasks that run as long as the program, such as those of a connection."""
    tasks: list[asyncio.Task[Any]] = []
    yield tasks
    for task in tasks:
        task.cancel()


def live_on(living: list[asyncio.Task[Any]]) -> None:
    living.append(asyncio.create_task(asyncio.Event().wait()))


async def gone(*held: weakref.ref[Any]) -> bool:
    await asyncio.sleep(0)
    for generation in range(3):  # what is young costs little to find
        gc.collect(generation)
        if all(each() is None for each in held):
            return True
    return False


@pytest.mark.parametrize("begins", ["in its turn", "after its turn"])
async def test_result_of_call_that_ends_after_its_turn_is_not_held(
    kit: Kit, living: list[asyncio.Task[Any]], begins: str
) -> None:
    @profiled
    async def look() -> Said:
        live_on(living)
        if begins == "in its turn":
            await ended.wait()
        return Said()

    async def later() -> weakref.ref[Said]:
        if begins == "after its turn":
            await ended.wait()
        return weakref.ref(await look())

    ended = asyncio.Event()
    with agent_turn():
        task = asyncio.create_task(later())
        await asyncio.sleep(0)
    ended.set()
    assert await gone(await task)


async def test_user_words_are_released(kit: Kit, living: list[asyncio.Task[Any]]) -> None:
    said, asked = Said(), Said()
    held = weakref.ref(said), weakref.ref(asked)
    with agent_turn(input=said) as turn:
        request = ModelRequest("a model", "a provider", Content(asked))
        request.enter()
        live_on(living)
        request.end()
    del said, asked
    assert await gone(*held)
    # Whoever has the report has it without the words.
    assert turn.report is not None
    assert len(turn.report.turn.inputs) == 2


@pytest.mark.parametrize("sub_agents", [1, 2])
@pytest.mark.slow
async def test_input_of_sub_agent_is_held_as_argument(
    kit: Kit, living: list[asyncio.Task[Any]], sub_agents: int
) -> None:
    held = []

    def sub_agent() -> None:
        said = Said()
        held.append(weakref.ref(said))
        with agent_turn("sub", input=said):
            live_on(living)

    with agent_turn("outer") as outer:
        for _ in range(sub_agents):
            sub_agent()
        assert not await gone(*held)
    assert outer.report is not None
    assert outer.report.calls == (sub_agents if sub_agents > 1 else 0)
    assert await gone(*held)


async def test_words_in_span_without_turn_are_released(kit: Kit, living: list[asyncio.Task[Any]]) -> None:
    said = Said()
    held = weakref.ref(said)
    with kit.tracer().start_as_current_span("worker"):
        with agent_turn(input=said):
            live_on(living)
        del said
        assert await gone(held)


def ask() -> ModelRequest:
    request = ModelRequest("a model", "a provider", Content("words of the user " * 1_000))
    request.enter()
    return request


def test_words_of_a_request_beside_known_words_are_released(kit: Kit) -> None:
    with agent_turn():
        framework, client = ask(), ask()
        for request in (client, framework):
            request.answered(())
            request.end()
        with kit.tracer().start_as_current_span("chat", attributes={"gen_ai.operation.name": "chat"}):
            for request in (ask(), ask()):
                request.end()
    assert HELD.size == 0


def test_words_of_turns_that_wrap_one_another_inside_a_call_are_released(kit: Kit) -> None:
    @profiled
    def start() -> None:
        said = "words of the user " * 1_000
        with agent_turn("a", input=said), agent_turn("b", input=said), agent_turn("c", input=said):
            ask().end()

    start()
    assert HELD.size == 0


def test_words_past_a_bound_are_released(make_kit: Callable[..., Kit]) -> None:
    kit = make_kit(Settings(max_calls_per_turn=0))
    with agent_turn():
        ask().end()
        with agent_turn(input="words of the user " * 1_000):
            pass
        with kit.tracer().start_as_current_span("chat", attributes={"gen_ai.operation.name": "chat"}):
            ask().end()
    assert HELD.size == 0


def test_words_of_a_request_after_its_turn_or_in_an_unknown_trace_are_not_held(kit: Kit) -> None:
    other = TracerProvider(shutdown_on_exit=False).get_tracer("elsewhere")
    with other.start_as_current_span("POST /chat"):
        ask().end()
    with agent_turn():
        context = get_current()
    token = attach(context)
    ask().end()
    detach(token)
    assert HELD.size == 0


def test_contents_of_a_span_that_ends_after_its_turn_are_not_held(kit: Kit) -> None:
    tool = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "look"}
    with agent_turn():
        span = kit.tracer().start_span("look", attributes=tool)
    span.set_attribute("gen_ai.tool.call.result", "a long text " * 1_000)
    span.end()
    assert HELD.size == 0


@pytest.mark.parametrize("failing", ["collect_observations", "turn_outcome"])
def test_contents_of_a_turn_whose_analysis_fails_are_released(
    kit: Kit, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    def fail(*_: object, **_names: object) -> None:
        raise ZeroDivisionError

    @profiled
    def look(text: str) -> str:
        return text

    kit.forgive()
    monkeypatch.setattr(ending, failing, fail)
    with agent_turn(input="words of the user " * 1_000):
        look("a long text " * 1_000)
        ask().end()
    assert HELD.size == 0
    assert shield.internal_errors() == {"ending a turn: ZeroDivisionError": 1}
    shield._counts.clear()


def test_pending_metrics_hold_no_span(make_kit: Callable[..., Kit]) -> None:
    kit = make_kit(Settings(min_avoidable=0))

    @profiled
    def look() -> None: ...

    def run() -> weakref.ref[Any]:
        with agent_turn() as turn:
            look()
            turn.span.set_attribute("prompt", "a long one")
        return weakref.ref(turn.span)

    span = run()
    kit.reports.clear()
    gc.collect(1)
    assert span() is None
    (point,) = kit.points(names.METRIC_TURN_DURATION.name)
    assert point.count == 1
