"""What goes wrong around the program's calls, one test for each fault: calls must be what they are without us."""

from __future__ import annotations

import _thread
import asyncio
import contextvars
import ctypes
import functools
import gc
import linecache
import sys
import threading
import types
import weakref
from pathlib import Path
from types import CoroutineType, FunctionType
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
from opentelemetry import context, trace
from opentelemetry.sdk.trace import SpanProcessor

import otel_parallelism
from otel_parallelism import Settings, agent_turn, profiled
from otel_parallelism.analysis.turns.duplicates import _outermost
from otel_parallelism.execution import TaskGraph, parallel_map, run_tools
from otel_parallelism.tracing import shield
from otel_parallelism.tracing.state.bounds.held_evidence import HELD
from otel_parallelism.tracing.state.registry import REGISTRY
from tests.amounts import some_of
from tests.virtual_time import VirtualLoop

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Generator, Iterator

    from opentelemetry.sdk.trace import ReadableSpan, Span

    from tests.conftest import Kit

HERE = str(Path(otel_parallelism.__file__).parent)


class LimitError(Exception):
    """Stands for a time limit."""


class OpenSpans(SpanProcessor):
    """Counts the spans that have started and not ended."""

    def __init__(self) -> None:
        self.names: dict[int, str] = {}

    def on_start(self, span: Span, parent_context: object = None) -> None:
        self.names[span.context.span_id] = span.name

    def on_end(self, span: ReadableSpan) -> None:
        self.names.pop(span.context.span_id, None)


class Interruption:
    """A trace function that raises `LimitError` when the *at*-th function of this package starts."""

    def __init__(self, at: int) -> None:
        self.at = at
        self.count = 0
        self.where = ""

    def __call__(self, frame: Any, event: str, arg: object) -> None:
        code = frame.f_code
        # The interpreter ignores what is raised while a generator is collected.
        if event == "call" and code.co_filename.startswith(HERE) and code.co_name != "<genexpr>":
            self.count += 1
            if self.count == self.at:
                self.where = code.co_qualname
                sys.settrace(None)
                raise LimitError


