"""The tools that a model may call, by name: functions, effects and declarations."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

import msgspec

from otel_parallelism.execution.calling.declarations import Declaration, Resource, declaration_of, function_name
from otel_parallelism.model import Effect

from .conflicts import Access, effect_of, given_effect

Tools: TypeAlias = Mapping[str, Callable[..., Any]] | Iterable[Callable[..., Any]]
"""Functions by the tool names that the model uses, or functions alone, whose names are the tool names."""


class KnownTool(msgspec.Struct, frozen=True):
    """
    One tool.

    Attributes:
        name: The tool's name.
        function: The function to call.
        effect: The effect of its calls: given, declared, or assumed from the name.
        given: The effect that the caller of ``run_tools`` gave, if any.
        resource: The resource that the caller gave, if any.
        declared: The arguments of its ``@profiled``, if any.
    """

    name: str
    function: Callable[..., Any]
    effect: Effect
    given: Effect | None
    resource: Resource | None
    declared: Declaration | None

    def access(self, arguments: Mapping[str, Any] | str) -> Access:
        """Return the access of a call with *arguments*; a resource that cannot be computed counts as not declared."""
        resource = self.resource
        if resource is None and self.declared is not None:
            resource = self.declared.resource
        if callable(resource):
            try:
                resource = str(resource(**arguments) if isinstance(arguments, Mapping) else resource(arguments))
            except Exception:  # noqa: BLE001 - the model's arguments may be invalid; the call reports the error
                resource = ""
        needs = () if self.declared is None else self.declared.depends_on
        return Access(self.name, self.effect, resource or "", needs)


def toolbox(
    tools: Tools, effects: Mapping[str, Effect] | None, resources: Mapping[str, Resource] | None
) -> dict[str, KnownTool]:
    """
    Return *tools* by name.

    Raises:
        TypeError: *tools* is neither a list nor a dict, or a tool cannot be called.
        ValueError: Two tools have the same name, or an effect is neither ``read``, ``write`` nor ``unknown``.
    """
    unchecked: Any = tools
    if not isinstance(unchecked, Iterable) or isinstance(unchecked, str):
        raise TypeError(f"tools must be a list or a dict of functions, not {type(tools).__name__}")
    effects = effects or {}
    for name, effect in effects.items():
        if effect not in ("read", "write", "unknown"):
            raise ValueError(f"effects[{name!r}] must be 'read', 'write' or 'unknown', not {effect!r}")
    found: dict[str, KnownTool] = {}
    named: Iterable[tuple[str, Any]] = (
        ((str(name), tool) for name, tool in tools.items())
        if isinstance(tools, Mapping)
        else ((name_of(tool), tool) for tool in tools)
    )
    for known_as, given in named:
        function = _function(given)
        if known_as in found:
            raise ValueError(f"two tools are named {known_as!r}")
        declared = declaration_of(function)
        found[known_as] = KnownTool(
            known_as,
            function,
            effect_of(known_as, None if declared is None else declared.effect, effects),
            given_effect(known_as, effects),
            (resources or {}).get(known_as),
            declared,
        )
    return found


def _function(given: Any) -> Callable[..., Any]:
    """Return the function of *given*: a function, or a tool object of a client or framework."""
    if isinstance(getattr(given, "name", None), str):
        for attribute in ("coroutine", "func"):
            inner = getattr(given, attribute, None)
            if callable(inner):
                found: Callable[..., Any] = inner
                return found
    if not callable(given):
        raise TypeError(f"a tool must be callable, not {type(given).__name__}")
    function: Callable[..., Any] = given
    return function


def name_of(given: Any) -> str:
    """Return the tool name of *given*: a function, or a tool object of a client."""
    name = getattr(given, "name", None)
    return name if isinstance(name, str) and declaration_of(given) is None else function_name(given)
