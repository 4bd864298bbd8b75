from __future__ import annotations

import re

import msgspec
import pytest
from rich.cells import cell_len

from otel_parallelism import prompt
from otel_parallelism.analysis.findings.advice import listing
from otel_parallelism.model import Analysis, Call, Caller, Cause, Coverage, Finding, Report
from otel_parallelism.reports.parts.wording import judged_by_names
from otel_parallelism.reports.text import MIN_WIDTH, render_text
from tests.amounts import some_of

MS = 1_000_000
WIDTH_80 = """\
2 turns · 1 sequential: 0.90 s of 1.20 s could be saved
Start with turn 1 (travel) at agent.py:31: 4 calls (flights, hotels ×2,
weather), 0.90 s

Turn 1 · travel · sequential: calls that could run together ran one by one
  4 calls in 1.20 s · ratio 1.00 of 4.00 achievable · efficiency 0.25 ·
  lost 0.90 s · model 0.20 s in 1 step
      model   ░░░░░░░░░                                                   0.20 s
  [1] flights         ▐████████████                                       0.30 s
  [1] hotels                       ████████████▌                          0.30 s
  [1] hotels                                   ▐████████████▌             0.30 s
  [1] weather                                               ▐████████████ 0.30 s
              0                                                    1.40 s
  [1] flights, hotels ×2, weather ran one after another: the program ran one by
      one what the model asked for together. Cost: 0.90 s of 1.20 s.
    → Run the round's calls together with asyncio.gather (agent.py:31).
      [fix 463c4093]

Turn 2 · travel · parallel: calls ran together
  3 calls in 0.30 s · ratio 2.67 · efficiency 1.00
  flights ████████████████████████████████████████████████████████        0.30 s
    seats                   ▐██████████████████▌                          0.10 s
  hotels  ████████████████████████████████████████████████████████ failed 0.30 s
  trains  █████████████████████████████████████▌                          0.20 s
          0                                                 0.30 s
"""
WIDTH_120 = """\
2 turns · 1 sequential: 0.90 s of 1.20 s could be saved
Start with turn 1 (travel) at agent.py:31: 4 calls (flights, hotels ×2, weather), 0.90 s

Turn 1 · travel · sequential: calls that could run together ran one by one
  4 calls in 1.20 s · ratio 1.00 of 4.00 achievable · efficiency 0.25 · lost 0.90 s · model 0.20 s in 1 step
      model   ░░░░░░░░░░░░░░                                                                                      0.20 s
  [1] flights               █████████████████████▌                                                                0.30 s
  [1] hotels                                     ▐████████████████████▌                                           0.30 s
  [1] hotels                                                          ▐█████████████████████                      0.30 s
  [1] weather                                                                               █████████████████████ 0.30 s
              0                                                                                            1.40 s
  [1] flights, hotels ×2, weather ran one after another: the program ran one by one what the model asked for together.
      Cost: 0.90 s of 1.20 s.
    → Run the round's calls together with asyncio.gather (agent.py:31). [fix 463c4093]

Turn 2 · travel · parallel: calls ran together
  3 calls in 0.30 s · ratio 2.67 · efficiency 1.00
  flights ████████████████████████████████████████████████████████████████████████████████████████████████        0.30 s
    seats                                 ████████████████████████████████                                        0.10 s
  hotels  ████████████████████████████████████████████████████████████████████████████████████████████████ failed 0.30 s
  trains  ████████████████████████████████████████████████████████████████                                        0.20 s
          0                                                                                         0.30 s
"""
ASCII_80 = """\
2 turns - 1 sequential: 0.90 s of 1.20 s could be saved
Start with turn 1 (travel) at agent.py:31: 4 calls (flights, hotels x2,
weather), 0.90 s

Turn 1 - travel - sequential: calls that could run together ran one by one
  4 calls in 1.20 s - ratio 1.00 of 4.00 achievable - efficiency 0.25 -
  lost 0.90 s - model 0.20 s in 1 step
      model   ........                                                    0.20 s
  [1] flights         #############                                       0.30 s
  [1] hotels                       #############                          0.30 s
  [1] hotels                                    ############              0.30 s
  [1] weather                                               ############# 0.30 s
              0                                                    1.40 s
  [1] flights, hotels x2, weather ran one after another: the program ran one by
      one what the model asked for together. Cost: 0.90 s of 1.20 s.
    > Run the round's calls together with asyncio.gather (agent.py:31).
      [fix 463c4093]

Turn 2 - travel - parallel: calls ran together
  3 calls in 0.30 s - ratio 2.67 - efficiency 1.00
  flights ########################################################        0.30 s
    seats                    ##################                           0.10 s
  hotels  ######################################################## failed 0.30 s
  trains  #####################################                           0.20 s
          0                                                 0.30 s
"""
UNSURE_80 = """\
2 turns · 1 possibly sequential: perhaps 0.40 s of 1.00 s could be saved
Start with turn 1 (research): 2 calls (search, fetch), perhaps 0.40 s

Turn 1 · research · possibly sequential: more calls could perhaps have run
  together
  2 calls in 1.00 s · ratio 1.00 · efficiency 0.60–1.00 · perhaps lost 0.40 s ·
  coverage 0.50
  [1] search ████████████████████████                                     0.40 s
  [1] fetch                          ████████████████████████████████████ 0.60 s
             0                                                     1.00 s
  [1] search, fetch ran one after another: the trace does not say why.
      Perhaps 0.40 s of 1.00 s; what search returned was not seen in full.
    → Capture the model's steps, or declare depends_on. [fix c0e02b7f]

Turn 2 · greeter · single: nothing that could run together
  0 calls

4 of 6 calls are in no turn and not counted above: open agent_turn(...) around
them.
2 intervals end before they begin and count as empty.
"""


