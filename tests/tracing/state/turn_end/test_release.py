"""Objects that live longer than a turn, such as a task that it started, hold no content of its calls."""

from __future__ import annotations

import asyncio
import gc
import weakref
from typing import TYPE_CHECKING, Any

import pytest

from otel_parallelism import Settings, agent_turn, names, profiled
from otel_parallelism.model import Content
from otel_parallelism.tracing.spans.model_request import ModelRequest

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
