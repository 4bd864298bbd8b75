"""What to tell the user: one sentence of evidence and one of remedy a finding, one sentence a turn."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING

from otel_parallelism.model import Advice, Call, Caller, Cause, Finding, Verdict

from .switches import switch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from otel_parallelism.analysis.dependencies.dependency_graph import Dependencies

_MOST_SENTENCES = 4
_MOST_PAIRS = 24
_MOST_TOOLS = 5
_MOST_STAGES = 3
_IN_STAGES: frozenset[Cause] = frozenset({"model", "code", "unknown"})
"""Causes whose remedy runs the very calls together, so that it matters which need which."""

_REMEDY: dict[Cause, str] = {
    "model": "have the model ask for {tools} in one response{then_for} (say so in the system prompt)",
    "dispatch": "run the calls of one response together: {switch}",
    "blocking": "keep {tools} from blocking the event loop: make them async, or run them with asyncio.to_thread",
    "code": "await {tools} together{then}, with asyncio.gather or a TaskGroup{where}",
    "limit": "raise the limit of {limit} calls at once, if the service behind {tools} allows it",
    "contention": "look for a lock, a single session or a one-at-a-time server behind {tools}",
    "unknown": "run {tools} together{then}; model spans or @profiled would tell where",
    "intended": "nothing: {tools} need their order",
}

# Awaiting plain functions together would run them one by one as before.
_OF_BLOCKING = "run {tools} together{then}, in threads: {threads}{where}"


def listing(tools: Sequence[str]) -> str:
    """
    Tool names as words, each once, with its number where it is called more than once.

    >>> listing(["search", "search", "fetch"])
    'search ×2 and fetch'
    """
    counts = Counter(tool or "an unnamed tool" for tool in tools)
    words = [f"{tool} ×{count:,}" if count > 1 else tool for tool, count in counts.items()]
    if len(words) > _MOST_TOOLS:
        words = [*words[: _MOST_TOOLS - 1], f"{len(words) - _MOST_TOOLS + 1} more tools"]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}" if words else ""


def location(calls: Sequence[Call]) -> Caller | None:
    """Where most of *calls* were made; the first such place where several tie."""
    places = Counter((call.caller.file_path, call.caller.line_number) for call in calls if call.caller is not None)
    return Caller(*places.most_common(1)[0][0]) if places else None


def remedy(
    cause: Cause,
    advice: Advice,
    calls: Sequence[Call],
    where: Caller | None = None,
    *,
    limit: int | None = None,
    todo: str = "",
    stages: Sequence[Sequence[int]] = (),
) -> str:
    """
    What to do about a finding, in one sentence.

    Args:
        cause: Why the calls ran one after another.
        advice: Whether it is known that they need not have.
        calls: The finding's, in order of start.
        where: Where the code goes.
        limit: Calls at once, where a limit was seen.
        todo: What would tell whether it is safe.
        stages: The finding's own.
    """
    tools = [call.tool for call in calls]
    staged = [listing([tools[at] for at in stage]) for stage in stages]
    first, *later = (staged if cause in _IN_STAGES else []) or [listing(tools)]
    if cause == "blocking":
        first = listing([call.tool for call in _one_by_one(calls)])
    several = len({call.round for call in calls}) > 1
    own = switch(call.instrumentation for call in calls)
    own = own or "otel_parallelism.run_tools, or asyncio.gather" + ("" if several else f" over {listing(tools)}")
    in_loop = any(call.in_loop for call in calls)
    threads = "asyncio.gather over asyncio.to_thread" if in_loop else "a ThreadPoolExecutor"
    place = f" at {where.file_path}:{where.line_number}" if where is not None else ""
    of_blocking = cause == "code" and calls and all(call.blocking for call in calls)
    text = (_OF_BLOCKING if of_blocking else _REMEDY[cause]).format(
        tools=first,
        then=_then("then ", later),
        then_for=_then("then for ", later),
        where=place,
        limit=limit,
        switch=own,
        threads=threads,
    )
    if cause in {"dispatch", "blocking"} and several:
        first, *later = staged or ["all of them"]
        text += f"; and {_REMEDY['model'].format(tools=first, then_for=_then('then for ', later))}"
    if advice == "potential" and cause not in {"limit", "contention"}:
        return f"If they need nothing from one another, {text}{f'; to know, {todo}' if todo else ''}."
    return f"{text[0].upper()}{text[1:]}."


def _one_by_one(calls: Sequence[Call]) -> Sequence[Call]:
    """Those of *calls* that their own round ran one after another: what another round did blocks nothing."""
    rounds: dict[int | None, list[Call]] = {}
    for call in calls:
        rounds.setdefault(call.round, []).append(call)
    blocked = [
        call
        for asked in rounds.values()
        if len(asked) > 1 and all(one.end_ns <= next_one.start_ns for one, next_one in pairwise(asked))
        for call in asked
    ]
    return blocked or calls


def _then(word: str, later: Sequence[str]) -> str:
    """What follows the first of several stages, whose tools are *later*, in words."""
    told = [f", {word}{tools}" for tools in later[:_MOST_STAGES]]
    return "".join(told) + (", and so on" if len(later) > _MOST_STAGES else "")


def missing(graph: Dependencies, members: Sequence[int]) -> str:
    """What to capture or to declare to learn whether the calls at *members* may run together."""
    unknown = dict.fromkeys(graph.calls[index].tool for index in members if graph.effects[index] == "unknown")
    seen = graph.evidence
    unseen = not all(seen.results_whole[index] for index in members[:-1]) or not all(
        seen.arguments_whole[index] for index in members[1:]
    )
    todo = []
    if unseen:
        todo.append("capture arguments and results")
    if unknown:
        todo.append(f"declare the effect of {listing(tuple(unknown))}")
    return " and ".join(todo) or "declare depends_on= on the tools"


def sentences(graph: Dependencies, members: Sequence[int]) -> tuple[str, ...]:
    """How it is known that the calls at *members* could run together, or why it is not; each sentence once."""
    found: dict[str, None] = {}
    pairs = 0
    for position, later in enumerate(members):
        for earlier in reversed(members[:position]):
            if graph.calls[earlier].end_ns > graph.calls[later].start_ns:
                continue
            found.setdefault(graph.pair(earlier, later).evidence)
            pairs += 1
            if len(found) >= _MOST_SENTENCES or pairs >= _MOST_PAIRS:
                return tuple(found)
    return tuple(found)


def headline(verdict: Verdict, findings: Sequence[Finding], *, unknown: bool) -> str:
    """What to do about a turn, in one sentence; empty where there is nothing to do. *unknown*: what the calls need."""
    if findings:
        best = max(findings, key=lambda f: (f.advice == "recommended", f.avoidable))
        return best.recommendation
    if verdict == "possibly_sequential" and not unknown:
        return "Some of the calls were free to begin earlier than they did, beside those that they overlap."
    if verdict == "possibly_sequential":
        return (
            "Something might run together, but what the calls need is not known: capture arguments and results, "
            "or declare effect= and depends_on= on the tools."
        )
    return ""