@pytest.mark.parametrize(
    ("cause", "happened"),
    [
        ("model", "did not all run together: the model asked for them in several responses."),
        ("code", "did not all run together: the code calls some, then the others."),
        ("dispatch", "did not all run together: the program ran one by one what the model asked for together."),
    ],
)
def test_calls_that_partly_ran_together_are_not_said_to_have_run_one_by_one(
    sequential: Report, cause: Cause, happened: str
) -> None:
    (finding,) = sequential.findings

    def text(**fields: object) -> str:
        changed = msgspec.structs.replace(finding, cause=cause, **fields)
        report = msgspec.structs.replace(sequential, findings=(changed,))
        return render_text(Analysis((report,), Coverage(4, 4)), width=200)

    assert happened in text(longest=2)
    assert "ran one after another: " in text(longest=4)
    # Of two chains, the second needs the first: all ran one by one.
    assert "ran one after another: " in text(longest=2, stages=((0, 1), (2, 3)))


def test_turns_with_and_without_avoidable_time(both: Analysis) -> None:
    assert render_text(both, width=80) == WIDTH_80
    assert render_text(both, width=120) == WIDTH_120
    assert render_text(both, width=80, ascii_only=True) == ASCII_80


def test_uncertain_findings_are_marked(possible: Report, silent: Report) -> None:
    analysis = Analysis((possible, silent), Coverage(calls=6, calls_without_turn=4, spans=11, anomalies=2))
    assert render_text(analysis, width=80) == UNSURE_80


@pytest.mark.parametrize("width", [1, MIN_WIDTH, 57, 80, 133, 300])
@pytest.mark.parametrize("ascii_only", [False, True])
def test_no_line_is_wider_than_the_width(
    sequential: Report, parallel: Report, possible: Report, width: int, ascii_only: bool
) -> None:
    analysis = Analysis((sequential, parallel, possible) * 5, Coverage(calls=90, calls_without_turn=40, anomalies=3))
    for text in (
        render_text(analysis, width=width, ascii_only=ascii_only),
        render_text(renamed(analysis), width=width),
    ):
        assert max(map(cell_len, text.splitlines())) <= max(width, MIN_WIDTH)


def renamed(analysis: Analysis) -> Analysis:
    """Give every call a name of wide characters that is longer than a line."""
    return msgspec.structs.replace(
        analysis,
        reports=tuple(
            with_calls(report, tuple(msgspec.structs.replace(call, tool="検索" * 200) for call in report.turn.calls))
            for report in analysis.reports
        ),
    )


def with_calls(report: Report, calls: tuple[Call, ...]) -> Report:
    """Return *report* on other calls, its findings on those of them that they named before."""
    named = {call.span_id: call.tool for call in calls}
    return msgspec.structs.replace(
        report,
        turn=msgspec.structs.replace(report.turn, calls=calls),
        findings=tuple(
            msgspec.structs.replace(finding, calls=tuple(named[span_id] for span_id in finding.span_ids))
            for finding in report.findings
        ),
    )


