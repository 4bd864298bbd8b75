"""anthropic: its client's model requests, and the tool runner, which runs the calls of a response one by one."""

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
    return CallFacts(tool_use.name, tool_use.id, given)


def _member(_: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> CallFacts | None:
    tool_use = argument(args, kwargs, 0, "tool_use")
    given = tool_use.input if isinstance(tool_use.input, dict) else None
    # What happens in one browser or on one computer keeps its order, as the runner itself has it.
    return CallFacts(f"{tool_use.toolset_name}.{tool_use.name}", tool_use.id, given, "write")


def _read(block: Any) -> Returned:
    return Returned(block.get("content"), failed=block.get("is_error") is True)


def _turn(runner: Any, _: tuple[Any, ...], __: dict[str, Any]) -> TurnFacts | None:
    # Where it traces by itself, its own span of the run comes next; a proxy knows the tracer behind it.
    tracer = getattr(getattr(runner, "_client", None), "_tracer", None)
    traces = tracer is not None and not isinstance(getattr(tracer, "_tracer", tracer), NoOpTracer)
    return None if traces else TurnFacts()


# The request proper, inside of the client's own span for it in versions that make one.
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
        Patch(f"{_RUNNERS}:BaseSyncToolRunner._run_toolset_member", tool_call_wrapper(_member, _read), optional=True),
        Patch(f"{_RUNNERS}:BaseAsyncToolRunner._run_toolset_member", tool_call_wrapper(_member, _read), optional=True),
        Patch(f"{_RUNNERS}:BaseSyncToolRunner.__run__", turn_wrapper(_turn, title="anthropic tool runner")),
        Patch(f"{_RUNNERS}:BaseAsyncToolRunner.__run__", turn_wrapper(_turn, title="anthropic tool runner")),
    ),
    native=("turns", "calls", "steps"),
    others=(
        "openinference-instrumentation-anthropic",
        "opentelemetry-instrumentation-anthropic",
        "opentelemetry-instrumentation-genai-anthropic",
    ),
    lacks="The runner of managed sessions is not seen.",
)
