"""Draws traces of agents, with a seed: usual ones, and all that makes the core look twice."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any, Final

import msgspec

from otel_parallelism import names
from otel_parallelism.model import SpanRecord

if TYPE_CHECKING:
    from collections.abc import Iterator

START_NS: Final = 1_790_000_000_123_456_789
UNIT_NS: Final = 7_000_000_001
"""Times are multiples of this, so that calls often touch, overlap and coincide."""

_TOOLS: Final = ("get_rows", "search", "server.get_rows", "send_mail", "final_answer", "transfer_to_sales")
_PROCESS, _SCOPE = "one", "agents"


class _Trace:
    """The spans of one trace while they are drawn; *odd* is the chance of each oddity."""

    def __init__(self, choose: random.Random, number: int, odd: float) -> None:
        self._choose = choose
        self._odd = odd
        self._trace_id = f"{number + 1:032x}"
        self._begin = number * 100
        self.spans: list[SpanRecord] = []
        self._depths: dict[str, int] = {}

    def _is_odd(self, share: float = 1.0) -> bool:
        return self._choose.random() < self._odd * share

    def _span(self, parent: str, start: int, end: int, name: str, attributes: dict[str, Any]) -> SpanRecord:
        choose = self._choose
        # A span lies strictly inside its parent, by a nanosecond.
        depth = self._depths.get(parent, 0) + 1
        start_ns = START_NS + (self._begin + start) * UNIT_NS + depth
        span = SpanRecord(
            self._trace_id,
            f"{choose.getrandbits(64) | 1:016x}",
            parent,
            name,
            start_ns,
            max(start_ns, START_NS + (self._begin + end) * UNIT_NS - depth),
            attributes,
            source="two" if self._is_odd() else _PROCESS,
            instrumentation="client" if self._is_odd() else _SCOPE,
        )
        self.spans.append(span)
        self._depths[span.span_id] = depth
        return span

    def _interval(self, start: int, end: int) -> tuple[int, int]:
        """Return an interval in another one; rarely it reaches outside."""
        if self._is_odd():
            start, end = start - 3, end + 5
        first = self._choose.randint(start, end)
        return first, self._choose.randint(first, min(end, first + 12))

    def _passages(self, parent: str, start: int, end: int) -> str:
        """Return *parent*, or the last of some spans of no kind inside it."""
        for _ in range(self._choose.choice((0, 0, 0, 1, 2, 5))):
            parent = self._span(parent, start, end, "POST /", {"http.method": "POST"}).span_id
        return parent

    def turn(self, parent: str, start: int, end: int, depth: int = 0) -> None:
        """Add a turn with what is inside."""
        choose = self._choose
        agent = choose.choice(("planner", "writer", ""))
        attributes = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": agent}
        if self._is_odd(0.5):
            attributes |= self._recorded()
        span = self._span(self._passages(parent, start, end), start, end, f"invoke_agent {agent}".strip(), attributes)
        if self._is_odd(0.5):
            span = self.spans[-1] = msgspec.structs.replace(span, end_ns=span.start_ns + UNIT_NS)
        self.contents(span.span_id, start, end, depth)

    def contents(self, parent: str, start: int, end: int, depth: int = 0) -> None:
        """Add calls, model requests and sub-agents."""
        choose = self._choose
        for _ in range(choose.choice((0, 1, 2, 3, 3, 4, 6))):
            first, last = self._interval(start, end)
            inside = self._passages(parent, first, last)
            kind = choose.choices(("call", "step", "turn", "odd"), (6, 2, 1, 20 * self._odd))[0]
            if kind == "call":
                self._call(inside, first, last, depth)
            elif kind == "step":
                step = self._step(inside, first, last)
                if self._is_odd():
                    self._call(step, first, last, depth)
            elif kind == "turn" and depth < 2:
                self.turn(inside, first, max(last, first + 8), depth + 1)
            else:
                self._oddity(inside, first, last)

    def _step(self, parent: str, start: int, end: int) -> str:
        return self._span(parent, start, end, "chat model", {"gen_ai.operation.name": "chat"}).span_id

    def _call(self, parent: str, start: int, end: int, depth: int) -> None:
        tool = self._choose.choice(_TOOLS)
        attributes = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": tool}
        if self._is_odd(0.3):
            attributes["gen_ai.conversation.id"] = "c1"
        if self._is_odd(0.3):
            attributes[names.BLOCKED] = "0.01"
        span = self._span(parent, start, end, f"execute_tool {tool}", attributes)
        if self._is_odd(0.3):
            link = self._choose.choice(self.spans).span_id
            self.spans[-1] = msgspec.structs.replace(span, links=(link,))
        if self._is_odd(2) and depth < 3:
            self._call(span.span_id, *self._interval(start, end), depth + 1)

    def _oddity(self, parent: str, start: int, end: int) -> None:
        choose = self._choose
        match choose.randrange(6):
            case 0:
                self._span(parent, start, end, "human_approval", {"gen_ai.operation.name": "other"})
            case 1:
                self._call("f" * 16, start, end, 3)  # the parent is missing
            case 2:
                self._call(choose.choice(self.spans).parent_id, start, end, 3)
            case 3:
                self.turn(choose.choice(self.spans).parent_id, start, end, 2)
            case 4:
                self._span(parent, start, end, "flow", {"genkit:type": "flow"})
            case _:
                some = choose.choice(self.spans)
                at = self.spans.index(some)
                self.spans[at] = msgspec.structs.replace(some, parent_id=choose.choice(self.spans).span_id)

    def _recorded(self) -> dict[str, object]:
        choose = self._choose
        found: dict[str, object] = {names.VERDICT: choose.choice(("sequential", "parallel", "nonsense"))}
        for key in (names.RATIO, names.WORK, names.BUSY, names.MAKESPAN, names.EFFICIENCY, names.AVOIDABLE):
            if choose.random() < 0.7:
                found[key] = choose.random()
        if choose.random() < 0.7:
            found |= {names.CALLS: choose.randrange(7), names.PEAK_CONCURRENCY: choose.randrange(7)}
        return found


def drawn_traces(seed: int, number: int) -> Iterator[list[SpanRecord]]:
    """Yield *number* traces; some spans of each are there twice."""
    choose = random.Random(seed)
    for at in range(number):
        trace = _Trace(choose, at, choose.choice((0, 0, 0.02, 0.1)))
        if choose.random() < 0.75:
            trace.turn("", 0, 60)
        else:
            root = trace._span("", 0, 60, "GET /chat", {"http.method": "GET"})
            trace.contents(root.span_id, 0, 60, 2)
        again = choose.sample(trace.spans, k=min(2, len(trace.spans)))
        yield choose.sample([*trace.spans, *again], k=len(trace.spans) + len(again))
