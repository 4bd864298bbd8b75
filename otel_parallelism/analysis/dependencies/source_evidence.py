"""What the source of the functions that made the calls of one scope shows about them."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING, Literal, TypeAlias

import msgspec

from otel_parallelism.model import Caller, CallFrame
from otel_parallelism.pace import empty, paced, pause
from otel_parallelism.source.call_stacks import (
    Level,
    Levels,
    is_called_once,
    loop_line,
    runs_before,
    shared_levels,
    site_of,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from otel_parallelism.model import Call, Effect, EffectSource
    from otel_parallelism.source.call_stacks import Sources
    from otel_parallelism.source.proof import Proof  # noqa: TC004 - nothing evaluates the annotations of this struct

_MOST_CALLS = 2_000
_MOST_GROUPS = 64
_MOST_PAIRS = 40_000

Shown: TypeAlias = tuple[Literal["dependent", "unknown", "independent"], str]
_Stack: TypeAlias = tuple[CallFrame | None, ...]


class _Judgement(msgspec.Struct, frozen=True):
    """
    What holds for all pairs of two groups of calls; each group was made by the same functions at the same places.

    ``nearest`` is true if it holds only where no call of the earlier group lies between the two, ``alone`` if it holds
    only where all calls between them were made in the same function.
    """

    proof: Proof
    direct: bool = True
    nearest: bool = False
    alone: bool = False


class SourceEvidence:
    """
    What the source shows about pairs of calls.

    Calls that were made by the same functions at the same places form a group. Two groups are judged once.
    """

    def __init__(
        self,
        calls: Sequence[Call],
        sources: Sources | None,
        effects: Sequence[Effect],
        effect_sources: Sequence[EffectSource],
        unrequested: Collection[str] = (),
    ) -> None:
        """
        Sort *calls* into groups.

        Args:
            calls: The calls of one scope in order of (start, end, id).
            sources: Returns the parsed file of a frame; None if no source is at hand.
            effects: The effects of the calls.
            effect_sources: How the effects are known.
            unrequested: The span ids of calls that code made, whatever round their time suggests.
        """
        self._calls = calls
        self._unrequested = unrequested
        self._sources = sources
        self._declared = [
            effect == "read" and source in {"declared", "framework", "settings"}
            for effect, source in zip(effects, effect_sources, strict=True)
        ]
        self._reads = [effect == "read" for effect in effects]
        pause()
        self._stacks: list[_Stack] = []
        self._group_of: list[int] = []
        self._members: list[list[int]] = []
        self._judged: dict[tuple[int, int], _Judgement | None] = {}
        self._pairs: dict[tuple[int, int], Shown | None] = {}
        if len(calls) <= _MOST_CALLS and any(call.stack is not None or call.caller is not None for call in calls):
            self._sort()

    def _sort(self) -> None:
        known: dict[object, int] = {}
        for index, call in paced(enumerate(self._calls)):
            stack = _stack_of(call)
            key = tuple(None if frame is None else (frame.identity, frame.file_path, site_of(frame)) for frame in stack)
            group = known.setdefault(key, len(self._stacks))
            if group == len(self._stacks):
                self._stacks.append(stack)
                self._members.append([])
            self._members[group].append(index)
            self._group_of.append(group)

    def judge(self, earlier: int, later: int) -> Shown | None:
        """
        Return what the source shows about two calls, where the first ended before the second started.

        Returns:
            ``dependent`` or ``independent``, and a sentence that says why; ``unknown`` where it shows how the later
            call may need the earlier one; None if it shows nothing.
        """
        if self._sources is None or not self._group_of or len(self._stacks) > _MOST_GROUPS:
            return None
        if (earlier, later) not in self._pairs:
            if len(self._pairs) >= _MOST_PAIRS:
                return None
            self._pairs[earlier, later] = self._verdict(earlier, later)
        return self._pairs[earlier, later]

    def masks(self, later: int, before: int) -> tuple[int, int, int]:
        """Return the bits of the calls in *before* that ``calls[later]`` needs, may need, and does not need."""
        dependent = doubted = independent = 0
        if self._sources is None or not self._group_of:
            return 0, 0, 0
        # Past the bound nothing is judged, and a turn of many calls has a great number of pairs.
        while before and len(self._pairs) < _MOST_PAIRS:
            earlier = before.bit_length() - 1
            before ^= 1 << earlier
            found = self.judge(earlier, later)
            if found is not None and found[0] == "dependent":
                dependent |= 1 << earlier
            elif found is not None and found[0] == "unknown":
                doubted |= 1 << earlier
            elif found is not None:
                independent |= 1 << earlier
        return dependent, doubted, independent

    def forget(self) -> None:
        """Forget the pairs that were judged, with pauses."""
        empty(self._pairs)

    def place(self, members: Sequence[int]) -> Caller | None:
        """Return the loop or the line that makes most of the calls at *members* one after another; None if unknown."""
        places: Counter[tuple[str, int]] = Counter()
        loops: set[tuple[str, int]] = set()
        if not self._group_of:
            return None
        for earlier, later in paced(pairwise(members)):
            if self._calls[earlier].end_ns > self._calls[later].start_ns:
                continue
            levels = shared_levels(self._stacks[self._group_of[earlier]], self._stacks[self._group_of[later]])
            level = None if levels is None else self._likely(levels)
            if level is None:
                continue
            line = loop_line(level, self._sources) if self._sources is not None and level.same_site else None
            place = (level.later.file_path, line or level.later.line_number)
            places[place] += 1
            if line:
                loops.add(place)
        if not places:
            return None
        return Caller(*max(places, key=lambda place: (places[place], place in loops)))

    def _likely(self, levels: Levels) -> Level:
        """Return the function that most likely made both calls: one whose one place makes one call is not it."""
        for level in levels.levels:
            if not level.same_site or self._sources is None or not is_called_once(level, self._sources):
                return level
        return levels.levels[0]

    def _verdict(self, earlier: int, later: int) -> Shown | None:
        groups = self._group_of[earlier], self._group_of[later]
        if groups not in self._judged:
            self._judged[groups] = self._judgement(*groups)
        judged = self._judged[groups]
        if judged is None or (judged.proof.verdict == "unknown" and not self._is_doubted(judged, earlier, later)):
            return None
        if judged.nearest and self._between(earlier, later):
            return None
        if judged.alone and not self._alone(earlier, later):
            return None
        if judged.proof.verdict != "independent":
            return judged.proof.verdict, judged.proof.reason
        if self._may_change_shared(earlier, later, judged):
            return None
        return "independent", judged.proof.reason

    def _is_doubted(self, judged: _Judgement, earlier: int, later: int) -> bool:
        """Return whether the source shows a reason for doubt, and code made both calls, not a model."""
        made = self._calls[earlier], self._calls[later]
        return judged.proof.doubted and all(call.round is None or call.span_id in self._unrequested for call in made)

    def _judgement(self, earlier: int, later: int) -> _Judgement | None:
        """Judge two groups; None if no function is known to have made both in one run."""
        sources = self._sources
        levels = shared_levels(self._stacks[earlier], self._stacks[later])
        if levels is None or sources is None:
            return None
        inner, *around = levels.levels
        while around and inner.same_site and is_called_once(inner, sources):
            # One run of this function makes the call once: there were two runs.
            inner, *around = around
        certain = self._ran_once(around, sources, complete=levels.complete)
        in_one_run = certain or runs_before(inner, sources)
        outermost = (
            inner if in_one_run else next((one for one in reversed(around) if not is_called_once(one, sources)), inner)
        )
        proof = self._doubted(self._proof(inner), (earlier, later), outermost)
        if certain:
            return _Judgement(proof, inner.direct)
        if runs_before(inner, sources):
            return _Judgement(proof, inner.direct, nearest=True)
        if not levels.complete:
            stored = inner.direct and not inner.later.identity
            return _Judgement(proof, alone=True) if stored and not around else None
        # The innermost function may have run twice. Then the pair must be free in the functions around it too.
        shared, derived = set(proof.shared), set(proof.derived)
        for level in around:
            if proof.verdict != "independent":
                break
            if not is_called_once(level, sources):
                proof = self._proof(level)
                shared.update(proof.shared)
                derived.update(proof.derived)
        if proof.verdict == "dependent" and around:
            return None
        proof = msgspec.structs.replace(proof, shared=tuple(sorted(shared)), derived=tuple(sorted(derived)))
        return _Judgement(proof, direct=False)

    def _doubted(self, proof: Proof, groups: tuple[int, int], outermost: Level) -> Proof:
        """Return *proof*, in doubt if a function around or between the calls changes what others may see."""
        from otel_parallelism.source.reservations import change_around  # noqa: PLC0415 - as in `_proof`

        if proof.verdict != "independent" or self._sources is None:
            return proof
        calls = [self._calls[self._members[group][0]] for group in groups]
        reason = change_around([self._stacks[group] for group in groups], outermost, calls, self._sources, proof.shared)
        if reason:
            return msgspec.structs.replace(proof, verdict="unknown", reason=reason, doubted=True)
        return proof

    @staticmethod
    def _ran_once(around: Sequence[Level], sources: Sources, *, complete: bool) -> bool:
        """Return whether the functions *around* another made its only run."""
        return complete and all(is_called_once(level, sources) for level in around)

    def _proof(self, level: Level) -> Proof:
        # Most programs never need these modules.
        from otel_parallelism.source.proof import Proof, prove  # noqa: PLC0415 - see above

        file = None if self._sources is None else self._sources(level.later)
        if file is None:
            return Proof("unknown", "the source is not at hand")
        known = {
            site_of(frame)
            for group, stack in enumerate(self._stacks)
            if all(self._reads[index] for index in self._members[group])
            for frame in stack
            if frame is not None and (frame.file_path, frame.function) == (level.later.file_path, level.later.function)
        }
        return prove(file, site_of(level.earlier), site_of(level.later), known_reads=known)

    def _between(self, earlier: int, later: int) -> bool:
        """Return whether a call of the group of ``calls[earlier]`` lies between the two."""
        group = self._group_of[earlier]
        return any(earlier < index < later for index in self._members[group])

    def _alone(self, earlier: int, later: int) -> bool:
        """Return whether all calls from ``calls[earlier]`` on, up to the later one, were made in one function."""
        functions = set()
        for index in range(earlier, later + 1):
            frame = next(iter(self._stacks[self._group_of[index]]), None)
            file = None if frame is None or self._sources is None else self._sources(frame)
            if frame is None or file is None:
                return False
            functions.add(file.function(frame.function, frame.line_number))
        return len(functions) == 1

    def _may_change_shared(self, earlier: int, later: int, judged: _Judgement) -> bool:
        """Return whether one call may change an object that the other one uses."""
        if self._declared[earlier] and self._declared[later]:
            return False
        if judged.proof.discarded:
            # Only its name says that it reads, and the program has no use for what it read.
            return True
        given, taken = self._calls[earlier].arguments, self._calls[later].arguments
        if given is None or taken is None or not judged.direct:
            return bool(judged.proof.shared or judged.proof.derived)
        # What both calls were handed is known: the graph knows which of these objects are safe to share.
        return bool(judged.proof.derived and (given.identities or given.receiver))


def _stack_of(call: Call) -> _Stack:
    """Return the frames of *call*; a stored call has at most one, and what is around it is not known."""
    if call.stack is not None:
        return call.stack.frames()
    return () if call.caller is None else (CallFrame(call.caller.file_path, call.caller.line_number), None)
