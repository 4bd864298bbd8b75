"""Model requests, and their input tokens, that requesting calls together would save."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from strategies import read, step, turn

from otel_parallelism.analysis.analyze import analyze
from otel_parallelism.settings import Settings

if TYPE_CHECKING:
    from otel_parallelism.model import Report


def rounds(*passed: tuple[str, str], tokens: tuple[int | None, ...] | None = None, **fields: object) -> Report:
    """Requests that alternate with calls of 2 s; *passed* are the argument and the result of each call."""
    tokens = tokens or (1_000,) * len(passed)
    inside = []
    for index, (given, returned) in enumerate(passed):
        inside.append(step(f"s{index}", 3 * index, 3 * index + 1, input_tokens=tokens[index]))
        inside.append(read(f"c{index}", 3 * index + 1, 3 * index + 3, given, returned, **fields))
    return analyze(turn(*inside), Settings())


@pytest.mark.parametrize(
    ("passed", "saved"),
    [
        ((("kiwi", "one"), ("lime", "two"), ("plum", "red"), ("fig", "oak")), 3),
        ((("kiwi", "rec_A1x7"), ("rec_A1x7", "rec_B2y8"), ("rec_B2y8", "rec_C3z9"), ("rec_C3z9", "oak")), 0),
        ((("kiwi", "rec_A1x7"), ("rec_A1x7", "two"), ("plum", "red"), ("fig", "oak")), 2),
        ((("kiwi", "rec_A1x7"), ("lime", "rec_B2y8"), ("rec_A1x7", "red"), ("rec_B2y8", "oak")), 2),
        ((("kiwi", "rec_A1x7"), ("lime", "two"), ("rec_A1x7", "rec_C3z9"), ("rec_C3z9", "oak")), 1),
    ],
    ids=["all at once", "a chain", "one pair", "two pairs side by side", "a chain of three and another call"],
)
def test_steps_on_the_longest_path_through_the_model_remain(passed: tuple[tuple[str, str], ...], saved: int) -> None:
    report = rounds(*passed)
    assert report.steps == 4
    assert report.avoidable_steps == saved
    assert report.avoidable_tokens == saved * 1_000


def test_saved_tokens_are_those_of_mean_requests() -> None:
    report = rounds(("kiwi", "one"), ("lime", "two"), ("plum", "red"), tokens=(1_000, 2_000, 6_000))
    assert (report.avoidable_steps, report.avoidable_tokens) == (2, 6_000)


def test_requests_without_usage_are_left_out_of_the_mean() -> None:
    report = rounds(("kiwi", "one"), ("lime", "two"), ("plum", "red"), tokens=(1_000, None, 3_000))
    assert (report.avoidable_steps, report.avoidable_tokens) == (2, 4_000)


def test_saved_tokens_are_none_without_usage() -> None:
    report = rounds(("kiwi", "one"), ("lime", "two"), tokens=(None, None))
    assert (report.avoidable_steps, report.avoidable_tokens) == (1, None)


def test_potential_findings_save_no_steps() -> None:
    report = rounds(("kiwi", "one"), ("lime", "two"), ("plum", "red"), tool="frobnicate")
    assert (report.avoidable_steps, report.avoidable_tokens) == (0, 0)
    assert [finding.advice for finding in report.findings] == ["potential"]


def test_calls_of_one_response_save_no_step() -> None:
    inside = [step("s", 0, 1, input_tokens=1_000)]
    inside += [
        read(f"c{index}", 1 + 2 * index, 3 + 2 * index, word, "fine") for index, word in enumerate(("fig", "oak"))
    ]
    report = analyze(turn(*inside), Settings())
    assert (report.avoidable_steps, report.avoidable_tokens) == (0, 0)
    assert [finding.cause for finding in report.findings] == ["dispatch"]
