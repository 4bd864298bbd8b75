"""Traces of agents in any dialect: random turns, rounds, calls, sub-agents, what calls do, errors and lost parents."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from otel_parallelism.model import SpanEvent, SpanRecord
from tests.dialects.writing import Planned, Written

if TYPE_CHECKING:
    from tests.dialects.writing import Writer

MS = 1_000_000
BEGAN_NS = 1_800_000_000 * 10**9
_TOOLS = ("get_weather", "search_news", "read_file", "update_order", "frobnicate")
_WORDS = ("north", "south", "hills", "rivers")
_HTTP = Written("POST", {"http.request.method": "POST", "http.response.status_code": 200})


def agent_traces(seed: int, dialect: Writer) -> list[SpanRecord]:
    """Return the spans of one to three turns in *dialect*, in one or two traces; the same for the same *seed*."""
    return _Traces(seed, dialect).spans


class _Traces:
    def __init__(self, seed: int, dialect: Writer) -> None:
        self.spans: list[SpanRecord] = []
        self._seed, self._dialect = seed, dialect
        self._choose = random.Random(seed)  # noqa: S311 - not a secret
        self._results = ["item-8251"]
        at_ms = 0
        for number in range(self._choose.randint(1, 3)):
            at_ms = self._run(number // 2, "", at_ms, depth=0) + 1_000

    def _add(self, written: Written, trace: int, parent: str, start_ms: int, end_ms: int, *, place: int = -1) -> str:
        number = len(self.spans) if place < 0 else place
        span_id = f"{self._seed * 10_000 + number + 1:016x}"
        span = SpanRecord(
            f"{(self._seed + 1) * 16 + trace:032x}",
            span_id,
            parent,
            written.name,
            BEGAN_NS + start_ms * MS,
            BEGAN_NS + end_ms * MS,
            dict(written.attributes),
            tuple(SpanEvent(name, dict(attributes)) for name, attributes in written.events),
            instrumentation=written.scope,
            error=written.name != _HTTP.name and self._choose.random() < 0.05,
        )
        if place < 0:
            self.spans.append(span)
        else:
            self.spans[place] = span
        return span_id

    def _run(self, trace: int, parent: str, start_ms: int, *, depth: int) -> int:
        """Add a turn from *start_ms* on; returns its end."""
        choose, place = self._choose, len(self.spans)
        own_id = self._add(self._dialect.run(), trace, parent, start_ms, start_ms)
        at_ms = start_ms + 1
        for number in range(choose.randint(1, 3)):
            at_ms = self._round(trace, own_id, at_ms, number, depth=depth)
        if choose.random() < 0.8:
            self._add(self._dialect.request([]), trace, own_id, at_ms, at_ms + 60)
            at_ms += 60
        self._add(self._dialect.run(), trace, parent, start_ms, at_ms + 1, place=place)
        return at_ms + 1

    def _round(self, trace: int, run: str, start_ms: int, number: int, *, depth: int) -> int:
        """Add a model request and the calls that it asks for; returns the end of the last."""
        choose = self._choose
        replied_ms = start_ms + choose.randint(50, 900)
        at_ms = replied_ms + choose.choice([0, 5, -20])  # some start while the response streams
        planned, ended_ms = [], replied_ms
        for _ in range(choose.randint(1, 3)):
            end_ms = at_ms + choose.randint(60, 900)
            planned.append(self._planned(at_ms, end_ms))
            ended_ms = max(ended_ms, end_ms)
            at_ms = end_ms if choose.random() < 0.6 else at_ms + 10
        parent = run
        if self._dialect.cycle is not None:
            parent = self._add(self._dialect.cycle(number), trace, run, start_ms, ended_ms + 2)
        self._add(self._dialect.request(planned), trace, parent, start_ms, replied_ms)
        for asked in planned:
            lost = "00000000deadbeef" if choose.random() < 0.04 else parent
            own_id = self._add(self._dialect.call(asked), trace, lost, asked.start_ms, asked.end_ms)
            self._inside(trace, own_id, asked, depth)
        return ended_ms + 3

    def _planned(self, start_ms: int, end_ms: int) -> Planned:
        choose = self._choose
        known = choose.choice(self._results) if choose.random() < 0.3 else choose.choice(_WORDS)
        self._results.append(f"item-{choose.randint(1_000, 9_999)}")
        result = choose.choice([f"a text about {choose.choice(_WORDS)}", self._results[-1]])
        call_id = f"call_{choose.randint(10**6, 10**7)}"
        return Planned(call_id, choose.choice(_TOOLS), {"of": known}, result, start_ms, end_ms)

    def _inside(self, trace: int, call: str, asked: Planned, depth: int) -> None:
        """Add what a call does: nothing, an HTTP request, calls of its own, or a run of another agent."""
        middle_ms, kind = (asked.start_ms + asked.end_ms) // 2, self._choose.random()
        if kind < 0.2:
            self._add(_HTTP, trace, call, asked.start_ms + 1, asked.end_ms - 1)
        elif kind < 0.3 and depth < 1:
            for start_ms, end_ms in ((asked.start_ms + 1, middle_ms), (middle_ms, asked.end_ms - 1)):
                self._add(self._dialect.call(self._planned(start_ms, end_ms)), trace, call, start_ms, end_ms)
        elif kind < 0.35 and depth < 1:
            self._run(trace, call, asked.start_ms + 1, depth=depth + 1)
