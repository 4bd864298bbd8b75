"""A task as it is added to a graph: its function, its parameters, and the tasks that it needs."""

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
    A task of a graph, and the key to its result, of type R. Calling it calls its function, outside of the graph.

    Attributes:
        name: Its name in the graph.
        function: The function that it runs.
    """

    def __init__(self, name: str, function: Callable[..., Any]) -> None:
        self.name = name
        self.function = function

    def __repr__(self) -> str:
        """Show the name."""
        return f"<task {self.name!r}>"

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        """Call the function, outside of the graph."""
        return self.function(*args, **kwargs)


Reference: TypeAlias = str | Task[Any] | Callable[..., Any]
"""A task: its name, the return value of ``add``, or its function if no other task has the same function."""

After: TypeAlias = Reference | Iterable[Reference] | Mapping[str, Reference]
"""Tasks that must be done before, or a mapping of parameters to the tasks whose results they take."""


class TaskEntry(msgspec.Struct, frozen=True, kw_only=True):
    """
    A task and its options.

    Attributes:
        task: The task.
        place: Where in the user's code it was added.
        parameters: The parameters of its function that can be given by name, and whether each is required.
        sources: The tasks whose results some parameters take. The others take the result of the task with their name,
            or an input.
        after: Further tasks that must be done before.
        expected: The expected duration, in seconds.
        limit: The maximum number of concurrent tasks of its function, or a shared gate.
        timeout_s: The timeout of an attempt, in seconds.
        retry: The retry policy.
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
        """The tasks that it refers to, and the names of the parameters that may be names of tasks."""
        open_parameters = (parameter for parameter in self.parameters if parameter not in self.sources)
        return (*self.sources.values(), *self.after, *open_parameters)


def split_references(after: After) -> tuple[dict[str, Reference], tuple[Reference, ...]]:
    """Split *after* into the tasks whose results parameters take, and the tasks that must only be done."""
    if isinstance(after, Mapping):
        return {str(parameter): task for parameter, task in after.items()}, ()
    if isinstance(after, str | Task) or not isinstance(after, Iterable):
        return {}, (after,)
    return {}, tuple(after)


def named_parameters(name: str, function: Callable[..., Any], sources: Mapping[str, Reference]) -> dict[str, bool]:
    """
    Return the parameters of task *name*'s *function* that can be given by name, and whether each is required.

    Raises:
        GraphError: *sources* names an unknown parameter, or a required parameter is positional-only.
    """
    try:
        found = tuple(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        # A built-in function without a signature.
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
