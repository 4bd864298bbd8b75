from __future__ import annotations

import asyncio
import functools
import gc
import sqlite3
import threading
import weakref
from contextlib import closing
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from otel_parallelism import Settings, agent_turn, profiled
from otel_parallelism.tracing.spans.decorator import record
from otel_parallelism.tracing.state.call_contents import hold_arguments
from otel_parallelism.tracing.state.handed_objects import (
    dependencies,
    hold_dependencies,
    named_objects,
    outside_objects,
)
from otel_parallelism.tracing.state.nodes import CallNode
from otel_parallelism.tracing.state.tool import Tool

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.conftest import Kit

COUNTS = [1]
NAMES = ("a", "b")
TOTAL = 0


class Deps:
    def __init__(self, session: Any) -> None:
        self.session = session
        self.key = "k"


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:")) as opened:
        yield opened


def node_of(function: Any, *args: Any, **kwargs: Any) -> CallNode:
    node = CallNode(None, None, 0, 0, tool=Tool(function, None, None, None, None))
    hold_arguments(node, args, kwargs)
    return node


def look(uid: int, db: Any, *, deps: Any = None) -> None: ...


def test_objects_are_named_by_their_parameters(connection: sqlite3.Connection) -> None:
    node = node_of(look, 7, connection, deps=Deps(connection))
    assert [(one.name, one.kind) for one in named_objects(node)] == [
        ("db", sqlite3.Connection),
        ("deps", Deps),
        ("deps", sqlite3.Connection),
    ]
    assert node.whole


@pytest.mark.parametrize(
    ("limiter", "noted"),
    [(asyncio.Lock(), True), (asyncio.Semaphore(1), True), (asyncio.Semaphore(2), False), (threading.Lock(), True)],
    ids=["lock", "one place", "two places", "lock of threads"],
)
def test_a_lock_that_is_an_argument_is_noted(limiter: Any, noted: bool) -> None:
    assert [one.name for one in named_objects(node_of(look, 7, limiter))] == ["db"] * noted


def test_a_connection_among_many_fields_is_found(connection: sqlite3.Connection) -> None:
    deps = Deps(None)
    vars(deps).update({f"field{index}": index for index in range(14)}, session=connection)
    node = node_of(look, 1, deps)
    assert not node.whole
    assert sqlite3.Connection in {one.kind for one in named_objects(node)}


def test_dependencies_of_a_framework_are_named_with_their_fields(connection: sqlite3.Connection) -> None:
    assert [(name, kind) for name, _, kind, *_ in dependencies("ctx.deps", Deps(connection))] == [
        ("ctx.deps", Deps),
        ("ctx.deps.session", sqlite3.Connection),
    ]
    assert dependencies("ctx.deps", None) == ()


def test_closure_and_globals_count_unless_they_are_safe(connection: sqlite3.Connection) -> None:
    def reads() -> object:
        return connection, COUNTS, NAMES, sqlite3

    def inner() -> object:
        return [COUNTS for _ in NAMES]

    def assigns() -> None:
        global TOTAL  # noqa: PLW0603 - what is tested
        TOTAL += 1

    assert sorted(name for name, *_ in outside_objects(reads)) == ["COUNTS", "connection"]
    assert [name for name, *_ in outside_objects(inner)] == ["COUNTS"]
    assert [name for name, *_ in outside_objects(assigns)] == ["TOTAL"]
    assert outside_objects(print) == ()


class Pager:
    cursor = 0

    @profiled
    async def get_page(self) -> int:
        here = self.cursor
        await asyncio.sleep(0.3)
        self.cursor = here + 1
        return here


class Weather:
    def __init__(self) -> None:
        self.unit = "C"

    @profiled
    async def get_weather(self, city: str) -> str:
        await asyncio.sleep(0.3)
        return f"mild in {city}"


async def test_the_state_of_an_object_orders_its_methods(kit: Kit) -> None:
    pager = Pager()
    async with agent_turn("pager") as turn:
        for _ in range(3):
            await pager.get_page()
    assert turn.report is not None
    assert not [finding for finding in turn.report.findings if finding.advice == "recommended"]


async def test_an_unchanged_object_does_not_order_its_methods(kit: Kit) -> None:
    weather = Weather()
    async with agent_turn("weather") as turn:
        for city in ("Oslo", "Rome"):
            await weather.get_weather(city)
    assert turn.report is not None
    assert not [text for finding in turn.report.findings for text in finding.evidence if "one object" in text]


async def test_a_session_shared_through_a_closure_is_named(kit: Kit, connection: sqlite3.Connection) -> None:
    async def get_user(uid: str) -> str:
        await asyncio.sleep(0.3)
        return str(connection and uid)

    async def list_orders(uid: str) -> str:
        await asyncio.sleep(0.3)
        return str(connection and uid)

    tools = [record(function, None, "read", None, None, silence=False) for function in (get_user, list_orders)]
    async with agent_turn("shop") as turn:
        for tool in tools:
            await tool("u1")
    assert turn.report is not None
    (finding,) = turn.report.findings
    assert finding.advice == "potential"
    assert "get_user and list_orders share connection (a sqlite3.Connection)" in "".join(finding.evidence)
    assert "a sqlite3.Connection of its own" in finding.recommendation


def test_nothing_is_noted_without_evidence(make_kit: Callable[..., Kit], connection: sqlite3.Connection) -> None:
    make_kit(Settings(evidence=False))

    @profiled
    def get_user() -> str:
        return str(connection)

    assert get_user()


