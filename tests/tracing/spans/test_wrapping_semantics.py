"""
What a program does with a function, with the function plain and decorated: the outcome must be the same.

Each test runs one program twice. A program takes a decorator and returns what it saw. `test_kinds_kept.py` and
`test_decorator.py` hold what is asked of the wrapper itself: its kind, its signature, its attributes.
"""

from __future__ import annotations

import abc
import asyncio
import contextlib
import contextvars
import copy
import functools
import gc
import inspect
import pickle
import sys
import traceback
import types
import typing
import warnings
import weakref
from typing import TYPE_CHECKING, Any
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_parallelism import agent_turn, names, profiled
from tests.virtual_time import VirtualLoop

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from tests.conftest import Kit

    Decorator = Callable[[Any], Any]

pytestmark = pytest.mark.usefixtures("kit")
HERE = __file__


def plain(function: Any) -> Any:
    return function


def run(coroutine: Any) -> Any:
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(coroutine)


def outcome(call: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """What *call* returns, or the type and the arguments of what it raises."""
    try:
        return call(*args, **kwargs)
    except BaseException as error:  # noqa: BLE001 - any is compared
        return type(error).__name__, str(error)


async def awaited(awaitable: Any) -> Any:
    try:
        return await awaitable
    except BaseException as error:  # noqa: BLE001 - as above
        return type(error).__name__, str(error)


def same(program: Callable[[Decorator], Any], *others: Decorator) -> None:
    """Check that *program* sees the same with each decorator, inside a turn and outside."""
    expected = program(plain)
    for decorator in (profiled, profiled(name="tool", effect="read"), *others):
        assert program(decorator) == expected
        with agent_turn("around"):
            assert program(decorator) == expected


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("yield"), st.integers(0, 9)),
        st.tuples(st.sampled_from(["catch", "finally", "exit"]), st.integers(0, 9)),
        st.tuples(st.sampled_from(["return", "raise", "stop", "sleep", "set"]), st.integers(0, 9)),
    ),
    max_size=6,
)
ASYNC_STEPS = STEPS.map(lambda steps: [step for step in steps if step[0] != "exit"])
"""Without bodies that ignore that they are closed: an error is printed when such an async generator is collected."""
"""What the body of a generator does, step by step."""
MOVES = st.lists(st.sampled_from(["next", "send", "throw", "throw other", "close", "cancel"]), max_size=8)
"""What its consumer does."""
VARIABLE: contextvars.ContextVar[int] = contextvars.ContextVar("variable", default=-1)


class Played:
    """A generator's body that follows a list of steps; ``log`` is what it saw."""

    def __init__(self, steps: list[tuple[str, int]]) -> None:
        self.steps = steps
        self.log: list[Any] = []

    def generator(self) -> Iterator[Any]:  # noqa: C901 - as a program would
        for kind, number in self.steps:
            try:
                if kind in {"yield", "catch", "finally", "exit"}:
                    self.log.append((yield number))
                elif kind == "set":
                    VARIABLE.set(number)
                elif kind == "raise":
                    raise ValueError(number)
                elif kind == "stop":
                    raise StopIteration(number)  # noqa: PLR1708 - what is tested
                elif kind == "return":
                    return number
            except KeyError as error:
                self.log.append(repr(error))
                if kind != "catch":
                    raise
            except GeneratorExit:
                self.log.append("exit")
                if kind != "exit":
                    raise
            finally:
                self.log.append((kind, VARIABLE.get()))
        return "end"

    async def async_generator(self) -> AsyncIterator[Any]:  # noqa: C901 - as a program would
        for kind, number in self.steps:
            try:
                if kind in {"yield", "catch", "finally"}:
                    self.log.append((yield number))
                elif kind == "set":
                    VARIABLE.set(number)
                elif kind == "sleep":
                    await asyncio.sleep(number / 10)
                elif kind == "raise":
                    raise ValueError(number)
                elif kind == "stop":
                    raise StopAsyncIteration(number)
                elif kind == "return":
                    return
            except KeyError as error:
                self.log.append(repr(error))
                if kind != "catch":
                    raise
            except GeneratorExit:
                self.log.append("exit")
                raise
            finally:
                if kind == "finally":
                    await asyncio.sleep(0)
                self.log.append((kind, VARIABLE.get()))

    async def coroutine(self) -> Any:
        for kind, number in self.steps:
            try:
                if kind in {"yield", "catch", "finally", "exit", "sleep"}:
                    await asyncio.sleep(number / 10)
                elif kind == "set":
                    VARIABLE.set(number)
                elif kind == "raise":
                    raise ValueError(number)
                elif kind == "stop":
                    raise StopIteration(number)
                elif kind == "return":
                    return number
            except asyncio.CancelledError as error:
                self.log.append(("cancelled", error.args))
                if kind != "catch":
                    raise
            finally:
                self.log.append((kind, VARIABLE.get()))
        return "end"


