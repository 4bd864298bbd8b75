"""``fix``: from a finding of a report to a diff, for each cause; what is refused, and why; and that it helps."""

from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from otel_parallelism.model import Advice, Analysis, Call, Caller, Cause, Coverage, Finding, FindingKind, Report, Turn
from otel_parallelism.reports.json import render_json

if TYPE_CHECKING:
    from tests.cli.conftest import Invoke, Shell

ROOT = Path(__file__).parents[3]
SPANS = ROOT / "tests" / "fixtures" / "spans" / "mastra-native.jsonl"
PAGE = """\
async def page(shop, user):
    # for the head
    prices = await shop.prices(user)
    news = await shop.news()
    return prices, news
"""
AGENT = 'agent = Agent(\n    name="travel",\n    instructions="You plan trips for our guests.",\n)\n'
OTHER = 'other = Agent(name="billing", instructions="You write bills for our guests.")\n'


def report(
    cause: Cause,
    *,
    advice: Advice = "recommended",
    place: Caller | None = None,
    tools: tuple[str, ...] = ("prices", "news"),
    kind: FindingKind = "sequential_chain",
    framework: str = "",
    switch: str = "",
) -> str:
    """Return a JSON report on one turn with one finding, about calls of 1 s."""
    calls = tuple(
        Call("1", f"{at}", "t", tool, at * 10**9, (at + 1) * 10**9, framework=framework, switch=switch)
        for at, tool in enumerate(tools)
    )
    finding = Finding(
        kind=kind,
        cause=cause,
        advice=advice,
        calls=tools,
        span_ids=tuple(call.span_id for call in calls),
        avoidable=1.0,
        recommendation="Do it so.",
        location=place,
    )
    turn = Turn("1", "t", "plan", "travel", 0, 2 * 10**9, calls, ())
    one = Report(
        turn=turn, calls=2, verdict="sequential", coverage=1.0, makespan=2.0, efficiency=0.5, findings=(finding,)
    )
    return render_json(Analysis((one,), Coverage(calls=2)))


def with_report(invoke: Invoke, cause: Cause, **facts: Any) -> str:
    """Write a report and return the id of its finding."""
    text = report(cause, **facts)
    invoke.write("report.json", text)
    found: str = json.loads(text)["findings"][0]["id"]
    return found


def test_headline_counts_the_calls_of_a_tool(invoke: Invoke) -> None:
    name = with_report(invoke, "unknown", tools=("prices", "news", "prices"))
    done = invoke("fix", "report.json")
    assert done.stderr.decode().startswith(f"Finding {name}: prices ×2 → news, cause unknown, 1.00 s lost in ")


def test_headline_says_perhaps_of_a_potential_finding(invoke: Invoke) -> None:
    name = with_report(invoke, "model", advice="potential")
    done = invoke("fix", "report.json")
    assert done.stderr.decode().startswith(
        f"Finding {name}: prices → news, cause model, perhaps 1.00 s lost in travel\n"
    )


def test_code_is_rewritten_at_the_place_only_with_write(invoke: Invoke) -> None:
    page = invoke.write("shop/page.py", PAGE + "\n\n" + PAGE.replace("page(", "other("))
    before = page.read_text(encoding="utf-8")
    name = with_report(invoke, "code", place=Caller("/srv/build/shop/page.py", 3))
    done = invoke("fix", "report.json", name)
    assert done.returncode == 0
    assert page.read_text(encoding="utf-8") == before
    assert done.stdout.decode().startswith("--- shop/page.py\n+++ shop/page.py\n@@ ")
    assert "+    prices, news = await asyncio.gather(shop.prices(user), shop.news())\n" in done.stdout.decode()
    told = done.stderr.decode()
    assert told.startswith(
        f"Finding {name}: prices → news, cause code, 1.00 s lost in travel\n--write makes this change."
    )
    assert "run --fail-under-efficiency 0.75 PROGRAM (efficiency was 0.50; at best it becomes 1.00)" in told
    again = invoke("fix", "report.json", "--write")
    assert again.stdout == done.stdout
    assert "shop/page.py: written\nTo measure whether it helped: " in again.stderr.decode()
    after = page.read_text(encoding="utf-8")
    assert after.count("asyncio.gather") == 1
    assert after.endswith(before[len(PAGE) :])