def test_ascii_report_with_other_names(both: Analysis) -> None:
    text = render_text(renamed(both), width=100, ascii_only=True)
    assert text.isascii()
    assert "????" in text


def test_colour_only_adds_escape_codes(both: Analysis) -> None:
    coloured = render_text(both, width=80, colour=True)
    plain = "\n".join(line.rstrip() for line in re.sub(r"\x1b\[[0-9;]*m", "", coloured).splitlines())
    assert plain + "\n" == WIDTH_80
    assert coloured != WIDTH_80
    assert "\x1b" not in WIDTH_80


def test_names_have_no_control_characters(sequential: Report) -> None:
    calls = tuple(msgspec.structs.replace(call, tool="[red]x[/red]\x1b[2J\r\n") for call in sequential.turn.calls)
    finding = msgspec.structs.replace(sequential.findings[0], recommendation="do\x1b]0;title\x07 this")
    turn = msgspec.structs.replace(sequential.turn, agent="\x1b[31magent", calls=calls)
    report = msgspec.structs.replace(sequential, turn=turn, findings=(finding,))
    text = render_text(Analysis((with_calls(report, calls),), Coverage()), width=120)
    assert "\x1b" not in text
    assert "\r" not in text
    assert "\x07" not in text
    assert "[red]x[/red]?[2J??" in text


def test_text_has_no_content_of_calls(both: Analysis) -> None:
    assert "an argument" not in render_text(both, width=300)
    assert "a result" not in render_text(both, width=300)


