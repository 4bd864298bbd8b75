"""
Wrappers of functions that return an async context manager: what they wrap lasts from its entry to its exit.

The object that the program gets is the framework's own; only the generator that drives it is ours.
"""

from __future__ import annotations

from contextlib import _AsyncGeneratorContextManager
from typing import TYPE_CHECKING, Any

from otel_parallelism.tracing.spans.kinds import drive_async
from otel_parallelism.tracing.state.nodes import MISSING

from .lifetimes import describe_call, stepped

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from otel_parallelism.tracing.spans.kinds import Kind

    from .lifetimes import Arguments, Describe, Keywords, Lifetime, Wrapper, WrapperFactory


def managed_body_wrapper(describe: Describe) -> WrapperFactory:
    """
    Return what wraps a function that returns an async context manager whose body is the lifetime.

    It begins once the manager has been entered, so that a span which the manager itself opens is known by then, and is
    what is current in the body.
    """

    def driven(generator: AsyncGenerator[Any, Any], begin: Callable[[], Lifetime | None]) -> AsyncGenerator[Any, Any]:
        return _in_body(generator, begin)

    return _managed(describe, driven)


def manager_wrapper(describe: Describe) -> WrapperFactory:
    """
    Return what wraps a function that returns an async context manager which is the lifetime.

    It is what is current while the manager is entered and left, never in the body; it sees what the manager yields.
    """

    def driven(generator: AsyncGenerator[Any, Any], begin: Callable[[], Lifetime | None]) -> AsyncGenerator[Any, Any]:
        lifetime = begin()
        return generator if lifetime is None else drive_async(*stepped(generator, lifetime))

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
    except BaseException as error:  # noqa: BLE001 - whatever is thrown in is passed on
        thrown = error
    # Before the manager is left: what it attached, and opened, lies around this.
    if lifetime is not None:
        if thrown is None or isinstance(thrown, GeneratorExit):
            lifetime.end(MISSING)
        else:
            lifetime.fail(thrown)
    if isinstance(thrown, GeneratorExit):
        await generator.aclose()
        raise thrown
    try:
        again = await (anext(generator) if thrown is None else generator.athrow(thrown))
    except StopAsyncIteration:
        return
    # One that yields twice is told so by whoever leaves it.
    yield again
