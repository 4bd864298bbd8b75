"""What open turns show at any moment: this is the *live* in the name of the thing."""

from __future__ import annotations

import msgspec

from otel_parallelism import clock
from otel_parallelism.tracing.sdk.records import observe

from .nodes import CallNode, Node, SpanNode, TurnNode
from .observations import trace_hex
from .registry import REGISTRY, Registry

_CALL, _TURN = "Call", "TurnSpan"


class LiveTurn(msgspec.Struct, frozen=True):
    """
    A turn that is still open, as it was at one moment.

    ``calls`` are its own calls so far, open ones included; ``work`` and ``makespan`` (seconds) count open calls up
    to that moment. ``ratio`` is work ÷ makespan, None where there is no makespan yet.
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
    """Return the turns that are open now, in order of start; safe to call from any thread, at any time."""
    now_ns = clock.now_ns()
    turns = [_live(node, now_ns) for node in registry.open_turns()]
    return tuple(sorted(turns, key=lambda turn: (turn.start_ns, turn.span_id)))


def _live(turn: Node, now_ns: int) -> LiveTurn:
    name, agent = _names(turn, now_ns)
    calls = open_calls = work_ns = last_ns = 0
    first_ns = now_ns
    stack = [turn]
    while stack:
        for child in tuple(stack.pop().children or ()):
            if not _is_call(child, now_ns):
                # Whatever it is, the calls below it are still the turn's own.
                stack.append(child)
                continue
            end_ns = child.end_ns or now_ns
            calls += 1
            open_calls += not child.end_ns
            work_ns += max(0, end_ns - child.start_ns)
            first_ns = min(first_ns, child.start_ns)
            last_ns = max(last_ns, end_ns)
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


def _is_call(node: Node, now_ns: int) -> bool:
    """Whether *node* counts as one call of the turn around it: a call, or a turn inside."""
    if isinstance(node, (CallNode, TurnNode)):
        return True
    if not isinstance(node, SpanNode):
        return False
    if node.is_turn:
        return True
    observation = node.observation if node.observation is not None else observe(node.span, now_ns)
    return type(observation).__name__ in (_CALL, _TURN)


def _names(turn: Node, now_ns: int) -> tuple[str, str]:
    if isinstance(turn, TurnNode):
        return turn.name, turn.agent
    observation = observe(turn.span, now_ns)
    return getattr(observation, "name", ""), getattr(observation, "agent", "")
