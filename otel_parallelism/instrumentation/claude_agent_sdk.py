"""claude-agent-sdk: a query is a turn; Claude Code, in its own process, calls the program's tools over a channel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .calls import CallFacts, Returned, calls
from .lifetimes import argument
from .patching import Framework, Patch
from .turns import TurnFacts, turns

if TYPE_CHECKING:
    from collections.abc import Mapping

_TOOL_USE_ID = "claudecode/toolUseId"


def _call(_: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> CallFacts | None:
    message: Mapping[str, Any] = argument(args, kwargs, 1, "message")
    if message.get("method") != "tools/call":
        return None
    params = message["params"]
    given, told = params.get("arguments"), params.get("_meta")
    call_id = told.get(_TOOL_USE_ID) if isinstance(told, dict) else None
    return CallFacts(params["name"], call_id if isinstance(call_id, str) else "", given if given is not None else {})


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
        Patch("claude_agent_sdk._internal.query:Query._handle_sdk_mcp_request", calls(_call, _read)),
        Patch("claude_agent_sdk._internal.client:InternalClient.process_query", turns(_query, title="claude")),
        Patch("claude_agent_sdk.client:ClaudeSDKClient.receive_response", turns(_response, title="claude")),
    ),
    lacks="Tools and model requests of Claude Code itself happen in its own process and are not seen, so the cause of "
    "calls one after another stays unknown; nor is the turn of a call known while several connected clients wait.",
)
