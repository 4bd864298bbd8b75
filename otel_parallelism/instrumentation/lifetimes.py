"""
Wrappers that last as long as what they wrap: a call, a model request or a turn is over when its result is.

What a framework's function returns differs: a value, a coroutine, a generator of either kind, a future. The wrapper
returns the same kind, with the same values, exceptions and cancellation. What is needed to describe a call is read
from the framework's own objects, and may fail: then the function runs as if it were not wrapped.
"""

from __future__ import annotations

import asyncio
import inspect
import weakref
from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from types import AsyncGeneratorType, CoroutineType, GeneratorType
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import msgspec
from opentelemetry.instrumentation.utils import is_instrumentation_enabled

from otel_parallelism.model import Content, Effect
from otel_parallelism.tracing.current import get_current
from otel_parallelism.tracing.foreign import claim_turn
from otel_parallelism.tracing.kinds import Kind, Steps, Stretch, drive, drive_async
from otel_parallelism.tracing.nodes import UNSEEN
from otel_parallelism.tracing.shield import swallow
from otel_parallelism.tracing.tool_call import ToolCall, framework_tool
from otel_parallelism.tracing.turn import AgentTurn

if TYPE_CHECKING:
    from opentelemetry.context import Context


Arguments: TypeAlias = tuple[Any, ...]
Keywords: TypeAlias = dict[str, Any]
Wrapper: TypeAlias = Callable[[Any, Any, Arguments, Keywords], Any]
"""As wrapt calls it: the wrapped function, the instance, positional and keyword arguments."""

Around: TypeAlias = Callable[[Kind], Wrapper]
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
        """End with the function's *result* (for a generator, ``UNSEEN``)."""

    def fail(self, error: BaseException) -> None:
        """End with the *error* that the function raised."""


Describe: TypeAlias = Callable[[Any, Arguments, Keywords], Lifetime | None]
"""Says what a call of the wrapped function is; None for one that is of no interest."""

Until: TypeAlias = Callable[[Any, Lifetime], bool]
"""Takes over the end of a lifetime whose function has returned something that goes on; false if that does not."""


def around(describe: Describe, until: Until | None = None) -> Around:
    """
    Return what wraps a function so that a lifetime spans each of its runs.

    Args:
        describe: Makes the lifetime from instance and arguments, before the function runs.
        until: For results that live on beyond the function, other than coroutines, generators and asyncio's futures.
    """

    def make(kind: Kind) -> Wrapper:
        def call(wrapped: Any, instance: Any, args: Arguments, kwargs: Keywords) -> Any:
            lifetime = described(describe, instance, args, kwargs)
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


def described(describe: Describe, instance: Any, args: Arguments, kwargs: Keywords) -> Lifetime | None:
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
            result.add_done_callback(lambda future: settle(future, lifetime))
            return True
    except Exception as error:  # noqa: BLE001 - then it ends here
        swallow("following a result", error)
    return False


def settle(future: asyncio.Future[Any], lifetime: Lifetime) -> None:
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


def streamed(iterator: Any, lifetime: Lifetime, finished: Callable[[], None]) -> Any:
    """
    Return a generator that goes on as *iterator*, and ends *lifetime*, which has begun, when it is through.

    Args:
        iterator: A generator of either kind.
        lifetime: Sees every item.
        finished: Called when the last item is out, just before the lifetime ends.

    Returns:
        None where *iterator* is no generator.
    """

    class Finished(_Stepped):
        def end(self, error: BaseException | None) -> None:
            if error is None:
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
        return begun.watch(drive(_Watched(iterator, lifetime.seen), stepped))  # type: ignore[arg-type] # as above
    return begun.watch(drive_async(_WatchedAsync(iterator, lifetime.seen), stepped))  # type: ignore[arg-type] # as above


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

    __slots__ = ("_context", "_lifetime", "begun")

    def __init__(self, lifetime: Lifetime, context: Context | None = None) -> None:
        self._lifetime = lifetime
        self._context = context
        self.begun: _Begun | None = None

    def start(self) -> Context:
        if self.begun is not None:
            self.begun.run()
        if self._context is not None:
            return self._context
        self._lifetime.enter()
        return self._lifetime.leave()

    def end(self, error: BaseException | None) -> None:
        if error is None:
            self._lifetime.end(UNSEEN)
        else:
            self._lifetime.fail(error)