def run(coroutine: Any) -> Any:
    """Run *coroutine* in a loop on the virtual clock."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(coroutine)


def interrupted(body: Callable[[], None], at: int) -> tuple[Interruption, BaseException | None]:
    before = sys.gettrace()
    interruption = Interruption(at)
    sys.settrace(interruption)
    try:
        body()
    except BaseException as error:  # noqa: BLE001 - the test asks for any
        return interruption, error
    finally:
        sys.settrace(before)
    return interruption, None


@profiled(effect="read")
def tool(argument: object) -> object:
    return {"id": argument}


@profiled
async def async_tool(argument: int) -> list[int]:
    await asyncio.sleep(0)
    return [argument]


@profiled
def failing_tool() -> None:
    raise KeyError


def a_call() -> None:
    tool(1)


def a_failed_call() -> None:
    try:
        failing_tool()
    except KeyError:
        return


def a_turn() -> None:
    with agent_turn("turn"):
        tool(1)
        tool({"query": "x"})


def an_async_call() -> None:
    coroutine = async_tool(1)
    try:
        while True:
            coroutine.send(None)
    except StopIteration:
        return
    finally:
        coroutine.close()


@profiled
def started(argument: int) -> Any:
    return async_tool(argument)


@profiled
async def async_iter_of(item: int) -> AsyncIterator[int]:
    yield item


def a_generator() -> None:
    list(profiled_iter(1))


def an_async_generator() -> None:
    items = async_iter_of(1)
    for _ in range(2):
        try:
            anext(items).__await__().__next__()
        except (StopIteration, StopAsyncIteration):
            continue


def a_started_coroutine() -> None:
    # As a task does. Without one, a coroutine that is dropped after the coroutine around it restores the wrong context.
    contextvars.copy_context().run(start_and_await)


def start_and_await() -> None:
    coroutine = started(1)
    try:
        while True:
            coroutine.send(None)
    except StopIteration:
        return
    finally:
        coroutine.close()


BODIES = [a_call, a_failed_call, a_turn, an_async_call, a_generator, an_async_generator, a_started_coroutine]


@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning")
@pytest.mark.many
@pytest.mark.parametrize("body", BODIES)
def test_an_exception_that_interrupts_our_code_reaches_the_program(kit: Kit, body: Callable[[], None]) -> None:
    spans = OpenSpans()
    provider: Any = kit.provider
    provider.add_span_processor(spans)
    interrupted(body, 0)  # what the first call from here keeps for later ones is no part of them
    count = interrupted(body, 0)[0].count
    assert count > 20
    for at in some_of(range(1, count + 1), every=3):
        interruption, error = interrupted(body, at)
        assert isinstance(error, LimitError), interruption.where
        # Its traceback holds a coroutine that has not run, or a turn whose exit has not begun.
        del error
        outer = context.get_current()
        assert outer.get("current-span") is None, interruption.where
        assert not trace.get_current_span(outer).get_span_context().is_valid, interruption.where
        assert not spans.names, interruption.where
    assert not shield.internal_errors()
    # What comes after it is recorded as ever.
    with agent_turn("after") as turn:
        tool(1)
    assert turn.report is not None
    assert turn.report.calls == 1


@pytest.mark.many
@pytest.mark.parametrize("body", [a_call, an_async_call])
def test_a_span_of_an_interrupted_call_has_its_attributes(kit: Kit, body: Callable[[], None]) -> None:
    with agent_turn("turn"):
        interrupted(body, 0)
        count = interrupted(body, 0)[0].count
        for at in range(1, count + 1):
            interrupted(body, at)
    calls = [span for span in kit.exporter.get_finished_spans() if span.name.startswith("execute_tool")]
    assert len(calls) > count // 3
    assert {(span.attributes or {}).get("gen_ai.tool.name") for span in calls} == {calls[0].name.split()[1]}


def without_frames(function: Callable[..., Any], *args: Any, **kwargs: Any) -> list[BaseException | None]:
    """Call *function* in a thread that has no other frame; return what it raised."""
    ended = threading.Event()
    raised: list[BaseException | None] = []
    before = sys.unraisablehook
    sys.unraisablehook = lambda failure: raised.append(failure.exc_value)
    # A partial has no frame of its own; the thread drops it at its end.
    call = functools.partial(function, *args, **kwargs)
    weakref.finalize(call, ended.set)
    try:
        _thread.start_new_thread(call, ())
        del call
        assert ended.wait(30)
    finally:
        sys.unraisablehook = before
    # A coroutine that is not awaited is a warning, and an error in tests.
    return [error for error in raised if not isinstance(error, RuntimeWarning)]


@pytest.mark.usefixtures("kit")
def test_a_call_that_no_frame_makes_runs() -> None:
    ran: list[int] = []
    assert without_frames(profiled(ran.append), 1) == []
    assert without_frames(profiled(lambda item: ran.append(item)), 2) == []  # noqa: PLW0108 - a function, not a builtin
    assert ran == [1, 2]
    assert without_frames(async_tool, 1) == []
    assert without_frames(profiled(iter_of), 1) == []
    assert without_frames(agent_turn("turn")(lambda: ran.append(3))) == []
    assert ran == [1, 2, 3]


def iter_of(item: int) -> Iterator[int]:
    yield item


profiled_iter = profiled(iter_of)


@pytest.mark.usefixtures("kit")
def test_a_map_a_round_and_a_graph_that_no_frame_starts_run() -> None:
    assert without_frames(parallel_map, [1], async_tool, limit=1) == []
    assert without_frames(TaskGraph().add, async_tool) == []
    assert without_frames(TaskGraph().task, async_tool) == []
    loop = VirtualLoop()
    rounds = run_tools([{"id": "1", "name": "async_tool", "arguments": {"argument": 1}}], [async_tool])
    try:
        assert without_frames(loop.run_until_complete, rounds) == []
    finally:
        loop.close()


@pytest.mark.usefixtures("kit")
def test_a_call_that_c_code_makes_in_a_thread_of_its_own_runs() -> None:
    ran: list[int] = []
    library = ctypes.CDLL(None)
    callback = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p)(profiled(lambda _: ran.append(1)))
    thread = ctypes.c_ulong()
    library.pthread_create(ctypes.byref(thread), None, callback, None)
    library.pthread_join.argtypes = [ctypes.c_ulong, ctypes.c_void_p]
    library.pthread_join(thread, None)
    assert ran == [1]


class Lazy:
    """An object that runs the program's code for whatever is asked of it, as lazy results do."""

    asked: ClassVar[list[str]] = []

    def __getattribute__(self, name: str) -> Any:
        """Note that it was asked for, and fail."""
        Lazy.asked.append(name)
        raise LimitError(name)

    @property
    def __class__(self) -> Any:
        """Note that it was asked for, and fail."""
        Lazy.asked.append("__class__")
        raise LimitError

    @__class__.setter
    def __class__(self, _: object) -> None:
        pass

    @property
    def __dict__(self) -> Any:
        """Note that it was asked for, and fail."""
        Lazy.asked.append("__dict__")
        raise LimitError


def _asks(name: str) -> Callable[..., Any]:
    def method(_: object, *__: object) -> Any:
        Lazy.asked.append(name)
        raise LimitError(name)

    return method


