"""Converts a turn's part of the live tree to observations."""

from __future__ import annotations

import random
from math import inf

import msgspec

from otel_parallelism.analysis.turns.bounded_calls import RunningTotals, joined_totals
from otel_parallelism.analysis.turns.merging import merged_duplicate
from otel_parallelism.model import Call, CallTotals, Content, Observation, Passage, Step, TurnSpan
from otel_parallelism.pace import paced
from otel_parallelism.tracing.state.call_contents import read_arguments, read_result
from otel_parallelism.tracing.state.callers import location
from otel_parallelism.tracing.state.classification import classify_node
from otel_parallelism.tracing.state.handed_objects import named_objects
from otel_parallelism.tracing.state.nodes import MISSING, NOTICED_NS, CallNode, Node, SpanNode, StepNode, TurnNode
from otel_parallelism.tracing.state.user_words import held_words

from .recorded_frames import definition_of, stack_of


class TurnContents(msgspec.Struct):
    """
    The contents of one turn or local root.

    Attributes:
        observations: The observations of the node itself, then of all below.
        calls: The calls whose arguments and results are held.
        spans: The spans of other instrumentations whose contents count as held, or were let go.
        visited: All nodes with children, which are to be unlinked.
        ended: Nested turns that have ended, by span id.
        made: The number of decorated calls.
        past_bound: The totals of the calls left out because of a bound; None without any.
        flat: Whether everything below is a decorated call without children.
        words: The user's words that model requests and ended turns below hold.
    """

    observations: list[Observation]
    calls: list[CallNode]
    visited: list[Node]
    ended: dict[str, Node]
    made: int = 0
    past_bound: CallTotals | None = None
    flat: bool = True
    words: list[Content] = []
    spans: list[SpanNode] = []


def trace_hex(node: Node) -> str:
    """Return the trace id of *node*'s span in hexadecimal; a random one, kept, where the span has none."""
    if isinstance(node, TurnNode):
        if not node.trace_id:
            node.trace_id = random.getrandbits(128) | 1
        return f"{node.trace_id:032x}"
    context = node.span.get_span_context()
    return f"{context.trace_id if context is not None and context.trace_id else node.span_id:032x}"


def collect_observations(  # noqa: C901, PLR0912 - one walk over all that is below
    top: Node, end_ns: int, *, trace_id: str = "", least_ns: float = 0, seen_ns: float = inf
) -> TurnContents:
    """
    Return the observations of *top* and of everything below it; open calls end at *end_ns*.

    A nested turn that has ended contributes itself and not its contents. All observations get the trace id of *top*
    and the id of their parent node. These may differ from their spans', since a call that lost its context was linked
    to the only open turn.

    Args:
        top: A turn or a local root.
        end_ns: When it ends.
        trace_id: Its trace id in hexadecimal, if its span may be gone already.
        least_ns: In a shorter turn nothing worth reporting can be saved, so its calls come without evidence.
        seen_ns: When it ended, if that was earlier: what ended since was open then, what began since is left out.
    """
    trace_id = trace_id or trace_hex(top)
    at_top = _just_ending(_observation(top, trace_id, "" if top.parent is None else _hex(top.parent), end_ns))
    found = TurnContents([at_top], [], [], {}, 0, None, type(top) is TurnNode)
    plain = end_ns - top.start_ns < least_ns
    append, held = found.observations.append, found.calls.append
    inside: list[RunningTotals] = []
    # The last item says whether an open nested turn encloses the node; its contents stay held until it ends.
    stack: list[tuple[Node, str, bool]] = [(top, at_top.span_id, False)]
    while stack:
        node, span_id, stays = stack.pop()
        if not stays:
            found.visited.append(node)
        for child in paced((node.children if node is top else _below(node)) or ()):
            if child.start_ns > seen_ns:
                continue
            if type(child) is not CallNode:
                _take(found, child, trace_id, span_id, end_ns, stays=stays)
            elif plain and not child.error and not stays:
                found.made += 1
                held(child)
                # Nothing will ask for its contents. Written out, since most turns consist of such calls only.
                hexed, ended_ns = child.span_id.to_bytes(8).hex(), child.end_ns
                one = Call(trace_id, hexed, span_id, child.tool.name, child.start_ns, ended_ns or end_ns)
                append(one if ended_ns else msgspec.structs.replace(one, outlived_ns=0))
            else:
                found.made += 1
                append(call_of(child, trace_id, span_id, end_ns))
                if not stays:
                    held(child)
            if child.end_ns > seen_ns:
                found.observations[-1] = _still_open(found.observations[-1], end_ns)
            if child.children is not None or child.finished:
                found.flat = False
                if _below(child) is not None:
                    goes_on = not child.end_ns and type(found.observations[-1]) is TurnSpan
                    stack.append((child, _hex(child), stays or goes_on))
            if child.past_bound is not None and not child.finished:
                inside.append(child.past_bound)
    if type(top) is CallNode:
        held(top)
        found.made += 1
    _add_past_bound(found, top, inside, end_ns)
    return found


