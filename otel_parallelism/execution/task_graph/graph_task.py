"""A task of a graph as it is added: its function, what its parameters take, what must be done before."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, Generic, TypeAlias, TypeVar

import msgspec

from otel_parallelism.errors import GraphError
from otel_parallelism.execution.calling.call_spans import Place
from otel_parallelism.execution.calling.retry import Retrying

R = TypeVar("R")
Limit: TypeAlias = int | AbstractAsyncContextManager[Any]


class Task(Generic[R]):
    """
    A task of a graph, and the key to its result, of type R; calling it calls its function, outside of the graph.

    Attributes:
        name: Its name in the graph.
        function: What it runs.
    """

    def __init__(self, name: str, function: Callable[..., Any]) -> None:
        self.name = name
        self.function = function

    def __repr__(self) -> str:
        """Show the name."""
        return f"<task {self.name!r}>"

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function as if it were no task."""
        return self.function(*args, **kwargs)


Reference: TypeAlias = str | Task[Any] | Callable[..., Any]
"""A task: its name, what ``add`` returned, or its function, if that is no other task's too."""

After: TypeAlias = Reference | Iterable[Reference] | Mapping[str, Reference]
"""What a task needs: tasks that must be done, or parameters with the tasks whose results they take."""


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """
    A task and all that was said about it.

    ``parameters`` are those of its function that can be given by name, and whether each must be. ``sources`` are the
    tasks whose results some of them take; the others take that of the task of their own name, or an input. ``after``
    are tasks that must be done besides.
    """

    task: Task[Any]
    place: Place
    parameters: Mapping[str, bool]
    sources: Mapping[str, Reference]
    after: tuple[Reference, ...]
    expected: float | None
    limit: Limit | None
    timeout_s: float | None
    retry: Retrying | None

    @property
    def references(self) -> tuple[Reference, ...]:
        """The tasks that were named, and the names of the parameters that may turn out to be tasks."""
        open_parameters = (parameter for parameter in self.parameters if parameter not in self.sources)
        return (*self.sources.values(), *self.after, *open_parameters)


def references(after: After) -> tuple[dict[str, Reference], tuple[Reference, ...]]:
    """Split *after* into what parameters take and what must merely be done."""
    if isinstance(after, Mapping):
        return {str(parameter): task for parameter, task in after.items()}, ()
    if isinstance(after, str | Task) or not isinstance(after, Iterable):
        return {}, (after,)
    return {}, tuple(after)


def parameters(name: str, function: Callable[..., Any], sources: Mapping[str, Reference]) -> dict[str, bool]:
    """
    Return the parameters of *function*, that of task *name*, that can be given by name, and whether each must be.

    Raises:
        GraphError: *sources* names one that there is not, or one can only be given by position.
    """
    try:
        found = tuple(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        # A built-in that does not say what it takes.
        return dict.fromkeys(sources, True)
    named = {}
    for parameter in found:
        required = parameter.default is parameter.empty
        if parameter.kind in {parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY}:
            named[parameter.name] = required
        elif parameter.kind is parameter.POSITIONAL_ONLY and required:
            raise GraphError(f"task {name!r}: its parameter {parameter.name!r} cannot be given by name")
    takes_any = any(parameter.kind is parameter.VAR_KEYWORD for parameter in found)
    for parameter_name in sources:
        if parameter_name not in named:
            if not takes_any:
                raise GraphError(f"task {name!r} has no parameter {parameter_name!r}")
            named[parameter_name] = True
    return named
