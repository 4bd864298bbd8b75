"""Calls that ran together although they had better not: what is reported, and in which similar cases nothing is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace
from strategies import call, step, turn

from otel_parallelism.analysis.analyze import analyze
from otel_parallelism.analysis.findings.over_parallel.excess import seen_failure
from otel_parallelism.model import Analysis, Call, Content, Coverage, Finding
from otel_parallelism.reports.text import render_text
from otel_parallelism.settings import Settings

if TYPE_CHECKING:
    from otel_parallelism.model import Observation, Report

ASKED = Content("ship what Ada ordered")
USER, ORDER = "usr_83f1c2", "ord_55d09e"


def done(  # noqa: PLR0917 - a call in one line
    span_id: str, start: float, end: float, tool: str, given: object, got: object, **fields: Any
) -> Call:
    """Return a call with its arguments and its result, asked for with its span id."""
    known = {"arguments": Content(given), "result": Content(got), "call_id": span_id}
    return call(span_id, start, end, tool, **{**known, **fields})


def failed(span_id: str, start: float, end: float, tool: str, given: object, **fields: Any) -> Call:
    """Return a call that raised an exception."""
    fields = {"failure": "failed", **fields}
    return call(span_id, start, end, tool, arguments=Content(given), error=True, call_id=span_id, **fields)


def report_of(*inside: Observation, said: Content | None = ASKED, **settings: Any) -> Report:
    return analyze(turn(*inside, input=said), Settings(**settings))


def found(*inside: Observation, said: Content | None = ASKED) -> list[Finding]:
    return [one for one in report_of(*inside, said=said).findings if one.kind == "over_parallel"]


# One needed a value that another of the same batch returned.


def asked(*ids: str, at: float, last: bool = False) -> Observation:
    return step(f"s{at}", at, at + 0.5, requested=() if last else ids)


FIND = done("a", 1, 2, "find_user", {"name": "Ada"}, {"id": USER})
"""Returns the id of a user that nothing before contains."""

SHIP = {"user": USER, "express": True}
SHIPPED = done("c", 4, 5, "ship_order", SHIP, "shipped")


def test_placeholder_was_filled_with_what_a_sibling_returned() -> None:
    guess = done("b", 1, 3, "ship_order", {"user": "<id of the user>", "express": True}, "Error: bad user")
    (finding,) = found(asked("a", "b", at=0), FIND, guess, asked("c", at=3.2), SHIPPED)
    assert (finding.cause, finding.advice, finding.avoidable) == ("over_parallel", "potential", 1.0)
    assert finding.span_ids == ("a", "b", "c")
    assert finding.evidence == (
        "ship_order ran beside find_user, and had to run again with a value that find_user returned",
    )
    assert finding.recommendation == (
        "Have the model ask for ship_order only after find_user has returned (say so in the system prompt)."
    )


def test_missing_argument_was_filled_with_what_a_sibling_returned_in_code() -> None:
    guess = failed("b", 1, 3, "ship_order", {"user": None, "express": True})
    (finding,) = found(FIND, guess, SHIPPED)
    assert finding.recommendation == "Await find_user before ship_order."


def test_thing_did_not_exist_until_a_sibling_had_made_it() -> None:
    create = done("a", 1, 2, "create_user", {"name": "Ada"}, {"id": USER})
    guess = failed("b", 1, 2, "ship_order", SHIP, failure="missing")
    (finding,) = found(asked("a", "b", at=0), create, guess, asked("c", at=3), SHIPPED)
    assert (finding.span_ids, finding.avoidable) == (("a", "b", "c"), 0.0)


def needed_otherwise(case: str) -> list[Observation]:
    """Return a turn that resembles the ones above, where the calls of the batch did not need each other."""
    first, then = asked("a", "b", at=0), asked("c", at=3.2)
    guess = done("b", 1, 3, "ship_order", {"user": "<id of the user>", "express": True}, "Error: bad user")
    create = done("a", 1, 2, "create_user", {"name": "Ada"}, {"id": USER})
    tried = {
        "failed for another reason": [create, failed("b", 1, 3, "ship_order", SHIP, failure="timed_out")],
        "another address from a search": [
            done("a", 1, 2, "search", {"q": "Ada"}, {"url": "https://b.example/ada"}),
            failed("b", 1, 3, "fetch", {"url": "https://a.example/ada"}, failure="missing"),
        ],
        "optional argument left out": [FIND, done("b", 1, 3, "ship_order", {"express": True}, "shipped to all")],
        "value from a later call": [done("a", 1, 2, "find_user", {"name": "Ada"}, "2 users"), guess],
        "asked again with other arguments too": [
            FIND,
            done("b", 1, 3, "ship_order", {"user": "<id of the user>", "express": False}, "Error: bad user"),
        ],
        "not beside it": [FIND, done("b", 2.1, 3, "ship_order", {"user": "<id of the user>", "express": True}, "bad")],
        "failed again": [FIND, guess],
        "polled": [FIND, done("b", 1, 3, "ship_order", SHIP, "pending")],
    }[case]
    again = SHIPPED
    if case == "another address from a search":
        again = done("c", 4, 5, "fetch", {"url": "https://b.example/ada"}, "page")
    if case == "failed again":
        again = failed("c", 4, 5, "ship_order", SHIP)
    between = [done("d", 3.1, 3.15, "pick_user", {"of": 2}, {"id": USER})] if case == "value from a later call" else []
    return [first, *tried, *between, then, again]


@pytest.mark.parametrize(
    "case",
    [
        "failed for another reason",
        "another address from a search",
        "optional argument left out",
        "value from a later call",
        "asked again with other arguments too",
        "not beside it",
        "failed again",
        "polled",
    ],
)
def test_calls_that_did_not_need_each_other(case: str) -> None:
    assert found(*needed_otherwise(case)) == []


def test_value_that_the_user_said_proves_nothing() -> None:
    guess = done("b", 1, 3, "ship_order", {"user": "<id of the user>", "express": True}, "Error: bad user")
    spans = (asked("a", "b", at=0), FIND, guess, asked("c", at=3.2), SHIPPED)
    assert found(*spans, said=Content(f"ship for {USER}")) == []
    assert found(*spans, said=None) == []


# One failure that cancelled the calls beside it.


def gathered(*, how: str = "failed", stop: float = 2.0, **cancelled: Any) -> list[Observation]:
    """Three calls in a task group, two of them cancelled by the failure of the first and made again."""
    fields = {"failure": "cancelled", **cancelled}
    return [
        failed("a", 1, 2, "get_price", {"item": "lamp"}, failure=how),
        failed("b", 1, stop, "read_page", {"page": 1}, **fields),
        failed("c", 1, stop, "read_page", {"page": 2}, **fields),
        done("d", 3, 5, "read_page", {"page": 1}, "text 1"),
        done("e", 3, 6, "read_page", {"page": 2}, "text 2"),
        done("f", 3, 4, "get_price", {"item": "desk lamp"}, 12),
    ]


def test_failure_cancelled_siblings_that_ran_again() -> None:
    (finding,) = found(*gathered())
    assert (finding.cause, finding.advice, finding.span_ids) == ("over_parallel", "potential", ("a", "b", "c"))
    # Without their repetition the second batch ends 2 s sooner; the first one would have ended 2 s later.
    assert finding.avoidable == 0.0
    assert finding.evidence == ("get_price failed and cancelled 2 calls beside it, which ran again later",)
    assert finding.recommendation == (
        "Let read_page ×2 finish when get_price fails: asyncio.gather with return_exceptions=True, "
        'otel_parallelism.run_tools, or parallel_map with on_error="return".'
    )


def test_work_of_cancelled_siblings_counts_where_the_failure_came_late() -> None:
    spans = [
        *gathered()[:1],
        failed("b", 0, 2, "read_page", {"page": 1}, failure="cancelled"),
        done("d", 3, 5.5, "read_page", {"page": 1}, "text 1"),
    ]
    (finding,) = found(*spans)
    assert finding.avoidable == 2.0


@pytest.mark.parametrize(
    "spans",
    [
        pytest.param(gathered(how="cancelled"), id="the user cancelled all of them"),
        pytest.param(gathered(how="timed_out"), id="a timeout of the batch"),
        pytest.param([done("a", 1, 2, "get_price", "lamp", 12), *gathered()[1:]], id="the first success is enough"),
        pytest.param([*gathered(), done("g", 1, 1.99, "get_rate", "lamp", 3)], id="a success at the same time"),
        pytest.param(gathered(stop=2.5), id="cancelled later, for another reason"),
        pytest.param(gathered()[:3], id="not made again"),
        pytest.param([*gathered()[:3], done("d", 3, 5, "read_page", {"page": 7}, "x")], id="made with other arguments"),
        pytest.param(gathered(failure="failed"), id="failures of their own"),
        pytest.param([*gathered()[:3], failed("d", 3, 5, "read_page", {"page": 1})], id="made again and failed"),
    ],
)
def test_calls_that_no_failure_cancelled(spans: list[Observation]) -> None:
    assert found(*spans) == []


# Bursts that a rate limit answered.


def burst(start: float, width: int, ok: int, *, tool: str = "search", prefix: str = "b", **error: Any) -> list[Call]:
    """Return *width* calls that begin one after another, 1 ms apart; those after the first *ok* fail within 20 ms."""
    fields = {"failure": "rate_limited", **error}
    calls = []
    for at in range(width):
        begins = start + at / 1000
        name, given = f"{prefix}{at}", {"q": f"{prefix}{at}"}
        if at < ok:
            calls.append(done(name, begins, begins + 1, tool, given, f"rows {at}"))
        else:
            calls.append(failed(name, begins, begins + 0.02, tool, given, **fields))
    return calls


def retried(start: float, count: int, *, tool: str = "search") -> list[Call]:
    """Return calls one by one, with success."""
    return [
        done(f"r{start}.{at}", start + at, start + at + 0.9, tool, {"q": f"r{at}"}, f"rows of {at}")
        for at in range(count)
    ]


def test_rate_limit_answered_what_began_beside_many() -> None:
    (finding,) = found(*burst(1, 10, 4), *retried(3, 2))
    assert (finding.cause, finding.advice, finding.limit, finding.avoidable) == ("over_parallel", "potential", 4, 0.0)
    assert len(finding.calls) == 6
    assert finding.evidence == (
        ("a rate limit refused 6 of the 6 calls of search that began while 4 or more others ran, and none of the rest"),
    )
    assert finding.recommendation == (
        "Run no more than 4 calls of search at once: otel_parallelism.parallel_map or run_tools with limit=4, or with "
        "rate= if the service counts calls per second."
    )


def test_rate_limit_that_only_the_results_tell() -> None:
    calls = [
        done(one.span_id, 1 + at / 1000, 1.5 + at / 1000, "search", {"q": at}, "429 Too Many Requests")
        if one.error
        else one
        for at, one in enumerate(burst(1, 10, 4))
    ]
    (finding,) = found(*calls, *retried(3, 2))
    assert finding.limit == 4


@pytest.mark.parametrize(
    "spans",
    [
        pytest.param([*burst(1, 10, 9), *retried(3, 2)], id="a single one"),
        pytest.param([*burst(1, 10, 0), *retried(3, 2)], id="all of them, whatever the width"),
        pytest.param([*burst(1, 10, 4)], id="no success ever after"),
        pytest.param(
            [*burst(1, 10, 4), *burst(3, 1, 0, prefix="x"), *retried(5, 2)], id="one that ran alone was answered so too"
        ),
        pytest.param([*burst(1, 10, 4, failure="failed"), *retried(3, 2)], id="other errors"),
        pytest.param([*retried(-58, 50), *burst(1, 10, 4), *retried(3, 2)], id="an allowance used up before"),
        pytest.param(
            [*burst(1, 3, 2), *burst(1, 3, 2, tool="fetch", prefix="f"), *retried(3, 4)], id="one each of two tools"
        ),
        pytest.param([*burst(1, 20, 4)[:6], *burst(3, 14, 14, prefix="w"), *retried(6, 2)], id="wider without any"),
    ],
)
def test_rate_limits_that_the_width_does_not_explain(spans: list[Observation]) -> None:
    assert found(*spans) == []


def test_used_up_allowance_is_no_rate_limit() -> None:
    calls = [
        done(one.span_id, 1 + at / 1000, 1.5 + at / 1000, "search", {"q": at}, "429: you exceeded your daily quota")
        if one.error
        else one
        for at, one in enumerate(burst(1, 10, 4))
    ]
    assert found(*calls, *retried(3, 2)) == []


# Durations that grow with the width.

WIDTHS = (1, 4, 2, 8, 1, 8, 4, 2, 8, 1, 2, 4)


def slowing(
    seconds: Any,
    widths: tuple[int, ...] = WIDTHS,
    *,
    given: Any = lambda _: "same",
    got: Any = lambda _: "row",
    **f: Any,
) -> list[Call]:
    """Return bursts of these *widths*, whose calls take ``seconds(width, position of the burst)`` each."""
    calls, start = [], 1.0
    for number, width in enumerate(widths):
        length = seconds(width, number)
        calls += [
            done(
                f"n{number}.{at}", start + at / 1e5, start + length + at / 1e5, "render", given(width), got(width), **f
            )
            for at in range(width)
        ]
        start += length + 1
    return calls


def test_durations_grow_with_the_width_until_nothing_is_gained() -> None:
    (finding,) = found(*slowing(lambda width, number: max(1.0, width / 2) + 0.001 * (number % 3)))
    assert (finding.cause, finding.advice, finding.limit, finding.avoidable) == ("over_parallel", "potential", 2, 0.0)
    assert len(finding.calls) == 24
    assert finding.evidence == (
        (
            "in 12 bursts, render took longer the more of it ran at once: 1 s with 2, 4 s with 8, so that 8 at once "
            "got no more done"
        ),
    )
    assert finding.recommendation == (
        "Run no more than 2 calls of render at once (otel_parallelism.parallel_map or run_tools with limit=2): more at "
        "once is no faster, and slows down what shares the service."
    )


def test_nothing_is_gained_by_any_width() -> None:
    (finding,) = found(*slowing(lambda w, n: w / 2))
    assert (finding.limit, finding.recommendation[:36]) == (1, "Run calls of render one at a time (o")


@pytest.mark.parametrize(
    "spans",
    [
        pytest.param(slowing(lambda w, n: 1 + w / 8), id="wider is still faster in all"),
        pytest.param(slowing(lambda w, n: w / 2, given=lambda w: "x" * w), id="the calls are given more"),
        pytest.param(
            slowing(lambda w, n: w / 2, given=lambda w: {"rows": 10**w}), id="the calls are given larger numbers"
        ),
        pytest.param(slowing(lambda w, n: w / 2, got=lambda w: "x" * w), id="the calls return more"),
        pytest.param(slowing(lambda w, n: w / 2, tuple(sorted(WIDTHS))), id="the service slows down with time"),
        pytest.param(slowing(lambda w, n: w / 2, WIDTHS[:7]), id="too few bursts"),
        pytest.param(slowing(lambda w, n: w / 2, (1, 8) * 6), id="two widths only"),
        pytest.param(slowing(lambda w, n: 1 + (n * 7 % 12) / 4), id="noise"),
        pytest.param(slowing(lambda w, n: 4.0 if w == 4 else 1.0), id="one width is slow"),
        pytest.param(slowing(lambda w, n: w / 2, arguments=None), id="arguments that were not captured"),
        pytest.param(slowing(lambda w, n: w / 2, result=Content("row", whole=False)), id="results in part"),
    ],
)
def test_durations_that_the_width_does_not_explain(spans: list[Observation]) -> None:
    assert found(*spans) == []


# What is common to all of them.


def test_finding_changes_no_number_and_can_be_silenced() -> None:
    spans = (*burst(1, 10, 4), *retried(3, 2))
    report = report_of(*spans)
    silenced = report_of(*spans, silence=("cause:over_parallel",))
    assert [one.kind for one in silenced.findings] == [o.kind for o in report.findings if o.kind != "over_parallel"]
    assert [one.kind for one in silenced.silenced] == ["over_parallel"]
    for name in ("verdict", "efficiency", "efficiency_floor", "avoidable", "avoidable_potential", "ratio", "chains"):
        assert getattr(report, name) == getattr(silenced, name), name


def test_report_says_what_it_knows_where_the_cost_is_unknown() -> None:
    report = report_of(*burst(1, 10, 4), *retried(3, 1))
    report = replace(report, findings=tuple(one for one in report.findings if one.kind == "over_parallel"))
    text = render_text(Analysis((report,), Coverage(calls=11, spans=12)), width=200)
    assert text.splitlines()[1] == "Start with turn 1 (plan): search ×6, too much at once"
    assert (
        "[1] search ×6 ran at once, which did harm. A rate limit refused 6 of the 6 calls of search that began while "
        "4 or more others ran, and none of the rest."
    ) in " ".join(text.split())


def test_a_number_of_any_size_in_the_result_of_a_failed_call_is_read() -> None:
    result = Content({"status": 429, "seed": 10**400, "rate": float("inf")})
    assert seen_failure(call("a", 0, 1, tool="search", error=True, result=result)) == "rate_limited"