@given(STEPS, MOVES)
def test_sync_generators(steps: list[tuple[str, int]], moves: list[str]) -> None:
    def program(decorate: Decorator) -> Any:
        def played() -> Any:
            body = Played(steps)
            items = decorate(body.generator)()
            seen: list[Any] = [items.__name__]
            for at, move in enumerate(moves):
                VARIABLE.set(at + 100)
                seen.append(
                    outcome(items.send, at)
                    if move == "send"
                    else outcome(items.throw, KeyError(at))
                    if move == "throw"
                    else outcome(items.throw, ValueError(at))
                    if move == "throw other"
                    else outcome(items.close)
                    if move == "close"
                    else outcome(next, items)
                )
                seen.append((VARIABLE.get(), items.gi_frame is None))
            with contextlib.suppress(RuntimeError):
                items.close()
            return seen, body.log

        return contextvars.copy_context().run(played)

    same(program, agent_turn("t"))


@given(ASYNC_STEPS, MOVES)
def test_async_generators(steps: list[tuple[str, int]], moves: list[str]) -> None:
    async def played(decorate: Decorator) -> Any:
        body = Played(steps)
        items = decorate(body.async_generator)()
        seen: list[Any] = [items.__name__]
        for at, move in enumerate(moves):
            VARIABLE.set(at + 100)
            if move == "cancel":
                task = asyncio.create_task(awaited(anext(items)))
                await asyncio.sleep(0.15)
                seen.append((task.cancel(), await awaited(task)))
                continue
            seen.append(
                await awaited(
                    items.asend(at)
                    if move == "send"
                    else items.athrow(KeyError(at))
                    if move == "throw"
                    else items.athrow(ValueError(at))
                    if move == "throw other"
                    else items.aclose()
                    if move == "close"
                    else anext(items)
                )
            )
            seen.append(VARIABLE.get())
        with contextlib.suppress(RuntimeError):
            await items.aclose()
        return seen, body.log

    same(lambda decorate: run(played(decorate)), agent_turn("t"))


@given(STEPS, st.sampled_from([None, 0, 0.25, 0.9]), st.sampled_from(["cancel", "timeout", "wait_for", "task group"]))
def test_results_exceptions_and_cancellation(steps: list[tuple[str, int]], after: float | None, how: str) -> None:
    async def played(decorate: Decorator) -> Any:
        body = Played(steps)
        call = decorate(body.coroutine)
        seen: Any = None
        if how == "timeout":
            async with asyncio.timeout(after):
                seen = await call()
        elif how == "wait_for":
            seen = await asyncio.wait_for(call(), after)
        elif how == "task group":
            async with asyncio.TaskGroup() as group:
                first, second = group.create_task(call()), group.create_task(decorate(asyncio.sleep)(after or 0))
            seen = first.result(), second.result()
        else:
            task = asyncio.create_task(call())
            if after is not None:
                await asyncio.sleep(after)
                task.cancel("enough")
            seen = await awaited(task), task.cancelled(), task.cancelling()
        return seen, body.log, VARIABLE.get()

    def program(decorate: Decorator) -> Any:
        return outcome(run, played(decorate))

    same(program, agent_turn("t"))


