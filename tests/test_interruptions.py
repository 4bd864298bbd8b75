from __future__ import annotations

import bdb
import ctypes
import functools
import signal
import sys
import threading
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from otel_parallelism import profiled
from otel_parallelism.interruptions import is_interruption

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType


class TooLateError(Exception):
    pass


def raised(action: Callable[[], Any]) -> BaseException:
    try:
        action()
    except BaseException as error:  # noqa: BLE001 - the test asks for any
        return error
    raise AssertionError("nothing was raised")


def two_parameters(number: int, frame: object) -> None:
    raise TooLateError(number)


def any_parameters(*_: object) -> None:
    raise ValueError


class Watch:
    def method(self, number: int, frame: object) -> None:
        raise TimeoutError

    def __call__(self, number: int, frame: object) -> None:
        self.method(number, frame)


def deletes_its_frame(number: int, frame: object) -> None:
    del frame
    raise TooLateError(number)


def sets_its_frame(number: int, frame: Any) -> None:
    frame = frame.f_back
    raise OSError(number, frame is None)


def throws(*_: object) -> None:
    raise TooLateError


class DeletingWatch:
    def __call__(self, number: int, frame: object) -> None:
        deletes_its_frame(number, frame)


@profiled
def recorded(number: int, frame: object) -> None:
    raise TooLateError(number)


@functools.wraps(two_parameters)
def decorated(*args: Any, **kwargs: Any) -> None:
    two_parameters(*args, **kwargs)


@pytest.fixture
def alarm() -> Iterator[None]:
    before = signal.getsignal(signal.SIGALRM)
    yield
    signal.signal(signal.SIGALRM, before)


@pytest.mark.usefixtures("alarm")
@pytest.mark.parametrize(
    "handler",
    [
        two_parameters,
        any_parameters,
        Watch().method,
        Watch(),
        decorated,
        recorded,
        functools.partial(two_parameters),
        deletes_its_frame,
        sets_its_frame,
        functools.partial(DeletingWatch().__call__),
        DeletingWatch(),
        lambda *_: throws(),
    ],
)
def test_what_a_signal_handler_raises_is_the_programs(handler: Any) -> None:
    def ours() -> None:
        signal.raise_signal(signal.SIGALRM)

    signal.signal(signal.SIGALRM, handler)
    assert is_interruption(raised(ours))


def test_what_a_trace_function_raises_is_the_programs() -> None:
    class Debugger:
        def dispatch(self, frame: FrameType, event: str, arg: object) -> None:
            if frame.f_code is ours.__code__:
                raise bdb.BdbQuit

    before = sys.gettrace()

    def ours() -> int:
        return 1

    sys.settrace(Debugger().dispatch)
    try:
        error = raised(ours)
    finally:
        sys.settrace(before)
    assert type(error) is bdb.BdbQuit
    assert is_interruption(error)


@pytest.mark.parametrize("kind", [TooLateError, TimeoutError, Exception])
@pytest.mark.parametrize("package", ["otel_parallelism.tracing", "opentelemetry.sdk", "abc"])
def test_what_another_thread_sets_is_the_programs(kind: type[Exception], package: str) -> None:
    setter = ctypes.pythonapi.PyThreadState_SetAsyncExc
    namespace: dict[str, Any] = {
        "__name__": package,
        "set_it": functools.partial(setter, ctypes.c_ulong(threading.get_ident()), ctypes.py_object(kind)),
    }
    exec("def ours():\n    set_it()\n    for _ in range(1000):\n        pass\n", namespace)  # noqa: S102 - as a module of the package
    error = raised(namespace["ours"])
    assert type(error) is kind
    assert is_interruption(error)


def test_what_is_no_exception_is_the_programs() -> None:
    assert is_interruption(KeyboardInterrupt())
    assert is_interruption(SystemExit())
    assert is_interruption(GeneratorExit())


def test_our_own_errors_are_not_the_programs() -> None:
    def key() -> None:
        {}["missing"]

    def explicit() -> None:
        raise LookupError

    def callback(frame: object = None, number: int = 0) -> None:
        raise RuntimeError

    def attribute() -> None:
        object().missing  # type: ignore[attr-defined] # noqa: B018

    for action in (
        key,
        explicit,
        callback,
        attribute,
        lambda: next(iter(())),
        lambda: int("x"),
        lambda: list[int]().pop(),
    ):
        assert not is_interruption(raised(action)), action
    assert not is_interruption(ValueError())


class CountsReadsError(Exception):
    read: ClassVar[list[str]] = []

    def __getattribute__(self, name: str) -> Any:
        """Return the attribute *name*, and remember that it was read."""
        type(self).read.append(name)
        return super().__getattribute__(name)


def test_the_code_of_an_errors_class_is_not_run() -> None:
    @profiled
    def fails() -> None:
        raise CountsReadsError

    assert type(raised(fails)) is CountsReadsError
    assert CountsReadsError.read == []
