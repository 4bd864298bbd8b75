"""haystack: runs of its ``Agent`` and its tools; model requests are those of the providers' clients."""

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

_asked: ContextVar[tuple[Any, str] | None] = ContextVar("otel-parallelism-haystack", default=None)
"""The tool that is about to be invoked and what the model calls that call, which `invoke` is not told."""


def _about_to_invoke(_: Kind) -> Wrapper:
    """Take note of whose call it is where Haystack makes a span for it, in the thread or task that then invokes."""

    def create(wrapped: Any, _: Any, args: Arguments, kwargs: Keywords) -> Any:
        try:
            call_id = argument(args, kwargs, 1, "tool_call").id
            _asked.set((argument(args, kwargs, 0, "tool"), call_id) if isinstance(call_id, str) else None)
        except Exception as error:  # noqa: BLE001 - a framework that has changed is no reason to fail
            swallow("noting a call's id", error)
        return wrapped(*args, **kwargs)

    return create


def _call(tool: Any, _: Arguments, kwargs: Keywords) -> CallFacts:
    asked = _asked.get()
    call_id = ""
    if asked is not None and asked[0] is tool:
        # Once: what the tool itself invokes is none of the model's.
        _asked.set(None)
        call_id = asked[1]
    return CallFacts(tool.name, call_id, kwargs)


def _turn(agent: Any, args: Arguments, kwargs: Keywords) -> TurnFacts:
    # In a pipeline its component has a name.
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
        "Requests to models through other clients than openai's and anthropic's are not seen, so causes may be unknown:"
        " switch Haystack's own tracing on (opentelemetry-haystack)."
    ),
)