@given(
    st.lists(st.integers(), max_size=4),
    st.dictionaries(
        st.sampled_from(["a", "b", "c", "d", "self", "args", "wrapped", "instance", "kwargs", "node", "tool"]),
        st.integers(),
        max_size=4,
    ),
)
def test_arguments(args: list[int], kwargs: dict[str, int]) -> None:  # noqa: C901 - one of each kind
    def positional(a: Any, b: Any = 2, /, c: Any = 3, *, d: Any = 4) -> Any:
        return a, b, c, d

    def any_number(*args: Any, **kwargs: Any) -> Any:
        return args, kwargs

    async def of_coroutine(a: Any, b: Any = 2, /, c: Any = 3, *, d: Any, **rest: Any) -> Any:
        return a, b, c, d, rest

    def of_generator(a: Any, *, d: Any = 1) -> Iterator[Any]:
        yield a, d

    async def of_async_generator(a: Any, *, d: Any = 1) -> AsyncIterator[Any]:
        yield a, d

    class Desk:
        def method(self, a: Any, *, d: Any = 1) -> Any:
            return a, d

    def program(decorate: Decorator) -> Any:
        functions = (positional, any_number, of_coroutine, of_generator, of_async_generator, Desk.method, Desk().method)
        seen = []
        for function in functions:
            made = outcome(decorate(function), *args, **kwargs)
            if inspect.iscoroutine(made):
                made = run(made)
            elif inspect.isgenerator(made):
                made = list(made)
            elif inspect.isasyncgen(made):
                made = "an async generator"
            seen.append(made)
        return seen

    same(program, agent_turn("t"))


def test_tracebacks() -> None:
    """The program's frames are the same ones, and at most three of ours are added for each call."""

    def program(decorate: Decorator) -> Any:
        @decorate
        def fails() -> None:
            raise ValueError("x")

        @decorate
        async def fails_later() -> None:
            await asyncio.sleep(0)
            raise ValueError("x")

        @decorate
        def generates() -> Iterator[int]:
            yield 1
            raise ValueError("x")

        @decorate
        def chains() -> None:
            try:
                fails()
            except ValueError as error:
                raise KeyError("k") from error

        seen: list[Any] = []
        for call in (fails, lambda: run(fails_later()), lambda: list(generates()), chains):
            try:
                call()
            except (ValueError, KeyError) as error:
                frames = traceback.extract_tb(error.__traceback__)
                seen.append([(frame.name, frame.lineno) for frame in frames if frame.filename == HERE])
                assert sum("otel_parallelism" in frame.filename for frame in frames) <= 3
                seen.append((repr(error.__cause__), repr(error.__context__), getattr(error, "__notes__", None)))
        return seen

    same(program, agent_turn("t"))


