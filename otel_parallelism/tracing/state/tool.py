"""What is constant about one decorated function: its names, what was declared about it, its span's attributes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from otel_parallelism import names

if TYPE_CHECKING:
    from otel_parallelism.model import Effect, EffectSource


class Tool:
    """
    One decorated function, or a tool of a framework's, whose ``function`` is None.

    Attributes:
        name: The tool's name.
        span_name: The name of its calls' spans.
        attributes: The attributes that all its calls' spans share; never changed.
        effect: What was declared, or ``unknown``.
        depends_on: Names of the tools whose results it needs; None where nothing was declared.
        resource_of: Computes the declared resource from a call's arguments, or None.
        resource: The declared resource where it is constant, else an empty string.
        silenced: Whether findings about it are not to be reported.
        blocking: Whether calling it runs its body: it is no coroutine function.
    """

    __slots__ = (
        "attributes",
        "blocking",
        "depends_on",
        "effect",
        "effect_source",
        "function",
        "name",
        "resource",
        "resource_of",
        "silenced",
        "span_name",
    )

    def __init__(
        self,
        function: Callable[..., Any] | None,
        name: str | None,
        effect: Effect | None,
        resource: str | Callable[..., Any] | None,
        depends_on: Iterable[Any] | None,
        *,
        silenced: bool = False,
        blocking: bool = False,
    ) -> None:
        self.function: Callable[..., Any] | None = function
        self.silenced: bool = silenced
        self.blocking: bool = blocking
        self.name: str = name if name is not None else tool_name(function)
        self.span_name: str = f"{names.EXECUTE_TOOL} {self.name}"
        self.effect: Effect = effect or "unknown"
        self.effect_source: EffectSource = "declared" if effect else ""
        self.resource: str = resource if isinstance(resource, str) else ""
        self.resource_of: Callable[..., Any] | None = None if isinstance(resource, str) else resource
        self.depends_on: tuple[str, ...] | None = (
            None if depends_on is None else tuple(_dependency(item) for item in depends_on)
        )
        attributes: dict[str, Any] = {names.OPERATION_NAME: names.EXECUTE_TOOL, names.TOOL_NAME: self.name}
        if effect:
            attributes[names.EFFECT] = effect
        if self.resource:
            attributes[names.RESOURCE] = self.resource
        if self.depends_on is not None:
            attributes[names.DEPENDS_ON] = self.depends_on
        self.attributes: Mapping[str, Any] = attributes


def tool_name(function: Any) -> str:
    """Return the tool's name: *function*'s own, a partial's function's, or a callable object's type's."""
    tool = getattr(function, "_self_tool", None)
    if isinstance(tool, Tool):
        return tool.name
    while not hasattr(function, "__name__") and hasattr(function, "func"):
        function = function.func
    return str(getattr(function, "__name__", type(function).__name__))


def _dependency(item: Any) -> str:
    if isinstance(item, str):
        return item
    # A method's decorated function is reached through the class or an instance as a bound wrapper.
    return tool_name(getattr(item, "_self_parent", None) or item)


def check(name: Any, effect: Any, resource: Any, depends_on: Any) -> None:
    """
    Check what was declared.

    Raises:
        TypeError: *name* is no string, *resource* neither string nor callable, or *depends_on* no list of tools.
        ValueError: *name* or *resource* is empty, or *effect* is neither ``read`` nor ``write``.
    """
    if name is not None:
        if not isinstance(name, str):
            raise TypeError(f"name= must be a string, not {type(name).__name__}")
        if not name:
            raise ValueError("name= must not be empty")
    if effect is not None and effect not in ("read", "write"):
        raise ValueError(f"effect= must be 'read' or 'write', not {effect!r}")
    if resource is not None and not isinstance(resource, str) and not callable(resource):
        raise TypeError(f"resource= must be a string or a callable, not {type(resource).__name__}")
    if resource == "":
        raise ValueError("resource= must not be empty")
    if depends_on is not None:
        _check_dependencies(depends_on)


def _check_dependencies(depends_on: Any) -> None:
    if isinstance(depends_on, str) or not isinstance(depends_on, Iterable):
        raise TypeError("depends_on= must be a list of tool names or profiled functions")
    for item in depends_on:
        if not isinstance(item, str) and not callable(item) and not hasattr(item, "_self_tool"):
            raise TypeError(f"depends_on= must hold tool names or profiled functions, not {type(item).__name__}")
