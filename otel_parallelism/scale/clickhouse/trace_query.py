"""The SQL stages that read and classify the spans of a time range, trace by trace, and judge which are undecided."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from otel_parallelism import names
from otel_parallelism.readers.parsing.otlp_types import IDENTITY

from .dialect_rule import TURN
from .span_kinds import is_agentic, kind_stages
from .span_tree import holder_stages
from .sql_expressions import NAME, attribute, first_of, quoted
from .undecided import trace_problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from otel_parallelism.settings import Settings

MARGIN_S: Final = 21_600
"""How long before and after a time range spans of its traces are read, in seconds."""

_SPAN: Final = {
    "id": "UInt64",
    "parent": "UInt64",
    "kind": "UInt8",
    "start_ns": "Int64",
    "end_ns": "Int64",
    "process": "UInt64",
    "scope": "UInt64",
    "tool": "String",
    "agent": "String",
    "name": "String",
    "is_related": "UInt8",
    "is_blocked": "UInt8",
    "recorded": "Array(String)",
}
RECORDED_KEYS: Final = (
    *(names.VERDICT, names.CALLS, names.WORK, names.MAKESPAN, names.BUSY, names.PEAK_CONCURRENCY, names.RATIO),
    *(names.EFFICIENCY, names.EFFICIENCY_FLOOR, names.AVOIDABLE, names.AVOIDABLE_POTENTIAL, names.CAUSE),
    names.RECOMMENDATION,
)
"""The attributes of a recorded result, in the order of ``recorded``."""

_LARGEST_NS: Final = 2**61


def trace_stages(
    table: str, since: str, until: str, settings: Settings, fields: Mapping[str, tuple[str, str]]
) -> Iterator[tuple[str, str]]:
    """
    Yield stages of a query, each a name and a ``SELECT``; the last is ``judged``, with a row for each trace.

    Its ``spans``, ``kinds``, ``parents`` and ``holders`` are those of `holder_stages`; ``problem`` says why its turns
    are undecided. *fields* are further fields of each of ``spans``, with their types and expressions. The other
    arguments are those of `calls_query`.
    """
    yield "agent_traces", _agent_traces(table, since, until)
    yield "linked_spans", _linked_spans(table, since, until)
    yield "spans_around", _spans_around(table, since, until)
    yield from kind_stages("spans_around", settings)
    yield "classified", _classified(fields)
    yield "traces", _TRACES
    yield from holder_stages("traces")
    yield "judged", f"SELECT *, {trace_problem(settings.max_calls_per_turn)} AS problem FROM held"


def _agent_traces(table: str, since: str, until: str) -> str:
    # The root of a trace without turns may start long before the first call.
    return f"""SELECT DISTINCT TraceId FROM {table}
WHERE Timestamp >= {since} AND Timestamp < {until} + INTERVAL {MARGIN_S} SECOND AND {is_agentic()}"""


def _around(since: str, until: str) -> str:
    """Return whether a span starts in the time range or close to it."""
    return f"Timestamp >= {since} - INTERVAL {MARGIN_S} SECOND AND Timestamp < {until} + INTERVAL {MARGIN_S} SECOND"


def _linked_spans(table: str, since: str, until: str) -> str:
    """Return the query of the spans that a link of another trace leads to, which can move calls to another turn."""
    return f"""SELECT link.1 AS SpanId FROM {table}
ARRAY JOIN arrayZip(Links.SpanId, Links.TraceId) AS link
WHERE {_around(since, until)} AND {is_agentic()} AND link.2 != TraceId"""


def _spans_around(table: str, since: str, until: str) -> str:
    """Return the query of all spans of the traces."""
    return f"""SELECT *, SpanId IN (SELECT SpanId FROM linked_spans) AS is_linked FROM {table}
WHERE {_around(since, until)} AND TraceId IN (SELECT TraceId FROM agent_traces)"""


def typed_fields(fields: Mapping[str, str]) -> str:
    """Return the fields of a tuple's type."""
    return ", ".join(f"{name} {kind}" for name, kind in fields.items())


