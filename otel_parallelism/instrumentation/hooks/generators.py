"""Generators that forward to a framework's generator and end a lifetime when that is exhausted, closed or fails."""

from __future__ import annotations

import weakref
from types import AsyncGeneratorType, GeneratorType
from typing import TYPE_CHECKING, Any

from otel_parallelism.tracing.spans.generator_steps import Stretch, drive, drive_async, first_step
from otel_parallelism.tracing.state.nodes import MISSING

from .lifetimes import measured_call

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator

    from opentelemetry.context import Context

    from otel_parallelism.tracing.state.nodes import CallNode

    from .lifetimes import Lifetime


def followed_generator(iterator: Any, lifetime: Lifetime, finished: Callable[[], None]) -> Any:
    """
    Return a generator that forwards to *iterator* and ends *lifetime*, which has begun, together with it.

    Args:
        iterator: A generator or an async generator.
        lifetime: Receives every item.
        finished: Called after the last item, just before the lifetime ends; not called if the iterator is closed early.

    Returns:
        None if *iterator* is not a generator.
    """

    class Finished(LifetimeSteps):
        def end(self, error: BaseException | None) -> None:
            if error is None and not (self.watched is not None and self.watched.closed):
                finished()
            super().end(error)

    if isinstance(iterator, GeneratorType | AsyncGeneratorType):
        return forwarded(iterator, Finished(lifetime, lifetime.leave()), lifetime)
    return None


def driven_generator(generator: Generator[Any, Any, Any], lifetime: Lifetime) -> Any:
    """Return a generator that runs *generator* within *lifetime*, which begins at the first step."""
    return drive(_Watched(generator, lifetime.seen), LifetimeSteps(lifetime))  # type: ignore[arg-type] # has what drive needs


def driven_async_generator(generator: AsyncGenerator[Any, Any], lifetime: Lifetime) -> AsyncGenerator[Any, Any]:
    """Return an async generator that runs *generator* within *lifetime*, which begins at the first step."""
    watched = _WatchedAsync(generator, lifetime.seen)
    steps: Stretch = LifetimeSteps(lifetime)
    return drive_async(watched, steps)  # type: ignore[arg-type] # as above


def forwarded(iterator: Any, steps: LifetimeSteps, lifetime: Lifetime) -> Any:
    """Return a generator that forwards to *iterator* for a *lifetime* that has begun."""
    begun = steps.begun = BegunLifetime(lifetime)
    if isinstance(iterator, GeneratorType):
        watched = steps.watched = _Watched(iterator, lifetime.seen)
        return begun.watch(drive(watched, steps))  # type: ignore[arg-type] # has what drive needs
    watched_async = steps.watched = _WatchedAsync(iterator, lifetime.seen)
    return begun.watch(drive_async(watched_async, steps))  # type: ignore[arg-type] # as above


class BegunLifetime:
    """A lifetime that has begun and continues in a coroutine or generator, which may be discarded before it runs."""

    __slots__ = ("_lifetime", "_running")

    def __init__(self, lifetime: Lifetime) -> None:
        self._lifetime = lifetime
        self._running = False

    def watch(self, runs: Any) -> Any:
        """Return *runs*; the lifetime fails if it is discarded before `run` is called."""
        weakref.finalize(runs, self._discarded).atexit = False
        return runs

    def run(self) -> Lifetime:
        """Return the lifetime; the coroutine or generator has started and will end it."""
        self._running = True
        return self._lifetime

    def _discarded(self) -> None:
        if not self._running:
            self._lifetime.fail(GeneratorExit())


class LifetimeSteps:
    """A lifetime in the form that `drive` takes: it begins unless it has, and is not current between two steps."""

    __slots__ = ("_context", "_lifetime", "begun", "measured", "watched")

    def __init__(self, lifetime: Lifetime, context: Context | None = None) -> None:
        """
        Args:
            lifetime: Has begun if *context* is given.
            context: The context of each step.
        """
        self._lifetime = lifetime
        self._context = context
        self.measured: CallNode | None = None
        self.begun: BegunLifetime | None = None
        self.watched: _Watched | _WatchedAsync | None = None

    def start(self) -> Context:
        """Begin the lifetime unless it has begun, and return the context of each step."""
        if self.begun is not None:
            self.begun.run()
        context = self._context
        if context is None:
            self._lifetime.enter()
            context = self._lifetime.leave()
        self.measured = measured_call(self._lifetime)
        return context

    def end(self, error: BaseException | None) -> None:
        """End the lifetime; *error* is what the generator raised."""
        if error is None:
            self._lifetime.end(MISSING)
        else:
            self._lifetime.fail(error)

    def drop(self) -> None:
        """Do nothing: a lifetime ends itself."""


class _Watched:
    """A generator that passes each item to a callback; ``closed`` is true after the consumer has closed it."""

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
        self.closed = self.closed or issubclass(type(error), GeneratorExit)
        item = self._generator.throw(error)
        self._seen(item)
        return item


class _WatchedAsync:
    """An async generator that passes each item to a callback; ``closed`` as in `_Watched`."""

    __slots__ = ("_begun", "_generator", "_seen", "closed")

    def __init__(self, generator: AsyncGenerator[Any, Any], seen: Callable[[Any], None]) -> None:
        self._begun = False
        self._generator = generator
        self._seen = seen
        self.closed: bool = False

    async def asend(self, value: Any) -> Any:
        step = self._generator.asend(value) if self._begun else first_step(self._generator)
        self._begun = True
        item = await step
        self._seen(item)
        return item

    async def athrow(self, error: BaseException) -> Any:
        self.closed = self.closed or issubclass(type(error), GeneratorExit)
        item = await self._generator.athrow(error)
        self._seen(item)
        return item
