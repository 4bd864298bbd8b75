"""CrewAI beyond the contract: native async runs, delegation, tools named in text, concurrent crews."""

from __future__ import annotations

import asyncio
import os
import time
from typing import TYPE_CHECKING, Any

import pytest

os.environ["CREWAI_DISABLE_TELEMETRY"] = "true"
os.environ["CREWAI_TRACING_ENABLED"] = "false"

from crewai import Agent, BaseLLM, Crew, Task
from crewai.tools import BaseTool, tool
from pydantic import Field

if TYPE_CHECKING:
    from otel_parallelism import Report

pytestmark = [
    pytest.mark.filterwarnings("ignore:(function_calling_llm is )?deprecated:DeprecationWarning:crewai[.].*"),
]

Answer = str | list[tuple[str, dict[str, Any]]]


class Scripted(BaseLLM):
    """A model that gives the answers in order: texts, or lists of calls as names and arguments."""

    answers: list[Any] = Field(default_factory=list)
    native: bool = True

    def call(self, messages: Any, tools: Any = None, *args: Any, **kwargs: Any) -> Any:
        answer = self.answers.pop(0)
        if isinstance(answer, str):
            return answer
        return [
            {"id": f"call_{len(self.answers)}_{n}", "function": {"name": name, "arguments": given}}
            for n, (name, given) in enumerate(answer)
        ]

    async def acall(self, messages: Any, tools: Any = None, *args: Any, **kwargs: Any) -> Any:
        return self.call(messages, tools)

    def supports_function_calling(self) -> bool:
        return self.native


@tool("Get Weather")
def get_weather(city: str) -> str:
    """Tell the weather in a city."""
    time.sleep(0.1)
    return f"rain in {city}"


class Clock(BaseTool):
    name: str = "get_time"
    description: str = "Tell the time."

    def _run(self) -> str:
        time.sleep(0.1)
        return "twelve"


BURST: list[tuple[str, dict[str, Any]]] = [
    ("get_weather", {"city": "Oslo"}),
    ("get_weather", {"city": "Rome"}),
    ("get_time", {}),
]


def crew(*answers: Answer, name: str = "crew", native: bool = True, agents: tuple[Agent, ...] = ()) -> Crew:
    llm = Scripted(model="scripted", answers=list(answers), native=native)
    lead = Agent(
        role=f"lead of {name}",
        goal="Answer.",
        backstory="Helpful.",
        llm=llm,
        tools=[get_weather, Clock()],
        allow_delegation=bool(agents),
    )
    task = Task(description="Go.", expected_output="An answer.", agent=lead)
    return Crew(name=name, agents=[lead, *agents], tasks=[task])


def test_ids_of_a_custom_model_prove_the_rounds(reports: list[Report]) -> None:
    assert crew(BURST, "done").kickoff().raw == "done"

    (report,) = reports
    assert (report.turn.agent, report.steps, report.calls, report.peak_concurrency) == ("lead of crew", 2, 3, 3)
    assert all(call.proved for call in report.turn.calls)
    assert sorted(call.call_id for call in report.turn.calls) == ["call_1_0", "call_1_1", "call_1_2"]
    assert {call.tool for call in report.turn.calls} == {"get_weather", "get_time"}


async def test_native_async_run_is_a_turn(reports: list[Report]) -> None:
    assert (await crew(BURST, "done").akickoff()).raw == "done"

    (report,) = reports
    assert (report.calls, report.steps, report.peak_concurrency, report.coverage) == (3, 2, 3, 1.0)


def test_tools_named_in_text_are_requested_one_by_one(reports: list[Report]) -> None:
    said = [f'Thought: x\nAction: get_weather\nAction Input: {{"city": "{city}"}}' for city in ("Oslo", "Rome")]
    final = "Thought: I now know the final answer\nFinal Answer: done"
    assert crew(*said, final, native=False).kickoff().raw == "done"

    (report,) = reports
    assert [call.tool for call in report.turn.calls] == ["get_weather", "get_weather"]
    assert (report.cause, report.peak_concurrency) == ("model", 1)


def test_coworker_has_a_turn_inside_a_call(reports: list[Report]) -> None:
    llm = Scripted(model="scripted", answers=[BURST, "helped"])
    helper = Agent(role="helper", goal="Help.", backstory="Helpful.", llm=llm, tools=[get_weather, Clock()])
    asked = {"task": "Look.", "context": "None.", "coworker": "helper"}
    delegate: Answer = [("delegate_work_to_coworker", asked), ("get_time", {})]
    assert crew(delegate, "done", agents=(helper,)).kickoff().raw == "done"

    inner, outer = reports
    assert (inner.turn.agent, inner.calls, inner.peak_concurrency) == ("helper", 3, 3)
    assert (outer.turn.agent, outer.calls, outer.peak_concurrency) == ("lead of crew", 2, 2)


async def test_concurrent_crews_keep_their_calls(reports: list[Report]) -> None:
    one, two = crew(BURST, "done", name="one"), crew(BURST[:2], BURST[2:], "done", name="two")
    await asyncio.gather(one.kickoff_async(), two.kickoff_async())

    found = {report.turn.agent: (report.calls, report.steps, report.peak_concurrency) for report in reports}
    assert found == {"lead of one": (3, 2, 3), "lead of two": (3, 3, 2)}


def test_crew_of_two_tasks_counts_the_runs_of_its_agents(reports: list[Report]) -> None:
    first = crew(BURST, "done", name="first")
    second = crew(BURST, "done", name="second")
    both = Crew(name="both", agents=[*first.agents, *second.agents], tasks=[*first.tasks, *second.tasks])
    assert both.kickoff().raw == "done"

    *agents, whole = reports
    assert [(report.turn.agent, report.calls) for report in agents] == [("lead of first", 3), ("lead of second", 3)]
    assert (whole.turn.agent, whole.calls) == ("both", 2)
    assert all(call.sub_agent for call in whole.turn.calls if not call.scope)
    assert all(finding.advice == "potential" for finding in whole.findings)