class _Watched:
    """A generator whose items are looked at as they go out."""

    __slots__ = ("_generator", "_seen")

    def __init__(self, generator: Generator[Any, Any, Any], seen: Callable[[Any], None]) -> None:
        self._generator = generator
        self._seen = seen

    def send(self, value: Any) -> Any:
        item = self._generator.send(value)
        self._seen(item)
        return item

    def throw(self, error: BaseException) -> Any:
        item = self._generator.throw(error)
        self._seen(item)
        return item

    def close(self) -> None:
        self._generator.close()


class _WatchedAsync:
    """An async generator whose items are looked at as they go out."""

    __slots__ = ("_generator", "_seen")

    def __init__(self, generator: AsyncGenerator[Any, Any], seen: Callable[[Any], None]) -> None:
        self._generator = generator
        self._seen = seen

    async def asend(self, value: Any) -> Any:
        item = await self._generator.asend(value)
        self._seen(item)
        return item

    async def athrow(self, error: BaseException) -> Any:
        item = await self._generator.athrow(error)
        self._seen(item)
        return item

    async def aclose(self) -> None:
        await self._generator.aclose()


# Calls.


class CallFacts(msgspec.Struct, frozen=True):
    """
    What a framework says of a tool call that it is about to make.

    ``call_id`` is what the model calls it; ``arguments`` are by name, None where they are not known as such.
    ``blocking``: the tool is a plain function, which the framework's coroutine calls in the event loop's thread; None
    where that is as the wrapped function is. ``called_ns`` is when the call was handed over to be run, 0 where that is
    now. An exception of a class named ``pauses``, or derived from it, is how the framework stops for a while: no
    failure.
    """

    tool: str
    call_id: str = ""
    arguments: Mapping[str, Any] | None = None
    effect: Effect = "unknown"
    blocking: bool | None = None
    called_ns: int = 0
    pauses: str = ""


class Returned(msgspec.Struct, frozen=True):
    """What a call came to: its value, ``UNSEEN`` where it is none to look at, and whether the tool failed."""

    value: Any
    failed: bool = False


class ToolFailedError(Exception):
    """Stands for an error that a framework has turned into a result; its type is what a span shows of it."""


class _ReadCall(ToolCall):
    """A call whose result is read out of what the framework's function returns or hands out."""

    __slots__ = ("_last", "_pauses", "_read", "instance")

    def __init__(
        self, facts: CallFacts, read: Callable[[Any], Returned] | None, *, blocking: bool, instance: Any = None
    ) -> None:
        blocking = blocking if facts.blocking is None else facts.blocking
        super().__init__(framework_tool(facts.tool, facts.effect, blocking=blocking), facts.call_id, facts.arguments)
        if facts.called_ns and self._node is not None:
            self._node.called_ns = facts.called_ns
        self._read = read
        self.instance = instance
        self._pauses = facts.pauses
        self._last: Any = UNSEEN

    def seen(self, item: Any) -> None:
        self._last = item

    def end(self, result: Any = UNSEEN) -> None:
        if result is UNSEEN:
            result = self._last if self._read is not None else UNSEEN
        self._last = UNSEEN
        if result is not UNSEEN and self._read is not None:
            try:
                returned = self._read(result)
            except Exception as error:  # noqa: BLE001 - a framework that has changed is no reason to fail
                swallow("reading a call's result", error)
                returned = Returned(UNSEEN)
            if returned.failed:
                super().fail(ToolFailedError())
                return
            result = returned.value
        super().end(result)

    def fail(self, error: BaseException) -> None:
        if _is_called(error, self._pauses):
            super().end(UNSEEN)
        else:
            super().fail(error)


def _is_called(error: BaseException, name: str) -> bool:
    """Whether *error* is of a class with that *name*, or derived from one."""
    return bool(name) and any(kind.__name__ == name for kind in type(error).__mro__)