def test_exceptions_of_every_kind() -> None:  # noqa: C901 - one of each kind
    kinds = (KeyboardInterrupt, SystemExit, GeneratorExit, asyncio.CancelledError, StopIteration, StopAsyncIteration)

    class Stubborn(Exception):  # noqa: N818 - a name of the test
        def __setattr__(self, name: str, value: object) -> None:
            raise RuntimeError

        def __str__(self) -> str:
            raise RuntimeError

        __repr__ = __str__

    def program(decorate: Decorator) -> Any:  # noqa: C901 - the same
        seen: list[Any] = []
        for kind in (*kinds, MemoryError, RecursionError, BaseException, functools.partial(ExceptionGroup, "g")):
            argument: Any = [KeyError(1)] if isinstance(kind, functools.partial) else "said"

            @decorate
            def fails(kind: Any = kind, argument: Any = argument) -> None:
                raise kind(argument)

            @decorate
            async def fails_async(kind: Any = kind, argument: Any = argument) -> None:
                raise kind(argument)

            seen += [outcome(fails), outcome(fails_async().send, None)]

        @decorate
        def fails_stubbornly() -> None:
            raise Stubborn

        try:
            fails_stubbornly()
        except Stubborn as error:
            seen.append(type(error).__name__)
        same_one = ValueError("one")

        @decorate
        def fails_again() -> None:
            raise same_one

        for _ in range(2):
            try:
                fails_again()
            except ValueError as error:
                seen.append(error is same_one)

        @decorate
        def handled() -> Any:
            return sys.exc_info()[0]

        @decorate
        def reraises() -> None:
            raise  # noqa: PLE0704 - what is being handled where it is called

        try:
            raise TypeError("outer")  # noqa: TRY301 - it is what is handled
        except TypeError:
            seen += [handled(), outcome(reraises)]
        return [*seen, handled()]

    same(program)


def test_contextvar_writes() -> None:
    async def played(decorate: Decorator) -> Any:
        @decorate
        def writes(number: int) -> int:
            VARIABLE.set(number)
            return VARIABLE.get()

        @decorate
        async def writes_async(number: int) -> int:
            VARIABLE.set(number)
            await asyncio.sleep(0)
            return VARIABLE.get()

        @decorate
        async def resets(token: Any) -> None:
            VARIABLE.reset(token)

        def starts(number: int) -> Any:
            return writes_async(number)

        seen = []
        token = VARIABLE.set(0)
        seen += [(writes(1), VARIABLE.get()), (await writes_async(2), VARIABLE.get())]
        seen.append((await decorate(starts)(3), VARIABLE.get()))
        seen.append((await asyncio.gather(writes_async(4), writes_async(5)), VARIABLE.get()))
        seen.append((contextvars.copy_context().run(writes, 6), VARIABLE.get()))
        await resets(token)
        return [*seen, VARIABLE.get()]

    same(lambda decorate: contextvars.copy_context().run(run, played(decorate)))


@pytest.mark.slow
def test_iteration_left_early_and_generators_collected_unfinished() -> None:
    async def played(decorate: Decorator) -> Any:
        log: list[Any] = []

        @decorate
        def counts() -> Iterator[int]:
            try:
                yield from range(9)
            finally:
                log.append("end")

        @decorate
        async def counts_async() -> AsyncIterator[int]:
            try:
                for number in range(9):
                    yield number
            finally:
                await asyncio.sleep(0)
                log.append("async end")

        for number in counts():
            if number:
                break
        held = counts()
        next(held)
        del held
        async for number in counts_async():
            if number:
                break
        gc.collect(1)
        await asyncio.sleep(0.1)
        async with contextlib.aclosing(counts_async()) as items:
            log.append(await anext(items))
        last = counts_async()
        log.append(await anext(last))
        left.append(last)
        return log

    left: list[Any] = []

    def program(decorate: Decorator) -> Any:
        log = run(played(decorate))
        return log, outcome(run, awaited(anext(left.pop())))

    same(program, agent_turn("t"))


def test_an_async_generator_that_ignores_being_closed() -> None:
    async def played(decorate: Decorator) -> Any:
        @decorate
        async def stubborn() -> AsyncIterator[int]:
            try:
                yield 1
            except GeneratorExit:
                yield 2

        items = stubborn()
        return [await anext(items), await awaited(items.aclose()), await awaited(anext(items))]

    same(lambda decorate: run(played(decorate)), agent_turn("t"))


def test_the_loop_closes_open_async_generators_once(capsys: pytest.CaptureFixture[str]) -> None:
    left: list[Any] = []

    def program(decorate: Decorator) -> Any:
        told: list[Any] = []
        log: list[str] = []

        @decorate
        async def counts() -> AsyncIterator[int]:
            try:
                yield 1
            finally:
                await asyncio.sleep(0)
                log.append("end")

        async def consumes() -> None:
            asyncio.get_running_loop().set_exception_handler(lambda _, about: told.append(about["message"]))
            for _ in range(3):
                left.append(counts())
                await anext(left[-1])

        run(consumes())
        left.clear()
        return told, log

    same(program, agent_turn("t"))
    assert capsys.readouterr() == ("", "")


