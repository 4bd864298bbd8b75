"""
mcp: calls of a server's tools, recorded at the client; the annotations of the server's tools give their effects.

Turns and model requests belong to the program that makes the calls.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from otel_parallelism.instrumentation.hooks.call_wrappers import CallFacts, tool_call_wrapper
from otel_parallelism.instrumentation.hooks.lifetime_wrappers import lifetime_wrapper
from otel_parallelism.instrumentation.hooks.lifetimes import argument
from otel_parallelism.instrumentation.hooks.patching import Framework, Patch
from otel_parallelism.instrumentation.libraries.mcp_objects import ToolListing, mcp_result

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otel_parallelism.instrumentation.hooks.lifetimes import Arguments, Keywords
    from otel_parallelism.model import Effect

_SESSION = "mcp.client.session:ClientSession"
_EFFECTS: WeakKeyDictionary[Any, dict[str, Effect]] = WeakKeyDictionary()
"""The effects of tools, by session."""


def _listing(session: Any, _: Arguments, __: Keywords) -> ToolListing:
    return ToolListing(_EFFECTS.setdefault(session, {}), _tools)


def _tools(result: Any) -> Iterator[tuple[str, Any]]:
    return ((tool.name, tool.annotations) for tool in result.tools)


def _call(session: Any, args: Arguments, kwargs: Keywords) -> CallFacts:
    tool = argument(args, kwargs, 0, "name")
    effect = _EFFECTS.get(session, {}).get(tool, "unknown")
    return CallFacts(tool, arguments=argument(args, kwargs, 1, "arguments") or {}, effect=effect)


FRAMEWORK = Framework(
    name="mcp",
    distribution="mcp",
    versions=">=1.21,<3",
    patches=(
        Patch(f"{_SESSION}.call_tool", tool_call_wrapper(_call, mcp_result)),
        Patch(f"{_SESSION}._absorb_tool_listing|ClientSession.list_tools", lifetime_wrapper(_listing)),
    ),
    native=("calls",),
    others=("openinference-instrumentation-mcp", "opentelemetry-instrumentation-mcp"),
    lacks="It has no agents: open an agent_turn around each run.",
)
