from __future__ import annotations

import asyncio
import dataclasses
import enum
import gc
import io
import logging
import re
import sqlite3
import threading
import types
import weakref
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, Protocol, TypeVar

import pytest
from strategies import call

from otel_parallelism.analysis.dependencies.dependency_graph import Dependencies
from otel_parallelism.analysis.dependencies.objects.object_types import type_name, type_safety
from otel_parallelism.analysis.dependencies.particular_edges import Pair
from otel_parallelism.model import Call, Content, HandedObject
from otel_parallelism.settings import Settings

if TYPE_CHECKING:
    from otel_parallelism.model import EffectSource


T = TypeVar("T")


@dataclasses.dataclass(frozen=True)
class Frozen:
    number: int = 0


@dataclasses.dataclass
class Open:
    number: int = 0


class Boxed(Generic[T]):
    item: T


class Named(Protocol):
    name: str


class Colour(enum.Enum):
    RED = 1


class Point(NamedTuple):
    x: int
    y: int


def library_type(module: str, name: str, *bases: type) -> type:
    return type(name, bases or (object,), {"__module__": module})


@pytest.mark.parametrize(
    ("kind", "safety"),
    [
        (sqlite3.Connection, "unsafe"),
        (sqlite3.Cursor, "unsafe"),
        (io.TextIOWrapper, "unsafe"),
        (types.GeneratorType, "unsafe"),
        (asyncio.StreamReader, "unsafe"),
        (library_type("sqlalchemy.orm.session", "Session"), "unsafe"),
        (library_type("sqlalchemy.ext.asyncio.session", "AsyncSession"), "unsafe"),
        (library_type("sqlalchemy.ext.asyncio.engine", "AsyncConnection"), "unsafe"),
        (library_type("app", "MySession", library_type("sqlalchemy.orm.session", "Session")), "unsafe"),
        (library_type("asyncpg.connection", "Connection"), "unsafe"),
        (library_type("psycopg2.extensions", "connection"), "unsafe"),
        (library_type("playwright.async_api._generated", "Page"), "unsafe"),
        (library_type("selenium.webdriver.remote.webdriver", "WebDriver"), "unsafe"),
        (library_type("httpx", "AsyncClient"), "safe"),
        (library_type("aiohttp.client", "ClientSession"), "safe"),
        (library_type("openai", "AsyncAzureOpenAI", library_type("openai", "AsyncOpenAI")), "safe"),
        (library_type("botocore.client", "S3", library_type("botocore.client", "BaseClient")), "safe"),
        (library_type("asyncpg.pool", "Pool"), "safe"),
        (library_type("psycopg_pool.pool_async", "AsyncConnectionPool"), "safe"),
        (library_type("sqlalchemy.ext.asyncio.session", "async_sessionmaker"), "safe"),
        (library_type("sqlalchemy.engine.base", "Engine"), "safe"),
        (library_type("motor.motor_asyncio", "AsyncIOMotorDatabase"), "safe"),
        (logging.Logger, "safe"),
        (type(threading.Lock()), "safe"),
        (re.Pattern, "safe"),
        (types.FunctionType, "safe"),
        (types.ModuleType, "safe"),
        (Frozen, "safe"),
        (Colour, "safe"),
        (Point, "safe"),
        (Open, "unknown"),
        (Boxed, "unknown"),
        (Named, "unknown"),
        (dict, "unknown"),
        (asyncio.Queue, "unknown"),
        (library_type("requests.sessions", "Session"), "unknown"),
    ],
)
def test_type_decides_whether_calls_may_use_an_object_at_once(kind: type, safety: str) -> None:
    assert type_safety(kind) == safety


def test_judging_a_type_runs_no_code_of_the_user() -> None:
    class Meta(type):
        def __getattribute__(cls, name: str) -> Any:
            raise AssertionError(name)

        def __hash__(cls) -> int:
            raise AssertionError

        def __eq__(cls, other: object) -> bool:
            raise AssertionError

    class Guarded(metaclass=Meta):
        pass

    assert type_safety(Guarded) == "unknown"
    assert type_name(Guarded).endswith("Guarded")


def test_a_type_that_was_judged_is_freed() -> None:
    def judged() -> weakref.ref[type]:
        made: type = dataclasses.make_dataclass("Made", ["field"])
        assert type_safety(made) == type_safety(made) == "unknown"
        return weakref.ref(made)

    made = judged()
    gc.collect()
    assert made() is None


