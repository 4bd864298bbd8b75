"""Deep recursion through decorated functions ends in an exception, and never ends the process."""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest

from otel_parallelism import agent_turn, profiled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.conftest import Kit


@profiled
def down(levels: int) -> int:
    return 1 + down(levels - 1) if levels else 0


class Walker:
    @profiled
    def leaf(self) -> None:
        """Do nothing."""

    @profiled
    def down(self, levels: int) -> int:
        self.leaf()
        return 1 + self.down(levels - 1) if levels else 0


@pytest.fixture(autouse=True)
def _deep() -> Iterator[None]:
    limit = sys.getrecursionlimit()
    yield
    sys.setrecursionlimit(limit)


def in_thread(stack_bytes: int, call: Callable[[], int]) -> Any:
    """Return what *call* returns or raises in a thread with a stack of that size."""
    found: list[Any] = []

    def run() -> None:
        try:
            with agent_turn("t"):
                found.append(call())
        except RecursionError as error:
            found.append(error)

    before = threading.stack_size(stack_bytes)
    try:
        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
    finally:
        threading.stack_size(before)
    return found[0]


@pytest.mark.parametrize("call", [down, Walker().down], ids=["function", "method"])
@pytest.mark.slow
def test_recursion_that_would_overflow_the_stack_is_an_error(call: Callable[[int], int]) -> None:
    sys.setrecursionlimit(50_000)
    assert isinstance(in_thread(1 << 20, lambda: call(9_000)), RecursionError)


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="the interpreter bounds the number of calls through wrappers")
@pytest.mark.slow
def test_a_larger_stack_takes_deeper_recursion(kit: Kit) -> None:
    sys.setrecursionlimit(50_000)
    assert in_thread(16 << 20, lambda: down(2_000)) == 2_000
    assert kit.reports[0].turn.coverage == 1


@pytest.mark.usefixtures("kit")
def test_under_the_default_limit_a_third_of_the_levels_is_reached() -> None:
    sys.setrecursionlimit(1_000)
    assert in_thread(0, lambda: down(290)) == 290
