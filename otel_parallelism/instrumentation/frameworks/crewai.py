"""
CrewAI: runs of crews, the runs of agents inside them, and tools, which run in at most eight threads.

Models with native tool calling can request several calls at once; other models name one tool at a time in their text.
"""

from __future__ import annotations

import asyncio
import json
import re
from typing import TYPE_CHECKING, Any

from opentelemetry.context import create_key

from otel_parallelism.instrumentation.hooks.call_wrappers import CallFacts, Returned, tool_call_wrapper
from otel_parallelism.instrumentation.hooks.context_values import ContextValue
from otel_parallelism.instrumentation.hooks.lifetime_wrappers import lifetime_wrapper
from otel_parallelism.instrumentation.hooks.lifetimes import argument
from otel_parallelism.instrumentation.hooks.patching import PATCHING, Framework, Patch
from otel_parallelism.instrumentation.hooks.turn_wrappers import TurnFacts, turn_wrapper
from otel_parallelism.tracing.sdk.current import get_current
from otel_parallelism.tracing.shield import swallow
from otel_parallelism.tracing.spans.model_request import ModelRequest

if TYPE_CHECKING:
    from otel_parallelism.instrumentation.hooks.lifetimes import Arguments, Keywords
from otel_parallelism.instrumentation.libraries.tool_functions import own_method

_REQUESTED_KEY = create_key("otel-parallelism-crewai-requested")
"""The context key of the name and the id of the call that is about to run."""


def _get(thing: Any, *names: str) -> Any:
    """Return the first non-empty one of the fields *names* of an object or dict; None if all are empty."""
    for name in names:
        value = thing.get(name) if isinstance(thing, dict) else getattr(thing, name, None)
        if value:
            return value
    return None


def _id_of(call: Any) -> str:
    """Return the id of a provider's *call* object, in any provider's form; empty if it has none."""
    found = _get(call, "call_id", "id", "toolUseId")
    return found if isinstance(found, str) else ""


def _requested(_: Any, args: Arguments, kwargs: Keywords) -> ContextValue:
    call = argument(args, kwargs, 0, "tool_call")
    function = _get(call, "function", "function_call") or call
    return ContextValue(_REQUESTED_KEY, [(_tool(_get(function, "name") or _get(call, "name")), _id_of(call))])


def _call(tool: Any, args: Arguments, kwargs: Keywords) -> CallFacts:
    name = _tool(tool.name)
    requested: Any = get_current().get(_REQUESTED_KEY)
    # A tool may run other tools; the id belongs to the first.
    _, call_id = requested.pop() if requested and requested[0][0] == name else (name, "")
    given = {**{str(place): value for place, value in enumerate(args)}, **kwargs}
    return CallFacts(name, call_id, given, description=_description(tool), function=_function(tool))


def _named_call(tool: Any, args: Arguments, kwargs: Keywords) -> CallFacts:
    given = argument(args, kwargs, 0, "input")
    if isinstance(given, str):
        try:
            given = json.loads(given or "{}")
        except ValueError:
            given = None
    named = given if isinstance(given, dict) else None
    return CallFacts(_tool(tool.name), "", named, description=_description(tool), function=_function(tool))


def _function(tool: Any) -> Any:
    return getattr(tool, "func", None) or own_method(tool, "_run", "_arun")


def _description(tool: Any) -> str:
    """Return what the tool's author wrote; CrewAI may put the name and the arguments before it."""
    described = getattr(tool, "description", None)
    return described.rpartition("\nTool Description:")[2] if isinstance(described, str) else ""


def _tool(name: str) -> str:
    """Return *name* in the form that CrewAI gives to models: "Get Weather" becomes "get_weather"."""
    return re.sub(r"[^a-z0-9]+", "_", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()).strip("_")


def _read(result: Any) -> Returned:
    return Returned(result, failed=type(result).__name__ == "ToolFailure")


