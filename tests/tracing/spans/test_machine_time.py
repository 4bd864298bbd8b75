"""What of a long stretch the machine took, and that no finding comes of it."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from otel_parallelism import agent_turn, clock, names, profiled
from otel_parallelism.tracing.spans import machine_time
from otel_parallelism.tracing.spans.machine_time import Reading, body_ns, held_and_stalled_ns, read, take_reading
from tests.virtual_time import exactly

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Kit

    from otel_parallelism import Report

MS = 1_000_000


@pytest.fixture(autouse=True)
def _switch_interval(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "getswitchinterval", lambda: 0.005)


@pytest.mark.parametrize(
    ("counts", "held"),
    [
        pytest.param((0, 0, 0, 1, 0), 200, id="it slept"),
        pytest.param((0, 200, 0, 0, 0), 200, id="it computed"),
        pytest.param((150, 50, 0, 0, 0), 50, id="it computed on a busy machine"),
        pytest.param((20, 1, 0, 1, 0), 180, id="it slept, and was let run late"),
        pytest.param((196, 4, 0, 0, 0), 4, id="it was not let run"),
        pytest.param((300, 4, 0, 3, 0), 4, id="it was not let run before either"),
        pytest.param((0, 4, 0, 0, 0), 4, id="something unknown kept it from running"),
        pytest.param((0, 4, 0, 15, 15), 50, id="it waited for pages"),
        pytest.param((0, 10, 190, 38, 0), 10, id="another thread had the lock"),
        pytest.param((0, 2, 190, 2, 0), 190, id="it waited for something else beside a thread that computed"),
        pytest.param((50, 10, 30, 30, 0), 10, id="a thread with the lock was not let run"),
        pytest.param((0, 100, 150, 90, 0), 100, id="it computed, and had libraries compute beside it"),
        pytest.param((None, 60, 0, 1, 0), 60, id="delays are unknown"),
        pytest.param((0, 4, 0, None, 0), 200, id="waits are unknown"),
    ],
)
def test_only_what_is_certainly_the_bodys_own_counts(counts: tuple[Any, ...], held: int) -> None:
    delayed, computed, others, waits, faults = counts
    before = Reading(1000 * MS, 5000 * MS, 7000 * MS, 3000 * MS, 100, 10)
    now = Reading(
        1200 * MS,
        None if delayed is None else (5000 + delayed) * MS,
        (7000 + computed) * MS,
        (3000 + others) * MS,
        None if waits is None else 100 + waits,
        10 + faults,
    )
    assert body_ns(before, now, 1000 * MS, 1200 * MS) == held * MS


def test_what_came_between_the_reading_and_the_stretch_may_be_all_that_ran() -> None:
    before, now = Reading(900 * MS), Reading(1200 * MS, None, 150 * MS)
    assert body_ns(before, now, 1000 * MS, 1200 * MS) == 50 * MS
    assert body_ns(before, now, 1060 * MS, 1200 * MS) == 0


class Machine:
    """Counts what the operating system would count for the thread of a test."""

    def __init__(self) -> None:
        self.delayed_ns = self.computed_ns = self.waits = 0

    def read(self) -> Reading:
        return Reading(clock.now_ns(), self.delayed_ns, self.computed_ns, 0, self.waits)

    def stall(self, seconds: float) -> None:
        time.sleep(seconds)
        self.delayed_ns += round(seconds * 1e9)

    def compute(self, seconds: float) -> None:
        time.sleep(seconds)
        self.computed_ns += round(seconds * 1e9)

    def wait(self, seconds: float) -> None:
        time.sleep(seconds)
        self.waits += 1


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    found = Machine()
    monkeypatch.setattr(machine_time, "read", found.read)
    monkeypatch.setattr(machine_time, "_readings", machine_time._Readings())
    return found


def times(report: Report | None) -> list[tuple[float, float]]:
    """Return for how many seconds each call held the loop, and for how many the machine stalled meanwhile."""
    assert report is not None
    return [(call.blocked_ns / 1e9, call.stalled_ns / 1e9) for call in report.turn.calls]


def made_by(body: Callable[[], None], before: float = 0.0) -> Any:
    """Return a tool that waits for *before* seconds, and then runs *body* without giving the loop back."""

    @profiled(effect="read")
    async def fetch(key: str) -> str:
        await asyncio.sleep(before)
        body()
        return f"value of {key}"

    return fetch


async def test_a_stall_of_the_machine_is_no_blocking(kit: Kit, machine: Machine) -> None:
    def body() -> None:
        machine.stall(0.1)
        machine.compute(0.004)

    fetch = made_by(body, 0.05)
    async with agent_turn("assistant") as turn:
        await asyncio.gather(*(fetch(key) for key in "abc"))
    for report in (turn.report, kit.stored().reports[0]):
        assert report is not None
        assert (report.verdict, report.findings) == ("parallel", ())
        assert times(report) == [(0, exactly(0.104))] * 3
    assert all(names.BLOCKED not in (span.attributes or {}) for span in kit.calls())


@pytest.mark.parametrize("before", [0.0, 0.02], ids=["at once", "after waiting"])
async def test_computing_on_a_busy_machine_is_blocking(kit: Kit, machine: Machine, before: float) -> None:
    def body() -> None:
        machine.compute(0.06)
        machine.stall(0.24)

    fetch = made_by(body, before)
    async with agent_turn("assistant") as turn:
        await asyncio.gather(*(fetch(key) for key in "abc"))
    for report in (turn.report, kit.stored().reports[0]):
        assert report is not None
        (finding,) = report.findings
        assert (finding.cause, finding.advice) == ("blocking", "recommended")
        assert finding.evidence[0].endswith("each for 0.06 s")


async def test_a_call_inside_does_not_hide_a_stall_from_the_call_around(kit: Kit, machine: Machine) -> None:
    inner = made_by(lambda: machine.stall(0.1))

    @profiled(effect="read")
    async def outer(key: str) -> Any:
        return await inner(key)

    async with agent_turn("assistant") as turn:
        await outer("a")
    assert times(turn.report) == [(0, exactly(0.1))] * 2


async def test_what_a_thread_lost_before_a_call_is_not_held_against_it(kit: Kit, machine: Machine) -> None:
    fetch = made_by(lambda: machine.wait(0.2))
    async with agent_turn("assistant") as turn:
        await fetch("a")
        machine.stall(5)
        await fetch("b")
    assert times(turn.report) == [(exactly(0.2), 0)] * 2


async def test_no_stall_is_known_where_delays_are_not(
    kit: Kit, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine_time, "read", lambda: Reading(clock.now_ns(), None, machine.computed_ns))

    def body() -> None:
        machine.wait(0.1)
        machine.compute(0.02)

    async with agent_turn("assistant", input="alpha or beta") as turn:
        await made_by(body)("alpha")
        await made_by(body)("beta")
    assert times(turn.report) == [(exactly(0.02), 0)] * 2
    assert turn.report is not None
    assert turn.report.avoidable == exactly(0.12)


async def test_what_only_a_quiet_machine_would_save_is_no_finding(kit: Kit, machine: Machine) -> None:
    """The calls were made together; what each held the loop for is too short to matter."""
    fetch = made_by(lambda: machine.stall(0.1))

    async def run() -> None:
        async with agent_turn("assistant", input="alpha, beta or gamma"):
            await asyncio.gather(*(fetch(key) for key in ("alpha", "beta", "gamma")))

    await run()
    assert [kit.reports[-1].findings, kit.stored().reports[-1].findings] == [(), ()]
    assert kit.reports[-1].avoidable == 0


async def test_nearly_all_counts_as_all(kit: Kit, machine: Machine) -> None:
    def body() -> None:
        machine.wait(0.2)
        machine.stall(0.01)

    async with agent_turn("assistant") as turn:
        await made_by(body)("a")
    assert times(turn.report) == [(exactly(0.21), 0)]


def test_few_readings_are_kept_and_an_early_stretch_is_compared_with_the_threads_start(machine: Machine) -> None:
    began_ns = take_reading().at_ns
    machine.delayed_ns = 3 * MS
    for _ in range(100):
        machine.wait(0.01)
        take_reading()
    assert len(machine_time._readings.taken) == 64 * 6
    machine.wait(0.01)
    machine.delayed_ns = 123 * MS
    ended_ns = clock.now_ns()
    # What the thread had lost before the stretch counts as well, since nothing tells it apart.
    assert held_and_stalled_ns(began_ns, ended_ns) == (ended_ns - began_ns - 123 * MS, 123 * MS)
    assert held_and_stalled_ns(ended_ns - 12 * MS, ended_ns) == (0, 12 * MS)


@pytest.mark.parametrize("reading", [Reading(5, None, 7, 3, None, 2), Reading(5, 1, 2, 3, 4, 6)])
def test_a_kept_reading_comes_back_as_it_was(reading: Reading) -> None:
    readings = machine_time._Readings()
    for at_ns in (1, 5, 9):
        readings.keep(msgspec.structs.replace(reading, at_ns=at_ns))
    assert readings.before(8) == readings.before(5) == reading
    assert readings.before(9).at_ns == 9
    assert readings.before(0) == Reading()


def test_a_forked_process_counts_anew(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    machine.computed_ns = 500 * MS
    take_reading()
    monkeypatch.setattr(os, "getpid", lambda: -1)
    machine.computed_ns = 0
    began_ns = clock.now_ns()
    machine.compute(0.2)
    assert held_and_stalled_ns(began_ns, clock.now_ns())[0] / 1e9 == exactly(0.2)


def test_delays_are_those_that_the_system_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    counts = tmp_path / "schedstat"
    monkeypatch.setattr(machine_time, "_DELAYS", str(counts))
    known: dict[str, int | None] = {"90008930 315851 24\n": 315851, "": None}
    for text, delayed_ns in known.items():
        counts.write_text(text)
        assert read().delayed_ns == (delayed_ns if sys.platform == "linux" else 0)
    counts.unlink()
    assert read().delayed_ns == (None if sys.platform == "linux" else 0)


@pytest.mark.parametrize(("load", "delayed_ns"), [(0.5, 0), (1000.0, None), (None, 0)])
def test_elsewhere_the_load_of_the_machine_tells(
    load: float | None, delayed_ns: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def averages() -> tuple[float, float, float]:
        if load is None:
            raise OSError
        return load, 0.0, 0.0

    monkeypatch.setattr(machine_time, "_usage", None)
    monkeypatch.setattr(os, "getloadavg", averages, raising=False)
    found = read()
    assert (found.delayed_ns, found.waits, found.faults) == (delayed_ns, None, 0)


def test_counts_that_cannot_be_read_tell_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> int:
        raise OSError

    monkeypatch.setattr(clock, "thread_ns", fail)
    found = read()
    assert (found.delayed_ns, found.computed_ns, found.waits) == (None, 0, 0)
