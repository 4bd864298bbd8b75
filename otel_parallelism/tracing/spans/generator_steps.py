"""
Runs a generator within the span of a call or a turn that lasts as long as the generator.

A span attached across a ``yield`` would become the current span of the code that iterates, and a generator may be
closed from another task. So a generator's context is attached only while one of its steps runs.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Protocol

from otel_parallelism import clock
from otel_parallelism.tracing.sdk.current import attach, detach, get_current, restore
from otel_parallelism.tracing.state.nodes import MISSING

from .depth.deep_calls import FRAMES, RESUMED_FRAMES, with_room
from .profiled_calls import abandon, begin, end, fail, leave
from .stretches import end_stretch, measured

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator

    from opentelemetry.context import Context

    from otel_parallelism.tracing.state.nodes import CallNode

    from .stretches import Resumable


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

    def drop(self) -> None:
        """End what an interruption has left open, if any."""


class StreamedCall:
    """A call of a generator: it lasts from the start of the first item to the end of the last."""

    __slots__ = ("_args", "_begun", "_kwargs", "_result", "measured")

    def __init__(self, node: CallNode, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.measured: CallNode = node
        self._args = args
        self._kwargs = kwargs
        self._result: Any = MISSING
        self._begun = False

    def start(self) -> Context:
        """Start the call; see ``Stretch``."""
        try:
            self._begun = begin(self.measured, self._args, self._kwargs)
            return leave(self.measured) if self._begun else get_current()
        except BaseException as error:
            if self.measured.span is not None:
                abandon(self.measured, error)
            raise

    def keep(self, result: Any) -> None:
        """Keep the call's *result*, if the generator is one that is awaited."""
        self._result = result

    def end(self, error: BaseException | None) -> None:
        """End the call; see ``Stretch``."""
        if not self._begun or self.measured.span is None:
            return
        if error is None:
            end(self.measured, self._result)
        else:
            fail(self.measured, error)

    def drop(self) -> None:
        """End the call if an interruption has left it open; see ``Stretch``."""
        if self._begun and self.measured.span is not None:
            abandon(self.measured, GeneratorExit())


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

    def drop(self) -> None:
        """Restore the context of the iterating code, if an interruption came before the first line of `__exit__`."""
        token, self._token = self._token, None
        if token is not None:
            restore(token, None)

    def __exit__(self, *_: object) -> None:
        """Remember the current context, and restore that of the iterating code."""
        try:
            self._context = get_current()
            detach(self._token)
            self._token = None
            if self._node is not None:
                end_stretch(self._node, clock.now_ns())
        except BaseException:
            self.drop()
            raise


def _keep_nothing(_: Any) -> None:
    pass


def drive(
    generator: Generator[Any, Any, Any], stretch: Stretch, keep: Callable[[Any], None] = _keep_nothing
) -> Generator[Any, Any, Any]:
    """
    Run *generator* within *stretch*: same values in and out, same result, same exceptions; *keep* is given the result.

    A generator that yields although it is closed can still be resumed, but the program has given it up: *stretch* ends.
    """
    closed = ended = False
    sent: Any = None
    # A list, from which an error is taken as it is thrown: a variable would make a cycle of error, traceback and frame.
    thrown: list[BaseException] = []
    try:
        steps = Steps(stretch.start(), stretch.measured)
        node = stretch.measured
        steppable: Resumable = generator if node is None else with_room(generator, node, FRAMES)
        while True:
            try:
                with steps:
                    value = steppable.throw(thrown.pop()) if thrown else steppable.send(sent)
            finally:
                steps.drop()
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
            keep(stop.value)
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
    finally:
        # An interruption may come before the first line of `end`.
        stretch.drop()


def first_step(generator: AsyncGenerator[Any, Any]) -> Any:
    """
    Return the first step of the async *generator*, to be awaited.

    The event loop is not told of the generator: it knows the one around it, and would close both at once at its end, or
    when both are collected as garbage.
    """
    hooks = sys.get_asyncgen_hooks()
    sys.set_asyncgen_hooks(None, _leave)
    try:
        return generator.asend(None)
    finally:
        sys.set_asyncgen_hooks(*hooks)


def _leave(_: object) -> None:
    """Leave a generator that is collected as garbage to the one around it, which closes it."""


def _with_room(step: Any, node: CallNode) -> Resumable:
    return with_room(step, node, RESUMED_FRAMES, RESUMED_FRAMES + 1)


async def drive_async(generator: AsyncGenerator[Any, Any], stretch: Stretch) -> AsyncGenerator[Any, Any]:
    """Run the async *generator* within *stretch*: same values in and out, same exceptions; see `drive`."""
    begun = closed = ended = False
    sent: Any = None
    step: Any = None
    thrown: list[BaseException] = []
    try:
        steps = Steps(stretch.start(), stretch.measured)
        node = stretch.measured
        while True:
            try:
                with steps:
                    if thrown:
                        step = generator.athrow(thrown.pop())
                    else:
                        step = generator.asend(sent) if begun else first_step(generator)
                    begun = True
                    value = await (step if node is None else measured(_with_room(step, node), node))
            finally:
                steps.drop()
                # The step keeps an error that was thrown; see `thrown`.
                step = None
            if closed and not ended:
                ended = True
                # The text of the error that aclose() raises now.
                stretch.end(RuntimeError("async generator ignored GeneratorExit"))
            sent = None
            try:
                sent = yield value
            except BaseException as error:  # noqa: BLE001 - every exception is passed on; aclose() throws GeneratorExit
                closed = closed or isinstance(error, GeneratorExit)
                thrown.append(error)
    except (StopAsyncIteration, GeneratorExit) as error:
        if not ended:
            stretch.end(None)
        if isinstance(error, GeneratorExit):
            raise
    except BaseException as error:
        if not ended:
            stretch.end(error)
        raise
    finally:
        stretch.drop()
