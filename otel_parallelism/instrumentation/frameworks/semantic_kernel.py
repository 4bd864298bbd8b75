"""
Semantic Kernel: it always makes spans for its functions, but for runs of agents only if its diagnostics are on.

The framework runs the calls of a response together, but plain functions in the event loop's thread. The loop of model
requests and calls is in its chat services, with or without an agent.
"""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING, Any

from otel_parallelism.instrumentation.hooks.call_wrappers import CallFacts, Returned, tool_call_wrapper
from otel_parallelism.instrumentation.hooks.lifetime_wrappers import lifetime_wrapper
from otel_parallelism.instrumentation.hooks.lifetimes import argument
from otel_parallelism.instrumentation.hooks.patching import PATCHING, Framework, Patch
from otel_parallelism.instrumentation.hooks.pending_calls import PendingCall, PendingCalls
from otel_parallelism.instrumentation.hooks.turn_wrappers import TurnFacts, turn_wrapper
from otel_parallelism.tracing.shield import swallow
from otel_parallelism.tracing.spans.model_request import ModelRequest
from otel_parallelism.tracing.state.existing_spans import around
from otel_parallelism.tracing.state.nodes import MISSING, TurnNode

if TYPE_CHECKING:
    from collections.abc import Iterable

    from otel_parallelism.instrumentation.hooks.lifetimes import Arguments, Keywords

_SCOPES = ("semantic_kernel",)
_DIAGNOSTICS = "semantic_kernel.utils.telemetry.{}_diagnostics.decorators"
_CALLS = PendingCalls("semantic_kernel")

_CHAT = "semantic_kernel.connectors.ai.chat_completion_client_base:ChatCompletionClientBase"
_CONTENTS = ("semantic_kernel.contents.chat_message_content", "semantic_kernel.contents.text_content")
_FUNCTIONS = "semantic_kernel.functions"
_AGENTS = (
    "semantic_kernel.agents.chat_completion.chat_completion_agent:ChatCompletionAgent",
    "semantic_kernel.agents.open_ai.openai_responses_agent:OpenAIResponsesAgent",
    "semantic_kernel.agents.open_ai.openai_assistant_agent:OpenAIAssistantAgent",
    "semantic_kernel.agents.azure_ai.azure_ai_agent:AzureAIAgent",
    "semantic_kernel.agents.bedrock.bedrock_agent:BedrockAgent",
)


def _handed(_: Any, args: Arguments, kwargs: Keywords) -> PendingCall:
    context = argument(args, kwargs, 0, "context")
    return PendingCall(context.function, getattr(context.function_call_content, "id", None) or "")


def _call(function: Any, args: Arguments, kwargs: Keywords) -> CallFacts | None:
    handed = _CALLS.take(function)
    if handed is None:
        return None
    context = argument(args, kwargs, 0, "context")
    return CallFacts(
        function.fully_qualified_name,
        handed.call_id,
        dict(context.arguments),
        function=getattr(function, "method", None),
        blocking=not function.metadata.is_prompt and not function.metadata.is_asynchronous,
        called_ns=handed.called_ns,
        read=partial(_result, context),
        description=getattr(function, "description", None),
    )


def _result(context: Any) -> Returned:
    """Return what the function put into its *context*; a filter of the program may give the model something else."""
    result, kernel = context.result, context.kernel
    if result is None or kernel.function_invocation_filters or kernel.auto_function_invocation_filters:
        return Returned(MISSING)
    value = result.value
    return Returned([_text(each) for each in value] if type(value) is list else _text(value))


def _text(value: Any) -> Any:
    """Return the text of a model's answer, which is the result of a prompt; another *value* as it is."""
    return str(value) if getattr(type(value), "__module__", "").startswith(_CONTENTS) else value


def _agent(agent: Any, args: Arguments, kwargs: Keywords) -> TurnFacts | None:
    # The framework opens its own span of the run next.
    if _traces("agent"):
        return None
    return TurnFacts(agent.name or "", list(_said(argument(args, kwargs, 0, "messages"))))