for _name in (
    "__bool__", "__eq__", "__hash__", "__len__", "__iter__", "__repr__", "__str__", "__contains__", "__getitem__",
    "__int__", "__float__", "__index__", "__await__", "__next__", "__format__", "__copy__", "__reduce_ex__", "keys",
    "__instancecheck__", "__getattr__", "__call__", "__aiter__", "__enter__", "__get__", "__set_name__", "items",
):  # fmt: skip
    setattr(Lazy, _name, _asks(_name))


class PlainLazy:
    """As many proxies: only the class is asked for."""

    @property
    def __class__(self) -> Any:
        """Note that it was asked for, and fail."""
        Lazy.asked.append("__class__")
        raise LimitError

    @__class__.setter
    def __class__(self, _: object) -> None:
        pass

    def __bool__(self) -> bool:
        """Note that it was asked for, and fail."""
        Lazy.asked.append("__bool__")
        raise LimitError


class LazyMeta(type):
    """A class of classes that runs the program's code for whatever is asked of its classes."""

    def __getattr__(cls, name: str) -> Any:
        """Note that it was asked for, and fail."""
        Lazy.asked.append(name)
        raise LimitError(name)

    def __instancecheck__(cls, _: object) -> bool:
        """Note that it was asked for, and fail."""
        Lazy.asked.append("__instancecheck__")
        raise LimitError


class LazyKind(metaclass=LazyMeta):
    pass


class LazyDict(dict[str, object]):
    __len__ = __iter__ = __getitem__ = keys = values = items = __bool__ = __eq__ = _asks("a dict")  # type: ignore[assignment]
    __hash__ = None  # type: ignore[assignment]


class LazyList(list[object]):
    __len__ = __iter__ = __getitem__ = __bool__ = __eq__ = _asks("a list")  # type: ignore[assignment]
    __hash__ = None  # type: ignore[assignment]


class LazyText(str):
    __slots__ = ()
    __len__ = __iter__ = __str__ = __eq__ = __hash__ = strip = lower = _asks("a text")  # type: ignore[assignment]


def lazies() -> list[Any]:
    return [
        Lazy(),
        LazyKind(),
        LazyDict(a=1),
        LazyList([1]),
        LazyText("text"),
        [Lazy(), LazyKind()],
        {"lazy": Lazy(), "more": [LazyDict(a=1), LazyList([1])]},
        (LazyText("x"), Lazy()),
        functools.partial(Lazy),
        PlainLazy(),
        {"error": PlainLazy(), "ok": PlainLazy(), "items": [PlainLazy()]},
    ]


NUMBERS = range(len(lazies()))


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("settings", [Settings(min_avoidable=0), Settings(evidence=False)], ids=["evidence", "none"])
def test_a_lazy_result_or_argument_is_not_evaluated(make_kit: Any, number: int, settings: Settings) -> None:
    make_kit(settings)
    value = lazies()[number]
    decorated = profiled(effect="read")(lambda *_, **__: value)

    @profiled(effect="read")
    async def async_decorated(*_: object, **__: object) -> object:
        return value

    async def agent() -> None:
        for function in (decorated, async_decorated, decorated, async_decorated):
            for arguments, named in (((value,), {}), ((), {"lazy": value})):
                made = function(*arguments, **named)
                made = await made if type(made) is CoroutineType else made
                assert made is value
                await asyncio.sleep(0.2)
                assert decorated("a value") is value

    Lazy.asked.clear()
    with agent_turn("turn") as turn:
        run(agent())
    assert not trace.get_current_span().get_span_context().is_valid
    assert turn.report is not None
    assert turn.report.calls == 16
    assert Lazy.asked == []


def test_a_generator_is_freed_after_an_error_was_thrown_in() -> None:
    class Held:
        pass

    @profiled
    def generator(held: Held) -> Iterator[int]:
        try:
            yield 1
        except KeyError as error:
            held.error = error.args  # type: ignore[attr-defined] # kept as long as the object
            raise

    gc.disable()
    try:
        held = Held()
        left = weakref.ref(held)
        items = generator(held)
        next(items)
        with pytest.raises(KeyError):
            items.throw(KeyError("x"))  # type: ignore[attr-defined] # a generator
        del held, items
        assert left() is None
    finally:
        gc.enable()


@pytest.mark.usefixtures("kit")
def test_closing_a_generator_gives_its_value() -> None:
    def plain() -> Generator[int, None, int]:
        try:
            yield 1
        except GeneratorExit:
            return 42
        return 0

    values = []
    for function in (plain, profiled(plain)):
        items = function()
        next(items)
        values.append(items.close())
        items = function()
        next(items)
        with pytest.raises(StopIteration) as stop:
            items.throw(GeneratorExit)
        values.append(stop.value.value)
    assert values[:2] == values[2:]


@pytest.mark.usefixtures("kit")
def test_a_generator_that_ignores_being_closed_is_an_error() -> None:
    @profiled
    def stubborn() -> Iterator[int]:
        try:
            yield 1
        except GeneratorExit:
            yield 2

    items: Any = stubborn()
    next(items)
    with pytest.raises(RuntimeError, match="ignored GeneratorExit"):
        items.close()