def _classified(more: Mapping[str, tuple[str, str]]) -> str:
    """Return the query of one tuple for each span, with all that is needed of it."""
    recorded = f"arrayMap(key -> SpanAttributes[key], [{', '.join(map(quoted, RECORDED_KEYS))}])"
    related = f"{attribute(names.CONVERSATION_ID)} != '' OR notEmpty(Links.SpanId)"
    # A span whose end lies before its start has a duration of almost 2**64. Of an attribute that is there twice, SQL
    # takes the first one, and a reader of rows the last one.
    malformed = (
        "NOT match(SpanId, '^[0-9a-f]{16}$') OR NOT match(ParentSpanId, '^([0-9a-f]{16})?$')"
        " OR length(SpanAttributes) != length(arrayDistinct(mapKeys(SpanAttributes)))"
        " OR match(SpanId, '^0+$') OR match(TraceId, '^0*$')"
        f" OR toInt64(Duration) NOT BETWEEN 0 AND {_LARGEST_NS} OR Timestamp <= fromUnixTimestamp64Nano(0)"
    )
    values = {
        "id": "reinterpretAsUInt64(unhex(SpanId))",
        "parent": "reinterpretAsUInt64(unhex(ParentSpanId))",
        "kind": "toUInt8(kind)",
        "start_ns": "toUnixTimestamp64Nano(Timestamp)",
        "end_ns": "toUnixTimestamp64Nano(Timestamp) + toInt64(Duration)",
        "process": f"sipHash64({_identity()})",
        "scope": "sipHash64(ScopeName)",
        # Not inside of if(): ClickHouse works out again and again what stands only there.
        "tool": "tool",
        "agent": "agent",
        "name": f"if(kind = {TURN}, title, {NAME})",
        "is_related": f"toUInt8({related})",
        "is_blocked": f"toUInt8({attribute(names.BLOCKED)} != '')",
        "recorded": f"if(mapContains(SpanAttributes, {quoted(names.VERDICT)}), {recorded}, [])",
    }
    values |= {name: text for name, (_, text) in more.items()}
    types = _SPAN | {name: kind for name, (kind, _) in more.items()}
    fields = ",\n    ".join(values[name] for name in types)
    return f"""SELECT TraceId, is_linked, {malformed} AS is_malformed, CAST((
    {fields}
  ), 'Tuple({typed_fields(types)})') AS span
FROM with_kind"""


def _identity() -> str:
    """Return a text that is the same for all spans of one process and service, as the readers make it."""
    named = {}
    for key in IDENTITY:
        value = f"ResourceAttributes[{quoted(key)}]"
        named[key] = f"if(mapContains(ResourceAttributes, {quoted(key)}), concat({quoted(f'{key}=')}, {value}), '')"
    named["service.name"] = first_of(
        named["service.name"], "if(ServiceName != '', concat('service.name=', ServiceName), '')"
    )
    parts = f"arrayStringConcat(arrayFilter(part -> part != '', [{', '.join(named.values())}]), ' ')"
    return first_of(parts, "toString(mapSort(ResourceAttributes))")


# A span that was exported twice counts once: the one that ends later. Rows have no order, so of several that end last
# none is the first.
_TRACES: Final = """SELECT TraceId, is_malformed, is_linked,
  arrayPopBack(arrayPushFront(sorted, defaultValueOfArgumentType(sorted[1]))) AS befores,
  arrayExists((span, before) -> if((span.id, span.end_ns) = (before.id, before.end_ns), span != before, 0),
    sorted, befores) AS is_ambiguous,
  arrayFilter((span, before) -> span.id != before.id, sorted, befores) AS spans
FROM (
  SELECT TraceId, max(is_malformed) AS is_malformed, max(is_linked) AS is_linked,
    arraySort(span -> (span.id, -span.end_ns), groupArray(span)) AS sorted
  FROM classified GROUP BY TraceId
)"""
