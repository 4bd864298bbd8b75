"""The passes over one turn: from its calls and model requests to its report, one after another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_parallelism.pace import pause

from .dependencies.contents.reading_budget import turn_budget
from .dependencies.objects.locks_inside import shared_locks
from .findings.candidates import contention_candidates, potential_candidates, recommended_candidates
from .findings.descriptions import described, described_repeat
from .findings.over_parallel.excess import described_excess
from .findings.over_parallel.search import too_much_parallelism
from .findings.remarks import released_contents, shared_lock, turn_remarks, unread_contents
from .findings.repeated_calls import repeated_candidates
from .findings.report import turn_report
from .findings.savings import estimate_savings, savings_by_cause, set_reported_causes
from .findings.silencing import is_silenced, set_silenced
from .findings.unseen import unseen_calls
from .schedule.own_time import shows_pauses
from .schedule.scopes import scopes_of
from .schedule.whole import whole_of
from .turns.waiting import without_waiting

if TYPE_CHECKING:
    from otel_parallelism.model import Finding, Report, Turn
    from otel_parallelism.settings import Settings
    from otel_parallelism.source.call_stacks import Sources

    from .dependencies.experience import Experience
    from .findings.candidates import Candidate
    from .schedule.scopes import Scope

_S = 1e9


class TurnPasses:
    """The analysis of one turn. Its methods are passes, to be called once each, in the order in which they stand."""

    def __init__(
        self, turn: Turn, settings: Settings, sources: Sources | None = None, *, measured: bool = True
    ) -> None:
        """Find the scopes of *turn*, and how much a finding must save; the arguments are those of `analyze`."""
        self._turn = turn
        self._settings = settings
        self._sources = sources
        self._measured = measured
        self._worked: Turn = without_waiting(turn)
        self._scopes: list[Scope] = scopes_of(self._worked)
        self._own = self._scopes[-1]
        duration_ns = max(self._worked.end_ns - self._worked.start_ns, 0) or self._own.totals.makespan_ns
        share_ns = min(settings.min_avoidable_share * duration_ns, settings.large_avoidable * _S)
        self._least_ns: float = max(settings.min_avoidable * _S, share_ns)
        self._notes: list[str] = turn_remarks(turn)
        self._reported: list[Candidate] = []
        self._told: list[tuple[Finding, bool]] = []

    def read_contents(self) -> None:
        """Find contention, and read the contents of calls where dependencies matter."""
        budget = turn_budget(self._settings)
        for scope in self._scopes:
            pause()
            if self._measured:
                scope.detect_contention()
                if not scope.contended and scope.totals.peak > 1:
                    self._notes += [shared_lock(*one) for one in shared_locks(scope.calls)]
            if (not scope.contended or scope.contention.loop.groups) and scope.could_save(self._least_ns):
                scope.read_contents(self._worked, self._settings, budget)
        if budget.left_out:
            self._notes.append(unread_contents(budget.left_out))

    def find_dependencies(self) -> None:
        """Find the dependencies between the calls whose contents are read, and the shortest time of each scope."""
        worked = self._worked
        explained: bool | None = None
        for scope in self._scopes:
            pause()
            if scope.evidence is not None:
                explained = shows_pauses(worked) if explained is None else explained
                scope.find_dependencies(
                    worked, self._settings, self._sources, explained=explained, measured=self._measured
                )
            scope.compute_bounds()
        if self._turn.let_go and any(scope.graph is not None for scope in self._scopes):
            self._notes.append(released_contents(self._turn.let_go))

    def find_findings(self, experience: Experience | None = None) -> None:
        """Find and describe what is reported; *experience* is what earlier turns showed."""
        own, scopes, least_ns, notes = self._own, self._scopes, self._least_ns, self._notes
        agent, silence = self._turn.agent, self._settings.silence
        pause()
        reported = self._reported
        if own.contended or own.unlimited_ns < own.totals.makespan_ns:
            for search in (contention_candidates, recommended_candidates, potential_candidates):
                pause()
                candidates = search(scopes, reported, least_ns, notes)
                set_reported_causes(own, candidates)
                set_silenced(candidates, agent, silence)
                estimate_savings(own, candidates, reported, least_ns, notes)
                reported += [one for one in candidates if one.avoidable_ns >= max(least_ns, 1) and one.saves(least_ns)]

        repeats = [one for one in repeated_candidates(scopes, least_ns, notes) if one.avoidable_ns >= max(least_ns, 1)]
        set_silenced(repeats, agent, silence)
        self._told += [(described(candidate, experience), candidate.silenced) for candidate in reported]
        self._told += [(described_repeat(candidate), candidate.silenced) for candidate in repeats]
        excess = too_much_parallelism(scopes, self._worked, self._settings, least_ns) if self._measured else ()
        self._told += [
            (described_excess(one), is_silenced(one.calls, "over_parallel", agent, silence)) for one in excess
        ]

    def report(self) -> Report:
        """Return the report, and forget what it follows from."""
        own, scopes, told = self._own, self._scopes, self._told
        pause()
        whole = whole_of(own, self._worked.past_bound, self._settings.assumed_limit)
        pause()
        by_cause_ns = savings_by_cause(own, [candidate for candidate in self._reported if not candidate.silenced])
        pause()
        report = turn_report(
            self._turn,
            own,
            whole,
            tuple([finding for finding, silent in told if not silent]),
            tuple([finding for finding, silent in told if silent]),
            by_cause_ns,
            notes=self._notes,
            negligible=not own.has_dominant_call()
            and all(scope.graph is None for scope in scopes)
            and (whole.totals is own.totals or whole.totals.makespan_ns - whole.totals.longest_ns < self._least_ns),
            unseen=unseen_calls(self._turn, self._settings.bookkeeping),
        )
        for scope in scopes:
            scope.forget()
        return report
