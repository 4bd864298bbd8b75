"""
Decides which calls a call is independent of without a declaration or the model's word, for all earlier calls at once.

The grounds are that every argument was known before the earlier call began, or that the model was asked in between and
no value was handed on. Code computes, counts and branches, so for calls that code makes the absence of a value shows
nothing.
"""

from __future__ import annotations

import itertools
from bisect import bisect_left, bisect_right
from operator import or_
from typing import TYPE_CHECKING

import msgspec

from otel_parallelism.pace import empty, ordered, paced, pause
from otel_parallelism.shown_names import pair_names

from .guards import counts_things

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from otel_parallelism.model import Call

    from .evidence import Evidence
    from .repeats import Repeats


class _Masks(msgspec.Struct, frozen=True, gc=False):
    """What the methods of `Grounds` find for one later call: sets of the other calls of its scope."""

    running: int
    guards: int
    explained: int
    between_rounds: int
    doubted: int


class Grounds:
    """The grounds on which the calls of one scope are independent; sets of calls are integers with one bit a call."""

    def __init__(
        self, calls: Sequence[Call], evidence: Evidence, unrequested: Collection[str], repeats: Iterable[Repeats] = ()
    ) -> None:
        """
        Group *calls*.

        Args:
            calls: The calls of one scope in order of (start, end, id).
            evidence: What their contents show.
            unrequested: The span ids of calls that code made, whatever round their time suggests.
            repeats: The calls that repeat a tool with equal arguments.
        """
        self._calls = calls
        pause()
        # What came in between may be the reason for asking the same again.
        self._since_asked: dict[int, int] = {
            again: (1 << again) - (1 << before)
            for group in paced(repeats)
            for before, again in itertools.pairwise(sorted(group.positions))
        }
        self._evidence = evidence
        self._starts_ns = [call.start_ns for call in calls]
        by_end = ordered(range(len(calls)), key=lambda index: calls[index].end_ns)
        self._ends_ns = [calls[index].end_ns for index in by_end]
        # The calls that have ended once so many have.
        self._ended = list(itertools.accumulate((1 << index for index in paced(by_end)), or_, initial=0))
        self._every = (1 << len(calls)) - 1
        self._whole = self._in_rounds = self._requested = 0
        self._deciding: tuple[int, int] | None = None
        self._found: dict[int, _Masks] = {}
        self._by_round: dict[int, int] = {}
        self._by_tool: dict[str, int] = {}
        for index, call in paced(enumerate(calls)):
            bit = 1 << index
            self._whole |= bit * evidence.results_whole[index]
            for kind in _kinds(call.tool):
                self._by_tool[kind] = self._by_tool.get(kind, 0) | bit
            if call.round is not None and call.span_id not in unrequested:
                self._in_rounds |= bit
                self._requested |= bit * bool(call.call_id)
                self._by_round[call.round] = self._by_round.get(call.round, 0) | bit

    def forget(self) -> None:
        """Forget everything, with pauses."""
        empty(self._since_asked, self._starts_ns, self._ends_ns, self._ended, self._found)

    def independent_of(self, later: int) -> int:
        """Return the calls that ``calls[later]`` is independent of, if they ended before it started."""
        found = self._masks(later)
        shown = (found.explained | found.between_rounds) & ~found.guards
        return shown & ~(self._since_asked.get(later, 0) | found.doubted) | found.running

    def sentence(self, earlier: int, later: int) -> str:
        """Return why ``calls[later]`` is independent of ``calls[earlier]``, or why that is unknown."""
        a, b = pair_names(self._calls[earlier].tool, self._calls[later].tool)
        return next(why for applies, why in self._reasons(earlier, later) if applies).format(a=a, b=b)

    def _reasons(self, earlier: int, later: int) -> tuple[tuple[bool | int, str], ...]:
        """Return what `sentence` may return, highest precedence first, each with whether it applies."""
        bit = 1 << earlier
        found = self._masks(later)
        evidence, origins = self._evidence, self._evidence.origins
        doubt = next((why for bits, why in origins.doubts[later] if bits & bit), "") if found.doubted & bit else ""
        seen_whole = evidence.results_whole[earlier] and evidence.arguments_whole[later]
        return (
            (found.running & bit, "{b} was called before {a} had ended"),
            (found.guards & bit & origins.seen, "whether {b} is called may depend on what {a} returned"),
            (
                self._since_asked.get(later, 0) & bit,
                "{b} was asked the same before {a}, and again perhaps because of what {a} returned",
            ),
            (bool(doubt) and bool(seen_whole), doubt),
            (found.explained & bit, "every argument of {b} was known before {a} began"),
            (found.between_rounds & bit, "no value that {a} returned is an argument of {b}"),
            (not seen_whole, "what {a} returned or what {b} was given was not seen in full"),
            (origins.chosen[later] & bit, "what {a} returned may have chosen an argument of {b}"),
            (
                origins.lacks_origin[later],
                "a number, a date or an identifier that {b} was given appears nowhere before it",
            ),
            (origins.has_moment[later] and origins.clocks & bit, "a date or a time of {b} may come from {a}"),
            (True, "code may have used what {a} returned before it called {b}"),
        )

    def _masks(self, later: int) -> _Masks:
        """Return what is known of a call, which many pairs of calls need."""
        found = self._found.get(later)
        if found is None:
            found = self._found[later] = _Masks(
                self.running_when_called(later),
                self._guards(later),
                self._explained(later),
                self._between_rounds(later),
                self._doubted(later),
            )
        return found

    def running_when_called(self, later: int) -> int:
        """Return the calls that had not ended when the wrapper of ``calls[later]`` was called, with its arguments."""
        called_ns = self._calls[later].called_ns
        if not 0 < called_ns < self._calls[later].start_ns:
            return 0
        return self._every & ~self._ended[bisect_right(self._ends_ns, called_ns)]

    def _doubted(self, later: int) -> int:
        found = 0
        for bits, _ in self._evidence.origins.doubts[later]:
            found |= bits
        return found

    def _guards(self, later: int) -> int:
        if self._deciding is None:
            guards = self._evidence.origins.guards
            self._deciding = (
                sum(1 << index for index, guard in paced(enumerate(guards)) if guard == "any"),
                sum(1 << index for index, guard in paced(enumerate(guards)) if guard == "other"),
            )
        for_any, for_others = self._deciding
        for kind in _kinds(self._calls[later].tool):
            for_others &= ~self._by_tool[kind]
        return for_any | for_others

    def _explained(self, later: int) -> int:
        """Return the calls that began after all arguments of ``calls[later]`` were known."""
        origins = self._evidence.origins
        since_ns = origins.explained_from_ns[later]
        if since_ns is None:
            return 0
        began_before = (1 << bisect_left(self._starts_ns, since_ns)) - 1
        return self._every & origins.seen & ~(began_before | origins.selected[later] | origins.chosen[later])

    def _between_rounds(self, later: int) -> int:
        """
        Return the calls from which, all being seen, ``calls[later]`` has no value, if a model chose its arguments.

        These are the calls of other known rounds. Of one inferred round, only calls with the id of a request are known
        to be the model's own.
        """
        call, origins = self._calls[later], self._evidence.origins
        if not self._in_rounds >> later & 1 or not self._evidence.arguments_whole[later] or origins.lacks_origin[later]:
            return 0
        beside = self._by_round[call.round or 0]
        if self._requested >> later & 1:
            beside &= ~self._requested
        others = self._in_rounds & ~beside & self._whole & ~origins.chosen[later]
        return others & ~origins.clocks if origins.has_moment[later] else others


def _kinds(tool: str) -> tuple[str, ...]:
    """Return the groups of a tool in which a positive answer decides about no other call: its own, and what counts."""
    return (tool, "count") if counts_things(tool) else (tool,)
