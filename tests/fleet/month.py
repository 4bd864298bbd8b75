"""
A generated month of a fleet of twelve agents; in three of them a fault begins on some day.

``agent-03``'s model asks for one call per response, ``agent-07``'s program runs the calls of a response one by one,
and a tool of ``agent-10`` awaits its reads one after another. Everything follows from the seed. The turns of one day
are about equally many; a tenth of the turns with a fault do not show it.
"""

from __future__ import annotations

import json
import zlib
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Any

from otel_parallelism.model import SpanRecord

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Sequence

START = datetime(2026, 11, 1, tzinfo=UTC)
DAYS = 30
AGENTS = 12
FAULTS = {3: 9, 7: 15, 10: 21}
"""The day of the month on which each fault begins, by the number of the agent."""
_MS = 1_000_000
_TOOLS = ("get_profile", "get_orders", "get_prices", "get_stock", "get_reviews", "get_offers")


def beginnings() -> list[str]:
    """Return the days of the three faults."""
    return [f"{START:%Y-%m}-{day:02}" for day in FAULTS.values()]


def month(
    turns: int, seed: int = 1, faults: dict[int, int] | None = None, agents: Container[int] = range(AGENTS)
) -> Iterator[list[SpanRecord]]:
    """Yield the spans of each turn of *agents*, in order of start; *faults* are as in ``FAULTS``."""
    random = Random(seed)  # noqa: S311 - a sample, no secret
    faults = FAULTS if faults is None else faults
    for number in range(turns):
        at = START + timedelta(days=DAYS) * (number + random.random()) / turns
        agent = number % AGENTS
        faulty = agent in faults and at.day >= faults[agent] and random.random() < 0.9
        made = _Turn(random, f"agent-{agent:02}", at).spans(agent, faulty=faulty)
        if agent in agents:
            yield made


def lines(traces: Iterator[list[SpanRecord]]) -> Iterator[str]:
    """Yield OTLP JSON, a line for each trace."""
    for spans in traces:
        yield json.dumps(
            {"resourceSpans": [{"scopeSpans": [{"scope": {"name": "fleet"}, "spans": [_otlp(s) for s in spans]}]}]}
        )


def _otlp(span: SpanRecord) -> dict[str, Any]:
    return {
        "traceId": span.trace_id,
        "spanId": span.span_id,
        "parentSpanId": span.parent_id,
        "name": span.name,
        "startTimeUnixNano": str(span.start_ns),
        "endTimeUnixNano": str(span.end_ns),
        "attributes": [
            {"key": key, "value": {"intValue": value} if isinstance(value, int) else {"stringValue": value}}
            for key, value in span.attributes.items()
        ],
    }


class _Turn:
    def __init__(self, random: Random, agent: str, at: datetime) -> None:
        self._random = random
        self._agent = agent
        self._trace = f"{random.getrandbits(128) | 1:032x}"
        self._at = int(at.timestamp() * 1000) * _MS
        self._start = self._at
        self._made: list[SpanRecord] = []
        self._user = random.randrange(100_000, 1_000_000)

    def spans(self, agent: int, *, faulty: bool) -> list[SpanRecord]:
        random = self._random
        tools = [_TOOLS[(agent + at) % len(_TOOLS)] for at in range(3)]
        times = [random.randint(300, 500) for _ in tools]
        if faulty and agent == 3:
            for tool, took in zip(tools, times, strict=True):
                self._calls(self._asked([tool]), [took])
        elif faulty and agent == 7:
            self._calls(self._asked(tools), times, together=False)
        elif agent == 10:
            self._nested(tools, times, together=not faulty)
        elif agent in {1, 5}:  # each call needs what the one before returned
            self._needed(tools, times)
        else:
            self._calls(self._asked(tools), times)
        self._asked([])
        root = self._span("root", "", "invoke_agent", self._start, {"gen_ai.agent.name": self._agent})
        return [root, *self._made]

    def _span(self, name: str, parent: str, operation: str, start: int, attributes: dict[str, Any]) -> SpanRecord:
        span_id = f"{(hash_of(self._trace, name)):016x}"
        parent_id = f"{hash_of(self._trace, parent):016x}" if parent else ""
        described = {"gen_ai.operation.name": operation, **attributes}
        return SpanRecord(self._trace, span_id, parent_id, operation, start, self._at, described, source="fleet")

    def _asked(self, tools: Sequence[str]) -> list[tuple[str, str, str]]:
        """Make a model request that asks for *tools*; return tool, id and arguments of each."""
        at = len(self._made)
        start = self._at
        self._at += self._random.randint(150, 250) * _MS
        arguments = json.dumps({"user": self._user})
        calls = [(tool, f"call-{at}-{index}", arguments) for index, tool in enumerate(tools)]
        parts = [
            {"type": "tool_call", "id": id_, "name": tool, "arguments": {"user": self._user}} for tool, id_, _ in calls
        ]
        said = [{"role": "user", "parts": [{"type": "text", "content": f"All about user {self._user}, please."}]}]
        self._made.append(
            self._span(
                f"chat {at}",
                "root",
                "chat",
                start,
                {
                    "gen_ai.input.messages": json.dumps(said),
                    "gen_ai.output.messages": json.dumps([{"role": "assistant", "parts": parts}]),
                    "gen_ai.usage.input_tokens": 800 + 150 * at,
                },
            )
        )
        return calls

    def _calls(
        self,
        calls: Sequence[tuple[str, str, str]],
        times: Sequence[int],
        *,
        together: bool = True,
        parent: str = "root",
    ) -> None:
        start = end = self._at
        for (tool, id_, arguments), took in zip(calls, times, strict=True):
            self._at = start + took * _MS
            self._call(tool, id_, arguments, start, f"{tool} has {self._random.randrange(10**6, 10**7)} rows", parent)
            end = max(end, self._at)
            start = start if together else self._at
        self._at = end

    def _call(  # noqa: PLR0917 - what a span has
        self, tool: str, id_: str, arguments: str, start: int, result: str, parent: str = "root"
    ) -> None:
        attributes = {
            "gen_ai.tool.name": tool,
            "gen_ai.tool.call.id": id_,
            "gen_ai.tool.call.arguments": arguments,
            "gen_ai.tool.call.result": json.dumps({"found": result}),
        }
        self._made.append(self._span(id_, parent, "execute_tool", start, attributes))

    def _needed(self, tools: Sequence[str], times: Sequence[int]) -> None:
        value = str(self._user)
        for tool, took in zip(tools, times, strict=True):
            [(_, id_, _)] = self._asked([tool])
            start, result = self._at, f"ref-{self._random.randrange(10**8, 10**9)}"
            self._at += took * _MS
            self._call(tool, id_, json.dumps({"key": value}), start, result)
            value = result

    def _nested(self, tools: Sequence[str], times: Sequence[int], *, together: bool) -> None:
        [(tool, id_, arguments)] = self._asked(["get_report"])
        start = self._at
        self._at += 5 * _MS
        inner = [(name, f"{id_}-{at}", arguments) for at, name in enumerate(tools)]
        self._calls(inner, times, together=together, parent=id_)
        self._at += 5 * _MS
        self._call(tool, id_, arguments, start, "the report")


def hash_of(trace: str, name: str) -> int:
    """Return a span id that follows from its trace and its name."""
    return zlib.crc32(f"{trace} {name}".encode()) << 32 | zlib.adler32(f"{name} {trace}".encode())
