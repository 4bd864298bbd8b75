from __future__ import annotations

import asyncio
import json
import signal
import sys
import threading
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import pytest

from otel_parallelism.cli.demo.demo_fleet import AGENTS, run_fleet

if TYPE_CHECKING:
    from random import Random

    from tests.cli.conftest import Invoke, Shell

EXPECTED = {
    "parallel-planner": ("parallel", None, set()),
    "model-serial": ("sequential", "model", {("model", "recommended")}),
    "dispatch-serial": ("sequential", "dispatch", {("dispatch", "recommended")}),
    "code-serial": ("sequential", "code", {("code", "recommended")}),
    "contended": ("contended", "contention", {("contention", "potential")}),
    "serial-by-need": ("serial_by_need", None, set()),
}
"""For each agent: the verdict, the cause, and cause and advice of the findings of all its turns."""


def by_agent(text: bytes | str) -> dict[str, list[dict[str, Any]]]:
    found = defaultdict(list)
    for turn in json.loads(text)["turns"]:
        found[turn["agent"]].append(turn)
    return dict(found)


@pytest.mark.process
def test_each_agent_gets_the_verdict_of_its_name(shell: Shell) -> None:
    done = shell("demo", "--fleet", "--turns", "2", "--format", "json")
    assert done.returncode == 0
    agents = by_agent(done.stdout)
    assert {agent: len(turns) for agent, turns in agents.items()} == dict.fromkeys(EXPECTED, 2)
    for agent, turns in agents.items():
        verdict, cause, findings = EXPECTED[agent]
        for turn in turns:
            assert (turn["verdict"], turn["cause"]) == (verdict, cause), agent
            assert {(finding["cause"], finding["advice"]) for finding in turn["findings"]} == findings
    slower = [second["work"] / first["work"] for first, second in agents.values()]
    assert max(slower) / min(slower) > 1.2, "turns differ"
    (code,) = {turn["findings"][0]["location"]["line_number"] for turn in agents["code-serial"]}
    assert AGENTS.read_text().splitlines()[code - 1].strip().startswith("for path in ")
    assert [turn["avoidable_steps"] for turn in agents["model-serial"]] == [2, 2]
    lines = done.stderr.decode().splitlines()
    assert lines == [str(AGENTS), "runs 6 agents concurrently, for 2 turns each.", ""]


@pytest.mark.process
def test_fleet_report_as_text_html_and_trace_events(shell: Shell) -> None:
    done = shell("demo", "--fleet", "--turns", "1", "--html", "fleet.html", "--trace-event", "fleet.json")
    assert done.returncode == 0
    assert done.stderr == b"HTML report written to fleet.html\ntrace events written to fleet.json\n"
    lines = done.stdout.decode().splitlines()
    assert lines[3].startswith("6 turns · 3 sequential, 1 contended: ")
    assert "model-serial" in (shell.folder / "fleet.html").read_text(encoding="utf-8")
    assert json.loads((shell.folder / "fleet.json").read_text(encoding="utf-8"))["traceEvents"]


@pytest.mark.process
@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_endless_fleet_reports_after_a_signal(shell: Shell, number: signal.Signals) -> None:
    process = shell.start(shell.command("demo", "--fleet", "--forever", "--format", "json"))
    assert process.stderr is not None
    assert process.stderr.readline().decode().strip() == str(AGENTS)
    # The fleet starts after this line and installs its signal handlers before the first turn.
    threading.Event().wait(1)
    process.send_signal(number)
    done = shell.finish(process)
    assert done.returncode == 0
    agents = by_agent(done.stdout)
    assert agents.keys() == EXPECTED.keys()
    assert {turn["verdict"] for turn in agents["model-serial"]} == {"sequential"}
    assert sum(map(len, agents.values())) < 20


def test_random_numbers_depend_on_the_seed() -> None:
    async def drawn(seed: int) -> list[tuple[str, float]]:
        seen: list[tuple[str, float]] = []

        async def take_turn(agent: str, random: Random) -> None:
            seen.append((agent, random.random()))

        await run_fleet(["one", "two"], take_turn, turns=3, seed=seed)
        return sorted(seen)

    first, again, other = (asyncio.run(drawn(seed)) for seed in (1, 1, 2))
    assert first == again
    assert len({value for _, value in first + other}) == 12


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--turns", "3"], b"--turns goes with --fleet."),
        (["--forever"], b"--forever goes with --fleet."),
        (["--fleet", "--forever", "--turns", "3"], b"--turns and --forever exclude each other."),
        (["--fleet", "--turns", "0"], b"0 is not in the range x>=1."),
    ],
)
def test_incompatible_options_are_usage_errors(invoke: Invoke, arguments: list[str], expected: bytes) -> None:
    done = invoke("demo", *arguments)
    assert (done.stdout, done.returncode) == (b"", 2)
    assert expected in done.stderr
