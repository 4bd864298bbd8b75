"""
Runs frameworks' own tests without and with this package, and compares the outcome of every test.

``python tests/frameworks/own_tests.py`` runs a small part of the tests of three frameworks. ``--all`` runs all tests
that need no network and run agents, which takes minutes; names of frameworks choose. The exit status is 1 if a test has
another outcome with this package, or if this package had an internal error.

The tests come from the source distribution of the installed version; ``own_tests.txt`` lists what they need. Both runs
have a tracer provider of OpenTelemetry's SDK. The second also has ``install()`` and the patches, and counts the spans.
Files with different outcomes are run again in both ways: a test is different if no outcome without this package is one
with it, and unsteady otherwise. Tests of the very spans that this package adds are expected to differ, and listed here.

This file is also the plugin of pytest that records the outcomes.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider

from otel_parallelism import coverage
from otel_parallelism.instrumentation.hooks.patching import PATCHING
from otel_parallelism.instrumentation.instrumentor import ParallelismInstrumentor
from otel_parallelism.tracing import shield
from otel_parallelism.tracing.install import install

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pytest

Outcomes = dict[str, str]

MODE = "OWN_TESTS_MODE"
RESULT = "OWN_TESTS_RESULT"
MODES = ("without", "with")
REPEATS = 3
LIMIT_S = 3000


@dataclass(frozen=True)
class OwnTests:
    """
    The own tests of one framework.

    Attributes:
        distribution: The distribution whose source distribution has the tests.
        source: The folder in it that has the framework itself, which is not used: the installed one is tested.
        part: The files and tests of a small run: agents that call tools.
        whole: The folders and files of ``--all``: without those for other services, and for what runs no agent.
        environment: Variables that the tests want.
        expected: Tests that look at the very spans that this package adds, each with the reason for its other outcome.
    """

    distribution: str
    source: str
    part: tuple[str, ...]
    whole: tuple[str, ...] = ("tests",)
    environment: tuple[tuple[str, str], ...] = ()
    expected: tuple[tuple[str, str], ...] = ()


_STRANDS_MCP = "tests/strands/tools/mcp/test_mcp_instrumentation_v2.py"

FRAMEWORKS = {
    "agents": OwnTests(
        "openai-agents",
        "src",
        part=("tests/test_tool_guardrails.py", "tests/test_agent_hooks.py"),
        whole=(
            "tests/mcp",
            "tests/tracing",
            "tests/test_agent_as_tool.py",
            "tests/test_agent_hooks.py",
            "tests/test_agent_memory_leak.py",
            "tests/test_agent_runner.py",
            "tests/test_agent_runner_streamed.py",
            "tests/test_agent_tracing.py",
            "tests/test_asyncio_tasks.py",
            "tests/test_cancel_streaming.py",
            "tests/test_function_tool.py",
            "tests/test_guardrails.py",
            "tests/test_max_turns.py",
            "tests/test_run_step_execution.py",
            "tests/test_tool_guardrails.py",
            "tests/test_tracing.py",
            "tests/test_tracing_errors.py",
        ),
    ),
    "langgraph": OwnTests(
        "langgraph",
        "langgraph",
        part=("tests/test_tool_stream_handler.py", "tests/test_runtime.py"),
        whole=(
            "tests/test_interruption.py",
            "tests/test_pregel_async.py",
            "tests/test_runtime.py",
            "tests/test_tool_stream_handler.py",
        ),
        environment=(("NO_DOCKER", "true"),),
    ),
    "smolagents": OwnTests(
        "smolagents",
        "src",
        part=("tests/test_agents.py",),
        whole=(
            "tests/test_agents.py",
            "tests/test_function_type_hints_utils.py",
            "tests/test_local_python_executor.py",
            "tests/test_mcp_client.py",
            "tests/test_memory.py",
            "tests/test_monitoring.py",
            "tests/test_tool_validation.py",
            "tests/test_utils.py",
        ),
    ),
    "strands": OwnTests(
        "strands-agents",
        "src",
        part=("tests/strands/tools/executors", "tests/strands/agent/test_agent_hooks.py"),
        whole=(
            "tests/strands/agent",
            "tests/strands/background_tasks",
            "tests/strands/event_loop",
            "tests/strands/hooks",
            "tests/strands/multiagent",
            "tests/strands/telemetry",
            "tests/strands/tools",
        ),
        expected=(
            (
                f"{_STRANDS_MCP}::test_tool_call_trace_is_continuous_across_the_boundary",
                "mcp's own span has the call's span as its parent, which in turn has the caller's",
            ),
        ),
    ),
}
PART = ("agents", "langgraph", "strands")
"""The frameworks of a small run."""


def pytest_configure(config: pytest.Config) -> None:
    """Set a tracer provider and, in the second run, install the package and patch the frameworks."""
    trace.set_tracer_provider(TracerProvider())
    if os.environ[MODE] == "with":
        install()
        ParallelismInstrumentor().instrument()
    config.pluginmanager.register(_Recorder(Path(os.environ[RESULT])), "outcomes of own tests")


class _Recorder:
    """Writes the outcome of every test, and what this package saw of them."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.outcomes: Outcomes = {}

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.outcomes[report.nodeid] = "no collection"

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        before = self.outcomes.get(report.nodeid)
        if report.when == "call" or report.outcome != "passed":
            said = f"{report.outcome} in {report.when}" + (" (xfail)" if hasattr(report, "wasxfail") else "")
            self.outcomes[report.nodeid] = said if before is None else f"{before}, {said}"

    def pytest_sessionfinish(self) -> None:
        seen = coverage()
        found = {
            "outcomes": self.outcomes,
            "calls": seen.calls,
            "spans": seen.spans,
            "patched": sum(state == "patched" for state in PATCHING.states.values()),
            "errors": shield.internal_errors(),
        }
        self.path.write_text(json.dumps(found), encoding="utf-8")


