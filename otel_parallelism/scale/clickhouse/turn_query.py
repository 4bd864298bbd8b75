"""The SQL query that gives one row for each turn in the Collector's table of spans."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, get_args

from otel_parallelism import names
from otel_parallelism.fleet.turn_numbers import NO_NAME
from otel_parallelism.model import Verdict

from .dialect_rule import CALL, NONE, STEP, TURN
from .sql_expressions import cases, first_of, is_any, quoted
from .trace_query import MARGIN_S, RECORDED_KEYS, trace_stages, typed_fields

if TYPE_CHECKING:
    from collections.abc import Mapping

    from otel_parallelism.settings import Settings

_CALL: Final = {
    "id": "UInt64",
    "tool": "String",
    "start_ns": "Int64",
    "end_ns": "Int64",
    "is_sub_agent": "UInt8",
    "scope": "UInt64",
    "is_blocked": "UInt8",
}
_SELF: Final = 8
"""Marks the row of a turn itself, beside the kinds of what is inside it."""
_NO_WRAPPER, _PERHAPS, _WRAPPER = range(3)
_ARRAYS: Final = "arrayEnumerate(spans), kinds, spans, holders"
_AS_CALL: Final = f"""(
      span.id,
      multiIf(kind = {CALL}, span.tool, span.agent != '', span.agent, span.name),
      span.start_ns,
      if(span.process = holder.process, least(span.end_ns, holder.end_ns), span.end_ns),
      kind = {TURN},
      span.scope,
      span.is_blocked
    )"""
_TOLERANCE_NS: Final = 1_000_000
"""How far apart calls of different instrumentations have to be, so that they are surely not one call."""


def turns_query(table: str, since: str, until: str, settings: Settings) -> str:
    """
    Return a query with one row for each turn that started in a time range.

    The arguments are those of `calls_query`.
    """
    return f"WITH {turn_stages(table, since, until, settings)}\n{_turns(settings.assumed_limit)}"


def calls_query(table: str, since: str, until: str, settings: Settings) -> str:
    """
    Return a query with one row for each call of the turns themselves, of turns that are not undecided.

    Args:
        table: The Collector's table of spans.
        since: An expression for the start of the time range in which the turns started, of type ``DateTime64(9)``.
        until: An expression for its end, which is not part of it.
        settings: ``bookkeeping``, ``max_calls_per_turn`` and ``assumed_limit`` are used.
    """
    return f"""WITH {turn_stages(table, since, until, settings)}
SELECT TraceId, {written_id("call.id")} AS SpanId, {written_id("self.id")} AS TurnSpanId, agent,
  if(call.tool != '', call.tool, {quoted(NO_NAME)}) AS tool, call.is_sub_agent AS is_sub_agent,
  fromUnixTimestamp64Nano(call.start_ns) AS start,
  (call.end_ns - call.start_ns) / 1e9 AS duration,
  fromUnixTimestamp64Nano(self.start_ns) AS turn_start
FROM judged_turns ARRAY JOIN own AS call
WHERE undecided = ''"""


def turn_stages(
    table: str,
    since: str,
    until: str,
    settings: Settings,
    *,
    fields: Mapping[str, tuple[str, str]] | None = None,
    columns: str = "",
) -> str:
    """
    Return the stages that all queries share; the last is ``judged_turns``, with a row for each turn.

    Args:
        table: As for `calls_query`.
        since: As for `calls_query`.
        until: As for `calls_query`.
        settings: As for `calls_query`.
        fields: Further fields of spans, as for `trace_stages`.
        columns: Further columns of turns, each after a comma, aggregated from what is placed in each.
    """
    stages = [
        *trace_stages(table, since, until, settings, fields or {}),
        ("placed", _PLACED),
        ("contents", _contents(columns)),
        ("with_wrappers", _WITH_WRAPPERS),
        ("timed", _timed(since, until)),
        ("measured", _MEASURED),
        ("judged_turns", _judged_turns(until)),
    ]
    return ",\n".join(f"{name} AS (\n{text}\n)" for name, text in stages)


def _padded(calls: str) -> str:
    """Return how long any of *calls* ran, if each had begun a little earlier and ended a little later."""
    starts = f"arrayMap(call -> call.start_ns - {_TOLERANCE_NS}, {calls})"
    ends = f"arrayMap(call -> call.end_ns + {_TOLERANCE_NS}, {calls})"
    return f"arrayReduce('intervalLengthSum', {starts}, {ends})"


# A row for each turn, and one for each call, model request and turn directly inside a turn. The stages from here on
# avoid AND and OR in aggregate functions: ClickHouse takes long to plan them above a deep query.
_PLACED: Final = f"""SELECT TraceId, problem, is_loose,
  arrayExists((kind, holder) -> kind = {CALL} AND holder.kind = {CALL}, kinds, holders) AS has_nested,
  arrayExists((kind, holder) -> kind = {STEP} AND holder.at = 0, kinds, holders) AS has_stray_steps,
  placed.1 AS role, placed.2 AS turn, placed.3 AS span, placed.4 AS holder, placed.5 AS call
