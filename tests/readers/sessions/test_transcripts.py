"""Each agent's transcripts, in two versions each, give the same turns and the same results."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pytest
from readers.sessions.written_sessions import WRITERS, Ask, Plan, Round, Session

from otel_parallelism.analysis.analyze import analyze_records
from otel_parallelism.dialects import classify
from otel_parallelism.readers.sessions.agent_turns import TranscriptCounts
from otel_parallelism.readers.sessions.session_spans import cancelled_batches, session_spans
from otel_parallelism.readers.sessions.transcript_places import transcript_places, turns_in
from tests.amounts import some_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from otel_parallelism.model import Report
    from otel_parallelism.readers.sessions.agent_turns import RecordedTurn
    from otel_parallelism.readers.sessions.transcript_places import TranscriptPlace


pytestmark = pytest.mark.many


def read(name: str, result: str = "plain text of a file", took: float = 1.0) -> Ask:
    return Ask("read", f"/srv/shop/{name}", result, took)


def one_by_one(*asks: Ask) -> list[Round]:
    return [Round(3, [ask]) for ask in asks]


PLANS = {
    "one by one": Plan("Explain it", one_by_one(read("a.py"), read("b.py"), read("c.py"))),
    "remarked": Plan("Explain it", [Round(3, [read("a.py")]), Round(3, [read("b.py")], "A mutex, aha. Next b.py.")]),
    "together": Plan("Explain them", [Round(3, [read("a.py"), read("b.py", took=1.5), read("c.py", took=2.0)])]),
    "found": Plan(
        "Where is charge_card?",
        one_by_one(
            Ask("search", "charge_card", "/srv/shop/billing_gateway.py:12: def charge_card("),
            read("billing_gateway.py"),
        ),
    ),
    "imported": Plan(
        "Explain main", one_by_one(read("main.py", "from .settings import load\nload()\n"), read("settings.py"))
    ),
    "reading commands": Plan(
        "What happened?",
        one_by_one(
            Ask("command", "git status", "On branch main"), Ask("command", "git log --oneline -3", "first commit")
        ),
    ),
    "writing commands": Plan(
        "Commit it",
        one_by_one(
            Ask("command", "git commit -m done", "one file changed"),
            Ask("command", "git push", "Up to date"),
        ),
    ),
    "edits": Plan(
        "Change it", one_by_one(Ask("edit", "/srv/shop/a.py", "Updated."), Ask("edit", "/srv/shop/b.py", "Updated."))
    ),
    "question": Plan(
        "Choose one", one_by_one(read("a.py"), Ask("ask", "Which one?", "The second", took=600.0), read("b.py"))
    ),
    "failed": Plan(
        "Look around",
        one_by_one(
            Ask("search", "one_name", "grep: bad pattern", failed=True), Ask("search", "another_name", "a.py:1: here")
        ),
    ),
}


class Told(NamedTuple):
    """What was read from the sessions of one form."""

    form: str
    reports: Mapping[str, Report]
    turns: list[RecordedTurn]
    places: list[TranscriptPlace]
    counts: TranscriptCounts


@pytest.fixture(scope="module", params=some_of(WRITERS, every=3))
def told(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Told:
    home = tmp_path_factory.mktemp("home")
    WRITERS[request.param](home, Session(list(PLANS.values())))
    counts, places = TranscriptCounts(), transcript_places(home=home, environment={})
    turns = list(turns_in(places, counts))
    reports = [report for turn in turns for report in analyze_records(session_spans(turn), classify).reports]
    return Told(request.param, dict(zip(PLANS, reports, strict=True)), turns, places, counts)


def test_everything_is_read(told: Told) -> None:
    counts = told.counts
    assert (counts.broken, counts.untimed, counts.unreadable, dict(counts.unknown)) == (0, 0, [], {})
    assert counts.files == 1
    assert {turn.agent for turn in told.turns} == {told.form.partition(" ")[0]}
    assert [turn.words for turn in told.turns] == [plan.words for plan in PLANS.values()]
    calls = [sum(len(each.asks) for each in plan.rounds) for plan in PLANS.values()]
    assert [report.calls for report in told.reports.values()] == calls


def test_reads_asked_for_one_at_a_time_are_found(told: Told) -> None:
    report = told.reports["one by one"]
    [finding] = report.findings
    assert (finding.advice, finding.cause, len(finding.calls)) == ("recommended", "model", 3)
    assert report.avoidable == pytest.approx(8.0, abs=0.01)
    assert (report.avoidable_steps, report.avoidable_tokens, report.avoidable_cached_tokens) == (2, 2_000, 1_200)


def test_reads_asked_for_together_lose_nothing(told: Told) -> None:
    report = told.reports["together"]
    assert (report.findings, report.verdict) == ((), "parallel")


def test_a_file_that_a_search_found_is_read_after_it(told: Told) -> None:
    assert told.reports["found"].verdict == "serial_by_need"


@pytest.mark.parametrize("name", ["remarked", "imported", "failed", "edits"])
def test_nothing_is_promised_where_a_result_may_have_led_to_the_next_call(told: Told, name: str) -> None:
    assert told.reports[name].avoidable == 0


def test_commands_are_judged_by_what_they_do(told: Told) -> None:
    assert told.reports["reading commands"].avoidable == pytest.approx(4.0, abs=0.01)
    writing = told.reports["writing commands"]
    assert (writing.avoidable, writing.avoidable_potential, writing.verdict) == (0, 0, "serial_by_need")


def test_waiting_for_the_person_is_no_loss(told: Told) -> None:
    report = told.reports["question"]
    assert sum(wait.duration_ns for wait in report.turn.waiting) == 600 * 10**9
    assert report.work == pytest.approx(2.0, abs=0.01)
    assert report.avoidable + report.avoidable_potential < 20


def test_a_turn_is_read_once_and_by_its_start(told: Told) -> None:
    assert len(list(turns_in([*told.places, *told.places], TranscriptCounts()))) == len(PLANS)
    second = told.turns[1].start_ns
    assert len(list(turns_in(told.places, TranscriptCounts(), since_ns=second))) == len(PLANS) - 1


def test_a_project_is_found_by_its_name(told: Told) -> None:
    project = "5" * 64 if told.form == "gemini-cli 0.20" else "shop"
    assert len(list(turns_in(told.places, TranscriptCounts(), project=project))) == len(PLANS)
    assert not list(turns_in(told.places, TranscriptCounts(), project="other"))


def test_no_batch_is_cancelled_without_a_sign(told: Told) -> None:
    assert [batch for turn in told.turns for batch in cancelled_batches(turn)] == []
