"""
Strands: it makes its own spans for turns, calls and model requests; data that they lack is added to them.

The calls of a response run together unless the agent has a ``SequentialToolExecutor``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from otel_parallelism.dialects.parsing.messages import user_words
from otel_parallelism.instrumentation.hooks.call_wrappers import CallFacts, Returned, tool_call_wrapper
from otel_parallelism.instrumentation.hooks.lifetime_wrappers import lifetime_wrapper
from otel_parallelism.instrumentation.hooks.lifetimes import argument
from otel_parallelism.instrumentation.hooks.patching import Framework, Patch
from otel_parallelism.instrumentation.hooks.turn_wrappers import TurnFacts, turn_wrapper
from otel_parallelism.model import Content
from otel_parallelism.tracing.shield import swallow
from otel_parallelism.tracing.spans.model_request import ModelRequest
from otel_parallelism.tracing.state.nodes import MISSING

if TYPE_CHECKING:
    from otel_parallelism.instrumentation.hooks.lifetimes import Arguments, Keywords


_SEQUENTIAL = "SequentialToolExecutor"


def _turn(agent: Any, args: Arguments, kwargs: Keywords) -> TurnFacts:
    return TurnFacts(agent.name or "", argument(args, kwargs, 0, "messages"))


def _call(_: Any, args: Arguments, kwargs: Keywords) -> CallFacts:
    context = argument(args, kwargs, 0, "ctx")
    tool_use = context.tool_use
    given = tool_use.get("input")
    executor = type(getattr(getattr(context, "agent", None), "tool_executor", None)).__name__
    return CallFacts(
        tool_use["name"],
        str(tool_use.get("toolUseId") or ""),
        given if isinstance(given, dict) else None,
        injected=(("invocation_state", getattr(context, "invocation_state", None)),),
        function=getattr(getattr(context, "tool", None), "_tool_func", None),
        switch=executor if executor == _SEQUENTIAL else "",
        description=_description(getattr(context, "tool", None)),
    )


def _description(tool: Any) -> Any:
    specification = getattr(tool, "tool_spec", None)
    return specification.get("description") if isinstance(specification, dict) else None


def _read(event: Any) -> Returned:
    # The last event is the result, unless the run was interrupted.
    result = getattr(event, "tool_result", None)
    if result is None:
        return Returned(MISSING)
    blocks = result.get("content") or []
    texts = [block["text"] for block in blocks if "text" in block]
    value = "\n".join(texts) if len(texts) == len(blocks) else blocks
    return Returned(value, failed=result.get("status") == "error")


class _StrandsRequest(ModelRequest):
    """A request to any model class; its last event holds the whole answer."""

    __slots__ = ()

    def seen(self, item: Any) -> None:
        """Record an event."""
        try:
            if isinstance(item, dict) and "stop" in item:
                _, message, usage, *_ = item["stop"]
                requested = [block["toolUse"] for block in message["content"] if "toolUse" in block]
                self.answered(tuple(str(each["toolUseId"]) for each in requested), usage.get("inputTokens"))
        except Exception as error:  # noqa: BLE001 - the framework may have changed; its call goes on
            swallow("reading a model's answer", error)


def _request(_: Any, args: Arguments, kwargs: Keywords) -> _StrandsRequest:
    config = getattr(argument(args, kwargs, 0, "model"), "config", None)
    name = config.get("model_id") if isinstance(config, dict) else None
    return _StrandsRequest(str(name or ""), "", Content(list(argument(args, kwargs, 2, "messages")), user_words))


FRAMEWORK = Framework(
    name="strands",
    distribution="strands-agents",
    versions=">=1.62,<2",
    patches=(
        # Each of these runs directly inside the framework's own span, so no second span is made.
        Patch("strands.agent.agent:Agent._run_loop", turn_wrapper(_turn, title="strands agent", scopes=("strands",))),
        Patch("strands.tools.executors._executor:_run_tool", tool_call_wrapper(_call, _read)),
        Patch("strands.event_loop.event_loop:stream_messages", lifetime_wrapper(_request)),
    ),
    native=("turns", "calls", "steps"),
    others=("openinference-instrumentation-strands-agents",),
)