def _crew(crew: Any, args: Arguments, kwargs: Keywords) -> TurnFacts | None:
    # A streaming crew does its work in a second run, in a thread.
    return None if crew.stream else TurnFacts(crew.name or "", argument(args, kwargs, 0, "inputs"))


def _agent(executor: Any, args: Arguments, kwargs: Keywords) -> TurnFacts:
    for method in ("call", "acall"):
        PATCHING.add_method(type(executor.llm), method, lifetime_wrapper(_request))
    for tool in executor.original_tools or ():
        PATCHING.add_method(type(tool), "run", _CALL)
    given = argument(args, kwargs, 0, "inputs")
    return TurnFacts(str(getattr(executor.agent, "role", None) or "").strip(), given.get("input"))


def _blocking_agent(executor: Any, args: Arguments, kwargs: Keywords) -> TurnFacts | None:
    # Inside an event loop, `invoke` delegates to `invoke_async`.
    return None if asyncio._get_running_loop() is not None else _agent(executor, args, kwargs)  # noqa: SLF001 - does not raise


_CALL = tool_call_wrapper(_call, _read)
"""Wraps only the tool's own run, without the hooks, the cache and the events around it."""


class _CrewaiRequest(ModelRequest):
    """
    A request to any model class.

    Attributes:
        offers: Whether the request offers tools. If not, the answer may name one in its text.
    """

    __slots__ = ("offers",)

    def __init__(self, model: str, provider: str, *, offers: bool) -> None:
        super().__init__(model, provider)
        self.offers = offers

    def end(self, result: Any = None) -> None:
        """End the request; *result* is a text or the list of requested calls."""
        try:
            requested = result if isinstance(result, list) else []
            ids = tuple(filter(None, map(_id_of, requested)))
            # Calls without ids cannot be matched, so the request then counts as unknown.
            self.answered(ids if self.offers and len(ids) == len(requested) else None)
        except Exception as error:  # noqa: BLE001 - a model class of the program may return anything
            swallow("reading a model's answer", error)
        super().end()


def _request(model: Any, args: Arguments, kwargs: Keywords) -> _CrewaiRequest:
    name = str(getattr(model, "model", None) or "")
    provider = str(getattr(model, "provider", None) or "")
    return _CrewaiRequest(name, provider, offers=bool(argument(args, kwargs, 1, "tools")))


_EXECUTOR = "crewai.agents.agent_executor:AgentExecutor"
_TOOL = "crewai.tools.structured_tool:CrewStructuredTool"
_SCOPES = ("crewai",)
_CREW = turn_wrapper(_crew, title="crew", scopes=_SCOPES)

FRAMEWORK = Framework(
    name="crewai",
    distribution="crewai",
    versions=">=1.15,<2",
    patches=(
        Patch("crewai.crew:Crew.kickoff", _CREW),
        Patch("crewai.crew:Crew.akickoff", _CREW),
        Patch(f"{_EXECUTOR}.invoke", turn_wrapper(_blocking_agent, title="crewai agent", scopes=_SCOPES)),
        Patch(f"{_EXECUTOR}.invoke_async", turn_wrapper(_agent, title="crewai agent", scopes=_SCOPES)),
        Patch(f"{_EXECUTOR}._execute_single_native_tool_call", lifetime_wrapper(_requested)),
        Patch("crewai.agents.step_executor:execute_single_native_tool_call", lifetime_wrapper(_requested)),
        Patch("crewai.tools.base_tool:BaseTool.run", _CALL),
        Patch("crewai.tools.base_tool:Tool.run", _CALL),
        Patch(f"{_TOOL}.invoke", tool_call_wrapper(_named_call, _read)),
        Patch(f"{_TOOL}.ainvoke", tool_call_wrapper(_named_call, _read)),
    ),
    others=("openinference-instrumentation-crewai", "opentelemetry-instrumentation-crewai"),
    lacks="Tasks of a crew and steps of a Flow are recorded only as the runs of their agents.",
)
