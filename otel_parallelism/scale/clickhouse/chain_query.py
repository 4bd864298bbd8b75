"""
The SQL query that names calls that one model response asked for and that ran one after another.

The core finds more chains. This query names only those for which the spans alone, without the contents of calls, show
what the core would say, and gives the reason for every other turn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .chain_conditions import ANY_TOOL, ORDERLESS, READING, chain_fields
from .dialect_rule import CALL, STEP
from .sql_expressions import cases, quoted
from .turn_query import turn_stages, written_id

if TYPE_CHECKING:
    from collections.abc import Mapping

    from otel_parallelism.settings import Settings

CHAIN_REASONS: Final[Mapping[str, str]] = {
    "turn": "the turn has no numbers; the view of turns says why",
    "recorded": "the plugin recorded the turn's findings on its span",
    "settings": "the settings say which tools read or write, or silence findings",
    "inside": "calls or turns lie inside its calls",
    "many": "there are more calls than the setting assumed_limit",
    "rounds": "it is not known that one model response, which was over before, asked for all of its calls",
    "overlap": "some calls ran at the same time, or took no time",
    "contents": "arguments, a result, a link, a declaration or the description of a tool may matter",
    "effects": "the names of the tools do not show that the order of the calls is free",
    "small": "the saving is too small to be reported",
}
"""Why no chain is named in a turn, by the text in the column ``undecided``."""

_COLUMNS: Final = f""",
  groupArrayIf((span.start_ns, span.end_ns, span.requested), role = {STEP}) AS steps,
  arraySort(groupArrayIf((span.start_ns, span.end_ns, span.id, span.tool, span.call_id, span.is_plain, span.nature),
    role = {CALL})) AS asked,
  groupUniqArrayArray(span.doubted) AS doubted"""


def chains_query(table: str, since: str, until: str, settings: Settings) -> str:
    """
    Return a query with one row for each turn with at least two calls that started in a time range.

    ``chain`` has the span ids of calls that one model response asked for and that ran one after another, in order of
    start, and ``saving`` is how much shorter the turn would be if they had run together. If ``undecided`` is not
    empty, it says why no calls are named: the turn may have such calls or not.

    The arguments are those of `calls_query`.
    """
    stages = turn_stages(table, since, until, settings, fields=chain_fields(), columns=_COLUMNS)
    named = "empty(reason)"
    return f"""WITH {stages},
chains AS (
SELECT *, {_reason(settings)} AS reason FROM (
  SELECT *, groupUniqArrayArray(doubted) OVER (PARTITION BY TraceId) AS doubted_in_trace FROM judged_turns
)
WHERE seen > 1
)
SELECT TraceId, {written_id("self.id")} AS TurnSpanId, agent,
  fromUnixTimestamp64Nano(self.start_ns) AS start,
  if({named}, arrayMap(call -> {written_id("call.3")}, asked), []) AS chain,
  if({named}, arrayMap(call -> call.4, asked), []) AS tools,
  if({named}, seen, NULL) AS length,
  if({named}, work_ns / 1e9, NULL) AS one_after_another,
  if({named}, longest_ns / 1e9, NULL) AS longest,
  if({named}, (work_ns - longest_ns) / 1e9, NULL) AS saving,
  reason AS undecided
FROM chains"""


def _reason(settings: Settings) -> str:
    """Return why no chain is named in a turn; it is empty if one is named."""
    given = any((settings.read_only, settings.writes, settings.serial, settings.silence))
    asking = "arrayFilter(step -> notEmpty(step.3), steps)"
    ids = "arraySort(arrayMap(call -> call.5, asked))"
    first_ns, last_ns = "asked[1].1", "arrayMax(call -> call.2, asked)"
    # A request beside the calls may have started them while it streamed, or have begun another round.
    beside = f"arrayExists(step -> if(step.1 < {last_ns}, step.2 > {first_ns}, 0), steps)"
    rounds = cases(
        (f"length({asking}) != 1", "1"),
        (f"{asking}[1].3 != {ids}", "1"),
        (f"has({ids}, '')", "1"),
        (f"length(arrayDistinct({ids})) != seen", "1"),
        (f"{asking}[1].2 > {first_ns}", "1"),
        (beside, "1"),
        otherwise="0",
    )
    one_tool = "length(arrayDistinct(arrayMap(call -> call.4, asked))) = 1"
    orderless = f"arrayAll(call -> call.7 >= if({one_tool}, {ORDERLESS}, {READING}), asked)"
    duration_ns = "if(self.end_ns > self.start_ns, self.end_ns - self.start_ns, makespan_ns)"
    share_ns = f"least({settings.min_avoidable_share} * {duration_ns}, {settings.large_avoidable * 1e9})"
    least_ns = f"greatest({settings.min_avoidable * 1e9}, {share_ns}, 1)"
    return cases(
        ("undecided != ''", quoted("turn")),
        ("notEmpty(self.recorded)", quoted("recorded")),
        (str(int(given)), quoted("settings")),
        ("has_nested OR turns_inside > 0", quoted("inside")),
        (f"seen > {settings.assumed_limit}", quoted("many")),
        (rounds, quoted("rounds")),
        ("peak > 1 OR length(starts_ns) != seen", quoted("overlap")),
        ("NOT arrayAll(call -> call.6, asked)", quoted("contents")),
        (
            f"arrayExists(call -> hasAny(doubted_in_trace, [call.4, {quoted(ANY_TOOL)}]), asked)",
            quoted("contents"),
        ),
        (f"NOT {orderless}", quoted("effects")),
        (f"work_ns - longest_ns < {least_ns}", quoted("small")),
        otherwise="''",
    )
