"""``run_tools``: runs the tool calls of one model response, concurrently where possible."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from otel_parallelism import clock
from otel_parallelism.execution.bounded_map.mapping import check_count
from otel_parallelism.execution.calling.call_spans import Place, Recording, calling_place
from otel_parallelism.execution.calling.invocation import Gate, Invocation, Pace, check_timeout, rate_gates
from otel_parallelism.execution.calling.worker_threads import WorkerThreads

from .conflicts import Access, earlier_conflicts
from .tool_calls import RequestedTool, ResponseCalls, response_calls
from .tool_results import ToolResult, error_result, result_messages, success_result
from .toolbox import KnownTool, Tools, toolbox

if TYPE_CHECKING:
    from collections.abc import Mapping

    from otel_parallelism.dialects.parsing.call_shapes import CallForm
    from otel_parallelism.execution.calling.declarations import Resource
    from otel_parallelism.execution.calling.retry import Retrying
    from otel_parallelism.model import Effect


async def run_tools(
    calls: Any,
    tools: Tools,
    *,
    limit: int | None = None,
    rate: Pace | None = None,
    timeout: float | None = None,  # noqa: ASYNC109 - per call, and a timeout is a result
    retry: Retrying | None = None,
    effects: Mapping[str, Effect] | None = None,
    resources: Mapping[str, Resource] | None = None,
    spans: bool = True,
) -> list[dict[str, Any]]:
    """
    Run the tool calls of one model response and return the messages to append to the conversation.

    Each call has one result, in the order of the response. An exception, a timeout, an unknown tool and invalid JSON
    arguments become error results. Only a cancellation of ``run_tools`` itself is raised, after every call has ended.

    Calls run concurrently, but a write keeps its order with reads and other writes, unless both declare a resource and
    the resources differ. The effect of a tool comes from *effects*, else from its ``@profiled``, else from its name.

    Args:
        calls: A response or message of Anthropic's or OpenAI's (chat or responses), as the client's object or a dict;
            its list of calls or content blocks; or plain dicts with ``id``, ``name`` and ``arguments``.
        tools: Functions by name, or a list of functions; async, or else run in threads.
        limit: Maximum number of concurrent calls; by default all.
        rate: Calls per second; as in ``parallel_map``.
        timeout: Maximum duration of an attempt, in seconds, from the start of its body.
        retry: Number of further attempts of a failed call, or a policy; as in ``parallel_map``.
        effects: ``read``, ``write`` or ``unknown`` by tool name or pattern: ``{"*": "read"}`` runs all concurrently.
        resources: The resource that a tool reads or writes, by tool name: a key, or a callable that computes one from
            the arguments.
        spans: Whether the calls are recorded as spans.

    Returns:
        Messages to append to the conversation: for Anthropic a user message with all ``tool_result`` blocks, for
        OpenAI a ``tool`` message or a ``function_call_output`` item per call, for plain dicts one per call with
        ``id``, ``name``, ``content`` and ``is_error``. Results that are neither text nor the provider's own content
        blocks are JSON. Empty if the response requests no tool.

    Raises:
        TypeError: *calls* has no known form, or a tool cannot be called.
        ValueError: *calls* mixes forms, two tools have the same name, or an option is out of its range.
    """
    asked = response_calls(calls)
    known = toolbox(tools, effects, resources)
    if limit is not None:
        check_count("limit", limit)
    check_timeout(timeout)
    gates: tuple[Gate, ...] = () if limit is None else (asyncio.Semaphore(limit),)
    gates += rate_gates(rate)
    threads = WorkerThreads(limit or max(1, len(asked.calls)))
    place = calling_place()
    try:
        invocations = {
            name: Invocation(
                _recording(known[name], place, spans=spans), threads, gates=gates, timeout_s=timeout, retry=retry
            )
            for name in {call.name for call in asked.calls} & known.keys()
        }
        results = await _Round(asked, known, invocations).run()
    finally:
        threads.close()
    return result_messages(asked, results)


def _recording(tool: KnownTool, place: Place, *, spans: bool) -> Recording:
    return Recording(
        tool.function,
        name=tool.name,
        effect=None if tool.given == "unknown" else tool.given,
        resource=tool.resource,
        place=place,
        spans=spans,
    )


class _Round:
    """The calls of one response while they run."""

    def __init__(
        self, asked: ResponseCalls, known: Mapping[str, KnownTool], invocations: Mapping[str, Invocation]
    ) -> None:
        self._form: CallForm = asked.form
        self._calls = asked.calls
        self._known = known
        self._invocations = invocations
        self._submitted_ns = clock.now_ns()

    async def run(self) -> list[ToolResult]:
        """Return the results, in the order of the calls."""
        tasks: list[asyncio.Task[ToolResult]] = []
        before = earlier_conflicts([self._access(call) for call in self._calls])
        async with asyncio.TaskGroup() as group:
            for number, call in enumerate(self._calls):
                awaited = [tasks[earlier] for earlier in before[number]]
                tasks.append(group.create_task(self._one(call, awaited)))
        return [task.result() for task in tasks]

    def _access(self, call: RequestedTool) -> Access:
        # A call that cannot run needs no place in the order.
        if call.problem or call.name not in self._known:
            return Access("", "read")
        return self._known[call.name].access(call.arguments)

    async def _one(self, call: RequestedTool, awaited: list[asyncio.Task[ToolResult]]) -> ToolResult:
        if awaited:
            await asyncio.wait(awaited)
        if call.name not in self._known:
            return error_result(f"there is no tool {call.name!r}; there are {', '.join(self._known) or 'none'}")
        if call.problem:
            return error_result(call.problem)
        arguments: tuple[Any, ...] = (call.arguments,) if isinstance(call.arguments, str) else ()
        named = {} if isinstance(call.arguments, str) else call.arguments
        try:
            value = await self._invocations[call.name](arguments, named, self._submitted_ns, call.call_id)
            return success_result(value, self._form)
        except Exception as error:  # noqa: BLE001 - an exception of a tool is its result
            return error_result(error)
