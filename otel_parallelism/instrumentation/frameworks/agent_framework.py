"""
Microsoft's Agent Framework: turns, calls and model requests, with or without the framework's own tracing.

The framework runs the calls of a response together, plain functions in threads. Its own span of a call begins before a
thread is free; the start of the function itself is measured inside.
"""

from __future__ import annotations

import weakref
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any

from otel_parallelism.instrumentation.hooks.call_wrappers import CallFacts, tool_call_wrapper
from otel_parallelism.instrumentation.hooks.lifetime_wrappers import lifetime_wrapper
from otel_parallelism.instrumentation.hooks.lifetimes import Lifetime, argument
from otel_parallelism.instrumentation.hooks.patching import Framework, Patch
from otel_parallelism.instrumentation.hooks.pending_calls import PendingCall, PendingCalls
from otel_parallelism.instrumentation.hooks.turn_wrappers import TurnFacts, turn_wrapper
from otel_parallelism.tracing.shield import swallow
from otel_parallelism.tracing.spans.generator_steps import Steps
from otel_parallelism.tracing.spans.model_request import ModelRequest
from otel_parallelism.tracing.state.nodes import MISSING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from otel_parallelism.instrumentation.hooks.lifetimes import Arguments, Keywords


_CALLS = PendingCalls("agent_framework")


def _handed(tool: Any, _: Arguments, kwargs: Keywords) -> PendingCall:
    return PendingCall(tool, kwargs.get("tool_call_id") or "")


def _call(tool: Any, _: Arguments, kwargs: Keywords) -> CallFacts | None:
    handed = _CALLS.take(tool)
    if handed is None:
        return None
    hidden = getattr(tool, "_context_parameter_name", None)
    given = {name: value for name, value in kwargs.items() if name != hidden}
    # `FunctionTool.__call__` is a plain function for every tool; for an async tool it returns the tool's coroutine.
    blocking = not iscoroutinefunction(getattr(tool.func, "func", tool.func))
    return CallFacts(
        tool.name,
        handed.call_id,
        given,
        blocking=blocking,
        called_ns=handed.called_ns,
        function=tool.func,
        description=getattr(tool, "description", None),
    )


def _turn(agent: Any, args: Arguments, kwargs: Keywords) -> TurnFacts:
    return TurnFacts(getattr(agent, "name", None) or "", list(_said(argument(args, kwargs, 0, "messages"))))


def _said(messages: Any) -> Iterable[str]:
    for message in messages if isinstance(messages, list | tuple) else (messages,):
        text = message if isinstance(message, str) else getattr(message, "text", None)
        if isinstance(text, str) and getattr(message, "role", "user") == "user":
            yield text


class _AgentFrameworkRequest(ModelRequest):
    """A model request whose answer, whole or in pieces, lists the calls that it requests."""

    __slots__ = ("_stream",)

    def __init__(self, model: str) -> None:
        super().__init__(model)
        self._stream: Any = None

    def follow(self, stream: Any) -> None:
        """Read the calls from the updates of *stream* when the request ends."""
        self._stream = weakref.ref(stream)

    def end(self, result: Any = None) -> None:
        """End the request; *result* is the answer unless it was streamed."""
        try:
            stream = None if self._stream is None else self._stream()
            parts = getattr(result, "messages", None) if stream is None else stream._updates  # noqa: SLF001 - no public way
            if parts is not None:
                usage = getattr(result, "usage_details", None)
                self.answered(
                    _requested_ids(parts), usage.get("input_token_count") if isinstance(usage, dict) else None
                )
        except Exception as error:  # noqa: BLE001 - the framework may have changed; its call goes on
            swallow("reading a model's answer", error)
        super().end()


def _requested_ids(parts: Iterable[Any]) -> tuple[str, ...] | None:
    """Return the ids of the calls in messages or updates; None if a call has no id."""
    ids = [each.call_id for part in parts for each in part.contents if each.type == "function_call"]
    return tuple(dict.fromkeys(ids)) if all(ids) else None


def _request(client: Any, _: Arguments, kwargs: Keywords) -> Lifetime:
    options = kwargs.get("options")
    model = options.get("model") if isinstance(options, dict) else None
    return _AgentFrameworkRequest(str(model or getattr(client, "model", None) or ""))


def _until_streamed(result: Any, lifetime: Lifetime) -> bool:
    """End *lifetime* when the stream *result* ends or is discarded; work during the iteration runs inside it."""
    if not hasattr(result, "with_pull_context_manager"):
        return False
    if isinstance(lifetime, _AgentFrameworkRequest):
        lifetime.follow(result)
    steps = Steps(lifetime.leave())
    result.with_pull_context_manager(lambda: steps)
    stream = weakref.ref(result)

    def ended() -> None:
        error = getattr(stream(), "_stream_error", None)
        if error is None:
            lifetime.end(MISSING)
        else:
            lifetime.fail(error)

    result.with_cleanup_hook(ended)
    weakref.finalize(result, lifetime.end, MISSING).atexit = False
    return True


FRAMEWORK = Framework(
    name="agent_framework",
    distribution="agent-framework-core",
    versions=">=1.10,<2",
    patches=(
        Patch("agent_framework._tools:FunctionTool.invoke", _CALLS.recording_wrapper(_handed)),
        Patch("agent_framework._tools:FunctionTool.__call__", tool_call_wrapper(_call)),
        Patch("agent_framework._clients:BaseChatClient.get_response", lifetime_wrapper(_request, _until_streamed)),
        Patch(
            "agent_framework._agents:RawAgent.run",
            turn_wrapper(_turn, title="agent", scopes=("agent_framework",), until=_until_streamed),
        ),
    ),
    native=("turns", "calls", "steps"),
    others=("openinference-instrumentation-agent-framework",),
)