def test_many_calls_of_one_tool_share_a_row(parallel: Report) -> None:
    first = parallel.turn.calls[0]
    calls = tuple(
        msgspec.structs.replace(
            first,
            span_id=f"{at:016x}",
            tool=("search", "fetch")[at % 2],
            start_ns=first.start_ns + 100 * MS * (at // 6),
            end_ns=first.start_ns + 100 * MS * (at // 6) + 100 * MS,
        )
        for at in range(24)
    )
    text = render_text(Analysis((with_calls(parallel, calls),), Coverage()), width=60)
    [search] = [line for line in text.splitlines() if line.startswith("  search ×12")]
    assert set(search.split()[2]) == {"3"}  # three of its twelve calls at a time, all along
    assert search.endswith("1.20 s")


def test_beyond_twenty_tools_only_the_longest_are_drawn(parallel: Report) -> None:
    first = parallel.turn.calls[0]
    calls = tuple(
        msgspec.structs.replace(first, span_id=f"{at:016x}", tool=f"tool_{at}", end_ns=first.start_ns + at * MS)
        for at in range(26)
    )
    text = render_text(Analysis((with_calls(parallel, calls),), Coverage()), width=80)
    assert "and 6 shorter calls of 6 more tools" in text
    assert "tool_25 " in text
    assert "tool_5 " not in text


def test_of_many_turns_only_those_with_faults_are_drawn(sequential: Report, parallel: Report) -> None:
    reports = (parallel,) * 30 + (sequential,) + (parallel,) * 3
    lines = render_text(Analysis(reports, Coverage()), width=80).splitlines()
    assert lines[0] == "34 turns · 1 sequential: 0.90 s of 1.20 s could be saved"
    assert lines[1].startswith("Start with turn 31 (travel) at agent.py:31: 4 calls")
    assert [line.split(" · ")[0] for line in lines if line.startswith("Turn ")] == ["Turn 31"]
    assert lines[-1] == "and 33 more turns without findings"


def test_equal_turns_are_one_block(sequential: Report) -> None:
    finding = msgspec.structs.replace(sequential.findings[0], avoidable=1.0)
    worst = msgspec.structs.replace(sequential, findings=(finding,), avoidable=1.0)
    text = render_text(Analysis((sequential,) * 150 + (worst,) + (sequential,) * 49, Coverage()), width=200)
    lines = text.splitlines()
    assert lines[1].startswith("Start with turn 151 (travel) at agent.py:31")
    assert lines[1].endswith("180 s in 200 turns")
    assert [line.split(" · ")[0] for line in lines if line.startswith("Turn ")] == ["Turn 151"]
    assert "In 200 turns: 180 s in all, at most 1.00 s in turn 151." in text
    assert lines[-1] == "and 199 more turns with these findings"
    assert len(lines) < 25


def test_finding_is_described_once_in_few_turns(sequential: Report, possible: Report) -> None:
    other = msgspec.structs.replace(sequential, findings=(*sequential.findings, *possible.findings))
    text = render_text(Analysis((sequential, other, sequential), Coverage()), width=120)
    assert text.count("with asyncio.gather") == 1
    assert "[1] flights, hotels ×2, weather: 0.90 s, as in turn 1." in text
    assert "and 1 more turn with these findings" in text


def test_a_finding_that_a_turn_has_twice_is_described_once(sequential: Report) -> None:
    (finding,) = sequential.findings
    again = msgspec.structs.replace(finding, span_ids=(), avoidable=0.25)
    twice = msgspec.structs.replace(sequential, findings=(finding, again))
    text = render_text(Analysis((twice,), Coverage()), width=200)
    assert text.count("with asyncio.gather") == 1
    assert "Cost: 0.90 s of 1.20 s. 2 times in this turn: 1.15 s in all." in text
    assert "[2] flights, hotels ×2, weather: 0.25 s, as in [1]." in text


def test_a_potential_finding_that_is_not_described_again_is_perhaps(possible: Report) -> None:
    text = render_text(Analysis((possible, possible), Coverage()), width=120)
    assert "and 1 more turn with these findings" in text
    two = msgspec.structs.replace(possible, findings=possible.findings * 2)
    assert "[2] search, fetch: perhaps 0.40 s, as in [1]." in render_text(Analysis((two,), Coverage()), width=120)


def test_evidence_of_repeats_is_not_said_twice(possible: Report) -> None:
    (finding,) = possible.findings
    evidence = ("search ×2 had equal arguments and returned the same",)
    repeat = msgspec.structs.replace(finding, kind="repeated_call", calls=("search", "search"), evidence=evidence)
    report = msgspec.structs.replace(possible, findings=(repeat,))
    text = render_text(Analysis((report,), Coverage()), width=120)
    assert "[1] search ×2 had equal arguments and returned the same. Perhaps 0.40 s of 1.00 s.\n" in text


def test_long_names_that_differ_in_the_middle_are_no_calls_of_one_tool(sequential: Report) -> None:
    names = [f"get_the_quarterly_revenue_of_region_{at}_from_the_warehouse_service" for at in range(3)]
    (finding,) = sequential.findings
    report = msgspec.structs.replace(sequential, findings=(msgspec.structs.replace(finding, calls=tuple(names)),))
    text = render_text(Analysis((report,), Coverage()), width=200)
    assert "×" not in text.split("[1]")[-1]
    assert listing(names).count("_warehouse_service") == 3


def several_faults(report: Report, sums: list[float], agent: str = "") -> tuple[Report, ...]:
    """Return *report* once for each of *sums*, each with another tool and with so much avoidable time."""
    turn = msgspec.structs.replace(report.turn, agent=agent or report.turn.agent)
    (finding,) = report.findings
    return tuple(
        msgspec.structs.replace(
            report,
            turn=turn,
            findings=(msgspec.structs.replace(finding, calls=(f"tool_{at}",) * 2, avoidable=avoidable),),
        )
        for at, avoidable in enumerate(sums)
    )


def test_faults_of_many_turns_are_ranked_by_their_sum(sequential: Report, possible: Report) -> None:
    reports = (
        several_faults(sequential, [5.0, 1.0, 2.0, 1.5]) + several_faults(sequential, [0.0, 9.0]) + (possible,) * 6
    )
    lines = render_text(Analysis(reports, Coverage()), width=100).splitlines()
    at = next(number for number, line in enumerate(lines) if line.split()[:1] == ["lost"])
    assert lines[at].split() == ["lost", "perhaps", "turns", "worst", "turn", "cause", "agent", "calls"]
    assert lines[at + 1].split() == ["10.00", "s", "-", "2", "6", "dispatch", "travel", "tool_1", "×2"]
    assert [line.split()[0] for line in lines[at + 2 : at + 6]] == ["5.00", "2.00", "1.50", "-"]
    assert lines[at + 5].split()[:4] == ["-", "2.40", "s", "6"]
    drawn = [line.split(" · ")[0] for line in lines if line.startswith("Turn ")]
    assert drawn == ["Turn 6", "Turn 1", "Turn 3"]
    assert lines[-1] == "and 9 more turns: 2 with these findings, 7 with other findings; the HTML report shows all"


def test_ranking_names_as_many_tools_as_fit_and_cuts_none(sequential: Report, possible: Report) -> None:
    (finding,) = sequential.findings
    finding = msgspec.structs.replace(finding, calls=("get_weather", "get_stock", "get_news"))
    first = msgspec.structs.replace(sequential, findings=(finding,))
    reports = (first, possible, *several_faults(sequential, [0.1] * 10))
    for width, calls in ((72, "get_weather and 2 more"), (100, "get_weather, get_stock, get_news")):
        text = render_text(Analysis(reports, Coverage()), width=width)
        assert any(line.endswith(f"  {calls}") for line in text.splitlines())


@pytest.mark.parametrize("width", [40, 48, 60, 72, 100])
@pytest.mark.parametrize("agent", ["", "researcher of the very long name"])
def test_narrow_ranking_omits_columns_and_cuts_no_number(
    sequential: Report, possible: Report, agent: str, width: int
) -> None:
    reports = (*several_faults(sequential, [123_456.0 - at for at in range(12)], agent), possible)
    lines = render_text(Analysis(reports, Coverage()), width=width).splitlines()
    at = next(number for number, line in enumerate(lines) if line.split()[:1] == ["lost"])
    ranking = lines[at : at + 11]
    assert max(map(cell_len, ranking)) <= width
    assert not any("…" in line.rpartition("  ")[0] for line in ranking)
    assert all("123,4" in line and " s" in line for line in ranking[1:])
    assert "and 3 more findings" in lines


def test_digits_in_bars_are_explained(parallel: Report) -> None:
    first = parallel.turn.calls[0]
    for calls, legend in ((21, "(digits: calls at once)"), (24, "(digits: calls at once, +: ten or more)")):
        many = tuple(
            msgspec.structs.replace(first, span_id=f"{at:016x}", tool=f"t{at % 2 if calls > 21 else at % 3}")
            for at in range(calls)
        )
        assert legend in render_text(Analysis((with_calls(parallel, many),), Coverage()), width=80).splitlines()[-1]
    assert "digits" not in render_text(Analysis((parallel,), Coverage()), width=80)


@pytest.mark.many
def test_number_and_unit_stay_on_one_line(sequential: Report) -> None:
    analysis = Analysis((sequential,), Coverage())
    for width in some_of(range(MIN_WIDTH, 100)):
        for line in render_text(analysis, width=width).splitlines():
            assert not re.match(r" *(s|×\d)\b", line)


def test_long_names_keep_start_and_end(sequential: Report) -> None:
    finding = msgspec.structs.replace(sequential.findings[0], calls=("begin" * 30 + "end", "other"))
    text = render_text(Analysis((msgspec.structs.replace(sequential, findings=(finding,)),), Coverage()), width=80)
    assert "(beginbeginbegin" in text
    assert re.search(r"…\w*beginend, other", text)


def test_first_line_says_nothing_to_gain(parallel: Report, silent: Report) -> None:
    text = render_text(Analysis((parallel, silent), Coverage(calls=3, spans=5)), width=80)
    assert text.splitlines()[:2] == ["2 turns · nothing to gain", ""]


def test_first_line_says_nothing_known_to_gain(possible: Report) -> None:
    report = msgspec.structs.replace(possible, findings=(), recommendation="Capture arguments.")
    lines = render_text(Analysis((report,), Coverage()), width=80).splitlines()
    assert lines[0] == "1 turn · 1 possibly sequential: nothing known to gain"
    assert lines[-1] == "  → Capture arguments."


def test_report_without_turns_has_instructions() -> None:
    uncovered = Analysis((), Coverage(calls=6, calls_without_turn=6, spans=30))
    assert render_text(uncovered, width=80) == (
        "No turn found: 6 tool calls outside of any agent's run\n"
        "Open agent_turn(...) around the agent's loop, or switch on an instrumentation of\n"
        "its framework.\n"
    )
    assert render_text(Analysis((), Coverage()), width=80).startswith("No turn found: there are no spans\n")
    assert render_text(Analysis((), Coverage(spans=30)), width=120) == (
        "No turn found: no tool call among 30 spans\n"
        "Decorate the tools with @profiled, or switch on an instrumentation of the agent's framework.\n"
    )


def test_intended_order_is_not_listed(sequential: Report) -> None:
    finding = msgspec.structs.replace(sequential.findings[0], advice="intended", cause="intended", avoidable=0.0)
    report = msgspec.structs.replace(
        sequential, findings=(finding,), verdict="serial_by_need", avoidable=0.0, efficiency=1.0, recommendation=""
    )
    text = render_text(Analysis((report,), Coverage()), width=80)
    assert text.startswith("1 turn · nothing to gain\n")
    assert "[1]" not in text


def test_limits_contention_and_calls_inside_a_call(parallel: Report) -> None:
    def finding(kind: str, cause: str, **changes: object) -> Finding:
        fields = {
            "kind": kind,
            "cause": cause,
            "advice": "potential",
            "calls": ["hotels", "trains"],
            "span_ids": [parallel.turn.calls[1].span_id, parallel.turn.calls[2].span_id],
            "avoidable": 0.1,
            **changes,
        }
        return msgspec.convert(fields, Finding)

    findings = (
        finding("limit", "limit", limit=2),
        finding("contention", "contention"),
        finding("sequential_chain", "code", scope=parallel.turn.calls[0].span_id),
    )
    report = msgspec.structs.replace(
        parallel, findings=findings, effective_ratio=1.0, notes=("Only so many searched.",)
    )
    text = render_text(Analysis((report,), Coverage()), width=200)
    assert "[1] hotels, trains ran at most 2 at once. Perhaps 0.10 s of 0.30 s." in text
    assert "[2] hotels, trains overlapped, but waited for one another. Perhaps" in text
    assert (
        "[3] inside flights: hotels, trains ran one after another: the code calls one, then the next. Perhaps" in text
    )
    assert "ratio 2.67 · effective 1.00" in text
    assert "  Only so many searched.\n" in text


def test_place_is_shown_without_advice(sequential: Report) -> None:
    finding = msgspec.structs.replace(sequential.findings[0], recommendation="")
    report = msgspec.structs.replace(sequential, findings=(finding,))
    assert "    → See agent.py:31. [fix 463c4093]\n" in render_text(Analysis((report,), Coverage()), width=80)


def test_recommendation_without_finding_is_shown(parallel: Report) -> None:
    report = msgspec.structs.replace(parallel, recommendation="Capture the model's output.")
    assert "  → Capture the model's output.\n" in render_text(Analysis((report,), Coverage()), width=80)


def test_file_names_are_relative_to_the_base(sequential: Report) -> None:
    finding = msgspec.structs.replace(
        sequential.findings[0],
        recommendation="Await them together at /home/me/app/agent.py:31.",
        location=Caller("/home/me/app/agent.py", 31),
    )
    analysis = Analysis((msgspec.structs.replace(sequential, findings=(finding,)),), Coverage())
    for base in ("/home/me/app", "/home/me/app/"):
        text = render_text(analysis, width=200, base=base)
        assert "Start with turn 1 (travel) at agent.py:31: " in text
        assert "    → Await them together at agent.py:31. [fix 463c4093]\n" in text
    for base in ("", "/", "/home/m", "me/app"):
        assert "    → Await them together at /home/me/app/agent.py:31. [fix 463c4093]\n" in render_text(
            analysis, width=200, base=base
        )


def test_silenced_findings_are_only_counted(sequential: Report) -> None:
    report = msgspec.structs.replace(sequential, findings=(), silenced=sequential.findings, verdict="single")
    text = render_text(Analysis((report,), Coverage()), width=80)
    assert "  1 finding of 0.90 s silenced\n" in text
    assert text.startswith("1 turn · nothing to gain\n")


def test_a_finding_says_where_only_names_show_that_its_calls_read() -> None:
    finding = Finding(
        kind="sequential_chain",
        cause="model",
        advice="recommended",
        calls=("get_a", "get_b"),
        span_ids=("a", "b"),
        avoidable=1.0,
        effect_sources=("assumed", "declared"),
    )
    assert judged_by_names(finding) == "They only read, judging by their names."
    assert judged_by_names(msgspec.structs.replace(finding, effect_sources=("declared", "arguments"))) == ""
    assert judged_by_names(msgspec.structs.replace(finding, advice="potential")) == ""
    assert "They only read, judging by their names." in prompt([finding])
