"""openai: the model requests of its client, and its tool runner, which runs the calls of a response one by one."""

from __future__ import annotations

import json
from typing import Any

from otel_parallelism.instrumentation.hooks.call_wrappers import CallFacts, Returned, tool_call_wrapper
from otel_parallelism.instrumentation.hooks.lifetimes import argument
from otel_parallelism.instrumentation.hooks.patching import Framework, Patch
from otel_parallelism.instrumentation.hooks.turn_wrappers import TurnFacts, turn_wrapper
from otel_parallelism.instrumentation.libraries.stainless import client_request_wrapper
from otel_parallelism.tracing.state.nodes import MISSING

_RUNNERS = "openai.lib.responses_tool_runner"


def _call(runner: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> CallFacts | None:
    item = argument(args, kwargs, 1, "item")
    try:
        given = json.loads(item.arguments or "{}")
    except ValueError:
        given = None
    known = getattr(runner, "_functions", None)
    registered = known.get(item.name) if isinstance(known, dict) else None
    tool = getattr(registered, "tool", None)
    return CallFacts(
        item.name,
        item.call_id,
        given if isinstance(given, dict) else None,
        function=getattr(registered, "execute", None),
        description=tool.get("description") if isinstance(tool, dict) else None,
    )


def _read(output: Any) -> Returned:
    return Returned(output["output"] if isinstance(output, dict) else getattr(output, "output", MISSING))


def _turn(_: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> TurnFacts:
    params = argument(args, kwargs, 1, "params")
    return TurnFacts(input=params.get("input") if isinstance(params, dict) else None)


_REQUEST = client_request_wrapper("openai", {"/chat/completions": "messages", "/responses": "input"})

FRAMEWORK = Framework(
    name="openai",
    distribution="openai",
    versions=">=1.40,<4",
    patches=(
        Patch("openai._base_client:SyncAPIClient.request", _REQUEST),
        Patch("openai._base_client:AsyncAPIClient.request", _REQUEST),
        Patch(f"{_RUNNERS}:ResponsesToolRunner._execute_function", tool_call_wrapper(_call, _read), optional=True),
        Patch(f"{_RUNNERS}:AsyncResponsesToolRunner._execute_function", tool_call_wrapper(_call, _read), optional=True),
        Patch(
            f"{_RUNNERS}:ResponsesToolRunner.iterate", turn_wrapper(_turn, title="responses tool runner"), optional=True
        ),
        Patch(
            f"{_RUNNERS}:AsyncResponsesToolRunner.iterate",
            turn_wrapper(_turn, title="responses tool runner"),
            optional=True,
        ),
    ),
    others=(
        "openinference-instrumentation-openai",
        "opentelemetry-instrumentation-openai",
        "opentelemetry-instrumentation-genai-openai",
    ),
    lacks="Not recorded: responses over a websocket, hosted agents, and actions in a browser or on a computer.",
)