def test_changed_file_is_refused_with_what_the_line_shows_now(invoke: Invoke) -> None:
    page = invoke.write("page.py", PAGE.replace("shop.prices(user)", "shop.get(user)"))
    with_report(invoke, "code", place=Caller("page.py", 3))
    done = invoke("fix", "report.json", "--write")
    assert (done.returncode, done.stdout) == (1, b"Do it so.\n")
    assert "No change is sure: page.py: line 3 awaits get, and not news and prices: the file has changed" in (
        done.stderr.decode()
    )
    assert "gather" not in page.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        (
            {"cause": "code", "advice": "potential", "place": Caller("page.py", 3)},
            "it is not known that the calls need",
        ),
        ({"cause": "code"}, "the report does not say where the calls are made"),
        ({"cause": "code", "place": Caller("elsewhere.py", 3)}, "elsewhere.py is not in "),
        ({"cause": "code", "place": Caller("notes.txt", 1)}, "notes.txt is not in "),
        (
            {"cause": "blocking", "place": Caller("page.py", 3)},
            "blocking code is replaced by hand; otel-parallelism lint may",
        ),
        (
            {"cause": "contention", "kind": "contention", "advice": "potential"},
            "the cause contention has no automatic change",
        ),
        ({"cause": "dispatch"}, "the calls are dispatched by the program's own loop"),
        ({"cause": "dispatch", "framework": "smolagents"}, "max_tool_threads was not found as a literal"),
        (
            {"cause": "dispatch", "framework": "smolagents", "advice": "potential"},
            "it is not known that the calls need",
        ),
        ({"cause": "unknown"}, "it is not known why the calls ran one after another"),
        (
            {"cause": "dispatch", "framework": "langgraph", "tools": ("prices", "news", "stock")},
            "max_concurrency was not found as a literal",
        ),
        ({"cause": "model"}, "no system prompt was found as a literal in the source"),
    ],
)
def test_what_is_not_sure_is_refused_with_the_reason(invoke: Invoke, facts: dict[str, Any], reason: str) -> None:
    invoke.write("page.py", PAGE)
    invoke.write("notes.txt", PAGE)
    invoke.write("config.py", "config = dict(max_concurrency=2)\n")  # under which two calls run at once
    with_report(invoke, **facts)
    done = invoke("fix", "report.json")
    assert done.returncode == 1
    assert f"No change is sure: {reason}" in done.stderr.decode()
    assert done.stdout != b""


def test_own_loop_gets_the_lines_to_write(invoke: Invoke) -> None:
    with_report(invoke, "dispatch", place=Caller("loop.py", 7))
    told = invoke("fix", "report.json").stdout.decode()
    assert "In place of the loop over the calls of a response (the calls are made at loop.py:7):" in told
    assert "messages += await run_tools(response, [prices, news])\n" in told


def test_loop_that_chooses_the_tool_gets_them_too(invoke: Invoke) -> None:
    invoke.write("loop.py", "async def f(calls):\n    return [await TOOLS[name](**given) for name, given in calls]\n")
    with_report(invoke, "code", place=Caller("loop.py", 2))
    done = invoke("fix", "report.json")
    assert done.returncode == 1
    assert "messages += await run_tools(response, [prices, news])\n" in done.stdout.decode()
    assert "loop.py: line 2 awaits a function that is chosen while the program runs" in done.stderr.decode()


def test_model_gets_a_section_in_the_prompt_of_its_agent(invoke: Invoke) -> None:
    invoke.write("app/agents.py", AGENT + OTHER)
    invoke.write("tests/test_agents.py", AGENT)
    (invoke.folder / "app/loop.py").symlink_to("loop.py")
    os.mkfifo(invoke.folder / "app/pipe.py")
    with_report(invoke, "model")
    done = invoke("fix", "report.json", "--write")
    assert done.returncode == 0, done.stderr
    text = (invoke.folder / "app/agents.py").read_text(encoding="utf-8")
    told, other = (node.value.keywords[1].value.value for node in ast.parse(text).body if isinstance(node, ast.Assign))
    assert told.startswith("You plan trips for our guests.\n\n# Using tools in parallel\n")
    assert "ask for them in one response: prices, news." in told
    assert other == "You write bills for our guests."
    again = invoke("fix", "report.json", "--write")
    assert again.returncode == 1
    assert "app/agents.py:4 has such a section already" in again.stderr.decode()


def test_prompt_of_another_agent_is_not_taken(invoke: Invoke) -> None:
    invoke.write("agents.py", OTHER)
    with_report(invoke, "model")
    done = invoke("fix", "report.json", "--write")
    assert done.returncode == 1
    assert "the system prompts that were found are of other agents: agents.py:1." in done.stderr.decode()
    assert (invoke.folder / "agents.py").read_text(encoding="utf-8") == OTHER


