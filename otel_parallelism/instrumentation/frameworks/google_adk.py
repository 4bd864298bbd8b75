"""
google-adk: it makes its own spans; what they lack is added to them.

The framework runs the calls of a response together, but plain functions in the event loop's thread. Its models rarely
give ids to calls. The framework then assigns ids itself, which are read after it has processed the response.
"""

from __future__ import annotations

from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any

from otel_parallelism.instrumentation.hooks.call_wrappers import CallFacts, tool_call_wrapper
from otel_parallelism.instrumentation.hooks.lifetime_wrappers import lifetime_wrapper
from otel_parallelism.instrumentation.hooks.lifetimes import argument
from otel_parallelism.instrumentation.hooks.patching import Framework, Patch
from otel_parallelism.instrumentation.hooks.turn_wrappers import TurnFacts, turn_wrapper
from otel_parallelism.instrumentation.libraries.tool_functions import own_method
from otel_parallelism.tracing.shield import swallow
from otel_parallelism.tracing.spans.model_request import ModelRequest

if TYPE_CHECKING:
    from otel_parallelism.instrumentation.hooks.lifetimes import Arguments, Keywords, Lifetime, Wrapper
    from otel_parallelism.tracing.spans.kinds import Kind

_SCOPES = ("gcp.vertex.agent", "google_adk")
"""Its own instrumentation scope, and that of OpenInference, which replaces it."""


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
        function=function or own_method(tool, "run_async"),
        description=getattr(tool, "description", None),
    )


def _turn(agent: Any, args: Arguments, kwargs: Keywords) -> TurnFacts:
    said = getattr(argument(args, kwargs, 0, "ctx"), "user_content", None)
    return TurnFacts(agent.name, [part.text for part in getattr(said, "parts", None) or () if part.text])


class _GoogleAdkRequest(ModelRequest):
    """A model request whose requested calls get their ids later, from the framework."""

    __slots__ = ("_requested", "_tokens")

    def __init__(self, model: str) -> None:
        super().__init__(model)
        self._requested: list[Any] | None = []
        self._tokens: int | None = None

    def seen(self, item: Any) -> None:
        """Record a response; a later one repeats the content of a partial one."""
        try:
            usage = getattr(item, "usage_metadata", None)
            tokens = getattr(usage, "prompt_token_count", None)
            self._tokens = self._tokens if tokens is None else tokens
            if item.partial or self._requested is None or item.content is None:
                return
            self._requested += [
                part.function_call for part in item.content.parts or () if part.function_call is not None
            ]
        except Exception as error:  # noqa: BLE001 - the framework may have changed; its call goes on
            swallow("reading a model's answer", error)
            self._requested = None

    def end(self, _: Any = None) -> None:
        """End the request, after the framework has run the calls."""
        ids = None if self._requested is None else tuple(str(call.id) for call in self._requested if call.id)
        complete = ids is not None and self._requested is not None and len(ids) == len(self._requested)
        self.answered(ids if complete else None, self._tokens)
        super().end()


def _request(_: Any, args: Arguments, kwargs: Keywords) -> Lifetime | None:
    run_config = getattr(argument(args, kwargs, 1, "invocation_context"), "run_config", None)
    # With this setting the responses are those of a whole live conversation.
    if getattr(run_config, "support_cfc", False):
        return None
    return _GoogleAdkRequest(argument(args, kwargs, 2, "llm_request").model or "")


def _requests(_: Kind) -> Wrapper:
    """Return the wrapper of the framework's iteration over a model's responses, inside its own span of the request."""
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
        # Since 2.10 in the first module, under a second name in the next; before that in the last.
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
