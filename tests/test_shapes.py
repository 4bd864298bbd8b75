"""Shapes of real agents, ten and what users report of their frameworks, each with its right verdict."""

from __future__ import annotations

import asyncio
import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from otel_parallelism import agent_turn, profiled
from otel_parallelism.analysis.analyze import analyze_records
from otel_parallelism.dialects import classify
from otel_parallelism.model import SpanRecord
from otel_parallelism.settings import Settings
from tests.virtual_time import exactly

if TYPE_CHECKING:
    from otel_parallelism.model import Analysis, Report
    from tests.conftest import Kit

START_NS = 1_900_000_000 * 10**9
NAP_S = 0.06


class Told:
    """Spans in OpenTelemetry's GenAI conventions, times in seconds."""

    def __init__(self, instrumentation: str = "some.framework") -> None:
        self.records: list[SpanRecord] = []
        self.instrumentation = instrumentation

    def span(
        self, name: str, start: float, end: float, parent: str, attributes: dict[str, object], *, error: bool = False
    ) -> str:
        span_id = f"{len(self.records) + 1:016x}"
        self.records.append(
            SpanRecord(
                trace_id="7" * 32,
                span_id=span_id,
                parent_id=parent,
                name=name,
                start_ns=START_NS + round(start * 1e9),
                end_ns=START_NS + round(end * 1e9),
                attributes=attributes,
                error=error,
                source="one process",
                instrumentation=self.instrumentation,
            )
        )
        return span_id

    def turn(self, start: float, end: float, parent: str = "", said: str = "") -> str:
        attributes: dict[str, object] = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "planner"}
        if said:
            attributes["gen_ai.input.messages"] = json.dumps(
                [{"role": "user", "parts": [{"type": "text", "content": said}]}]
            )
        return self.span("invoke_agent planner", start, end, parent, attributes)

    def asks(
        self, start: float, end: float, turn: str, *ids: str, tokens: int = 1_000, heard: list[str] | None = None
    ) -> str:
        parts = [{"type": "tool_call", "id": call_id, "name": "any", "arguments": {}} for call_id in ids]
        attributes: dict[str, object] = {
            "gen_ai.operation.name": "chat",
            "gen_ai.usage.input_tokens": tokens,
            "gen_ai.output.messages": json.dumps([{"role": "assistant", "parts": parts, "finish_reason": "stop"}]),
        }
        if heard is not None:
            said = [{"role": "user", "parts": [{"type": "text", "content": text}]} for text in heard]
            attributes["gen_ai.input.messages"] = json.dumps(said)
        return self.span("chat small-model", start, end, turn, attributes)

    def call(  # noqa: PLR0917 - one row of a table
        self,
        tool: str,
        start: float,
        end: float,
        parent: str,
        call_id: str = "",
        given: object = None,
        returned: object = "hills and a river",
        *,
        error: bool = False,
    ) -> str:
        attributes: dict[str, object] = {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": tool,
            "gen_ai.tool.call.arguments": json.dumps({} if given is None else given),
        }
        if returned is not None:
            attributes["gen_ai.tool.call.result"] = json.dumps(returned)
        if call_id:
            attributes["gen_ai.tool.call.id"] = call_id
        return self.span(f"execute_tool {tool}", start, end, parent, attributes, error=error)

    def analysis(self, settings: Settings | None = None) -> Analysis:
        return analyze_records(self.records, classify, settings or Settings())

    def report(self, settings: Settings | None = None) -> Report:
        (report,) = self.analysis(settings).reports
        return report


def seconds(value: float) -> Any:
    return pytest.approx(value, abs=1e-6)


# Ten shapes, told as spans.


def test_a_batch_dispatched_one_by_one() -> None:
    told = Told()
    turn = told.turn(0, 26)
    told.asks(0, 1, turn, "a", "b", "c")
    for index, call_id in enumerate("abc"):
        told.call("get_forecast", 1 + 8 * index, 9 + 8 * index, turn, call_id, {"city": f"town{index}"})
    report = told.report()
    (finding,) = report.findings
    assert (finding.cause, finding.advice, len(finding.calls)) == ("dispatch", "recommended", 3)
    assert finding.avoidable == seconds(16)
    assert report.verdict == "sequential"
    assert report.efficiency == seconds(8 / 24)
    assert "run_tools" in finding.recommendation


