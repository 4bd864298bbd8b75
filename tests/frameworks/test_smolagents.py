"""smolagents beyond the contract: code that calls tools, agents as tools, custom models, concurrent turns."""

from __future__ import annotations

import copy
import pickle
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from smolagents import CodeAgent, Model, ToolCallingAgent, tool
from smolagents.models import ChatMessage, MessageRole

from otel_parallelism.instrumentation.instrumentor import ParallelismInstrumentor

if TYPE_CHECKING:
    from otel_parallelism import Report


class Scripted(Model):
    """A model that gives the answers in order: texts, or lists of calls as names and arguments."""

    def __init__(self, *answers: str | list[tuple[str, dict[str, Any]]]) -> None:
        super().__init__()
        self.model_id = "scripted"
        self.answers = list(answers)

    def generate(self, messages: list[Any], **_: Any) -> ChatMessage:
        answer = self.answers.pop(0)
        if isinstance(answer, str):
            return ChatMessage(MessageRole.ASSISTANT, answer)
        asked = [
            {"id": f"call_{len(self.answers)}_{n}", "type": "function", "function": {"name": name, "arguments": given}}
            for n, (name, given) in enumerate(answer)
        ]
        return ChatMessage(MessageRole.ASSISTANT, None, asked)


@tool
def get_weather(city: str) -> str:
    """Tell the weather in a city.

    Args:
        city: Name of the city.
    """
    time.sleep(0.3)
    return f"rain in {city}"


@tool
def get_time() -> str:
    """Tell the time."""
    time.sleep(0.3)
    return "twelve"


BURST: list[tuple[str, dict[str, Any]]] = [
    ("get_weather", {"city": "Oslo"}),
    ("get_weather", {"city": "Rome"}),
    ("get_time", {}),
]
DONE: list[tuple[str, dict[str, Any]]] = [("final_answer", {"answer": "done"})]


def agent(*answers: Any, name: str = "helper", **options: Any) -> ToolCallingAgent:
    tools = [get_weather, get_time]
    return ToolCallingAgent(tools=tools, model=Scripted(*answers), name=name, verbosity_level=0, **options)


def test_custom_model_has_steps_and_proves_its_rounds(reports: list[Report]) -> None:
    assert agent(BURST, DONE).run("Go.") == "done"

    (report,) = reports
    assert (report.steps, report.calls, report.peak_concurrency, report.verdict) == (2, 3, 3, "parallel")
    assert all(call.proved for call in report.turn.calls)
    assert sorted(call.call_id for call in report.turn.calls) == ["call_1_0", "call_1_1", "call_1_2"]


@pytest.mark.parametrize(
    ("task", "verdict"),
    [("How is the weather in Oslo, Rome and Bonn?", "sequential"), ("Go.", "possibly_sequential")],
    ids=["the user named the cities", "the code may have computed them"],
)
def test_code_that_calls_tools_one_by_one_is_the_cause(task: str, verdict: str, reports: list[Report]) -> None:
    lines = ("a = get_weather(city='Oslo')", "b = get_weather('Rome')", "c = get_weather('Bonn')")
    code = "\n".join(("<code>", *lines, "final_answer(a + b + c)", "</code>"))
    coder = CodeAgent(tools=[get_weather], model=Scripted(code), verbosity_level=0)
    assert coder.run(task) == "rain in Oslorain in Romerain in Bonn"

    (report,) = reports
    assert [call.tool for call in report.turn.calls] == ["get_weather"] * 3
    assert (report.cause, report.verdict, report.steps) == ("code", verdict, 1)


def test_code_that_passes_a_result_on_is_necessarily_serial(reports: list[Report]) -> None:
    code = "<code>\na = get_time()\nb = get_weather(a)\nfinal_answer(b)\n</code>"
    coder = CodeAgent(tools=[get_weather, get_time], model=Scripted(code), verbosity_level=0)
    assert coder.run("Go.") == "rain in twelve"

    assert [(report.calls, report.verdict) for report in reports] == [(2, "serial_by_need")]


def test_agent_as_a_tool_has_a_turn_inside_a_call(reports: list[Report]) -> None:
    helper = agent(BURST, DONE, description="Knows the weather.")
    chief = agent([("helper", {"task": "Look."}), ("get_time", {})], DONE, name="chief", managed_agents=[helper])
    assert chief.run("Go.") == "done"

    inner, outer = reports
    assert (inner.turn.agent, inner.calls, inner.peak_concurrency) == ("helper", 3, 3)
    assert (outer.turn.agent, outer.calls, outer.peak_concurrency) == ("chief", 2, 2)
    assert sorted(call.tool for call in outer.turn.calls if not call.scope) == ["get_time", "helper"]


def test_agent_called_by_code_is_a_sub_agent(reports: list[Report]) -> None:
    helper = agent(BURST, DONE, description="Knows the weather.")
    code = "<code>\nfinal_answer(helper(task='Look.'))\n</code>"
    chief = CodeAgent(tools=[], model=Scripted(code), managed_agents=[helper], name="chief", verbosity_level=0)
    assert "done" in str(chief.run("Go."))

    assert (reports[0].turn.agent, reports[0].calls) == ("helper", 3)


def test_concurrent_turns_keep_their_calls(reports: list[Report]) -> None:
    with ThreadPoolExecutor(2) as pool:
        one = pool.submit(agent(BURST, DONE, name="one").run, "Go.")
        two = pool.submit(agent(BURST[:2], BURST[2:], DONE, name="two").run, "Go.")
        assert (one.result(), two.result()) == ("done", "done")

    found = {report.turn.agent: (report.calls, report.steps, report.peak_concurrency) for report in reports}
    assert found == {"one": (3, 2, 3), "two": (3, 3, 2)}


def test_discarded_stream_ends_its_turn(reports: list[Report]) -> None:
    stream = agent(BURST, DONE).run("Go.", stream=True)
    for _ in range(3):
        next(stream)
    assert reports == []
    # smolagents yields while it is being closed, with or without patches.
    with pytest.raises(RuntimeError, match="ignored GeneratorExit"):
        stream.close()

    assert [report.turn.agent for report in reports] == ["helper"]


def test_patched_objects_can_be_copied_and_pickled(reports: list[Report]) -> None:
    assert pickle.loads(pickle.dumps(ToolCallingAgent.execute_tool_call)) is not None  # noqa: S301 - our own
    assert copy.deepcopy(ToolCallingAgent) is ToolCallingAgent
    assert agent(DONE).run("Go.") == "done"
    assert isinstance(pickle.loads(pickle.dumps(Scripted(DONE))), Scripted)  # noqa: S301 - our own


def test_uninstrument_restores_the_method_of_a_custom_model() -> None:
    before = vars(Scripted)["generate"]
    ParallelismInstrumentor().instrument()
    agent(DONE).run("Go.")
    agent(DONE).run("Go.")
    assert vars(Scripted)["generate"].__wrapped__ is before
    ParallelismInstrumentor().uninstrument()
    assert vars(Scripted)["generate"] is before
