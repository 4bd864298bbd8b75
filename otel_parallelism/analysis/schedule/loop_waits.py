"""
Calls that held the event loop, and how long other calls waited for it inside their spans.

For how long a call held the loop is measured, but not when. So a call is taken to have waited only for as long as
another one must have held the loop during the time that both were open. Calls that held one loop did so one after
another: what they held it for together and does not fit into the time outside a call was inside it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from otel_parallelism.pace import ordered, paced

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from otel_parallelism.model import Call

FILLED = 0.8
"""The share of their time that calls must hold the event loop to count as the reason why they ran one after another."""

_LEAST_FILLED = 0.5
_LARGEST_GROUP = 200
_PROMPT = 0.2


class LoopWaits(msgspec.Struct, frozen=True):
    """
    Groups of calls that were made together and held the loop in turn, as positions in order of end.

    ``baseline_ns`` maps span ids to the duration without the wait for the loop, of the calls in groups and of those
    that overlap them.
    """

    groups: tuple[tuple[int, ...], ...] = ()
    baseline_ns: dict[str, int] = {}


def blocked_ns(call: Call) -> int:
    """Return for how long *call* held the event loop, at most its duration."""
    return min(call.blocked_ns, call.duration_ns)


def held_ns(call: Call) -> int:
    """Return for how long the event loop was held while *call* ran, by the call or because the machine stalled."""
    return min(call.blocked_ns + call.stalled_ns, call.duration_ns)


def stalled_ns(calls: Sequence[Call]) -> int:
    """Return for how long the machine may have stalled while *calls* held an event loop."""
    return sum(held_ns(call) - blocked_ns(call) for call in paced(calls) if call.stalled_ns)


def mostly_stalled(calls: Sequence[Call]) -> bool:
    """Return whether the machine may have stalled for half of the time between the first start and the last end."""
    lost_ns = stalled_ns(calls)
    if not lost_ns:
        return False
    return 2 * lost_ns >= max(call.end_ns for call in paced(calls)) - min(call.start_ns for call in paced(calls))


def share_blocked(calls: Sequence[Call], common_ns: int) -> float:
    """
    Return for which share of *common_ns* the calls held the event loop.

    Time for which the machine may have stalled counts on neither side, so that a busy machine makes no share larger.
    """
    return sum(map(blocked_ns, paced(calls))) / max(1, common_ns - stalled_ns(calls))


def loop_waits(calls: Sequence[Call]) -> LoopWaits:
    """
    Find groups of *calls* that were made together, and held the event loop for at least half of their common time.

    Calls form a group with those of the same thread. Where threads are unknown, calls that together held a loop for
    longer than their common time ran in loops of several threads, and form no group.

    Args:
        calls: The calls of one scope, in order of start.
    """
    groups = []
    baseline_ns: dict[str, int] = {}
    by_thread: dict[int, list[int]] = {}
    for index, call in paced(enumerate(calls)):
        if call.blocked_ns and blocked_ns(call):
            by_thread.setdefault(call.thread, []).append(index)
    for members in [group for of_thread in by_thread.values() for group in _made_together(of_thread, calls)]:
        start_ns = min(calls[index].start_ns for index in members)
        end_ns = max(calls[index].end_ns for index in members)
        if not _LEAST_FILLED <= share_held(calls, members) <= 2 - FILLED:
            continue
        if not any_overlap(calls, members) and not _ended_after_waiting(calls, members):
            continue  # They are an ordinary chain.
        groups.append(tuple(sorted(members, key=lambda index: (calls[index].end_ns, index))))
        all_held_ns = sum(held_ns(calls[index]) for index in members)
        own = {calls[index].span_id for index in members}
        thread = calls[members[0]].thread
        for call in paced(calls):
            elsewhere = call.blocked_ns and call.thread != thread
            if not elsewhere and call.start_ns < end_ns and call.end_ns > start_ns:
                waited_ns = sum(_least_held_ns(calls[index], call) for index in members if calls[index] is not call)
                if call.span_id in own:
                    outside_ns = end_ns - start_ns - call.duration_ns
                    waited_ns = max(waited_ns, all_held_ns - held_ns(call) - outside_ns)
                least_ns = held_ns(call)
                before_ns = baseline_ns.get(call.span_id, call.duration_ns)
                baseline_ns[call.span_id] = max(least_ns, before_ns - waited_ns)
    return LoopWaits(tuple(groups), baseline_ns)


def share_held(calls: Sequence[Call], group: Sequence[int]) -> float:
    """Return for which share of their common time the calls at *group* held the event loop."""
    common_ns = max(calls[index].end_ns for index in group) - min(calls[index].start_ns for index in group)
    return share_blocked([calls[index] for index in group], common_ns)


def without_waits(calls: Sequence[Call], waits: LoopWaits) -> list[Call]:
    """
    Return *calls* with those in groups shortened to the time in which they did not wait for the loop.

    The calls of a group then run one after another, as their bodies did: each as late as it can, but no earlier than
    those before it can have ended. The result is in order of (start, end, id).
    """
    shortened = list(calls)
    for group in waits.groups:
        earliest_ns = [0]
        for index in paced(group):
            call = calls[index]
            held_until_ns = max(earliest_ns[-1], call.start_ns) + held_ns(call)
            earliest_ns.append(min(call.end_ns, held_until_ns))
        free_until_ns = calls[group[-1]].end_ns
        for index, free_from_ns in paced(zip(reversed(group), reversed(earliest_ns[:-1]), strict=True)):
            call = calls[index]
            end_ns = min(call.end_ns, free_until_ns)
            start_ns = max(call.start_ns, free_from_ns, end_ns - waits.baseline_ns[call.span_id])
            free_until_ns = start_ns
            shortened[index] = msgspec.structs.replace(call, start_ns=start_ns, end_ns=end_ns)
    return ordered(shortened, key=lambda call: (call.start_ns, call.end_ns, call.span_id))


def saved_ns(calls: Sequence[Call], group: Sequence[int], baseline_ns: Mapping[str, int], *, best: bool) -> int:
    """
    Return by how much the calls of *group* would end earlier if none held the loop.

    Args:
        calls: The calls of one scope.
        group: The positions of the calls.
        baseline_ns: The durations without waiting.
        best: Whether other calls that overlap the group only waited for the loop. It may be that their own work went on
            meanwhile.
    """
    start_ns = min(calls[index].start_ns for index in group)
    end_ns = max(calls[index].end_ns for index in group)
    longest_ns = max(baseline_ns[calls[index].span_id] for index in group)
    for index, call in enumerate(() if best else calls):
        if index not in group:
            longest_ns = max(longest_ns, min(call.end_ns, end_ns) - max(call.start_ns, start_ns))
    return max(0, end_ns - start_ns - longest_ns)


def any_overlap(calls: Sequence[Call], group: Sequence[int]) -> bool:
    """Return whether any two calls of *group* overlap."""
    reached_ns = 0
    for call in sorted((calls[index] for index in group), key=lambda call: call.start_ns):
        if call.start_ns < reached_ns:
            return True
        reached_ns = call.end_ns
    return False


def _ended_after_waiting(calls: Sequence[Call], group: Sequence[int]) -> bool:
    """Return whether another call was open while two of *group* held the loop, and ended as soon as it was free."""
    held = sorted((calls[index] for index in group), key=lambda call: call.start_ns)
    members = frozenset(group)
    for index, call in paced(enumerate(calls)):
        if index in members or call.blocked_ns or call.thread not in {0, held[0].thread}:
            continue
        met = [one for one in held if one.start_ns < call.end_ns and one.end_ns > call.start_ns]
        if len(met) > 1 and call.end_ns - met[-1].end_ns <= _PROMPT * held_ns(met[-1]):
            return True
    return False


def _made_together(members: Sequence[int], calls: Sequence[Call]) -> list[list[int]]:
    """
    Split *members* where a call was made only after all before it had ended.

    A call in a task of its own that starts as soon as the loop is free was made before, as far as can be seen: its
    wrapper may be called in that task.
    """
    found: list[list[int]] = []
    reached_ns = 0
    tasks: set[int] = set()
    for index in sorted(members, key=lambda index: _made_ns(calls[index])):
        call = calls[index]
        waited = found and call.task and call.task not in tasks and 0 not in tasks
        due_ns = reached_ns + _PROMPT * held_ns(calls[found[-1][-1]]) if waited else reached_ns
        if not found or _made_ns(call) >= due_ns:
            found.append([])
            tasks = set()
        found[-1].append(index)
        tasks.add(call.task)
        reached_ns = max(reached_ns, call.end_ns)
    return [group for group in found if 1 < len(group) <= _LARGEST_GROUP]


def _made_ns(call: Call) -> int:
    """Return when the wrapper of *call* was called, which may be before its start, where the loop was held."""
    return min(call.called_ns, call.start_ns) if call.called_ns else call.start_ns


def _least_held_ns(holder: Call, call: Call) -> int:
    """Return for how long *holder* must have held the loop while *call* was open."""
    common_ns = min(holder.end_ns, call.end_ns) - max(holder.start_ns, call.start_ns)
    return max(0, held_ns(holder) - (holder.duration_ns - common_ns)) if common_ns > 0 else 0
