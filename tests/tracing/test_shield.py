from __future__ import annotations

import gc
import weakref

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
