"""
fastmcp: the tools of a server.

Calls of its client pass through mcp's session and are recorded there, inside the span that the client makes for each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from otel_parallelism.instrumentation.hooks.call_wrappers import CallFacts, tool_call_wrapper
from otel_parallelism.instrumentation.hooks.lifetimes import argument
from otel_parallelism.instrumentation.hooks.patching import Framework, Patch
from otel_parallelism.instrumentation.libraries.mcp_objects import annotated_effect, mcp_result

if TYPE_CHECKING:
    from otel_parallelism.instrumentation.hooks.lifetimes import Arguments, Keywords


def _call(tool: Any, args: Arguments, kwargs: Keywords) -> CallFacts:
    given = argument(args, kwargs, 0, "arguments")
    return CallFacts(
        tool.name,
        arguments=given or {},
        effect=annotated_effect(tool.annotations),
        function=tool.fn,
        description=getattr(tool, "description", None),
    )


FRAMEWORK = Framework(
    name="fastmcp",
    distribution="fastmcp",
    versions=">=4.1,<5",
    patches=(Patch("fastmcp.tools.function_tool:FunctionTool.run", tool_call_wrapper(_call, mcp_result)),),
    native=("calls",),
    others=("openinference-instrumentation-mcp",),
    lacks="It has no agents: open an agent_turn around each run.",
)
