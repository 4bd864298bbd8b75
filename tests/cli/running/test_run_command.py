"""``run`` with real processes: its report, and that output, status and telemetry of the program stay the same."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
from typing import TYPE_CHECKING, Any

import pytest
from oteltap import OtelTapHttpProtobufReceiver, OtelTapHttpProtobufReceiverSettings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.cli.conftest import Completed, Shell


pytestmark = pytest.mark.process


def document(output: bytes) -> Any:
    return json.loads(output)


def turns(done: Completed) -> list[tuple[str, float, str]]:
    """Return agent, ratio (one decimal) and verdict of the turns of a JSON report on standard output."""
    return [(t["agent"], round(t["ratio"], 1), t["verdict"]) for t in document(done.stdout)["turns"]]


def test_program_without_provider_is_measured(shell: Shell, agent: Callable[[str], Path]) -> None:
    agent("asyncio.run(one_by_one())\nasyncio.run(together())")
    done = shell("run", "--format", "json", "agent.py")
    assert (done.stderr, done.returncode) == (b"", 0)
    assert turns(done) == [("planner", 1.0, "sequential"), ("planner", 3.0, "parallel")]
    finding = document(done.stdout)["turns"][0]["findings"][0]
    assert (finding["kind"], finding["cause"], finding["advice"]) == ("sequential_chain", "code", "recommended")
    assert finding["calls"] == ["look_up"] * 3
    assert finding["avoidable"] == pytest.approx(0.2, abs=0.05)
    assert finding["location"] == {"file_path": str(shell.folder / "agent.py"), "line_number": 11}
    assert document(done.stdout)["coverage"]["calls_without_turn"] == 0


@pytest.mark.parametrize(("environment", "budget"), [({}, "inf"), ({"OTEL_PARALLELISM_TURN_END_BUDGET": "0.5"}, "0.5")])
def test_turns_are_analysed_where_they_end_unless_set_otherwise(
    shell: Shell, agent: Callable[[str], Path], environment: dict[str, str], budget: str
) -> None:
    agent("from otel_parallelism.tracing.state.registry import REGISTRY\nprint(REGISTRY.settings.turn_end_budget)")
    assert shell("run", "agent.py", **environment).stdout.decode().splitlines()[0] == budget


def test_text_starts_with_the_savings_and_the_place(shell: Shell, agent: Callable[[str], Path]) -> None:
    agent("print('the answer')\nasyncio.run(one_by_one())\nprint('another')")
    lines = shell("run", "agent.py").stdout.decode().splitlines()
    assert lines[:2] == ["the answer", "another"]
    assert lines[2].startswith("1 turn · 1 sequential: 0.2")
    assert lines[3].startswith("Start with turn 1 (planner) at agent.py:11: look_up ×3, 0.2")
    assert any("asyncio.gather or a TaskGroup at agent.py:11." in line for line in lines)
    assert not any("\x1b" in line for line in lines)


def test_ascii_output_gets_an_ascii_report(shell: Shell, agent: Callable[[str], Path]) -> None:
    agent("asyncio.run(one_by_one())")
    done = shell("run", "agent.py", PYTHONIOENCODING="ascii")
    assert done.stdout.isascii()
    assert done.stdout.startswith(b"1 turn - 1 sequential: 0.2")
    assert b"####" in done.stdout


def test_output_is_relative_to_the_first_working_folder(shell: Shell, agent: Callable[[str], Path]) -> None:
    agent("import os\nasyncio.run(one_by_one())\nos.mkdir('elsewhere')\nos.chdir('elsewhere')")
    done = shell("run", "--output", "report.txt", "agent.py")
    assert (done.stdout, done.returncode) == (b"", 0)
    assert "at agent.py:11" in (shell.folder / "report.txt").read_text(encoding="utf-8")


def test_program_can_replace_the_standard_streams(shell: Shell, agent: Callable[[str], Path]) -> None:
    agent("import io\nsys.stdout = io.StringIO()\nasyncio.run(one_by_one())\nprint('caught')")
    assert turns(shell("run", "--format", "json", "agent.py")) == [("planner", 1.0, "sequential")]


def test_unwritable_report_is_an_error_of_one_line(shell: Shell, agent: Callable[[str], Path]) -> None:
    agent("asyncio.run(one_by_one())\nsys.stdout.close()")
    done = shell("run", "agent.py")
    assert done.returncode == 2
    assert done.stderr.startswith(b"the report cannot be written: ")
    assert done.stderr.count(b"\n") == 1


def test_report_without_standard_output_needs_a_file(shell: Shell, agent: Callable[[str], Path]) -> None:
    agent("asyncio.run(one_by_one())")
    script = "import os, sys; os.close(1); os.execv(sys.executable, [sys.executable, *sys.argv[1:]])"
    without = ["-c", script, "-m", "otel_parallelism", "run"]
    done = shell.python(*without, "agent.py")
    assert (done.stderr, done.returncode) == (b"the report cannot be written: there is no standard output\n", 2)
    done = shell.python(*without, "--output", "report.txt", "agent.py")
    assert (done.stderr, done.returncode) == (b"text report written to report.txt\n", 0)
    assert (shell.folder / "report.txt").read_bytes().startswith(b"1 turn")


@pytest.mark.parametrize("program", ["", "import html, rich.cells", "sys.path.clear()"])
def test_report_ignores_modules_of_the_program(shell: Shell, agent: Callable[[str], Path], program: str) -> None:
    for name in ("html.py", "rich/__init__.py", "rich/cells.py"):
        shell.write(name, "OWN = True")
    agent(f"asyncio.run(one_by_one())\n{program}")
    done = shell("run", "--html", "report.html", "agent.py")
    assert (done.stderr, done.returncode) == (b"HTML report written to report.html\n", 0)
    assert done.stdout.startswith(b"1 turn")


def test_modules_of_the_program_are_restored_after_the_report(shell: Shell, agent: Callable[[str], Path]) -> None:
    shell.write("rich.py", "OWN = True")
    agent("""
        import atexit, rich
        def at_exit():
            import rich as again
            print(again is rich, again.OWN, sys.path[0])
        atexit.register(at_exit)
    """)
    done = shell("run", "--html", "report.html", "agent.py")
    assert (done.stderr, done.returncode) == (b"HTML report written to report.html\n", 0)
    assert done.stdout.decode().endswith(f"\nTrue True {shell.folder}\n")


def test_turns_beyond_the_limit_are_counted(shell: Shell, agent: Callable[[str], Path]) -> None:
    agent(
        """
        from otel_parallelism.cli.running import watch
        watch.MOST_REPORTS = 2

        for number in range(5):
            with agent_turn(f"number {number}"):
                pass
        """
    )
    done = shell("run", "--format", "json", "agent.py")
    assert [turn["agent"] for turn in document(done.stdout)["turns"]] == ["number 0", "number 1"]
    assert done.stderr == b"3 later turns omitted from the report\n"


def test_open_turns_are_counted(shell: Shell, agent: Callable[[str], Path]) -> None:
    agent(
        """
        import threading, time

        def endless():
            with agent_turn("endless"):
                time.sleep(60)

        threading.Thread(target=endless, daemon=True).start()
        asyncio.run(one_by_one())
        """
    )
    done = shell("run", "--format", "json", "agent.py")
    assert turns(done) == [("planner", 1.0, "sequential")]
    assert (done.stderr, done.returncode) == (b"1 turn still open and not in the report\n", 0)


@pytest.mark.parametrize(
    ("ending", "status", "error"),
    [
        ("raise RuntimeError('broken')", 1, b"RuntimeError: broken\n"),
        ("sys.exit(7)", 7, b""),
        ("sys.exit('sorry')", 1, b"sorry\n"),
    ],
)
def test_report_follows_every_kind_of_ending(
    shell: Shell, agent: Callable[[str], Path], ending: str, status: int, error: bytes
) -> None:
    agent(f"asyncio.run(one_by_one())\n{ending}")
    done = shell("run", "--format", "json", "--fail-under-efficiency", "0.9", "agent.py")
    assert done.returncode == status
    assert done.stderr.endswith(error)
    assert b"below" not in done.stderr
    assert turns(done) == [("planner", 1.0, "sequential")]


def test_failed_turn_is_reported(shell: Shell, agent: Callable[[str], Path]) -> None:
    agent(
        """
        async def failing():
            with agent_turn("failing"):
                await look_up("Lisbon")
                await look_up("Porto")
                await look_up("Faro")
                raise RuntimeError("broken")

        asyncio.run(failing())
        """
    )
    done = shell("run", "--format", "json", "agent.py")
    assert done.returncode == 1
    assert turns(done) == [("failing", 1.0, "sequential")]


def test_interrupted_turn_is_reported(shell: Shell, agent: Callable[[str], Path]) -> None:
    agent(
        """
        async def endless():
            with agent_turn("endless"):
                await look_up("Lisbon")
                await look_up("Porto")
                print("waiting", flush=True)
                await asyncio.sleep(30)

        asyncio.run(endless())
        """
    )
    process = shell.start(shell.command("run", "--output", "report.json", "--format", "json", "agent.py"))
    assert process.stdout is not None
    assert process.stdout.readline() == b"waiting\n"
    process.send_signal(signal.SIGINT)
    done = shell.finish(process)
    assert done.returncode == -signal.SIGINT
    assert done.stderr.endswith(b"KeyboardInterrupt\nJSON report written to report.json\n")
    [turn] = document((shell.folder / "report.json").read_bytes())["turns"]
    assert (turn["agent"], turn["calls"]) == ("endless", 2)


def test_turns_of_threads_after_the_main_thread_are_reported(shell: Shell, agent: Callable[[str], Path]) -> None:
    agent("import threading\nthreading.Thread(target=lambda: asyncio.run(one_by_one())).start()")
    assert turns(shell("run", "--format", "json", "agent.py")) == [("planner", 1.0, "sequential")]


def test_efficiency_gate(shell: Shell, agent: Callable[[str], Path]) -> None:
    agent("asyncio.run(one_by_one())\nasyncio.run(together())\nwith agent_turn('greeter'): pass")
    low = shell("run", "--fail-under-efficiency", "0.5", "agent.py")
    assert low.returncode == 1
    assert low.stderr.startswith(b"turn 1 (planner): efficiency 0.3")
    assert low.stderr.endswith(b" is below 0.5\n")
    assert low.stderr.count(b"\n") == 1
    assert shell("run", "--fail-under-efficiency", "0.2", "agent.py").returncode == 0


def test_invalid_setting_is_reported_before_the_program_runs(shell: Shell, agent: Callable[[str], Path]) -> None:
    agent("print('ran')")
    done = shell("run", "agent.py", OTEL_PARALLELISM_MIN_AVOIDABLE="soon")
    assert (done.stdout, done.returncode) == (b"", 2)
    assert done.stderr.startswith(b"OTEL_PARALLELISM_MIN_AVOIDABLE='soon': ")


@pytest.mark.parametrize("variable", ["OTEL_SDK_DISABLED", "OTEL_PARALLELISM_DISABLED"])
def test_switched_off_instrumentation_is_reported(shell: Shell, agent: Callable[[str], Path], variable: str) -> None:
    agent("asyncio.run(one_by_one())")
    done = shell("run", "agent.py", **{variable: "true"})
    assert done.returncode == 0
    assert done.stderr == b"nothing is recorded: OTEL_PARALLELISM_DISABLED or OTEL_SDK_DISABLED is true\n"


PROVIDER = """
    from opentelemetry import trace
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    own = TracerProvider()
    own.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(sys.argv[1])))
    trace.set_tracer_provider(own)
    assert trace.get_tracer_provider() is own

    async def main():
        with trace.get_tracer("theirs").start_as_current_span("request", attributes={"theirs": True}):
            await one_by_one()

    asyncio.run(main())