def test_the_same_tool_five_times() -> None:
    told = Told()
    turn = told.turn(0, 11, said="What is the weather in town0, town1, town2, town3 and town4?")
    told.span("chat small-model", 0, 1, turn, {"gen_ai.operation.name": "chat"})
    for index in range(5):
        told.call("get_forecast", 1 + 2 * index, 3 + 2 * index, turn, given={"city": f"town{index}"})
    report = told.report()
    (finding,) = report.findings
    assert (finding.cause, finding.advice, len(finding.calls)) == ("dispatch", "recommended", 5)
    assert report.avoidable == seconds(8)
    assert finding.evidence == (
        (
            "every argument of a later get_forecast was known before an earlier get_forecast began; both only read, "
            "judging by their names"
        ),
    )


def one_call_per_response(dependent: bool) -> Report:
    told = Told()
    turn = told.turn(0, 10, said="Show part 0, part 1 and part 2.")
    given = "start"
    for index in range(3):
        told.asks(3 * index, 3 * index + 1, turn, f"id{index}")
        returned = f"rec_{index}77A{index}"
        told.call(
            f"get_part{index}", 3 * index + 1, 3 * index + 3, turn, f"id{index}", {"key": given}, {"next": returned}
        )
        given = returned if dependent else f"town{index}"
    return told.report()


def test_one_call_per_response_independent() -> None:
    report = one_call_per_response(dependent=False)
    (finding,) = report.findings
    assert (finding.cause, finding.advice) == ("model", "recommended")
    assert finding.avoidable == seconds(6)
    assert (report.verdict, report.efficiency) == ("sequential", seconds(2 / 8))
    assert (report.avoidable_steps, report.avoidable_tokens) == (2, 2_000)
    assert "system prompt" in finding.recommendation


def test_one_call_per_response_dependent() -> None:
    report = one_call_per_response(dependent=True)
    assert (report.verdict, report.findings, report.efficiency) == ("serial_by_need", (), 1.0)
    assert (report.avoidable_steps, report.avoidable_tokens) == (0, 0)


def test_dependent_in_code() -> None:
    told = Told()
    turn = told.turn(0, 6)
    told.call("find_customer", 0, 2, turn, given={"name": "Okafor"}, returned={"customer": "cus_81Kd92"})
    told.call("list_orders", 2, 4, turn, given={"customer": "cus_81Kd92"}, returned=[{"order": "ord_55Qx71"}])
    told.call("get_order", 4, 6, turn, given={"order": "ord_55Qx71"})
    report = told.report()
    assert (report.verdict, report.findings, report.efficiency) == ("serial_by_need", (), 1.0)


def test_write_read_write() -> None:
    told = Told()
    turn = told.turn(0, 6)
    told.call("save_draft", 0, 2, turn, given={"text": "one"})
    told.call("list_drafts", 2, 4, turn)
    told.call("save_draft", 4, 6, turn, given={"text": "two"})
    report = told.report()
    assert report.avoidable == 0
    assert all(finding.advice != "recommended" for finding in report.findings)
    assert (report.verdict, report.efficiency) == ("possibly_sequential", 1.0)
    assert report.efficiency_floor == seconds(4 / 6)


def test_two_slow_independent_calls() -> None:
    told = Told()
    turn = told.turn(0, 12, said="Compare the north with the south.")
    told.asks(0, 1, turn, "a")
    outer = told.call("compile_report", 1, 11, turn, "a", {"year": "last"})
    told.call("get_sales", 1, 6, outer, given={"region": "north"})
    told.call("get_costs", 6, 11, outer, given={"region": "south"})
    report = told.report()
    (finding,) = report.findings
    assert (finding.cause, finding.advice, finding.calls) == ("code", "recommended", ("get_sales", "get_costs"))
    assert finding.avoidable == seconds(5)


