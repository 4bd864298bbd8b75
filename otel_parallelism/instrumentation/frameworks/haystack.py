"""
haystack: runs of its ``Agent``, its tools, and the requests that an agent makes through any chat generator.

An agent calls ``run`` of whichever object it was given as a generator. What is common to all of them is the span that
the agent opens around the request, to which it gives the generator's inputs and its result.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from opentelemetry.context import create_key

from otel_parallelism.dialects.parsing.messages import user_words
from otel_parallelism.instrumentation.hooks.call_wrappers import CallFacts, tool_call_wrapper
from otel_parallelism.instrumentation.hooks.context_values import ContextValue
from otel_parallelism.instrumentation.hooks.lifetime_wrappers import lifetime_wrapper
from otel_parallelism.instrumentation.hooks.lifetimes import argument
from otel_parallelism.instrumentation.hooks.patching import Framework, Patch
from otel_parallelism.instrumentation.hooks.turn_wrappers import TurnFacts, turn_wrapper
from otel_parallelism.instrumentation.libraries.switches import limit_switch, one_at_a_time
from otel_parallelism.model import Content
from otel_parallelism.tracing.sdk.current import get_current
from otel_parallelism.tracing.shield import swallow
from otel_parallelism.tracing.spans.model_request import ModelRequest

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType

    from otel_parallelism.instrumentation.hooks.lifetimes import Arguments, Keywords, Wrapper
    from otel_parallelism.tracing.spans.kinds import Kind

_TOOL = "haystack.tools.tool:Tool"
_AGENTS = "haystack.components.agents.agent"
_AGENT = f"{_AGENTS}:Agent"
_REQUEST = "haystack.agent.step.llm"
"""The operation of the span around a request."""

_LIMIT = "tool_concurrency_limit"
_LIMIT_KEY = create_key("otel-parallelism-haystack-limit")

_requested: ContextVar[tuple[Any, str] | None] = ContextVar("otel-parallelism-haystack", default=None)
"""The tool that is about to be invoked and the id of the call, which `invoke` does not receive."""


def _about_to_invoke(_: Kind) -> Wrapper:
    """Record the id of a call where Haystack makes its span, in the thread or task that then invokes the tool."""

    def create(wrapped: Any, _: Any, args: Arguments, kwargs: Keywords) -> Any:
        try:
            call_id = argument(args, kwargs, 1, "tool_call").id
            _requested.set((argument(args, kwargs, 0, "tool"), call_id) if isinstance(call_id, str) else None)
        except Exception as error:  # noqa: BLE001 - the framework may have changed; its call goes on
            swallow("noting a call's id", error)
        return wrapped(*args, **kwargs)

    return create


def _call(tool: Any, _: Arguments, kwargs: Keywords) -> CallFacts:
    requested = _requested.get()
    call_id = ""
    if requested is not None and requested[0] is tool:
        # Only once: the tool may itself invoke a tool, which the model did not request.
        _requested.set(None)
        call_id = requested[1]
    return CallFacts(
        tool.name,
        call_id,
        kwargs,
        switch=limit_switch(_LIMIT, get_current().get(_LIMIT_KEY)),
        function=getattr(tool, "async_function", None) or getattr(tool, "function", None),
        description=getattr(tool, "description", None),
    )


def _limited(_: Any, __: Arguments, kwargs: Keywords) -> ContextValue:
    return ContextValue(_LIMIT_KEY, kwargs.get("max_workers"))


class _HaystackRequest(ModelRequest):
    """A request through a chat generator, from when it gets its inputs until its result is known."""

    __slots__ = ()

    def read(self, replies: Iterable[Any]) -> None:
        """Record the calls that the generator's *replies* request."""
        ids: list[str] = []
        tokens = None
        for reply in replies:
            ids += [call.id for call in reply.tool_calls]
            usage = reply.meta.get("usage") or {}
            tokens = usage.get("prompt_tokens", usage.get("input_tokens", tokens))
        self.answered(tuple(ids) if all(ids) else None, tokens if isinstance(tokens, int) else None)


class _RequestSpan(AbstractContextManager[Any]):
    """The context manager of the span that an agent opens around a request; the span says when the request is made."""

    def __init__(self, manager: Any) -> None:
        self._manager = manager
        self._request: _HaystackRequest | None = None

    def __enter__(self) -> Any:
        span = self._manager.__enter__()
        try:
            set_tag = span.set_content_tag

            def set_content_tag(key: str, value: Any) -> None:
                self._note(key, value)
                set_tag(key, value)

            span.set_content_tag = set_content_tag
        except Exception as error:  # noqa: BLE001 - the framework may have changed; its request goes on
            swallow("watching a request's span", error)
        return span

    def _note(self, key: str, value: Any) -> None:
        try:
            if key.endswith(".llm.input"):
                words = Content(list(value["messages"]), _words)
                self._request = _HaystackRequest("", "", words, one_at_a_time(value.get("generation_kwargs")))
                self._request.enter()
            elif key.endswith(".llm.output") and self._request is not None:
                request, self._request = self._request, None
                try:
                    request.read(value["replies"])
                finally:
                    request.end()
        except Exception as error:  # noqa: BLE001 - as above
            swallow("recording a request", error)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        request, self._request = self._request, None
        if request is not None:
            if error is None:
                request.end()
            else:
                request.fail(error)
        suppressed: bool | None = self._manager.__exit__(kind, error, trace)
        return suppressed


def _request_spans(_: Kind) -> Wrapper:
    def trace(wrapped: Any, _: Any, args: Arguments, kwargs: Keywords) -> Any:
        manager = wrapped(*args, **kwargs)
        return _RequestSpan(manager) if argument(args, kwargs, 0, "operation_name") == _REQUEST else manager

    return trace


def _words(messages: Any) -> list[object]:
    words: list[object] = []
    for message in messages:
        words += user_words({"role": message.role.value, "content": message.text})
    return words


def _turn(agent: Any, args: Arguments, kwargs: Keywords) -> TurnFacts:
    # As a component of a pipeline, an agent has a name.
    name = getattr(agent, "__component_name__", None)
    words = _words(argument(args, kwargs, 0, "messages") or ())
    words += [value for value in kwargs.values() if isinstance(value, str)]
    return TurnFacts(name if isinstance(name, str) else "", words or None)


FRAMEWORK = Framework(
    name="haystack",
    distribution="haystack-ai",
    versions=">=3.4,<4",
    patches=(
        Patch("haystack.components.agents.tool_calling:_create_tool_span", _about_to_invoke),
        Patch(f"{_TOOL}.invoke", tool_call_wrapper(_call)),
        Patch(f"{_TOOL}.invoke_async", tool_call_wrapper(_call)),
        Patch(f"{_AGENTS}:_run_tool", lifetime_wrapper(_limited)),
        Patch(f"{_AGENTS}:_run_tool_async", lifetime_wrapper(_limited)),
        Patch("haystack.tracing.tracer:ProxyTracer.trace", _request_spans),
        Patch(f"{_AGENT}.run", turn_wrapper(_turn, title="Haystack agent")),
        Patch(f"{_AGENT}.run_async", turn_wrapper(_turn, title="Haystack agent")),
    ),
    others=("openinference-instrumentation-haystack", "opentelemetry-haystack"),
)
