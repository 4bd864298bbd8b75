"""What only a proxy has does not show in decorated functions, and they pickle and copy like functions."""

from __future__ import annotations

import asyncio
import collections.abc
import contextlib
import copy
import functools
import math
import os
import pickle
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import pytest

from otel_parallelism import profiled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.conftest import Kit

ABSTRACT = (
    *(getattr(collections.abc, name) for name in collections.abc.__all__ if name != "ByteString"),
    *(contextlib.AbstractContextManager, contextlib.AbstractAsyncContextManager),
)
PROTOCOLS = ("__len__", "__iter__", "__enter__", "__aexit__", "__getitem__", "__int__", "__contains__")


def plain(x: int = 0) -> int:
    return x


def upper(text: str) -> str:
    return text.upper()


@profiled
def tool(x: int = 0) -> int:
    return x


elsewhere = profiled(upper)


class Desk:
    def __init__(self) -> None:
        self.number = 1

    @profiled
    def find(self) -> int:
        return self.number

    @profiled
    @classmethod
    def of_class(cls) -> str:
        return cls.__name__

    @profiled
    def __hidden(self) -> int:
        return self.number

    def hidden(self) -> Any:
        return self.__hidden

    unnamed = profiled(lambda self: self.number)


class PlainDesk:
    def find(self) -> int:
        return 1

    @classmethod
    def of_class(cls) -> str:
        return cls.__name__


PAIRS: list[Any] = [
    pytest.param(tool, plain, id="function"),
    pytest.param(Desk().find, PlainDesk().find, id="method"),
    pytest.param(Desk.of_class, PlainDesk.of_class, id="class method"),
    pytest.param(profiled(len), len, id="builtin"),
    pytest.param(profiled(functools.partial(plain, 1)), functools.partial(plain, 1), id="partial"),
]


@pytest.mark.parametrize(("decorated", "same"), PAIRS)
def test_no_protocol_of_proxies_shows(decorated: Any, same: Any) -> None:
    assert [isinstance(decorated, each) for each in ABSTRACT] == [isinstance(same, each) for each in ABSTRACT]
    assert [hasattr(decorated, name) for name in PROTOCOLS] == [hasattr(same, name) for name in PROTOCOLS]
    assert [hasattr(type(decorated), name) for name in PROTOCOLS] == [hasattr(type(same), name) for name in PROTOCOLS]


def test_an_object_keeps_its_protocols() -> None:
    class Shelf:
        def __call__(self) -> int:
            return 1

        def __len__(self) -> int:
            return 7

        def __enter__(self) -> str:
            return "open"

        def __exit__(self, *_: object) -> None:
            pass

        def __or__(self, other: object) -> str:
            return f"shelf or {other}"

    shelf: Any = profiled(Shelf())
    with contextlib.ExitStack() as stack:
        assert stack.enter_context(shelf) == "open"
    assert (len(shelf), shelf.__len__(), shelf | 3, shelf()) == (7, 7, "shelf or 3", 1)
    assert isinstance(shelf, collections.abc.Sized)
    assert not isinstance(shelf, collections.abc.Iterable)


async def test_an_object_that_is_iterated_or_awaited_stays_so() -> None:
    class Pages:
        def __call__(self) -> int:
            return 1

        def __iter__(self) -> Iterator[int]:
            return iter((1, 2))

        def __fspath__(self) -> str:
            return "pages"

        def __await__(self) -> Iterator[Any]:
            return asyncio.sleep(0, "awaited").__await__()

        async def __aiter__(self) -> Any:
            yield 3

    class Plain:
        def __call__(self) -> int:
            return 1

    pages: Any = profiled(Pages())
    for each in (pages, copy.copy(pages)):
        assert (list(each), os.fspath(each), await each, [item async for item in each], each()) == (
            [1, 2],
            "pages",
            "awaited",
            [3],
            1,
        )
    assert isinstance(pages, Pages)
    assert not hasattr(type(profiled(Plain())), "__fspath__")


async def test_exit_callbacks_may_be_decorated(kit: Kit) -> None:
    left: list[Any] = []

    @profiled
    def leave(kind: Any, *_: object) -> bool:
        left.append(kind)
        return True

    @profiled
    async def leave_later(kind: Any, *_: object) -> bool:
        await asyncio.sleep(0)
        left.append(kind)
        return False

    with contextlib.ExitStack() as stack:
        stack.push(leave)
        raise KeyError
    async with contextlib.AsyncExitStack() as later:
        later.push(leave)
        later.push_async_exit(leave_later)
        raise ValueError
    assert left == [KeyError, ValueError, ValueError]
    assert len(kit.calls()) == 3


