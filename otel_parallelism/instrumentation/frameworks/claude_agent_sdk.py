"""claude-agent-sdk: a query is a turn; the Claude Code process calls the program's tools over a control channel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, WeakValueDictionary

from otel_parallelism.instrumentation.hooks.call_wrappers import CallFacts, Returned, tool_call_wrapper
from otel_parallelism.instrumentation.hooks.lifetime_wrappers import lifetime_wrapper
from otel_parallelism.instrumentation.hooks.lifetimes import argument
from otel_parallelism.instrumentation.hooks.patching import Framework, Patch
from otel_parallelism.instrumentation.hooks.turn_wrappers import TurnFacts, turn_wrapper
from otel_parallelism.instrumentation.libraries.mcp_objects import ListedTool, ToolListing
from otel_parallelism.instrumentation.libraries.tool_functions import searched

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from otel_parallelism.instrumentation.hooks.lifetimes import Wrapper
    from otel_parallelism.tracing.spans.kinds import Kind

_TOOL_USE_ID = "claudecode/toolUseId"
_LISTED: WeakKeyDictionary[Any, dict[str, dict[str, ListedTool]]] = WeakKeyDictionary()
"""The listed tools, by connection to Claude Code and by server name."""

_SERVED: WeakKeyDictionary[Any, WeakValueDictionary[str, Any]] = WeakKeyDictionary()
"""The tools of the program's servers, by name."""


def _call(query: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> CallFacts | None:
    message: Mapping[str, Any] = argument(args, kwargs, 1, "message")
    if message.get("method") != "tools/call":
        return None
    params = message["params"]
    given, meta = params.get("arguments"), params.get("_meta")
    call_id = meta.get(_TOOL_USE_ID) if isinstance(meta, dict) else None
    listed = _listed(query, args, kwargs).get(params["name"]) or ListedTool()
    return CallFacts(
        params["name"],
        call_id if isinstance(call_id, str) else "",
        given if given is not None else {},
        listed.effect,
        function=_function(query, argument(args, kwargs, 0, "server_name"), params["name"]),
        description=listed.description,
    )


def _function(query: Any, server_name: str, tool: str) -> Any:
    """Return the function of a tool that the program serves, from what its server closes over."""
    server = (getattr(query, "sdk_mcp_servers", None) or {}).get(server_name)
    if server is None:
        return None
    if server not in _SERVED:
        _SERVED[server] = WeakValueDictionary(searched(server, _is_table_of_tools, "mcp claude_agent_sdk") or {})
    return getattr(_SERVED[server].get(tool), "handler", None)


def _is_table_of_tools(value: Any) -> bool:
    return type(value) is dict and bool(value) and all(type(one).__name__ == "SdkMcpTool" for one in value.values())


def _listing(query: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> ToolListing | None:
    message: Mapping[str, Any] = argument(args, kwargs, 1, "message")
    return ToolListing(_listed(query, args, kwargs), _tools) if message.get("method") == "tools/list" else None


def _listed(query: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, ListedTool]:
    """Return the listed tools of the server that the message is for."""
    return _LISTED.setdefault(query, {}).setdefault(argument(args, kwargs, 0, "server_name"), {})


def _tools(answer: Any) -> Iterator[tuple[str, Any, Any]]:
    listed = (answer.get("result") or {}).get("tools", ())
    return ((tool["name"], tool.get("annotations"), tool.get("description")) for tool in listed)


def _request_wrapper(kind: Kind) -> Wrapper:
    """Return the wrapper of requests to the program's servers: to list the tools, or to run one."""
    listing, call = lifetime_wrapper(_listing)(kind), tool_call_wrapper(_call, _read)(kind)

    def request(wrapped: Any, query: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        return call(lambda *given, **named: listing(wrapped, query, given, named), query, args, kwargs)

    return request


def _read(answer: Any) -> Returned:
    result = answer.get("result") or {}
    return Returned(result.get("content"), failed="error" in answer or result.get("isError") is True)


def _query(_: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> TurnFacts:
    prompt = argument(args, kwargs, 0, "prompt")
    return TurnFacts(input=prompt if isinstance(prompt, str) else None)


def _response(_: Any, __: tuple[Any, ...], ___: dict[str, Any]) -> TurnFacts:
    return TurnFacts()


FRAMEWORK = Framework(
    name="claude_agent_sdk",
    distribution="claude-agent-sdk",
    versions=">=0.2.189,<0.3",
    patches=(
        Patch("claude_agent_sdk._internal.query:Query._handle_sdk_mcp_request", _request_wrapper),
        Patch("claude_agent_sdk._internal.client:InternalClient.process_query", turn_wrapper(_query, title="claude")),
        Patch("claude_agent_sdk.client:ClaudeSDKClient.receive_response", turn_wrapper(_response, title="claude")),
    ),
    lacks="Not recorded: tools and model requests inside the Claude Code process, so the cause of sequential calls "
    "stays unknown. While several connected clients wait, the turn of a call is unknown.",
)