def test_prompt_that_is_imported_is_changed_where_it_is_bound(invoke: Invoke) -> None:
    invoke.write("app/agents.py", 'from .texts import TRAVEL, BILLS\nAgent(name="travel", instructions=TRAVEL)\n')
    texts = 'TRAVEL = """You plan trips.\n"""\nBILLS = "You write bills."\n'
    invoke.write("app/texts.py", texts)
    with_report(invoke, "model")
    assert invoke("fix", "report.json", "--write").returncode == 0
    after = (invoke.folder / "app/texts.py").read_text(encoding="utf-8")
    assert after.startswith('TRAVEL = """You plan trips.\n\n# Using tools in parallel\n')
    assert after.endswith('prices, news.\n"""\nBILLS = "You write bills."\n')


def test_recorded_prompt_tells_which_one_is_meant(invoke: Invoke) -> None:
    said = "You plan trips for our guests.\\n\\nBe brief."
    invoke.write(
        "prompts.py", f'A = f(system_prompt="{said}")\nB = f(system_prompt="You write bills for our guests.")\n'
    )
    shutil.copy(SPANS, invoke.folder / "spans.jsonl")
    done = invoke("fix", "spans.jsonl")
    assert done.returncode == 1
    assert "2 system prompts were found, and which one is the agent's is not known: prompts.py:1, prompts.py:2" in (
        done.stderr.decode()
    )
    value = {"stringValue": said.replace("\\n", "\n")}
    instructions = json.dumps({"key": "gen_ai.system_instructions", "value": value})
    tool = '{"key":"gen_ai.tool.name"'
    recorded = SPANS.read_text(encoding="utf-8").replace(tool, f"{instructions},{tool}")
    invoke.write("spans.jsonl", recorded)
    done = invoke("fix", "spans.jsonl")
    assert done.returncode == 0, done.stderr
    assert '-A = f(system_prompt="You plan trips for our guests.' in done.stdout.decode()
    assert "otel-parallelism compare spans.jsonl AFTER" in done.stderr.decode()


@pytest.mark.parametrize(
    ("framework", "switch", "before", "after"),
    [
        ("langgraph", "max_concurrency=1", 'config = {"max_concurrency": 1}', 'config = {"max_concurrency": 2}'),
        ("smolagents", "", "a = CodeAgent(max_tool_threads=1)", "a = CodeAgent(max_tool_threads=2)"),
        (
            "agent_framework",
            "",
            "c = Config(allow_concurrent_invocation=False)",
            "c = Config(allow_concurrent_invocation=True)",
        ),
        (
            "agent_framework",
            "",
            'client.function_invocation_configuration["allow_concurrent_invocation"] = False',
            'client.function_invocation_configuration["allow_concurrent_invocation"] = True',
        ),
        (
            "pydantic-ai",
            "",
            "@agent.tool(sequential=True)\ndef prices(): ...\n@agent.tool(sequential=True)\ndef book(): ...",
            "@agent.tool(sequential=False)\ndef prices(): ...\n@agent.tool(sequential=True)\ndef book(): ...",
        ),
        (
            "strands",
            "",
            "from strands.tools.executors import SequentialToolExecutor\na = Agent(t=SequentialToolExecutor())",
            "from strands.tools.executors import ConcurrentToolExecutor\na = Agent(t=ConcurrentToolExecutor())",
        ),
    ],
)
def test_setting_of_the_framework_is_changed(
    invoke: Invoke, framework: str, switch: str, before: str, after: str
) -> None:
    invoke.write("app.py", before + "\n")
    with_report(
        invoke,
        "limit" if switch else "dispatch",
        kind="limit" if switch else "sequential_chain",
        framework=framework,
        switch=switch,
    )
    done = invoke("fix", "report.json", "--write")
    assert done.returncode == 0, done.stderr
    assert (invoke.folder / "app.py").read_text(encoding="utf-8") == after + "\n"


def test_missing_setting_is_written_out(invoke: Invoke) -> None:
    with_report(invoke, "dispatch", framework="openinference.instrumentation.smolagents")
    told = invoke("fix", "report.json").stdout.decode()
    assert told == "Do it so.\n\nWrite: max_tool_threads=2 where the agent is made\n"


def test_setting_at_several_places_is_not_chosen_from(invoke: Invoke) -> None:
    invoke.write("app.py", "run(max_concurrency=1)\nrun(max_concurrency=1)\nrun(max_concurrency=9)\n")
    with_report(invoke, "limit", kind="limit", framework="langgraph", switch="max_concurrency=1")
    done = invoke("fix", "report.json")
    assert done.returncode == 1
    assert "max_concurrency was found at several places: app.py:1, app.py:2." in done.stderr.decode()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["missing.json"], "missing.json: there is no such file"),
        (["report.json", "ffffffff"], "report.json: ffffffff: there is no such finding; expected one of "),
        (["broken.json"], "broken.json: "),
        (["empty.json", "ffffffff"], "empty.json: ffffffff: there is no such finding; expected a report with findings"),
        (
            ["newer.json"],
            "newer.json: its schema_version is 2, which a later version of otel-parallelism wrote",
        ),
        (["old.json"], "expected a report of run or analyze with --format json"),
        (["report.json", "--source", "missing"], "Directory 'missing' does not exist"),
    ],
)
def test_bad_input_is_named_with_status_2(invoke: Invoke, arguments: list[str], message: str) -> None:
    text = report("code")
    invoke.write("report.json", text)
    invoke.write("broken.json", text[:-20])
    invoke.write("empty.json", render_json(Analysis((), Coverage())))
    invoke.write("newer.json", text.replace('"schema_version": 1', '"schema_version": 2'))
    invoke.write("old.json", text.replace('"id":', '"other":'))
    done = invoke("fix", *arguments)
    assert (done.returncode, done.stdout) == (2, b"")
    assert message in done.stderr.decode()