def test_many_fast_ones_below_the_threshold() -> None:
    told = Told()
    turn = told.turn(0, 5)
    for index in range(20):
        told.call("get_flag", index * 0.002, index * 0.002 + 0.001, turn, given={"flag": f"f{index}"})
    report = told.report()
    assert (report.verdict, report.findings, report.efficiency) == ("negligible", (), None)
    assert report.calls == 20


def test_already_parallel() -> None:
    told = Told()
    turn = told.turn(0, 4)
    told.asks(0, 1, turn, "a", "b", "c")
    for call_id in "abc":
        told.call("get_forecast", 1, 3, turn, call_id, {"city": call_id})
    report = told.report()
    assert (report.verdict, report.findings, report.efficiency) == ("parallel", (), 1.0)
    assert (report.ratio, report.peak_concurrency) == (3.0, 3)


def test_a_staircase() -> None:
    told = Told()
    turn = told.turn(0, 3)
    for index in range(12):
        told.call("read_ledger", 0, 0.1 * (index + 1), turn, given={"page": index})
    report = told.report()
    assert (report.verdict, report.efficiency) == ("contended", None)
    assert (report.ratio, report.effective_ratio) == (seconds(6.5), seconds(1))
    assert [finding.kind for finding in report.findings] == ["contention"]
    assert report.chains == 0


# The same, live.


@profiled(effect="read")
async def look_up(key: object) -> dict[str, object]:
    await asyncio.sleep(NAP_S)
    return {"found": f"value of {key}"}


@profiled(effect="read")
async def look_up_next(key: str) -> str:
    await asyncio.sleep(NAP_S)
    return f"{key}7Q"


@profiled(effect="write")
async def store(key: str) -> None:
    await asyncio.sleep(NAP_S)


async def test_live_the_same_tool_five_times(kit: Kit) -> None:
    with agent_turn("shape", input="How are Oslo, Lima, Rome, Bern and Kyiv?") as turn:
        for city in ("Oslo", "Lima", "Rome", "Bern", "Kyiv"):
            await look_up(city)
    assert turn.report is not None
    (finding,) = turn.report.findings
    assert (finding.cause, finding.advice, len(finding.calls)) == ("code", "recommended", 5)
    assert finding.location is not None
    assert finding.location.file_path == __file__


@pytest.mark.parametrize("dependent", [False, True])
async def test_live_one_call_per_response(kit: Kit, dependent: bool) -> None:
    tracer = kit.tracer()
    with agent_turn("shape") as turn:
        key = "rec_1"
        for _ in range(3):
            with tracer.start_as_current_span("chat m", attributes={"gen_ai.operation.name": "chat"}):
                await asyncio.sleep(NAP_S / 6)
            found = await look_up_next(key)
            key = found if dependent else f"{key}x"
    assert turn.report is not None
    if dependent:
        assert (turn.report.verdict, turn.report.findings, turn.report.avoidable_steps) == ("serial_by_need", (), 0)
        assert turn.report.max_chain_length == 0
    else:
        (finding,) = turn.report.findings
        assert (finding.cause, finding.advice) == ("model", "recommended")
        assert turn.report.avoidable_steps == 2


async def test_live_dependent_in_code(kit: Kit) -> None:
    with agent_turn("shape") as turn:
        await look_up_next(await look_up_next(await look_up_next("rec_1")))
    assert turn.report is not None
    assert (turn.report.verdict, turn.report.findings) == ("serial_by_need", ())
    assert turn.report.efficiency == pytest.approx(1.0, abs=1e-6)


async def test_live_write_read_write(kit: Kit) -> None:
    with agent_turn("shape") as turn:
        await store("a")
        await look_up("b")
        await store("c")
    assert turn.report is not None
    assert turn.report.avoidable == 0
    assert turn.report.verdict == "possibly_sequential"


