"""What to tell the user in words: the evidence and the remedy of a finding, and one recommendation for a turn."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from otel_parallelism import names
from otel_parallelism.analysis.dependencies.kept_order import limit_of
from otel_parallelism.model import Advice, Call, Caller, Cause, Finding, Verdict
from otel_parallelism.pace import paced
from otel_parallelism.shown_names import shown_name

from .blocking import blocking_calls, in_threads, unblocking
from .causes import holds_the_loop

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
    "blocking": "keep {tools} from holding the event loop{where}: {unblock}",
    "code": "await {tools} together{then}, with asyncio.gather or a TaskGroup{where}",
    "limit": "raise {limit}, if the service behind {tools} allows it",
    "contention": "look for {limit} behind {tools}",
    "unknown": "run {tools} together{then}; spans of model requests, or @profiled on the tools, would show where",
    "intended": "nothing: {tools} need their order",
    "over_parallel": "run fewer of {tools} at once, or one after the other where one needs what another returns",
}

_REMEDY_FOR_MANY = "run {tools} with otel_parallelism.parallel_map and limit={places}{where}"
# Awaiting functions that hold the event loop together would still run them one by one.
_REMEDY_FOR_BLOCKING_CODE = "run {tools} together{then}, in threads: {threads}{where}"
_REMEDY_FOR_MIXED_CODE = "run {tools} together{then}{where}: asyncio.gather, with asyncio.to_thread for {blocking}"

# A part of the instrumentation scope's name, and how its framework runs the calls of one response at once.
_SWITCHES = (
    ("openai_agents", "raise ToolExecutionConfig(max_function_tool_concurrency=…)"),
    ("openai-agents", "raise ToolExecutionConfig(max_function_tool_concurrency=…)"),
    ("langchain", "raise max_concurrency in the run's config, and make sure the tools are async"),
    ("langgraph", "raise max_concurrency in the run's config, and make sure the tools are async"),
    ("pydantic", "drop sequential=True from these tools"),
    (
        "vertex.agent",
        "make these tools async, since sync ones block ADK's event loop",
    ),
    ("google_adk", "make these tools async, since sync ones block ADK's event loop"),
    ("semantic_kernel", "make these functions async, since sync ones block the kernel's event loop"),
    ("strands", "use the ConcurrentToolExecutor instead of SequentialToolExecutor"),
    ("agent_framework", "set allow_concurrent_invocation on the chat client's function calling"),
    ("agno", "use arun instead of run, which takes calls one by one"),
    ("smolagents", "raise the agent's max_tool_threads"),
    ("haystack", "raise the agent's tool concurrency limit"),
    ("llama", "raise the workflow's number of workers"),
    ("agents", "raise ToolExecutionConfig(max_function_tool_concurrency=…)"),
)


def framework_switch(instrumentations: Iterable[str]) -> str:
    """
    Return how the framework of the first known instrumentation scope runs calls at once; empty if none is known.

    >>> framework_switch(["openinference.instrumentation.agno"])
    'use arun instead of run, which takes calls one by one'
    """
    for instrumentation in dict.fromkeys(paced(instrumentations)):
        name = instrumentation.lower()
        for part, switch in _SWITCHES:
            if part in name:
                return switch
    return ""


def framework_of(calls: Iterable[Call]) -> str:
    """
    Return the framework that made the first of *calls* for which it is known; may be empty.

    An instrumentation of others counts if its name is that of a framework whose switch is known.
    """
    found = (call.framework or (framework_switch([call.instrumentation]) and call.instrumentation) for call in calls)
    return next((name for name in found if name and name != names.INSTRUMENTATION), "")


def common_setting(calls: Iterable[Call]) -> str:
    """Return the setting that limits all *calls*, such as ``max_concurrency=1``; empty if there is none."""
    settings = {call.switch for call in paced(calls)}
    return settings.pop() if len(settings) == 1 else ""


def listing(tools: Sequence[str]) -> str:
    """
    Return tool names as words, as `shown_name` shows them, each once, with its count if it occurs more than once.

    >>> listing(["search", "search", "fetch"])
    'search ×2 and fetch'
    """
    if not tools:
        return ""
    counts: dict[str, int] = {}
    for tool in paced(tools):
        counts[tool] = counts.get(tool, 0) + 1
    more = len(counts) - _MOST_TOOLS + 1
    named = list(counts.items())[: _MOST_TOOLS - 1 if more > 1 else None]
    words = [shown_name(tool or "an unnamed tool") + (f" ×{count:,}" if count > 1 else "") for tool, count in named]
    if more > 1:
        words.append(f"{more} more tools")
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def common_place(found: Iterable[Caller | None]) -> Caller | None:
    """Return the place that occurs most in *found*, the first of several if they tie; None if no place is known."""
    places = Counter((place.file_path, place.line_number) for place in found if place is not None)
    return Caller(*places.most_common(1)[0][0]) if places else None


def remedy(
    cause: Cause,
    advice: Advice,
    calls: Sequence[Call],
    caller: Caller | None = None,
    *,
    limit: int | None = None,
    to_know: str = "",
    writes: bool = False,
    unshared: str = "",
    stages: Sequence[Sequence[int]] = (),
    places: int = 0,
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
        writes: Whether one of the calls writes, so that their order may matter.
        unshared: The type of an object that each call needs one of, before they may run together.
        stages: The stages of the finding.
        places: How many calls can surely run at once; 0 for any number.
    """
    tools = [call.tool for call in calls]
    staged = [listing([tools[at] for at in stage]) for stage in stages]
    first, *later = (staged if cause in _IN_STAGES else []) or [listing(tools)]
    holding = blocking_calls(calls, cause)
    if cause == "blocking":
        first = listing([call.tool for call in holding])
    several_rounds = len({call.round for call in calls}) > 1
    switch = framework_switch(call.framework or call.instrumentation for call in calls)
    if not switch:
        switch = "otel_parallelism.run_tools, or asyncio.gather" + ("" if several_rounds else f" over {listing(tools)}")
    in_loop = any(call.in_loop for call in calls)
    form = _REMEDY[cause]
    if cause == "code" and holding:
        form = _REMEDY_FOR_BLOCKING_CODE if len(holding) == len(calls) else _REMEDY_FOR_MIXED_CODE
    elif cause in {"code", "unknown"} and 0 < places < len(calls) and len(set(tools)) == 1 and not stages:
        form = _REMEDY_FOR_MANY
    text = form.format(
        places=places,
        tools=first,
        then=_then("then ", later),
        then_for=_then("then for ", later),
        where=f" at {caller.file_path}:{caller.line_number}" if caller is not None else "",
        limit=_obstacle(limit or 1) if cause == "contention" else _limit(limit or 1, calls),
        switch=switch,
        threads=in_threads(calls) if in_loop else "a ThreadPoolExecutor",
        blocking=listing(list(dict.fromkeys(call.tool for call in holding))),
        unblock=unblocking(holding),
    )
    if cause in {"model", "dispatch"} and holds_the_loop(calls):
        text += f"; {listing(list(dict.fromkeys(call.tool for call in holding)))} must not hold the event loop then: "
        text += unblocking(holding)
    if cause in {"dispatch", "blocking"} and several_rounds:
        first, *later = staged or ["all of them"]
        text += f"; and {_REMEDY['model'].format(tools=first, then_for=_then('then for ', later))}"
    if advice == "potential" and cause not in {"limit", "contention", "over_parallel"}:
        free = "they need nothing from one another" + (" and may run in any order" if writes else "")
        if unshared:
            return f"First give each call a {unshared} of its own; then, if {free}, {text}."
        return f"If {free}, {text}{f'; to know, {to_know}' if to_know else ''}."
    return f"{text[0].upper()}{text[1:]}."


