"""Makes turns of calls and model requests that only a conversation's id, or typed links, hold together."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING
from zlib import crc32

from otel_parallelism.model import Call, Content, DeveloperText, Step, TurnSpan

from .linked_spans import LinkedSpans, join_linked
from .loose_roots import LooseRoot, Traces, loose_roots, moved

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_SEVERAL = 2
_NAME = "conversation"


def join_traces(traces: Traces) -> None:
    """
    Move spans that no turn of their own trace encloses to the turn that links lead to, or into turns made for them.

    Turns are made of calls and model requests that carry one ``gen_ai.conversation.id``, or that typed links connect.
    Where it is not known at which request the user spoke next, none is made of that conversation.

    Args:
        traces: The observations of each trace by span id; changed where something is joined.
    """
    roots = list(loose_roots(traces))
    if not roots:
        return
    linked = None
    if any(item.links for loose in roots for item in loose.items):
        linked = LinkedSpans(traces)
        roots = join_linked(traces, roots, linked)
    for group in _conversations(roots, linked):
        for turn in turns_within(group):
            _make_turn(traces, turn)


def _conversations(roots: Sequence[LooseRoot], linked: LinkedSpans | None) -> Iterable[list[LooseRoot]]:
    """Return *roots* grouped by conversation; without its id, by the typed links to the roots of earlier spans."""
    groups: dict[object, list[LooseRoot]] = {}
    key_of: dict[str, object] = {}
    for loose in sorted(roots, key=lambda one: (one.start_ns, one.root.span_id)):
        ids = {item.conversation for item in loose.items if item.conversation}
        keys: set[object] = set(ids)
        if not ids and linked is not None:
            targets = [target for item in loose.items for target in linked.targets(item) if target[2]]
            keys = {key_of[span.span_id] for _, span, _ in targets if span.span_id in key_of}
        if len(keys) > 1:
            continue
        key = keys.pop() if keys else (loose.root.span_id,)
        groups.setdefault(key, []).append(loose)
        key_of.update(dict.fromkeys((span.span_id for span in loose.spans), key))
    return groups.values()


def turns_within(roots: Sequence[LooseRoot]) -> list[list[LooseRoot]]:
    """
    Return the *roots* of one conversation by turn, each with two calls or more.

    A turn ends where the user speaks next: at a request with another message of the user, or, where the messages are
    not known, at the first request after an answer that asked for no tools.

    Args:
        roots: Local roots with one conversation id.

    Returns:
        An empty list where that is not known for some request, where requests overlap in time, or where a root holds
        two calls or more, which make it a turn of its own.
    """
    if any(_calls_below(loose) >= _SEVERAL for loose in roots):
        return []
    items = sorted((item for loose in roots for item in loose.items), key=lambda one: (one.start_ns, one.end_ns))
    steps = [item for item in items if isinstance(item, Step)]
    calls = [item for item in items if isinstance(item, Call)]
    seen = {call.call_id: call.end_ns for call in calls if call.call_id}
    number = 0
    turn_of: dict[str, int] = {}
    for earlier, later in pairwise([None, *steps]):
        if later is None:
            continue
        begins = False if earlier is None else _user_spoke(earlier, later, seen)
        if begins is None:
            return []
        number += begins
        turn_of[later.span_id] = number
    for call in calls:
        request = _request_of(call, steps)
        if request is not None:
            turn_of[call.span_id] = turn_of[request.span_id]
    found: dict[int, list[LooseRoot]] = {}
    for loose in roots:
        numbers = {turn_of.get(item.span_id, -1) for item in loose.items}
        if len(numbers) > 1:
            return []
        found.setdefault(numbers.pop(), []).append(loose)
    found.pop(-1, None)
    return [
        turn
        for _, turn in sorted(found.items())
        if sum(isinstance(item, Call) for loose in turn for item in loose.items) >= _SEVERAL
    ]


def _calls_below(loose: LooseRoot) -> int:
    """Return how many calls are below the root of *loose*."""
    return sum(1 for span in loose.spans if span is not loose.root and type(span) is Call)


def _request_of(call: Call, steps: Sequence[Step]) -> Step | None:
    """Return the request that asked for *call*: the one that lists its id, or the latest that can have asked for it."""
    before = [step for step in steps if step.start_ns <= call.start_ns]
    for step in reversed(before):
        if call.call_id and call.call_id in (step.requested or ()):
            return step
    return before[-1] if before and before[-1].requested != () else None


def _user_spoke(earlier: Step, later: Step, seen: dict[str, int]) -> bool | None:
    """
    Return whether the user spoke between two requests of a conversation; None if that is not known.

    Args:
        earlier: A model request.
        later: The next one.
        seen: When each call that was seen ended, by its id.
    """
    if later.start_ns < earlier.end_ns:
        return None
    before, now = _words(earlier.messages), _words(later.messages)
    answered = earlier.requested == ()
    if before is not None and now is not None:
        if now == before or not now:
            return None if answered else False
        longer = now[: len(before)] == before
        return True if longer or answered else None
    if answered:
        return True
    ends_ns = [seen.get(call_id) for call_id in earlier.requested or ()]
    results = bool(ends_ns) and all(end_ns is not None and end_ns <= later.start_ns for end_ns in ends_ns)
    return False if results else None


def _words(content: Content | None) -> list[object] | None:
    """Return the user's messages in *content*; None if they were not seen whole."""
    if content is None or not content.whole:
        return None
    try:
        value = content.data()
    except Exception:  # noqa: BLE001 - a dialect's parser may fail in any way on unknown data
        return None
    return [one for one in value if type(one) is not DeveloperText and one != ""] if type(value) is list else [value]


def _make_turn(traces: Traces, roots: Sequence[LooseRoot]) -> None:
    """Put *roots*, which make one turn, below a turn's span made for them, in the trace of the first."""
    first = min(roots, key=lambda one: (one.start_ns, one.root.span_id))
    turn_id = first.root.span_id[:8] + f"{crc32(first.root.span_id.encode('utf-8', 'surrogatepass')):08x}"
    turn = TurnSpan(
        trace_id=first.trace_id,
        span_id=turn_id,
        parent_id="",
        name=_NAME,
        start_ns=first.start_ns,
        end_ns=max(span.end_ns for loose in roots for span in loose.spans),
        source=first.root.source,
        instrumentation=first.root.instrumentation,
    )
    if turn_id in traces[first.trace_id]:
        return
    traces[first.trace_id][turn_id] = turn
    for loose in roots:
        moved(traces, loose, first.trace_id, turn_id)