"""


async def test_export_of_the_program_has_the_results(shell: Shell, agent: Callable[[str], Path]) -> None:
    agent(PROVIDER)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    settings = OtelTapHttpProtobufReceiverSettings(http_port=port)
    async with OtelTapHttpProtobufReceiver(settings) as receiver:
        awaited = {
            name: asyncio.ensure_future(receiver.await_trace(lambda span, name=name: span.name.endswith(name), 30))
            for name in ("request", "planner", "look_up")
        }
        address = f"http://127.0.0.1:{port}/v1/traces"
        done = await asyncio.to_thread(shell, "run", "--format", "json", "agent.py", address)
        spans = {name: await future for name, future in awaited.items()}
    assert (done.stderr, done.returncode) == (b"", 0)
    assert turns(done) == [("planner", 1.0, "sequential")]
    assert {span.trace_id for span in spans.values()} == {spans["request"].trace_id}
    assert spans["planner"].parent_span_id == spans["request"].span_id
    attributes = {pair.key: pair.value for pair in spans["planner"].attributes}
    assert attributes["agent.parallelism.verdict"].string_value == "sequential"
    assert [pair.key for pair in spans["request"].attributes] == ["theirs"]


def test_no_provider_is_set_for_the_program(shell: Shell, agent: Callable[[str], Path]) -> None:
    agent(
        """
        from opentelemetry import trace
        asyncio.run(one_by_one())
        print(type(trace.get_tracer_provider()).__name__, trace._TRACER_PROVIDER)
        """
    )
    assert shell("run", "--output", "report.txt", "agent.py").stdout == b"ProxyTracerProvider None\n"


def test_other_spans_are_recorded_without_provider(shell: Shell) -> None:
    shell.write(
        "theirs.py",
        """
        import time
        from opentelemetry import trace

        tracer = trace.get_tracer("a framework")

        def call(tool):
            with tracer.start_as_current_span(
                f"execute_tool {tool}", attributes={"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": tool}
            ):
                time.sleep(0.1)

        with tracer.start_as_current_span(
            "invoke_agent helper", attributes={"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "helper"}
        ):
            for tool in ("get_a", "get_b", "get_c"):
                call(tool)
        """,
    )
    done = shell("run", "--format", "json", "theirs.py")
    [turn] = document(done.stdout)["turns"]
    assert (turn["agent"], turn["calls"], round(turn["ratio"], 1)) == ("helper", 3, 1.0)
    assert [call["tool"] for call in sorted(turn["slowest_calls"], key=lambda call: call["start"])] == [
        "get_a",
        "get_b",
        "get_c",
    ]


def test_options_after_the_script_are_passed_to_it(shell: Shell, agent: Callable[[str], Path]) -> None:
    agent("print(sys.argv)")
    done = shell("run", "--output", "report.txt", "agent.py", "--output", "x", "-m", "--format=json", "--help")
    assert done.stdout == b"['agent.py', '--output', 'x', '-m', '--format=json', '--help']\n"


def test_calls_that_went_past_the_targets_are_named(shell: Shell) -> None:
    shell.write("agent.py", "print(1)\n")
    done = shell("run", "agent.py", OTEL_PARALLELISM_TARGETS="nowhere:get_c")
    never = b"target 'nowhere:get_c': the module was never imported; functions of a script are in __main__\n"
    assert (done.stderr, done.returncode) == (never, 0)
