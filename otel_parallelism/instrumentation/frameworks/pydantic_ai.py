"""
pydantic_ai: runs of its agents, their tools and model requests.

Each wrapper runs inside the framework's own span, which ``Agent.instrument_all()`` or Logfire switch on. With such a
span no second one is made.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from otel_parallelism.instrumentation.hooks.call_wrappers import CallFacts, tool_call_wrapper
from otel_parallelism.instrumentation.hooks.context_managers import managed_body_wrapper, manager_wrapper
from otel_parallelism.instrumentation.hooks.lifetime_wrappers import lifetime_wrapper
from otel_parallelism.instrumentation.hooks.lifetimes import argument
from otel_parallelism.instrumentation.hooks.patching import Framework, Patch
from otel_parallelism.instrumentation.hooks.turn_wrappers import TurnFacts, turn_lifetime
from otel_parallelism.instrumentation.libraries.mcp_objects import annotated_effect
from otel_parallelism.instrumentation.libraries.switches import one_at_a_time
from otel_parallelism.model import Content
from otel_parallelism.tracing.shield import swallow
from otel_parallelism.tracing.spans.model_request import ModelRequest
from otel_parallelism.tracing.state.nodes import MISSING

if TYPE_CHECKING:
    from otel_parallelism.instrumentation.hooks.lifetimes import Arguments, Keywords, Lifetime
    from otel_parallelism.model import Effect

_MOST_TOOLSETS = 16
"""How many toolsets inside one another are searched for a tool's function."""

_GRAPH = "pydantic_ai._agent_graph"
_PAUSES = ("ApprovalRequired", "CallDeferred")
"""Raised by a tool that needs an approval or gets its result elsewhere; the tool may then be called again."""


def _turn(agent: Any, args: Arguments, kwargs: Keywords) -> TurnFacts:
    return TurnFacts(agent.name or "", argument(args, kwargs, 0, "user_prompt"))


def _call(tools: Any, args: Arguments, kwargs: Keywords) -> CallFacts | None:
    validated = argument(args, kwargs, 0, "validated")
    if validated is None:
        return _early_call(tools, argument(args, kwargs, 0, "call"))
    call = getattr(validated, "call", None)
    if call is None:
        return _early_call(tools, validated)
    return CallFacts(
        call.tool_name,
        call.tool_call_id or "",
        _named(validated.validated_args),
        _effect(validated.tool.tool_def),
        pauses=_PAUSES,
        function=_function(validated.tool),
        shared=_dependencies(tools),
        switch=_switch(tools, validated.tool.tool_def),
        description=getattr(validated.tool.tool_def, "description", None),
    )


def _early_call(tools: Any, call: Any) -> CallFacts | None:
    """Return the facts of a call in versions that validate the arguments where they run the tool."""
    tool = tools.tools.get(call.tool_name)
    if tool is None or tool.tool_def.kind == "output":
        return None
    given = json.loads(call.args or "{}") if isinstance(call.args, str) else call.args
    return CallFacts(
        call.tool_name,
        call.tool_call_id or "",
        _named(given),
        _effect(tool.tool_def),
        pauses=_PAUSES,
        function=_function(tool),
        shared=_dependencies(tools),
        switch=_switch(tools, tool.tool_def),
        description=getattr(tool.tool_def, "description", None),
    )


def _function(tool: Any) -> Any:
    """Return the function of a tool; None if it has none, as a tool of an MCP server."""
    for _ in range(_MOST_TOOLSETS):
        inner = getattr(tool, "source_tool", None)  # a combined toolset holds the tools of others
        if inner is None:
            break
        tool = inner
    return getattr(getattr(getattr(tool, "call_func", None), "__self__", None), "function", None)


def _dependencies(tools: Any) -> tuple[tuple[str, Any], ...]:
    return (("ctx.deps", getattr(getattr(tools, "ctx", None), "deps", None)),)


def _switch(tools: Any, definition: Any) -> str:
    if getattr(definition, "sequential", False):
        return "sequential=True"
    mode = getattr(tools, "get_parallel_execution_mode", None)
    return "parallel_tool_call_execution_mode='sequential'" if mode is not None and mode() == "sequential" else ""


