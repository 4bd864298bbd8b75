"""What to tell the user in words: the evidence and the remedy of a finding, and one recommendation for a turn."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING

from otel_parallelism.model import Advice, Call, Caller, Cause, Finding, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from otel_parallelism.analysis.dependencies.dependency_graph import Dependencies

_MOST_SENTENCES = 4
_MOST_PAIRS = 24
_MOST_TOOLS = 5
_MOST_STAGES = 3
_IN_STAGES: frozenset[Cause] = frozenset({"model", "code", "unknown"})
"""Causes whose remedy runs the calls of the finding together, so that it must say which calls need which."""

_REMEDY: dict[Cause, str] = {
    "model": "have the model ask for {tools} in one response{then_for} (say so in the system prompt)",
    "dispatch": "run the calls of one response together: {switch}",
    "blocking": "keep {tools} from blocking the event loop: make them async, or run them with asyncio.to_thread",
    "code": "await {tools} together{then}, with asyncio.gather or a TaskGroup{where}",
    "limit": "raise the limit of {limit} calls at once, if the service behind {tools} allows it",
    "contention": "look for a lock, a single session or a one-at-a-time server behind {tools}",
    "unknown": "run {tools} together{then}; spans of model requests, or @profiled on the tools, would show where",
    "intended": "nothing: {tools} need their order",
}

# Awaiting plain functions together would still run them one by one.
_REMEDY_FOR_BLOCKING_CODE = "run {tools} together{then}, in threads: {threads}{where}"

# A part of the instrumentation scope's name, and how its framework runs the calls of one response at once.
_SWITCHES = (
    ("openai_agents", "raise ToolExecutionConfig(max_function_tool_concurrency=…)"),
    ("openai-agents", "raise ToolExecutionConfig(max_function_tool_concurrency=…)"),
    ("langchain", "raise max_concurrency in the run's config, and make sure the tools are async"),
    ("langgraph", "raise max_concurrency in the run's config, and make sure the tools are async"),
    ("pydantic", "drop sequential=True from these tools"),
    ("vertex.agent", "make these tools async: ADK runs a response's calls together, but sync tools block its loop"),
    ("google_adk", "make these tools async: ADK runs a response's calls together, but sync tools block its loop"),
    ("semantic_kernel", "make these functions async: sync ones block the kernel's loop"),
    ("strands", "use the ConcurrentToolExecutor instead of SequentialToolExecutor"),
    ("agent_framework", "set allow_concurrent_invocation on the chat client's function calling"),
    ("agno", "use arun instead of run: run takes calls one by one"),
    ("haystack", "raise the agent's tool concurrency limit"),
    ("llama", "raise the workflow's number of workers"),
)


def framework_switch(instrumentations: Iterable[str]) -> str:
    """
    Return how the framework of the first known instrumentation scope runs calls at once; empty if none is known.

    >>> framework_switch(["openinference.instrumentation.agno"])
    'use arun instead of run: run takes calls one by one'
    """
    for instrumentation in instrumentations:
        name = instrumentation.lower()
        for part, switch in _SWITCHES:
            if part in name:
                return switch
    return ""


def listing(tools: Sequence[str]) -> str:
    """
    Return tool names as words, each once, with its count if it occurs more than once.

    >>> listing(["search", "search", "fetch"])
    'search ×2 and fetch'
    """
    counts = Counter(tool or "an unnamed tool" for tool in tools)
    words = [f"{tool} ×{count:,}" if count > 1 else tool for tool, count in counts.items()]
    if len(words) > _MOST_TOOLS:
        words = [*words[: _MOST_TOOLS - 1], f"{len(words) - _MOST_TOOLS + 1} more tools"]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}" if words else ""


def common_caller(calls: Sequence[Call]) -> Caller | None:
    """Return the place where most of *calls* were made, the first of several if they tie; None if no place is known."""
    places = Counter((call.caller.file_path, call.caller.line_number) for call in calls if call.caller is not None)
    return Caller(*places.most_common(1)[0][0]) if places else None


def remedy(
    cause: Cause,
    advice: Advice,
    calls: Sequence[Call],
    caller: Caller | None = None,
    *,
    limit: int | None = None,
    to_know: str = "",
    stages: Sequence[Sequence[int]] = (),
) -> str:
    """
    Return one sentence that says what to do about a finding.

    Args:
        cause: Why the calls ran one after another.
        advice: Whether it is known that they need nothing from one another.
        calls: The calls of the finding, in order of start.
        caller: The place in the code to change.
        limit: The number of calls that a limit lets run at once.
        to_know: What would show whether running them together is safe.
        stages: The stages of the finding.
    """
    tools = [call.tool for call in calls]
    staged = [listing([tools[at] for at in stage]) for stage in stages]
    first, *later = (staged if cause in _IN_STAGES else []) or [listing(tools)]
    if cause == "blocking":
        first = listing([call.tool for call in _one_by_one(calls)])
    several_rounds = len({call.round for call in calls}) > 1
    switch = framework_switch(call.instrumentation for call in calls)
    if not switch:
        switch = "otel_parallelism.run_tools, or asyncio.gather" + ("" if several_rounds else f" over {listing(tools)}")
    in_loop = any(call.in_loop for call in calls)
    blocking_code = cause == "code" and calls and all(call.blocking for call in calls)
    text = (_REMEDY_FOR_BLOCKING_CODE if blocking_code else _REMEDY[cause]).format(
        tools=first,
        then=_then("then ", later),
        then_for=_then("then for ", later),
        where=f" at {caller.file_path}:{caller.line_number}" if caller is not None else "",
        limit=limit,
        switch=switch,
        threads="asyncio.gather over asyncio.to_thread" if in_loop else "a ThreadPoolExecutor",
    )
    if cause in {"dispatch", "blocking"} and several_rounds:
        first, *later = staged or ["all of them"]
        text += f"; and {_REMEDY['model'].format(tools=first, then_for=_then('then for ', later))}"
    if advice == "potential" and cause not in {"limit", "contention"}:
        return f"If they need nothing from one another, {text}{f'; to know, {to_know}' if to_know else ''}."
    return f"{text[0].upper()}{text[1:]}."


def _one_by_one(calls: Sequence[Call]) -> Sequence[Call]:
    """Return those of *calls* that ran one after another within their round; all of them if there are none."""
    rounds: dict[int | None, list[Call]] = {}
    for call in calls:
        rounds.setdefault(call.round, []).append(call)
    one_by_one = [
        call
        for of_round in rounds.values()
        if len(of_round) > 1 and all(one.end_ns <= next_one.start_ns for one, next_one in pairwise(of_round))
        for call in of_round
    ]
    return one_by_one or calls


def _then(word: str, later: Sequence[str]) -> str:
    """Return the stages after the first as words; *later* are their tools."""
    stages = [f", {word}{tools}" for tools in later[:_MOST_STAGES]]
    return "".join(stages) + (", and so on" if len(later) > _MOST_STAGES else "")


def how_to_know(graph: Dependencies, members: Sequence[int]) -> str:
    """Return what to capture or to declare to learn whether the calls at *members* may run together."""
    unknown = dict.fromkeys(graph.calls[index].tool for index in members if graph.effects[index] == "unknown")
    evidence = graph.evidence
    results_whole = all(evidence.results_whole[index] for index in members[:-1])
    arguments_whole = all(evidence.arguments_whole[index] for index in members[1:])
    steps = []
    if not (results_whole and arguments_whole):
        steps.append("capture arguments and results")
    if unknown:
        steps.append(f"declare the effect of {listing(tuple(unknown))}")
    return " and ".join(steps) or "declare depends_on= on the tools"


def pair_evidence(graph: Dependencies, members: Sequence[int]) -> tuple[str, ...]:
    """Return the evidence on pairs of the calls at *members* that ran one after another; each sentence once."""
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


def turn_recommendation(verdict: Verdict, top: Finding | None, *, unknown: bool, unseen: Sequence[str] = ()) -> str:
    """
    Return one sentence that says what to do about a turn; empty if there is nothing to do.

    Args:
        verdict: The verdict on the turn.
        top: The finding that matters most.
        unknown: Whether some dependencies are unknown.
        unseen: The tools that the model asked for if none was seen to run; empty if their names are unknown.
    """
    if verdict == "unseen":
        tools = listing(unseen) if unseen else "the tools"
        return (
            f"The model asked for calls and none was seen: decorate {tools} with @profiled, or name the functions in "
            "OTEL_PARALLELISM_TARGETS (module:function)."
        )
    if top is not None:
        return top.recommendation
    if verdict == "possibly_sequential" and not unknown:
        return "Some calls could have started earlier, at the same time as the calls that they overlap."
    if verdict == "possibly_sequential":
        return (
            "Some calls might run together, but it is not known what they need: capture arguments and results, "
            "or declare effect= and depends_on= on the tools."
        )
    return ""
