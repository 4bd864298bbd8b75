"""Which findings the user does not want: by tool, pair of tools, cause or agent in settings, or on the decorator."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from otel_parallelism.pace import paced

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from otel_parallelism.model import Call, Cause

    from .candidates import Candidate

_CAUSE = "cause:"
_AGENT = "agent:"
_LEAST_LEFT = 2


def set_silenced(candidates: Iterable[Candidate], agent: str, patterns: Sequence[str]) -> None:
    """Mark the candidates that *patterns* or decorators silence; the arguments are those of `is_silenced`."""
    for candidate in candidates:
        candidate.silenced = is_silenced(candidate.calls, candidate.reported_cause, agent, patterns)


def is_silenced(calls: Sequence[Call], cause: Cause, agent: str, patterns: Sequence[str]) -> bool:
    """
    Return whether *patterns* or the decorators of the called functions silence a finding.

    Args:
        calls: The calls of the finding.
        cause: Its cause.
        agent: The name of the turn's agent.
        patterns: ``cause:model``, ``agent:glob``, ``tool+tool`` (two globs) or ``tool`` (a glob). The pattern of a
            tool, like a decorator, silences a finding with fewer than two calls of other tools. The pattern of a pair
            silences a finding that has calls of these two tools only.
    """
    tools = [call.tool.lower() for call in paced(calls)]
    left = [
        tool
        for tool, call in paced(zip(tools, calls, strict=True))
        if not call.silenced and not any(_is_tool(pattern) and _matches(tool, pattern) for pattern in patterns)
    ]
    if len(left) < _LEAST_LEFT:
        return True
    for pattern in patterns:
        if pattern.startswith(_CAUSE):
            if cause == pattern.removeprefix(_CAUSE).strip():
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