def _limit(most: int, calls: Sequence[Call]) -> str:
    """Return the limit of *most* calls at once in words, with the framework's setting if it is known."""
    names = {call.switch.partition("=")[0] for call in calls if limit_of(call.switch) == most}
    return f"{names.pop()} from {most}" if len(names) == 1 else f"the limit of {counted_calls(most)} at once"


def counted_calls(count: int) -> str:
    """Return *count* calls in words."""
    return f"{count} call{'' if count == 1 else 's'}"


def _obstacle(places: int) -> str:
    """Return what lets *places* calls work at once while others wait inside their spans."""
    if places == 1:
        return "a lock, a single session, a rate limiter or a one-at-a-time server"
    return f"a limit of {places} at once, such as a semaphore, a pool of connections or threads, or the server,"


def _then(word: str, later: Sequence[str]) -> str:
    """Return the stages after the first as words; *later* are their tools."""
    stages = [f", {word}{tools}" for tools in later[:_MOST_STAGES]]
    return "".join(stages) + (", and so on" if len(later) > _MOST_STAGES else "")


def how_to_know(graph: Dependencies, members: Sequence[int]) -> str:
    """Return what to capture or to declare to learn whether the calls at *members* may run together."""
    unknown = dict.fromkeys(graph.calls[index].tool for index in members if graph.known.effects[index] == "unknown")
    evidence = graph.evidence
    results_whole = all(evidence.results_whole[index] for index in members[:-1])
    arguments_whole = all(evidence.arguments_whole[index] for index in members[1:])
    steps = []
    if not (results_whole and arguments_whole):
        steps.append("capture arguments and results")
    if unknown:
        steps.append(f"declare the effect of {listing(tuple(unknown))}")
    if writes_among(graph, members):
        steps.append("declare what each reads or changes with @profiled(resource=…)")
    if len(steps) > 1:
        steps[-1] = f"and {steps[-1]}"
    return ", ".join(steps) or "declare what each needs with @profiled(depends_on=[…])"


def writes_among(graph: Dependencies, members: Sequence[int]) -> bool:
    """Return whether one of the calls at *members* is known to write."""
    return any(graph.known.effects[index] == "write" for index in members)


def unshared_type(graph: Dependencies, members: Sequence[int]) -> str:
    """Return the type of an object that calls at *members* share and must not use at once; empty if there is none."""
    shared = (
        graph.shared.unsafe_object(earlier, later)
        for position, later in enumerate(members[:_MOST_PAIRS])
        for earlier in members[:position]
    )
    return next(filter(None, shared), "")


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
            f"To see the calls that the model asked for, decorate {tools} with @profiled, or name the functions in "
            "OTEL_PARALLELISM_TARGETS (module:function)."
        )
    if top is not None:
        return top.recommendation
    if verdict == "possibly_sequential" and not unknown:
        return "Some calls started later than they had to, while others ran already."
    if verdict == "possibly_sequential":
        return (
            "Some calls might run together, but it is not known what they need: capture arguments and results, "
            "or declare effect= and depends_on= on the tools."
        )
    return ""
