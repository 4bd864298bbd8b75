from __future__ import annotations

import asyncio
import collections.abc
import contextlib
import contextvars
import copy
import functools
import inspect
import pickle
import typing
from typing import TYPE_CHECKING, Any

import pytest

from otel_parallelism import agent_turn, names, profiled
from tests.virtual_time import exactly

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from tests.conftest import Kit


@profiled
async def a_coroutine(x: int, *, y: int = 2) -> int:
    """Add."""
    await asyncio.sleep(0)
    return x + y


@profiled
def a_function(x: int, *, y: int = 2) -> int:
    return x + y


@profiled
def a_generator(count: int) -> Iterator[int]:
    yield from range(count)


@profiled
async def an_async_generator(count: int) -> AsyncIterator[int]:
    for item in range(count):
        await asyncio.sleep(0)
        yield item


HINTS = {"AsyncIterator": collections.abc.AsyncIterator, "Iterator": collections.abc.Iterator}
"""What annotations name and only type checkers import."""


class Desk:
    """One of each kind of method, decorated on either side of the built-in decorators."""

    rate = 3

    @profiled
    def method(self, x: int) -> int:
        return x * self.rate

    @profiled
    async def async_method(self, x: int) -> int:
        return x * self.rate

    @profiled
    @classmethod
    def class_outside(cls, x: int) -> int:
        return x * cls.rate

    @classmethod
    @profiled
    def class_inside(cls, x: int) -> int:
        return x * cls.rate

    @profiled
    @staticmethod
    def static_outside(x: int) -> int:
        return x * 3

    @staticmethod
    @profiled
    def static_inside(x: int) -> int:
        return x * 3

    @profiled
    @classmethod
    async def async_class(cls, x: int) -> int:
        return x * cls.rate

    @staticmethod
    @profiled
    async def async_static(x: int) -> int:
        return x * 3


class Caller:
    def __call__(self, x: int) -> int:
        return x + 1


class AsyncCaller:
    async def __call__(self, x: int) -> int:
        return x + 1


def plain(x: int, *, y: int = 2) -> int:
    return x + y


async def plain_coroutine(x: int, *, y: int = 2) -> int:
    return x + y


async def _value(made: Any) -> Any:
    return await made if inspect.isawaitable(made) else made


@pytest.mark.parametrize(
    ("call", "tool", "value"),
    [
        (lambda: a_coroutine(1), "a_coroutine", 3),
        (lambda: a_function(1, y=5), "a_function", 6),
        (lambda: Desk().method(2), "method", 6),
        (lambda: Desk.method(Desk(), 2), "method", 6),
        (lambda: Desk().async_method(2), "async_method", 6),
        (lambda: Desk.class_outside(2), "class_outside", 6),
        (lambda: Desk().class_outside(2), "class_outside", 6),
        (lambda: Desk.class_inside(2), "class_inside", 6),
        (lambda: Desk().class_inside(2), "class_inside", 6),
        (lambda: Desk.static_outside(2), "static_outside", 6),
        (lambda: Desk().static_outside(2), "static_outside", 6),
        (lambda: Desk.static_inside(2), "static_inside", 6),
        (lambda: Desk().async_class(2), "async_class", 6),
        (lambda: Desk.async_static(2), "async_static", 6),
        (lambda: profiled(functools.partial(plain, 1))(y=3), "plain", 4),
        (lambda: profiled(functools.partial(plain_coroutine, 1))(y=3), "plain_coroutine", 4),
        (lambda: profiled(Caller())(1), "Caller", 2),
        (lambda: profiled(AsyncCaller())(1), "AsyncCaller", 2),
        (lambda: functools.partial(a_function, 1)(y=3), "a_function", 4),
        (lambda: profiled(lambda x: plain_coroutine(x, y=2))(1), "<lambda>", 3),
        (lambda: profiled(len)("four"), "len", 4),
    ],
)
async def test_every_kind_is_one_call_with_its_own_value(
    kit: Kit, call: Callable[[], Any], tool: str, value: int
) -> None:
    with agent_turn() as turn:
        assert await _value(call()) == value
    assert turn.report is not None
    (recorded,) = turn.report.turn.calls
    assert recorded.tool == tool
    assert recorded.parent_id == turn.report.turn.span_id
    (span,) = kit.calls()
    assert span.name == f"execute_tool {tool}"
    assert dict(span.attributes or {}) == {names.OPERATION_NAME: "execute_tool", names.TOOL_NAME: tool}


async def test_generators_are_one_call_from_first_step_to_last(kit: Kit) -> None:
    with agent_turn() as turn:
        assert list(a_generator(3)) == [0, 1, 2]
        assert [item async for item in an_async_generator(3)] == [0, 1, 2]
    assert turn.report is not None
    assert [call.tool for call in turn.report.turn.calls] == ["a_generator", "an_async_generator"]