def test_what_a_framework_passes_along_is_noted(connection: sqlite3.Connection) -> None:
    class Kit:
        def __init__(self) -> None:
            self.page = 1

        def find(self) -> object:
            return connection

    node = CallNode(None, None, 0, 0, tool=Tool(None, "find", None, None, None))
    kit_object = Kit()
    hold_dependencies(
        node, kit_object.find, [("ctx.deps", Deps(connection))], [("config", {"db": connection, "count": [1]})]
    )
    assert node.receiver == id(kit_object)
    assert [one.name for one in named_objects(node)] == [
        "self",
        "ctx.deps",
        "ctx.deps.session",
        "config.db",
        "connection",
    ]


def test_a_tool_is_freed_with_the_agent_that_its_closure_holds() -> None:
    def used() -> weakref.ref[Any]:
        agent = Deps([])

        def find() -> object:
            return agent.session

        agent.session.append(find)
        for _ in range(2):
            node = CallNode(None, None, 0, 0, tool=Tool(None, "find", None, None, None))
            hold_dependencies(node, find, [], [])
            assert [one.name for one in named_objects(node)] == ["agent"]
        return weakref.ref(agent)

    agent = used()
    gc.collect()
    assert agent() is None


def held_for(function: Any, **more: Any) -> CallNode:
    node = CallNode(None, None, 0, 0, tool=Tool(None, "find", None, None, None, framework="desk"))
    hold_dependencies(node, function, [], [], **more)
    return node


class SharedStore:
    def __init__(self) -> None:
        self.city = ""


class LibraryTool:
    hooks: list[str]

    def __init__(self) -> None:
        self.schema: dict[str, str] = {}
        self.hooks = []


class FindTool(LibraryTool):
    def run(self, city: str) -> str:
        return f"{self.store.city} {city}"  # type: ignore[attr-defined] # set by the test


def test_objects_inside_a_tool_object_are_noted_and_what_its_library_keeps_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(LibraryTool, "__module__", pytest.__name__)
    store, one, other = SharedStore(), FindTool(), FindTool()
    one.store = other.store = store  # type: ignore[attr-defined] # as a program does
    first, second = named_objects(held_for(one.run)), named_objects(held_for(other.run))
    assert [one.name for one in first] == ["self", "self.store"]
    assert first[0].parts == (SharedStore,)
    assert first[0].identity != second[0].identity
    assert first[1] == second[1]
    assert first[1].identity == id(store)


class Slotted:
    __slots__ = ("city",)

    def find(self, city: str) -> None:
        self.city = city


def test_an_object_with_slots_may_hold_anything() -> None:
    slotted = Slotted()
    (noted,) = named_objects(held_for(slotted.find))
    assert (noted.name, noted.identity, noted.kind, noted.state) == ("self", id(slotted), Slotted, None)


def test_objects_that_a_partial_function_passes_along_are_noted() -> None:
    rows: list[str] = []

    def find(log: list[str], city: str) -> str:
        return f"{log}{city}"

    assert [one.identity for one in named_objects(held_for(functools.partial(find, rows)))] == [id(rows)]


def test_code_that_sets_something_in_an_object_is_noted() -> None:
    found: dict[str, str] = {}
    store, seen = SharedStore(), [""]

    def sets() -> None:
        found["city"] = "Oslo"
        store.city = "Oslo"
        seen.append("Oslo")

    def reads() -> str:
        return found["city"] + store.city + seen[0]

    assert {one.name for one in named_objects(held_for(sets)) if one.changed} == {"found", "store", "seen"}
    assert [one.changed for one in named_objects(held_for(reads))] == [False, False, False]


def test_a_table_is_compared_as_a_whole() -> None:
    table = {str(number): number for number in range(100)}

    def find(city: str) -> int:
        return table[city]

    states = [named_objects(held_for(find))[0].state for _ in range(2)]
    table["0"] = 7
    assert states[0] == states[1] != named_objects(held_for(find))[0].state
    table.update({str(number): number for number in range(1000)})
    assert named_objects(held_for(find))[0].state is None


def test_a_context_counts_as_changed_unless_the_model_gave_it() -> None:
    def sets(ctx: Any, city: str) -> None:
        ctx.state = city

    assert held_for(sets, given={"city"}).changes
    assert held_for(sets).changes
    assert not held_for(sets, given={"ctx", "city"}).changes


def test_a_tool_is_freed_with_the_namespace_that_it_was_made_in() -> None:
    def used() -> weakref.ref[Any]:
        namespace: dict[str, Any] = {"__name__": "made", "seen": []}
        exec("def find(city): return seen, city", namespace)  # noqa: S102 - as an agent that writes its own tools
        for _ in range(2):
            assert [one.name for one in named_objects(held_for(namespace["find"]))] == ["seen"]
        return weakref.ref(namespace["find"])

    find = used()
    gc.collect()
    assert find() is None


class Shelf:
    books: ClassVar[list[str]] = []


def test_a_global_a_cell_and_a_container_of_a_class_are_noted_at_every_call() -> None:
    count = [1]

    def find() -> object:
        return count, COUNTS

    def books() -> object:
        return count, Shelf.books

    for function, names in ((find, ["count", "COUNTS"]), (books, ["count", "Shelf.books"])):
        for _ in range(2):
            node = CallNode(None, None, 0, 0, tool=Tool(None, "find", None, None, None))
            hold_dependencies(node, function, [], [])
            assert {one.name for one in named_objects(node)} == set(names)
