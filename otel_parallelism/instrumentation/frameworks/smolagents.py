"""
smolagents: a ToolCallingAgent runs the calls of a response in threads, a CodeAgent runs the code in a response.

The model of a CodeAgent requests no calls: its code calls the tools, one after another.
"""

from __future__ import annotations

from inspect import getattr_static
from typing import TYPE_CHECKING, Any

from opentelemetry.context import create_key

from otel_parallelism.instrumentation.hooks.call_wrappers import CallFacts, Returned, tool_call_wrapper
from otel_parallelism.instrumentation.hooks.context_values import ContextValue
from otel_parallelism.instrumentation.hooks.lifetime_wrappers import lifetime_wrapper
from otel_parallelism.instrumentation.hooks.lifetimes import argument
from otel_parallelism.instrumentation.hooks.patching import PATCHING, Framework, Patch
from otel_parallelism.instrumentation.hooks.turn_wrappers import TurnFacts, turn_wrapper
from otel_parallelism.instrumentation.libraries.switches import limit_switch
from otel_parallelism.tracing.sdk.current import get_current
from otel_parallelism.tracing.shield import swallow
from otel_parallelism.tracing.spans.model_request import ModelRequest
from otel_parallelism.tracing.state.nodes import MISSING

if TYPE_CHECKING:
    from otel_parallelism.instrumentation.hooks.lifetimes import Arguments, Keywords
from otel_parallelism.instrumentation.libraries.tool_functions import own_method

_BATCH_KEY = create_key("otel-parallelism-smolagents-batch")
"""The context key of the calls of the response that is being processed: inner functions do not receive their ids."""

_ANSWER = "final_answer"


def _batch(_: Any, args: Arguments, kwargs: Keywords) -> ContextValue:
    return ContextValue(_BATCH_KEY, list(argument(args, kwargs, 0, "chat_message").tool_calls))


def _id_of(name: str, given: Any) -> str:
    """Return the id of the call of *name* with the identical arguments object; each call is found once."""
    batch: Any = get_current().get(_BATCH_KEY)
    for call in batch or ():
        arguments = call.function.arguments
        if call.function.name == name and (arguments is given or (not arguments and not given)):
            batch.remove(call)
            return str(call.id)
    return ""


def _requested_call(agent: Any, args: Arguments, kwargs: Keywords) -> CallFacts | None:
    name = argument(args, kwargs, 0, "tool_name")
    given = argument(args, kwargs, 1, "arguments")
    if name == _ANSWER:
        return None
    switch = limit_switch("max_tool_threads", getattr(agent, "max_tool_threads", None))
    known = getattr(agent, "tools", None)
    tool = known.get(name) if isinstance(known, dict) else None
    return CallFacts(
        name,
        _id_of(name, given),
        given if isinstance(given, dict) else {"": given},
        switch=switch,
        function=_function(tool),
        description=getattr(tool, "description", None),
    )


def _direct_call(tool: Any, args: Arguments, kwargs: Keywords) -> CallFacts | None:
    if tool.name == _ANSWER:
        return None
    given = dict(zip(tool.inputs, args, strict=False)) if len(args) <= len(tool.inputs) else None
    if given is not None:
        given.update((name, value) for name, value in kwargs.items() if name != "sanitize_inputs_outputs")
    return CallFacts(tool.name, "", given, description=getattr(tool, "description", None), function=_function(tool))


def _function(tool: Any) -> Any:
    """Return what the tool runs; a tool made of a function has a class of its own that holds it."""
    found = getattr_static(type(tool), "forward", None)
    return found.__func__ if isinstance(found, staticmethod) else own_method(tool, "forward")


def _read(output: Any) -> Returned:
    if type(output) is not str and isinstance(output, str):
        return Returned(str.__str__(output))
    # smolagents passes images and audio on under names that it chooses.
    return Returned(MISSING if type(output).__name__ in {"AgentImage", "AgentAudio"} else output)


def _turn(agent: Any, args: Arguments, kwargs: Keywords) -> TurnFacts:
    for method in ("generate", "generate_stream"):
        PATCHING.add_method(type(agent.model), method, lifetime_wrapper(_request))
    return TurnFacts(agent.name or "", argument(args, kwargs, 0, "task"))


class _SmolagentsRequest(ModelRequest):
    """
    A request to any model class, streamed or not.

    Attributes:
        offers: Whether the request offers tools. If not, the answer may name some in its text.
    """

    __slots__ = ("_ids", "_tokens", "offers")

    def __init__(self, model: str, *, offers: bool) -> None:
        super().__init__(model)
        self.offers = offers
        self._ids: dict[str, None] = {}
        self._tokens: int | None = None

    def seen(self, item: Any) -> None:
        """Record an answer or a piece of one."""
        try:
            for call in item.tool_calls or ():
                if call.id:
                    self._ids[call.id] = None
            if item.token_usage is not None:
                self._tokens = (self._tokens or 0) + item.token_usage.input_tokens
        except Exception as error:  # noqa: BLE001 - a model class of the program may return anything
            swallow("reading a model's answer", error)

    def end(self, result: Any = None) -> None:
        """End the request; *result* is the whole answer unless it was streamed."""
        if result is not MISSING:
            self.seen(result)
        self.answered(tuple(self._ids) if self._ids or not self.offers else None, self._tokens)
        super().end()


def _request(model: Any, _: Arguments, kwargs: Keywords) -> _SmolagentsRequest:
    return _SmolagentsRequest(
        str(getattr(model, "model_id", None) or ""), offers=bool(kwargs.get("tools_to_call_from"))
    )


_AGENTS = "smolagents.agents"

FRAMEWORK = Framework(
    name="smolagents",
    distribution="smolagents",
    versions=">=1.26,<2",
    patches=(
        Patch(f"{_AGENTS}:MultiStepAgent.run", turn_wrapper(_turn, title="smolagents agent", scopes=("smolagents",))),
        Patch(f"{_AGENTS}:ToolCallingAgent.process_tool_calls", lifetime_wrapper(_batch)),
        Patch(f"{_AGENTS}:ToolCallingAgent.execute_tool_call", tool_call_wrapper(_requested_call, _read)),
        Patch("smolagents.tools:Tool.__call__", tool_call_wrapper(_direct_call, _read)),
        Patch("smolagents.tools:PipelineTool.__call__", tool_call_wrapper(_direct_call, _read)),
    ),
    others=("openinference-instrumentation-smolagents", "opentelemetry-instrumentation-genai-smolagents"),
    lacks="Not recorded: the tools of a CodeAgent with a remote executor, which runs the model's code elsewhere.",
)
