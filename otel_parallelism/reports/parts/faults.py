"""Findings of the same calls at the same place, over many turns, as one fault: how often, how much, and where most."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

import msgspec

from otel_parallelism.analysis.findings.fault_keys import FaultKey, fault_key, finding_id, tool_around
from otel_parallelism.model import Finding, Report

if TYPE_CHECKING:
    from collections.abc import Sequence


class Fault(msgspec.Struct, frozen=True):
    """
    One fault, which one or more turns show.

    Attributes:
        key: What its findings have in common.
        name: Its short name, which reports print and ``otel-parallelism fix`` takes.
        agent: The agent whose turns show it.
        around: The tool inside which its calls run; empty for calls of the turn itself.
        finding: The finding of the worst turn.
        worst: The number of the worst turn, counted from 1.
        turns: The numbers of all turns that show it, in order.
        count: The number of findings; a turn may show the fault more than once.
        avoidable: The sum of their avoidable time, in seconds.
    """

    key: FaultKey
    name: str
    agent: str
    around: str
    finding: Finding
    worst: int
    turns: tuple[int, ...]
    count: int
    avoidable: float


def faults_of(reports: Sequence[Report]) -> tuple[Fault, ...]:
    """
    Return the faults that *reports* show: recommended ones first, then those with the largest sum.

    Findings are of one fault if they have the same kind, cause, tools, agent, enclosing tool and, where it is known,
    caller. The number of calls may differ. Findings about an intended order are no faults.
    """
    found: dict[FaultKey, _Sightings] = {}
    for number, report in enumerate(reports, 1):
        for finding in report.findings:
            if finding.advice != "intended":
                key = fault_key(report, finding)
                sightings = found.get(key)
                if sightings is None:
                    found[key] = _Sightings(number, report, finding)
                else:
                    sightings.add(number, report, finding)
    faults = [sightings.fault(key) for key, sightings in found.items()]
    return tuple(sorted(faults, key=lambda fault: (not fault.key[0], -fault.avoidable, fault.turns)))


class _Sightings:
    """The findings of one fault. Only the worst is held: there may be very many."""

    def __init__(self, number: int, report: Report, finding: Finding) -> None:
        self._turns = [number]
        self._avoidable = array("d", [finding.avoidable])
        self._keep(number, report, finding)

    def add(self, number: int, report: Report, finding: Finding) -> None:
        """Add a *finding* of the turn with the *number*, which is not before those added."""
        if self._turns[-1] != number:
            self._turns.append(number)
        self._avoidable.append(finding.avoidable)
        if finding.avoidable > self._finding.avoidable:
            self._keep(number, report, finding)

    def _keep(self, number: int, report: Report, finding: Finding) -> None:
        self._worst = number
        self._finding = finding
        self._name = finding_id(report, finding)
        self._agent = report.turn.agent or report.turn.name
        self._around = tool_around(report, finding)

    def fault(self, key: FaultKey) -> Fault:
        return Fault(
            key=key,
            name=self._name,
            agent=self._agent,
            around=self._around,
            finding=self._finding,
            worst=self._worst,
            turns=tuple(self._turns),
            count=len(self._avoidable),
            avoidable=sum(self._avoidable),
        )


def turns_to_show(faults: Sequence[Fault]) -> dict[FaultKey, int]:
    """
    Return for each of *faults* the number of the turn to show it in, as few different turns as possible.

    A fault is shown in the worst turn, or in a turn that is shown already for a fault before it.
    """
    hosts: dict[FaultKey, int] = {}
    shown: dict[int, None] = {}
    for fault in faults:
        turns = set(fault.turns)
        host = next((number for number in shown if number in turns), fault.worst)
        shown[host] = None
        hosts[fault.key] = host
    return hosts
