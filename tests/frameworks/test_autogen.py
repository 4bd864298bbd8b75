"""AutoGen beyond the contract: agents and teams as tools."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.teams import RoundRobinGroupChat
from autogen_agentchat.tools import AgentTool, TeamTool
from autogen_core import FunctionCall
from autogen_core.models import CreateResult, ModelFamily, ModelInfo, RequestUsage
from autogen_ext.models.replay import ReplayChatCompletionClient

if TYPE_CHECKING:
    from otel_parallelism import Report

USAGE = RequestUsage(prompt_tokens=7, completion_tokens=3)


def agent(name: str, *answers: str | tuple[str, dict[str, Any]], tools: Any = None) -> AssistantAgent:
    """An agent whose model gives the answers in order: a text, or one call."""
    results = [
        CreateResult(finish_reason="stop", content=answer, usage=USAGE, cached=False)
        if isinstance(answer, str)
        else CreateResult(
            finish_reason="function_calls",
            content=[FunctionCall(id=f"call_{at}", name=answer[0], arguments=json.dumps(answer[1]))],
            usage=USAGE,
            cached=False,
        )
        for at, answer in enumerate(answers)
    ]
    info = ModelInfo(
        vision=False,
        function_calling=True,
        json_output=False,
        family=ModelFamily.UNKNOWN,
        structured_output=False,
    )
    return AssistantAgent(
        name,
        model_client=ReplayChatCompletionClient(results, model_info=info),
        description=name,
        tools=tools,
        max_tool_iterations=5,
    )


@pytest.mark.parametrize("team", [False, True])
async def test_agent_as_a_tool_has_arguments_and_a_result(reports: list[Report], *, team: bool) -> None:
    async def cancel_order(order: str) -> str:
        return f"gone: {order}"

    helper = agent("helper", "It is ord_58213.")
    tool = TeamTool(RoundRobinGroupChat([helper], max_turns=1), "ask", "Ask.") if team else AgentTool(helper)
    asked = [(tool.name, {"task": "Which order?"}), ("cancel_order", {"order": "ord_58213"})]
    answer = await agent("chief", *asked, "done", tools=[tool, cancel_order]).run(task="Cancel it.")

    assert answer.messages[-1].to_text() == "done"
    report = next(report for report in reports if report.turn.agent == "chief")
    assert [call.tool for call in report.turn.calls] == [tool.name, "cancel_order"]
    assert all(call.arguments is not None and call.result is not None for call in report.turn.calls)
