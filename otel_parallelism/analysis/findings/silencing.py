"""Which findings a user does not want to hear of: by tool, pair of tools, cause or agent, or on the decorator."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from otel_parallelism.model import Finding

_CAUSE = "cause:"
_AGENT = "agent:"
_LEAST_LEFT = 2


def is_silenced(finding: Finding, agent: str, patterns: Sequence[str], hushed: Collection[str] = ()) -> bool:
    """
    Whether one of *patterns* or the decorators silence *finding*.

    Args:
        finding: What was found.
        agent: The name of the turn's agent.
        patterns: ``cause:model``, ``agent:glob``, ``tool+tool`` (both globs) or ``tool`` (a glob). A tool's pattern
            silences a finding that is left with fewer than two calls of other tools; a pair's one that has calls of
            these two only.
        hushed: Span ids of calls whose decorator asks for silence; they count like a tool's pattern.
    """
    tools = [tool.lower() for tool in finding.calls]
    loud = [
        tool
        for tool, span_id in zip(tools, finding.span_ids, strict=True)
        if span_id not in hushed and not any(_is_tool(pattern) and _matches(tool, pattern) for pattern in patterns)
    ]
    if len(loud) < _LEAST_LEFT:
        return True
    for pattern in patterns:
        if pattern.startswith(_CAUSE):
            if finding.cause == pattern.removeprefix(_CAUSE).strip():
                return True
        elif pattern.startswith(_AGENT):
            if _matches(agent.lower(), pattern.removeprefix(_AGENT).strip()):
                return True
        elif "+" in pattern:
            sides = [side.strip() for side in pattern.split("+")]
            if all(any(_matches(tool, side) for side in sides) for tool in tools):
                return True
    return False


def _is_tool(pattern: str) -> bool:
    return "+" not in pattern and not pattern.startswith((_CAUSE, _AGENT))


def _matches(name: str, pattern: str) -> bool:
    return fnmatchcase(name, pattern.lower())