def test_an_async_generator_in_a_cycle_is_closed_when_it_is_collected(capsys: pytest.CaptureFixture[str]) -> None:
    def program(decorate: Decorator) -> Any:
        log: list[str] = []

        @decorate
        async def counts() -> AsyncIterator[int]:
            try:
                yield 1
            finally:
                await asyncio.sleep(0)
                log.append("end")

        async def leaves() -> None:
            cycle: list[Any] = [counts()]
            cycle.append(cycle)
            await anext(cycle[0])
            del cycle
            gc.collect(1)
            await asyncio.sleep(0.1)
            log.append("collected")

        run(leaves())
        return log

    same(program)
    assert capsys.readouterr() == ("", "")


def test_coroutines_never_awaited() -> None:
    def program(decorate: Decorator) -> Any:
        @decorate
        async def works() -> int:
            return 1

        @decorate
        def starts() -> Any:
            return works()

        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            works()
            starts()
            works().close()
            starts().close()
            gc.collect(1)
            coroutine = starts()
            seen = [inspect.getcoroutinestate(coroutine), outcome(coroutine.throw, KeyError)]
            coroutine = works()
            seen += [outcome(coroutine.send, 1), outcome(coroutine.throw, KeyError), outcome(coroutine.send, None)]
            coroutine = starts()
            seen += [outcome(coroutine.send, None), outcome(coroutine.send, None), coroutine.close()]
            gc.collect(1)
        return [*seen, *(str(each.message) for each in caught)]

    same(program)


def test_names_of_coroutines_in_a_turn_that_decorates() -> None:
    """`agent_turn` as a decorator keeps names, finds wrong arguments at the call, and awaits what can be awaited."""

    def program(decorate: Decorator) -> Any:
        @decorate
        async def works(a: int) -> int:
            await asyncio.sleep(0)
            return a

        @decorate
        @types.coroutine
        def steps() -> Any:
            yield from asyncio.sleep(0).__await__()
            return 5

        async def waits() -> Any:
            task = asyncio.ensure_future(works(1))
            return task.get_coro().__qualname__, await task, await steps()  # type: ignore[union-attr] # a coroutine

        return outcome(works), outcome(works, 1, 2), run(waits())

    same(program, agent_turn("t"))


def test_pickling_by_name_and_copying(monkeypatch: pytest.MonkeyPatch) -> None:
    text = """
import functools
@decorate
def function(x=1): return x
@decorate
async def coroutine(): return 1
class Desk:
    value = 2
    @decorate
    def method(self): return self.value
    @decorate
    @classmethod
    def of_class(cls): return cls.value
    @decorate
    @staticmethod
    def of_none(): return 4
    class Inner:
        @decorate
        def method(self): return 5
class Caller:
    def __init__(self): self.seen = []
    def __call__(self, x): self.seen.append(x); return list(self.seen)
def plain_function(x): return x
partial = decorate(functools.partial(plain_function, 1))
of_decorated = functools.partial(function, 2)
caller = decorate(Caller())
"""

    def program(decorate: Decorator) -> Any:
        module: Any = types.ModuleType("pickled_by_name")
        module.decorate = decorate
        monkeypatch.setitem(sys.modules, "pickled_by_name", module)
        exec(text, module.__dict__)  # noqa: S102 - a module of the test's own
        seen: list[Any] = []
        desk = module.Desk
        for found in (module.function, module.coroutine, desk.of_none, desk.of_class, desk.method, desk.Inner.method):
            seen += [pickle.loads(pickle.dumps(found, protocol)) == found for protocol in range(2, 6)]  # noqa: S301 - ours
            seen += [copy.copy(found) == found, copy.deepcopy([found])[0] == found]
        one = desk()
        for made in (pickle.loads(pickle.dumps(one.method)), copy.copy(one.method), copy.deepcopy(one.method)):  # noqa: S301 - ours
            seen.append((made(), made.__self__ is one))
        for call in (module.partial, module.of_decorated):
            seen += [pickle.loads(pickle.dumps(call))(), copy.copy(call)(), copy.deepcopy(call)()]  # noqa: S301 - ours
        module.caller(1)
        shared, deep = copy.copy(module.caller), copy.deepcopy(module.caller)
        again = pickle.loads(pickle.dumps(module.caller))  # noqa: S301 - ours
        return [*seen, shared(2), deep(3), again(4), module.caller(5), outcome(pickle.dumps, decorate(lambda: 1))[0]]

    same(program)


