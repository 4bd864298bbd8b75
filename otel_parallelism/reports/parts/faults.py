"""Findings of the same calls at the same place, over many turns, as one fault: how often, how much, and where most."""

from __future__ import annotations

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
    found: dict[FaultKey, list[tuple[int, Report, Finding]]] = {}
    for number, report in enumerate(reports, 1):
        for finding in report.findings:
            if finding.advice != "intended":
                found.setdefault(fault_key(report, finding), []).append((number, report, finding))
    faults = [_fault(key, shown) for key, shown in found.items()]
    return tuple(sorted(faults, key=lambda fault: (not fault.key[0], -fault.avoidable, fault.turns)))


def _fault(key: FaultKey, shown: Sequence[tuple[int, Report, Finding]]) -> Fault:
    number, report, finding = max(shown, key=lambda entry: (entry[2].avoidable, -entry[0]))
    return Fault(
        key=key,
        name=finding_id(report, finding),
        agent=report.turn.agent or report.turn.name,
        around=tool_around(report, finding),
        finding=finding,
        worst=number,
        turns=tuple(dict.fromkeys(number for number, _, _ in shown)),
        count=len(shown),
        avoidable=sum(finding.avoidable for _, _, finding in shown),
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