FROM judged
ARRAY JOIN arrayConcat(
  arrayFilter(row -> row.1 = {_SELF}, arrayMap((at, kind, span, holder) ->
    (if(kind = {TURN}, {_SELF}, {NONE}), at, span, holder, {_AS_CALL}), {_ARRAYS})),
  arrayFilter(row -> row.1 != {NONE}, arrayMap((at, kind, span, holder) ->
    (if(holder.kind = {TURN}, kind, {NONE}), holder.at, span, holder, {_AS_CALL}), {_ARRAYS}))
) AS placed"""


# A turn's own calls are calls and sub-agents; they count up to the end of a turn of their process.
def _contents(columns: str) -> str:
    """Return the query of what is inside each turn, with further *columns*."""
    return f"""SELECT TraceId, turn,
  any(problem) AS problem, any(is_loose) AS is_loose,
  any(has_nested) AS has_nested, any(has_stray_steps) AS has_stray_steps,
  anyIf(span, role = {_SELF}) AS self,
  anyIf(holder.kind, role = {_SELF}) AS around,
  countIf(role = {CALL}) AS calls_inside,
  countIf(role = {STEP}) AS steps_inside,
  countIf(role = {TURN}) AS turns_inside,
  maxIf(holder.passed_step, role = {TURN}) AS turn_in_step,
  CAST(groupArrayIf(call, role IN ({CALL}, {TURN})), 'Array(Tuple({typed_fields(_CALL)}))') AS own{columns}
FROM placed GROUP BY TraceId, turn"""


# A wrapper holds nothing but one other turn. Whether one around others is one changes their turns too.
_WITH_WRAPPERS: Final = f"""SELECT *,
  multiIf(turns_inside != 1, {_NO_WRAPPER}, calls_inside > 0, {_NO_WRAPPER}, steps_inside = 0, {_WRAPPER},
    turn_in_step, {_PERHAPS}, {_NO_WRAPPER}) AS wraps,
  maxIf(wraps, around = {TURN}) OVER (PARTITION BY TraceId) AS wraps_inside,
  max(wraps) OVER (PARTITION BY TraceId) AS any_wraps
FROM contents"""


def _timed(since: str, until: str) -> str:
    """Return the query of the turns in the time range, with the times of their calls; empty calls move no total."""
    # What a turn holds that reaches beyond what is read is not known, so that it may be no wrapper.
    is_kept = f"if(problem = '', greatest(has_stray_steps, self.end_ns > {_last_read_ns(until)}), 1)"
    return f"""SELECT *,
  arrayMap(call -> call.start_ns, arrayFilter(call -> call.end_ns > call.start_ns, own)) AS starts_ns,
  arrayMap(call -> call.end_ns, arrayFilter(call -> call.end_ns > call.start_ns, own)) AS ends_ns,
  arrayFilter(call -> NOT call.is_sub_agent, own) AS tools,
  arrayDistinct(arrayMap(call -> call.scope, arrayFilter(call -> NOT call.is_sub_agent, own))) AS scopes
FROM with_wrappers
WHERE multiIf(fromUnixTimestamp64Nano(self.start_ns) < {since}, 0, fromUnixTimestamp64Nano(self.start_ns) >= {until}, 0,
  wraps = {_WRAPPER}, {is_kept}, NOT is_loose, 1, problem = 'dialect', 1,
  calls_inside = 1, has_nested, calls_inside > 1)"""


_MEASURED: Final = f"""SELECT *,
  arraySum(ends_ns) - arraySum(starts_ns) AS work_ns,
  if(empty(starts_ns), toInt64(0), arrayMax(ends_ns) - arrayMin(starts_ns)) AS makespan_ns,
  arrayReduce('intervalLengthSum', starts_ns, ends_ns) AS busy_ns,
  arrayReduce('maxIntersections', starts_ns, ends_ns) AS peak,
  if(empty(starts_ns), toInt64(0), arrayMax((start_ns, end_ns) -> end_ns - start_ns, starts_ns, ends_ns)) AS longest_ns,
  arraySum(scope -> {_padded("arrayFilter(call -> call.scope = scope, tools)")}, scopes)
    > {_padded("tools")} AS has_duplicates
