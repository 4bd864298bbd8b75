"""Bodies of calls that a server in the same process runs, in tasks of its own."""

from __future__ import annotations

import asyncio
import time
from contextvars import Context, copy_context
from typing import TYPE_CHECKING, Any

import pytest

from otel_parallelism import agent_turn
from otel_parallelism.instrumentation.hooks.bodies import served_body_wrapper
from otel_parallelism.instrumentation.hooks.call_wrappers import CallFacts, tool_call_wrapper
from otel_parallelism.tracing import shield
from otel_parallelism.tracing.spans.kinds import Profiled

if TYPE_CHECKING:
    from collections.abc import Callable

    from otel_parallelism.instrumentation.hooks.lifetimes import WrapperFactory
    from tests.conftest import Kit

    Tool = Callable[[], Any]


def patched(function: Any, factory: WrapperFactory) -> Any:
    return Profiled(function, factory("coroutine"))


def called(_: Any, args: Any, __: Any) -> CallFacts:
    return CallFacts(args[1], arguments={}, effect="read")


def served(_: Any, args: Any, __: Any) -> tuple[str, Any] | None:
    return (args[0], args[1]) if args[0] else None


async def holds() -> str:
    time.sleep(0.3)  # noqa: ASYNC251 - on purpose
    await asyncio.sleep(0)
    return "held"


async def waits() -> str:
    await asyncio.sleep(0.3)
    return "waited"


class Server:
    """A server that runs each tool in a task of its own."""

    def __init__(self, *, passes_context: bool = True) -> None:
        self.passes_context = passes_context
        self.asked_for = ""

    async def request(self, tool: str, function: Tool) -> Any:
        context = copy_context() if self.passes_context else Context()
        task = asyncio.get_running_loop().create_task(run_tool(self.asked_for or tool, function), context=context)
        return await task


async def _run_tool(_: str, function: Tool) -> Any:
    return await run_again("look_up", function)


async def _run_again(_: str, function: Tool) -> Any:
    return await function()


run_again = patched(_run_again, served_body_wrapper(served))
run_tool = patched(_run_tool, served_body_wrapper(served))
request = patched(Server.request, tool_call_wrapper(called))


async def held(kit: Kit, server: Server, *functions: Tool) -> list[float]:
    """For how many seconds each call of a turn held the event loop."""
    with agent_turn():
        await asyncio.gather(*(request(server, "look_up", function) for function in functions))
    (report,) = kit.reports
    assert report.calls == len(functions)
    return [round(call.blocked_ns / 1e9, 2) for call in report.turn.calls]


async def test_what_a_served_tool_holds_the_loop_for_is_its_calls(kit: Kit) -> None:
    assert await held(kit, Server(), holds, holds) == [0.3, 0.3]
    (report,) = kit.reports
    assert (report.cause, report.avoidable) == ("blocking", pytest.approx(0.3, abs=0.02))
    assert all("test_bodies.py" in str(call.defined) for call in report.turn.calls)


async def test_a_served_tool_that_waits_holds_nothing(kit: Kit) -> None:
    assert await held(kit, Server(), waits, waits) == [0, 0]
    assert kit.reports[0].verdict == "parallel"


async def test_a_server_without_the_context_of_the_call_is_not_measured(kit: Kit) -> None:
    assert await held(kit, Server(passes_context=False), holds, holds) == [0, 0]


@pytest.mark.parametrize("asked_for", ["other_tool", ""])
async def test_the_body_of_another_tool_is_not_the_calls(kit: Kit, asked_for: str) -> None:
    server = Server()
    server.asked_for = asked_for or "nothing_of_the_kind"
    with agent_turn():
        await request(server, "find", holds)
    assert [call.blocked_ns for call in kit.reports[0].turn.calls] == [0]


async def test_a_server_that_nobody_here_has_called_runs_as_it_is(kit: Kit) -> None:
    assert await run_tool("look_up", holds) == "held"
    assert (kit.reports, kit.spans) == ([], ())


async def test_a_failing_description_leaves_the_tool_alone(kit: Kit) -> None:
    def fails(*_: Any) -> Any:
        raise LookupError("changed")

    kit.forgive()
    assert await patched(_run_again, served_body_wrapper(fails))("look_up", holds) == "held"
    assert len(shield.internal_errors()) == 1
    shield._counts.clear()
