"""The day on which a pattern began: named where the days show it, and not where they do not."""

# ruff: noqa: S311 - samples, no secrets

from __future__ import annotations

from random import Random

import pytest
from amounts import some_of

from otel_parallelism.fleet.onsets import onset_of

DAYS = [f"2026-11-{day:02}" for day in range(1, 31)]


def drawn(random: Random, shares: list[float], turns: int) -> tuple[dict[str, int], dict[str, int]]:
    shown = {day: sum(random.random() < share for _ in range(turns)) for day, share in zip(DAYS, shares, strict=False)}
    return shown, dict.fromkeys(DAYS[: len(shares)], turns)


@pytest.mark.many
@pytest.mark.parametrize("began", some_of(range(3, 27), every=6))
def test_day_is_found(began: int) -> None:
    shown, turns = drawn(Random(began), [0.0] * began + [0.8] * (30 - began), 8)
    found = onset_of(shown, turns, tested=10)
    assert found is not None
    assert found.change == "began"
    assert found.day <= DAYS[began] <= found.latest


@pytest.mark.parametrize("part", [0.2, 0.4, 0.7])
def test_day_on_which_it_began_counts_though_it_began_late_that_day(part: float) -> None:
    shown, turns = drawn(Random(2), [0.0] * 11 + [part * 0.9] + [0.9] * 18, 200)
    found = onset_of(shown, turns)
    assert found is not None
    assert (found.day, found.latest) == (DAYS[11], DAYS[11])


@pytest.mark.many
def test_days_without_a_change_get_no_day() -> None:
    """Of 100 series without a change, about five may get a day; with ten patterns tested, hardly any."""
    random = Random(3)
    seeds = some_of(range(100), every=5)
    series = [drawn(random, [share] * 30, 12) for share in (0.3 for _ in seeds)]
    assert sum(onset_of(*one, tested=10) is not None for one in series) <= 1


def test_days_that_differ_among_themselves_are_no_change() -> None:
    random = Random(4)
    shares = [random.choice((0.1, 0.9)) for _ in DAYS]
    assert onset_of(*drawn(random, shares, 100), tested=3) is None


@pytest.mark.parametrize("days", [2, 5])
def test_few_days_are_not_enough(days: int) -> None:
    assert onset_of(*drawn(Random(5), [0.0] * (days // 2) + [1.0] * (days - days // 2), 100)) is None


def test_end_and_slow_rise() -> None:
    ended = onset_of(*drawn(Random(6), [0.9] * 12 + [0.0] * 18, 20))
    assert ended is not None
    assert (ended.change, ended.day) == ("ended", DAYS[12])
    rose = onset_of(*drawn(Random(7), [0.3] * 15 + [0.9] * 15, 40))
    assert rose is not None
    assert (rose.change, rose.day) == ("rose", DAYS[15])
    slow = onset_of(*drawn(Random(8), [day / 30 for day in range(30)], 10))
    assert slow is None or slow.day != slow.latest or slow.change == "began"


@pytest.mark.parametrize(("shown", "turns"), [({}, {}), ({}, dict.fromkeys(DAYS, 3)), (dict.fromkeys(DAYS, 3),) * 2])
def test_nothing_to_see(shown: dict[str, int], turns: dict[str, int]) -> None:
    assert onset_of(shown, turns) is None
