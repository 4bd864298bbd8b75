from __future__ import annotations

from typing import TYPE_CHECKING

from strategies import call, turn

from otel_parallelism.analysis.analyze import analyze
from otel_parallelism.analysis.dependencies import experience as module
from otel_parallelism.analysis.dependencies.experience import Experience, overlapping_pairs, pairs_of
from otel_parallelism.settings import Settings

if TYPE_CHECKING:
    import pytest


def test_overlapping_tools_without_an_error_are_counted() -> None:
    known = Experience()
    together = turn(call("a", 0, 2, "x"), call("b", 1, 3, "y"), call("c", 3, 4, "z"))
    known.learn(together)
    known.learn(together)
    assert known.turns(["x", "y"]) == known.turns(["y", "x", "y"][:2]) == 2
    assert known.turns(["x", "z"]) == 0
    assert known.turns(["x", "y", "z"]) == 0
    assert known.turns(["x"]) == 0


def test_tool_overlapping_itself_is_counted() -> None:
    known = Experience()
    known.learn(turn(call("a", 0, 2, "x"), call("b", 1, 3, "x"), call("c", 1, 3, "y")))
    assert known.turns(["x", "x"]) == 1
    assert known.turns(["x", "y"]) == 1
    assert known.turns(["y", "y"]) == 0


def test_failed_unnamed_and_empty_calls_are_not_counted() -> None:
    known = Experience()
    known.learn(turn(call("a", 0, 2, "x"), call("b", 1, 3, "y", error=True), call("c", 1, 3, ""), call("d", 1, 1, "z")))
    known.learn(turn(call("t", 0, 4, "t"), call("a", 0, 2, "x", parent_id="t"), call("b", 1, 3, "y")))
    assert known.turns(["x", "y"]) == known.turns(["x", ""]) == known.turns(["x", "z"]) == 0


def test_number_of_pairs_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MAX_PAIRS", 1)
    known = Experience()
    first, second = turn(call("a", 0, 2, "x"), call("b", 1, 3, "y")), turn(call("a", 0, 2, "p"), call("b", 1, 3, "q"))
    for told in (first, second, first):
        known.learn(told)
    assert (known.turns(["x", "y"]), known.turns(["p", "q"])) == (2, 0)


def test_pairs_of_more_tools_than_are_remembered_are_not_made() -> None:
    tools = [f"t{number:03}" for number in range(142)]
    assert len(pairs_of([*tools[:141], "t000"])) == 141 * 140 // 2 + 1
    assert pairs_of(tools) == []
    known = Experience()
    known.learn_pairs(pairs_of(tools[:141]))
    assert known.turns(tools[:141]) == 1
    assert known.turns(tools) == 0


def test_pairs_of_one_turn_are_bounded() -> None:
    calls = [call(f"{number:03}", 0, 9, f"t{number:03}") for number in range(300)]
    assert 10_000 <= len(overlapping_pairs(turn(*calls))) < 10_150
    apart = [call(f"{number:03}", number, number + 1.5, f"t{number:03}") for number in range(300)]
    assert len(overlapping_pairs(turn(*apart))) == 299


def test_experience_adds_evidence_but_keeps_the_advice() -> None:
    known = Experience()
    known.learn(turn(call("a", 0, 2, "x"), call("b", 0, 2, "y")))
    report = analyze(turn(call("a", 0, 2, "x"), call("b", 2, 4, "y")), Settings(), known)
    (finding,) = report.findings
    assert finding.advice == "potential"
    assert any("1 earlier turn without" in sentence for sentence in finding.evidence)