@pytest.mark.parametrize(
    ("decorated", "original", "asks"),
    [
        (a_coroutine, a_coroutine.__wrapped__, inspect.iscoroutinefunction),  # type: ignore[attr-defined] # wrapt's
        (a_function, a_function.__wrapped__, inspect.isfunction),  # type: ignore[attr-defined]
        (a_generator, a_generator.__wrapped__, inspect.isgeneratorfunction),  # type: ignore[attr-defined]
        (an_async_generator, an_async_generator.__wrapped__, inspect.isasyncgenfunction),  # type: ignore[attr-defined]
        (Desk().async_method, Desk().async_method.__wrapped__, inspect.iscoroutinefunction),  # type: ignore[attr-defined]
        (Desk().method, Desk().method.__wrapped__, inspect.ismethod),  # type: ignore[attr-defined]
        (Desk.async_class, Desk.async_class.__wrapped__, inspect.iscoroutinefunction),  # type: ignore[attr-defined]
    ],
)
def test_what_is_wrapped_looks_like_what_it_was(decorated: Any, original: Any, asks: Callable[[Any], bool]) -> None:
    assert asks(original)
    assert asks(decorated)
    assert inspect.signature(decorated) == inspect.signature(original)
    assert decorated.__name__ == original.__name__
    assert decorated.__qualname__ == original.__qualname__
    assert decorated.__doc__ == original.__doc__
    assert decorated.__module__ == original.__module__
    assert decorated.__annotations__ == original.__annotations__
    assert typing.get_type_hints(decorated, globalns=HINTS) == typing.get_type_hints(original, globalns=HINTS)


def test_kinds_that_python_itself_does_not_recognise_stay_unrecognised() -> None:
    caller = AsyncCaller()
    assert inspect.iscoroutinefunction(profiled(caller)) is inspect.iscoroutinefunction(caller)
    assert inspect.iscoroutinefunction(profiled(functools.partial(plain_coroutine, 1)))


def test_copies_and_pickles_like_a_function() -> None:
    assert copy.copy(a_function) is a_function
    assert copy.deepcopy({"tools": [a_function]})["tools"][0] is a_function
    assert a_function.__reduce_ex__(5) == "a_function"
    desk = Desk()
    assert copy.copy(desk.method)(2) == 6
    desk.rate = 5
    deep = copy.deepcopy(desk.method)
    desk.rate = 7
    assert (deep(2), copy.copy(desk.method)(2)) == (10, 14)


