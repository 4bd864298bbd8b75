"""The SQL that marks the turns without numbers: their traces need rules that only the Python analysis has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .dialect_rule import CALL, STEP, TURN, UNKNOWN, WAITING
from .sql_expressions import cases, quoted

if TYPE_CHECKING:
    from collections.abc import Mapping

REASONS: Final[Mapping[str, str]] = {
    "id or time": "a span has an id or a time that OpenTelemetry does not allow, or an attribute twice",
    "versions": "a span is there several times, with one end and different contents",
    "dialect": "a span is of a vocabulary that is not known here",
    "waiting": "the program waited for a person",
    "linked": "a span link of another trace leads here",
    "parents": "spans enclose one another in no possible order, or too many spans lie between a call and its turn",
    "no turn": "a call lies outside of all turns",
    "beside": "calls or model requests lie beside the span of a turn",
    "outside": "a call reaches outside of the call around it",
    "late": "a call started after its turn had ended",
    "two accounts": "several instrumentations record the turns of one process, or calls at the same time",
    "parts": "only a conversation, links or several processes hold the calls together",
    "many": "there are more calls than the core keeps",
    "wrapper": "it is not known whether a turn only wraps another one",
    "nested": "it is not known which nested calls are one, and so whether there is a turn",
    "window": "the turn reaches beyond the time range that is read",
}
"""Why a turn has no numbers, by the text in the column ``undecided``."""

_CLOCKS_NS: Final = 1_000_000_000
"""By how much the clocks of two hosts may differ."""

_ZIPPED: Final = "(span, kind, parent, holder)"
_ARRAYS: Final = "spans, kinds, parents, holders"


def _exists(condition: str) -> str:
    return f"arrayExists({_ZIPPED} -> {condition}, {_ARRAYS})"


def trace_problem(max_calls: int) -> str:
    """
    Return why a trace is undecided, an empty text if it is not, over the arrays of `holder_stages`.

    Args:
        max_calls: How many calls of a turn the core keeps.
    """
    work = f"kind IN ({CALL}, {TURN})"
    same_process = "span.process = holder.process"
    # Where a parent starts after its child, spans may enclose one another in a circle; clocks of two hosts may differ.
    impossible = (
        "parent.at > 0 AND (span.id = span.parent OR"
        f" if(span.process = parent.process, (parent.start_ns, -parent.end_ns) > (span.start_ns, -span.end_ns),"
        f" parent.start_ns > span.start_ns + {_CLOCKS_NS}))"
    )
    # So may spans of one interval, each of them the parent of the next.
    alike = (
        "arrayFilter((span, parent) -> parent.at > 0"
        " AND (parent.start_ns, parent.end_ns) = (span.start_ns, span.end_ns), spans, parents)"
    )
    circle = f"hasAny(arrayMap(span -> span.id, {alike}), arrayMap(span -> span.parent, {alike}))"
    unreached = f"(holder.id = span.id OR (holder.at > 0 AND holder.kind NOT IN ({CALL}, {TURN})))"
    free_turns = (
        "arrayFilter((span, parent) ->"
        f" span.kind = {TURN} AND span.parent > 0 AND parent.kind NOT IN ({CALL}, {TURN}), spans, parents)"
    )
    beside = f"arrayFilter(span -> span.kind IN ({CALL}, {STEP}), spans)"
    reaches_out = "(span.start_ns < holder.start_ns OR span.end_ns > holder.end_ns)"
    turns = f"arrayMap(span -> (span.process, span.scope), arrayFilter(span -> span.kind = {TURN}, spans))"
    related = f"span.kind IN ({CALL}, {STEP}) AND span.is_related"
    conditions = {
        "id or time": "is_malformed",
        "versions": "is_ambiguous",
        "dialect": f"has(spans.kind, {UNKNOWN})",
        "waiting": f"arrayExists(span -> span.kind = {WAITING} AND span.end_ns > span.start_ns, spans)",
        "linked": "is_linked",
        "parents": f"{_exists(impossible)} OR {circle} OR {_exists(f'kind > 0 AND {unreached}')}",
        "no turn": _exists(f"kind = {CALL} AND holder.at = 0"),
        "beside": f"hasAny(arrayMap(span -> span.parent, {free_turns}), arrayMap(span -> span.parent, {beside}))",
        "outside": _exists(f"{work} AND holder.kind = {CALL} AND {same_process} AND {reaches_out}"),
        "late": _exists(
            f"{work} AND holder.kind = {TURN} AND {same_process}"
            " AND span.start_ns >= holder.end_ns AND span.end_ns > holder.end_ns"
        ),
        "two accounts": (f"length(arrayDistinct({turns})) > length(arrayDistinct(arrayMap(turn -> turn.1, {turns})))"),
        "parts": (f"is_loose AND (length(arrayDistinct(spans.process)) > 1 OR arrayExists(span -> {related}, spans))"),
        "many": f"countEqual(kinds, {CALL}) + countEqual(kinds, {TURN}) > {max_calls}",
    }
    return cases(*((condition, quoted(reason)) for reason, condition in conditions.items()), otherwise="''")
