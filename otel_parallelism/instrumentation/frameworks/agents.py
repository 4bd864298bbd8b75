"""openai-agents: every run of an agent is a turn, handoffs included; a response's function tools run together."""

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
from otel_parallelism.model import Content

if TYPE_CHECKING:
    from otel_parallelism.instrumentation.hooks.lifetimes import Lifetime

_RUN_CONFIG = 8
"""Where among its arguments what asks the model has the run's configuration."""

_INPUT = 2
_OWN_MODELS = "agents.models."
_TOLD_ERROR = "An error occurred while running the tool. "


def _call(_: Any, __: tuple[Any, ...], kwargs: dict[str, Any]) -> CallFacts | None:
    return CallFacts(kwargs["function_tool"].name, kwargs["context"].tool_call_id, _decoded(kwargs["arguments"]))


def _decoded(given: str) -> dict[str, Any] | None:
    try:
        named = json.loads(given) if given else {}
    except ValueError:
        return None
    return named if isinstance(named, dict) else None


def _read(result: Any) -> Returned:
    output = getattr(result, "output", result)
    # A tool's error is told the model as its result.
    failed = getattr(result, "is_sdk_generated_error", False) or (
        isinstance(output, str) and output.startswith(_TOLD_ERROR)
    )
    return Returned(output, failed=failed)


def _turn(_: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> TurnFacts:
    agent = argument(args, kwargs, 0, "starting_agent")
    said = argument(args, kwargs, 1, "input")
    if not isinstance(said, str | list):
        # A run that goes on where it was interrupted.
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
    """A request to a model that is not reached through openai's client, which is seen by itself."""
    # At first the agent itself came here, since then what binds one to its run.
    agent = args[0] if args else kwargs.get("bindings", kwargs.get("agent"))
    agent = getattr(agent, "execution_agent", agent)
    model = getattr(argument(args, kwargs, _RUN_CONFIG, "run_config"), "model", None) or getattr(agent, "model", None)
    if model is None or isinstance(model, str) or type(model).__module__.startswith(_OWN_MODELS):
        return None
    name = getattr(model, "model", "")
    said = argument(args, kwargs, _INPUT, "input")
    words = Content(list(said), user_words) if isinstance(said, list) else None
    return AnsweredRequest(name if isinstance(name, str) else "", "", words, offers=True)


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
    lacks="Streamed requests to models that do not go through openai's client, realtime sessions, and tools that are "
    "no function tools (shell, computer, patches) are not seen; nor is that a tool failed, if its error has another "
    "text than the default one.",
)
