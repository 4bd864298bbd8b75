"""
The Claude Agent SDK with a stand-in for Claude Code at the SDK's own seam, its transport.

The stand-in speaks the control protocol: it shakes hands with the program's tool server, asks for all tools of a
response at once, and tells of them in messages, as the process does.
"""

from __future__ import annotations

import asyncio
import inspect
import itertools
import json
from typing import TYPE_CHECKING, Any

from claude_agent_sdk import (
    ClaudeAgentOptions,
    ClaudeSDKClient,
    ResultMessage,
    Transport,
    create_sdk_mcp_server,
    query,
    tool,
)

from frameworks import scenarios
from frameworks.behaviour import PARALLEL, Behaviour

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

BEHAVIOUR = Behaviour(
    modules=("claude_agent_sdk",),
    distribution="claude-agent-sdk",
    asynchronous=PARALLEL,
    blocking=None,
    steps=False,
    round_trip=0.04,
    describes=False,  # the stub does not ask for the list of tools first
)


class Code(Transport):
    """A stub that sends the messages of Claude Code."""

    def __init__(self) -> None:
        self.out: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()
        self.numbers = itertools.count(1)
        self.waiting: dict[str, asyncio.Future[Any]] = {}
        self.running: set[asyncio.Task[None]] = set()

    async def connect(self) -> None:
        """Get ready."""

    async def write(self, data: str) -> None:
        message = json.loads(data)
        if message["type"] == "control_request":
            answer = {"subtype": "success", "request_id": message["request_id"], "response": {}}
            await self.out.put({"type": "control_response", "response": answer})
        elif message["type"] == "control_response":
            self.waiting.pop(message["response"]["request_id"]).set_result(message["response"])
        elif message["type"] == "user":
            task = asyncio.create_task(self._answer(message["message"]["content"]))
            self.running.add(task)
            task.add_done_callback(self.running.discard)

    async def read_messages(self) -> AsyncIterator[dict[str, Any]]:
        while (message := await self.out.get()) is not None:
            yield message

    async def end_input(self) -> None:
        """Stop accepting messages."""

    async def close(self) -> None:
        for task in self.running:
            task.cancel()
        await self.out.put(None)

    def is_ready(self) -> bool:
        return True

    async def _asked(self, method: str, params: dict[str, Any]) -> Any:
        number = next(self.numbers)
        name = f"request_{number}"
        self.waiting[name] = asyncio.get_running_loop().create_future()
        message = {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
        request = {"subtype": "mcp_message", "server_name": "mine", "message": message}
        waiting = self.waiting[name]
        await self.out.put({"type": "control_request", "request_id": name, "request": request})
        return (await waiting)["response"]["mcp_response"]

    async def _run(self, wanted: scenarios.Request) -> dict[str, Any]:
        params = {
            "name": wanted.name,
            "arguments": wanted.arguments,
            "_meta": {"claudecode/toolUseId": wanted.id},
        }
        result = (await self._asked("tools/call", params))["result"]
        return {
            "type": "tool_result",
            "tool_use_id": wanted.id,
            "content": result["content"],
            "is_error": result.get("isError", False),
        }

    async def _answer(self, prompt: str) -> None:
        client = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "code", "version": "1"}}
        await self._asked("initialize", client)
        conversation: list[Any] = [prompt]
        results = 0
        while True:
            await asyncio.sleep(scenarios.THINKING)
            wanted = scenarios.asked_for(json.dumps(conversation), results)
            content: list[dict[str, Any]] = [
                {"type": "tool_use", "id": one.id, "name": f"mcp__mine__{one.name}", "input": one.arguments}
                for one in wanted
            ] or [{"type": "text", "text": scenarios.ANSWER}]
            await self._told("assistant", {"role": "assistant", "model": "stub", "content": content})
            if not wanted:
                break
            blocks = await asyncio.gather(*(self._run(one) for one in wanted))
            results += len(blocks)
            conversation += blocks
            await self._told("user", {"role": "user", "content": list(blocks)})
        done = {"duration_ms": 1, "duration_api_ms": 1, "is_error": False, "num_turns": 1, "result": scenarios.ANSWER}
        await self.out.put({"type": "result", "subtype": "success", "session_id": "s", **done})

    async def _told(self, kind: str, message: dict[str, Any]) -> None:
        await self.out.put({"type": kind, "message": message, "parent_tool_use_id": None, "session_id": "s"})


class Agent:
    """A query with the program's own tools; a streamed run uses a client that stays connected."""

    def __init__(self, url: str) -> None:
        self.url = url

    async def run(self, prompt: str, tools: Sequence[Callable[..., Any]], *, stream: bool = False) -> str:
        server = create_sdk_mcp_server("mine", tools=[offered(each) for each in tools])
        options = ClaudeAgentOptions(mcp_servers={"mine": server})
        code = Code()
        answer = ""
        if stream:
            async with ClaudeSDKClient(options, transport=code) as client:
                await client.query(prompt)
                async for message in client.receive_response():
                    if isinstance(message, ResultMessage):
                        answer = message.result or ""
                await code.close()
            return answer
        async for message in query(prompt=prompt, options=options, transport=code):
            if isinstance(message, ResultMessage):
                answer = message.result or ""
                await code.close()
        return answer


def offered(function: Callable[..., Any]) -> Any:
    """Return a tool in the form of the SDK."""
    names = list(inspect.signature(function).parameters)

    @tool(function.__name__, inspect.getdoc(function) or "", dict.fromkeys(names, str))
    async def run(arguments: dict[str, Any]) -> dict[str, Any]:
        return {"content": [{"type": "text", "text": await function(**arguments)}]}

    return run


BESIDE: dict[str, Any] = {}
