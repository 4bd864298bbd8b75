"""llama_index: runs of its agents and agent workflows, their tools and their model requests."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from otel_parallelism.dialects.parsing.messages import user_words
from otel_parallelism.instrumentation.hooks.call_wrappers import CallFacts, Returned, tool_call_wrapper
from otel_parallelism.instrumentation.hooks.lifetime_wrappers import lifetime_wrapper
from otel_parallelism.instrumentation.hooks.lifetimes import Lifetime, argument, end_with_future
from otel_parallelism.instrumentation.hooks.patching import Framework, Patch
from otel_parallelism.instrumentation.hooks.turn_wrappers import TurnFacts, turn_wrapper
from otel_parallelism.model import Content
from otel_parallelism.tracing.shield import swallow
from otel_parallelism.tracing.spans.model_request import ModelRequest

if TYPE_CHECKING:
    from otel_parallelism.instrumentation.hooks.lifetimes import Arguments, Keywords

_AGENT = "llama_index.core.agent.workflow.base_agent:BaseWorkflowAgent"
_TEAM = "llama_index.core.agent.workflow.multi_agent_workflow:AgentWorkflow"
_PAUSES = ("WaitingForEvent",)
"""Raised by a tool to wait for an event, for example from a human; the tool is then called again."""


def _call(agent: Any, args: Arguments, kwargs: Keywords) -> CallFacts:
    event = argument(args, kwargs, 1, "ev")
    given = event.tool_kwargs if isinstance(event.tool_kwargs, Mapping) else None
    tool = _tool(agent, event.tool_name)
    return CallFacts(
        event.tool_name,
        event.tool_id or "",
        given,
        pauses=_PAUSES,
        function=getattr(tool, "_real_fn", None),
        description=getattr(getattr(tool, "metadata", None), "description", None),
    )


def _tool(agent: Any, name: str) -> Any:
    tools = getattr(agent, "tools", None)
    for tool in tools if isinstance(tools, list) else ():
        # An agent accepts plain functions, too.
        if getattr(getattr(tool, "metadata", None), "name", None) == name:
            return tool
    return None


def _read(event: Any) -> Returned:
    output = event.tool_output
    return Returned(output.content, failed=output.is_error is True)


def _turn(agent: Any, args: Arguments, kwargs: Keywords) -> TurnFacts:
    # A workflow of several agents takes the name of its first agent.
    name = getattr(agent, "name", None) or getattr(agent, "root_agent", None)
    said = kwargs.get("user_msg") or argument(args, kwargs, 0, "start_event")
    if not isinstance(said, str):
        said = _words((said, *(kwargs.get("chat_history") or ()))) or None
    return TurnFacts(name if isinstance(name, str) else "", said)


def _until_done(handler: Any, lifetime: Lifetime) -> bool:
    """Follow the task in the handler that a run returns; in older versions the handler is itself a future."""
    task = handler if isinstance(handler, asyncio.Future) else getattr(handler, "_result_task", None)
    if not isinstance(task, asyncio.Future) or task.done():
        return False
    task.add_done_callback(lambda done: end_with_future(done, lifetime))
    return True


class _LlamaIndexRequest(ModelRequest):
    """A model request with all its retries and pieces; the agent's output contains the requested calls."""

    __slots__ = ()

    def end(self, result: Any = None) -> None:
        """End the request; *result* is the agent's output."""
        try:
            self.answered(tuple(call.tool_id for call in result.tool_calls if call.tool_id))
        except Exception as error:  # noqa: BLE001 - the framework may have changed; its call goes on
            swallow("reading a model's answer", error)
        super().end()


def _request(agent: Any, args: Arguments, kwargs: Keywords) -> Lifetime:
    event = argument(args, kwargs, 1, "ev")
    model = getattr(getattr(agent, "llm", None), "model", "")
    return _LlamaIndexRequest(model if isinstance(model, str) else "", "", Content(list(event.input), _words))


def _words(messages: Any) -> list[object]:
    return user_words(
        [
            {"role": getattr(message.role, "value", message.role), "content": message.content}
            for message in messages
            if hasattr(message, "role")
        ]
    )


FRAMEWORK = Framework(
    name="llama_index",
    distribution="llama-index-core",
    versions=">=0.14,<0.15",
    patches=tuple(
        patch
        for runner in (_AGENT, _TEAM)
        for patch in (
            Patch(f"{runner}.call_tool", tool_call_wrapper(_call, _read)),
            Patch(f"{runner}.run_agent_step", lifetime_wrapper(_request)),
            Patch(f"{runner}.run", turn_wrapper(_turn, title="LlamaIndex agent", until=_until_done)),
        )
    ),
    others=(
        "openinference-instrumentation-llama-index",
        "opentelemetry-instrumentation-llamaindex",
        "opentelemetry-instrumentation-genai-llama-index",
    ),
    lacks="Not recorded: tools that your own workflow calls directly. Decorate them with @profiled.",
)
