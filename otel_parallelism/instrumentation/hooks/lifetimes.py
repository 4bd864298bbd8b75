"""
Wrappers that last as long as what they wrap: a call, a model request or a turn is over when its result is.

What a framework's function returns differs: a value, a coroutine, a generator of either kind, a future. The wrapper
returns the same kind, with the same values, exceptions and cancellation. What is needed to describe a call is read
from the framework's own objects, and may fail: then the function runs as if it were not wrapped.
"""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import AsyncGenerator, Callable, Generator
from types import AsyncGeneratorType, CoroutineType, GeneratorType
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from opentelemetry.instrumentation.utils import is_instrumentation_enabled

from otel_parallelism.tracing.shield import swallow
from otel_parallelism.tracing.spans.kinds import Kind, Steps, Stretch, drive, drive_async
from otel_parallelism.tracing.state.nodes import MISSING

if TYPE_CHECKING:
    from opentelemetry.context import Context


Arguments: TypeAlias = tuple[Any, ...]
Keywords: TypeAlias = dict[str, Any]
Wrapper: TypeAlias = Callable[[Any, Any, Arguments, Keywords], Any]
"""As wrapt calls it: the wrapped function, the instance, positional and keyword arguments."""

WrapperFactory: TypeAlias = Callable[[Kind], Wrapper]
"""Makes the wrapper of a function of a kind."""


class Lifetime(Protocol):
    """What begins and ends with a function's run; nothing of it raises."""

    def enter(self) -> None:
        """Begin, and be what is current."""

    def leave(self) -> Context:
        """Give back what was current before, and return the context to go on in."""
        ...

    def seen(self, item: Any) -> None:
        """Take note of an *item* that the function hands out."""

    def end(self, result: Any, /) -> None:
        """End with the function's *result* (for a generator, ``MISSING``)."""

    def fail(self, error: BaseException) -> None:
        """End with the *error* that the function raised."""


Describe: TypeAlias = Callable[[Any, Arguments, Keywords], Lifetime | None]
"""Says what a call of the wrapped function is; None for one that is of no interest."""

Until: TypeAlias = Callable[[Any, Lifetime], bool]
"""Takes over the end of a lifetime whose function has returned something that goes on; false if that does not."""


def lifetime_wrapper(describe: Describe, until: Until | None = None) -> WrapperFactory:
    """
    Return what wraps a function so that a lifetime spans each of its runs.

    Args:
        describe: Makes the lifetime from instance and arguments, before the function runs.
        until: For results that live on beyond the function, other than coroutines, generators and asyncio's futures.
    """

    def make(kind: Kind) -> Wrapper:
        def call(wrapped: Any, instance: Any, args: Arguments, kwargs: Keywords) -> Any:
            lifetime = describe_call(describe, instance, args, kwargs)
            if lifetime is None:
                return wrapped(*args, **kwargs)
            if kind == "coroutine":
                return _awaited(wrapped, args, kwargs, lifetime, until)
            if kind == "generator":
                return drive(_Watched(wrapped(*args, **kwargs), lifetime.seen), _Stepped(lifetime))  # type: ignore[arg-type] # as far as drive goes
            if kind == "async generator":
                return drive_async(*stepped(wrapped(*args, **kwargs), lifetime))
            return _called(wrapped, args, kwargs, lifetime, until)

        return call

    return make


def describe_call(describe: Describe, instance: Any, args: Arguments, kwargs: Keywords) -> Lifetime | None:
    """Return what *describe* makes of a call; None also where that fails, or all instrumentation is off."""
    try:
        return describe(instance, args, kwargs) if is_instrumentation_enabled() else None
    except Exception as error:  # noqa: BLE001 - a framework that has changed is no reason to fail
        swallow(f"describing a call in {getattr(describe, '__module__', '?')}", error)
        return None


async def _awaited(wrapped: Any, args: Arguments, kwargs: Keywords, lifetime: Lifetime, until: Until | None) -> Any:
    lifetime.enter()
    try:
        result = await wrapped(*args, **kwargs)
    except BaseException as error:
        lifetime.fail(error)
        raise
    if not _goes_on(result, lifetime, until):
        lifetime.end(result)
    return result


def _called(wrapped: Any, args: Arguments, kwargs: Keywords, lifetime: Lifetime, until: Until | None) -> Any:
    lifetime.enter()
    try:
        result = wrapped(*args, **kwargs)
    except BaseException as error:
        lifetime.fail(error)
        raise
    if type(result) is CoroutineType:
        begun = _Begun(lifetime)
        return begun.watch(_rest(result, begun, lifetime.leave(), until))
    if type(result) is GeneratorType or type(result) is AsyncGeneratorType:
        return _iterated(result, _Stepped(lifetime, lifetime.leave()), lifetime)
    if not _goes_on(result, lifetime, until):
        lifetime.end(result)
    return result


async def _rest(coroutine: Any, begun: _Begun, context: Context, until: Until | None) -> Any:
    lifetime = begun.run()
    steps = Steps(context)
    try:
        with steps:
            result = await coroutine
    except BaseException as error:
        lifetime.fail(error)
        raise
    if not _goes_on(result, lifetime, until):
        lifetime.end(result)
    return result


def _goes_on(result: Any, lifetime: Lifetime, until: Until | None) -> bool:
    """Whether *result* is not yet all: then the lifetime ends with it, and is no longer what is current."""
    try:
        if until is not None:
            if not until(result, lifetime):
                return False
            lifetime.leave()
            return True
        if isinstance(result, asyncio.Future) and not result.done():
            lifetime.leave()
            result.add_done_callback(lambda future: end_with_future(future, lifetime))
            return True
    except Exception as error:  # noqa: BLE001 - then it ends here
        swallow("following a result", error)
    return False