def test_report_without_findings_is_a_success(invoke: Invoke) -> None:
    invoke.write("empty.json", render_json(Analysis((), Coverage())))
    done = invoke("fix", "empty.json")
    assert (done.returncode, done.stdout) == (0, b"")
    assert done.stderr == b"empty.json: there is no finding, so there is nothing to fix\n"


def test_report_can_begin_with_a_byte_order_mark(invoke: Invoke) -> None:
    name = with_report(invoke, "unknown")
    (invoke.folder / "marked.json").write_bytes(b"\xef\xbb\xbf" + (invoke.folder / "report.json").read_bytes())
    assert invoke("fix", "marked.json").stderr.decode().startswith(f"Finding {name}: ")


def test_file_outside_of_the_source_is_neither_read_nor_written(invoke: Invoke) -> None:
    outside = invoke.write("outside/page.py", PAGE)
    (invoke.folder / "inside").mkdir()
    (invoke.folder / "inside" / "page.py").symlink_to(outside)
    with_report(invoke, "code", place=Caller(str(outside), 3))
    done = invoke("fix", "report.json", "--source", "inside", "--write")
    assert done.returncode == 1
    assert outside.read_text(encoding="utf-8") == PAGE


def test_package_under_another_event_loop_is_refused(invoke: Invoke) -> None:
    invoke.write("shop/__init__.py", "")
    invoke.write("shop/run.py", "import trio\n")
    invoke.write("shop/page.py", PAGE)
    with_report(invoke, "code", place=Caller("shop/page.py", 3))
    done = invoke("fix", "report.json", "--write")
    assert done.returncode == 1
    assert "the package of shop/page.py imports trio, and asyncio.gather needs asyncio's event loop" in (
        done.stderr.decode()
    )


def test_line_ends_and_encoding_stay(invoke: Invoke) -> None:
    page = invoke.folder / "page.py"
    text = "# -*- coding: latin-1 -*-\r\n# Ärger\r\n" + PAGE.replace("\n", "\r\n")
    page.write_bytes(text.encode("latin-1"))
    with_report(invoke, "code", place=Caller("page.py", 5))
    assert invoke("fix", "report.json", "--write").returncode == 0
    after = page.read_bytes()
    assert "# Ärger\r\n".encode("latin-1") in after
    assert after.count(b"\n") == after.count(b"\r\n")


@pytest.mark.process
def test_written_fix_makes_the_program_faster(shell: Shell) -> None:
    shutil.copy(ROOT / "examples" / "trip.py", shell.folder)
    assert shell("run", "-o", "before.json", "-o", "before.jsonl", "trip.py").returncode == 0
    before = json.loads((shell.folder / "before.json").read_text(encoding="utf-8"))
    shown = shell("fix", "before.json", before["findings"][0]["id"])
    assert shown.returncode == 0
    fixed = shell("fix", "before.jsonl", "--write")
    assert fixed.returncode == 0, fixed.stderr
    assert fixed.stdout == shown.stdout
    assert shell("run", "-o", "after.json", "-o", "after.jsonl", "trip.py").returncode == 0
    after = json.loads((shell.folder / "after.json").read_text(encoding="utf-8"))
    assert before["turns"][0]["efficiency"] < 0.6
    assert after["turns"][0]["efficiency"] > 0.9
    assert after["findings"] == []
    compared = shell("compare", "before.jsonl", "after.jsonl")
    assert compared.returncode == 0
    assert "100 % → 0 %" in compared.stdout.decode()


@pytest.mark.process
def test_spans_can_be_standard_input(shell: Shell) -> None:
    expected = shell("fix", SPANS)
    done = subprocess.run(  # noqa: S603 - our own command
        shell.command("fix", "-"),
        input=SPANS.read_bytes(),
        capture_output=True,
        check=False,
        cwd=shell.folder,
        env=shell.environment,
        timeout=60,
    )
    assert (done.returncode, done.stdout) == (expected.returncode, expected.stdout), done.stderr
