"""The annotations of the program's own tools give their effects, regardless of their names."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from claude_agent_sdk import ClaudeAgentOptions, ResultMessage, ToolAnnotations, create_sdk_mcp_server, query, tool
from frameworks.contract.claude_agent_sdk import Code
from frameworks.scenarios import ROUNDS

from otel_parallelism.instrumentation.frameworks import claude_agent_sdk
from otel_parallelism.instrumentation.hooks.patching import PATCHING


class Listed(Code):
    """A stub of Claude Code that lists the tools before it calls one."""

    async def _asked(self, method: str, params: dict[str, Any]) -> Any:
        answer = await super()._asked(method, params)
        if method == "initialize":
            await super()._asked("tools/list", {})
        return answer


def offered(name: str, argument: str, *, reads: bool) -> Any:
    @tool(name, name, {argument: str}, annotations=ToolAnnotations(readOnlyHint=reads))
    async def run(_: dict[str, Any]) -> dict[str, Any]:
        await asyncio.sleep(0.1)
        return {"content": [{"type": "text", "text": f"What {name} has found"}]}

    return run


@pytest.mark.parametrize("reads", [True, False])
async def test_annotations_give_the_effect_of_a_tool(make_kit: Any, *, reads: bool) -> None:
    kit = make_kit()
    PATCHING.start([claude_agent_sdk.FRAMEWORK])
    try:
        wanted = (("get_weather", "city"), ("get_stock", "symbol"), ("get_news", "topic"))
        server = create_sdk_mcp_server("mine", tools=[offered(*each, reads=reads) for each in wanted])
        code = Listed()
        async for message in query(
            prompt=ROUNDS, options=ClaudeAgentOptions(mcp_servers={"mine": server}), transport=code
        ):
            if isinstance(message, ResultMessage):
                await code.close()
    finally:
        PATCHING.stop()
    (report,) = kit.reports
    effects = [(call.effect, call.effect_source) for call in report.turn.calls]
    assert effects == [("read" if reads else "write", "framework")] * 3
    assert [call.description for call in report.turn.calls] == ["get_weather", "get_stock", "get_news"]
    assert [finding.advice for finding in report.findings] == (["recommended"] if reads else [])