async def test_live_many_fast_ones(kit: Kit) -> None:
    @profiled(effect="read")
    async def peek(key: int) -> int:
        return key

    with agent_turn("shape") as turn:
        for key in range(20):
            await peek(key)
    assert turn.report is not None
    assert (turn.report.verdict, turn.report.findings) == ("negligible", ())


async def test_live_already_parallel(kit: Kit) -> None:
    with agent_turn("shape") as turn:
        await asyncio.gather(*(look_up(key) for key in range(4)))
    assert turn.report is not None
    assert (turn.report.verdict, turn.report.findings) == ("parallel", ())


@pytest.mark.parametrize(("inside", "outside", "noted"), [(1, 0, True), (0, 1, False)], ids=["held", "for a moment"])
async def test_live_calls_of_different_lengths_behind_one_lock_are_noted(
    kit: Kit, inside: int, outside: int, noted: bool
) -> None:
    lock = asyncio.Lock()

    @profiled(effect="read")
    async def ask_ledger(page: int) -> int:
        async with lock:
            await asyncio.sleep(inside * (3, 7, 4)[page] * NAP_S)
        await asyncio.sleep(outside * NAP_S)
        return page

    with agent_turn("shape") as turn:
        await asyncio.gather(*(ask_ledger(page) for page in range(3)))
    assert turn.report is not None
    note = "ask_ledger ×3 ran at the same time but share lock (an asyncio.Lock): they may have waited for one another"
    assert turn.report.notes == (f"{note} inside",) * noted


async def test_live_a_call_after_two_that_ran_together_shows_no_limit(kit: Kit) -> None:
    async def answer() -> list[dict[str, object]]:
        found = await asyncio.gather(look_up("north"), look_up("south"))
        return [*found, await look_up("west")]

    with agent_turn("shape") as turn:
        await answer()
    assert turn.report is not None
    found = [(finding.cause, finding.advice, len(finding.calls)) for finding in turn.report.findings]
    assert found == [("code", "recommended", 2)]


async def test_live_a_staircase_behind_one_lock(kit: Kit) -> None:
    lock = asyncio.Lock()

    @profiled(effect="read")
    async def ask_ledger(page: int) -> int:
        async with lock:
            await asyncio.sleep(NAP_S)
        return page

    with agent_turn("shape") as turn:
        await asyncio.gather(*(ask_ledger(page) for page in range(6)))
    assert turn.report is not None
    assert turn.report.verdict == "contended"
    assert turn.report.effective_ratio == pytest.approx(1.0, abs=1e-6)
    assert [finding.cause for finding in turn.report.findings] == ["contention"]


# What users report: the model asks one at a time.


def test_a_prompt_of_one_logical_step_at_a_time() -> None:
    told = Told()
    turn = told.turn(0, 40)
    for index in range(10):
        told.asks(4 * index, 4 * index + 1, turn, f"id{index}", tokens=2_000)
        told.call("search_logs", 4 * index + 1, 4 * index + 4, turn, f"id{index}", {"service": f"svc{index}"})
    report = told.report()
    (finding,) = report.findings
    assert (finding.cause, finding.advice, len(finding.calls)) == ("model", "recommended", 10)
    assert (report.avoidable_steps, report.avoidable_tokens) == (9, 18_000)
    assert finding.recommendation.startswith("Have the model ask for search_logs ×10 in one response")


# The framework serialises a batch.


def test_a_batch_of_three_that_took_three_minutes() -> None:
    told = Told()
    turn = told.turn(0, 173)
    told.asks(0, 2, turn, "a", "b", "c")
    told.call("search_code", 2, 82, turn, "a", {"query": "first"})
    told.call("read_file", 82, 93, turn, "b", {"path": "README"})
    told.call("search_issues", 93, 173, turn, "c", {"query": "third"})
    report = told.report()
    (finding,) = report.findings
    assert (finding.cause, finding.advice, finding.avoidable) == ("dispatch", "recommended", seconds(91))


