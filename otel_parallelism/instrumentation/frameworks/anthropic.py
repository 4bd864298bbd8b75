"""anthropic: the model requests of its client, and its tool runner, which runs the calls of a response one by one."""

from __future__ import annotations

from typing import Any

from opentelemetry.trace import NoOpTracer

from otel_parallelism.instrumentation.hooks.call_wrappers import CallFacts, Returned, tool_call_wrapper
from otel_parallelism.instrumentation.hooks.lifetimes import argument
from otel_parallelism.instrumentation.hooks.patching import Framework, Patch
from otel_parallelism.instrumentation.hooks.turn_wrappers import TurnFacts, turn_wrapper
from otel_parallelism.instrumentation.libraries.stainless import client_request_wrapper

_RUNNERS = "anthropic.lib.tools._beta_runner"


def _call(_: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> CallFacts | None:
    tool_use = argument(args, kwargs, 1, "tool_use")
    given = tool_use.input if isinstance(tool_use.input, dict) else None
    tool = argument(args, kwargs, 0, "tool")
    described, function = getattr(tool, "description", None), getattr(tool, "func", None)
    return CallFacts(tool_use.name, tool_use.id, given, description=described, function=function)


def _toolset_call(_: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> CallFacts | None:
    tool_use = argument(args, kwargs, 0, "tool_use")
    given = tool_use.input if isinstance(tool_use.input, dict) else None
    # Actions in one browser or on one computer depend on their order, so each counts as a write.
    return CallFacts(f"{tool_use.toolset_name}.{tool_use.name}", tool_use.id, given, "write")


def _read(block: Any) -> Returned:
    return Returned(block.get("content"), failed=block.get("is_error") is True)


def _turn(runner: Any, _: tuple[Any, ...], __: dict[str, Any]) -> TurnFacts | None:
    # If the client traces, it opens its own span of the run next. A proxy tracer holds the real tracer.
    tracer = getattr(getattr(runner, "_client", None), "_tracer", None)
    traces = tracer is not None and not isinstance(getattr(tracer, "_tracer", tracer), NoOpTracer)
    return None if traces else TurnFacts()


# Inside the client's own span of the request, in versions that make one.
_REQUEST = client_request_wrapper("anthropic", {"/v1/messages": "messages"})

FRAMEWORK = Framework(
    name="anthropic",
    distribution="anthropic",
    versions=">=2,<3",
    patches=(
        Patch("anthropic._base_client:SyncAPIClient._request|SyncAPIClient.request", _REQUEST),
        Patch("anthropic._base_client:AsyncAPIClient._request|AsyncAPIClient.request", _REQUEST),
        Patch(f"{_RUNNERS}:BaseSyncToolRunner._run_tool", tool_call_wrapper(_call, _read)),
        Patch(f"{_RUNNERS}:BaseAsyncToolRunner._run_tool", tool_call_wrapper(_call, _read)),
        Patch(
            f"{_RUNNERS}:BaseSyncToolRunner._run_toolset_member", tool_call_wrapper(_toolset_call, _read), optional=True
        ),
        Patch(
            f"{_RUNNERS}:BaseAsyncToolRunner._run_toolset_member",
            tool_call_wrapper(_toolset_call, _read),
            optional=True,
        ),
        Patch(f"{_RUNNERS}:BaseSyncToolRunner.__run__", turn_wrapper(_turn, title="anthropic tool runner")),
        Patch(f"{_RUNNERS}:BaseAsyncToolRunner.__run__", turn_wrapper(_turn, title="anthropic tool runner")),
    ),
    native=("turns", "calls", "steps"),
    others=(
        "openinference-instrumentation-anthropic",
        "opentelemetry-instrumentation-anthropic",
        "opentelemetry-instrumentation-genai-anthropic",
    ),
    lacks="Not recorded: the runner of managed sessions.",
)
