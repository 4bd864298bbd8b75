"""One run of a task graph: a task starts when the last that it needs has ended, and is skipped where one failed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from graphlib import TopologicalSorter
from typing import TYPE_CHECKING, Any, Self, TypeVar, overload

import msgspec

from otel_parallelism import clock
from otel_parallelism.errors import CancelledCallError, SkippedTaskError
from otel_parallelism.execution.calling.call_spans import Recording
from otel_parallelism.execution.calling.invocation import Gate, Invocation
from otel_parallelism.execution.calling.worker_threads import WorkerThreads

from .graph_plan import State, Timing
from .graph_task import Task, TaskEntry

if TYPE_CHECKING:
    from types import TracebackType

R = TypeVar("R")


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """
    A task with its arguments, for one run.

    Attributes:
        entry: The task and its options.
        needs: Names of the tasks that must be done before.
        takes: Parameters with the names of the tasks whose results they take.
        given: Parameters with inputs of the run.
    """

    entry: TaskEntry
    needs: tuple[str, ...]
    takes: Mapping[str, str]
    given: Mapping[str, Any]

    @property
    def name(self) -> str:
        """The task's name."""
        return self.entry.task.name


class GraphResults:
    """
    The results of a run, by task or by name.

    Attributes:
        values: The results of the tasks that were done, by name.
        errors: The exceptions of the other tasks, by name; a task that was not run has a ``SkippedTaskError``.
    """

    def __init__(self, values: Mapping[str, Any], errors: Mapping[str, Exception]) -> None:
        self.values = values
        self.errors = errors

    @overload
    def __getitem__(self, task: Task[R], /) -> R: ...
    @overload
    def __getitem__(self, task: str, /) -> Any: ...
    def __getitem__(self, task: Task[Any] | str, /) -> Any:
        """
        Return the result of *task*.

        Raises:
            KeyError: There is no such task.
            Exception: The exception of the task.
        """
        name = task if isinstance(task, str) else task.name
        if name in self.errors:
            raise self.errors[name]
        return self.values[name]

    def __contains__(self, task: Task[Any] | str) -> bool:
        """Return whether *task* was done."""
        return (task if isinstance(task, str) else task.name) in self.values

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names of the tasks that were done."""
        return iter(self.values)

    def __len__(self) -> int:
        """Return how many tasks were done."""
        return len(self.values)


class _Stopwatch(AbstractAsyncContextManager[Any]):
    """The innermost gate of a task: the first start and the last end of its body."""

    def __init__(self) -> None:
        self.ready_s = self.start_s = self.end_s = 0.0

    def make_ready(self) -> None:
        self.ready_s = clock.monotonic_s()

    async def __aenter__(self) -> Self:
        self.start_s = self.start_s or clock.monotonic_s()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end_s = clock.monotonic_s()


class GraphRun:
    """One run of a graph; ``go`` is called once, ``timings`` after it."""

    def __init__(self, jobs: Sequence[Job], *, limit: int | None, all_fail: bool, spans: bool) -> None:
        self._jobs = {job.name: job for job in jobs}
        self._all_fail = all_fail
        self._sorter = TopologicalSorter({job.name: job.needs for job in jobs})
        self._threads = WorkerThreads(max(1, min(limit or len(jobs), len(jobs))))
        self._clocks = {name: _Stopwatch() for name in self._jobs}
        self._values: dict[str, Any] = {}
        self._errors: dict[str, Exception] = {}
        self._failure: Exception | None = None
        self._caller: asyncio.Task[Any] | None = None
        self._cancelled_before = 0
        self._began_s = clock.monotonic_s()
        shared = _shared_limits(jobs)
        overall: tuple[Gate, ...] = () if limit is None else (asyncio.Semaphore(limit),)
        # A task that waits for its own limit must not count for the limit of the graph.
        self._invocations = {
            job.name: Invocation(
                Recording(
                    job.entry.task.function,
                    name=job.name,
                    depends_on=job.needs,
                    place=job.entry.place,
                    spans=spans,
                ),
                self._threads,
                gates=(*shared.get(job.name, ()), *overall, self._clocks[job.name]),
                timeout_s=job.entry.timeout_s,
                retry=job.entry.retry,
            )
            for job in jobs
        }

    async def go(self) -> GraphResults:
        """Run every task and return the results; raise the exception of the first failed task if all fail with it."""
        self._began_s = clock.monotonic_s()
        self._caller = asyncio.current_task()
        self._cancelled_before = self._caller.cancelling() if self._caller is not None else 0
        self._sorter.prepare()
        try:
            async with asyncio.TaskGroup() as group:
                self._start_ready(group)
        except BaseExceptionGroup:
            if self._failure is None:
                raise
            raise self._failure from self._failure.__cause__
        finally:
            self._threads.close()
        return GraphResults(
            {name: self._values[name] for name in self._jobs if name in self._values},
            {name: self._errors[name] for name in self._jobs if name in self._errors},
        )

    def timings(self) -> dict[str, Timing]:
        """Return state and times of each task, by name."""
        return {name: self._timing(name, clock) for name, clock in self._clocks.items()}

    def _start_ready(self, group: asyncio.TaskGroup) -> None:
        for name in self._sorter.get_ready():
            self._clocks[name].make_ready()
            group.create_task(self._one(self._jobs[name], group), name=name)

    async def _one(self, job: Job, group: asyncio.TaskGroup) -> None:
        name = job.name
        failed = next((needed for needed in job.needs if needed in self._errors), None)
        if failed is not None:
            skipped = SkippedTaskError(f"{name!r} was not run: {failed!r}, which it needs, failed")
            skipped.__cause__ = self._errors[failed]
            self._errors[name] = skipped
        else:
            arguments = {**job.given, **{parameter: self._values[task] for parameter, task in job.takes.items()}}
            try:
                self._values[name] = await self._invocations[name]((), arguments, clock.now_ns())
            except asyncio.CancelledError:
                if self._is_ending():
                    raise
                # Only this task was cancelled. A TaskGroup ignores that, and tasks that need it would wait forever.
                self._fail(name, CancelledCallError(f"{name} was cancelled from within"))
            except Exception as error:  # noqa: BLE001 - a task may raise anything
                self._fail(name, error)
        # A task that ignores the cancellation of the run must not start further tasks.
        if not self._is_ending():
            self._sorter.done(name)
            self._start_ready(group)

    def _fail(self, name: str, error: Exception) -> None:
        """Record the *error* of the task *name*, and raise it if all tasks fail with it."""
        self._errors[name] = error
        if self._all_fail and not self._is_ending():
            self._failure = error
            try:
                raise error
            finally:
                del error  # breaks the reference cycle through its traceback

    def _is_ending(self) -> bool:
        """Return whether all tasks are cancelled, by a failed task or because the caller is cancelled."""
        caller = self._caller
        return self._failure is not None or (caller is not None and caller.cancelling() > self._cancelled_before)

    def _timing(self, name: str, clock: _Stopwatch) -> Timing:
        error = self._errors.get(name)
        state: State = "done"
        if isinstance(error, SkippedTaskError):
            state = "skipped"
        elif error is not None:
            state = "failed"
        elif name not in self._values:
            state = "cancelled"
        ready_s = clock.ready_s or self._began_s
        start_s = clock.start_s or ready_s
        end_s = max(start_s, clock.end_s)
        message = "" if error is None else f"{type(error).__name__}: {error}"
        return Timing(state, ready_s - self._began_s, start_s - self._began_s, end_s - self._began_s, message)


def _shared_limits(jobs: Sequence[Job]) -> dict[str, tuple[Gate, ...]]:
    """Return the gate of each task with a limit: one semaphore for all tasks of a function, or the given gate."""
    least: dict[Callable[..., Any], int] = {}
    for job in jobs:
        if isinstance(job.entry.limit, int):
            function = job.entry.task.function
            least[function] = min(job.entry.limit, least.get(function, job.entry.limit))
    semaphores = {function: asyncio.Semaphore(limit) for function, limit in least.items()}
    gates: dict[str, tuple[Gate, ...]] = {}
    for job in jobs:
        if isinstance(job.entry.limit, int):
            gates[job.name] = (semaphores[job.entry.task.function],)
        elif job.entry.limit is not None:
            gates[job.name] = (job.entry.limit,)
    return gates
