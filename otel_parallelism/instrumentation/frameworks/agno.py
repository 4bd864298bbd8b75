"""
Agno: runs of agents and of teams; ``run`` runs the tools of a response one by one, ``arun`` together.

The turn is the internal function that every way to start a run calls, because ``run`` and ``arun`` may continue in a
background task.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from otel_parallelism.instrumentation.hooks.call_wrappers import CallFacts, Returned, tool_call_wrapper
from otel_parallelism.instrumentation.hooks.generators import followed_generator
from otel_parallelism.instrumentation.hooks.lifetime_wrappers import lifetime_wrapper
from otel_parallelism.instrumentation.hooks.lifetimes import argument
from otel_parallelism.instrumentation.hooks.patching import Framework, Patch
from otel_parallelism.instrumentation.hooks.turn_wrappers import TurnFacts, turn_wrapper
from otel_parallelism.tracing.shield import swallow
from otel_parallelism.tracing.spans.model_request import ModelRequest
from otel_parallelism.tracing.state.nodes import MISSING

if TYPE_CHECKING:
    from otel_parallelism.instrumentation.hooks.lifetimes import Arguments, Keywords, Lifetime


def _call(call: Any, _: Arguments, __: Keywords) -> CallFacts:
    function = call.function
    context = getattr(function, "_run_context", None)
    return CallFacts(
        function.name,
        call.call_id or "",
        call.arguments or {},
        injected=(("dependencies", getattr(context, "dependencies", None)),),
        function=function.entrypoint,
        description=getattr(function, "description", None),
    )


def _read(outcome: Any) -> Returned:
    # A tool that is a generator yields its own items, which are not outcomes.
    status = getattr(outcome, "status", None)
    if status is None:
        return Returned(MISSING)
    result = outcome.result
    # A result with images or files is an object with a content field.
    return Returned(getattr(result, "content", result), failed=status == "failure")


def _until_read(outcome: Any, lifetime: Lifetime) -> bool:
    """Follow a tool that is a generator: it runs while Agno iterates over it, through the outcome or the call."""
    generator = getattr(outcome, "result", None)
    followed = followed_generator(generator, lifetime, lambda: None)
    if followed is None:
        return False
    outcome.result = followed
    call = getattr(lifetime, "instance", None)
    if call is not None and call.result is generator:
        call.result = followed
    return True


def _turn(_: Any, args: Arguments, kwargs: Keywords) -> TurnFacts:
    runner = args[0] if args else kwargs.get("agent") or kwargs.get("team")
    response = argument(args, kwargs, 1, "run_response")
    return TurnFacts(
        getattr(runner, "name", None) or "", getattr(getattr(response, "input", None), "input_content", None)
    )


class _AgnoRequest(ModelRequest):
    """A request to any model class, including its retries."""

    __slots__ = ("_ids", "_requests_calls")

    def __init__(self, model: str, provider: str) -> None:
        super().__init__(model, provider)
        self._ids: dict[str, None] = {}
        self._requests_calls = False

    def seen(self, item: Any) -> None:
        """Record an answer or a piece of one."""
        try:
            for call in item.tool_calls or ():
                self._requests_calls = True
                call_id = call.get("id") if isinstance(call, dict) else getattr(call, "id", None)
                if isinstance(call_id, str) and call_id:
                    self._ids[call_id] = None
        except Exception as error:  # noqa: BLE001 - a model class of the program may return anything
            swallow("reading a model's answer", error)

    def end(self, result: Any = None) -> None:
        """End the request; *result* is the whole answer unless it was streamed."""
        if result is not MISSING:
            self.seen(result)
        # If the calls have no readable ids, the provider's client may know them.
        if self._ids or not self._requests_calls:
            self.answered(tuple(self._ids))
        super().end()


def _request(model: Any, _: Arguments, __: Keywords) -> _AgnoRequest:
    return _AgnoRequest(str(model.id or ""), str(model.provider or "").lower())


_MODEL = "agno.models.base:Model"
_TURN = turn_wrapper(_turn, title="agno agent", scopes=("agno",))
_RUNS = ("_run", "_run_stream", "_arun", "_arun_stream")
_CONTINUED = ("_continue_run", "_continue_run_stream", "_acontinue_run", "_acontinue_run_stream")

FRAMEWORK = Framework(
    name="agno",
    distribution="agno",
    versions=">=3.1,<4",
    patches=(
        *(Patch(f"agno.{runner}._run:{name}", _TURN) for runner in ("agent", "team") for name in (*_RUNS, *_CONTINUED)),
        Patch("agno.tools.function:FunctionCall.execute", tool_call_wrapper(_call, _read, _until_read)),
        Patch("agno.tools.function:FunctionCall.aexecute", tool_call_wrapper(_call, _read, _until_read)),
        Patch(f"{_MODEL}._invoke_with_retry", lifetime_wrapper(_request)),
        Patch(f"{_MODEL}._ainvoke_with_retry", lifetime_wrapper(_request)),
        Patch(f"{_MODEL}._invoke_stream_with_retry", lifetime_wrapper(_request)),
        Patch(f"{_MODEL}._ainvoke_stream_with_retry", lifetime_wrapper(_request)),
    ),
    others=(
        "openinference-instrumentation-agno",
        "opentelemetry-instrumentation-agno",
        "opentelemetry-instrumentation-genai-agno",
    ),
    lacks="A Workflow is not a turn; each run of its agents is one.",
)