@pytest.mark.parametrize(
    ("instrumentation", "remedy"),
    [
        ("openinference.instrumentation.agno", "use arun instead of run"),
        ("agent_framework", "set allow_concurrent_invocation"),
        ("gcp.vertex.agent", "make these tools async"),
    ],
)
def test_the_frameworks_own_switch_is_named(instrumentation: str, remedy: str) -> None:
    told = Told(instrumentation)
    turn = told.turn(0, 7)
    told.asks(0, 1, turn, "a", "b", "c")
    for index, call_id in enumerate("abc"):
        told.call("get_forecast", 1 + 2 * index, 3 + 2 * index, turn, call_id, {"city": call_id})
    (finding,) = told.report().findings
    assert finding.cause == "dispatch"
    assert remedy in finding.recommendation


def test_whether_it_is_the_model_or_the_harness() -> None:
    told = Told()
    turn = told.turn(0, 20, said="Tell me about the fruits kiwi, lime and plum.")
    told.asks(0, 1, turn, "a", "b")
    told.call("get_a", 1, 4, turn, "a", {"key": "kiwi"})
    told.call("get_b", 4, 7, turn, "b", {"key": "lime"})
    told.asks(7, 8, turn, "c")
    told.call("get_c", 8, 11, turn, "c", {"key": "plum"})
    report = told.report()
    assert set(report.avoidable_by_cause) == {"dispatch", "model"}
    assert sum(report.avoidable_by_cause.values()) == seconds(report.avoidable)
    assert report.avoidable_by_cause["dispatch"] == seconds(3)


# Several messages of the user in one trace.


def two_messages(told: Told, first: list[str] | None, second: list[str] | None) -> Report:
    """Return the report on a read for each of two requests, with an answer of the model between them."""
    turn = told.turn(0, 30)
    told.asks(0, 1, turn, "a", heard=first)
    told.call("get_weather", 1, 3, turn, "a", {"city": "Oslo"}, {"celsius": 5.5})
    told.asks(3, 4, turn, heard=first)
    told.asks(14, 15, turn, "b", heard=second)
    told.call("get_weather", 15, 17, turn, "b", {"city": "Rome"}, {"celsius": 15.5})
    return told.report()


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (["The weather in Oslo?"], ["The weather in Oslo?", "And in Rome?"]),
        (["The weather in Oslo?"], ["And in Rome?"]),
    ],
)
def test_what_the_user_asked_for_after_an_answer_could_not_run_before(first: list[str], second: list[str]) -> None:
    report = two_messages(Told(), first, second)
    assert (report.verdict, report.findings, report.avoidable) == ("serial_by_need", (), 0)


@pytest.mark.parametrize("first", [["The weather in Oslo?"], None])
def test_user_whose_words_are_not_known_may_have_asked_for_more(first: list[str] | None) -> None:
    report = two_messages(Told(), first, None)
    assert (report.verdict, [finding.advice for finding in report.findings]) == ("possibly_sequential", ["potential"])


def test_request_without_calls_between_two_others_is_no_new_message() -> None:
    asked = ["The weather in Oslo and in Rome?"]
    report = two_messages(Told(), asked, asked)
    assert [finding.advice for finding in report.findings] == ["recommended"]


# A blocking sync tool.


async def test_a_tool_that_blocks_the_loop(kit: Kit) -> None:
    @profiled(effect="read")
    async def crunch(key: str) -> str:
        time.sleep(NAP_S)  # noqa: ASYNC251 - the very mistake
        return "done"

    with agent_turn("shape") as turn:
        await asyncio.gather(*(crunch(key) for key in ("fig", "nut", "oat")))
    assert turn.report is not None
    (finding,) = turn.report.findings
    assert (finding.cause, finding.advice) == ("blocking", "recommended")
    assert "asyncio.to_thread" in finding.recommendation
    assert turn.report.avoidable == exactly(2 * NAP_S)


# A server or session takes one at a time.


