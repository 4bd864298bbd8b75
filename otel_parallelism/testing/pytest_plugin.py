"""
The plugin of pytest: a mark, a fixture, three options and a summary of the turns that lost most time.

A test's turns are captured if it has the mark ``parallel`` or uses the fixture ``parallelism``; with one of the
options, those of every test are. They travel on the reports of the tests, so the summary and the options also show
those from the processes of pytest-xdist.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from otel_parallelism.errors import SettingError

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from .captured_turns import CapturedTurns
    from .demands import Demand

_CAPTURED: pytest.StashKey[CapturedTurns] = pytest.StashKey()
_DEMAND: pytest.StashKey[Demand | None] = pytest.StashKey()
_SHOWN = 10
_MARK = (
    "parallel(min_efficiency=None, max_avoidable=0.0, allow=[], structure=False): fail the test if tool calls of an "
    "agent turn ran one after another that could have run together"
)


class TestedTurn(msgspec.Struct, frozen=True):
    """
    What the summary shows of a turn, and its reports.

    Attributes:
        title: The name of the agent.
        avoidable: The seconds that recommended findings cost.
        efficiency: From 0 to 1; None if the turn has none.
        structure: Whether every call counted as one second.
        document: The report of ``analyze --format json`` on the turn.
        text: The report as text.
        spans: The turn as spans in OTLP JSON, if they are to be written.
    """

    __test__ = False  # pytest takes classes of this name for tests

    title: str
    avoidable: float
    efficiency: float | None
    document: dict[str, Any]
    text: str
    spans: list[dict[str, Any]] = []
    structure: bool = False


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the three options."""
    group = parser.getgroup("parallelism", "parallel tool calls of agents")
    group.addoption(
        "--parallelism-report", action="store_true", help="print the timeline and the findings of every agent turn"
    )
    group.addoption("--parallelism-json", metavar="FILE", help="write the reports on all agent turns to FILE")
    group.addoption(
        "--parallelism-spans",
        metavar="FILE",
        help="write all agent turns to FILE as spans in OTLP JSON, which otel-parallelism compare and analyze read",
    )


def pytest_configure(config: pytest.Config) -> None:
    """
    Declare the mark, and start the summary where the results of all tests arrive.

    Raises:
        pytest.UsageError: An option names a file that cannot be written.
    """
    config.addinivalue_line("markers", _MARK)
    if not hasattr(config, "workerinput"):  # a process of pytest-xdist
        config.pluginmanager.register(Summary(config), "parallelism-summary")


def pytest_unconfigure() -> None:
    """Undo what the first capture did to the process, if there was one."""
    if f"{__package__}.captured_turns" not in sys.modules:
        return
    from .captured_turns import release  # noqa: PLC0415 - see `pytest_runtest_setup`

    release()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Start the capture of a test before its fixtures are set up."""
    if not _is_captured(item):
        return
    from .assertions import read_rewritten_tests  # noqa: PLC0415 - programs' tests start without what is not needed
    from .captured_turns import CapturedTurns  # noqa: PLC0415 - likewise

    read_rewritten_tests()
    demand = item.stash[_DEMAND] = _demand_of(item)
    uses_fixture = "parallelism" in getattr(item, "fixturenames", ())
    captured = CapturedTurns(
        structure=uses_fixture or (demand is not None and demand.structure), folder=item.path.parent
    )
    item.stash[_CAPTURED] = captured
    captured.start()


@pytest.fixture
def parallelism(request: pytest.FixtureRequest) -> CapturedTurns:
    """Return the agent turns that end during the test: one report each, in ``turns``."""
    captured: CapturedTurns = request.node.stash[_CAPTURED]
    return captured


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    """Check the mark after the test itself has passed."""
    yield
    demand = item.stash.get(_DEMAND, None)
    text = "" if demand is None else _failure(item.stash[_CAPTURED], demand, str(item.config.rootpath))
    if text:
        pytest.fail(text, pytrace=False)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Put the turns of a test on the report of its call."""
    report = yield
    captured = item.stash.get(_CAPTURED, None)
    if captured is not None and report.when == "call":
        # pytest-xdist sends all attributes of a report that are JSON.
        if captured.turns:
            report.__dict__["parallelism"] = [msgspec.to_builtins(turn) for turn in _tested_turns(captured, item)]
        if captured.undecided:
            report.__dict__["parallelism_undecided"] = list(captured.undecided)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, None, None]:
    """End the capture after the fixtures are torn down."""
    try:
        yield
    finally:
        captured = item.stash.get(_CAPTURED, None)
        if captured is not None:
            from .assertions import release_rewritten_tests  # noqa: PLC0415 - see `pytest_runtest_setup`

            captured.stop()
            release_rewritten_tests()
            del item.stash[_CAPTURED]


