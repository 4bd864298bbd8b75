"""Live figures of the turns that are open."""

from __future__ import annotations

import msgspec

from otel_parallelism import clock

from .bounds.past_bound import is_call
from .classification import classify_open_node
from .nodes import Node, SpanNode, TurnNode
from .registry import REGISTRY, Registry
from .turn_end.observations import trace_hex


class LiveTurn(msgspec.Struct, frozen=True):
    """
    A snapshot of an open turn.

    ``calls`` counts its own calls so far, ``open_calls`` those of them that are running. ``work`` and ``makespan`` are
    in seconds; running calls count up to the time of the snapshot. ``ratio`` is work ÷ makespan, None where the
    makespan is 0.
    """

    name: str
    agent: str
    trace_id: str
    span_id: str
    start_ns: int
    calls: int
    open_calls: int
    work: float
    makespan: float
    ratio: float | None


def live_turns(registry: Registry = REGISTRY) -> tuple[LiveTurn, ...]:
    """Return a snapshot of every open turn, in order of start. Safe to call from any thread at any time."""
    now_ns = clock.now_ns()
    turns = [_live(node, now_ns) for node in registry.open_turns()]
    return tuple(sorted(turns, key=lambda turn: (turn.start_ns, turn.span_id)))


def _live(turn: Node, now_ns: int) -> LiveTurn:
    name, agent = _names(turn)
    calls = open_calls = work_ns = last_ns = 0
    first_ns = now_ns
    stack = [turn]
    while stack:
        for child in tuple(stack.pop().children or ()):
            if not is_call(child):
                # A model request or another span: calls below it belong to the turn.
                stack.append(child)
                continue
            end_ns = child.end_ns or now_ns
            calls += 1
            open_calls += not child.end_ns
            work_ns += max(0, end_ns - child.start_ns)
            first_ns = min(first_ns, child.start_ns)
            last_ns = max(last_ns, end_ns)
    if turn.past_bound is not None:
        totals = turn.past_bound.at(now_ns)
        calls += totals.calls
        open_calls += totals.still_open
        work_ns += totals.work_ns
        last_ns = max(last_ns, totals.end_ns)
    makespan_ns = max(0, last_ns - first_ns)
    return LiveTurn(
        name=name,
        agent=agent,
        trace_id=trace_hex(turn),
        span_id=f"{turn.span_id:016x}",
        start_ns=turn.start_ns,
        calls=calls,
        open_calls=open_calls,
        work=work_ns / 1e9,
        makespan=makespan_ns / 1e9,
        ratio=work_ns / makespan_ns if makespan_ns else None,
    )


def _names(turn: Node) -> tuple[str, str]:
    """Return the name and the agent of *turn*; empty strings where unknown."""
    if isinstance(turn, TurnNode):
        return turn.name, turn.agent
    observation = classify_open_node(turn) if isinstance(turn, SpanNode) else None
    return getattr(observation, "name", ""), getattr(observation, "agent", "")
