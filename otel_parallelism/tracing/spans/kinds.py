"""
Wrappers that stay the same kind of callable as the function they wrap.

A span attached across a ``yield`` would become the current span of the code that iterates, and a generator may be
closed from another task. So a generator's context is attached only while one of its steps runs.
"""

from __future__ import annotations

import copy
import inspect
import sys
from functools import partial
from operator import attrgetter
from types import MethodType
from typing import TYPE_CHECKING, Any, Literal, Protocol

import wrapt

from otel_parallelism import clock
from otel_parallelism.tracing.sdk.current import attach, detach, get_current, restore

from .stretches import end_stretch, measured

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator

    from opentelemetry.context import Context

    from otel_parallelism.tracing.state.nodes import CallNode

Kind = Literal["function", "coroutine", "generator", "async generator"]


if TYPE_CHECKING:
    # Generic for type checkers only: older releases of wrapt cannot be subscripted.
    _Wrapper = wrapt.FunctionWrapper[..., Any]
    _BoundWrapper = wrapt.BoundFunctionWrapper[..., Any]
else:
    _Wrapper = wrapt.FunctionWrapper
    _BoundWrapper = wrapt.BoundFunctionWrapper


class Profiled(_Wrapper):
    """A wrapped function. It pickles and copies by name, like the function it wraps."""

    # No annotations here: the class's annotations would hide those of every wrapped function.

    def __reduce_ex__(self, protocol: object) -> Any:
        """Return the qualified name, by which pickle finds any function."""
        return self.__wrapped__.__qualname__

    def __reduce__(self) -> Any:
        """Return the qualified name, by which pickle finds any function."""
        return self.__wrapped__.__qualname__

    def __copy__(self) -> Profiled:
        """Return itself, as copying a function does."""
        return self

    def __deepcopy__(self, memo: object) -> Profiled:
        """Return itself, as copying a function does."""
        return self


