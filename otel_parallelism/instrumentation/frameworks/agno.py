"""
Agno: ``run`` runs the tools of a response one by one, ``arun`` together; agents and the teams that lead them.

The turn is the function that every way to start one ends in, for ``run`` and ``arun`` may leave the rest to a task in
the background.
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
    return CallFacts(call.function.name, call.call_id or "", call.arguments or {})


def _read(outcome: Any) -> Returned:
    # What a tool hands out bit by bit is none of the outcomes that it is wrapped in.
    status = getattr(outcome, "status", None)
    if status is None:
        return Returned(MISSING)
    result = outcome.result
    # With pictures and files it comes in a box.
    return Returned(getattr(result, "content", result), failed=status == "failure")


def _until_read(outcome: Any, lifetime: Lifetime) -> bool:
    """Follow a tool that is a generator: it runs while Agno reads it, from the outcome or from the call."""
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
    who = args[0] if args else kwargs.get("agent") or kwargs.get("team")
    response = argument(args, kwargs, 1, "run_response")
    return TurnFacts(getattr(who, "name", None) or "", getattr(getattr(response, "input", None), "input_content", None))


class _AgnoRequest(ModelRequest):
    """A request to any model class, with its retries."""

    __slots__ = ("_asked", "_ids")

    def __init__(self, model: str, provider: str) -> None:
        super().__init__(model, provider)
        self._ids: dict[str, None] = {}
        self._asked = False

    def seen(self, item: Any) -> None:
        """Take note of an answer or of a piece of one."""
        try:
            for call in item.tool_calls or ():
                self._asked = True
                call_id = call.get("id") if isinstance(call, dict) else getattr(call, "id", None)
                if isinstance(call_id, str) and call_id:
                    self._ids[call_id] = None
        except Exception as error:  # noqa: BLE001 - a model class of the program's own may return anything
            swallow("reading a model's answer", error)

    def end(self, result: Any = None) -> None:
        """End with the whole answer, if it was not streamed."""
        if result is not MISSING:
            self.seen(result)
        # Without ids that can be read here, the provider's client may know them.
        if self._ids or not self._asked:
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
        *(Patch(f"agno.{who}._run:{name}", _TURN) for who in ("agent", "team") for name in (*_RUNS, *_CONTINUED)),
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
    lacks="A Workflow is no turn; each of its agents' runs is one.",
)
