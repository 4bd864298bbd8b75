"""
How long the SQL for ClickHouse takes, and which chains it names: ``python -m tests.bench.clickhouse_sql``.

ClickHouse runs in this process (chdb).

The spans are made by ClickHouse itself: turns of 50 spans, two thirds of them tool calls with 700 characters of
contents, and the others spans of no agent vocabulary.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from otel_parallelism.readers.otlp_json import read_otlp_json
from otel_parallelism.scale.clickhouse.chain_query import chains_query
from otel_parallelism.scale.clickhouse.hourly import hourly_query
from otel_parallelism.scale.clickhouse.turn_query import turns_query
from otel_parallelism.settings import Settings
from tests.scale.clickhouse.collector_table import ALWAYS, TABLE, CollectorTable
from tests.scale.clickhouse.compared_chains import compared_chains
from tests.scale.clickhouse.drawn_responses import drawn_responses

_SPANS_OF_TURN = 50
_INSERT = f"""INSERT INTO {TABLE}
  (Timestamp, TraceId, SpanId, ParentSpanId, SpanName, ServiceName, ResourceAttributes, ScopeName, SpanAttributes,
  Duration)
SELECT fromUnixTimestamp64Nano(1790000000000000000 + toInt64(number) * 20000000),
  lower(hex(sipHash128(intDiv(number, {_SPANS_OF_TURN})))), lower(hex(sipHash64(number))),
  if(number % {_SPANS_OF_TURN} = 0, '', lower(hex(sipHash64(number - number % {_SPANS_OF_TURN})))),
  multiIf(number % {_SPANS_OF_TURN} = 0, 'invoke_agent', number % 3 = 0, 'POST', 'execute_tool'),
  'shop', map('service.name', 'shop', 'host.name', 'a', 'process.pid', '1'), 'agents',
  multiIf(
    number % {_SPANS_OF_TURN} = 0, map('gen_ai.operation.name', 'invoke_agent',
      'gen_ai.agent.name', concat('agent ', toString(intDiv(number, {_SPANS_OF_TURN}) % 12))),
    number % 3 = 0, map('http.method', 'POST', 'url.full', repeat('z', 100)),
    map('gen_ai.operation.name', 'execute_tool', 'gen_ai.tool.name', concat('get_', toString(number % 9)),
      'gen_ai.tool.call.id', hex(number), 'gen_ai.tool.call.arguments', repeat('x', 200),
      'gen_ai.tool.call.result', repeat('y', 500))),
  if(number % {_SPANS_OF_TURN} = 0, 1200000000, 70000000)
FROM numbers({{spans}})"""


def _taken_s(table: CollectorTable, query: str) -> tuple[float, float]:
    """Return how long *query* takes, and how much processor time it needs, in seconds."""
    elapsed_s, worked_s = time.perf_counter(), time.process_time()
    table.run(query)
    return time.perf_counter() - elapsed_s, time.process_time() - worked_s


def main() -> None:
    """Print the seconds that each query takes, the best of some runs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spans", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    table = CollectorTable()
    table.run(_INSERT.format(spans=options.spans))
    turns = turns_query(TABLE, *ALWAYS, Settings())
    by_agent = f"SELECT agent, avg(ratio), countIf(undecided != '') FROM ({turns}) GROUP BY agent"
    print(f"{options.spans:,} spans of {options.spans // _SPANS_OF_TURN:,} turns      elapsed   processor time")
    for what, query in (
        ("ratio by agent", by_agent),
        ("sums of each hour", hourly_query(TABLE, *ALWAYS, Settings())),
        ("chains of responses", chains_query(TABLE, *ALWAYS, Settings())),
        ("planning alone", f"EXPLAIN PIPELINE {by_agent}"),
    ):
        elapsed_s, worked_s = min(_taken_s(table, query) for _ in range(options.runs))
        print(f"{what:<36} {elapsed_s:6.1f} s {worked_s:10.1f} s")
    recorded = sorted((Path(__file__).parents[1] / "fixtures" / "spans").glob("*.jsonl"))
    for what, spans in (
        ("recorded spans", (span for path in recorded for span in read_otlp_json(path))),
        ("drawn responses", (span for turn in drawn_responses(1, 2_000) for span in turn)),
    ):
        table.replace(spans)
        found = compared_chains(table)
        print(
            f"{what}: {found['named']} chains named as analyze reports them, {found['missed']} of one response missed"
        )
    table.close()


if __name__ == "__main__":
    main()