def _add_past_bound(found: TurnContents, top: Node, inside: list[RunningTotals], end_ns: int) -> None:
    """Add the totals of the calls of *top* past a bound, with those *inside* of its calls and turns."""
    totals = None if top.past_bound is None else top.past_bound.at(end_ns)
    for one in inside:
        since_ns = min(filter(None, (one.since_ns, one.inner_since_ns)), default=0)
        totals = joined_totals(totals, CallTotals(inner=one.calls + one.inner, inner_since_ns=since_ns))
    found.past_bound = totals
    if totals is not None:
        found.made += totals.calls + totals.inner


def _take(found: TurnContents, child: Node, trace_id: str, parent_id: str, end_ns: int, *, stays: bool) -> None:
    """Add *child*, which is not a decorated call, to *found*; *stays* says whether its contents stay held."""
    found.flat = False
    found.observations.append(_observation(child, trace_id, parent_id, end_ns))
    if type(child) is SpanNode and type(child.facts) is CallNode and not stays:
        found.calls.append(child.facts)
    if type(child) is SpanNode and child.held_size and not stays:
        found.spans.append(child)
    if child.finished:
        found.ended[_hex(child)] = child
    if not stays and (words := held_words(child)) is not None:
        found.words.append(words)


def _below(node: Node) -> list[Node] | None:
    """Return the children of *node*; of an ended turn that only wraps another, the path to that turn."""
    if not node.finished:
        return node.children
    return node.kept if isinstance(node, (SpanNode, TurnNode)) else None


def _hex(node: Node) -> str:
    """Return the span id of *node* in hexadecimal."""
    return node.span_id.to_bytes(8).hex()


def _observation(node: Node, trace_id: str, parent_id: str, end_ns: int) -> Observation:
    """Return the observation of *node* with these ids; *end_ns* is its end time if it is still open."""
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
            emptied=node.emptied,
        )
    if isinstance(node, SpanNode):
        observation = node.observation
        if observation is None:
            observation = classify_node(node, node.end_ns or end_ns)
            if isinstance(observation, Call) and not node.end_ns:
                observation = msgspec.structs.replace(observation, outlived_ns=0)
        if observation.trace_id != trace_id or observation.parent_id != parent_id:
            observation = msgspec.structs.replace(observation, trace_id=trace_id, parent_id=parent_id)
        if node.emptied and isinstance(observation, TurnSpan):
            observation = msgspec.structs.replace(observation, emptied=True)
        return observation if node.facts is None else _completed(observation, node.facts, end_ns)
    if isinstance(node, StepNode):
        return _step(node, trace_id, parent_id, end_ns)
    return Passage(trace_id, _hex(node), parent_id, "", node.start_ns, node.end_ns or end_ns)


