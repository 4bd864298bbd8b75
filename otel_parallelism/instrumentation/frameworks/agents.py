"""openai-agents: each run of an agent, with its handoffs, is a turn; the function tools of a response run together."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from otel_parallelism.dialects.parsing.messages import user_words
from otel_parallelism.instrumentation.hooks.call_wrappers import CallFacts, Returned, tool_call_wrapper
from otel_parallelism.instrumentation.hooks.lifetime_wrappers import lifetime_wrapper
from otel_parallelism.instrumentation.hooks.lifetimes import argument, end_with_future
from otel_parallelism.instrumentation.hooks.patching import Framework, Patch
from otel_parallelism.instrumentation.hooks.turn_wrappers import TurnFacts, turn_wrapper
from otel_parallelism.instrumentation.libraries.model_answers import AnsweredRequest
from otel_parallelism.instrumentation.libraries.switches import limit_switch, one_at_a_time
from otel_parallelism.model import Content

if TYPE_CHECKING:
    from otel_parallelism.instrumentation.hooks.lifetimes import Lifetime
from otel_parallelism.instrumentation.libraries.tool_functions import closed_over

_RUN_CONFIG = 8
"""The position of the run's configuration among the arguments of the function that sends a model request."""

_INPUT = 2
_OWN_MODELS = "agents.models."
_ERROR_PREFIX = "An error occurred while running the tool. "


def _call(_: Any, __: tuple[Any, ...], kwargs: dict[str, Any]) -> CallFacts | None:
    context = kwargs["context"]
    config = getattr(getattr(context, "run_config", None), "tool_execution", None)
    limit = getattr(config, "max_function_tool_concurrency", None)
    return CallFacts(
        kwargs["function_tool"].name,
        context.tool_call_id,
        _decoded(kwargs["arguments"]),
        shared=(("context", getattr(context, "context", None)),),
        switch=limit_switch("max_function_tool_concurrency", limit),
        function=_function(getattr(kwargs["function_tool"], "on_invoke_tool", None)),
        description=getattr(kwargs["function_tool"], "description", None),
    )


def _function(invoke: Any) -> Any:
    """Return the function that ``function_tool`` was given, or the one that the program gave to a tool."""
    inside = getattr(invoke, "_invoke_tool_impl", None) or closed_over(invoke, "_on_invoke_tool_impl")
    return closed_over(inside, "the_func") or (invoke if inside is None else None)


def _decoded(given: str) -> dict[str, Any] | None:
    try:
        named = json.loads(given) if given else {}
    except ValueError:
        return None
    return named if isinstance(named, dict) else None


def _read(result: Any) -> Returned:
    output = getattr(result, "output", result)
    # The framework turns a tool's error into a result for the model.
    failed = getattr(result, "is_sdk_generated_error", False) or (
        isinstance(output, str) and output.startswith(_ERROR_PREFIX)
    )
    return Returned(output, failed=failed)


def _turn(_: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> TurnFacts:
    agent = argument(args, kwargs, 0, "starting_agent")
    said = argument(args, kwargs, 1, "input")
    if not isinstance(said, str | list):
        # The input is the state of an interrupted run, which continues.
        agent = getattr(said, "_current_agent", None) or agent
        said = getattr(said, "_original_input", None)
    return TurnFacts(agent.name, list(said) if isinstance(said, list) else said)


def _until_run(result: Any, lifetime: Lifetime) -> bool:
    task = getattr(result, "run_loop_task", None)
    if task is None:
        return False
    task.add_done_callback(lambda done: end_with_future(done, lifetime))
    return True


def _request(_: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> AnsweredRequest | None:
    """Return a request to a model that does not use openai's client, whose requests have a module of their own."""
    # Older versions pass the agent, newer ones an object that holds it.
    agent = args[0] if args else kwargs.get("bindings", kwargs.get("agent"))
    agent = getattr(agent, "execution_agent", agent)
    model = getattr(argument(args, kwargs, _RUN_CONFIG, "run_config"), "model", None) or getattr(agent, "model", None)
    if model is None or isinstance(model, str) or type(model).__module__.startswith(_OWN_MODELS):
        return None
    name = getattr(model, "model", "")
    settings = getattr(agent, "model_settings", None)
    switch = one_at_a_time({"parallel_tool_calls": getattr(settings, "parallel_tool_calls", None)})
    said = argument(args, kwargs, _INPUT, "input")
    words = Content(list(said), user_words) if isinstance(said, list) else None
    return AnsweredRequest(name if isinstance(name, str) else "", "", words, offers=True, switch=switch)


_RUNNER = "agents.run:AgentRunner"
_TURNS = turn_wrapper(_turn, title="openai-agents", until=_until_run)

FRAMEWORK = Framework(
    name="agents",
    distribution="openai-agents",
    versions=">=0.9,<0.25",
    patches=(
        Patch(
            "agents.run_internal.tool_execution:_invoke_function_tool_with_metadata|invoke_function_tool",
            tool_call_wrapper(_call, _read),
        ),
        Patch(f"{_RUNNER}.run", _TURNS),
        Patch(f"{_RUNNER}.run_streamed", _TURNS),
        Patch("agents.run_internal.run_loop:get_new_response", lifetime_wrapper(_request)),
    ),
    others=("openinference-instrumentation-openai-agents", "opentelemetry-instrumentation-openai-agents"),
    lacks="Not recorded: streamed requests to models that do not use openai's client, realtime sessions, and tools "
    "other than function tools (shell, computer, patches). A failed tool whose error text is customized counts as "
    "successful.",
)