class ProfiledObject(Profiled):
    """A wrapped callable object. What its ``__call__`` says about itself is what the object's says."""

    def __getattribute__(self, name: str) -> Any:
        """Return the attribute *name*; ``__call__`` as a method, which shows its kind, and not as a slot."""
        if name != "__call__":
            return super().__getattribute__(name)
        # Some frameworks look for coroutine functions there.
        call: Any = self
        method: Any = getattr(self.__wrapped__, name)

        def called(_: Any, __: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
            return call(*args, **kwargs)

        made: Any = wrapt.FunctionWrapper  # its types know no wrapper that leaves the wrapped function alone
        return made(method, called)


def wrapped_as(function: Any, wrapper: Any, enabled: Any = None) -> Profiled:
    """Return *function* wrapped in *wrapper*; while *enabled* returns False, calls pass by the wrapper."""
    plain = inspect.isroutine(function) or isinstance(function, (partial, staticmethod, classmethod, type))
    made: Any = Profiled if plain else ProfiledObject
    wrapped: Profiled = made(function, wrapper, enabled=enabled)
    return wrapped


class _MadeAgain(type(_BoundWrapper)):  # type: ignore[misc] # the class of a class of a library
    """The class of `BoundProfiled`: like the class of methods, it makes one of a function and an object."""

    def __call__(cls: Any, function: Any, instance: Any) -> Any:
        """Return the method that *function* is of *instance*; ``weakref.WeakMethod`` asks for it."""
        found: Any = getattr(instance, getattr(function, "__name__", ""), None)
        if type(found) is cls and getattr(found, "__func__", None) is function:
            return found
        return MethodType(function, instance)


class BoundProfiled(_BoundWrapper, metaclass=_MadeAgain):
    """A wrapped method of an instance or a class. It pickles like one."""

    def __reduce_ex__(self, protocol: object) -> Any:
        """Return the call that gets the method from its instance or class."""
        return getattr, self._place()

    def __reduce__(self) -> Any:
        """Return the call that gets the method from its instance or class."""
        return getattr, self._place()

    def __copy__(self) -> Any:
        """Return the method of the same instance, as for any method."""
        return getattr(*self._place())

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        """Return the method of a deep copy of its instance, as for any method."""
        owner, name = self._place()
        return getattr(copy.deepcopy(owner, memo), name)

    def _place(self) -> tuple[Any, str]:
        method: Any = self.__wrapped__
        if hasattr(method, "__self__"):
            return method.__self__, method.__name__
        # Accessed on its class, a method is a function, which pickle finds by its name.
        path, _, name = method.__qualname__.rpartition(".")
        return attrgetter(path)(sys.modules[method.__module__]), name


# wrapt makes bound wrappers by this, past `_MadeAgain`.
_make_bound = staticmethod(partial(type.__call__, BoundProfiled))
setattr(Profiled, "__bound_function_wrapper__", _make_bound)  # noqa: B010 - which of the two is generic differs


def kind_of(function: Any) -> Kind:
    """Return the kind of *function*: of the function inside partials, descriptors and callable objects."""
    while True:
        if isinstance(function, (staticmethod, classmethod)):
            function = function.__func__
        elif isinstance(function, partial):
            function = function.func
        else:
            break
    if not inspect.isroutine(function) and not isinstance(function, type):
        function = getattr(type(function), "__call__", function)  # noqa: B004 - the attribute itself is needed, not whether it is callable
    if inspect.iscoroutinefunction(function):
        return "coroutine"
    if inspect.isasyncgenfunction(function):
        return "async generator"
    if inspect.isgeneratorfunction(function):
        return "generator"
    return "function"


class Stretch(Protocol):
    """A call or a turn that lasts as long as a generator."""

    @property
    def measured(self) -> CallNode | None:
        """The node of the call whose steps are measured, once it has started; None if they are not."""
        ...

    def start(self) -> Context:
        """Start, and return the context for the generator's body, without attaching it."""
        ...

    def end(self, error: BaseException | None) -> None:
        """End; *error* is the exception of the body, if any."""


class Steps:
    """Carries the OpenTelemetry context from one step of a generator to the next, and measures each step of a call."""

    __slots__ = ("_context", "_node", "_token")

    def __init__(self, context: Context, node: CallNode | None = None) -> None:
        self._context = context
        self._node = node
        self._token: Any = None

    def __enter__(self) -> None:
        """Attach the context that was current when the last step ended."""
        outer = get_current()
        try:
            self._token = attach(self._context)
            if self._node is not None:
                self._node.resumed_ns = clock.now_ns()
        except BaseException:
            # An interruption may come after the context was attached.
            restore(None, outer)
            raise

    def __exit__(self, *_: object) -> None:
        """Remember the current context, and restore that of the iterating code."""
        token, self._token = self._token, None
        try:
            self._context = get_current()
            detach(token)
            if self._node is not None:
                end_stretch(self._node, clock.now_ns())
        except BaseException:
            restore(token, None)
            raise


def drive(generator: Generator[Any, Any, Any], stretch: Stretch) -> Generator[Any, Any, Any]:
    """
    Run *generator* within *stretch*: same values in and out, same result, same exceptions.

    A generator that yields although it is closed can still be resumed, but the program has given it up: *stretch* ends.
    """
    closed = ended = False
    sent: Any = None
    # A list, from which an error is taken as it is thrown: a variable would make a cycle of error, traceback and frame.
    thrown: list[BaseException] = []
    try:
        steps = Steps(stretch.start(), stretch.measured)
        while True:
            with steps:
                value = generator.throw(thrown.pop()) if thrown else generator.send(sent)
            if closed and not ended:
                ended = True
                # The text of the error that close() raises now.
                stretch.end(RuntimeError("generator ignored GeneratorExit"))
            sent = None
            try:
                sent = yield value
            except BaseException as error:  # noqa: BLE001 - every exception is passed on; close() throws GeneratorExit
                closed = closed or isinstance(error, GeneratorExit)
                thrown.append(error)
    except StopIteration as stop:
        if not ended:
            stretch.end(None)
        return stop.value
    except GeneratorExit:
        if not ended:
            stretch.end(None)
        raise
    except BaseException as error:
        if not ended:
            stretch.end(error)
        raise


async def drive_async(generator: AsyncGenerator[Any, Any], stretch: Stretch) -> AsyncGenerator[Any, Any]:
    """Run the async *generator* within *stretch*: same values in and out, same exceptions."""
    sent: Any = None
    thrown: list[BaseException] = []
    try:
        steps = Steps(stretch.start(), stretch.measured)
        node = stretch.measured
        while True:
            with steps:
                step: Any = generator.athrow(thrown.pop()) if thrown else generator.asend(sent)
                value = await (step if node is None else measured(step, node))
            sent = None
            try:
                sent = yield value
            except GeneratorExit:
                with steps:
                    await generator.aclose()
                raise
            except BaseException as error:  # noqa: BLE001 - every exception thrown in is passed on
                thrown.append(error)
    except StopAsyncIteration:
        stretch.end(None)
    except GeneratorExit:
        stretch.end(None)
        raise
    except BaseException as error:
        stretch.end(error)
        raise