class _SemanticKernelRequest(ModelRequest):
    """A model request whose answer is a list of messages, whole or in pieces, with the calls among their items."""

    __slots__ = ("_ids", "_requests_calls")

    def __init__(self, model: str) -> None:
        super().__init__(model)
        self._requests_calls = False
        self._ids: dict[str, None] = {}

    def seen(self, item: Any) -> None:
        """Record messages; if a call comes in pieces, only its first piece has the id."""
        try:
            for call in (each for message in item for each in message.items if each.content_type == "function_call"):
                self._requests_calls = True
                if call.id:
                    self._ids[call.id] = None
        except Exception as error:  # noqa: BLE001 - a connector of the program may return anything
            swallow("reading a model's answer", error)
            self._requests_calls = True

    def end(self, result: Any = None) -> None:
        """End the request; *result* is the whole answer unless it was streamed."""
        if result is not MISSING:
            self.seen(result)
        self.answered(tuple(self._ids) if self._ids or not self._requests_calls else None)
        super().end()


def _request(service: Any, _: Arguments, __: Keywords) -> _SemanticKernelRequest | None:
    # The framework opens its own span of the request next.
    if _traces("model"):
        return None
    return _SemanticKernelRequest(str(getattr(service, "ai_model_id", None) or ""))


def _traces(what: str) -> bool:
    module = sys.modules.get(_DIAGNOSTICS.format(what))
    return module is not None and bool(module.are_model_diagnostics_enabled())


def _loop(service: Any, args: Arguments, kwargs: Keywords) -> TurnFacts | None:
    # Every connector overrides these methods, and there is no common function around them.
    for name in ("_inner_get_chat_message_contents", "_inner_get_streaming_chat_message_contents"):
        PATCHING.add_method(type(service), name, lifetime_wrapper(_request))
    behavior = getattr(argument(args, kwargs, 1, "settings"), "function_choice_behavior", None)
    if kwargs.get("kernel") is None or not getattr(behavior, "auto_invoke_kernel_functions", False):
        return None
    # Already inside the run of an agent, or inside a turn that the program opened.
    if isinstance(around(), TurnNode):
        return None
    return TurnFacts(input=list(_said(argument(args, kwargs, 0, "chat_history").messages)))


def _said(messages: Any) -> Iterable[str]:
    for message in messages if isinstance(messages, list | tuple) else (messages,):
        content = message if isinstance(message, str) else getattr(message, "content", None)
        if isinstance(content, str) and getattr(message, "role", "user") == "user":
            yield content


_RUN = turn_wrapper(_agent, title="agent")
_CHATTING = turn_wrapper(_loop, title="chat", scopes=_SCOPES)

FRAMEWORK = Framework(
    name="semantic_kernel",
    distribution="semantic-kernel",
    versions=">=1.40,<2",
    patches=(
        Patch("semantic_kernel.kernel:Kernel._inner_auto_function_invoke_handler", _CALLS.recording_wrapper(_handed)),
        Patch(
            f"{_FUNCTIONS}.kernel_function_from_method:KernelFunctionFromMethod._invoke_internal",
            tool_call_wrapper(_call),
        ),
        Patch(
            f"{_FUNCTIONS}.kernel_function_from_prompt:KernelFunctionFromPrompt._invoke_internal",
            tool_call_wrapper(_call),
        ),
        Patch(f"{_CHAT}.get_chat_message_contents", _CHATTING),
        Patch(f"{_CHAT}.get_streaming_chat_message_contents", _CHATTING),
        *(
            Patch(f"{agent}.{method}", _RUN, optional=number > 0)
            for number, agent in enumerate(_AGENTS)
            for method in ("get_response", "invoke", "invoke_stream")
        ),
    ),
    native=("calls",),
    others=("openinference-instrumentation-openai", "opentelemetry-instrumentation-openai"),
)