FROM timed"""


def _last_read_ns(until: str) -> str:
    """Return until when spans are read; a turn that lasts longer may hold more than what was read."""
    return f"toUnixTimestamp64Nano(toDateTime64({until} + INTERVAL {MARGIN_S} SECOND, 9))"


def _judged_turns(until: str) -> str:
    """Return the query of turns with the reason why one is undecided, and whether its span carries its result."""
    reason = cases(
        ("problem != ''", "problem"),
        ("has_duplicates", quoted("two accounts")),
        (f"greatest(wraps, wraps_inside) > {_NO_WRAPPER}", quoted("wrapper")),
        (
            f"if(around = {TURN}, any_wraps, {_NO_WRAPPER}) > if(self.agent = '', {_NO_WRAPPER}, {_WRAPPER})",
            quoted("wrapper"),
        ),
        ("if(is_loose, calls_inside, 0) = 1", quoted("nested")),
        (f"self.end_ns > {_last_read_ns(until)}", quoted("window")),
        otherwise="''",
    )
    verdicts = is_any("self.recorded[1]", get_args(Verdict))
    # A dialect may take a root that is no turn for an agent's run.
    named = first_of(f"if(self.kind = {TURN}, self.agent, '')", _name_of_turn(), quoted(NO_NAME))
    return f"""SELECT *,
  {reason} AS undecided,
  {named} AS agent,
  toInt64(length(own)) AS seen,
  if({verdicts}, coalesce(toInt64OrNull(self.recorded[2]) >= seen, 1), 0) AS is_recorded
FROM measured"""


def _name_of_turn() -> str:
    """Return the name of a turn without an agent; in a trace without turns, roots are turns."""
    return f"multiIf(self.kind = {CALL}, self.tool, self.kind = {STEP}, '', self.name)"


def _turns(assumed_limit: int) -> str:
    """Return the final query: a column for each number."""

    def recorded(key: str, otherwise: str, kind: str = "Float64") -> str:
        text = f"self.recorded[{RECORDED_KEYS.index(key) + 1}]"
        return f"if(is_recorded, coalesce(to{kind}OrNull({text}), {otherwise}), {otherwise})"

    def only_recorded(key: str, kind: str = "Float64", missing: str = "NULL") -> str:
        text = f"self.recorded[{RECORDED_KEYS.index(key) + 1}]"
        value = f"nullIf({text}, '')" if kind == "String" else f"to{kind}OrNull({text})"
        return f"if(is_recorded, coalesce({value}, {missing}), NULL)"

    measured_ratio = "if(seen = 1, 1., work_ns / makespan_ns)"
    knows_least = (
        "multiIf(is_recorded, 0, has_nested, 0, makespan_ns = 0, 0, NOT arrayExists(call -> call.is_blocked, own))"
    )
    places = f"toInt64(greatest({assumed_limit}, peak))"
    least_ns = f"greatest(longest_ns, intDiv(work_ns + {places} - 1, {places}))"
    numbers = {
        "calls": recorded(names.CALLS, "seen", "Int64"),
        "work": recorded(names.WORK, "work_ns / 1e9"),
        "makespan": recorded(names.MAKESPAN, "makespan_ns / 1e9"),
        "busy": recorded(names.BUSY, "busy_ns / 1e9"),
        "peak_concurrency": recorded(names.PEAK_CONCURRENCY, "toInt64(peak)", "Int64"),
        "ratio": f"if(is_recorded, {only_recorded(names.RATIO)}, if(makespan_ns > 0, {measured_ratio}, NULL))",
        "efficiency_at_least": f"if({knows_least}, least({least_ns}, makespan_ns) / makespan_ns, NULL)",
        "avoidable_at_most": f"if({knows_least}, (makespan_ns - longest_ns) / 1e9, NULL)",
        "verdict": only_recorded(names.VERDICT, "String"),
        "efficiency": only_recorded(names.EFFICIENCY),
        "efficiency_floor": only_recorded(names.EFFICIENCY_FLOOR),
        "avoidable": only_recorded(names.AVOIDABLE, missing="0."),
        "avoidable_potential": only_recorded(names.AVOIDABLE_POTENTIAL, missing="0."),
        "cause": only_recorded(names.CAUSE, "String"),
        "recommendation": only_recorded(names.RECOMMENDATION, "String"),
    }
    columns = ",\n".join(f"  if(empty(undecided), {text}, NULL) AS {name}" for name, text in numbers.items())
    return f"""SELECT TraceId, {written_id("self.id")} AS SpanId, agent,
  fromUnixTimestamp64Nano(self.start_ns) AS start,
  (self.end_ns - self.start_ns) / 1e9 AS duration,
{columns},
  undecided
FROM judged_turns"""


def written_id(number: str) -> str:
    """Return a span id as the table has it."""
    return f"lower(hex(reinterpretAsFixedString({number})))"
