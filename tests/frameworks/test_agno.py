"""Agno beyond the contract: tools that are generators, teams, background runs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator  # noqa: TC003 - Agno reads the tools' annotations
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from agno.agent import Agent
from agno.db.in_memory import InMemoryDb
from agno.models.base import Model
from agno.models.response import ModelResponse
from agno.team import Team

from otel_parallelism.tracing.state.registry import REGISTRY

if TYPE_CHECKING:
    from otel_parallelism import Report

Answer = str | list[tuple[str, str]]


@dataclass
class Scripted(Model):
    """A model that gives the answers in order: texts, or lists of calls as names and arguments."""

    id: str = "scripted"
    answers: list[Any] = field(default_factory=list)

    def invoke(self, *args: Any, **kwargs: Any) -> ModelResponse:
        answer = self.answers.pop(0)
        if isinstance(answer, str):
            return ModelResponse(role="assistant", content=answer)
        asked = [
            {"id": f"call_{len(self.answers)}_{n}", "type": "function", "function": {"name": name, "arguments": given}}
            for n, (name, given) in enumerate(answer)
        ]
        return ModelResponse(role="assistant", tool_calls=asked)

    async def ainvoke(self, *args: Any, **kwargs: Any) -> ModelResponse:
        return self.invoke()

    def invoke_stream(self, *args: Any, **kwargs: Any) -> Iterator[ModelResponse]:
        yield self.invoke()

    async def ainvoke_stream(self, *args: Any, **kwargs: Any) -> AsyncIterator[ModelResponse]:
        yield self.invoke()

    def _parse_provider_response(self, response: Any, **kwargs: Any) -> ModelResponse:
        raise NotImplementedError

    def _parse_provider_response_delta(self, response: Any) -> ModelResponse:
        raise NotImplementedError


def count_up(to: int) -> Iterator[str]:
    """Count up to a number."""
    for number in range(to):
        time.sleep(0.1)
        yield f"{number} "


async def count_down(start: int) -> AsyncIterator[str]:
    """Count down from a number."""
    for number in range(start, 0, -1):
        await asyncio.sleep(0.1)
        yield f"{number} "


async def get_time() -> str:
    """Tell the time."""
    await asyncio.sleep(0.1)
    return "twelve"


def agent(*answers: Answer, name: str = "helper", **options: Any) -> Agent:
    options.setdefault("tools", [count_down, get_time])
    return Agent(name=name, model=Scripted(answers=list(answers)), telemetry=False, **options)


def test_generator_tool_lasts_until_it_is_read(reports: list[Report]) -> None:
    assert agent([("count_up", '{"to": 2}')], "done", tools=[count_up]).run("Go.").content == "done"

    (report,) = reports
    (call,) = report.turn.calls
    assert call.tool == "count_up"
    assert call.duration_ns >= 190_000_000


async def test_async_generator_tool_lasts_until_it_is_read(reports: list[Report]) -> None:
    asked = [("count_down", '{"start": 2}'), ("count_down", '{"start": 2}')]
    assert (await agent(asked, "done").arun("Go.")).content == "done"

    (report,) = reports
    assert (report.calls, report.steps, report.peak_concurrency) == (2, 2, 2)
    assert all(call.duration_ns >= 190_000_000 for call in report.turn.calls)


async def test_member_of_a_team_has_a_turn_inside_a_call(reports: list[Report]) -> None:
    member = agent([("get_time", "{}"), ("get_time", "{}")], "helped", role="Helps.")
    asked = [("delegate_task_to_member", '{"member_id": "helper", "task": "Look."}')]
    team = Team(name="team", members=[member], model=Scripted(answers=[asked, "done"]), telemetry=False)
    assert (await team.arun("Go.")).content == "done"

    inner, outer = reports
    assert (inner.turn.agent, inner.calls, inner.peak_concurrency) == ("helper", 2, 2)
    assert (outer.turn.agent, outer.calls) == ("team", 1)


async def test_background_run_is_a_turn(reports: list[Report]) -> None:
    helper = agent([("get_time", "{}"), ("get_time", "{}")], "done", db=InMemoryDb())
    await helper.arun("Go.", background=True)
    for _ in range(500):
        if reports:
            break
        await asyncio.sleep(0.01)

    assert [(report.calls, report.peak_concurrency) for report in reports] == [(2, 2)]
    assert not REGISTRY.turns


async def test_concurrent_turns_keep_their_calls(reports: list[Report]) -> None:
    asked = [("get_time", "{}")]
    await asyncio.gather(
        agent(asked * 3, "done", name="one").arun("Go."), agent(asked, asked, "done", name="two").arun("Go.")
    )

    found = {report.turn.agent: (report.calls, report.steps, report.peak_concurrency) for report in reports}
    assert found == {"one": (3, 2, 3), "two": (2, 3, 1)}
