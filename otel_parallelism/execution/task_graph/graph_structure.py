"""The tasks of a graph and their dependencies: resolves references, finds cycles, checks inputs."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING, Any

from otel_parallelism.errors import GraphError
from otel_parallelism.execution.calling.declarations import function_name

from .graph_run import Job
from .graph_task import Reference, Task, TaskEntry

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class GraphStructure:
    """
    The tasks of a graph.

    Attributes:
        entries: The tasks by name, in the order in which they were added.
    """

    def __init__(self) -> None:
        self.entries: dict[str, TaskEntry] = {}
        self._by_function: dict[Callable[..., Any], list[str]] = {}
        self._referenced: set[Reference] = set()

    def add(self, entry: TaskEntry) -> None:
        """
        Add a task whose name is new.

        Raises:
            GraphError: The tasks now form a cycle; the task is not added.
        """
        task = entry.task
        self.entries[task.name] = entry
        self._by_function.setdefault(task.function, []).append(task.name)
        self._referenced.update(map(_key, entry.references))
        # A new task closes a cycle only if an earlier task, or the task itself, refers to it.
        if not self._referenced.isdisjoint({task.name, task.function}):
            self._check_cycles(task)

    def _check_cycles(self, added: Task[Any]) -> None:
        try:
            TopologicalSorter(self.needs()).prepare()
        except CycleError as error:
            del self.entries[added.name]
            self._by_function[added.function].remove(added.name)
            # The cycle lists each task before those that need it, and the first again at the end.
            raise GraphError(f"tasks that wait for one another: {' → '.join(error.args[1])}") from None

    def needs(self) -> dict[str, tuple[str, ...]]:
        """Return the existing tasks that each task needs, by name."""
        return {
            name: tuple(dict.fromkeys(found for found in map(self.name_of, entry.references) if found in self.entries))
            for name, entry in self.entries.items()
        }

    def name_of(self, reference: Reference) -> str:
        """
        Return the name that *reference* means, whether or not such a task exists.

        Raises:
            GraphError: It is the function of several tasks.
        """
        key = _key(reference)
        if isinstance(key, str):
            return key
        named = self._by_function.get(key, ())
        if len(named) > 1:
            raise GraphError(f"{function_name(key)}() is the function of several tasks: {', '.join(named)}; name one")
        return named[0] if named else function_name(key)

    def jobs(self, inputs: Mapping[str, Any]) -> list[Job]:
        """Return the tasks with their arguments for a run with *inputs*."""
        jobs = []
        for name, needs in self.needs().items():
            entry = self.entries[name]
            takes = {
                parameter: self.name_of(entry.sources.get(parameter, parameter))
                for parameter in entry.parameters
                if parameter in entry.sources or parameter in self.entries
            }
            given = {
                parameter: inputs[parameter]
                for parameter in entry.parameters
                if parameter in inputs and parameter not in takes
            }
            jobs.append(Job(entry=entry, needs=needs, takes=takes, given=given))
        return jobs

    def check_references(self) -> None:
        """
        Check that the tasks that others refer to exist.

        Raises:
            GraphError: One does not exist.
        """
        for name, entry in self.entries.items():
            for reference in (*entry.sources.values(), *entry.after):
                if (needed := self.name_of(reference)) not in self.entries:
                    raise GraphError(f"task {name!r} needs {needed!r}, which is no task")

    def check_inputs(self, inputs: Mapping[str, Any]) -> None:
        """
        Check that every parameter has a value and every input is used.

        Raises:
            GraphError: A required parameter has no value, or an input is unused or has the name of a task.
        """
        wanted: set[str] = set()
        for name, entry in self.entries.items():
            for parameter, required in entry.parameters.items():
                if parameter in entry.sources or parameter in self.entries:
                    continue
                wanted.add(parameter)
                if required and parameter not in inputs:
                    raise GraphError(
                        f"task {name!r} needs {parameter!r}, which is neither a task nor an input of this run"
                    )
        for name in inputs:
            if name in self.entries:
                raise GraphError(f"the input {name!r} is a task's name as well")
            if name not in wanted:
                raise GraphError(f"no task takes the input {name!r}")


def _key(reference: Reference) -> str | Callable[..., Any]:
    return reference.name if isinstance(reference, Task) else reference