def _in_thread(call: Call, facts: CallNode) -> Call:
    """Return *call*, of another instrumentation's span, with the times between which a thread ran it, if one did."""
    if not facts.left_ns:
        return call
    noticed = 0 <= call.end_ns - facts.left_ns < NOTICED_NS
    return msgspec.structs.replace(
        call, start_ns=max(call.start_ns, facts.start_ns), end_ns=facts.left_ns if noticed else call.end_ns
    )


def _completed(observation: Observation, facts: CallNode | StepNode | Content, end_ns: int) -> Observation:
    """Return *observation*, of another instrumentation's span, completed by *facts*."""
    trace_id, parent_id = observation.trace_id, observation.parent_id
    if isinstance(observation, Call) and isinstance(facts, CallNode):
        merged = merged_duplicate(observation, call_of(facts, trace_id, parent_id, end_ns))
        if isinstance(merged, Call) and merged.effect_source == "declared" and facts.tool.effect_source == "framework":
            # The span has the effect as an attribute because `ToolCall` has put it there.
            merged = msgspec.structs.replace(merged, effect_source="framework")
        return _in_thread(merged, facts) if isinstance(merged, Call) else merged
    if isinstance(observation, Step) and isinstance(facts, StepNode):
        return merged_duplicate(observation, _step(facts, trace_id, parent_id, end_ns))
    if isinstance(observation, TurnSpan) and isinstance(facts, Content):
        return merged_duplicate(observation, msgspec.structs.replace(observation, input=facts))
    return observation


def _step(node: StepNode, trace_id: str, parent_id: str, end_ns: int) -> Step:
    """Return the observation of a model request; *end_ns* is its end time if it is still open."""
    return Step(
        trace_id,
        _hex(node),
        parent_id,
        node.start_ns,
        node.end_ns or end_ns,
        node.requested,
        node.input_tokens,
        node.messages,
        switch=node.switch,
        dispatch=node.dispatch,
    )


def _just_ending(observation: Observation) -> Observation:
    """Return *observation*, of a node that ends now: it does not go on, although its node has no end yet."""
    if isinstance(observation, Call) and observation.outlived_ns is not None:
        return msgspec.structs.replace(observation, outlived_ns=None)
    return observation


def _still_open(observation: Observation, end_ns: int) -> Observation:
    """Return *observation*, of what ended after its turn, as it was at the turn's end, *end_ns*."""
    if isinstance(observation, Call):
        return msgspec.structs.replace(observation, end_ns=end_ns, outlived_ns=0, result=None, error=False, failure="")
    return msgspec.structs.replace(observation, end_ns=end_ns)


def _arguments(node: CallNode) -> Content:
    handed = named_objects(node) if node.handed else ()
    return Content(node, read_arguments, node.whole, node.identities, node.receiver, handed)


def call_of(node: CallNode, trace_id: str, parent_id: str, end_ns: int) -> Call:
    """Return the observation of a call; *end_ns* is its end time if it is still open."""
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
        False,  # noqa: FBT003 - keyword arguments would take longer, for every call
        False,  # noqa: FBT003 - likewise
        bool(node.error),
        None if node.arguments is None else _arguments(node),
        result,
        tool.effect,
        tool.effect_source,
        node.resource or tool.resource,
        tool.depends_on,
        (),
        node.called_ns,
        node.task,
        node.thread,
        node.task != 0 or node.calling_task is not None,
        node.start_ns - node.called_ns,
        None if node.code is None else location(node.code, node.instruction),
        stack=None if node.around is None else stack_of(node),
        silenced=tool.silenced,
        blocking=tool.blocking,
        outlived_ns=None if node.end_ns else 0,
        blocked_ns=node.blocked_ns,
        stalled_ns=node.long_ns - node.blocked_ns,
        defined=definition_of(node),
        framework=tool.framework,
        switch=node.switch,
        failure=node.error,
        changes=node.changes or tool.changes_outside(),
        dispatch=node.dispatch,
        description=tool.description(),
    )