@dataclass(frozen=True)
class Found:
    """What one run of pytest came to: the outcomes by test, and what this package counted."""

    outcomes: Outcomes
    calls: int
    spans: int
    patched: int
    errors: dict[str, int]
    took_s: float


def both(own: OwnTests, folder: Path, tests: Iterable[str]) -> tuple[Found, Found]:
    """Run *tests* without and with this package, at the same time."""
    with ThreadPoolExecutor(2) as pool:
        runs = [pool.submit(run, own, folder, tests, mode) for mode in MODES]
    return runs[0].result(), runs[1].result()


def run(own: OwnTests, folder: Path, tests: Iterable[str], mode: str) -> Found:
    """Run *tests* in a process and a copy of *folder* of their own."""
    copy = folder.with_name(mode)
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(folder, copy)
    result = copy / "outcomes.json"
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("COV", "OTEL_", "PYTEST_"))}
    environment = {
        **kept,
        **dict(own.environment),
        "PYTHONPATH": str(Path(__file__).parent),
        MODE: mode,
        RESULT: str(result),
    }
    options = ["-q", "-p", Path(__file__).stem, "-p", "no:cacheprovider", "-o", "addopts=", "--timeout", "60"]
    command = [sys.executable, "-m", "pytest", *options, "--continue-on-collection-errors", *tests]
    began = time.monotonic()
    done = subprocess.run(  # noqa: S603 - the tests that were asked for
        command,
        cwd=copy,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    if not result.exists():
        raise SystemExit(f"pytest wrote no outcomes:\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}")
    return Found(**json.loads(result.read_text(encoding="utf-8")), took_s=time.monotonic() - began)


def fetch(own: OwnTests, folder: Path) -> Path:
    """Download the source distribution of the installed version; return its folder without the framework's code."""
    wanted = f"{own.distribution}=={version(own.distribution)}"
    options = ["--quiet", "--no-deps", "--no-binary", own.distribution, "--dest", str(folder)]
    subprocess.run([sys.executable, "-m", "pip", "download", *options, wanted], check=True)  # noqa: S603 - our own
    (archive,) = folder.glob("*.tar.gz")
    with tarfile.open(archive) as opened:
        opened.extractall(folder, filter="data")
    (root,) = (path for path in folder.iterdir() if path.is_dir())
    shutil.rmtree(root / own.source)
    return root


def compare(name: str, folder: Path, *, everything: bool) -> int:
    """Run the own tests of a framework in both ways, print the comparison, and return the number of problems."""
    own = FRAMEWORKS[name]
    root = fetch(own, folder)
    without, with_us = both(own, root, own.whole if everything else own.part)
    unequal = sorted(differing(without.outcomes, with_us.outcomes))
    seen = [{test: {found.outcomes.get(test, "absent")} for test in unequal} for found in (without, with_us)]
    files = sorted({test.partition("::")[0] for test in unequal})
    for _ in range(REPEATS if unequal else 0):
        for outcomes, again in zip(seen, both(own, root, files), strict=True):
            for test in unequal:
                outcomes[test].add(again.outcomes.get(test, "absent"))
    reasons = dict(own.expected)
    steady = {test for test in unequal if not seen[0][test] & seen[1][test]}
    different = [test for test in unequal if test in steady and test not in reasons]
    counts = Counter(said.partition(" ")[0] for said in with_us.outcomes.values())
    described = ", ".join(f"{number} {said}" for said, number in sorted(counts.items()))
    print(f"{own.distribution} {version(own.distribution)}: {len(without.outcomes)} tests without, {described} with;")
    expected, unsteady = len(steady - set(different)), len(unequal) - len(steady)
    print(f"  {len(different)} different, {expected} expected, {unsteady} unsteady;", end=" ")
    print(f"{without.took_s:.1f} s without, {with_us.took_s:.1f} s with;")
    print(f"  {with_us.patched} targets patched, {with_us.spans} spans seen, {with_us.calls} of them calls;", end=" ")
    print(f"internal errors: {with_us.errors or 'none'}")
    for test in unequal:
        kind = "DIFFERENT" if test in different else "expected" if test in steady else "unsteady"
        print(f"  {kind}: {test}" + (f": {reasons[test]}" if kind == "expected" else ""))
        for mode, outcomes in zip(MODES, seen, strict=True):
            print(f"    {mode}: {', '.join(sorted(outcomes[test]))}")
    untried = not with_us.calls or not with_us.patched
    if untried:
        print("  NOT TRIED: no call was seen")
    return len(different) + len(with_us.errors) + untried


def differing(one: Outcomes, other: Outcomes) -> set[str]:
    """Return the tests that have two outcomes, or one only."""
    return {test for test in one.keys() | other.keys() if one.get(test) != other.get(test)}


def main() -> int:
    """Compare the frameworks that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("frameworks", nargs="*", metavar="NAME", help=f"of {', '.join(FRAMEWORKS)}")
    parser.add_argument("--all", action="store_true", help="run more than a small part of the tests")
    chosen = parser.parse_args()
    problems = 0
    for name in chosen.frameworks or (FRAMEWORKS if chosen.all else PART):
        with tempfile.TemporaryDirectory() as folder:
            problems += compare(name, Path(folder), everything=chosen.all)
    print("1 failed" if problems else "1 passed")
    return int(problems > 0)


if __name__ == "__main__":
    sys.exit(main())
