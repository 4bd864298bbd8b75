"""Reads the effects of MCP tools from their annotations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from otel_parallelism.patterns import LazyPattern

if TYPE_CHECKING:
    from otel_parallelism.model import Effect

_GLOB = LazyPattern(r"([*?\[])")


def mcp_effects(tools: object) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """
    Return which tools of an MCP server read and which write, according to their annotations.

    Use the result in settings: ``read_only, writes = mcp_effects(await session.list_tools())`` and then
    ``Settings(read_only=read_only, writes=writes)``. ``idempotentHint`` is ignored: a repeatable call is not
    necessarily safe to run at the same time as others. A tool without hints is in neither list.

    Args:
        tools: The result of ``tools/list`` or its tools, as JSON data or as objects of an MCP library.

    Returns:
        Glob patterns that match exactly the reading tools, and patterns for the writing tools.

    >>> mcp_effects({"tools": [{"name": "find_page", "annotations": {"readOnlyHint": True}}, {"name": "odd"}]})
    (('find_page',), ())
    """
    listed = _field(tools, "tools")
    if listed is None:
        listed = tools
    reads: list[str] = []
    writes: list[str] = []
    for tool in listed if isinstance(listed, Iterable) else ():
        name, hints = _field(tool, "name"), _field(tool, "annotations")
        if not isinstance(name, str) or not name or hints is None:
            continue
        effect = hinted_effect(
            _field(hints, "readOnlyHint", "read_only_hint"), _field(hints, "destructiveHint", "destructive_hint")
        )
        if effect != "unknown":
            (writes if effect == "write" else reads).append(_GLOB.sub(r"[\1]", name))
    return tuple(reads), tuple(writes)


def hinted_effect(read_only: object, destructive: object) -> Effect:
    """
    Return the effect that the hints of an MCP tool declare; contradictory hints mean a write.

    >>> hinted_effect(True, None), hinted_effect(True, True), hinted_effect(None, None)
    ('read', 'write', 'unknown')
    """
    if destructive is True or read_only is False:
        return "write"
    return "read" if read_only is True else "unknown"


def _field(thing: object, *names: str) -> object:
    for name in names:
        value = thing.get(name) if isinstance(thing, Mapping) else getattr(thing, name, None)
        if value is not None:
            return value
    return None
