"""
CrewAI: a crew's run, its agents' runs inside, and tools, which run in at most eight threads.

Models that can call tools by themselves ask for several at once; others name one in their text at a time.
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

_ASKED_KEY = create_key("otel-parallelism-crewai-asked")
"""Where the context holds the name and the id of the call that is about to be made."""


def _get(thing: Any, *names: str) -> Any:
    """Return the first of the fields *names* of an object or dict that holds anything."""
    for name in names:
        value = thing.get(name) if isinstance(thing, dict) else getattr(thing, name, None)
        if value:
            return value
    return None


def _id_of(asked: Any) -> str:
    """Return the id that the provider gave a call: in any of their forms, some of which have none."""
    found = _get(asked, "call_id", "id", "toolUseId")
    return found if isinstance(found, str) else ""


def _asked(_: Any, args: Arguments, kwargs: Keywords) -> ContextValue:
    asked = argument(args, kwargs, 0, "tool_call")
    function = _get(asked, "function", "function_call") or asked
    return ContextValue(_ASKED_KEY, [(_tool(_get(function, "name") or _get(asked, "name")), _id_of(asked))])


def _call(tool: Any, args: Arguments, kwargs: Keywords) -> CallFacts:
    name = _tool(tool.name)
    note: Any = get_current().get(_ASKED_KEY)
    # A tool may run others: the id is that of the first.
    asked, call_id = note.pop() if note and note[0][0] == name else (name, "")
    return CallFacts(asked, call_id, {**{str(place): value for place, value in enumerate(args)}, **kwargs})


def _named_call(tool: Any, args: Arguments, kwargs: Keywords) -> CallFacts:
    given = argument(args, kwargs, 0, "input")
    if isinstance(given, str):
        try:
            given = json.loads(given or "{}")
        except ValueError:
            given = None
    return CallFacts(_tool(tool.name), "", given if isinstance(given, dict) else None)


def _tool(name: str) -> str:
    """Return *name* as a model knows it, which gets "Get Weather" as "get_weather"."""
    return re.sub(r"[^a-z0-9]+", "_", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()).strip("_")


def _read(result: Any) -> Returned:
    return Returned(result, failed=type(result).__name__ == "ToolFailure")


def _crew(crew: Any, args: Arguments, kwargs: Keywords) -> TurnFacts | None:
    # What it streams comes from a run of its own in a thread.
    return None if crew.stream else TurnFacts(crew.name or "", argument(args, kwargs, 0, "inputs"))


def _agent(executor: Any, args: Arguments, kwargs: Keywords) -> TurnFacts:
    for method in ("call", "acall"):
        PATCHING.add_method(type(executor.llm), method, lifetime_wrapper(_request))
    for tool in executor.original_tools or ():
        PATCHING.add_method(type(tool), "run", _CALL)
    given = argument(args, kwargs, 0, "inputs")
    return TurnFacts(str(getattr(executor.agent, "role", None) or "").strip(), given.get("input"))


def _blocking_agent(executor: Any, args: Arguments, kwargs: Keywords) -> TurnFacts | None:
    # Inside of an event loop it hands everything to its asynchronous twin.
    return None if asyncio._get_running_loop() is not None else _agent(executor, args, kwargs)  # noqa: SLF001 - does not raise


_CALL = tool_call_wrapper(_call, _read)
"""The body alone: around it CrewAI asks hooks and a cache, and tells its listeners."""


class _CrewaiRequest(ModelRequest):
    """
    A request to any model class.

    Attributes:
        offers: Whether tools were offered. Where they were not, the answer may name some in its text.
    """

    __slots__ = ("offers",)

    def __init__(self, model: str, provider: str, *, offers: bool) -> None:
        super().__init__(model, provider)
        self.offers = offers

    def end(self, result: Any = None) -> None:
        """End with the answer: text, or a list of the calls that are asked for."""
        try:
            asked = result if isinstance(result, list) else []
            ids = tuple(filter(None, map(_id_of, asked)))
            # Nothing is known of calls without ids.
            self.answered(ids if self.offers and len(ids) == len(asked) else None)
        except Exception as error:  # noqa: BLE001 - a model class of the program's own may return anything
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
        Patch(f"{_EXECUTOR}._execute_single_native_tool_call", lifetime_wrapper(_asked)),
        Patch("crewai.agents.step_executor:execute_single_native_tool_call", lifetime_wrapper(_asked)),
        Patch("crewai.tools.base_tool:BaseTool.run", _CALL),
        Patch("crewai.tools.base_tool:Tool.run", _CALL),
        Patch(f"{_TOOL}.invoke", tool_call_wrapper(_named_call, _read)),
        Patch(f"{_TOOL}.ainvoke", tool_call_wrapper(_named_call, _read)),
    ),
    others=("openinference-instrumentation-crewai", "opentelemetry-instrumentation-crewai"),
    lacks="The tasks of a crew and the steps of a Flow are seen as their agents' runs only.",
)
