"""haystack: runs of its ``Agent`` and its tools; model requests are recorded by the providers' clients."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from otel_parallelism.dialects.parsing.messages import user_words
from otel_parallelism.instrumentation.hooks.call_wrappers import CallFacts, tool_call_wrapper
from otel_parallelism.instrumentation.hooks.lifetimes import argument
from otel_parallelism.instrumentation.hooks.patching import Framework, Patch
from otel_parallelism.instrumentation.hooks.turn_wrappers import TurnFacts, turn_wrapper
from otel_parallelism.tracing.shield import swallow

if TYPE_CHECKING:
    from otel_parallelism.instrumentation.hooks.lifetimes import Arguments, Keywords, Wrapper
    from otel_parallelism.tracing.spans.kinds import Kind

_TOOL = "haystack.tools.tool:Tool"
_AGENT = "haystack.components.agents.agent:Agent"

_requested: ContextVar[tuple[Any, str] | None] = ContextVar("otel-parallelism-haystack", default=None)
"""The tool that is about to be invoked and the id of the call, which `invoke` does not receive."""


def _about_to_invoke(_: Kind) -> Wrapper:
    """Record the id of a call where Haystack makes its span, in the thread or task that then invokes the tool."""

    def create(wrapped: Any, _: Any, args: Arguments, kwargs: Keywords) -> Any:
        try:
            call_id = argument(args, kwargs, 1, "tool_call").id
            _requested.set((argument(args, kwargs, 0, "tool"), call_id) if isinstance(call_id, str) else None)
        except Exception as error:  # noqa: BLE001 - the framework may have changed; its call goes on
            swallow("noting a call's id", error)
        return wrapped(*args, **kwargs)

    return create


def _call(tool: Any, _: Arguments, kwargs: Keywords) -> CallFacts:
    requested = _requested.get()
    call_id = ""
    if requested is not None and requested[0] is tool:
        # Only once: the tool may itself invoke a tool, which the model did not request.
        _requested.set(None)
        call_id = requested[1]
    return CallFacts(tool.name, call_id, kwargs)


def _turn(agent: Any, args: Arguments, kwargs: Keywords) -> TurnFacts:
    # As a component of a pipeline, an agent has a name.
    name = getattr(agent, "__component_name__", None)
    words: list[object] = []
    for message in argument(args, kwargs, 0, "messages") or ():
        words += user_words({"role": message.role.value, "content": message.text})
    words += [value for value in kwargs.values() if isinstance(value, str)]
    return TurnFacts(name if isinstance(name, str) else "", words or None)


FRAMEWORK = Framework(
    name="haystack",
    distribution="haystack-ai",
    versions=">=3.4,<4",
    patches=(
        Patch("haystack.components.agents.tool_calling:_create_tool_span", _about_to_invoke),
        Patch(f"{_TOOL}.invoke", tool_call_wrapper(_call)),
        Patch(f"{_TOOL}.invoke_async", tool_call_wrapper(_call)),
        Patch(f"{_AGENT}.run", turn_wrapper(_turn, title="Haystack agent")),
        Patch(f"{_AGENT}.run_async", turn_wrapper(_turn, title="Haystack agent")),
    ),
    others=("openinference-instrumentation-haystack", "opentelemetry-haystack"),
    lacks=(
        "Not recorded: model requests through clients other than openai's and anthropic's, so causes may be unknown. "
        "Switch on Haystack's own tracing (opentelemetry-haystack)."
    ),
)