def test_pickles_by_name(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tools_of_mine.py").write_text(
        "from otel_parallelism import profiled\n\n@profiled\ndef double(x):\n    return 2 * x\n"
        "class Desk:\n    @profiled\n    def double(self, x):\n        return 2 * x\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    import tools_of_mine  # type: ignore[import-not-found] # noqa: PLC0415 - just written

    assert pickle.loads(pickle.dumps(tools_of_mine.double)) is tools_of_mine.double  # noqa: S301 - pickled just here
    assert pickle.loads(pickle.dumps(tools_of_mine.Desk().double))(4) == 8  # noqa: S301
    assert pickle.loads(pickle.dumps(tools_of_mine.Desk.double))(tools_of_mine.Desk(), 4) == 8  # noqa: S301


async def test_declarations_are_on_the_span_and_nothing_else_is(kit: Kit) -> None:
    @profiled(effect="read")
    async def look(_: int) -> None: ...

    @profiled(
        name="book",
        effect="write",
        resource=lambda trip, **_: f"trip/{trip}",
        depends_on=[look, "pay", Desk.async_class],
    )
    async def book_it(trip: int, **more: int) -> None: ...

    @profiled(depends_on=[], resource="calendar")
    async def alone() -> None: ...

    with agent_turn() as turn:
        await look(1)
        await book_it(7, seats=2)
        await alone()
    spans = [dict(span.attributes or {}) for span in kit.calls()]
    base = {names.OPERATION_NAME: "execute_tool"}
    assert spans == [
        {**base, names.TOOL_NAME: "look", names.EFFECT: "read"},
        {
            **base,
            names.TOOL_NAME: "book",
            names.EFFECT: "write",
            names.RESOURCE: "trip/7",
            names.DEPENDS_ON: ("look", "pay", "async_class"),
        },
        {**base, names.TOOL_NAME: "alone", names.RESOURCE: "calendar", names.DEPENDS_ON: ()},
    ]
    assert turn.report is not None


@pytest.mark.parametrize(
    ("arguments", "error", "says"),
    [
        ({"name": 3}, TypeError, "name= must be a string, not int"),
        ({"name": ""}, ValueError, "name= must not be empty"),
        ({"effect": "delete"}, ValueError, "effect= must be 'read' or 'write', not 'delete'"),
        ({"resource": 3}, TypeError, "resource= must be a string or a callable"),
        ({"resource": ""}, ValueError, "resource= must not be empty"),
        ({"depends_on": "look"}, TypeError, "depends_on= must be a list"),
        ({"depends_on": [3]}, TypeError, "depends_on= must hold tool names or profiled functions, not int"),
    ],
)
def test_a_wrong_declaration_is_refused_where_it_is_made(
    arguments: dict[str, Any], error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        profiled(**arguments)


@pytest.mark.parametrize(("wrong", "says"), [(3, "a int"), (Desk, "a class"), (property(len), "a property")])
def test_what_is_no_function_is_refused(wrong: Any, says: str) -> None:
    with pytest.raises(TypeError, match=f"profiled decorates functions, not {says}"):
        profiled(wrong)


def test_wrong_arguments_of_a_call_raise_what_they_always_raised(kit: Kit) -> None:
    with agent_turn(), pytest.raises(TypeError, match="unexpected keyword argument 'z'"):
        a_function(1, z=3)  # type: ignore[call-arg] # the point


async def test_a_future_that_a_function_returns_is_the_same_and_is_timed(kit: Kit) -> None:
    made: list[asyncio.Task[int]] = []

    async def slow() -> int:
        await asyncio.sleep(0.05)
        return 1

    @profiled
    def start() -> asyncio.Task[int]:
        made.append(asyncio.create_task(slow()))
        return made[-1]

    with agent_turn() as turn:
        task = start()
        assert task is made[0]
        assert await task == 1
    assert turn.report is not None
    (call,) = turn.report.turn.calls
    assert call.duration_ns / 1e9 == exactly(0.05)


def test_a_future_that_is_done_may_be_of_a_loop_that_is_gone(kit: Kit) -> None:
    loop = asyncio.new_event_loop()
    kept = loop.create_future()
    kept.set_result(3)
    loop.close()

    @profiled
    def look() -> asyncio.Future[int]:
        return kept

    async def main() -> int:
        with agent_turn():
            return await look()

    assert asyncio.run(main()) == 3
    assert len(kit.calls()) == 1


async def test_a_coroutine_that_a_function_returns_is_timed_to_its_end(kit: Kit) -> None:
    @profiled
    def begin(x: int) -> Any:
        return asyncio.sleep(0.05, result=x)

    with agent_turn() as turn:
        assert await begin(3) == 3
    assert turn.report is not None
    (call,) = turn.report.turn.calls
    assert call.duration_ns / 1e9 == exactly(0.05)


@profiled
def makes_a_coroutine(count: int) -> Any:
    return asyncio.sleep(0, count)


async def iterates(count: int) -> list[int]:
    return [item async for item in an_async_generator(count)]


@pytest.mark.parametrize("in_turn", [True, False])
@pytest.mark.parametrize("make", [a_coroutine, makes_a_coroutine, iterates])
def test_what_is_closed_in_another_context_has_ended(kit: Kit, make: Callable[[int], Any], in_turn: bool) -> None:
    with agent_turn() if in_turn else contextlib.nullcontext():
        run = make(1)
        # So does the garbage collector with what waits in an event loop that is gone.
        contextvars.copy_context().run(run.send, None)
        run.close()
    assert len(kit.calls()) == 1


@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning")
async def test_a_coroutine_that_never_ran_is_no_longer_a_call(kit: Kit) -> None:
    @profiled
    def look() -> Any:
        return plain_coroutine(1)

    with agent_turn() as turn:
        task = asyncio.create_task(look())
        task.cancel()
        await asyncio.wait([task])
        del task
        await asyncio.sleep(0.1)
    assert turn.report is not None
    assert turn.report.work == exactly(0)
    assert len(kit.calls()) == 1


def test_a_decorated_call_outside_of_everything_still_works_and_counts(kit: Kit) -> None:
    assert a_function(1) == 3
    (span,) = kit.calls()
    assert span.parent is None


def test_a_callable_object_is_defined_where_its_class_defines_the_call() -> None:
    class Reader:
        async def __call__(self) -> int:
            return 1

    reader = profiled(effect="read", name="read")(Reader())
    place = reader._self_tool.place()  # type: ignore[attr-defined]
    code = Reader.__call__.__code__
    assert (place.file_path, place.line_number) == (code.co_filename, code.co_firstlineno)


def test_decorated_twice_is_recorded_once(kit: Kit) -> None:
    @profiled(effect="read")
    @profiled(name="finder", effect="write", depends_on=["other"])
    def find(x: int) -> int:
        return x

    assert find(3) == 3
    (span,) = kit.calls()
    attributes = span.attributes or {}
    assert attributes[names.TOOL_NAME] == "finder"
    assert attributes[names.EFFECT] == "read"
    assert attributes[names.DEPENDS_ON] == ("other",)
