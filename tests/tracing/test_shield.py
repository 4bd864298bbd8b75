from __future__ import annotations

import gc
import weakref

import pytest

from otel_parallelism.tracing import shield
from otel_parallelism.tracing.shield import swallow


class StopError(BaseException):
    pass


def test_what_is_raised_again_is_freed_where_it_is_handled() -> None:
    def stop() -> weakref.ref[StopError]:
        try:
            swallow("a test", StopError())
        except StopError as error:
            return weakref.ref(error)
        raise AssertionError("nothing was raised")

    gc.disable()
    try:
        assert stop()() is None
    finally:
        gc.enable()


def overflow(levels: int) -> None:
    if not levels:
        raise RecursionError
    overflow(levels - 1)


@pytest.mark.parametrize(("levels", "counted"), [(20, {}), (200, {"ending a turn: RecursionError": 1})])
def test_recursion_of_the_program_is_no_internal_error(levels: int, counted: dict[str, int]) -> None:
    shield._counts.clear()
    try:
        overflow(levels)
    except RecursionError as error:
        swallow("ending a turn", error)
    assert shield.internal_errors() == counted
    shield._counts.clear()
