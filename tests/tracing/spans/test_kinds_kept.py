"""What a decorated function is to code that asks: its kind, its methods, its coroutines, and where its errors are."""

from __future__ import annotations

import asyncio
import functools
import gc
import inspect
import io
import marshal
import pickle
import types
import warnings
import weakref
from typing import TYPE_CHECKING, Any
from unittest.mock import AsyncMock, MagicMock, Mock, NonCallableMagicMock, call

import pytest

from otel_parallelism import agent_turn, profiled
from otel_parallelism.tracing import shield

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Kit


class Caller:
    async def __call__(self, x: int) -> int:
        return x


async def order(a: int, *, c: int) -> int:
    return a + c


class PlainCaller:
    def __call__(self, x: int) -> int:
        return x


class Desk:
    @profiled
    def find(self, x: int) -> int:
        return x

    @profiled
    async def fetch(self, a: int, b: int = 2, *, c: int) -> int:
        return a + b + c

    @profiled
    @classmethod
    async def of_class(cls, a: int, *rest: int) -> int:
        return a + len(rest)

    @profiled
    @staticmethod
    async def of_none(a: int) -> int:
        return a

    asked = staticmethod(profiled(Caller()))
    part = staticmethod(profiled(functools.partial(order, 1)))


class PlainDesk:
    async def fetch(self, a: int, b: int = 2, *, c: int) -> int:
        return a + b + c

    @classmethod
    async def of_class(cls, a: int, *rest: int) -> int:
        return a + len(rest)

    @staticmethod
    async def of_none(a: int) -> int:
        return a

    asked = staticmethod(Caller())
    part = staticmethod(functools.partial(order, 1))


PREDICATES = (
    *(inspect.iscoroutinefunction, inspect.ismethod, inspect.isfunction, inspect.isroutine),
    *(inspect.isgeneratorfunction, inspect.isasyncgenfunction, callable, inspect.signature),
)


@pytest.mark.parametrize("decorate", [profiled, agent_turn("t"), profiled(name="x")])
@pytest.mark.parametrize("kind", [Caller, PlainCaller])
def test_the_call_method_of_an_object_is_of_its_kind(kind: type, decorate: Any) -> None:
    plain = kind()
    wrapped = decorate(plain)
    assert [ask(wrapped.__call__) for ask in PREDICATES] == [ask(plain.__call__) for ask in PREDICATES]
    assert isinstance(wrapped, kind)


async def test_calling_the_call_method_is_one_call(kit: Kit) -> None:
    tool = profiled(Caller())
    assert (await tool(1), await tool.__call__(2)) == (1, 2)
    assert profiled(PlainCaller()).__call__(3) == 3
    assert [span.name for span in kit.calls()] == ["execute_tool Caller"] * 2 + ["execute_tool PlainCaller"]


@pytest.mark.usefixtures("kit")
def test_a_weak_method_gives_the_method_until_its_object_is_gone() -> None:
    desk = Desk()
    weak = weakref.WeakMethod(desk.find)
    found: Any = weak()
    assert found == desk.find
    assert type(found) is type(desk.find)
    assert found(4) == 4
    del found, desk
    gc.collect(1)
    assert weak() is None


def test_a_weak_method_of_a_decorated_subclass_calls_the_same_function(kit: Kit) -> None:
    class Other(Desk):
        @profiled
        def find(self, x: int) -> int:
            return super().find(x) + 1

    other = Other()
    again: Any = weakref.WeakMethod(other.find)()
    inner: Any = weakref.WeakMethod(super(Other, other).find)()
    assert again(1) == 2
    assert len(kit.calls()) == 2
    assert inner(1) == 1
    assert len(kit.calls()) == 3


@pytest.mark.parametrize(
    "call",
    [
        lambda desk: desk.fetch(1),
        lambda desk: desk.fetch(c=1),
        lambda desk: desk.fetch(1, 2, 3, c=1),
        lambda desk: desk.fetch(1, a=2, c=1),
        lambda desk: desk.fetch(1, c=1, d=2),
        lambda desk: type(desk).fetch(desk, 1),
        lambda desk: type(desk).fetch(c=1),
        lambda desk: desk.of_class(),
        lambda desk: type(desk).of_class(1, b=2),
        lambda desk: desk.of_none(),
        lambda desk: desk.of_none(1, 2),
        lambda desk: functools.partial(desk.of_none, 1)(2),
        lambda desk: desk.fetch(1, c=1),
        lambda desk: desk.fetch(a=1, b=2, c=1),
        lambda desk: type(desk).fetch(desk, 1, 2, c=1),
        lambda desk: desk.of_class(1, 2, 3, 4),
        lambda desk: type(desk).of_class(a=1),
        lambda desk: desk.of_none(a=1),
        lambda desk: desk.asked(),
        lambda desk: desk.asked(1, y=2),
        lambda desk: desk.asked(1),
        lambda desk: desk.part(),
        lambda desk: desk.part(2),
        lambda desk: desk.part(c=2),
    ],
)
@pytest.mark.usefixtures("kit")
def test_wrong_arguments_are_found_where_the_call_is_made(call: Callable[[Any], Any]) -> None:
    def outcome(desk: object) -> str:
        try:
            coroutine = call(desk)
        except TypeError:
            return "TypeError"
        return str(asyncio.run(coroutine))

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert outcome(Desk()) == outcome(PlainDesk())


