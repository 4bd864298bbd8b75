"""Tests what code visibly changes outside itself, beside code that looks alike and changes nothing."""

from __future__ import annotations

import asyncio
import os
import threading
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from otel_parallelism import agent_turn, profiled
from otel_parallelism.tracing.bytecode.changes import changes_outside
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


def has_a_function_inside(word: str) -> Callable[[], None]:
    return lambda: Path(word).unlink()


@pytest.mark.parametrize(
    "function",
    [
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
    "function", [reads_the_environment, reads_a_file, opens_to_read, sets_what_it_made, reads_globals, print, Store]
)
def test_code_that_only_reads_outside_changes_nothing(function: Any) -> None:
    assert not changes_outside(function)


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
