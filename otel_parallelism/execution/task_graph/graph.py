"""``TaskGraph``: named tasks that need one another's results; each starts when the tasks that it needs are done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias, TypeVar, overload

from otel_parallelism.errors import GraphError
from otel_parallelism.execution.bounded_map.mapping import check_count
from otel_parallelism.execution.calling.call_spans import Place, Recording, calling_place
from otel_parallelism.execution.calling.invocation import check_timeout
from otel_parallelism.execution.calling.retry import Retrying, retry_policy

from .graph_plan import GraphReport, Plan, graph_plan, graph_report
from .graph_run import GraphResults, GraphRun
from .graph_structure import GraphStructure
from .graph_task import After, Limit, Task, TaskEntry, named_parameters, split_references

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

R = TypeVar("R")
OnFailure: TypeAlias = Literal["all", "dependents"]


class TaskGraph:
    """
    Tasks that need one another's results.

    A task needs the tasks in *after*, and the tasks with the names of its parameters, whose results it receives. Other
    parameters are inputs of the run. A cycle or a duplicate name raises an error when the task is added; an unknown
    name, when the graph is planned or run, before any task starts.

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
            limit: Maximum number of concurrent tasks; by default all that are ready.
            on_failure: If a task fails, ``all`` cancels the other tasks and raises its exception, ``dependents``
                skips the tasks that need it and runs the rest.
            spans: Whether the tasks are recorded as tool calls.

        Raises:
            TypeError: *limit* is not an integer.
            ValueError: *limit* is below 1, or *on_failure* is unknown.
        """
        if limit is not None:
            check_count("limit", limit)
        if on_failure not in ("all", "dependents"):
            raise ValueError(f"on_failure= must be 'all' or 'dependents', not {on_failure!r}")
        self._limit = limit
        self._on_failure: OnFailure = on_failure
        self._spans = spans
        self._structure = GraphStructure()
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
        Add a task and return it; the task is the key to its result.

        Args:
            fn: The function; a sync one runs in a thread.
            name: The task's name; the function's own if not given.
            after: Tasks that must be done before, or a mapping of parameters to the tasks whose results they take.
                They may be added later.
            expected: The expected duration in seconds, for the plan.
            limit: Maximum number of concurrent tasks of this function; or an async context manager that several tasks
                may share, such as a semaphore or a ``Rate``.
            timeout: Maximum duration of an attempt, in seconds, from the start of its body.
            retry: Number of further attempts, or a policy; as in ``parallel_map``.

        Raises:
            GraphError: A task has the same name, or the tasks form a cycle, which the message shows.
            TypeError: *fn* is not a function, or is a generator function.
            ValueError: An option is out of its range.
        """
        place = calling_place()
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
        """Add the decorated function as a task; arguments and exceptions are those of ``add``."""
        place = calling_place()

        def decorate(function: Callable[..., Any]) -> Task[Any]:
            return self._add(
                function, place, name, after, expected=expected, limit=limit, timeout_s=timeout, retry=retry
            )

        return decorate if fn is None else decorate(fn)

    def plan(self) -> Plan:
        """
        Return the plan of a run; durations are the expected ones, else those of the last run.

        Raises:
            GraphError: A task needs a task that does not exist.
        """
        self._structure.check_references()
        measured = {} if self._report is None else self._report.timings
        expected = {name: timing.duration for name, timing in measured.items() if timing.state == "done"}
        entries = self._structure.entries
        expected |= {name: entry.expected for name, entry in entries.items() if entry.expected is not None}
        return graph_plan(self._structure.needs(), expected)

    async def run(self, **inputs: Any) -> GraphResults:
        """
        Run all tasks and return their results.

        Args:
            inputs: Values of the parameters that no task provides.

        Raises:
            GraphError: A task needs a task that does not exist, a parameter has no value, or no task needs an input.
            Exception: The exception of the first failed task, unless *on_failure* is ``dependents``.
        """
        self._structure.check_references()
        self._structure.check_inputs(inputs)
        jobs = self._structure.jobs(inputs)
        run = GraphRun(jobs, limit=self._limit, all_fail=self._on_failure == "all", spans=self._spans)
        try:
            return await run.go()
        finally:
            self._report = graph_report(self._structure.needs(), run.timings())

    def report(self) -> GraphReport:
        """
        Return the report of the last run.

        Raises:
            RuntimeError: The graph has not been run.
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
        if task.name in self._structure.entries:
            raise GraphError(f"there are two tasks named {task.name!r}")
        sources, others = split_references(after)
        entry = TaskEntry(
            task=task,
            place=place,
            parameters=named_parameters(task.name, function, sources),
            sources=sources,
            after=others,
            expected=expected,
            limit=limit,
            timeout_s=timeout_s,
            retry=retry,
        )
        self._structure.add(entry)
        return task


class _Decorator(Protocol):
    """The type of ``graph.task(...)``."""

    @overload
    def __call__(self, fn: Callable[..., Awaitable[R]], /) -> Task[R]: ...
    @overload
    def __call__(self, fn: Callable[..., R], /) -> Task[R]: ...
