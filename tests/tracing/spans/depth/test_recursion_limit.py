"""The recursion limit is raised while calls are deep, and is the program's own afterwards."""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING

import pytest

from otel_parallelism.tracing.spans.depth import recursion_limit
from otel_parallelism.tracing.spans.depth.recursion_limit import lower_limit, raise_limit

if TYPE_CHECKING:
    from collections.abc import Iterator

OWN = 3_000


@pytest.fixture(autouse=True)
def _limit() -> Iterator[None]:
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(OWN)
    yield
    sys.setrecursionlimit(limit)


def test_limit_is_raised_and_taken_back() -> None:
    raised = raise_limit(100)
    again = raise_limit(10)
    assert (raised, again, sys.getrecursionlimit()) == (100, 10, OWN + 110)
    lower_limit(again)
    assert sys.getrecursionlimit() == OWN + 100
    lower_limit(raised)
    assert sys.getrecursionlimit() == OWN


def test_calls_of_several_threads_may_end_in_any_order() -> None:
    first, second = raise_limit(100), raise_limit(10)
    lower_limit(first)
    assert sys.getrecursionlimit() == OWN + 10
    lower_limit(second)
    assert sys.getrecursionlimit() == OWN


def test_limit_that_the_program_sets_meanwhile_is_kept() -> None:
    raised = raise_limit(100)
    sys.setrecursionlimit(5_000)
    inner = raise_limit(10)
    assert sys.getrecursionlimit() == 5_110
    lower_limit(inner)
    lower_limit(raised)
    assert sys.getrecursionlimit() == 5_000


def test_limit_that_the_program_restores_meanwhile_is_its_own_again() -> None:
    raised = raise_limit(100)
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(5_000)
    inner = raise_limit(10)
    lower_limit(inner)
    sys.setrecursionlimit(before)
    lower_limit(raised)
    assert sys.getrecursionlimit() == OWN


def test_largest_limit_stays() -> None:
    largest = (1 << 31) - 1
    sys.setrecursionlimit(largest)
    raised = raise_limit(100)
    assert (raised, sys.getrecursionlimit()) == (0, largest)
    lower_limit(raised)
    assert sys.getrecursionlimit() == largest


def test_many_threads_leave_the_limit_as_it_was() -> None:
    def raise_often() -> None:
        for _ in range(300):
            lower_limit(raise_limit(7))

    threads = [threading.Thread(target=raise_often) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sys.getrecursionlimit() == OWN


def test_lock_that_is_never_released_changes_no_limit() -> None:
    taken = threading.Event()
    done = threading.Event()

    def keep() -> None:
        with recursion_limit._LOCK:
            taken.set()
            assert done.wait(60)

    thread = threading.Thread(target=keep)
    thread.start()
    assert taken.wait(60)
    raised = raise_limit(100)
    done.set()
    thread.join()
    assert (raised, sys.getrecursionlimit()) == (0, OWN)
