"""Observations from the live tree: what a turn that ends, or is still open, holds."""

from __future__ import annotations

import random

import msgspec

from otel_parallelism.analysis.turns.duplicates import both_calls, both_steps
from otel_parallelism.model import Call, Content, Observation, Passage, Step, TurnSpan
from otel_parallelism.tracing.state.call_contents import read_arguments, read_result
from otel_parallelism.tracing.state.callers import location
from otel_parallelism.tracing.state.classification import classify_node
from otel_parallelism.tracing.state.nodes import MISSING, NOTICED_NS, CallNode, Node, SpanNode, StepNode, TurnNode


class TurnContents(msgspec.Struct):
    """
    What hangs below one node.

    ``calls`` are the decorated calls whose contents are held, ``words`` what the user said as requests and ended turns
    below hold it; ``visited`` are all nodes with children, to be taken apart; ``ended`` are the turns inside that have
    ended, by span id; ``made`` counts decorated calls and ``dropped`` calls past the bounds. ``flat`` says that there
    is nothing but decorated calls with nothing inside.
    """

    observations: list[Observation]
    calls: list[CallNode]
    visited: list[Node]
    ended: dict[str, Node]
    made: int = 0
    dropped: int = 0
    flat: bool = True
    words: list[Content] = []


def trace_hex(node: Node) -> str:
    """Return the trace id of *node*'s span as hex, or one of our own where it has none."""
    if isinstance(node, TurnNode):
        if not node.trace_id:
            node.trace_id = random.getrandbits(128) | 1
        return f"{node.trace_id:032x}"
    context = node.span.get_span_context()
    return f"{context.trace_id if context is not None and context.trace_id else node.span_id:032x}"


def collect_observations(top: Node, end_ns: int, *, least_ns: float = 0) -> TurnContents:
    """
    Gather the observations of *top* and of everything below it, open calls counted up to *end_ns*.

    Turns inside that have ended contribute themselves and nothing of what they held. All observations get *top*'s
    trace id and their node's parent, whatever their own spans say: a call that lost its context was given a parent.

    Args:
        top: A turn or a local root.
        end_ns: When it ends.
        least_ns: What lasts less cannot save enough to be looked into, and its calls come without evidence.
    """
    trace_id = trace_hex(top)
    at_top = _observation(top, trace_id, "" if top.parent is None else _hex(top.parent), end_ns)
    found = TurnContents([at_top], [], [], {}, 0, top.dropped, type(top) is TurnNode)
    plain = end_ns - top.start_ns < least_ns
    append, held = found.observations.append, found.calls.append
    # The last tells that a turn which is still open is around: what it holds stays with it until it ends itself.
    stack: list[tuple[Node, str, bool]] = [(top, at_top.span_id, False)]
    while stack:
        node, span_id, stays = stack.pop()
        if not stays:
            found.visited.append(node)
        for child in _below(node) or ():
            if type(child) is not CallNode:
                _take(found, child, trace_id, span_id, end_ns, stays=stays)
            elif plain and not child.error and not stays:
                found.made += 1
                held(child)
                hexed = child.span_id.to_bytes(8).hex()
                append(Call(trace_id, hexed, span_id, child.tool.name, child.start_ns, child.end_ns or end_ns))
            else:
                found.made += 1
                append(call_of(child, trace_id, span_id, end_ns))
                if not stays:
                    held(child)
            if child.children is not None or child.finished:
                found.flat = False
                if _below(child) is not None:
                    goes_on = not child.end_ns and type(found.observations[-1]) is TurnSpan
                    stack.append((child, _hex(child), stays or goes_on))
            found.dropped += child.dropped
    if type(top) is CallNode:
        held(top)
        found.made += 1
    return found


def _take(found: TurnContents, child: Node, trace_id: str, parent_id: str, end_ns: int, *, stays: bool) -> None:
    """Add *child*, which is no decorated call, to what was *found*."""
    found.flat = False
    found.observations.append(_observation(child, trace_id, parent_id, end_ns))
    if type(child) is SpanNode and type(child.facts) is CallNode and not stays:
        found.calls.append(child.facts)
    if child.finished:
        found.ended[_hex(child)] = child
    if not stays and (words := words_of(child)) is not None:
        found.words.append(words)


