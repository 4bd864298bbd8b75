"""What a function's ``@profiled`` declares: its tool name, effect, resource and dependencies."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, TypeAlias

import msgspec

from otel_parallelism.model import Effect
from otel_parallelism.tracing.state.tool import Tool, tool_name

Resource: TypeAlias = str | Callable[..., object]
"""A key, or a function that computes one from the arguments of a call."""


class Declaration(msgspec.Struct, frozen=True):
    """The arguments of a function's ``@profiled``; None or ``()`` for those not given."""

    name: str
    effect: Effect | None
    resource: Resource | None
    depends_on: tuple[str, ...]


def declaration_of(function: Any) -> Declaration | None:
    """Return the declaration of *function*, or of the function in a method or partial; None if it is not profiled."""
    tool = undecorated(function)[0]
    if tool is None:
        return None
    return Declaration(tool.name, _effect(tool), tool.resource_of or tool.resource or None, tool.depends_on or ())


def function_name(function: Any) -> str:
    """Return the tool name of *function*: the declared name, or the function's own."""
    tool = undecorated(function)[0]
    return tool_name(function) if tool is None else tool.name


def _effect(tool: Tool) -> Effect | None:
    return tool.effect if tool.effect_source == "declared" and tool.effect != "unknown" else None


def undecorated(function: Any) -> tuple[Tool | None, Any, tuple[Any, ...], dict[str, Any]]:
    """Return the declared tool of *function*, the function inside its decorator, and the arguments of a partial."""
    if isinstance(function, partial):
        tool, inner, args, kwargs = undecorated(function.func)
        if tool is None:
            return None, function, (), {}
        return tool, inner, (*args, *function.args), {**kwargs, **function.keywords}
    # Access through an instance gives another wrapper, around the bound method.
    holder = getattr(function, "_self_parent", None)
    tool = getattr(function if holder is None else holder, "_self_tool", None)
    if not isinstance(tool, Tool):
        return None, function, (), {}
    return tool, function.__wrapped__, (), {}


def combined_tool(
    function: Callable[..., Any],
    declared: Tool | None,
    name: str,
    *,
    effect: Effect | None,
    resource: Resource | None,
    depends_on: Iterable[str] | None,
) -> Tool:
    """Return the tool of *function* with the given values, and the declared ones where none is given."""
    needed = None if depends_on is None else tuple(depends_on)
    if declared is None:
        return Tool(function, name, effect, resource, needed)
    if name == declared.name and effect is None and resource is None and not needed:
        return declared
    return Tool(
        function,
        name,
        effect or _effect(declared),
        resource or declared.resource_of or declared.resource or None,
        needed if declared.depends_on is None else tuple(dict.fromkeys((*declared.depends_on, *(needed or ())))),
    )
