"""``TaskGraph``: named tasks that need one another's results, each started the moment its own needs are done."""

from __future__ import annotations

import sys
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias, TypeVar, overload

from otel_parallelism.errors import GraphError
from otel_parallelism.execution.bounded_map.mapping import check_count
from otel_parallelism.execution.calling.call_spans import Place, Recording, place_of
from otel_parallelism.execution.calling.declarations import function_name
from otel_parallelism.execution.calling.invocation import check_timeout
from otel_parallelism.execution.calling.retry import Retrying, retry_policy

from .graph_plan import GraphReport, Plan, plan, report
from .graph_run import GraphResults, GraphRun, Job
from .graph_task import After, Limit, Reference, Step, Task, parameters, references

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

R = TypeVar("R")
OnFailure: TypeAlias = Literal["all", "dependents"]


class TaskGraph:
    """
    Tasks that need one another.

    A task needs the tasks named in *after*, and those whose names its parameters have: it is given their results.
    Other parameters are inputs of the run. A cycle or a second task of one name is an error when the task is added; a
    name that no task has, when the graph is planned or run, before anything starts.

    >>> import asyncio
    >>> graph = TaskGraph()
    >>> @graph.task
    ... async def price(item: str) -> float:
    ...     return len(item)
    >>> @graph.task
    ... async def tax(price: float) -> float:
    ...     return price / 4
    >>> @graph.task
    ... async def total(price: float, tax: float) -> float:
    ...     return price + tax
    >>> print(graph.plan().text())
    level 1: price
    level 2: tax
    level 3: total
    critical path: price → tax → total (3 of 3 tasks)
    >>> asyncio.run(graph.run(item="bike"))[total]
    5.0
    """

    def __init__(self, *, limit: int | None = None, on_failure: OnFailure = "all", spans: bool = True) -> None:
        """
        Args:
            limit: Tasks at once; all that are ready if not given.
            on_failure: What a task that fails takes with it: ``all`` ends the run with its exception and cancels
                what still runs, ``dependents`` skips what needs it and goes on with the rest.
            spans: Whether the tasks are recorded as tool calls.

        Raises:
            TypeError: *limit* is no whole number.
            ValueError: *limit* is below 1, or *on_failure* is unknown.
        """
        if limit is not None:
            check_count("limit", limit)
        if on_failure not in ("all", "dependents"):
            raise ValueError(f"on_failure= must be 'all' or 'dependents', not {on_failure!r}")
        self._limit = limit
        self._on_failure: OnFailure = on_failure
        self._spans = spans
        self._steps: dict[str, Step] = {}
        self._by_function: dict[Callable[..., Any], list[str]] = {}
        self._referenced: set[Reference] = set()
        self._report: GraphReport | None = None

    @overload
    def add(
        self,
        fn: Callable[..., Awaitable[R]],
        *,
        name: str | None = None,
        after: After = (),
        expected: float | None = None,
        limit: Limit | None = None,
        timeout: float | None = None,
        retry: Retrying | None = None,
    ) -> Task[R]: ...
    @overload
    def add(
        self,
        fn: Callable[..., R],
        *,
        name: str | None = None,
        after: After = (),
        expected: float | None = None,
        limit: Limit | None = None,
        timeout: float | None = None,
        retry: Retrying | None = None,
    ) -> Task[R]: ...
    def add(
        self,
        fn: Callable[..., Any],
        *,
        name: str | None = None,
        after: After = (),
        expected: float | None = None,
        limit: Limit | None = None,
        timeout: float | None = None,
        retry: Retrying | None = None,
    ) -> Task[Any]:
        """
        Add a task and return it: the key to its result, of its function's type.

        Args:
            fn: Async, or else it is run in a thread.
            name: The task's name; the function's own if not given.
            after: Tasks that must be done before, or a mapping of parameters to the tasks whose results they take.
                They may be added later.
            expected: How long it takes, in seconds, for the plan.
            limit: At most so many tasks of this function at once; or an async context manager, such as a semaphore or
                a ``Rate``, that tasks given the same one share.
            timeout: Seconds an attempt may take, from when its body runs.
            retry: How many more attempts it gets, or a policy; as in ``parallel_map``.

        Raises:
            GraphError: There is a task of that name; or it would wait for itself: the message shows the cycle.
            TypeError: *fn* is no function, or a generator function.
            ValueError: An option is out of its range.
        """
        place = place_of(sys._getframe(1))  # noqa: SLF001 - as inspect's, cheaper
        return self._add(fn, place, name, after, expected=expected, limit=limit, timeout_s=timeout, retry=retry)

    @overload
    def task(self, fn: Callable[..., Awaitable[R]]) -> Task[R]: ...
    @overload
    def task(self, fn: Callable[..., R]) -> Task[R]: ...
    @overload
    def task(
        self,
        *,
        name: str | None = None,
        after: After = (),
        expected: float | None = None,
        limit: Limit | None = None,
        timeout: float | None = None,
        retry: Retrying | None = None,
    ) -> _Decorator: ...
    def task(
        self,
        fn: Callable[..., Any] | None = None,
        *,
        name: str | None = None,
        after: After = (),
        expected: float | None = None,
        limit: Limit | None = None,
        timeout: float | None = None,
        retry: Retrying | None = None,
    ) -> Any:
        """Add the decorated function as a task; the arguments, and what is raised, are those of ``add``."""
        place = place_of(sys._getframe(1))  # noqa: SLF001 - as inspect's, cheaper

        def decorate(function: Callable[..., Any]) -> Task[Any]:
            return self._add(
                function, place, name, after, expected=expected, limit=limit, timeout_s=timeout, retry=retry
            )

        return decorate if fn is None else decorate(fn)

    def plan(self) -> Plan:
        """
        Return what a run will do; durations are those expected, else those of the last run.

        Raises:
            GraphError: A task needs one that does not exist.
        """
        self._check()
        measured = {} if self._report is None else self._report.timings
        expected = {name: timing.duration for name, timing in measured.items() if timing.state == "done"}
        expected |= {name: step.expected for name, step in self._steps.items() if step.expected is not None}
        return plan(self._needs(), expected)

    async def run(self, **inputs: Any) -> GraphResults:
        """
        Run all tasks and return their results.

        Args:
            inputs: What parameters take that are named like no task.

        Raises:
            GraphError: A task needs one that does not exist, a parameter has nothing to take, or an input is not
                needed by any.
            Exception: What the first task to fail raised, unless only its dependents fail with it.
        """
        self._check()
        self._check_inputs(inputs)
        run = GraphRun(self._jobs(inputs), limit=self._limit, all_fail=self._on_failure == "all", spans=self._spans)
        try:
            return await run.go()
        finally:
            self._report = report(self._needs(), run.timings())

    def report(self) -> GraphReport:
        """
        Return what the last run did.

        Raises:
            RuntimeError: There was none.
        """
        if self._report is None:
            raise RuntimeError("the graph has not been run")
        return self._report

    def _add(
        self,
        function: Callable[..., Any],
        place: Place,
        name: str | None,
        after: After,
        *,
        expected: float | None,
        limit: Limit | None,
        timeout_s: float | None,
        retry: Retrying | None,
    ) -> Task[Any]:
        if isinstance(function, Task):
            function = function.function
        if isinstance(limit, int):
            check_count("limit", limit)
        elif limit is not None and not hasattr(limit, "__aenter__"):
            raise TypeError(f"limit= must be a number or an async context manager, not {type(limit).__name__}")
        check_timeout(timeout_s)
        retry_policy(retry)
        if expected is not None and not expected >= 0:
            raise ValueError(f"expected= must be 0 seconds or more, not {expected!r}")
        task: Task[Any] = Task(Recording(function, name=name, spans=False).name, function)
        if task.name in self._steps:
            raise GraphError(f"there are two tasks named {task.name!r}")
        sources, others = references(after)
        step = Step(
            task=task,
            place=place,
            parameters=parameters(task.name, function, sources),
            sources=sources,
            after=others,
            expected=expected,
            limit=limit,
            timeout_s=timeout_s,
            retry=retry,
        )
        self._steps[task.name] = step
        self._by_function.setdefault(function, []).append(task.name)
        self._referenced.update(map(_key, step.references))
        # Only what something added before waits for can close a cycle, and what waits for itself.
        if not self._referenced.isdisjoint({task.name, function}):
            self._check_cycles(task)
        return task

    def _check_cycles(self, added: Task[Any]) -> None:
        try:
            TopologicalSorter(self._needs()).prepare()
        except CycleError as error:
            del self._steps[added.name]
            self._by_function[added.function].remove(added.name)
            # It lists each task before those that need it, the first again at the end.
            raise GraphError(f"tasks that wait for one another: {' → '.join(error.args[1])}") from None

    def _needs(self) -> dict[str, tuple[str, ...]]:
        """The tasks that each task needs, of those that exist."""
        return {
            name: tuple(dict.fromkeys(found for found in map(self._name, step.references) if found in self._steps))
            for name, step in self._steps.items()
        }

    def _name(self, reference: Reference) -> str:
        """The name that *reference* stands for, whether or not there is such a task."""
        key = _key(reference)
        if isinstance(key, str):
            return key
        named = self._by_function.get(key, ())
        if len(named) > 1:
            raise GraphError(f"{function_name(key)}() is the function of several tasks: {', '.join(named)}; name one")
        return named[0] if named else function_name(key)

    def _jobs(self, inputs: Mapping[str, Any]) -> list[Job]:
        jobs = []
        for name, needs in self._needs().items():
            step = self._steps[name]
            takes = {
                parameter: self._name(step.sources.get(parameter, parameter))
                for parameter in step.parameters
                if parameter in step.sources or parameter in self._steps
            }
            given = {
                parameter: inputs[parameter]
                for parameter in step.parameters
                if parameter in inputs and parameter not in takes
            }
            jobs.append(Job(step=step, needs=needs, takes=takes, given=given))
        return jobs

    def _check(self) -> None:
        for name, step in self._steps.items():
            for reference in (*step.sources.values(), *step.after):
                if (needed := self._name(reference)) not in self._steps:
                    raise GraphError(f"task {name!r} needs {needed!r}, which is no task")

    def _check_inputs(self, inputs: Mapping[str, Any]) -> None:
        wanted: set[str] = set()
        for name, step in self._steps.items():
            for parameter, required in step.parameters.items():
                if parameter in step.sources or parameter in self._steps:
                    continue
                wanted.add(parameter)
                if required and parameter not in inputs:
                    raise GraphError(
                        f"task {name!r} needs {parameter!r}, which is neither a task nor an input of this run"
                    )
        for name in inputs:
            if name in self._steps:
                raise GraphError(f"the input {name!r} is a task's name as well")
            if name not in wanted:
                raise GraphError(f"no task takes the input {name!r}")


class _Decorator(Protocol):
    """What ``graph.task(...)`` returns, typed."""

    @overload
    def __call__(self, fn: Callable[..., Awaitable[R]], /) -> Task[R]: ...
    @overload
    def __call__(self, fn: Callable[..., R], /) -> Task[R]: ...


def _key(reference: Reference) -> str | Callable[..., Any]:
    return reference.name if isinstance(reference, Task) else reference