async def test_a_coroutine_that_the_program_also_holds_is_the_same_one(kit: Kit) -> None:
    held: list[Any] = []

    async def work() -> int:
        return 5

    @profiled
    def start() -> Any:
        held.append(work())
        return held[0]

    @profiled
    def begin() -> Any:
        return work()

    started = start()
    assert started is held[0]
    assert await started == 5
    assert await begin() == 5
    assert [span.name for span in kit.calls()] == ["execute_tool start", "execute_tool begin"]


@pytest.mark.usefixtures("kit")
@pytest.mark.parametrize("mock", [Mock, MagicMock, AsyncMock, NonCallableMagicMock])
def test_a_mock_is_decorated_like_a_function(kit: Kit, mock: type[Mock]) -> None:
    mocked: Any = mock(return_value=4)
    if mock is NonCallableMagicMock:
        with pytest.raises(TypeError, match="not a NonCallableMagicMock"):
            profiled(mocked)
        return
    decorated = profiled(mocked)
    with agent_turn():
        found = decorated(1)
        assert (asyncio.run(found) if mock is AsyncMock else found) == 4
    assert mocked.mock_calls == [call(1)]
    (span,) = kit.calls()
    assert span.name == f"execute_tool {mock.__name__}"


def test_the_name_of_a_partial_of_a_partial(kit: Kit) -> None:
    def find(x: int) -> int:
        return x

    inner = functools.partial(find, 1)
    profiled(functools.partial(functools.partial(functools.partial(inner))))()
    assert [span.name for span in kit.calls()] == ["execute_tool find"]


class NameFails:
    @property
    def __name__(self) -> str:
        """Fail."""
        raise ValueError("no name yet")

    def __call__(self, x: int) -> int:
        return x


class KindFails(type):
    def __getattr__(cls, name: str) -> Any:
        """Fail."""
        raise RuntimeError(name)


class OfKindFails(metaclass=KindFails):
    def __call__(self, x: int) -> int:
        return x


@pytest.mark.parametrize("decorate", [profiled, profiled(effect="read"), agent_turn, agent_turn("planner")])
@pytest.mark.parametrize("made", [NameFails, OfKindFails])
def test_what_cannot_be_decorated_is_returned_as_it_is(
    decorate: Any, made: Callable[[], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    counts: dict[tuple[str, str], int] = {}
    monkeypatch.setattr(shield, "_counts", counts)
    function = made()
    assert decorate(function) is function
    assert [where for where, _ in counts] == ["decorating a function"]


class ByCode(pickle.Pickler):
    """Pickles a function without a name in its module, as dill does."""

    def reducer_override(self, made: Any) -> Any:
        if type(made) is types.FunctionType and "<" in made.__qualname__:
            code = marshal.dumps(made.__code__)
            return _function_of, (code,)
        return NotImplemented


def _function_of(code: bytes) -> Any:
    return types.FunctionType(marshal.loads(code), {})  # noqa: S302 - of this test


def test_a_pickler_of_code_pickles_a_decorated_function_inside_another() -> None:
    @profiled
    def inner(x: int) -> int:
        return x + 1

    with pytest.raises((pickle.PicklingError, AttributeError), match="local"):
        pickle.dumps(inner)
    target = io.BytesIO()
    ByCode(target).dump(inner)
    assert pickle.loads(target.getvalue())(1) == 2  # noqa: S301 - of this test


def test_one_warning_for_a_coroutine_that_is_never_awaited() -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        Desk().fetch(1, c=2)
        Desk().asked(1)
        Desk().part(c=2)
        Desk().of_none(1)
        gc.collect(1)
    assert [str(each.message) for each in caught] == [
        "coroutine 'Desk.fetch' was never awaited",
        "coroutine 'Caller.__call__' was never awaited",
        "coroutine 'order' was never awaited",
        "coroutine 'Desk.of_none' was never awaited",
    ]