class Plain:
    def __call__(self, *_: object) -> bool:
        return True


class Closing(contextlib.ExitStack):
    def __call__(self) -> None:
        """Be callable, so that it can be decorated."""


@pytest.mark.usefixtures("kit")
@pytest.mark.parametrize("kind", [lambda: lambda *_: True, Plain, Closing])
def test_context_managers_stay_what_they_are(kind: Callable[[], Any]) -> None:
    def entered(stack: contextlib.ExitStack, given: Any) -> str:
        try:
            return type(stack.enter_context(given)).__name__
        except TypeError:
            return "no context manager"

    def outcome(given: Any) -> list[str]:
        with contextlib.ExitStack() as stack:
            found = [entered(stack, given)]
        try:
            with given as inside:
                found.append(type(inside).__name__)
        except TypeError:
            found.append("no context manager")
        with contextlib.suppress(KeyError), contextlib.ExitStack() as stack:
            stack.push(given)
            raise KeyError
        return found

    assert outcome(profiled(kind())) == outcome(kind())


class Chain:
    """Calls the functions that operators add, one after the other."""

    def __init__(self, *functions: Any) -> None:
        self.functions = functions

    def __ror__(self, other: Any) -> Chain:
        """Put *other* first."""
        return Chain(other, *self.functions)

    def __rrshift__(self, other: Any) -> Any:
        """Leave the operator to *other*."""
        return NotImplemented

    def run(self, value: Any) -> Any:
        return functools.reduce(lambda found, function: function(found), self.functions, value)


def test_an_operator_gives_the_decorated_function_to_the_other_operand(kit: Kit) -> None:
    chain: Any = tool | Chain(math.sqrt)
    assert chain.run(16) == 4
    assert [span.name for span in kit.calls()] == ["execute_tool tool"]
    for other in (3, tool, Chain()):
        with pytest.raises(TypeError, match=r"unsupported operand type\(s\) for >>: 'function' and"):
            tool >> other  # type: ignore[operator] # as in the text


@pytest.mark.parametrize("decorated", [tool, Desk().find, Desk.find, profiled(len)])
def test_the_text_is_that_of_the_function(decorated: Any) -> None:
    assert repr(decorated) == str(decorated) == repr(decorated.__wrapped__)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_function_that_is_decorated_elsewhere_pickles(protocol: int) -> None:
    assert pickle.loads(pickle.dumps(elsewhere, protocol))("a") == "A"  # noqa: S301 - of this test
    assert pickle.loads(pickle.dumps(profiled(len), protocol)) is len  # noqa: S301 - likewise
    assert pickle.loads(pickle.dumps(tool, protocol)) is tool  # noqa: S301 - likewise
    with pytest.raises(TypeError, match="cannot pickle 'classmethod' object"):
        pickle.dumps(vars(Desk)["of_class"], protocol)


def test_a_function_with_another_in_its_place_fails_to_pickle_like_any() -> None:
    def replaced() -> None:
        """Do nothing."""

    replaced.__qualname__ = "tool"
    with pytest.raises(pickle.PicklingError, match="not the same object"):
        pickle.dumps(profiled(replaced))


def test_a_function_as_the_default_of_a_field_copies_and_pickles() -> None:
    @dataclass
    class Agent:
        run: Callable[[int], int] = tool

    agent = Agent()
    assert agent.run == tool
    assert asdict(agent)["run"](4) == copy.copy(agent.run)(4) == copy.deepcopy(agent).run(4) == 4
    assert pickle.loads(pickle.dumps(agent.run))(4) == 4  # noqa: S301 - of this test


def test_a_deep_copy_of_a_method_needs_no_name() -> None:
    desk = Desk()
    methods = copy.deepcopy([desk, desk.find, desk.hidden(), desk.unnamed, Desk.find, Desk.of_class])
    methods[0].number = 5
    assert [method() for method in methods[1:4]] == [5, 5, 5]
    assert methods[1].__self__ is methods[0]
    assert (methods[4](desk), methods[5]()) == (1, "Desk")