def handed(kind: type | None, state: tuple[object, ...] | None = None, name: str = "db", **more: Any) -> HandedObject:
    return HandedObject(name, 7, kind, state, **more)


def two(
    first: HandedObject,
    second: HandedObject,
    *,
    source: EffectSource = "",
    proved: bool = False,
    resources: tuple[str, str] = ("", ""),
) -> Pair:
    calls: list[Call] = [
        call(
            tool,
            2 * index,
            2 * index + 1,
            tool,
            arguments=Content({"uid": "x"}, handed=(one,)),
            result=Content("rows of a table"),
            effect="read" if source else "unknown",
            effect_source=source,
            round=0 if proved else index,
            proved=proved,
            resource=resources[index],
        )
        for index, (tool, one) in enumerate((("get_user", first), ("list_orders", second)))
    ]
    graph = Dependencies(calls, [Content("The user and the orders of x, please.")], Settings())
    found = graph.pair(0, 1)
    assert (graph.soft[1] == 1) == (found.edge == "unknown")
    return found


SESSION = library_type("sqlalchemy.orm", "Session")
UNSAFE = "get_user and list_orders share db (a sqlalchemy.Session), which two calls must not use at once"


def test_an_unsafe_object_is_never_recommended_and_named_with_its_parameter() -> None:
    one = handed(SESSION)
    assert two(one, one).edge == "unknown"
    assert two(one, one, source="declared") == Pair("independent", "unknown", UNSAFE)
    assert two(one, one, proved=True) == Pair("independent", "unknown", UNSAFE)
    assert two(one, one, source="declared", resources=("a", "b")).edge == "none"


def test_an_object_that_holds_an_unsafe_one_is_unsafe() -> None:
    repository = handed(Open, parts=(int, SESSION))
    pair = two(repository, repository, source="declared")
    assert (pair.verdict, pair.edge) == ("independent", "unknown")
    assert pair.evidence.endswith("Open with a sqlalchemy.Session), which two calls must not use at once")
    pool = handed(library_type("httpx", "AsyncClient"), parts=(SESSION,))
    assert two(pool, pool, source="declared").edge == "none"


def test_a_safe_object_does_not_matter() -> None:
    client = handed(library_type("httpx", "AsyncClient"))
    assert "httpx" not in two(client, client).evidence
    assert two(client, client, source="declared").edge == "none"


def test_another_object_is_unknown_unless_both_calls_are_declared_to_read() -> None:
    other = handed(Open)
    assert "were handed one object, db (" in two(other, other).evidence
    assert two(other, other).edge == "unknown"
    assert "one object" not in two(other, other, source="declared").evidence
    assert two(other, other, source="declared").edge == "none"


def test_an_object_that_holds_the_same_safe_values_in_all_calls_does_not_matter() -> None:
    client = library_type("httpx", "AsyncClient")
    before = handed(Open, (7, 4711), parts=(int, client))
    assert "one object" not in two(before, before).evidence
    after = handed(Open, (8, 4711), parts=(int, client))
    assert "one object" in two(before, after).evidence
    deep = handed(Open, (7,), parts=(dict,))
    assert "one object" in two(deep, deep).evidence


def test_calls_of_one_response_share_an_object_that_one_was_seen_to_change() -> None:
    before, after = handed(dict, ("city", "Oslo")), handed(dict, ("city", "Rome"))
    changing = handed(dict, ("city", "Oslo"), changed=True)
    why = "get_user and list_orders were handed one object, db (a dict), which either may change"
    for first, second in ((before, after), (changing, before), (before, changing)):
        assert two(first, second, proved=True) == Pair("independent", "unknown", why)
        assert two(first, second, proved=True, source="declared").edge == "none"
        assert two(first, second, proved=True, source="declared", resources=("a", "b")).edge == "none"
    assert "one object" not in two(before, before, proved=True).evidence
    # That it cannot be read does not show that a call changes it.
    assert "one object" not in two(handed(Open), handed(Open), proved=True).evidence


def test_calls_beside_one_another_share_nothing_that_orders_them() -> None:
    objects = (handed(SESSION),)
    calls = [call(name, 0, 2, name, arguments=Content([], handed=objects)) for name in ("get_a", "get_b")]
    assert Dependencies(calls, [], Settings()).soft == [0, 0]
