"""Tests what code visibly changes outside itself, beside code that looks alike and changes nothing."""

from __future__ import annotations

import asyncio
import functools
import os
import threading
import types
from contextvars import ContextVar
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from otel_parallelism import agent_turn, profiled
from otel_parallelism.tracing.bytecode.changes import changes_of, changes_outside
from otel_parallelism.tracing.state.handed_objects import outside_objects

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Kit

TOKEN = ""
USER: ContextVar[str] = ContextVar("user", default="")
CONFIG = {"base": "https://a.example"}
SEEN: dict[str, str] = {}
LOCK = threading.Lock()
ONE, TWO = asyncio.Semaphore(1), asyncio.Semaphore(2)


class Store:
    items: ClassVar[list[str]] = []
    latest = ""
    count = 0

    def __init__(self, word: str = "") -> None:
        self.word = word

    @classmethod
    def choose(cls, word: str) -> None:
        cls.latest = word

    def save(self, word: str) -> None:
        Path(self.word).write_text(word, encoding="utf-8")

    def keep(self, word: str) -> None:
        self.word = word

    def kept(self) -> str:
        return self.word


STORE = Store()
other_module = types.ModuleType("other_module")
exec(  # noqa: S102 - a module of the program that needs no file
    compile("def keep(word):\n    global latest\n    latest = word", "other_module.py", "exec"), vars(other_module)
)


def remember(word: str) -> None:
    SEEN["last"] = word


def recall() -> str:
    return SEEN.get("last", "")


def base_url() -> str:
    return CONFIG["base"]


def sets_a_global(word: str) -> None:
    global TOKEN  # noqa: PLW0603 - what is tested
    TOKEN = word


def sets_the_environment(word: str) -> None:
    os.environ["OTEL_PARALLELISM_TEST"] = word


def updates_the_environment(word: str) -> None:
    os.environ.update({"OTEL_PARALLELISM_TEST": word})


def changes_the_directory(word: str) -> None:
    os.chdir(word)


def writes_a_file(word: str) -> None:
    Path(word).write_text(word, encoding="utf-8")


def opens_to_write(word: str) -> None:
    with open(word, "w", encoding="utf-8") as file:  # noqa: PTH123 - what is tested
        file.write(word)


def sets_a_class(word: str) -> None:
    Store.latest = word


def sets_a_context(word: str) -> None:
    USER.set(word)


def runs_a_helper(word: str) -> None:
    sets_the_environment(word)


def counts_by_itself(word: str) -> int:
    count = 0

    def add() -> None:
        nonlocal count
        count += len(word)

    add()
    return count


def has_a_function_inside(word: str) -> Callable[[], None]:
    return lambda: Path(word).unlink()


def counts_in_a_class(_: str) -> None:
    Store.count += 1


def counts_in_the_environment(word: str) -> None:
    os.environ["OTEL_PARALLELISM_TEST"] += word


def runs_a_method_of_a_class(word: str) -> None:
    Store.choose(word)


def runs_a_function_of_another_module(word: str) -> None:
    other_module.keep(word)


def runs_a_method_of_an_object(word: str) -> None:
    STORE.save(word)


def closes_over_a_variable() -> Callable[[str], None]:
    latest = ""

    def sets_it(word: str) -> None:
        nonlocal latest
        latest = word

    return sets_it


def decorated_elsewhere() -> Callable[[str], None]:
    def keeps(word: str) -> None:
        other_module.keep(word)

    @functools.wraps(keeps)
    def around(word: str) -> None:
        keeps(word)

    return around


@pytest.mark.parametrize(
    "function",
    [
        counts_in_a_class,
        counts_in_the_environment,
        runs_a_method_of_a_class,
        runs_a_function_of_another_module,
        runs_a_method_of_an_object,
        closes_over_a_variable(),
        decorated_elsewhere(),
        partial(sets_a_global, "a"),
        Store("a").save,
        sets_a_global,
        sets_the_environment,
        updates_the_environment,
        changes_the_directory,
        writes_a_file,
        opens_to_write,
        sets_a_class,
        sets_a_context,
        runs_a_helper,
        has_a_function_inside,
    ],
)
def test_change_outside_is_found(function: Any) -> None:
    assert changes_outside(function)


def reads_the_environment(word: str) -> str:
    found = os.environ["PATH"]
    sizes = {}
    sizes[word] = len(found)
    return found


def reads_a_file(word: str) -> str:
    with open(word, encoding="utf-8") as file:  # noqa: PTH123 - what is tested
        return file.read()


def opens_to_read(word: str) -> bytes:
    with open(word, "rb") as file:  # noqa: PTH123 - what is tested
        return file.read()


def sets_what_it_made(word: str) -> Store:
    made = Store()
    made.latest = word
    return made


def reads_globals(word: str) -> str:
    return f"{CONFIG['base']}/{word.replace('a', 'b')}{USER.get()}{TOKEN}"


@pytest.mark.parametrize(
    "function",
    [
        reads_the_environment,
        reads_a_file,
        opens_to_read,
        sets_what_it_made,
        reads_globals,
        counts_by_itself,
        STORE.kept,
        print,
        Store,
    ],
)
def test_code_that_only_reads_outside_changes_nothing(function: Any) -> None:
    assert not changes_outside(function)


def sets_state(ctx: Any, city: str) -> None:
    ctx.state["city"] = city


def counts_in_state(ctx: Any) -> None:
    ctx.state["count"] += 1


def sets_state_by_another_name(ctx: Any, city: str) -> None:
    state = ctx["state"]
    state.cities.append(city)


async def sets_a_store(ctx: Any, city: str) -> None:
    await ctx.store.set("city", city)


