"""Plan and report of a task graph: levels, critical path and times, as text and as a Mermaid flowchart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from graphlib import TopologicalSorter
from itertools import pairwise
from typing import Literal, TypeAlias

import msgspec

Needs: TypeAlias = Mapping[str, Sequence[str]]
"""The names of the tasks, each with the names of the tasks that it needs."""

State: TypeAlias = Literal["done", "failed", "skipped", "cancelled"]


class Timing(msgspec.Struct, frozen=True):
    """
    State and times of one task, in seconds since the start of the run.

    All tasks that it needs were done at ``ready``, and its body ran from ``start`` to ``end``, with all attempts and
    the pauses between them. The three are equal for a task that did not run.
    """

    state: State
    ready: float
    start: float
    end: float
    error: str = ""

    @property
    def duration(self) -> float:
        """The duration of the body, in seconds."""
        return self.end - self.start

    @property
    def waited(self) -> float:
        """The time from being ready to the start, in seconds."""
        return self.start - self.ready


class Plan(msgspec.Struct, frozen=True):
    """
    The expected run of a graph.

    Attributes:
        needs: The tasks.
        durations: The expected duration of each task, in seconds; 1 for every task if none is known.
        levels: The tasks that could start together if all took equally long. A run does not wait for levels: each task
            starts when the tasks that it needs are done.
        critical_path: The chain of tasks that takes longest.
        duration: The duration of the critical path, in seconds.
        work: The total duration of all tasks, in seconds.
        estimated: Whether a duration is known.
    """

    needs: Needs
    durations: Mapping[str, float]
    levels: tuple[tuple[str, ...], ...]
    critical_path: tuple[str, ...]
    duration: float
    work: float
    estimated: bool

    def text(self) -> str:
        """Return the plan as text, one line per level."""
        lines = [f"level {number}: {', '.join(level)}" for number, level in enumerate(self.levels, start=1)]
        path = " → ".join(self.critical_path) or "none"
        if not self.estimated:
            return "\n".join((*lines, f"critical path: {path} ({len(self.critical_path)} of {len(self.needs)} tasks)"))
        return "\n".join((*lines, f"critical path: {path}, {self.duration:.2f} s of {self.work:.2f} s of work"))

    def mermaid(self) -> str:
        """Return the plan as a Mermaid flowchart with a bold critical path."""
        labels = {name: [f"{self.durations[name]:.2f} s"] if self.estimated else [] for name in self.needs}
        return _flowchart(self.needs, labels, self.critical_path, {})


class GraphReport(msgspec.Struct, frozen=True):
    """
    The measured run of a graph.

    Attributes:
        needs: The tasks.
        timings: State and times of each task.
        critical_path: The chain of tasks that took longest.
        limit: The duration of the critical path, in seconds; no schedule is faster.
        makespan: The time from the first start to the last end, in seconds.
        work: The total duration of all tasks, in seconds.
    """

    needs: Needs
    timings: Mapping[str, Timing]
    critical_path: tuple[str, ...]
    limit: float
    makespan: float
    work: float

    @property
    def ratio(self) -> float | None:
        """Work ÷ makespan; 1 means that the tasks ran in sequence, None that no task ran."""
        return self.work / self.makespan if self.makespan else None

    def text(self) -> str:
        """Return the report as text: one line per task in order of start, then the totals."""
        width = max(map(len, self.timings), default=0)
        lines = [
            f"{name:<{width}}  {timing.start:7.2f} s  + {timing.duration:6.2f} s  {timing.state}{_details(timing)}"
            for name, timing in sorted(self.timings.items(), key=lambda item: (item[1].start, item[1].end))
        ]
        ratio = "-" if self.ratio is None else f"{self.ratio:.2f}"
        lines.append(f"{self.makespan:.2f} s for {self.work:.2f} s of work, ratio {ratio}")
        lines.append(f"critical path: {' → '.join(self.critical_path) or 'none'}, {self.limit:.2f} s")
        return "\n".join(lines)

    def mermaid(self) -> str:
        """Return the report as a Mermaid flowchart with durations, states and a bold critical path."""
        labels = {
            name: [f"{timing.duration:.2f} s"] if timing.state == "done" else [timing.state]
            for name, timing in self.timings.items()
        }
        states: dict[str, State] = {
            name: timing.state for name, timing in self.timings.items() if timing.state != "done"
        }
        return _flowchart(self.needs, labels, self.critical_path, states)


def graph_plan(needs: Needs, expected: Mapping[str, float]) -> Plan:
    """
    Return the plan of a graph without cycles.

    Args:
        needs: The tasks.
        expected: Known durations, in seconds; other tasks count as their mean, or as 1 if there are none.
    """
    usual = sum(expected.values()) / len(expected) if expected else 1.0
    durations = {name: expected.get(name, usual) for name in needs}
    path, duration = critical_path(needs, durations)
    return Plan(needs, durations, levels(needs), path, duration, sum(durations.values()), bool(expected))


def graph_report(needs: Needs, timings: Mapping[str, Timing]) -> GraphReport:
    """Return the report of a run with the measured *timings*."""
    ran = [timing for timing in timings.values() if timing.end > timing.start]
    path, limit = critical_path(needs, {name: timing.duration for name, timing in timings.items()})
    makespan = max((timing.end for timing in ran), default=0.0) - min((timing.start for timing in ran), default=0.0)
    return GraphReport(needs, timings, path, limit, makespan, sum(timing.duration for timing in ran))


def levels(needs: Needs) -> tuple[tuple[str, ...], ...]:
    """
    Return the tasks by level: the length of the longest chain of tasks before them.

    >>> levels({"a": [], "b": ["a"], "c": ["a", "b"], "d": []})
    (('a', 'd'), ('b',), ('c',))
    """
    sorter = TopologicalSorter(needs)
    sorter.prepare()
    found = []
    while sorter.is_active():
        ready = sorter.get_ready()
        found.append(tuple(name for name in needs if name in ready))
        sorter.done(*ready)
    return tuple(found)


def critical_path(needs: Needs, durations: Mapping[str, float]) -> tuple[tuple[str, ...], float]:
    """
    Return the chain of tasks that takes longest, and its duration.

    >>> critical_path({"a": [], "b": ["a"], "c": []}, {"a": 1, "b": 1, "c": 1.5})
    (('a', 'b'), 2)
    """
    ends: dict[str, float] = {}
    before: dict[str, str | None] = {}
    for name in TopologicalSorter(needs).static_order():
        last = max(needs[name], key=lambda needed: ends[needed], default=None)
        before[name] = last
        ends[name] = durations[name] + (ends[last] if last is not None else 0)
    path: list[str] = []
    # Of equally long chains, the one that ends with the last task, even if that takes no time.
    at: str | None = max(reversed(ends), key=lambda name: ends[name], default=None)
    total = ends[at] if at is not None else 0.0
    while at is not None:
        path.append(at)
        at = before[at]
    return tuple(reversed(path)), total


_LEAST_WAIT_S = 0.01


def _details(timing: Timing) -> str:
    waited = f", after {timing.waited:.2f} s of waiting" if timing.waited >= _LEAST_WAIT_S else ""
    return f"{waited}{f': {timing.error}' if timing.error else ''}"


def _flowchart(
    needs: Needs, labels: Mapping[str, Sequence[str]], path: Sequence[str], states: Mapping[str, State]
) -> str:
    ids = {name: f"t{number}" for number, name in enumerate(needs)}
    critical = set(pairwise(path))
    lines = ["flowchart LR"]
    lines += [f'    {ids[name]}["{"<br/>".join((_text(name), *labels[name]))}"]' for name in needs]
    lines += [
        f"    {ids[needed]} {'==>' if (needed, name) in critical else '-->'} {ids[name]}"
        for name, some in needs.items()
        for needed in some
    ]
    if path:
        lines.append("    classDef critical stroke-width:3px")
        lines.append(f"    class {','.join(ids[name] for name in path)} critical")
    for state, style in (("failed", "stroke:#c00"), ("skipped", "stroke-dasharray:4"), ("cancelled", "stroke:#888")):
        members = [ids[name] for name, found in states.items() if found == state]
        if members:
            lines += [f"    classDef {state} {style}", f"    class {','.join(members)} {state}"]
    return "\n".join(lines)


def _text(name: str) -> str:
    """Return *name* with Mermaid's syntax characters replaced by entities."""
    marks = {"#": "#35;", '"': "#quot;", "<": "#lt;", ">": "#gt;", "&": "#amp;", "\n": " "}
    return "".join(marks.get(character, character) for character in name)