def _refused(_: Any, args: Arguments, kwargs: Keywords) -> CallFacts | None:
    """Return the facts of a call with invalid arguments: its tool does not run, but the corrected call needs it."""
    validated = argument(args, kwargs, 0, "validated")
    if validated.args_valid or validated.tool is None:
        return None
    call = validated.call
    return CallFacts(call.tool_name, call.tool_call_id or "", None, _effect(validated.tool.tool_def))


def _named(arguments: Any) -> Mapping[str, Any] | None:
    return arguments if isinstance(arguments, Mapping) else None


def _effect(definition: Any) -> Effect:
    # A tool that is declared sequential must keep its order, like a write.
    if getattr(definition, "sequential", False):
        return "write"
    return annotated_effect((getattr(definition, "metadata", None) or {}).get("annotations"))


class _PydanticAiRequest(ModelRequest):
    """A model request whose answer is a whole response, at once or at the end of a stream."""

    __slots__ = ("_stream",)

    def __init__(self, model: Any, messages: list[Any], settings: Any) -> None:
        name, provider = getattr(model, "model_name", ""), getattr(model, "system", "")
        switch = one_at_a_time(settings or getattr(model, "settings", None))
        super().__init__(str(name or ""), str(provider or ""), Content(messages, _words), switch)
        self._stream: Any = None

    def seen(self, item: Any) -> None:
        """Keep the stream, which provides the response at the end."""
        self._stream = getattr(item, "_raw_stream_response", item)

    def end(self, result: Any = None) -> None:
        """End the request; the response is in the stream, in *result*, or in the graph's next node."""
        stream, self._stream = self._stream, None
        try:
            response = result if stream is None else stream.get()
            response = getattr(response, "model_response", response)
            parts = getattr(response, "parts", None)
            if response is not MISSING and parts is not None:
                ids = [part.tool_call_id for part in parts if part.part_kind == "tool-call"]
                self.answered(tuple(ids), response.usage.input_tokens or None)
        except Exception as error:  # noqa: BLE001 - the framework may have changed; its call goes on
            swallow("reading a model's answer", error)
        super().end()


def _request(node: Any, args: Arguments, kwargs: Keywords) -> Lifetime | None:
    request = kwargs.get("request_context")
    if request is not None:
        return _PydanticAiRequest(argument(args, kwargs, 0, "model"), list(request.messages), request.model_settings)
    context = argument(args, kwargs, 0, "ctx")
    # In this version the framework opens its own span inside the wrapped function.
    if context.deps.instrumentation_settings is not None:
        return None
    messages = [*context.state.message_history, node.request]
    return _PydanticAiRequest(context.deps.model, messages, getattr(context.deps, "model_settings", None))


def _words(messages: Any) -> list[object]:
    """Return the user's words in the framework's messages."""
    words: list[object] = []
    for message in messages:
        for part in message.parts:
            if part.part_kind == "user-prompt":
                words.extend([part.content] if isinstance(part.content, str) else part.content)
    return words


FRAMEWORK = Framework(
    name="pydantic_ai",
    distribution="pydantic-ai-slim",
    versions=">=1,<3",
    patches=(
        Patch(
            "pydantic_ai.agent:Agent.iter",
            managed_body_wrapper(turn_lifetime(_turn, title="pydantic-ai agent", scopes=("pydantic-ai",))),
        ),
        Patch(f"{_GRAPH}:ToolManager._raw_execute|ToolManager._call_tool", tool_call_wrapper(_call)),
        Patch(f"{_GRAPH}:ToolManager.execute_tool_call", tool_call_wrapper(_refused), optional=True),
        Patch(f"{_GRAPH}:model_request|ModelRequestNode._make_request", lifetime_wrapper(_request)),
        Patch(f"{_GRAPH}:model_request_stream|ModelRequestNode.stream", manager_wrapper(_request)),
    ),
    native=("turns", "calls", "steps"),
    others=("openinference-instrumentation-pydantic-ai", "logfire"),
    lacks="Realtime sessions are not turns: open an agent_turn around each.",
)
