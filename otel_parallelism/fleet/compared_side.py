"""One side of a comparison: the sums over its turns, a sample of each agent, and a few turns to draw."""

from __future__ import annotations

import zlib
from collections import Counter
from typing import TYPE_CHECKING, Final

from otel_parallelism.model.comparison_types import TurnPair, TurnPicture

from .agent_samples import AgentSamples
from .fleet_sums import FleetSums

if TYPE_CHECKING:
    from otel_parallelism.model import Report, Turn

MOST_AGENTS: Final = 200
MOST_TOOLS: Final = 20_000
_KEPT_TURNS: Final = 16
_DRAWN_CALLS: Final = 60
_READ_CHARACTERS: Final = 10_000
_US: Final = 1_000

_Kept = dict[int, TurnPicture]


class ComparedSide:
    """Adds up the turns of one input, in bounded memory. Further agents than ``MOST_AGENTS`` are not compared."""

    def __init__(self) -> None:
        self.sums: FleetSums = FleetSums()
        self.samples: dict[str, AgentSamples] = {}
        self.turns_left_out: int = 0
        self.with_tool: Counter[tuple[str, str]] = Counter()
        self._by_request: dict[str, _Kept] = {}
        self._by_tools: dict[str, _Kept] = {}

    @property
    def turns(self) -> int:
        """The number of turns."""
        return self.sums.total.turns

    def add(self, report: Report) -> None:
        """Add one turn."""
        numbers = self.sums.add(report)
        agent, turn = numbers.agent, report.turn
        for tool in {call.tool for call in turn.calls}:
            if (agent, tool) in self.with_tool or len(self.with_tool) < MOST_TOOLS:
                self.with_tool[agent, tool] += 1
        if agent not in self.samples and len(self.samples) >= MOST_AGENTS:
            self.turns_left_out += 1
            return
        self.samples.setdefault(agent, AgentSamples()).add(numbers)
        if not turn.calls:
            return
        request, tools = _request(turn), _tools(turn)
        for kept, signature in ((self._by_request, request), (self._by_tools, tools)):
            if signature is not None:
                _keep(kept.setdefault(agent, {}), signature, report)

    def turns_with(self, agent: str, tools: tuple[str, ...]) -> int:
        """Return in how many turns of *agent* all *tools* can have been called: the turns with the rarest of them."""
        return min((self.with_tool[agent, tool] for tool in tools), default=0)

    def pair(self, after: ComparedSide, agent: str) -> TurnPair | None:
        """Return one turn of *agent* on this side and the same on the other: the same request, else the same tools."""
        for same_request, ours, theirs in (
            (True, self._by_request, after._by_request),
            (False, self._by_tools, after._by_tools),
        ):
            here, there = ours.get(agent, {}), theirs.get(agent, {})
            common = here.keys() & there.keys()
            if common:
                first = min(common, key=lambda at: (-max(here[at].lost, there[at].lost), at))
                return TurnPair(agent, same_request, here[first], there[first])
        return None


def _keep(kept: _Kept, signature: int, report: Report) -> None:
    """Keep the turn if its *signature* is among the smallest; of turns with the same one, the turn that loses most."""
    known = kept.get(signature)
    turn = report.turn
    if known is not None:
        if (-known.lost, known.trace_id, known.span_id) <= (-report.avoidable, turn.trace_id, turn.span_id):
            return
    elif len(kept) >= _KEPT_TURNS:
        largest = max(kept)
        if signature > largest:
            return
        del kept[largest]
    kept[signature] = _picture(report)


def _picture(report: Report) -> TurnPicture:
    turn = report.turn
    start_ns = turn.start_ns
    return TurnPicture(
        trace_id=turn.trace_id,
        span_id=turn.span_id,
        duration=max(0, turn.end_ns - start_ns) / 1e9,
        lost=report.avoidable,
        steps=tuple(
            ((step.start_ns - start_ns) // _US, max(0, step.end_ns - step.start_ns) // _US)
            for step in turn.steps[:_DRAWN_CALLS]
        ),
        calls=tuple(
            (call.tool, (call.start_ns - start_ns) // _US, call.duration_ns // _US, call.error)
            for call in turn.calls[:_DRAWN_CALLS]
        ),
        calls_left_out=max(0, len(turn.calls) - _DRAWN_CALLS),
    )


def _request(turn: Turn) -> int | None:
    """Return a hash of what the user asked for; None if that is unknown. The text itself is not kept."""
    texts = [str(content.value)[:_READ_CHARACTERS] for content in turn.inputs[:1] if content.value]
    texts += [str(step.messages.value)[:_READ_CHARACTERS] for step in turn.steps[:1] if step.messages is not None]
    return _hash("\n".join(texts)) if texts else None


def _tools(turn: Turn) -> int:
    return _hash("\n".join(sorted(call.tool for call in turn.calls)))


def _hash(text: str) -> int:
    return zlib.crc32(text.encode("utf-8", "replace")) << 32 | zlib.adler32(text.encode("utf-8", "replace"))
