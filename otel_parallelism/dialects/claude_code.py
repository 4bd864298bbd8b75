"""
Claude Code's own spans: interactions, model requests, and tools with their permission and execution.

Tools start while the response still streams. Responses are not recorded, so rounds follow from times. A permission that
a rule or a hook decided waits for no person.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from otel_parallelism import names

from .parsing import envelopes, messages
from .parsing.content import captured
from .parsing.facts import Dialect, Facts, text
from .parsing.usage import input_usage

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from otel_parallelism.model import SpanRecord

_PREFIX = "claude_code."
_TOKENS: Final = ("input_tokens",)
_CACHE_READ: Final = ("cache_read_tokens", "cache_read_input_tokens")
_CACHE_WRITTEN: Final = ("cache_creation_tokens", "cache_creation_input_tokens")
_INPUTS: Final = ("tool_input", "tool_parameters")
_ARGUMENTS: Final = (
    *("file_path", "notebook_path", "full_command", "bash_command", "command", "pattern", "path", "url", "query"),
    *("skill_name", "subagent_type", "description", "prompt"),
)
_TOLD_WHOLE: Final = {"Read": "file_path", "Bash": "full_command", "PowerShell": "full_command"}
"""Tools whose recorded argument is all that they need, with its key; of other tools only a part is recorded."""

_RESULTS: Final = ("content", "output", "stdout", "result", "diff")
_OUTPUT_EVENT = "tool.output"
_DECIDED: Final = frozenset({"config", "hook"})
_FOR_TOOLS: Final = "tool_use"


def _describe(span: SpanRecord) -> Facts | None:
    """Return the facts by the span's name; other spans of Claude Code, such as hooks, are passages."""
    if not span.name.startswith(_PREFIX):
        return None
    reader = _READERS.get(span.name.removeprefix(_PREFIX))
    return reader(span) if reader is not None else Facts(kind="passage")


def _interaction(span: SpanRecord) -> Facts:
    return Facts(
        kind="turn",
        agent=text(span.attributes, "gen_ai.agent.name") or "claude_code",
        words=captured(span.attributes.get("user_prompt"), messages.run_input),
    )


def _tool(span: SpanRecord) -> Facts:
    attributes = span.attributes
    tool = text(attributes, "tool_name", "tool_name_safe", names.TOOL_NAME)
    given = next((attributes[key] for key in _INPUTS if attributes.get(key) is not None), None)
    whole = given is not None or _TOLD_WHOLE.get(tool) in attributes
    if given is None:
        # Hidden values would not be seen inside the mapping.
        told = {key: attributes[key] for key in _ARGUMENTS if captured(attributes.get(key), envelopes.arguments)}
        whole = whole and _TOLD_WHOLE.get(tool) in told
        given = told or None
    outputs = [event.attributes for event in span.events if event.name == _OUTPUT_EVENT]
    output = next((told[key] for told in outputs for key in _RESULTS if told.get(key) is not None), None)
    return Facts(
        kind="call",
        tool=tool,
        call_id=text(attributes, "tool_use_id", names.TOOL_CALL_ID),
        arguments=captured(given, envelopes.arguments, whole=whole),
        result=captured(output, envelopes.result),
        failed=attributes.get("success") in (False, "false"),
    )


def _blocked(span: SpanRecord) -> Facts:
    decided = text(span.attributes, "source", "decision_source") in _DECIDED
    return Facts(kind="passage" if decided else "waiting")


def _request(span: SpanRecord) -> Facts:
    """Return the facts of a model request; one that a tool makes for itself is none of the turn's."""
    attributes = span.attributes
    if text(attributes, "llm_request.context") == "tool":
        return Facts(kind="passage")
    usage = input_usage(attributes, _TOKENS, _CACHE_READ, _CACHE_WRITTEN, beside=True)
    return Facts(
        kind="step",
        requested=None if _asks_for_tools(attributes) else (),
        streams=text(attributes, "stop_reason") == _FOR_TOOLS
        or attributes.get("response.has_tool_call") in (True, "true"),
        input_tokens=usage.tokens,
        cached_tokens=usage.cached,
    )


def _asks_for_tools(attributes: Mapping[str, object]) -> bool:
    """Return whether the response may ask for tools."""
    reason = text(attributes, "stop_reason")
    if reason:
        return reason == _FOR_TOOLS
    return attributes.get("response.has_tool_call") not in (False, "false")


_READERS: Final[Mapping[str, Callable[[SpanRecord], Facts]]] = {
    "interaction": _interaction,
    "tool": _tool,
    "tool.blocked_on_user": _blocked,
    "llm_request": _request,
}

DIALECT = Dialect(describe=_describe, rank=23, names=(_PREFIX,))
