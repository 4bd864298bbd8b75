"""The tools that a model may call, by name: their functions, what they do, and what is declared about them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

import msgspec

from otel_parallelism.execution.calling.call_spans import Declared, Resource, declared, function_name
from otel_parallelism.model import Effect

from .conflicts import Access, effect_of, given_effect

Tools: TypeAlias = Mapping[str, Callable[..., Any]] | Iterable[Callable[..., Any]]
"""Functions by the names that the model knows them by, or functions alone, which go by their own names."""


class KnownTool(msgspec.Struct, frozen=True):
    """
    One tool.

    ``effect`` is what its calls do, ``given`` what the caller said they do, if anything; ``resource`` is the caller's
    as well, and ``declared`` is what ``@profiled`` was told.
    """

    name: str
    function: Callable[..., Any]
    effect: Effect
    given: Effect | None
    resource: Resource | None
    declared: Declared | None

    def access(self, arguments: Mapping[str, Any] | str) -> Access:
        """Return what a call with *arguments* does; a resource that cannot be computed counts as not declared."""
        resource = self.resource
        if resource is None and self.declared is not None:
            resource = self.declared.resource
        if callable(resource):
            try:
                resource = str(resource(**arguments) if isinstance(arguments, Mapping) else resource(arguments))
            except Exception:  # noqa: BLE001 - the arguments are the model's; the call itself will tell what is wrong
                resource = ""
        needs = () if self.declared is None else self.declared.depends_on
        return Access(self.name, self.effect, resource or "", needs)


def toolbox(
    tools: Tools, effects: Mapping[str, Effect] | None, resources: Mapping[str, Resource] | None
) -> dict[str, KnownTool]:
    """
    Return *tools* by name.

    Raises:
        TypeError: One of them cannot be called.
        ValueError: Two have one name, or an effect is neither ``read``, ``write`` nor ``unknown``.
    """
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
            raise ValueError(f"two tools are called {known_as!r}")
        told = declared(function)
        found[known_as] = KnownTool(
            known_as,
            function,
            effect_of(known_as, None if told is None else told.effect, effects),
            given_effect(known_as, effects),
            (resources or {}).get(known_as),
            told,
        )
    return found


def _function(given: Any) -> Callable[..., Any]:
    """The function of a tool that a client's or a framework's decorator made an object of."""
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
    """Return the name that a model would know *given* by: a function, or a tool object of some client."""
    name = getattr(given, "name", None)
    return name if isinstance(name, str) and declared(given) is None else function_name(given)