def words_of(node: Node) -> Content | None:
    """Return what of the user's words is held for *node*; None for a turn that is still open."""
    told = node.facts if isinstance(node, SpanNode) else node
    if isinstance(told, StepNode):
        return told.messages
    if not node.finished:
        return None
    if isinstance(told, TurnNode):
        return told.input
    return told if isinstance(told, Content) else None


def _below(node: Node) -> list[Node] | None:
    """Return what is below *node*; of an ended turn only what it keeps."""
    return kept(node) if node.finished else node.children


def kept(node: Node) -> list[Node] | None:
    """Return what leads from *node*, an ended turn that only wraps another, to that one."""
    return node.kept if isinstance(node, (SpanNode, TurnNode)) else None


def _hex(node: Node) -> str:
    return node.span_id.to_bytes(8).hex()


def _observation(node: Node, trace_id: str, parent_id: str, end_ns: int) -> Observation:
    if isinstance(node, CallNode):
        return call_of(node, trace_id, parent_id, end_ns)
    if isinstance(node, TurnNode):
        return TurnSpan(
            trace_id=trace_id,
            span_id=_hex(node),
            parent_id=parent_id,
            name=node.name,
            start_ns=node.start_ns,
            end_ns=node.end_ns or end_ns,
            agent=node.agent,
            input=node.input,
        )
    if isinstance(node, SpanNode):
        observation = node.observation
        if observation is None:
            observation = classify_node(node, node.end_ns or end_ns)
        if observation.trace_id != trace_id or observation.parent_id != parent_id:
            observation = msgspec.structs.replace(observation, trace_id=trace_id, parent_id=parent_id)
        return observation if node.facts is None else _completed(observation, node.facts, end_ns)
    if isinstance(node, StepNode):
        return _step(node, trace_id, parent_id, end_ns)
    return Passage(trace_id, _hex(node), parent_id, "", node.start_ns, node.end_ns or end_ns)


def _in_thread(call: Call, facts: CallNode) -> Call:
    """Return *call*, whose span is somebody else's, as long as a thread had it, as where the span is ours."""
    if not facts.left_ns:
        return call
    noticed = 0 <= call.end_ns - facts.left_ns < NOTICED_NS
    return msgspec.structs.replace(
        call, start_ns=max(call.start_ns, facts.start_ns), end_ns=facts.left_ns if noticed else call.end_ns
    )


def _completed(observation: Observation, facts: CallNode | StepNode | Content, end_ns: int) -> Observation:
    """Return *observation* of somebody else's span with what we know of the same thing."""
    trace_id, parent_id = observation.trace_id, observation.parent_id
    if isinstance(observation, Call) and isinstance(facts, CallNode):
        return _in_thread(both_calls(observation, call_of(facts, trace_id, parent_id, end_ns)), facts)
    if isinstance(observation, Step) and isinstance(facts, StepNode):
        return both_steps(observation, _step(facts, trace_id, parent_id, end_ns))
    if isinstance(observation, TurnSpan) and isinstance(facts, Content) and observation.input is None:
        return msgspec.structs.replace(observation, input=facts)
    return observation


def _step(node: StepNode, trace_id: str, parent_id: str, end_ns: int) -> Step:
    return Step(
        trace_id,
        _hex(node),
        parent_id,
        node.start_ns,
        node.end_ns or end_ns,
        node.requested,
        node.input_tokens,
        node.messages,
    )


def call_of(node: CallNode, trace_id: str, parent_id: str, end_ns: int) -> Call:
    """Return the observation of a decorated call, up to *end_ns* if it is still open."""
    tool = node.tool
    result = None
    if node.result is not MISSING:
        result = Content(node, read_result, node.result_whole, node.result_identities)
    return Call(
        trace_id,
        _hex(node),
        parent_id,
        tool.name,
        node.start_ns,
        node.end_ns or end_ns,
        node.call_id,
        "",
        None,
        False,  # noqa: FBT003 - by position, as one is made for every call
        False,  # noqa: FBT003 - likewise
        node.error,
        None if node.arguments is None else Content(node, read_arguments, node.whole, node.identities, node.receiver),
        result,
        tool.effect,
        tool.effect_source,
        node.resource or tool.resource,
        tool.depends_on,
        (),
        node.called_ns,
        node.task,
        node.thread,
        node.task != 0,
        node.start_ns - node.called_ns,
        None if node.code is None else location(node.code, node.instruction),
        silenced=tool.silenced,
        blocking=tool.blocking,
    )
