"""langchain_core: its tools, in every way they can be run, and the requests of its chat models of any provider."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from otel_parallelism import clock
from otel_parallelism.dialects.parsing.messages import user_words
from otel_parallelism.instrumentation.hooks.bodies import body_wrapper
from otel_parallelism.instrumentation.hooks.call_wrappers import CallFacts, Returned, tool_call_wrapper
from otel_parallelism.instrumentation.hooks.lifetime_wrappers import lifetime_wrapper
from otel_parallelism.instrumentation.hooks.lifetimes import Lifetime, argument
from otel_parallelism.instrumentation.hooks.patching import Framework, Patch
from otel_parallelism.instrumentation.libraries.langchain_messages import GRAPH_PAUSES, plain_messages
from otel_parallelism.instrumentation.libraries.switches import limit_switch, one_at_a_time
from otel_parallelism.instrumentation.libraries.tool_functions import own_method
from otel_parallelism.model import Content
from otel_parallelism.tracing.shield import swallow
from otel_parallelism.tracing.spans.model_request import ModelRequest
from otel_parallelism.tracing.state.nodes import MISSING

if TYPE_CHECKING:
    from otel_parallelism.instrumentation.hooks.lifetimes import Arguments, Keywords
    from otel_parallelism.model import Effect

_TOOL = "langchain_core.tools.base:BaseTool"
_MODEL = "langchain_core.language_models.chat_models:BaseChatModel"
_EFFECTS: dict[object, Effect] = {True: "read", False: "write"}


def _call(tool: Any, args: Arguments, kwargs: Keywords) -> CallFacts | None:
    given = argument(args, kwargs, 0, "tool_input")
    # Including what the graph injects: a tool that receives the state may use what other tools have written there.
    arguments = dict(given) if isinstance(given, Mapping) else {"tool_input": given}
    config = kwargs.get("config")
    return CallFacts(
        tool.name,
        kwargs.get("tool_call_id") or "",
        arguments,
        _effect(tool.metadata),
        pauses=GRAPH_PAUSES,
        function=getattr(tool, "coroutine", None) or getattr(tool, "func", None) or own_method(tool, "_arun", "_run"),
        injected=(("config", config.get("configurable") if isinstance(config, Mapping) else None),),
        switch=limit_switch("max_concurrency", (kwargs.get("config") or {}).get("max_concurrency")),
        description=tool.description,
    )


def _effect(metadata: Any) -> Effect:
    """Return the effect in *metadata*, where langchain-mcp-adapters puts the annotations of a tool."""
    if not isinstance(metadata, Mapping):
        return "unknown"
    hint = metadata.get("readOnlyHint")
    return _EFFECTS[hint] if isinstance(hint, bool) else "unknown"


def _read(output: Any) -> Returned:
    # A message if the model requested the call; otherwise what the tool returned.
    if getattr(output, "type", None) != "tool" or not hasattr(output, "tool_call_id"):
        return Returned(output)
    return Returned(output.content, failed=output.status == "error")


class _LangchainCoreRequest(ModelRequest):
    """A model request whose answer, as a result or in chunks, contains the requested calls."""

    __slots__ = ("_ids", "_outcome", "_tokens")

    def __init__(
        self, model: str, provider: str, messages: Content | None, outcome: Any = None, switch: str = ""
    ) -> None:
        super().__init__(model, provider, messages, switch)
        self._ids: dict[str, None] = {}
        self._tokens: int | None = None
        self._outcome = outcome

    def seen(self, item: Any) -> None:
        """Record a chunk of a streamed answer; the program may stop reading after it."""
        self.reached(clock.now_ns())
        try:
            self._read(item)
        except Exception as error:  # noqa: BLE001 - the framework may have changed; its call goes on
            swallow("reading a streamed answer", error)

    def end(self, result: Any = None) -> None:
        """End the request; *result* is the answer unless it was streamed."""
        try:
            if result is not MISSING:
                for generation in result.generations:
                    self._read(generation.message)
            elif self._outcome is not None and self._outcome.output_message is not None:
                self._read(self._outcome.output_message)
            self.answered(tuple(self._ids), self._tokens)
        except Exception as error:  # noqa: BLE001 - as above
            swallow("reading a model's answer", error)
        super().end()

    def _read(self, message: Any) -> None:
        for call in (*getattr(message, "tool_calls", ()), *getattr(message, "tool_call_chunks", ())):
            call_id = call.get("id")
            if call_id:
                self._ids[call_id] = None
        usage = getattr(message, "usage_metadata", None)
        if usage:
            self._tokens = usage["input_tokens"]


def _request(model: Any, args: Arguments, kwargs: Keywords) -> Lifetime:
    messages = argument(args, kwargs, 0, "messages")
    held = Content(list(messages), _words) if isinstance(messages, list | tuple) else None
    return _made(model, held, kwargs)


def _streamed(model: Any, args: Arguments, kwargs: Keywords) -> Lifetime:
    # Other types of input become messages later; the provider's client records those, if it is patched.
    given = argument(args, kwargs, 0, "input")
    held = Content(given, _words) if isinstance(given, list | str) else None
    return _made(model, held, kwargs)


def _events(model: Any, args: Arguments, kwargs: Keywords) -> Lifetime:
    messages = argument(args, kwargs, 0, "messages")
    held = Content(list(messages), _words) if isinstance(messages, list | tuple) else None
    return _made(model, held, kwargs, kwargs.get("stream"))


def _made(model: Any, messages: Content | None, settings: Keywords, outcome: Any = None) -> Lifetime:
    name = getattr(model, "model_name", None) or getattr(model, "model", None)
    switch = one_at_a_time(settings)
    return _LangchainCoreRequest(name if isinstance(name, str) else "", "", messages, outcome, switch)


def _words(messages: Any) -> list[object]:
    return [messages] if isinstance(messages, str) else user_words(plain_messages(messages))


FRAMEWORK = Framework(
    name="langchain_core",
    distribution="langchain-core",
    versions=">=1,<2",
    patches=(
        Patch(f"{_TOOL}.run", tool_call_wrapper(_call, _read)),
        Patch(f"{_TOOL}.arun", tool_call_wrapper(_call, _read)),
        Patch("langchain_core.tools.base:coro_with_context", body_wrapper(0, "coro")),
        Patch(f"{_MODEL}._generate_with_cache", lifetime_wrapper(_request)),
        Patch(f"{_MODEL}._agenerate_with_cache", lifetime_wrapper(_request)),
        Patch(f"{_MODEL}.stream", lifetime_wrapper(_streamed)),
        Patch(f"{_MODEL}.astream", lifetime_wrapper(_streamed)),
        Patch(f"{_MODEL}._iter_v2_events", lifetime_wrapper(_events), optional=True),
        Patch(f"{_MODEL}._aiter_v2_events", lifetime_wrapper(_events), optional=True),
    ),
    others=(
        "openinference-instrumentation-langchain",
        "opentelemetry-instrumentation-langchain",
        "opentelemetry-instrumentation-genai-langchain",
    ),
)
