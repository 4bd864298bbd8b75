"""Adds up the turns of coding agents: what was asked for one at a time, and the instructions that would help."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from otel_parallelism.analysis.dependencies.effects import call_effect
from otel_parallelism.model.session_types import InstructionLine, OrderedTool, SessionsReport

from .fleet_sums import FleetSums

if TYPE_CHECKING:
    from collections.abc import Mapping

    from otel_parallelism.model import Finding, Report
    from otel_parallelism.model.fleet_types import Grouping
    from otel_parallelism.settings import Settings

SCHEMA_VERSION: Final = 1
BY: Final[tuple[Grouping, ...]] = ("agent", "tool")
_S: Final = 1e9
_MOST_LINES: Final = 10
_MOST_SETS: Final = 5_000
_MOST_NAMED: Final = 4


class _LineSums:
    def __init__(self) -> None:
        self.lost = 0.0
        self.steps = 0
        self.tokens: int | None = None
        self.turns = 0


class SessionSums:
    """
    The sums over the turns of coding agents, in bounded memory.

    Args:
        settings: Say which tools read and write.
    """

    def __init__(self, settings: Settings) -> None:
        """Start with nothing."""
        self._settings = settings
        self.fleet: FleetSums = FleetSums()
        self._sessions: set[str] = set()
        self._turns = self._calls = self._responses = self._alone = self._steps = 0
        self._tokens: int | None = None
        self._cached: int | None = None
        self._lost = self._perhaps = 0.0
        self._waited_ns = 0
        self._effects: dict[str, Counter[str]] = {}
        self._lines: dict[tuple[str, ...], _LineSums] = {}
        self._batches = self._cancelled = self._widest = 0

    def add_session(self, session: str) -> None:
        """Count a session once."""
        self._sessions.add(session)

    def add_batch(self, width: int, cancelled: int) -> None:
        """Count a response of *width* calls; *cancelled* of them were cancelled because another call failed."""
        self._batches += 1
        self._cancelled += cancelled
        self._widest = max(self._widest, width)

    def add_report(self, report: Report) -> None:
        """Add one turn."""
        self.fleet.add(report)
        turn = report.turn
        self._turns += 1
        self._calls += report.calls
        asked = [len(step.requested) for step in turn.steps if step.requested]
        self._responses += len(asked)
        self._alone += asked.count(1)
        self._lost += report.avoidable
        self._perhaps += report.avoidable_potential
        self._steps += report.avoidable_steps
        self._tokens = _added(self._tokens, report.avoidable_tokens)
        self._cached = _added(self._cached, report.avoidable_cached_tokens)
        self._waited_ns += sum(wait.duration_ns for wait in turn.waiting)
        for call in turn.calls:
            effect = call_effect(call, self._settings)[0]
            if effect != "read" and (call.tool in self._effects or len(self._effects) < _MOST_SETS):
                self._effects.setdefault(call.tool, Counter())[effect] += 1
        self._add_lines(report)

    def _add_lines(self, report: Report) -> None:
        found = [each for each in report.findings if each.advice == "recommended" and each.cause == "model"]
        total = sum(each.avoidable for each in found)
        seen: set[tuple[str, ...]] = set()
        for finding in found:
            tools = _tools(finding)
            if tools not in self._lines and len(self._lines) >= _MOST_SETS:
                continue
            sums = self._lines.setdefault(tools, _LineSums())
            share = finding.avoidable / total if total else 0.0
            sums.lost += finding.avoidable
            sums.steps += round(report.avoidable_steps * share)
            if report.avoidable_tokens is not None:
                sums.tokens = _added(sums.tokens, round(report.avoidable_tokens * share))
            sums.turns += tools not in seen
            seen.add(tools)

    def lines(self) -> tuple[InstructionLine, ...]:
        """Return the lines for an agent's instructions, those that save most time first."""
        found = [
            InstructionLine(_line(tools), sums.lost, sums.steps, sums.tokens, sums.turns)
            for tools, sums in self._lines.items()
        ]
        found.sort(key=lambda line: (-line.lost, line.text))
        if self._batches:
            text = (
                "Don't put a command that may fail (a test, a build, a search that may find nothing) in one response "
                f"with other calls that change something: a failure cancelled the rest of up to {self._widest} calls."
            )
            found.append(InstructionLine(text, turns=self._batches, cancelled=self._cancelled))
        return tuple(found[:_MOST_LINES])

    def sessions_report(self, top: int, read: Mapping[str, Any]) -> SessionsReport:
        """
        Return the sums as a report.

        Args:
            top: How many patterns and rows are shown.
            read: What was read, as the fields of `SessionsReport` name it.
        """
        kept = sorted(self._effects.items(), key=lambda item: (-item[1].total(), item[0]))[:top]
        return SessionsReport(
            schema_version=SCHEMA_VERSION,
            turns=self._turns,
            sessions=len(self._sessions),
            calls=self._calls,
            responses=self._responses,
            alone=self._alone,
            lost=self._lost,
            perhaps=self._perhaps,
            steps=self._steps,
            tokens=self._tokens,
            cached_tokens=self._cached,
            waited=self._waited_ns / _S,
            kept_order=tuple(OrderedTool(tool, count["write"], count["unknown"]) for tool, count in kept),
            batches=self._batches,
            cancelled=self._cancelled,
            widest=self._widest,
            lines=self.lines(),
            fleet=self.fleet.fleet_report(BY, top),
            **read,
        )


def _tools(finding: Finding) -> tuple[str, ...]:
    counts = Counter(finding.calls)
    return tuple(sorted(counts, key=lambda tool: (-counts[tool], tool))[:_MOST_NAMED])


def _line(tools: tuple[str, ...]) -> str:
    """Return a line for the instructions: ask for calls of *tools* together."""
    names = [f"`{_plain(tool)}`" for tool in sorted(tools)]
    named = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
    several = f"several {named} calls" if len(names) == 1 else f"{named} calls"
    return (
        f"When you know that you need {several}, ask for all of them in one response; "
        "wait for a result only where the next call needs it."
    )


def _plain(tool: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "_.:/-" else "_" for letter in tool)[:64]


def _added(sum_so_far: int | None, number: int | None) -> int | None:
    return sum_so_far if number is None else (sum_so_far or 0) + number
