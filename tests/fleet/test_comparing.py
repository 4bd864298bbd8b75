"""Two inputs before and after a change: what is sure is said, and nothing else."""

# ruff: noqa: S311 - samples, no secrets

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import msgspec
import pytest
from amounts import some_of
from strategies import START_NS, call, turn

from otel_parallelism.fleet.agent_samples import Estimate, interval_of
from otel_parallelism.fleet.compared_side import ComparedSide
from otel_parallelism.fleet.comparing import compare
from otel_parallelism.model import Caller, Content, Finding, Report, Step, Turn

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from otel_parallelism.model.comparison_types import Comparison, Difference, Measure

DAY_NS = 86_400_000_000_000
SECOND_NS = 1_000_000_000


def reported(
    number: int,
    lost: float,
    *,
    agent: str = "clerk",
    duration: float = 4.0,
    day: int = 0,
    line: int = 7,
    advice: str = "recommended",
    cause: str = "code",
    asked: str = "",
) -> Report:
    one: Turn = msgspec.structs.replace(
        turn(call("a", 0, 1, tool="find"), call("b", 1, 2, tool="fetch")),
        agent=agent,
        span_id=f"{number:016x}",
        start_ns=START_NS + day * DAY_NS,
        end_ns=START_NS + day * DAY_NS + round(duration * SECOND_NS),
        steps=(Step("t", "s", "", START_NS, START_NS, input_tokens=1_000 + number % 7),),
        inputs=(Content(asked or f"request {number}"),),
    )
    finding = Finding(
        kind="sequential_chain",
        cause=cause,  # type: ignore[arg-type]
        advice=advice,  # type: ignore[arg-type]
        calls=("find", "fetch"),
        span_ids=("a", "b"),
        avoidable=lost,
        location=Caller("agent.py", line),
    )
    sure = advice == "recommended"
    return Report(
        turn=one,
        calls=2,
        verdict="sequential" if lost else "parallel",
        coverage=1.0,
        efficiency=1 - lost / duration if sure else 1.0,
        avoidable=lost if sure else 0.0,
        avoidable_potential=0.0 if sure else lost,
        findings=(finding,) if lost else (),
    )


def side_of(reports: Iterable[Report]) -> ComparedSide:
    side = ComparedSide()
    for report in reports:
        side.add(report)
    return side


def drawn(seed: int, turns: int, share: float, saved: float = 0.0) -> list[Report]:
    """Return turns that last about 4 s; a *share* of them loses about 1 s, and the others are *saved* that long."""
    random = Random(seed)
    found = []
    for number in range(turns):
        faulty = random.random() < share
        lost = random.uniform(0.8, 1.2) if faulty else 0.0
        found.append(reported(seed * 10_000 + number, lost, duration=random.uniform(3.5, 4.5) + lost - saved))
    return found


def differences(comparison: Comparison) -> dict[Measure, Difference]:
    [one] = comparison.agents
    return {each.measure: each for each in one.differences}


def fates(comparison: Comparison) -> list[str]:
    return [change.fate for change in comparison.changes]


def test_fault_that_came_is_worse_and_new() -> None:
    found = compare(side_of(drawn(1, 60, 0.0)), side_of(drawn(2, 60, 0.9)))
    by_measure = differences(found)
    assert found.worse
    assert [name for name, each in by_measure.items() if each.worse] == ["efficiency", "lost", "duration"]
    lost = by_measure["lost"]
    assert lost.low is not None
    assert lost.high is not None
    assert 0 < lost.low < 0.9 < lost.high
    assert fates(found) == ["new"]


def test_fault_that_is_fixed_is_gone_and_the_prediction_is_held() -> None:
    found = compare(side_of(drawn(1, 60, 0.9)), side_of(drawn(2, 60, 0.0)))
    assert not found.worse
    assert fates(found) == ["gone"]
    prediction = found.agents[0].prediction
    assert prediction is not None
    assert prediction.predicted == pytest.approx(0.9, abs=0.1)
    assert prediction.low < prediction.predicted < prediction.high
    assert prediction.outcome == "held"


@pytest.mark.parametrize(("saved", "outcome"), [(-0.9, "less"), (2.0, "more"), (-0.25, "less")])
@pytest.mark.slow
def test_prediction_that_did_not_hold(saved: float, outcome: str) -> None:
    prediction = compare(side_of(drawn(1, 200, 1.0)), side_of(drawn(2, 200, 0.0, saved))).agents[0].prediction
    assert prediction is not None
    assert prediction.outcome == outcome


@pytest.mark.many
@pytest.mark.slow
def test_same_population_differs_as_seldom_as_chance_allows() -> None:
    seeds = some_of(range(40), every=10)
    sure = 0
    for seed in seeds:
        found = compare(side_of(drawn(2 * seed + 100, 40, 0.3)), side_of(drawn(2 * seed + 101, 40, 0.3)), seed=seed)
        sure += any(each.sure for each in found.agents[0].differences)
        assert fates(found) == ["unchanged"]
    # One comparison in twenty is expected to be wrong.
    assert sure <= len(seeds) / 10