def test_inspect_predicates() -> None:
    def function(a: int, b: str = "x", *args: float, c: bool = True, **rest: Any) -> list[int]:
        """Return nothing."""
        raise NotImplementedError

    async def coroutine() -> None: ...
    def generator() -> Iterator[int]:
        yield 1

    async def async_generator() -> AsyncIterator[int]:
        yield 1

    class Caller:
        async def __call__(self, a: int) -> int:
            return a

    class Desk:
        def method(self, a: int) -> int:
            return a

    caller = Caller()
    asks = [getattr(inspect, name) for name in dir(inspect) if name.startswith("is")]
    asks += [inspect.getdoc, inspect.getmodule, asyncio.iscoroutinefunction, inspect.signature, inspect.get_annotations]
    asks += [typing.get_type_hints, callable, inspect.getsourcelines]
    asks += [lambda each: inspect.getfullargspec(each).args[-1:]]

    functions = [function, coroutine, generator, async_generator, caller, Desk().method, Desk.method, len]
    functions += [functools.partial(function, 1), functools.partial(coroutine)]

    def program(decorate: Decorator) -> Any:
        answers = [outcome(ask, decorate(each)) for each in functions for ask in asks]
        # A message of an error may name the type.
        return [each[0] if type(each) is tuple and str(each[0]).endswith("Error") else each for each in answers]

    same(program, agent_turn("t"))


def test_functools_composition() -> None:
    def program(decorate: Decorator) -> Any:
        calls: list[Any] = []

        @functools.lru_cache
        @decorate
        def cached(x: int) -> int:
            calls.append(x)
            return x

        @decorate
        @functools.lru_cache
        def caches(x: int) -> int:
            calls.append(x)
            return x

        class Desk:
            value = 5

            @decorate
            def add(self, x: int, y: int = 0) -> int:
                return self.value + x + y

            add_ten = functools.partialmethod(add, 10)

            @functools.cached_property
            @decorate
            def once(self) -> int:
                calls.append("once")
                return self.value

            @property
            @decorate
            def always(self) -> int:
                return self.value

            @always.setter
            @decorate
            def always(self, value: int) -> None:
                self.value = value

        @functools.wraps(caches)
        def around(*args: Any) -> Any:
            return caches(*args)

        desk = Desk()
        desk.always = 6
        seen = [cached(1), cached(1), caches(1), caches(1), caches.cache_info().hits, cached.cache_info().hits]
        caches.cache_clear()
        seen += [caches.cache_info().hits, desk.add_ten(), desk.add_ten(y=1), desk.once, desk.once, desk.always]
        seen += [around.__name__, around(3), inspect.signature(around), around.__wrapped__ is caches]
        seen += [functools.reduce(decorate(lambda a, b: a + b), [1, 2, 3]), functools.partial(desk.add, 1)(2)]
        seen += [sorted([3, 1, 2], key=functools.cmp_to_key(decorate(lambda a, b: b - a)))]
        return seen, calls

    same(program)


