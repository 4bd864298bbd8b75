"""
What mending each finding would save: candidates are mended one by one, each on the result of the one before.

What is left of the possible saving after all of them goes to the largest, so that the parts of a turn add up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from otel_parallelism.analysis.schedule.scopes import Scope
from otel_parallelism.model import Advice, Call, Cause

from .causes import cause

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from otel_parallelism.analysis.schedule.chains import Chain

MOST_CANDIDATES = 32
_ORDER: tuple[Cause, ...] = ("dispatch", "blocking", "limit", "contention", "model", "code", "unknown", "intended")
_WITHIN_A_ROUND: frozenset[Cause] = frozenset({"dispatch", "blocking"})


class Part(msgspec.Struct):
    """A chain, or several that overlap in time, of one scope."""

    scope: Scope
    members: list[int]

    @property
    def calls(self) -> list[Call]:
        """Its calls in order of start."""
        return [self.scope.calls[index] for index in self.members]


class Candidate(msgspec.Struct):
    """Calls that might be one finding, before it is known what mending them saves (``avoidable_ns``)."""

    cause: Cause
    advice: Advice
    parts: list[Part]
    longest: int
    avoidable_ns: int = 0

    @property
    def calls(self) -> list[Call]:
        """The calls of all parts, in order of start."""
        calls = [call for part in self.parts for call in part.calls]
        return sorted(calls, key=lambda call: (call.start_ns, call.end_ns, call.span_id))

    @property
    def start_ns(self) -> int:
        """When its first call began."""
        return min(part.calls[0].start_ns for part in self.parts)

    @property
    def end_ns(self) -> int:
        """When its last call ended."""
        return max(call.end_ns for part in self.parts for call in part.calls)

    def stages(self) -> tuple[tuple[int, ...], ...]:
        """Return the positions in ``calls`` of those that can run at once, of those that need them …; empty for all."""
        level_of: dict[str, int] = {}
        for part in self.parts:
            graph = part.scope.graph
            if graph is None:
                continue
            after = graph.after_hard if self.advice == "potential" else graph.after_any
            levels: list[int] = []
            for index in part.members:
                level = next((at for at in reversed(range(len(levels))) if after[index] & levels[at]), -1) + 1
                if level == len(levels):
                    levels.append(0)
                levels[level] |= 1 << index
                level_of[part.scope.calls[index].span_id] = level
        found: dict[int, list[int]] = {}
        for position, call in enumerate(self.calls):
            found.setdefault(level_of.get(call.span_id, 0), []).append(position)
        return tuple(tuple(found[level]) for level in sorted(found)) if len(found) > 1 else ()


Mended = dict[str, dict[int, int]]


def candidates(scopes: Sequence[Scope], chains: Mapping[str, Sequence[Chain]], advice: Advice) -> list[Candidate]:
    """
    One candidate for chains of one scope and one cause that overlap in time.

    The same inside calls of one tool that run at the same time is one candidate too: it is one piece of code.
    """
    found: list[Candidate] = []
    for scope in scopes:
        of_scope: list[Candidate] = []
        for chain in chains.get(scope.scope_id, ()):
            calls = [scope.calls[index] for index in chain.members]
            why = cause(calls, inner=bool(scope.scope_id), unasked=scope.unasked)
            members = sorted((*chain.members, *chain.beside))
            of_scope.append(Candidate(why, advice, [Part(scope, members)], len(calls)))
        found += _merged(of_scope)
    tool_of = {
        inner.scope_id: (scope.scope_id, scope.calls[index].tool)
        for scope in scopes
        for index, inner in scope.inner.items()
    }
    by_code: dict[tuple[Cause, tuple[str, str]], list[Candidate]] = {}
    result = []
    for candidate in found:
        where = tool_of.get(candidate.parts[0].scope.scope_id)
        if where is None:
            result.append(candidate)
        else:
            by_code.setdefault((candidate.cause, where), []).append(candidate)
    for same in by_code.values():
        result += _merged(same)
    return sorted(result, key=lambda c: (min(part.scope.depth for part in c.parts), c.start_ns))


def _merged(some: Sequence[Candidate]) -> list[Candidate]:
    """Candidates of one cause that overlap in time become one."""
    merged: list[Candidate] = []
    latest: dict[Cause, Candidate] = {}
    for candidate in sorted(some, key=lambda c: (c.start_ns, c.end_ns)):
        last = latest.get(candidate.cause)
        if last is not None and candidate.start_ns < last.end_ns:
            for part in candidate.parts:
                same = [p for p in last.parts if p.scope is part.scope]
                if same:
                    same[0].members = sorted(same[0].members + part.members)
                else:
                    last.parts.append(part)
            last.longest = max(last.longest, candidate.longest)
        else:
            merged.append(candidate)
            latest[candidate.cause] = candidate
    return merged


def mend(mended: Mended, candidate: Candidate) -> None:
    """Let the calls of *candidate* go in *mended*, part by part."""
    for part in candidate.parts:
        begins_ns = part.calls[0].start_ns
        into = mended.setdefault(part.scope.scope_id, {})
        for index in part.members:
            into[index] = min(begins_ns, into.get(index, begins_ns))


def price(own: Scope, some: Sequence[Candidate], mended: Mended, *, before_ns: int, after_ns: int, best: bool) -> None:
    """
    Set what each of *some* saves, mending them in their order on top of *mended*.

    Args:
        own: The turn's own scope.
        some: At most `MOST_CANDIDATES` of them are mended one by one; what is left goes to the largest.
        mended: What is let go already; grows.
        before_ns: The length before the first.
        after_ns: The length that is possible at last.
        best: Whether unknown edges count as none.
    """
    reached_ns = before_ns
    for candidate in some[:MOST_CANDIDATES]:
        mend(mended, candidate)
        length_ns = max(after_ns, own.length(mended, best=best))
        candidate.avoidable_ns = max(0, reached_ns - length_ns)
        reached_ns = min(reached_ns, length_ns)
    largest = max(some, key=lambda c: (c.avoidable_ns, len(c.parts[0].members)), default=None)
    # Where no mending shortens anything, what keeps the calls apart is none of the findings.
    if largest is not None and largest.avoidable_ns:
        largest.avoidable_ns += reached_ns - after_ns


def by_cause(own: Scope, some: Sequence[Candidate]) -> dict[Cause, int]:
    """
    Split what the recommended candidates save, in nanoseconds, by cause.

    Each round at once comes first, then rounds together, then the insides of calls; each on the result of the one
    before, so the parts add up to the whole.
    """
    stages: dict[Cause, list[Candidate]] = {}
    for candidate in some:
        if candidate.cause == "model":
            rounds = _within_rounds(candidate)
            if rounds is not None:
                stages.setdefault(rounds.cause, []).append(rounds)
        stages.setdefault(candidate.cause, []).append(candidate)
    mended: Mended = {}
    parts: dict[Cause, int] = {}
    reached_ns = own.totals.makespan_ns
    for why in _ORDER:
        if why not in stages:
            continue
        for candidate in stages[why]:
            mend_anew(mended, candidate)
        length_ns = max(own.critical_ns, own.length(mended))
        if reached_ns > length_ns:
            parts[why] = reached_ns - length_ns
            reached_ns = length_ns
    total_ns = sum(candidate.avoidable_ns for candidate in some)
    if some:
        largest = max(parts, key=lambda why: parts[why]) if parts else some[0].cause
        parts[largest] = parts.get(largest, 0) + total_ns - sum(parts.values())
    return {why: part for why, part in parts.items() if part > 0}


def mend_anew(mended: Mended, candidate: Candidate) -> None:
    """Let the calls of *candidate* go from where it begins, whatever held them before."""
    for part in candidate.parts:
        if candidate.cause in _WITHIN_A_ROUND:
            starts: dict[int | None, int] = {}
            for call in part.calls:
                starts.setdefault(call.round, call.start_ns)
            for index in part.members:
                mended.setdefault(part.scope.scope_id, {})[index] = starts[part.scope.calls[index].round]
        else:
            mend(mended, Candidate(candidate.cause, candidate.advice, [part], 0))


def _within_rounds(candidate: Candidate) -> Candidate | None:
    """The share of a finding about rounds that running each round at once would mend; None where there is none."""
    parts = []
    why: Cause = "dispatch"
    for part in candidate.parts:
        by_round: dict[int | None, list[int]] = {}
        for index in part.members:
            by_round.setdefault(part.scope.calls[index].round, []).append(index)
        members = [index for some in by_round.values() if len(some) > 1 for index in some]
        for some in by_round.values():
            if len(some) > 1:
                why = cause([part.scope.calls[i] for i in some], inner=False, unasked=part.scope.unasked)
        if members:
            parts.append(Part(part.scope, sorted(members)))
    return Candidate(why if why in _WITHIN_A_ROUND else "dispatch", candidate.advice, parts, 0) if parts else None
