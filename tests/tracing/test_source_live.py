"""Findings that rest on the source of the running program."""

from __future__ import annotations

import asyncio
import inspect
import linecache
from typing import TYPE_CHECKING, Any

import pytest

from otel_parallelism import agent_turn, profiled

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from conftest import Kit

    from otel_parallelism import Report


@profiled(effect="read")
async def get(key: object, seconds: float = 2) -> str:
    await asyncio.sleep(seconds)
    return f"{key}-result-4711"


async def five() -> None:
    await get("a")
    await get("b")
    await get("c")
    await get("d")
    await get("e")


async def hundred() -> None:
    pages = []
    for number in range(100):
        pages.append(await get(number, 1))  # noqa: PERF401 - the loop is under test


@profiled(effect="read")
async def summary() -> list[str]:
    return [await get("w", 1), await get("x", 1), await get("y", 1), await get("z", 1)]


async def helper(key: str) -> str:
    return await get(key)


async def deeper(key: str) -> str:
    text = await helper(key)
    return text.upper()


async def through_helpers() -> None:
    for key in ("a", "b", "c"):
        await deeper(key)


async def helper_with_two(key: str) -> tuple[str, str]:
    x = await get(key)
    y = await get("other")
    return x, y


async def two_in_a_helper() -> None:
    last = "first"
    for _ in range(2):
        _, last = await helper_with_two(last)


async def carried_through_helpers() -> None:
    key = "a"
    for _ in range(3):
        key = await deeper(key)


async def guarded() -> None:
    if await get("access"):
        await get("document")


async def comprehension() -> None:
    [await get(key) for key in ("a", "b", "c")]


async def polled() -> None:
    while True:
        state = await get("job", 1)
        if state == "done":
            break
        if state:
            await asyncio.sleep(1)
            return


async def gathered_then_serial() -> None:
    await asyncio.gather(get("p"), get("q"))
    for key in ("a", "b", "c"):
        await get(key)


LOCK = asyncio.Lock()
LAST = [""]


async def under_a_lock(key: str) -> str:
    async with LOCK:
        return await get(key)


async def after_the_last(key: str) -> str:
    LAST[0] += key
    return await get(LAST[0])


async def spaced_out(key: str) -> str:
    await asyncio.sleep(0.5)
    return await get(key)


class Turnstile:
    """Stands for what lets one pass at a time."""

    async def __aenter__(self) -> None:
        """Wait."""

    async def __aexit__(self, *_: object) -> None:
        """Let the next one pass."""


async def through_a_turnstile(key: str) -> str:
    async with Turnstile():
        return await get(key)


async def in_time(key: str) -> str:
    async with asyncio.timeout(50):
        await asyncio.sleep(0)
        return await get(key)


@profiled(effect="read")
async def collect(key: str, found: list[str]) -> None:
    await asyncio.sleep(1)
    found.append(key)


@profiled(effect="read")
async def join(texts: list[str]) -> str:
    await asyncio.sleep(1)
    return " ".join(texts)


async def read_once_collected() -> None:
    found: list[str] = []
    await collect("a", found)
    await join(found)


async def collected_in_turn() -> None:
    found: list[str] = []
    await collect("a", found)
    await collect("b", found)


async def spaced_out_in_a_helper() -> None:
    await spaced_out("a")
    await spaced_out("b")


async def in_a_block_of_a_helper() -> None:
    await through_a_turnstile("a")
    await through_a_turnstile("b")


async def in_time_in_a_helper() -> None:
    await in_time("a")
    await in_time("b")


def with_a_lock(function: Callable[[str], Coroutine[Any, Any, str]]) -> Callable[[str], Coroutine[Any, Any, str]]:
    async def locked(key: str) -> str:
        async with LOCK:
            return await function(key)

    return locked


get_under_lock = with_a_lock(get)


async def locked_in_a_helper() -> None:
    await under_a_lock("a")
    await under_a_lock("b")


async def locked_in_a_decorator() -> None:
    await get_under_lock("a")
    await get_under_lock("b")


async def locked_deeper() -> None:
    for key in ("a", "b"):
        await asyncio.wait_for(under_a_lock(key), 5)


async def changed_in_a_helper() -> None:
    await after_the_last("a")
    await after_the_last("b")


async def report_of(kit: Kit, function: Callable[[], Coroutine[Any, Any, Any]]) -> Report:
    async with agent_turn("assistant"):
        # The function is the outermost one of its task, so it is known to run once.
        await asyncio.create_task(function())
    return kit.reports[-1]


def line_of(function: Callable[..., Any], text: str) -> int:
    lines, first = inspect.getsourcelines(function)
    return first + next(number for number, line in enumerate(lines) if text in line)


@pytest.mark.parametrize(
    "function",
    [
        locked_in_a_helper,
        locked_in_a_decorator,
        locked_deeper,
        changed_in_a_helper,
        spaced_out_in_a_helper,
        in_a_block_of_a_helper,
    ],
)
async def test_helpers_that_wait_or_change_something_leave_the_calls_open(
    kit: Kit, function: Callable[[], Coroutine[Any, Any, None]]
) -> None:
    report = await report_of(kit, function)
    assert [finding.advice for finding in report.findings] == ["potential"]
    assert report.avoidable == 0