def test_singledispatch() -> None:
    def program(decorate: Decorator) -> Any:
        @functools.singledispatch
        @decorate
        def show(_: object) -> str:
            return "object"

        @show.register(int)
        @decorate
        def _(_: int) -> str:
            return "int"

        @decorate
        @functools.singledispatch
        def tell(_: object) -> str:
            return "object"

        @tell.register(int)
        def _(_: int) -> str:
            return "int"

        class Desk:
            @functools.singledispatchmethod
            @decorate
            def show(self, _: object) -> str:
                return "object"

            @show.register(int)
            @decorate
            def _(self, _: int) -> str:
                return "int"

            @show.register(str)
            @classmethod
            def _(cls, _: str) -> str:
                return cls.__name__

        desk = Desk()
        shown = [desk.show(1), desk.show("x"), desk.show(1.0), Desk.show(desk, 1)]
        return [show(1), show(""), tell(1), tell(""), outcome(show), *shown]

    same(program)


def test_overrides_and_super() -> None:  # noqa: C901 - one of each kind
    def program(decorate: Decorator) -> Any:  # noqa: C901 - the same
        class Base:
            @decorate
            def __init__(self, *args: Any) -> None:
                self.args = args

            @decorate
            def method(self, x: int) -> Any:
                return "base", x

            @decorate
            @classmethod
            def of_class(cls) -> str:
                return cls.__name__

            @decorate
            async def later(self, x: int) -> Any:
                return "base", x

            @decorate
            def items(self) -> Iterator[str]:
                yield "base"

        class Derived(Base):
            def __init__(self, *args: Any) -> None:
                super().__init__(*args, 9)

            @decorate
            def method(self, x: int) -> Any:
                return "derived", super().method(x)

            @decorate
            @classmethod
            def of_class(cls) -> str:
                return "derived " + super().of_class()

            @decorate
            async def later(self, x: int) -> Any:
                return "derived", await super().later(x)

            @decorate
            def items(self) -> Iterator[str]:
                yield "derived"
                yield from super().items()

        class Last(Derived):
            def method(self, x: int) -> Any:
                return "last", super().method(x)

        one = Last(1)
        bound = [
            one.method == one.method,
            one.later == one.later,
            one.items == Last(1).items,
            {one.items: 1}[one.items],
        ]
        unbound = [Base.method(one, 1), super(Last, one).method(2), types.MethodType(Base.method, one)(3)]
        seen = [one.method(1), one.of_class(), Last.of_class(), run(one.later(2)), list(one.items()), one.args]
        return [*seen, *bound, *unbound, Base.method.__get__(one)(4), Derived.method == Base.method]

    same(program)


def test_functions_of_classes_are_compared_by_identity() -> None:
    def program(decorate: Decorator) -> Any:
        class Base:
            @decorate
            def kept(self, x: int) -> int:
                return x

            @decorate
            def replaced(self) -> int:
                return 1

            part = functools.partialmethod(kept, 3)

        class Derived(Base):
            @decorate
            def replaced(self) -> int:
                return 2

            alias = Base.kept

        derived = Derived()
        return [
            Derived.kept is Base.kept,
            Derived.replaced is Base.replaced,
            Base.kept is vars(Base)["kept"],
            derived.kept.__func__ is Base.kept,
            derived.alias(4),
            Base.kept(derived, 5),
            Base.kept(self=derived, x=6),
            Derived.part(derived),
            outcome(Base.kept),
            outcome(Base.kept, derived),
        ]

    same(program)


def test_a_method_called_on_its_class_is_a_call_on_the_object(kit: Kit) -> None:
    class Desk:
        @profiled(effect="write", resource=lambda key: f"key {key}")
        def store(self, key: int) -> int:
            return key

    desk = Desk()
    assert (Desk.store(desk, 1), desk.store(1)) == (1, 1)
    assert [(span.attributes or {})[names.RESOURCE] for span in kit.calls()] == ["key 1", "key 1"]