async def edits_a_store(ctx: Any, city: str) -> None:
    async with ctx.store.edit_state() as state:
        state["city"] = city


def passes_on(ctx: Any, city: str) -> None:
    sets_state(ctx, city)


def sets_a_field(ctx: Any, city: str) -> None:
    ctx.city = city


def sets_state_of_a_keyword(ctx: Any, **rest: Any) -> None:
    ctx.read(rest)
    rest["session"].state["city"] = "Oslo"


def changes_its_own_keywords(**rest: Any) -> Any:
    rest["city"] = "Oslo"
    return rest.pop("limit", None)


def test_what_keywords_hold_comes_from_outside_and_their_dict_does_not() -> None:
    assert changes_of(sets_state_of_a_keyword)[1] == {"rest"}
    assert changes_of(changes_its_own_keywords)[1] == frozenset()


def test_what_is_known_of_a_function_is_not_taken_for_that_of_its_wrapper() -> None:
    assert not changes_of(reads_state)[0]

    @functools.wraps(reads_state)
    def keeps(ctx: Any, city: str) -> str:
        other_module.keep(city)
        return reads_state(ctx, city)

    assert changes_of(keeps)[0]


@pytest.mark.parametrize(
    "function",
    [
        sets_state,
        counts_in_state,
        sets_state_by_another_name,
        sets_a_store,
        edits_a_store,
        passes_on,
        sets_a_field,
        partial(sets_state, city="Oslo"),
    ],
)
def test_a_context_that_is_changed_is_found(function: Any) -> None:
    assert "ctx" in changes_of(function)[1]
    assert changes_of(function) is changes_of(function)


def reads_state(ctx: Any, city: str) -> str:
    found = ctx.state["city"] or ctx.store.get("city")
    return f"{found}{city}"


async def reports_progress(ctx: Any, city: str) -> None:
    ctx.write_event_to_stream(city)
    await ctx.set_progress(0.5)
    ctx.log.add_event(city)


@pytest.mark.parametrize("function", [reads_state, reports_progress, Store().kept, Store().keep, print, None])
def test_a_context_that_is_only_read_is_not_changed(function: Any) -> None:
    assert changes_of(function) == (False, frozenset())


class Pretending:
    @property
    def __class__(self) -> type:  # type: ignore[override] # noqa: D105 - as a lazily loaded object does
        raise AssertionError

    def load(self) -> str:
        return "loaded"


PRETENDING = Pretending()


def test_reading_code_runs_none_of_the_objects_that_it_names() -> None:
    def reads() -> str:
        return PRETENDING.load()

    assert not changes_outside(reads)
    assert [name for name, *_ in outside_objects(reads)] == ["PRETENDING"]


def test_objects_of_helpers_and_containers_of_classes_are_shared() -> None:
    def writes() -> None:
        remember("a")

    def adds() -> None:
        Store.items.append("a")

    assert [name for name, *_ in outside_objects(writes)] == ["SEEN"]
    assert [name for name, *_ in outside_objects(adds)] == ["Store.items"]


def test_container_that_functions_only_look_up_in_ties_no_calls() -> None:
    def looks_up() -> str:
        return base_url()

    def recalls() -> str:
        return recall()

    assert outside_objects(looks_up) == ()
    assert [name for name, *_ in outside_objects(recalls)] == ["SEEN"]


def test_locks_and_semaphores_of_one_are_shared() -> None:
    def reads() -> object:
        return LOCK, ONE, TWO

    assert sorted(name for name, *_ in outside_objects(reads)) == ["LOCK", "ONE"]


@profiled
async def get_user(name: str) -> str:
    await asyncio.sleep(0.3)
    remember(name)
    return "a user"


@profiled
async def list_mails(folder: str) -> str:
    await asyncio.sleep(0.3)
    return recall() + folder


@profiled
async def get_region(name: str) -> str:
    await asyncio.sleep(0.3)
    os.environ["OTEL_PARALLELISM_TEST"] = name
    return "a region"


@profiled
async def get_weather(city: str) -> str:
    await asyncio.sleep(0.3)
    return f"mild in {city}, says {CONFIG['base']}"


async def with_helpers() -> None:
    user = await get_user("ada")
    mails = await list_mails("inbox")
    print(user, mails)


async def with_the_environment() -> None:
    region = await get_region("north")
    weather = await get_weather("Oslo")
    print(region, weather)


async def that_only_read() -> None:
    one = await get_weather("Oslo")
    other = await get_weather("Rome")
    print(one, other)


async def behind_a_lock() -> None:
    lock = asyncio.Lock()

    @profiled
    async def get_price(name: str) -> str:
        async with lock:
            await asyncio.sleep(0.3)
        return "a price"

    one = await get_price("lamp")
    other = await get_price("desk")
    print(one, other)


@pytest.mark.parametrize(
    ("program", "advice", "why"),
    [
        (with_helpers, "potential", "get_user changes SEEN, which list_mails may read"),
        (with_the_environment, "potential", "whether get_region only reads is not known"),
        (
            behind_a_lock,
            "potential",
            "an earlier get_price and a later get_price use lock (an asyncio.Lock), so one may wait for the other",
        ),
        (
            that_only_read,
            "recommended",
            "the source shows that a later get_weather needs nothing of an earlier get_weather",
        ),
    ],
)
async def test_hidden_state_is_never_recommended(
    kit: Kit, monkeypatch: pytest.MonkeyPatch, program: Any, advice: str, why: str
) -> None:
    monkeypatch.setenv("OTEL_PARALLELISM_TEST", "")
    SEEN.clear()
    async with agent_turn("hidden") as turn:
        await program()
    assert turn.report is not None
    (finding,) = turn.report.findings
    assert finding.advice == advice
    assert finding.evidence[0].startswith(why)