async def test_a_list_to_which_one_call_adds_and_that_another_reads_ties_them(kit: Kit) -> None:
    (finding,) = (await report_of(kit, read_once_collected)).findings
    assert finding.advice == "potential"
    assert finding.evidence == ("found, which collect and join were both given, is changed by one of them",)
    (finding,) = (await report_of(kit, collected_in_turn)).findings
    assert finding.advice == "recommended"


async def test_a_time_limit_in_a_helper_delays_no_call(kit: Kit) -> None:
    (finding,) = (await report_of(kit, in_time_in_a_helper)).findings
    assert (finding.cause, finding.advice) == ("code", "recommended")


async def test_five_reads_one_by_one_can_run_together(kit: Kit) -> None:
    report = await report_of(kit, five)
    (finding,) = report.findings
    assert (finding.cause, finding.advice, len(finding.calls)) == ("code", "recommended", 5)
    assert (finding.avoidable, report.efficiency) == (pytest.approx(8, abs=0.01), pytest.approx(0.2, abs=0.01))
    assert report.verdict == "sequential"
    assert any("the source shows" in sentence for sentence in finding.evidence)


async def test_hundred_reads_in_a_loop_can_run_together(kit: Kit) -> None:
    report = await report_of(kit, hundred)
    (finding,) = report.findings
    assert (finding.cause, finding.advice, len(finding.calls)) == ("code", "recommended", 100)
    assert finding.avoidable >= 89
    assert finding.location is not None
    assert finding.location.line_number == line_of(hundred, "for number")


async def test_reads_inside_a_tool_can_run_together(kit: Kit) -> None:
    report = await report_of(kit, summary)
    (finding,) = report.findings
    assert (finding.cause, finding.advice, len(finding.calls)) == ("code", "recommended", 4)
    assert finding.avoidable == pytest.approx(3, abs=0.01)


async def test_calls_through_helpers_are_judged_where_the_helpers_are_called(kit: Kit) -> None:
    (finding,) = (await report_of(kit, through_helpers)).findings
    assert (finding.advice, len(finding.calls)) == ("recommended", 3)
    assert finding.location is not None
    assert finding.location.line_number == line_of(through_helpers, "for key")


async def test_value_carried_through_helpers_ties_the_calls(kit: Kit) -> None:
    report = await report_of(kit, carried_through_helpers)
    assert not [finding for finding in report.findings if finding.advice == "recommended"]


async def test_calls_of_one_helper_in_a_loop_are_tied_by_the_loop(kit: Kit) -> None:
    report = await report_of(kit, two_in_a_helper)
    graph = [finding for finding in report.findings if finding.advice == "recommended" and len(finding.calls) > 2]
    assert graph == []


async def test_condition_on_a_result_ties_the_calls(kit: Kit) -> None:
    report = await report_of(kit, guarded)
    assert (report.findings, report.verdict) == ((), "serial_by_need")


REGION = ["eu"]


@profiled(effect="read")
async def get_fee(key: str) -> str:
    await asyncio.sleep(2)
    return f"{key} in {REGION[0]}"


async def region_changed_between() -> None:
    await get_fee("a")
    REGION[0] = "us"
    await get_fee("a b")


async def other_list_changed_between() -> None:
    done = [""]
    done[0] = await get_fee("a")
    await get_fee("a b")


async def ended_by_what_came_back() -> None:
    good = 0

    def note(text: str) -> None:
        nonlocal good
        good += "result" in text

    for key in ("a", "b"):
        note(await get(key))
        if good > 1:
            break


@pytest.mark.parametrize(
    ("function", "advice"),
    [
        (ended_by_what_came_back, "potential"),
        (region_changed_between, "potential"),
        (other_list_changed_between, "recommended"),
    ],
)
async def test_what_the_later_call_reads_may_be_changed_between(
    kit: Kit, function: Callable[[], Coroutine[Any, Any, Any]], advice: str
) -> None:
    async with agent_turn("assistant", input="the fees of a and b"):
        await asyncio.create_task(function())
    (finding,) = kit.reports[-1].findings
    assert finding.advice == advice
    if function is region_changed_between:
        assert any("REGION[0] is changed in between" in sentence for sentence in finding.evidence)


async def test_comprehension_can_run_together(kit: Kit) -> None:
    (finding,) = (await report_of(kit, comprehension)).findings
    assert (finding.advice, len(finding.calls)) == ("recommended", 3)


async def test_loop_beside_a_gather_is_named(kit: Kit) -> None:
    (finding,) = (await report_of(kit, gathered_then_serial)).findings
    assert finding.location is not None
    assert finding.location.line_number == line_of(gathered_then_serial, "for key")


PROGRAM = """
async def main(get):
    x = await get("a")
    if x:
        await get("b")
"""


@pytest.mark.parametrize(("edited", "verdict"), [(False, "serial_by_need"), (True, "other")])
async def test_text_of_other_code_is_not_used(kit: Kit, edited: bool, verdict: str) -> None:
    name = f"<program {edited}>"
    namespace: dict[str, Any] = {}
    exec(compile(PROGRAM, name, "exec"), namespace)  # noqa: S102 - code without a file, as a notebook's cell
    text = PROGRAM.replace("    if x:\n        ", "    ") if edited else PROGRAM
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    report = await report_of(kit, lambda: namespace["main"](get))
    assert (report.verdict == "serial_by_need") is (verdict == "serial_by_need")