def end_with_future(future: asyncio.Future[Any], lifetime: Lifetime) -> None:
    """End *lifetime* as *future*, which is done, did."""
    if future.cancelled():
        lifetime.fail(asyncio.CancelledError())
        return
    # Asked for through the private field: asking properly would count as having looked at the error.
    error = getattr(future, "_exception", None)
    if error is not None:
        lifetime.fail(error)
    else:
        lifetime.end(future.result())


def followed_generator(iterator: Any, lifetime: Lifetime, finished: Callable[[], None]) -> Any:
    """
    Return a generator that goes on as *iterator*, and ends *lifetime*, which has begun, when it is through.

    Args:
        iterator: A generator of either kind.
        lifetime: Sees every item.
        finished: Called when the last item is out, just before the lifetime ends; not where the iterator is let go.

    Returns:
        None where *iterator* is no generator.
    """

    class Finished(_Stepped):
        def end(self, error: BaseException | None) -> None:
            if error is None and not (self.watched is not None and self.watched.closed):
                finished()
            super().end(error)

    if isinstance(iterator, GeneratorType | AsyncGeneratorType):
        return _iterated(iterator, Finished(lifetime, lifetime.leave()), lifetime)
    return None


def stepped(generator: AsyncGenerator[Any, Any], lifetime: Lifetime) -> tuple[AsyncGenerator[Any, Any], Stretch]:
    """Return what `drive_async` takes, so that *generator* runs within *lifetime*, which has yet to begin."""
    return _WatchedAsync(generator, lifetime.seen), _Stepped(lifetime)  # type: ignore[return-value] # as far as drive goes


def _iterated(iterator: Any, stepped: _Stepped, lifetime: Lifetime) -> Any:
    """Return a generator that goes on as *iterator* for a *lifetime* that has begun."""
    begun = stepped.begun = _Begun(lifetime)
    if isinstance(iterator, GeneratorType):
        watched = stepped.watched = _Watched(iterator, lifetime.seen)
        return begun.watch(drive(watched, stepped))  # type: ignore[arg-type] # as above
    watched_async = stepped.watched = _WatchedAsync(iterator, lifetime.seen)
    return begun.watch(drive_async(watched_async, stepped))  # type: ignore[arg-type] # as above


class _Begun:
    """A lifetime that goes on in a coroutine or generator, which may be thrown away before it runs at all."""

    __slots__ = ("_lifetime", "_running")

    def __init__(self, lifetime: Lifetime) -> None:
        self._lifetime = lifetime
        self._running = False

    def watch(self, runs: Any) -> Any:
        weakref.finalize(runs, self._let_go).atexit = False
        return runs

    def run(self) -> Lifetime:
        self._running = True
        return self._lifetime

    def _let_go(self) -> None:
        if not self._running:
            self._lifetime.fail(GeneratorExit())


class _Stepped:
    """A lifetime as `drive` wants it: begun unless it has, never current between two steps."""

    __slots__ = ("_context", "_lifetime", "begun", "watched")

    def __init__(self, lifetime: Lifetime, context: Context | None = None) -> None:
        self._lifetime = lifetime
        self._context = context
        self.begun: _Begun | None = None
        self.watched: _Watched | _WatchedAsync | None = None

    def start(self) -> Context:
        if self.begun is not None:
            self.begun.run()
        if self._context is not None:
            return self._context
        self._lifetime.enter()
        return self._lifetime.leave()

    def end(self, error: BaseException | None) -> None:
        if error is None:
            self._lifetime.end(MISSING)
        else:
            self._lifetime.fail(error)


class _Watched:
    """A generator whose items are looked at as they go out; ``closed`` where whoever iterates has let go of it."""

    __slots__ = ("_generator", "_seen", "closed")

    def __init__(self, generator: Generator[Any, Any, Any], seen: Callable[[Any], None]) -> None:
        self._generator = generator
        self._seen = seen
        self.closed: bool = False

    def send(self, value: Any) -> Any:
        item = self._generator.send(value)
        self._seen(item)
        return item

    def throw(self, error: BaseException) -> Any:
        item = self._generator.throw(error)
        self._seen(item)
        return item

    def close(self) -> None:
        self.closed = True
        self._generator.close()


class _WatchedAsync:
    """An async generator whose items are looked at as they go out; ``closed`` as of `_Watched`."""

    __slots__ = ("_generator", "_seen", "closed")

    def __init__(self, generator: AsyncGenerator[Any, Any], seen: Callable[[Any], None]) -> None:
        self._generator = generator
        self._seen = seen
        self.closed: bool = False

    async def asend(self, value: Any) -> Any:
        item = await self._generator.asend(value)
        self._seen(item)
        return item

    async def athrow(self, error: BaseException) -> Any:
        item = await self._generator.athrow(error)
        self._seen(item)
        return item

    async def aclose(self) -> None:
        self.closed = True
        await self._generator.aclose()


def is_named_error(error: BaseException, names: tuple[str, ...]) -> bool:
    """Whether *error* is of a class with one of these *names*, or derived from one."""
    return bool(names) and any(kind.__name__ in names for kind in type(error).__mro__)


def argument(args: Arguments, kwargs: Keywords, position: int, name: str) -> Any:
    """Return the argument called *name*, which may also be given at *position*; None where it is not given."""
    if name in kwargs:
        return kwargs[name]
    return args[position] if 0 <= position < len(args) else None