def test_a_server_that_takes_one_at_a_time() -> None:
    told = Told()
    turn = told.turn(0, 4)
    told.asks(0, 1, turn, *"abcde")
    for index, call_id in enumerate("abcde"):
        told.call("query_server", 1, 1.5 + 0.5 * index, turn, call_id, {"page": call_id})
    report = told.report()
    assert (report.verdict, report.effective_ratio) == ("contended", seconds(1))
    (finding,) = report.findings
    assert (finding.cause, finding.avoidable) == ("contention", seconds(2))
    assert "single session" in finding.recommendation


# Code inside a tool awaits one by one.


def test_code_inside_a_tool_that_awaits_one_by_one() -> None:
    told = Told()
    turn = told.turn(0, 6, said="What did we spend on fig, nut and oat?")
    told.asks(0, 1, turn, "a")
    outer = told.call("load_budget", 1, 5.5, turn, "a", {"team": "blue"})
    for index, key in enumerate(("fig", "nut", "oat")):
        told.call("fetch_spend", 1 + 1.5 * index, 2.5 + 1.5 * index, outer, given={"key": key})
    report = told.report()
    (finding,) = report.findings
    assert (finding.cause, finding.advice, finding.avoidable) == ("code", "recommended", seconds(3))
    assert finding.scope == outer


# What must stay serial.


def test_commits_share_one_index_lock() -> None:
    told = Told()
    turn = told.turn(0, 7)
    told.asks(0, 1, turn, "a", "b", "c")
    for index, call_id in enumerate("abc"):
        told.call("git_commit", 1 + 2 * index, 3 + 2 * index, turn, call_id, {"message": f"part {index}"})
    report = told.report()
    assert (report.verdict, report.findings) == ("serial_by_need", ())


def screen() -> Told:
    told = Told()
    turn = told.turn(0, 9)
    told.asks(0, 1, turn, *"abcd")
    for index, (tool, call_id) in enumerate(zip(("ui_tap", "ui_enter", "ui_tap", "ui_swipe"), "abcd", strict=True)):
        told.call(tool, 1 + 2 * index, 3 + 2 * index, turn, call_id, {"target": f"field{index}x"})
    return told


def test_actions_on_a_screen_keep_their_order_when_the_settings_say_so() -> None:
    assert screen().report().avoidable == 0
    told = screen().report(Settings(serial=("ui_*",)))
    assert (told.verdict, told.findings) == ("serial_by_need", ())


def test_actions_on_a_screen_keep_their_order_by_their_names() -> None:
    told = Told()
    turn = told.turn(0, 9)
    told.asks(0, 1, turn, *"abc")
    for index, (tool, call_id) in enumerate(zip(("browser_click", "browser_type", "press_key"), "abc", strict=True)):
        told.call(tool, 1 + 2 * index, 3 + 2 * index, turn, call_id, {"target": f"field{index}x"})
    assert (told.report().verdict, told.report().findings) == ("serial_by_need", ())