def test_coroutines_and_generators_have_the_names_of_their_functions() -> None:
    coroutine = async_tool(1)
    assert (coroutine.__name__, coroutine.__qualname__) == ("async_tool", "async_tool")
    coroutine.close()
    items: Any = profiled(iter_of)(1)
    assert (items.__name__, items.__qualname__) == ("iter_of", "iter_of")
    inner: Any = async_tool.__wrapped__  # type: ignore[attr-defined] # a wrapper
    later: Any = profiled(lambda: inner(1))()
    assert later.__qualname__ == "async_tool"
    assert run(later) == [1]


def test_generator_based_coroutines_are_awaited_in_both_orders(kit: Kit) -> None:
    def steps() -> Generator[Any, Any, int]:
        yield from asyncio.sleep(0).__await__()
        return 5

    def copied() -> Any:
        return FunctionType(steps.__code__, steps.__globals__, "steps")

    async def wait() -> tuple[int, int]:
        return await profiled(types.coroutine(copied()))(), await types.coroutine(profiled(copied()))()

    assert run(wait()) == (5, 5)
    assert [span.name for span in kit.calls()] == ["execute_tool steps"] * 2


@pytest.mark.usefixtures("kit")
def test_methods_that_python_makes_class_methods_stay_so() -> None:
    class Base:
        seen: ClassVar[list[Any]] = []

        @profiled
        def __init_subclass__(cls, **options: Any) -> None:
            super().__init_subclass__()
            Base.seen.append((cls.__name__, options))

        @profiled
        def __class_getitem__(cls, item: Any) -> Any:
            return cls.__name__, item

        @profiled
        def __new__(cls, value: int) -> Any:
            made = super().__new__(cls)
            Base.seen.append(value)
            return made

    class Derived(Base, option=1):
        pass

    assert Derived[int] == ("Derived", int)
    assert type(Derived(3)) is Derived
    assert Base.seen == [("Derived", {"option": 1}), 3]


def test_no_line_of_source_and_no_class_made_of_data_leaves(kit: Kit) -> None:
    source = "def tool(question):\n    return lookup('CANARY')\n"
    linecache.cache["<cell>"] = (len(source), None, source.splitlines(keepends=True), "<cell>")
    namespace: dict[str, Any] = {}
    exec(compile(source, "<cell>", "exec"), namespace)  # noqa: S102 - as a notebook does

    @profiled
    def failing() -> None:
        raise type("CANARYError", (ValueError,), {})

    try:
        with pytest.raises(NameError):
            profiled(namespace["tool"])("x")
        with pytest.raises(ValueError):  # noqa: PT011 - a class that has no other name
            failing()
    finally:
        del linecache.cache["<cell>"]
    assert "CANARY" not in kit.everything()
    assert kit.span("execute_tool failing").attributes["error.type"] == "ValueError"  # type: ignore[index] # it has some


@pytest.mark.slow
def test_many_open_turns_and_deep_recursion_cost_no_more_per_call(kit: Kit) -> None:
    @profiled(effect="read")
    def down(levels: int) -> int:
        return down(levels - 1) if levels else 0

    with agent_turn("turn") as turn:
        down(80)
    assert turn.report is not None
    chain = {str(number): str(number - 1) for number in range(1, 20_000)}
    assert dict(_outermost(chain)) == dict.fromkeys(chain, "0")
    circle = {"a": "b", "b": "a", "c": "a"}
    assert dict(_outermost(circle)) == {}


def test_the_oldest_large_results_are_let_go_and_their_calls_count(make_kit: Any) -> None:
    make_kit(Settings(max_held_bytes=1_000_000))

    @profiled(effect="read")
    def large(number: int) -> object:
        return "x" * 100_000 if number % 2 else {"text": "y" * 100_000}

    with agent_turn("turn") as turn:
        for number in range(30):
            large(number)
            assert HELD.size <= 1_000_000
        held = [call for call in REGISTRY.turns[id(turn._node)].children or () if call.result is not None]
        assert len(held) == 9
    assert HELD.size == 0
    assert turn.report is not None
    assert turn.report.calls == 30


async def test_program_that_attaches_no_context_is_not_affected(kit: Kit) -> None:
    @profiled
    async def waits() -> str:
        return "done"

    @profiled
    def blocks() -> str:
        return "done"

    def attached() -> list[Any]:
        context.attach(None)  # type: ignore[arg-type] # a mistake of the program
        return [waits(), blocks()]

    coroutine, result = contextvars.copy_context().run(attached)
    assert (await coroutine, result) == ("done", "done")
    assert shield.internal_errors()
    shield._counts.clear()
    kit.forgive()
