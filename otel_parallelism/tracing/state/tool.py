"""The constant data of a tool: its name, its declared properties, the attributes of its spans."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from functools import cached_property, partial, partialmethod, singledispatchmethod
from types import CodeType, FunctionType
from typing import TYPE_CHECKING, Any

from otel_parallelism import names
from otel_parallelism.model import Caller
from otel_parallelism.tracing.bytecode.changes import changes_outside
from otel_parallelism.tracing.sdk.child_sampler import SharedAttributes

if TYPE_CHECKING:
    from weakref import ReferenceType

    from otel_parallelism.model import Effect, EffectSource

_AROUND_A_FUNCTION = (partial, partialmethod, singledispatchmethod, cached_property)
"""Objects with the field ``func``. A mock has a field of any name, each another mock."""

_LONGEST_DESCRIPTION = 2_000


class Tool:
    """
    A decorated function, or a framework's tool.

    Attributes:
        function: The decorated function; None for a framework's tool.
        name: The tool's name.
        span_name: The name of the spans of its calls.
        attributes: The attributes that all these spans share; never changed.
        effect: The declared effect, or ``unknown``.
        effect_source: Where the effect comes from; an empty string where it is unknown.
        depends_on: The names of the tools whose results it needs; None if not declared.
        resource_of: A function that computes the resource from a call's arguments, or None.
        resource: The declared resource if it is constant, else an empty string.
        owner: The class on which its function was last looked up, as for ``Class.method(object)``; None if on none.
        outside: Where its closure and globals hold objects that calls share; None before the first call.
        silenced: Whether findings about it are left out of reports.
        framework: The framework that calls it; empty for a decorated function.
        blocking: Whether calling it runs its body, as for any function that is not a coroutine function.
    """

    __slots__ = (
        "_changes",
        "_description",
        "_place",
        "attributes",
        "blocking",
        "depends_on",
        "effect",
        "effect_source",
        "framework",
        "function",
        "name",
        "outside",
        "owner",
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
        framework: str = "",
        description: str | None = None,
    ) -> None:
        self._description: str | None = description
        self.function: Callable[..., Any] | None = function
        self.outside: tuple[tuple[str, Any, str, bool], ...] | None = None
        self.owner: ReferenceType[type] | None = None
        self._changes: bool | None = None
        self._place: tuple[Caller | None] | None = None
        self.silenced: bool = silenced
        self.blocking: bool = blocking
        self.framework: str = framework
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
        if framework:
            attributes[names.FRAMEWORK] = framework
        self.attributes: SharedAttributes = SharedAttributes(attributes)

    def changes_outside(self) -> bool:
        """Return whether the function's code visibly changes something outside; the first question reads the code."""
        if self._changes is None:
            self._changes = changes_outside(self.function)
        return self._changes

    def description(self) -> str:
        """Return what the model reads of the tool, or the documentation of the decorated function."""
        if self._description is None:
            found = innermost(self.function)
            found = getattr(found, "__func__", found)
            # The documentation of any other object may be that of its class.
            said = found.__doc__ if type(found) is FunctionType else None
            self._description = said[:_LONGEST_DESCRIPTION] if isinstance(said, str) else ""
        return self._description

    def place(self) -> Caller | None:
        """Return where the function is defined, without its wrappers; None if that is unknown."""
        if self._place is None:
            function = None if self.function is None else innermost(self.function)
            code = getattr(getattr(function, "__func__", function), "__code__", None)
            if code is None:
                # A callable object runs the method of its class.
                code = getattr(inspect.getattr_static(type(function), "__call__", None), "__code__", None)
            found = Caller(code.co_filename, code.co_firstlineno) if isinstance(code, CodeType) else None
            self._place = (found,)
        return self._place[0]


def innermost(function: Any) -> Any:
    """Return *function* without the wrappers around it; itself if they wrap one another in a circle."""
    try:
        return inspect.unwrap(function)
    except ValueError:
        return function


def tool_name(function: Any) -> str:
    """Return the tool name of *function*: its own, that of a partial's function, or a callable object's type."""
    tool = getattr(function, "_self_tool", None)
    if isinstance(tool, Tool):
        return tool.name
    inner = function
    while isinstance(inner, _AROUND_A_FUNCTION) and not hasattr(inner, "__name__"):
        inner = inner.func
    return str(getattr(inner, "__name__", type(function).__name__))


def _dependency(item: Any) -> str:
    """Return the tool name that *item*, a name or a function, stands for in ``depends_on``."""
    if isinstance(item, str):
        return item
    # A decorated method, taken from its class or an instance, is a bound wrapper around the decorated function.
    return tool_name(getattr(item, "_self_parent", None) or item)


def check(name: Any, effect: Any, resource: Any, depends_on: Any) -> None:
    """
    Check the arguments of ``@profiled``.

    Raises:
        TypeError: *name* is not a string, *resource* is neither a string nor callable, or *depends_on*
            is not a list of tools.
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