def test_a_fan_out_under_a_limit() -> None:
    told = Told()
    turn = told.turn(0, 6)
    told.asks(0, 0.5, turn, *(f"id{index}" for index in range(100)))
    for index in range(100):
        start = 0.5 + 0.5 * (index // 10)
        told.call("get_page", start, start + 0.5, turn, f"id{index}", {"page": f"p{index}"})
    report = told.report()
    (finding,) = report.findings
    assert (finding.kind, finding.advice, finding.limit) == ("limit", "potential", 10)
    assert (report.verdict, report.chains, report.efficiency) == ("parallel", 0, 1.0)


def test_a_fan_out_that_ended_in_refusals_is_not_told_to_fan_out_again() -> None:
    told = Told()
    turn = told.turn(0, 12)
    told.asks(0, 1, turn, *"abcdef")
    for index, call_id in enumerate("abcdef"):
        refused = index >= 2
        returned = {"error": "429 too many requests"} if refused else "a page"
        told.call("get_page", 1, 2, turn, call_id, {"page": f"leaf{index}x"}, returned, error=refused)
    told.asks(2, 3, turn, *"wxyz")
    for index, call_id in enumerate("wxyz"):
        told.call("get_page", 3 + 2 * index, 5 + 2 * index, turn, call_id, {"page": f"leaf{index + 2}x"}, "a page")
    report = told.report()
    assert report.avoidable == 0
    assert all(finding.advice == "potential" for finding in report.findings)


# Telemetry that is wrong exactly when tools run in parallel.


def test_the_second_tool_below_the_first() -> None:
    told = Told()
    turn = told.turn(0, 6)
    told.asks(0, 1, turn, "a", "b")
    first = told.call("get_a", 1, 4, turn, "a", {"key": "kiwi"})
    told.call("get_b", 1.1, 5, first, "b", {"key": "lime"})
    report = told.report()
    assert (report.calls, report.verdict, report.peak_concurrency) == (2, "parallel", 2)
    assert {call.scope for call in report.turn.calls} == {""}


def test_two_turns_at_once_in_one_trace_are_two_turns() -> None:
    told = Told()
    root = told.span("POST /both", 0, 7, "", {})
    for shift in (0.0, 0.5):
        turn = told.turn(shift, shift + 6, root, said="Say t0.00, t0.01, t0.02, t0.50, t0.51 and t0.52.")
        for index in range(3):
            told.call(
                "get_forecast", shift + 2 * index, shift + 2 * index + 2, turn, given={"city": f"t{shift}{index}"}
            )
    reports = told.analysis().reports
    assert [report.calls for report in reports] == [3, 3]
    assert [report.verdict for report in reports] == ["sequential", "sequential"]
    assert [report.peak_concurrency for report in reports] == [1, 1]
    assert [report.ratio for report in reports] == [seconds(1), seconds(1)]


def test_orphans_of_two_turns_at_once_are_counted_and_not_guessed() -> None:
    told = Told()
    told.turn(0, 6)
    told.turn(0.5, 6.5)
    told.call("get_a", 1, 2, "dead00000000beef", given={"key": "kiwi"})
    analysis = told.analysis()
    assert [report.calls for report in analysis.reports] == [0, 0]
    assert (analysis.coverage.calls, analysis.coverage.calls_without_turn) == (1, 1)


def test_orphaned_calls_belong_to_the_turn_that_holds_them() -> None:
    told = Told()
    turn = told.turn(0, 6)
    told.asks(0, 1, turn, "a", "b")
    told.call("get_a", 1, 4, "dead00000000beef", "a", {"key": "kiwi"})
    told.call("get_b", 1, 5, "dead00000000cafe", "b", {"key": "lime"})
    report = told.report()
    assert (report.calls, report.verdict) == (2, "parallel")
    assert told.analysis().coverage.calls_without_turn == 0


# Asked for directly.


def test_a_ratio_for_each_trace() -> None:
    told = Told()
    turn = told.turn(0, 5)
    told.call("get_a", 0, 3, turn, given={"key": "kiwi"})
    told.call("get_b", 1, 4, turn, given={"key": "lime"})
    assert told.report().ratio == seconds(6 / 4)


def test_calls_across_a_hand_off_keep_their_order() -> None:
    told = Told()
    turn = told.turn(0, 10)
    told.asks(0, 1, turn, "a")
    told.call("get_plan", 1, 3, turn, "a", {"plan": "basic"})
    told.asks(3, 4, turn, "t")
    told.call("transfer_to_billing", 4, 4.1, turn, "t", {})
    told.asks(4.1, 5, turn, "b")
    told.call("get_rate", 5, 7, turn, "b", {"plan": "other"})
    report = told.report()
    assert (report.verdict, report.findings) == ("serial_by_need", ())


def test_a_screen_is_left_alone_between_reads() -> None:
    told = Told()
    turn = told.turn(0, 10)
    for index, (tool, given) in enumerate(
        (("check_box", {"ref": "terms"}), ("get_page_text", {}), ("browse", {"action": "click"}))
    ):
        told.asks(3 * index, 3 * index + 1, turn, f"c{index}")
        told.call(tool, 3 * index + 1, 3 * index + 3, turn, f"c{index}", given)
    report = told.report()
    assert (report.verdict, report.findings) == ("serial_by_need", ())
