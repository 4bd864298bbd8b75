"""
Wrappers whose lifetime ends when the result of the wrapped function is complete.

The function of a framework may return a value, a coroutine, a generator of either kind or a future. The wrapper returns
the same kind of object, with the same values, exceptions and cancellation.
"""

from __future__ import annotations

import asyncio
from types import AsyncGeneratorType, CoroutineType, GeneratorType
from typing import TYPE_CHECKING, Any

from otel_parallelism.tracing.shield import swallow
from otel_parallelism.tracing.spans.generator_steps import Steps
from otel_parallelism.tracing.spans.stretches import measured

from .generators import BegunLifetime, LifetimeSteps, driven_async_generator, driven_generator, forwarded
from .lifetimes import describe_call, end_with_future, measured_call

if TYPE_CHECKING:
    from opentelemetry.context import Context

    from otel_parallelism.tracing.spans.kinds import Kind

    from .lifetimes import Arguments, Describe, Keywords, Lifetime, Until, Wrapper, WrapperFactory


def lifetime_wrapper(describe: Describe, until: Until | None = None) -> WrapperFactory:
    """
    Return a factory of wrappers that give each run of a function a lifetime.

    Args:
        describe: Makes the lifetime from instance and arguments, before the function runs.
        until: Ends the lifetime for results that are complete later, other than coroutines, generators and asyncio
            futures.
    """

    def make(kind: Kind) -> Wrapper:
        def call(wrapped: Any, instance: Any, args: Arguments, kwargs: Keywords) -> Any:
            lifetime = describe_call(describe, instance, args, kwargs)
            if lifetime is None:
                return wrapped(*args, **kwargs)
            if kind == "coroutine":
                return _awaited(wrapped, args, kwargs, lifetime, until)
            if kind == "generator":
                return driven_generator(wrapped(*args, **kwargs), lifetime)
            if kind == "async generator":
                return driven_async_generator(wrapped(*args, **kwargs), lifetime)
            return _called(wrapped, args, kwargs, lifetime, until)

        return call

    return make


async def _awaited(wrapped: Any, args: Arguments, kwargs: Keywords, lifetime: Lifetime, until: Until | None) -> Any:
    lifetime.enter()
    try:
        body = wrapped(*args, **kwargs)
        node = measured_call(lifetime)
        result = await (measured(body, node) if node is not None and type(body) is CoroutineType else body)
    except BaseException as error:
        lifetime.fail(error)
        raise
    if not _ends_later(result, lifetime, until):
        lifetime.end(result)
    return result


def _called(wrapped: Any, args: Arguments, kwargs: Keywords, lifetime: Lifetime, until: Until | None) -> Any:
    lifetime.enter()
    node = measured_call(lifetime)
    if node is not None:
        node.resumed_ns = node.start_ns
    try:
        result = wrapped(*args, **kwargs)
    except BaseException as error:
        lifetime.fail(error)
        raise
    if type(result) is CoroutineType:
        begun = BegunLifetime(lifetime)
        return begun.watch(_rest(result, begun, lifetime.leave(), until))
    if type(result) is GeneratorType or type(result) is AsyncGeneratorType:
        return forwarded(result, LifetimeSteps(lifetime, lifetime.leave()), lifetime)
    if not _ends_later(result, lifetime, until):
        lifetime.end(result)
    return result


async def _rest(coroutine: Any, begun: BegunLifetime, context: Context, until: Until | None) -> Any:
    lifetime = begun.run()
    node = measured_call(lifetime)
    steps = Steps(context, node)
    try:
        with steps:
            result = await (coroutine if node is None else measured(coroutine, node))
    except BaseException as error:
        lifetime.fail(error)
        raise
    if not _ends_later(result, lifetime, until):
        lifetime.end(result)
    return result


def _ends_later(result: Any, lifetime: Lifetime, until: Until | None) -> bool:
    """Return whether *result* is not complete yet. If so, it ends the lifetime later, which is no longer current."""
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
    except Exception as error:  # noqa: BLE001 - the lifetime then ends with the function
        swallow("following a result", error)
    return False
