"""Removes from reports what no renderer shows: the contents of calls and messages, which take up most of the memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from otel_parallelism.analysis.analyze import AnalysisPart, TurnResult

if TYPE_CHECKING:
    from otel_parallelism.model import Call, Report, Step


def without_contents(part: AnalysisPart) -> AnalysisPart:
    """Return *part* with turns whose calls and steps have no arguments, results, messages and call stacks."""
    return AnalysisPart(tuple(map(_lean_result, part.results)), part.coverage)


def _lean_result(result: TurnResult) -> TurnResult:
    return TurnResult(_lean_report(result.report), result.recorded, result.overlapping)


def _lean_report(report: Report) -> Report:
    turn = report.turn
    lean = msgspec.structs.replace(
        turn, calls=tuple(map(_lean_call, turn.calls)), steps=tuple(map(_lean_step, turn.steps)), inputs=()
    )
    return msgspec.structs.replace(report, turn=lean)


def _lean_call(call: Call) -> Call:
    if call.arguments is None and call.result is None and call.stack is None:
        return call
    return msgspec.structs.replace(call, arguments=None, result=None, stack=None)


def _lean_step(step: Step) -> Step:
    if step.messages is None and step.answer is None and step.requested is None:
        return step
    return msgspec.structs.replace(step, messages=None, answer=None, requested=None)
