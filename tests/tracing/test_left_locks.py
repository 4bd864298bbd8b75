"""Locks of OpenTelemetry and this package are free after the exception of a signal handler; others are not touched."""

from __future__ import annotations

import signal
import threading
from typing import Any

import pytest

from otel_parallelism.tracing.left_locks import release_left_locks

TAKING = """
def take(holder):
    while True:
        with holder.lock:
            pass
def take_global():
    while True:
        with GLOBAL:
            pass
"""
INTERRUPTIONS = 30


class TooLateError(Exception):
    pass


class Holder:
    def __init__(self, lock: Any) -> None:
        self.lock = lock


def interrupt(take: Any, *arguments: Any) -> TooLateError:
    def too_late(*_: object) -> None:
        raise TooLateError

    before = signal.signal(signal.SIGALRM, too_late)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.001)
        take(*arguments)
    except TooLateError as error:
        return error
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    raise AssertionError("nothing was raised")


def is_free(lock: Any) -> bool:
    """Return whether another thread can take *lock*."""
    found: list[bool] = []

    def take() -> None:
        found.append(lock.acquire(timeout=0))
        if found[0]:
            lock.release()

    thread = threading.Thread(target=take)
    thread.start()
    thread.join()
    return found[0]


@pytest.mark.process
@pytest.mark.parametrize("make", [threading.Lock, threading.RLock])
@pytest.mark.parametrize("name", ["take", "take_global"])
def test_locks_of_instrumentations_are_free_after_an_interruption(make: Any, name: str) -> None:
    lock = make()
    module: dict[str, Any] = {"__name__": "opentelemetry.sdk.anything", "GLOBAL": lock}
    exec(TAKING, module)  # noqa: S102 - as a module of the SDK
    for _ in range(INTERRUPTIONS):
        error = interrupt(module[name], *([Holder(lock)] if name == "take" else []))
        release_left_locks(error)
        assert is_free(lock)


@pytest.mark.process
def test_a_lock_that_another_thread_holds_stays_locked() -> None:
    lock = threading.RLock()
    module: dict[str, Any] = {"__name__": "opentelemetry.sdk.anything"}
    exec(TAKING, module)  # noqa: S102 - as a module of the SDK
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with lock:
            held.set()
            done.wait()

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait()
    release_left_locks(interrupt(module["take"], Holder(lock)))
    assert not is_free(lock)
    done.set()
    thread.join()


def test_other_errors_release_nothing() -> None:
    lock = threading.RLock()
    with lock:
        with pytest.raises(ValueError, match="invalid") as caught:
            int("x")
        release_left_locks(caught.value)
        assert not is_free(lock)


@pytest.mark.process
def test_locks_of_the_program_are_left_alone() -> None:
    module: dict[str, Any] = {"__name__": "program"}
    exec(TAKING, module)  # noqa: S102 - as a module of the program
    for _ in range(INTERRUPTIONS):
        lock = threading.Lock()
        error = interrupt(module["take"], Holder(lock))
        before = is_free(lock)
        release_left_locks(error)
        assert is_free(lock) == before
