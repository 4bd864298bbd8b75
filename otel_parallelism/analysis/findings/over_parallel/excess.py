"""Too much parallelism as a finding, and what its calls were given and returned."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

import msgspec

from otel_parallelism.analysis.dependencies.contents.leaves import Leaves
from otel_parallelism.analysis.dependencies.contents.outcomes import result_outcome
from otel_parallelism.analysis.dependencies.contents.plain_data import Unreadable, plain_data
from otel_parallelism.failures import Failure, failure_of
from otel_parallelism.model import Call, Content, Finding
from otel_parallelism.pace import ordered, paced
from otel_parallelism.shown_names import shown_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from otel_parallelism.analysis.schedule.scopes import Scope

_S = 1e9
_NO_CODE = 1_000_000
"""No number from here on is the code of a failure."""

_MOST_TEXT = 500
_MOST_LEAVES = 100


class Excess(msgspec.Struct, frozen=True):
    """
    Calls that ran together although they had better not.

    Attributes:
        calls: The calls, in order of start.
        evidence: A sentence that says how it is known.
        advice: One sentence that says what to do.
        scope_id: The span id of the call inside which they ran; empty for calls of the turn itself.
        lost_ns: How long calls worked for nothing, in nanoseconds; these may have run beside others.
        avoidable_ns: How much shorter the turn would be without that.
        limit: How many calls at once are not too many; None if their number does not matter.
    """

    calls: tuple[Call, ...]
    evidence: str
    advice: str
    scope_id: str
    lost_ns: int
    avoidable_ns: int = 0
    limit: int | None = None


def described_excess(excess: Excess) -> Finding:
    """Return *excess* as a finding."""
    return Finding(
        kind="over_parallel",
        cause="over_parallel",
        advice="potential",
        calls=tuple(call.tool for call in excess.calls),
        span_ids=tuple(call.span_id for call in excess.calls),
        avoidable=excess.avoidable_ns / _S,
        evidence=(shown_text(excess.evidence),),
        recommendation=shown_text(excess.advice),
        scope=excess.scope_id,
        limit=excess.limit,
    )


def overlap(a: Call, b: Call) -> bool:
    """Return whether two calls ran at the same time, and in one round where both rounds are known."""
    same_round = a.round == b.round or a.round is None or b.round is None
    return same_round and a.start_ns < b.end_ns and b.start_ns < a.end_ns


def seen_value(content: Content | None) -> object:
    """Return *content* as plain data; None if it was not seen whole, or holds objects that cannot be read."""
    if content is None or not content.whole:
        return None
    try:
        value = plain_data(content.data())
    except Exception:  # noqa: BLE001 - a dialect's parser, or a container of the user, may fail in any way
        return None
    return None if _has_gaps(value) else value


def _has_gaps(value: object) -> bool:
    """Return whether a part of *value*, which `plain_data` made, could not be read."""
    if isinstance(value, dict):
        return any(map(_has_gaps, value)) or any(map(_has_gaps, value.values()))
    return any(map(_has_gaps, value)) if isinstance(value, list) else isinstance(value, Unreadable)


def seen_failure(call: Call) -> Failure:
    """Return why *call* failed, from its span or from what its result says; empty if it did not fail."""
    if call.failure not in {"", "failed"} or call.result is None:
        return call.failure or ("failed" if call.error else "")
    value = seen_value(call.result)
    if not call.error and result_outcome(value) != "failed":
        return ""
    leaves = Leaves(None)
    leaves.take(value, _MOST_LEAVES)
    codes = (f"{number:g}" for number in leaves.numbers if abs(number) < _NO_CODE)
    return failure_of("", " ".join((*leaves.texts, *codes))[:_MOST_TEXT])


def failures_of(scope: Scope, calls: Sequence[Call]) -> list[Failure]:
    """Return why each of *calls*, of *scope*, failed; results that the dependency graph has read are not read again."""
    graph = scope.graph
    if graph is None:
        return [seen_failure(call) for call in paced(calls)]
    read = zip(graph.calls, graph.evidence.outcomes, graph.evidence.results_whole, strict=True)
    fine = {call.span_id for call, outcome, whole in paced(read) if whole and outcome != "failed"}
    return ["" if call.span_id in fine and not call.error else seen_failure(call) for call in paced(calls)]


def widths_at_start(calls: Sequence[Call]) -> list[int]:
    """Return for each of *calls*, in order of start, how many of them were open when it began, itself included."""
    ends_ns = ordered(call.end_ns for call in paced(calls))
    return [index + 1 - bisect_right(ends_ns, call.start_ns) for index, call in paced(enumerate(calls))]


def calls_by_tool(calls: Sequence[Call], least: int) -> list[list[Call]]:
    """Return the calls of each named tool that has at least *least* calls with a duration, in order of start."""
    by_tool: dict[str, list[Call]] = {}
    for call in paced(calls):
        if call.tool and call.end_ns > call.start_ns and not call.sub_agent:
            by_tool.setdefault(call.tool, []).append(call)
    return [same for same in by_tool.values() if len(same) >= least]