class Summary:
    """Collects the turns of all tests, and shows and writes them at the end."""

    def __init__(self, config: pytest.Config) -> None:
        self._shows_all = bool(config.getoption("--parallelism-report"))
        self._file = _checked_file(config, "--parallelism-json")
        self._span_file = _checked_file(config, "--parallelism-spans")
        self._turns: list[tuple[pytest.TestReport, TestedTurn]] = []
        self._undecided: list[tuple[pytest.TestReport, str]] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the turns of one test."""
        for turn in getattr(report, "parallelism", ()):
            self._turns.append((report, msgspec.convert(turn, TestedTurn)))
        self._undecided += [(report, text) for text in getattr(report, "parallelism_undecided", ())]

    def pytest_sessionfinish(self) -> None:
        """Write the files that ``--parallelism-json`` and ``--parallelism-spans`` name."""
        if self._span_file is not None:
            from .turn_spans import write_spans  # noqa: PLC0415 - see `pytest_runtest_setup`

            spans = (span for _, turn in self._turns for span in turn.spans)
            self._span_file.write_text(write_spans(spans), encoding="utf-8")
        if self._file is None:
            return
        turns = [
            {"test": report.nodeid, "outcome": report.outcome, "structure": turn.structure, "report": turn.document}
            for report, turn in self._turns
        ]
        self._file.write_text(json.dumps({"turns": turns}, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Show the turns that lost most time, and all of them if that was requested."""
        if self._shows_all and self._turns:
            terminalreporter.section("agent turns")
            for report, turn in self._turns:
                terminalreporter.write_line(report.nodeid)
                terminalreporter.write_line(turn.text)
        if self._undecided:
            terminalreporter.section("agent turns that were not judged")
            for report, text in self._undecided:
                terminalreporter.write_line(f"{report.nodeid}: {text}")
        slow = sorted((pair for pair in self._turns if pair[1].avoidable > 0), key=lambda pair: -pair[1].avoidable)
        if slow:
            terminalreporter.section("slowest serial agent turns")
            for line in _table(slow[:_SHOWN]):
                terminalreporter.write_line(line)
            if len(slow) > _SHOWN:
                terminalreporter.write_line(f"and {len(slow) - _SHOWN} more")


def _checked_file(config: pytest.Config, option: str) -> Path | None:
    """Return the file that *option* names, after it was opened for writing."""
    name: str | None = config.getoption(option)
    if name is None:
        return None
    file = Path(config.invocation_params.dir, name)
    try:
        file.open("a", encoding="utf-8").close()
    except OSError as error:
        raise pytest.UsageError(f"{option} {name}: {error.strerror}") from None
    return file


def _is_captured(item: pytest.Item) -> bool:
    options = ("--parallelism-report", "--parallelism-json", "--parallelism-spans")
    wanted = any(item.config.getoption(option) for option in options)
    fixtures = getattr(item, "fixturenames", ())
    return wanted or "parallelism" in fixtures or item.get_closest_marker("parallel") is not None


def _demand_of(item: pytest.Item) -> Demand | None:
    """Return what the mark of a test demands, None without a mark; fail the test if the mark has a wrong argument."""
    mark = item.get_closest_marker("parallel")
    if mark is None:
        return None
    from .demands import Demand  # noqa: PLC0415 - see `pytest_runtest_setup`

    try:
        return Demand(*mark.args, **mark.kwargs)
    except (TypeError, SettingError) as error:
        pytest.fail(f"@pytest.mark.parallel of {item.nodeid}: {error}", pytrace=False)


def _failure(captured: CapturedTurns, demand: Demand, base: str) -> str:
    """Return why the captured turns fail *demand*; an empty string if they fulfil it. For *base*, see there."""
    from .demands import failure_text, unknown_text  # noqa: PLC0415 - see `pytest_runtest_setup`

    if not captured.turns:
        return f"nothing to judge: {captured.number_of_turns()}"
    if captured.calls_outside_turns:
        return captured.number_of_turns()
    judged = [demand.judge(report) for report in captured.turns]
    captured.undecided += [unknown_text(one) for one in judged if one.unknown]
    return failure_text(judged, base=base)


def _tested_turns(captured: CapturedTurns, item: pytest.Item) -> Iterator[TestedTurn]:
    from otel_parallelism.model import Analysis, Coverage  # noqa: PLC0415 - see `pytest_runtest_setup`
    from otel_parallelism.reports.json import render_json  # noqa: PLC0415 - likewise
    from otel_parallelism.reports.parts.summary import turn_title  # noqa: PLC0415 - likewise
    from otel_parallelism.reports.text import render_text  # noqa: PLC0415 - likewise

    from .demands import WIDTH  # noqa: PLC0415 - likewise
    from .turn_spans import spans_of_turn  # noqa: PLC0415 - likewise

    demand = item.stash.get(_DEMAND, None)
    structure = demand is not None and demand.structure
    for measured in captured.turns:
        report = demand.judge(measured).report if demand is not None and structure else measured
        analysis = Analysis((report,), Coverage())
        yield TestedTurn(
            turn_title(report),
            report.avoidable,
            report.efficiency,
            json.loads(render_json(analysis)),
            render_text(analysis, width=WIDTH, base=str(item.config.rootpath)),
            spans_of_turn(report, item.config.rootpath) if item.config.getoption("--parallelism-spans") else [],
            structure,
        )


def _table(turns: list[tuple[pytest.TestReport, TestedTurn]]) -> Iterator[str]:
    from otel_parallelism.reports.parts.wording import counted, seconds, two_decimals  # noqa: PLC0415 - likewise

    for report, turn in turns:
        lost = counted(round(turn.avoidable), "call") if turn.structure else seconds(turn.avoidable)
        yield f"{lost:>8} avoidable  efficiency {two_decimals(turn.efficiency)}  {report.nodeid}"
