"""``@profiled``: records every call of a function as a tool call."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from types import FunctionType
from typing import TYPE_CHECKING, Any, TypeVar, overload

from otel_parallelism.tracing.shield import swallow
from otel_parallelism.tracing.state.tool import Tool, check

from .kinds import Profiled, kind_of, wrapped_as
from .profiled_functions import WRAPPERS

if TYPE_CHECKING:
    from otel_parallelism.model import Effect

F = TypeVar("F", bound=Callable[..., Any])
Resource = str | Callable[..., object]
Dependencies = Iterable[str | Callable[..., Any]]


@overload
def profiled(function: F, /) -> F: ...
@overload
def profiled(
    *,
    name: str | None = None,
    effect: Effect | None = None,
    resource: Resource | None = None,
    depends_on: Dependencies | None = None,
    silence: bool = False,
) -> Callable[[F], F]: ...
def profiled(
    function: Any = None,
    /,
    *,
    name: str | None = None,
    effect: Effect | None = None,
    resource: Resource | None = None,
    depends_on: Dependencies | None = None,
    silence: bool = False,
) -> Any:
    """
    Record every call of the decorated function as a tool call, with a span ``execute_tool {name}``.

    Works on async and sync functions, methods (above or below ``@staticmethod`` and ``@classmethod``), generators,
    partials and callable objects. The result is of the same kind and behaves the same.

    Args:
        function: The function, if the decorator is used without arguments.
        name: The tool's name; default: the function's name.
        effect: ``read`` if calls change nothing, ``write`` if they do. Only reads, and calls on different resources,
            are ever recommended to run together.
        resource: What calls read or write: a key, or a callable that computes it from the call's arguments. Two calls
            on one resource keep their order if one of them writes.
        depends_on: The tools (names or decorated functions) whose results this tool needs; an empty list declares
            that it needs none.
        silence: Whether findings about this tool are left out of reports, metrics and events. They are still counted.

    Raises:
        TypeError: The decorated object is not a function, or an argument is of the wrong type.
        ValueError: *name* or *resource* is empty, or *effect* is neither ``read`` nor ``write``.
    """
    check(name, effect, resource, depends_on)
    depends_on = None if depends_on is None else list(depends_on)

    def decorate(function: Any) -> Any:
        if issubclass(type(function), type) or not (
            callable(function) or issubclass(type(function), (staticmethod, classmethod))
        ):
            kind = "a class" if issubclass(type(function), type) else f"a {type(function).__name__}"
            raise TypeError(f"profiled decorates functions, not {kind}")
        try:
            return record(function, name, effect, resource, depends_on, silence=silence)
        except Exception as error:  # noqa: BLE001 - the program has its function, which is not recorded
            swallow("decorating a function", error)
            return function

    return decorate if function is None else decorate(function)


def record(
    function: Any,
    name: str | None = None,
    effect: Effect | None = None,
    resource: Resource | None = None,
    depends_on: Dependencies | None = None,
    *,
    silence: bool = False,
    enabled: Callable[[], bool] | None = None,
) -> Any:
    """Return the decorated *function*. While *enabled* returns False, its calls are not recorded."""
    inner = getattr(function, "_self_tool", None) if type(function) is Profiled else None
    if isinstance(inner, Tool):
        # Recorded twice, each call would have two spans. What is declared here counts.
        function = function.__wrapped__
        name, silence = name or inner.name, silence or inner.silenced
        effect = effect or (inner.effect if inner.effect_source == "declared" else None)
        resource = resource or inner.resource_of or inner.resource or None
        depends_on = inner.depends_on if depends_on is None else depends_on
    if type(function) is FunctionType and function.__name__ in _IMPLICIT:
        # Python makes these methods of their kind itself, but only where they are plain functions.
        function = _IMPLICIT[function.__name__](function)
    kind = kind_of(function)
    blocking = kind in {"function", "generator"}
    tool = Tool(function, name, effect, resource, depends_on, silenced=silence, blocking=blocking)
    wrapper: Any = wrapped_as(function, WRAPPERS[kind](tool), enabled=enabled)
    wrapper._self_tool = tool  # noqa: SLF001 - wrapt keeps attributes of that prefix on the wrapper
    return wrapper


_IMPLICIT: dict[str, Any] = {
    "__init_subclass__": classmethod,
    "__class_getitem__": classmethod,
    "__new__": staticmethod,
}
