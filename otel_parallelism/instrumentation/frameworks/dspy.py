"""
dspy: its tools, its language models, and the agents ReAct and, in versions that have it, ReActV2.

ReAct requests one call for each step by design; ReActV2 runs the calls of a response one by one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from otel_parallelism.instrumentation.hooks.call_wrappers import CallFacts, tool_call_wrapper
from otel_parallelism.instrumentation.hooks.lifetime_wrappers import lifetime_wrapper
from otel_parallelism.instrumentation.hooks.patching import Framework, Patch
from otel_parallelism.instrumentation.hooks.turn_wrappers import TurnFacts, turn_wrapper
from otel_parallelism.model import Content
from otel_parallelism.tracing.spans.model_request import ModelRequest

if TYPE_CHECKING:
    from otel_parallelism.instrumentation.hooks.lifetimes import Arguments, Keywords, Lifetime

_TOOL = "dspy.adapters.types.tool:Tool"
_MODEL = "dspy.clients.base_lm:BaseLM"
_OWN = ("ReAct", "ReActV2")


def _call(tool: Any, _: Arguments, kwargs: Keywords) -> CallFacts | None:
    # A tool that the agent adds itself, by which the model says that it is done.
    if str(getattr(tool.func, "__module__", "")).startswith("dspy."):
        return None
    return CallFacts(tool.name or "", arguments=kwargs, description=getattr(tool, "desc", None), function=tool.func)


def _turn(agent: Any, _: Arguments, kwargs: Keywords) -> TurnFacts:
    name = type(agent).__name__
    return TurnFacts("" if name in _OWN else name, list(kwargs.values()) or None)


def _request(model: Any, _: Arguments, __: Keywords) -> Lifetime:
    # The user's message contains all results so far, so it is not held: the turn holds the user's own words.
    return ModelRequest(str(getattr(model, "model", "") or ""), "", Content([]))


FRAMEWORK = Framework(
    name="dspy",
    distribution="dspy",
    versions=">=3.4,<4",
    patches=(
        Patch(f"{_TOOL}.__call__", tool_call_wrapper(_call)),
        Patch(f"{_TOOL}.acall", tool_call_wrapper(_call)),
        Patch(f"{_MODEL}.__call__", lifetime_wrapper(_request)),
        Patch(f"{_MODEL}.acall", lifetime_wrapper(_request)),
        Patch("dspy.predict.react:ReAct.forward", turn_wrapper(_turn, title="dspy.ReAct")),
        Patch("dspy.predict.react:ReAct.aforward", turn_wrapper(_turn, title="dspy.ReAct")),
        Patch("dspy.predict.react_v2:ReActV2.forward", turn_wrapper(_turn, title="dspy.ReActV2"), optional=True),
        Patch("dspy.predict.react_v2:ReActV2.aforward", turn_wrapper(_turn, title="dspy.ReActV2"), optional=True),
    ),
    others=("openinference-instrumentation-dspy", "opentelemetry-instrumentation-genai-dspy"),
    lacks="The model requests calls in text, without ids: which response requested a call is inferred from the order.",
)
