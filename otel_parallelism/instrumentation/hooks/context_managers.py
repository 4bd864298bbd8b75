"""
Wrappers of functions that return an async context manager; the lifetime spans from its entry to its exit.

The program still receives the framework's own manager. Only the generator inside it is replaced.
"""

from __future__ import annotations

from contextlib import _AsyncGeneratorContextManager
from typing import TYPE_CHECKING, Any

from otel_parallelism.tracing.state.nodes import MISSING

from .generators import driven_async_generator
from .lifetimes import describe_call

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from otel_parallelism.tracing.spans.kinds import Kind

    from .lifetimes import Arguments, Describe, Keywords, Lifetime, Wrapper, WrapperFactory


def managed_body_wrapper(describe: Describe) -> WrapperFactory:
    """
    Return a factory of wrappers for a function whose async context manager has a body that is the lifetime.

    The lifetime begins after the manager has been entered, so that it sees a span that the manager opens. It is current
    in the body.
    """

    def driven(generator: AsyncGenerator[Any, Any], begin: Callable[[], Lifetime | None]) -> AsyncGenerator[Any, Any]:
        return _in_body(generator, begin)

    return _managed(describe, driven)


def manager_wrapper(describe: Describe) -> WrapperFactory:
    """
    Return a factory of wrappers for a function whose async context manager is itself the lifetime.

    The lifetime is current while the manager is entered and while it is left, but not in the body. It receives what the
    manager yields.
    """

    def driven(generator: AsyncGenerator[Any, Any], begin: Callable[[], Lifetime | None]) -> AsyncGenerator[Any, Any]:
        lifetime = begin()
        return generator if lifetime is None else driven_async_generator(generator, lifetime)

    return _managed(describe, driven)


def _managed(
    describe: Describe,
    driven: Callable[[AsyncGenerator[Any, Any], Callable[[], Lifetime | None]], AsyncGenerator[Any, Any]],
) -> WrapperFactory:
    def make(_: Kind) -> Wrapper:
        def call(wrapped: Any, instance: Any, args: Arguments, kwargs: Keywords) -> Any:
            manager = wrapped(*args, **kwargs)
            if isinstance(manager, _AsyncGeneratorContextManager):
                manager.gen = driven(manager.gen, lambda: describe_call(describe, instance, args, kwargs))
            return manager

        return call

    return make


async def _in_body(
    generator: AsyncGenerator[Any, Any], begin: Callable[[], Lifetime | None]
) -> AsyncGenerator[Any, Any]:
    try:
        value = await anext(generator)
    except StopAsyncIteration:
        return
    lifetime = begin()
    if lifetime is not None:
        lifetime.enter()
    thrown: BaseException | None = None
    try:
        yield value
    except BaseException as error:  # noqa: BLE001 - passed on to the generator below
        thrown = error
    # End before the manager is left: what the manager attached and opened encloses this lifetime.
    if lifetime is not None:
        if thrown is None or isinstance(thrown, GeneratorExit):
            lifetime.end(MISSING)
        else:
            lifetime.fail(thrown)
    try:
        if isinstance(thrown, GeneratorExit):
            await generator.aclose()
            raise thrown
        again = await (anext(generator) if thrown is None else generator.athrow(thrown))
    except StopAsyncIteration:
        return
    finally:
        del thrown  # breaks the reference cycle through its traceback
    # contextlib raises an error for a generator that yields twice.
    yield again