def test_generators_that_are_awaited() -> None:
    def program(decorate: Decorator) -> Any:
        async def awaits(function: Any) -> Any:
            return await function()

        @types.coroutine
        @decorate
        def above() -> Iterator[Any]:
            yield
            return "above"

        @decorate
        @types.coroutine
        def below() -> Iterator[Any]:
            yield
            return "below"

        seen: list[Any] = []
        for function in (above, below):
            made = function()
            seen += [inspect.isgenerator(made), inspect.isawaitable(made), list(made), asyncio.run(awaits(function))]
        return seen

    same(program)


def test_abstract_methods() -> None:
    def program(decorate: Decorator) -> Any:
        class Base(abc.ABC):
            @abc.abstractmethod
            @decorate
            def one(self) -> int:
                return 1

            @decorate
            @abc.abstractmethod
            async def two(self) -> int: ...

            @decorate
            @classmethod
            @abc.abstractmethod
            def three(cls) -> int: ...

            @property
            @abc.abstractmethod
            @decorate
            def four(self) -> int: ...

        class Whole(Base):
            @decorate
            def one(self) -> int:
                return super().one() + 1

            two = three = four = None  # type: ignore[assignment]

        class Part(Base):
            two = three = None  # type: ignore[assignment]

        kinds = [sorted(kind.__abstractmethods__) for kind in (Base, Whole, Part)]
        return [*kinds, outcome(Base), outcome(Part), Whole().one(), Base.one.__isabstractmethod__]

    same(program)


def test_create_autospec() -> None:
    def program(decorate: Decorator) -> Any:
        class Desk:
            @decorate
            def method(self, x: int) -> int:
                return x

            @decorate
            async def later(self, x: int) -> int:
                return x

            @decorate
            @staticmethod
            def of_none(x: int) -> int:
                return x

            @decorate
            @classmethod
            def of_class(cls, x: int) -> int:
                return x

        @decorate
        def function(a: int, b: int = 2, *, c: int) -> int:
            return a + b + c

        stand_in = mock.create_autospec(function, return_value=7)
        desk = mock.create_autospec(Desk)
        one = mock.create_autospec(Desk, instance=True)
        one.method(1)
        one.method.assert_called_once_with(1)
        seen = [stand_in(1, c=2), outcome(stand_in, 1), inspect.signature(stand_in), type(stand_in).__name__]
        seen += [outcome(desk().method, 1, 2), outcome(desk.of_none), outcome(desk.of_class, 1, 2), outcome(one.method)]
        seen += [inspect.iscoroutinefunction(one.later), type(one.later).__name__, type(one.method).__name__]
        for name in ("method", "of_none", "of_class"):
            with mock.patch.object(Desk, name, autospec=True) as patched:
                getattr(Desk(), name)(3)
                seen.append((name, len(patched.call_args[0])))
        return [*seen, Desk().method(5)]

    same(program)


def test_weak_references() -> None:
    def program(decorate: Decorator) -> Any:
        @decorate
        def function() -> None: ...

        class Desk:
            @decorate
            def method(self) -> int:
                return 1

        gone: list[str] = []
        reference = weakref.ref(function, lambda _: gone.append("function"))
        kept, keys = weakref.WeakSet([function]), weakref.WeakKeyDictionary({function: 1})
        values = weakref.WeakValueDictionary(function=function)
        weakref.finalize(function, gone.append, "finalized")
        seen = [reference() is function, function in kept, keys[function], values["function"] is function]
        del function
        desk = Desk()
        object_reference, method = weakref.ref(desk), weakref.WeakMethod(desk.method)
        found: Any = method()
        seen += [found(), found == desk.method, method == weakref.WeakMethod(desk.method)]
        del desk, found
        gc.collect(1)
        return [*seen, sorted(gone), len(kept), len(keys), len(values), object_reference() is None, method() is None]

    expected = program(plain)
    assert program(profiled) == expected
    assert program(profiled(name="tool")) == expected