def calls(
    describe: Callable[[Any, Arguments, Keywords], CallFacts | None],
    read: Callable[[Any], Returned] | None = None,
    until: Until | None = None,
) -> Around:
    """
    Return what wraps a function that runs one tool: each run of it is a call.

    Args:
        describe: Says which tool, from instance and arguments; None for what is no call.
        read: Finds the tool's own result in what the function returns (a generator: in its last item). Without it the
            result is taken as it is.
        until: As for `around`; the lifetime's ``instance`` is the one whose method this is.
    """

    def make(kind: Kind) -> Wrapper:
        blocking = kind in {"function", "generator"}

        def lifetime(instance: Any, args: Arguments, kwargs: Keywords) -> Lifetime | None:
            facts = describe(instance, args, kwargs)
            if facts is None or not facts.tool:
                return None
            return _ReadCall(facts, read, blocking=blocking, instance=None if until is None else instance)

        return around(lifetime, until)(kind)

    return make


# Turns.


class TurnFacts(msgspec.Struct, frozen=True):
    """
    What a framework says of an agent run: the agent's name, and the user's words in any form.

    ``echoes`` are names of the instrumentation scopes that tell again, inside of it, what our patches of the framework
    tell, by spans that may have other parents than ours. ``pauses`` is as in `CallFacts`.
    """

    agent: str = ""
    input: object = None
    echoes: frozenset[str] = frozenset()
    pauses: str = ""


class _Turn:
    """An `AgentTurn` as a lifetime."""

    __slots__ = ("_pauses", "_turn")

    def __init__(self, facts: TurnFacts, fallback: str) -> None:
        name = facts.agent or fallback
        self._pauses = facts.pauses
        self._turn = AgentTurn(name, facts.agent or None, facts.input, facts.echoes)

    def enter(self) -> None:
        self._turn.__enter__()

    def leave(self) -> Context:
        context = get_current()
        self._turn.leave()
        return context

    def seen(self, item: Any) -> None:
        pass

    def end(self, _: Any, /) -> None:
        self._turn.end()

    def fail(self, error: BaseException) -> None:
        self._turn.end(None if _is_called(error, self._pauses) else error)


def turns(
    describe: Callable[[Any, Arguments, Keywords], TurnFacts | None],
    *,
    title: str,
    scopes: tuple[str, ...] = (),
    until: Until | None = None,
) -> Around:
    """
    Return what wraps a function that is an agent's run: each run of it is a turn.

    Args:
        describe: Says whose run, from instance and arguments; None for what is none.
        title: What a turn of an agent without a name is called.
        scopes: Parts of the names of the instrumentation scopes whose turn spans mean this same run: where one is
            open right around it, there is none of ours.
        until: As for `around`.
    """
    return around(turn_of(describe, title=title, scopes=scopes), until)


def turn_of(
    describe: Callable[[Any, Arguments, Keywords], TurnFacts | None], *, title: str, scopes: tuple[str, ...] = ()
) -> Describe:
    """Return what makes the turn that a call of a function is; the arguments are those of `turns`."""

    def lifetime(instance: Any, args: Arguments, kwargs: Keywords) -> Lifetime | None:
        facts = describe(instance, args, kwargs)
        if facts is None:
            return None
        words = None if facts.input is None else Content(facts.input)
        if scopes and claim_turn(scopes, words):
            return None
        return _Turn(facts, title)

    return lifetime


def bound(function: Any, instance: Any, args: Arguments, kwargs: Keywords) -> dict[str, Any]:
    """Return the arguments of a call of *function* by name; empty where they don't fit it."""
    try:
        parameters = inspect.signature(function)
        given = (*args,) if instance is None or inspect.ismethod(function) else (instance, *args)
        return dict(parameters.bind_partial(*given, **kwargs).arguments)
    except (TypeError, ValueError):
        return {}


def argument(args: Arguments, kwargs: Keywords, position: int, name: str) -> Any:
    """Return the argument called *name*, which may also be given at *position*; None where it is not given."""
    if name in kwargs:
        return kwargs[name]
    return args[position] if 0 <= position < len(args) else None
