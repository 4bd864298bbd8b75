"""
AutoGen: it makes its own spans for runs and calls, but none for model requests.

The framework runs the calls of a response together, plain functions in threads; the context is carried there by
`thread_pools`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from otel_parallelism.instrumentation.hooks.call_wrappers import CallFacts, Returned, tool_call_wrapper
from otel_parallelism.instrumentation.hooks.lifetime_wrappers import lifetime_wrapper
from otel_parallelism.instrumentation.hooks.lifetimes import argument
from otel_parallelism.instrumentation.hooks.patching import Framework, Patch
from otel_parallelism.instrumentation.hooks.turn_wrappers import TurnFacts, turn_wrapper
from otel_parallelism.tracing.shield import swallow
from otel_parallelism.tracing.spans.model_request import ModelRequest

if TYPE_CHECKING:
    from otel_parallelism.instrumentation.hooks.lifetimes import Arguments, Keywords, Lifetime

_ASSISTANT = "autogen_agentchat.agents._assistant_agent:AssistantAgent"


def _call(tool: Any, args: Arguments, kwargs: Keywords) -> CallFacts:
    given = argument(args, kwargs, 0, "args")
    # AutoGen's own span, which directly encloses this one, has the id.
    arguments = {name: getattr(given, name, None) for name in type(given).model_fields}
    described = getattr(tool, "description", None)
    return CallFacts(tool.name, arguments=arguments, function=getattr(tool, "_func", None), description=described)


def _turn(agent: Any, args: Arguments, kwargs: Keywords) -> TurnFacts:
    messages = argument(args, kwargs, 0, "messages") or ()
    said = [message.content for message in messages if message.source == "user"]
    return TurnFacts(agent.name, [content for content in said if isinstance(content, str)])


class _AutogenRequest(ModelRequest):
    """A model request that yields pieces of text, and last a result with text or calls."""

    __slots__ = ()

    def seen(self, item: Any) -> None:
        """Record the result, which is the last item."""
        try:
            content = getattr(item, "content", None)
            usage = getattr(item, "usage", None)
            if usage is None:
                return
            ids = [call.id for call in content] if isinstance(content, list) else []
            self.answered(tuple(ids) if all(ids) else None, usage.prompt_tokens)
        except Exception as error:  # noqa: BLE001 - the framework may have changed; its call goes on
            swallow("reading a model's answer", error)


def _request(_: Any, __: Arguments, kwargs: Keywords) -> Lifetime:
    options = getattr(kwargs.get("model_client"), "_create_args", None)
    return _AutogenRequest(str(options.get("model") or "") if isinstance(options, dict) else "")


FRAMEWORK = Framework(
    name="autogen_agentchat",
    distribution="autogen-agentchat",
    versions=">=0.6.4,<0.8",
    patches=(
        # The callers of these have opened AutoGen's own span already.
        Patch("autogen_core.tools._function_tool:FunctionTool.run", tool_call_wrapper(_call)),
        Patch("autogen_agentchat.tools._task_runner_tool:TaskRunnerTool.run", tool_call_wrapper(_call)),
        # Agents use this method; its last item is the result.
        Patch(
            "autogen_agentchat.tools._task_runner_tool:TaskRunnerTool.run_stream", tool_call_wrapper(_call, Returned)
        ),
        Patch("autogen_ext.tools.mcp._base:McpToolAdapter.run", tool_call_wrapper(_call), optional=True),
        Patch(f"{_ASSISTANT}.on_messages_stream", turn_wrapper(_turn, title="agent", scopes=("autogen",))),
        Patch(f"{_ASSISTANT}._call_llm", lifetime_wrapper(_request)),
        Patch(f"{_ASSISTANT}._reflect_on_tool_use_flow", lifetime_wrapper(_request)),
    ),
    native=("turns", "calls"),
    others=("openinference-instrumentation-autogen-agentchat",),
)