def test_order_of_turns_does_not_matter() -> None:
    before, after = drawn(1, 30, 0.5), drawn(2, 30, 0.2)
    shuffled = Random(1).sample(before, len(before)), Random(2).sample(after, len(after))
    assert compare(side_of(shuffled[0]), side_of(shuffled[1])) == compare(side_of(before), side_of(after))


def test_other_way_round_is_the_opposite() -> None:
    before, after = side_of(drawn(1, 40, 0.8)), side_of(drawn(2, 40, 0.0))
    there, back = compare(before, after), compare(after, before)
    for measure, each in differences(there).items():
        assert differences(back)[measure].difference == pytest.approx(-each.difference)
        assert differences(back)[measure].sure == each.sure
    assert (fates(there), fates(back)) == (["gone"], ["new"])


def test_few_turns_show_nothing() -> None:
    found = compare(side_of(drawn(1, 4, 0.0)), side_of(drawn(2, 4, 1.0)))
    assert not found.worse
    assert all(each.low is None for each in found.agents[0].differences)
    assert fates(found) == ["unsure"]


def test_number_of_turns_that_would_be_enough_is_enough() -> None:
    wide = Estimate(1.0, 0.5, 20, 20), Estimate(1.5, 0.5, 20, 20)
    unsure = interval_of(*wide, 0.05)
    assert unsure is not None
    assert unsure.low < 0 < unsure.high
    assert unsure.needed is not None
    smaller = 0.5 * (20 / unsure.needed) ** 0.5
    sure = interval_of(
        Estimate(1.0, smaller, unsure.needed, unsure.needed), Estimate(1.5, smaller, unsure.needed, unsure.needed), 0.05
    )
    assert sure is not None
    assert sure.low > 0


def test_small_difference_is_not_worse() -> None:
    before = [reported(at, 0.0, duration=4.0 + at % 2 * 0.001) for at in range(40)]
    after = [reported(100 + at, 0.0, duration=4.02 + at % 2 * 0.001) for at in range(40)]
    sure = differences(compare(side_of(before), side_of(after)))["duration"]
    assert (sure.sure, sure.worse) == (True, False)
    assert differences(compare(side_of(before), side_of(after), tolerance=0.001))["duration"].worse


def test_moved_line_is_the_same_pattern_and_another_cause_a_changed_one() -> None:
    before = [reported(at, 1.0, line=7) for at in range(20)]
    moved = [reported(100 + at, 1.0, line=9) for at in range(20)]
    assert fates(compare(side_of(before), side_of(moved))) == ["unchanged"]
    doubtful = [reported(200 + at, 1.0, advice="potential") for at in range(20)]
    [change] = compare(side_of(before), side_of(doubtful)).changes
    assert change.fate == "changed"
    assert change.now is not None
    assert change.now.advice == "potential"


def test_pattern_is_not_gone_where_its_tools_are_no_longer_called() -> None:
    other = [
        msgspec.structs.replace(report, turn=msgspec.structs.replace(report.turn, calls=()))
        for report in drawn(2, 60, 0.0)
    ]
    assert fates(compare(side_of(drawn(1, 60, 0.9)), side_of(other))) == ["unsure"]


def test_agents_of_one_side_are_named() -> None:
    found = compare(side_of([reported(1, 0.0, agent="old")]), side_of([reported(2, 0.0, agent="new")]))
    assert (found.only_before, found.only_after, found.agents) == (("old",), ("new",), ())


@pytest.mark.parametrize("asked", ["", "the same"])
def test_same_turn_before_and_after(asked: str) -> None:
    found = compare(side_of([reported(1, 1.0, asked=asked)]), side_of([reported(2, 0.0, asked=asked)]))
    [pair] = found.pairs
    assert pair.same_request is bool(asked)
    assert (pair.before.lost, pair.after.lost) == (1.0, 0.0)
    assert [name for name, *_ in pair.before.calls] == ["find", "fetch"]


def days_of(first: int, days: Sequence[bool]) -> list[Report]:
    return [
        reported(1_000 * (first + at) + number, 1.0 if faulty else 0.0, day=first + at)
        for at, faulty in enumerate(days)
        for number in range(5)
    ]


def test_day_is_found_in_one_input_and_over_two() -> None:
    alone = compare(side_of(days_of(0, [False] * 8 + [True] * 12)), None)
    assert (alone.turns_after, alone.worse, alone.agents) == (None, False, ())
    [pattern] = alone.dated
    assert pattern.onset is not None
    assert pattern.onset.change == "began"
    over_two = compare(side_of(days_of(0, [False] * 10)), side_of(days_of(10, [True] * 10)))
    [pattern] = over_two.dated
    assert pattern.onset is not None
    assert pattern.onset.day == pattern.onset.latest == pattern.first_day
    overlapping = compare(side_of(days_of(0, [False] * 10)), side_of(days_of(5, [True] * 10)))
    assert overlapping.dated == ()  # nothing changed within the second one
