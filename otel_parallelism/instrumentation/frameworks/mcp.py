"""
mcp: calls of a server's tools, recorded at the client; annotations and descriptions of the tools come from its list.

A server in the same process receives the client's context since version 2: its tools are measured for their calls.

Turns and model requests belong to the program that makes the calls.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from otel_parallelism.instrumentation.hooks.bodies import served_body_wrapper
from otel_parallelism.instrumentation.hooks.call_wrappers import CallFacts, tool_call_wrapper
from otel_parallelism.instrumentation.hooks.lifetime_wrappers import lifetime_wrapper
from otel_parallelism.instrumentation.hooks.lifetimes import argument
from otel_parallelism.instrumentation.hooks.patching import Framework, Patch
from otel_parallelism.instrumentation.libraries.mcp_objects import ListedTool, ToolListing, mcp_result

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otel_parallelism.instrumentation.hooks.lifetimes import Arguments, Keywords

_SESSION = "mcp.client.session:ClientSession"
_LISTED: WeakKeyDictionary[Any, dict[str, ListedTool]] = WeakKeyDictionary()
"""The listed tools, by session."""


def _listing(session: Any, _: Arguments, __: Keywords) -> ToolListing:
    return ToolListing(_LISTED.setdefault(session, {}), _tools)


def _tools(result: Any) -> Iterator[tuple[str, Any, Any]]:
    return ((tool.name, tool.annotations, getattr(tool, "description", None)) for tool in result.tools)


def _call(session: Any, args: Arguments, kwargs: Keywords) -> CallFacts:
    tool = argument(args, kwargs, 0, "name")
    listed = _LISTED.get(session, {}).get(tool) or ListedTool()
    given = argument(args, kwargs, 1, "arguments") or {}
    return CallFacts(tool, arguments=given, effect=listed.effect, description=listed.description)


def _served(_: Any, args: Arguments, kwargs: Keywords) -> tuple[str, Any] | None:
    params = argument(args, kwargs, 2, "params")
    if argument(args, kwargs, 1, "method") != "tools/call" or not isinstance(params, Mapping):
        return None
    name = params.get("name")
    return (name, None) if isinstance(name, str) else None


def _defined(tool: Any, _: Arguments, __: Keywords) -> tuple[str, Any]:
    return tool.name, tool.fn


FRAMEWORK = Framework(
    name="mcp",
    distribution="mcp",
    versions=">=1.21,<3",
    patches=(
        Patch(f"{_SESSION}.call_tool", tool_call_wrapper(_call, mcp_result)),
        Patch(f"{_SESSION}._absorb_tool_listing|ClientSession.list_tools", lifetime_wrapper(_listing)),
        Patch("mcp.server.runner:ServerRunner._on_request", served_body_wrapper(_served), optional=True),
        Patch("mcp.server.mcpserver.tools.base:Tool.run", served_body_wrapper(_defined), optional=True),
    ),
    native=("calls",),
    others=("openinference-instrumentation-mcp", "opentelemetry-instrumentation-mcp"),
    lacks="It has no agents: open an agent_turn around each run.",
)
