"""
Runs tasks in worker processes, and ends with a clear error if one of them is killed.

The processes are started anew, not forked, so that threads do no harm. They end when this process does, and Ctrl-C is
for this process alone.
"""

from __future__ import annotations

import contextlib
import gc
import multiprocessing
import os
import signal
import threading
import traceback
from multiprocessing import connection
from typing import TYPE_CHECKING, Any, Final, Self

from otel_parallelism.errors import ParallelismError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from multiprocessing.connection import Connection
    from multiprocessing.context import SpawnProcess
    from types import TracebackType

_LONGEST_END_S: Final = 5.0
_DONE: Final = "done"
_FAILED: Final = "failed"


class WorkerError(ParallelismError):
    """A worker process ended before its work was done, or raised an error; the message says which."""


def usable_cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return max(1, len(os.sched_getaffinity(0)))
    return os.cpu_count() or 1


class WorkerPool:
    """
    Worker processes that each prepare once and then run one task after another.

    Args:
        count: How many.
        prepare: Called in each with its number and *argument*; returns the function that runs a task. It must be a
            function of a module, and tasks and results must be picklable.
        argument: Passed to *prepare*.
    """

    def __init__(self, count: int, prepare: Callable[[int, Any], Callable[[Any], Any]], argument: object) -> None:
        """Prepare nothing yet; processes start in ``with``."""
        self._count = count
        self._prepare = prepare
        self._argument = argument
        self._workers: list[tuple[SpawnProcess, Connection]] = []

    def __enter__(self) -> Self:
        """Start the processes and wait until all are prepared."""
        context = multiprocessing.get_context("spawn")
        try:
            with _interrupts_held():
                for number in range(self._count):
                    ours, theirs = context.Pipe()
                    process = context.Process(
                        target=_work, args=(theirs, number, self._prepare, self._argument), daemon=True
                    )
                    process.start()
                    theirs.close()
                    self._workers.append((process, ours))
            for process, ours in self._workers:
                _answer(process, ours)
        except BaseException:
            self._end(at_once=True)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the processes; at once after an error."""
        self._end(at_once=kind is not None)

    def results(self, tasks: Sequence[object]) -> Iterator[tuple[int, Any]]:
        """
        Yield the position and the result of each of *tasks*, as they are done. Tasks are begun in their order.

        Raises:
            WorkerError: A worker was killed, or a task raised an error.
        """
        waiting = iter(enumerate(tasks))
        at_work: dict[Connection, tuple[SpawnProcess, int]] = {}
        for process, ours in self._workers:
            _begin(waiting, process, ours, at_work)
        while at_work:
            for ready in connection.wait(list(at_work)):
                process, position = at_work.pop(ready)  # type: ignore[call-overload]
                result = _answer(process, ready)  # type: ignore[arg-type]
                _begin(waiting, process, ready, at_work)  # type: ignore[arg-type]
                yield position, result

    def _end(self, *, at_once: bool) -> None:
        for process, ours in self._workers:
            if at_once:
                process.terminate()
            ours.close()
        for process, _ in self._workers:
            process.join(_LONGEST_END_S)
            if process.is_alive():
                process.kill()
                process.join()
        self._workers.clear()


def _begin(
    waiting: Iterator[tuple[int, object]],
    process: SpawnProcess,
    ours: Connection,
    at_work: dict[Connection, tuple[SpawnProcess, int]],
) -> None:
    """Send the next task to a worker, if there is one."""
    for position, task in waiting:
        try:
            ours.send(task)
        except OSError:
            raise _killed(process) from None
        at_work[ours] = process, position
        return


def _answer(process: SpawnProcess, ours: Connection) -> object:
    """
    Return the result that a worker sends.

    Raises:
        WorkerError: It sends an error, or has ended.
    """
    try:
        how, result = ours.recv()
    except (EOFError, OSError):
        raise _killed(process) from None
    if how == _FAILED:
        message = f"a worker process failed: {result}"
        raise WorkerError(message)
    return result


def _killed(process: SpawnProcess) -> WorkerError:
    process.join(_LONGEST_END_S)
    status = process.exitcode
    how = f"exit status {status}"
    if status is not None and status < 0:
        how = signal.Signals(-status).name if -status in set(signal.Signals) else f"signal {-status}"
    hint = "; if memory is short, take fewer with --jobs" if how == "SIGKILL" else ""
    return WorkerError(f"a worker process was ended ({how}){hint}")


@contextlib.contextmanager
def _interrupts_held() -> Iterator[None]:
    """Hold Ctrl-C back from this thread, and for good from the processes that it starts meanwhile."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _work(theirs: Connection, number: int, prepare: Callable[[int, Any], Callable[[Any], Any]], argument: Any) -> None:
    """Run the tasks that arrive until the other process closes the connection."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    with contextlib.suppress(EOFError, OSError):
        try:
            run = prepare(number, argument)
        except Exception:  # noqa: BLE001 - the other process reports it
            theirs.send((_FAILED, traceback.format_exc()))
            return
        theirs.send((_DONE, None))
        # Most of what a task makes has no cycles, and all of it is gone after the task.
        gc.disable()
        gc.freeze()
        while True:
            task = theirs.recv()
            try:
                answer = (_DONE, run(task))
            except OSError as error:  # such as a full disk
                answer = (_FAILED, str(error))
            except Exception:  # noqa: BLE001 - as above
                answer = (_FAILED, traceback.format_exc())
            theirs.send(answer)
            del task, answer
            gc.collect()


def _end_with_parent() -> None:
    """End this process when the one that started it has ended."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)
