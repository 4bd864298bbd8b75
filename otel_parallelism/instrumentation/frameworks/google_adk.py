"""
google-adk: it traces by itself; what its spans leave out is added to them.

It runs the calls of a response together, but calls plain functions in the event loop's thread. Its models seldom give
calls ids; it gives them some itself, which are read once the response has been worked on.
"""

from __future__ import annotations

from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any

from otel_parallelism.instrumentation.hooks.call_wrappers import CallFacts, tool_call_wrapper
from otel_parallelism.instrumentation.hooks.lifetime_wrappers import lifetime_wrapper
from otel_parallelism.instrumentation.hooks.lifetimes import argument
from otel_parallelism.instrumentation.hooks.patching import Framework, Patch
from otel_parallelism.instrumentation.hooks.turn_wrappers import TurnFacts, turn_wrapper
from otel_parallelism.tracing.shield import swallow
from otel_parallelism.tracing.spans.model_request import ModelRequest

if TYPE_CHECKING:
    from otel_parallelism.instrumentation.hooks.lifetimes import Arguments, Keywords, Lifetime, Wrapper
    from otel_parallelism.tracing.spans.kinds import Kind

_SCOPES = ("gcp.vertex.agent", "google_adk")
"""Its own instrumentation scope, and OpenInference's, which takes the place of it."""


def _call(_: Any, args: Arguments, kwargs: Keywords) -> CallFacts | None:
    tool = argument(args, kwargs, 0, "tool")
    given = argument(args, kwargs, 1, "args")
    context = argument(args, kwargs, 2, "tool_context")
    function = getattr(tool, "func", None)
    return CallFacts(
        tool.name,
        getattr(context, "function_call_id", None) or "",
        given if isinstance(given, dict) else None,
        blocking=function is not None and not iscoroutinefunction(function),
    )


def _turn(agent: Any, args: Arguments, kwargs: Keywords) -> TurnFacts:
    said = getattr(argument(args, kwargs, 0, "ctx"), "user_content", None)
    return TurnFacts(agent.name, [part.text for part in getattr(said, "parts", None) or () if part.text])


class _GoogleAdkRequest(ModelRequest):
    """A request whose answer asks for calls that get their ids only later, from the framework."""

    __slots__ = ("_asked", "_tokens")

    def __init__(self, model: str) -> None:
        super().__init__(model)
        self._asked: list[Any] | None = []
        self._tokens: int | None = None

    def seen(self, item: Any) -> None:
        """Take note of a response; one that is partial is told again, whole, by a later one."""
        try:
            usage = getattr(item, "usage_metadata", None)
            tokens = getattr(usage, "prompt_token_count", None)
            self._tokens = self._tokens if tokens is None else tokens
            if item.partial or self._asked is None or item.content is None:
                return
            self._asked += [part.function_call for part in item.content.parts or () if part.function_call is not None]
        except Exception as error:  # noqa: BLE001 - a framework that has changed is no reason to fail
            swallow("reading a model's answer", error)
            self._asked = None

    def end(self, _: Any = None) -> None:
        """End; by now the framework has run the calls."""
        ids = None if self._asked is None else tuple(str(call.id) for call in self._asked if call.id)
        complete = ids is not None and self._asked is not None and len(ids) == len(self._asked)
        self.answered(ids if complete else None, self._tokens)
        super().end()


def _request(_: Any, args: Arguments, kwargs: Keywords) -> Lifetime | None:
    run_config = getattr(argument(args, kwargs, 1, "invocation_context"), "run_config", None)
    # Then the responses are those of a whole live conversation.
    if getattr(run_config, "support_cfc", False):
        return None
    return _GoogleAdkRequest(argument(args, kwargs, 2, "llm_request").model or "")


def _requests(_: Kind) -> Wrapper:
    """Watch the model's responses where the framework iterates over them: inside of its own span of the request."""
    watched = lifetime_wrapper(_request)("async generator")

    def run(wrapped: Any, flow: Any, args: Arguments, kwargs: Keywords) -> Any:
        responses = argument(args, kwargs, 0, "response_generator")
        followed = watched(lambda *_, **__: responses, flow, args, kwargs)
        if args:
            return wrapped(followed, *args[1:], **kwargs)
        return wrapped(**{**kwargs, "response_generator": followed})

    return run


FRAMEWORK = Framework(
    name="google.adk",
    distribution="google-adk",
    versions=">=2.10,<3",
    patches=(
        # Where it is since 2.10, and where that is known by name too; and where it was.
        Patch("google.adk.flows.llm_flows.tools._caller:_call_tool_async", tool_call_wrapper(_call), optional=True),
        Patch(
            "google.adk.flows.llm_flows.tools._live_caller:_call_tool_async", tool_call_wrapper(_call), optional=True
        ),
        Patch("google.adk.flows.llm_flows.functions:__call_tool_async", tool_call_wrapper(_call), optional=True),
        Patch("google.adk.flows.llm_flows.base_llm_flow:BaseLlmFlow._run_and_handle_error", _requests),
        Patch(
            "google.adk.agents.llm_agent:LlmAgent._run_async_impl", turn_wrapper(_turn, title="agent", scopes=_SCOPES)
        ),
    ),
    native=("turns", "calls", "steps"),
    others=("openinference-instrumentation-google-adk",),
)
