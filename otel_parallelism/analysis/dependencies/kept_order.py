"""
The order that settings of a framework or of a model request keep on purpose, or that the model gave a reason for.

A limit of one call at once keeps an order that a higher limit would not, so its edges are unknown. Other settings, such
as ``sequential=True``, say that the order is wanted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from otel_parallelism.long_numbers import MAX_DIGITS
from otel_parallelism.pace import paced

from .comments.model_remarks import WHY, remarked_reasons

if TYPE_CHECKING:
    from collections.abc import Sequence

    from otel_parallelism.model import Call, Step

    from .effects import Edge
    from .evidence import Evidence

LIMITS = frozenset(
    {
        "max_concurrency",
        "max_function_tool_concurrency",
        "max_tool_threads",
        "max_workers",
        "num_workers",
        "tool_concurrency_limit",
    }
)
"""Settings that say how many calls may run at once."""


class KeptOrder(msgspec.Struct, frozen=True):
    """
    Which earlier calls each call keeps its order with on purpose.

    Bit ``a`` of ``hard[b]`` is set if the order of calls ``a`` and ``b`` is wanted, and of ``soft[b]`` if a limit of
    one keeps it, or a reason that the model gave (``reasons``). Calls that keep no order are absent. ``switches`` are
    the settings that say that an order is wanted.
    """

    hard: dict[int, int] = {}
    soft: dict[int, int] = {}
    reasons: dict[int, int] = {}
    switches: tuple[str, ...] = ()

    def between(self, earlier: int, later: int) -> tuple[Edge, str] | None:
        """Return the edge that a setting makes between two calls, and why; None if it makes none."""
        if self.hard.get(later, 0) >> earlier & 1:
            return "hard", f"{' and '.join(self.switches)} keeps their order"
        if self.reasons.get(later, 0) >> earlier & 1:
            return "unknown", WHY
        if self.soft.get(later, 0) >> earlier & 1:
            return "unknown", "the framework has a limit of one call at once"
        return None


def limit_of(switch: str) -> int:
    """
    Return how many calls a setting lets run at once; 0 if it is no limit.

    >>> limit_of("max_concurrency=2"), limit_of("parallel_tool_calls=False")
    (2, 0)
    """
    name, _, value = switch.partition("=")
    return int(value) if name in LIMITS and value.isdecimal() and len(value) <= MAX_DIGITS else 0


def kept_order(
    calls: Sequence[Call],
    steps: Sequence[Step],
    before: Sequence[int],
    evidence: Evidence | None = None,
) -> KeptOrder:
    """
    Find the order that settings keep.

    Args:
        calls: The calls of one scope, in order of start.
        steps: The turn's model requests if the calls are the turn's own.
        before: Bits of the calls that had ended before each call started.
        evidence: What the contents of the calls show; None if nothing that the model wrote can matter.
    """
    of_request = _request_switches(calls, steps)
    reasons = remarked_reasons(calls, steps, before, evidence) if evidence is not None else {}
    if not any(of_request) and not any(call.switch for call in paced(calls)):
        return KeptOrder(soft=reasons, reasons=reasons)
    hard: dict[int, int] = {}
    soft = dict(reasons)
    rounds: dict[int | None, int] = {}
    alone: dict[int | None, int] = {}
    limited: dict[int | None, int] = {}
    asked_alone = 0
    for index, call in paced(enumerate(calls)):
        bit = 1 << index
        limit = limit_of(call.switch)
        wanted = bool(call.switch) and not limit
        same_round = rounds.get(call.round, 0)
        # A call that runs alone keeps its order with all calls of its response.
        kept = (same_round if wanted else alone.get(call.round, 0)) | (asked_alone & ~same_round)
        if kept & before[index]:
            hard[index] = kept & before[index]
        if limit == 1 and limited.get(call.round, 0) & before[index]:
            soft[index] = soft.get(index, 0) | (limited[call.round] & before[index])
        rounds[call.round] = same_round | bit
        if wanted:
            alone[call.round] = alone.get(call.round, 0) | bit
        if limit == 1:
            limited[call.round] = limited.get(call.round, 0) | bit
        if of_request[index]:
            asked_alone |= bit
    named = [*of_request, *(call.switch for call in calls if not limit_of(call.switch))]
    return KeptOrder(hard, soft, reasons, tuple(dict.fromkeys(switch for switch in named if switch)) if hard else ())


def _request_switches(calls: Sequence[Call], steps: Sequence[Step]) -> list[str]:
    """Return the setting of the model request that requested each call; an empty string if there is none."""
    if not any(step.switch for step in steps):
        return [""] * len(calls)
    by_id = {call_id: step.switch for step in steps for call_id in step.requested or ()}
    found = []
    latest, position = "", 0
    for call in paced(calls):
        while position < len(steps) and steps[position].start_ns <= call.start_ns:
            latest = steps[position].switch
            position += 1
        found.append(by_id.get(call.call_id, latest) if call.call_id else latest)
    return found
