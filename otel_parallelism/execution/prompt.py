"""``prompt``: a section for a system prompt that makes a model request independent tools in one response."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from otel_parallelism.analysis.dependencies.effects.tool_verbs import assumed_effect, cautious_effect
from otel_parallelism.dialects.parsing.call_shapes import field
from otel_parallelism.model import Effect, Finding
from otel_parallelism.patterns import LazyPattern

from .calling.declarations import declaration_of
from .tool_round.conflicts import given_effect
from .tool_round.toolbox import name_of

_GENERAL = """\
# Using tools in parallel

Several tool calls of one response run at the same time; calls in separate responses run one after another, each at \
the cost of one more round through you. So, before you call a tool, work out everything that you need to know next, \
and ask for all of it in one response:

- If calls need nothing from one another's results, put them all in the same response. This holds for several calls \
of one tool with different arguments as well as for different tools.
- Wait for a result only where you need a value from it for the arguments of the next call, or where it decides \
whether that call is made at all. Never guess or make up a value to avoid waiting.
- Put actions that change something after the reads that they rest on, and in the order in which they must happen."""

_AT_ONCE_MOST = 12
_LONGEST_NAME = 64
_PLAIN_NAME = LazyPattern(r"[\w.:/-]{1,64}")
_ODD = LazyPattern(r"[^\w.:/-]+")
_STAGES_MOST = 3
_Stages: TypeAlias = tuple[tuple[str, ...], ...]
"""The tools to request in one response, those to request in the next, and so on."""


def prompt(
    about: Iterable[Any] | Mapping[str, Any] | None = None, *, effects: Mapping[str, Effect] | None = None
) -> str:
    """
    Return a section for a system prompt that makes the model request independent tools together; for any provider.

    Args:
        about: Tools or findings to name in the section; by default it has the general guidance only. Tools are
            functions, names, a mapping of names to functions, or definitions for Anthropic, OpenAI or MCP. Findings of
            a report name the tools that ran in sequence. Both may be mixed.
        effects: ``read``, ``write`` or ``unknown`` by tool name or pattern. It overrides what is declared, annotated,
            or assumed from the tool's name.

    Raises:
        TypeError: *about* is neither a list nor a dict, or an item of it has no name.
        ValueError: An effect is neither ``read``, ``write`` nor ``unknown``.

    >>> print(prompt(["get_weather", "list_hotels"]).splitlines()[-1])
    - These only read, judging by their names, so safe together in any number: get_weather, list_hotels.
    """
    if about is not None and (not isinstance(about, Iterable) or isinstance(about, str)):
        raise TypeError(f"about must be a list or a dict of tools or findings, not {type(about).__name__}")
    for name, effect in (effects or {}).items():
        if effect not in ("read", "write", "unknown"):
            raise ValueError(f"effects[{name!r}] must be 'read', 'write' or 'unknown', not {effect!r}")
    items: Sequence[Any] = () if about is None else list(about.items()) if isinstance(about, Mapping) else list(about)
    findings = [item for item in items if isinstance(item, Finding)]
    tools = dict(_tool(item) for item in items if not isinstance(item, Finding))
    given: dict[str, Effect | None] = {
        name: given_effect(name, effects or {}) or declared for name, declared in tools.items()
    }
    lines = [*_found(findings), *_sorted(given)]
    return f"{_GENERAL}\n\n# Your tools\n\n{chr(10).join(lines)}" if lines else _GENERAL


def _sorted(tools: Mapping[str, Effect | None]) -> list[str]:
    """Return a line for each effect; *tools* has the given or declared one of each tool, None if its name decides."""
    assumed = {name: _assumed(name) for name, effect in tools.items() if effect is None}
    by_name = [_name(name) for name, effect in assumed.items() if effect == "read"]
    reads = [_name(name) for name, effect in tools.items() if effect == "read"]
    writes, unknown = (
        [_name(name) for name, found in tools.items() if (found or assumed[name]) == effect]
        for effect in ("write", "unknown")
    )
    lines = []
    if reads:
        lines.append(f"- Safe together, in any number: {', '.join(reads)}.")
    if by_name:
        lines.append(
            f"- These only read, judging by their names, so safe together in any number: {', '.join(by_name)}."
        )
    reads += by_name
    if unknown:
        among = "one another or with the reads" if reads else "one another"
        lines.append(f"- Together with {among}, if they need nothing from one another: {', '.join(unknown)}.")
    if writes:
        lines.append(
            f"- Change something: {', '.join(writes)}. Ask for these after the reads that they rest on; several in one "
            "response run in the order in which you list them."
        )
    return lines


def _assumed(tool: str) -> Effect:
    """Return the effect that a name suggests; a write wherever it may mean one, unless it plainly reads."""
    effect = assumed_effect(tool, arguments_seen=True)
    return effect if effect == "read" else cautious_effect(tool)


def _found(findings: Sequence[Finding]) -> list[str]:
    """Return a line for each set of tools that the model requested in sequence, by avoidable time, longest first."""
    safe: dict[_Stages, float] = {}
    perhaps: dict[_Stages, float] = {}
    by_name: set[_Stages] = set()
    for finding in findings:
        # Other causes are fixed in code, not by a prompt.
        if finding.cause not in {"model", "unknown"} or finding.kind != "sequential_chain":
            continue
        if finding.advice != "intended":
            stages = finding.stages or (tuple(range(len(finding.calls))),)
            asked = tuple(_counted([finding.calls[at] for at in stage]) for stage in stages[:_STAGES_MOST])
            lost = safe if finding.advice == "recommended" else perhaps
            lost[asked] = lost.get(asked, 0.0) + finding.avoidable
            if "assumed" in finding.effect_sources:
                by_name.add(asked)
    return [
        *(
            f"- You asked for these in separate responses; ask for them in one response: {_tools(asked)}."
            + (" They only read, judging by their names." if asked in by_name else "")
            for asked in _ranked(safe)
        ),
        *(
            "- You asked for these in separate responses; if they need nothing from one another and may run in any "
            f"order, ask for them in one response: {_tools(asked)}."
            for asked in _ranked(perhaps)
        ),
    ]


def _ranked(lost: Mapping[_Stages, float]) -> list[_Stages]:
    return sorted(lost, key=lambda asked: (-lost[asked], asked))


def _tools(asked: _Stages) -> str:
    return "; then, with their results, in one: ".join(", ".join(tools) for tools in asked)


def _counted(calls: Sequence[str]) -> tuple[str, ...]:
    """Return the tools of *calls* without repetition; those called several times are marked."""
    names = tuple(dict.fromkeys(calls))[:_AT_ONCE_MOST]
    return tuple(
        f"{_name(name)} (several calls with different arguments)" if calls.count(name) > 1 else _name(name)
        for name in names
    )


def _tool(item: Any) -> tuple[str, Effect | None]:
    """Return the name of a tool in any form, and its declared or annotated effect."""
    if isinstance(item, str):
        return item, None
    if isinstance(item, tuple):
        name, function = item
        return name, _tool(function)[1] if callable(function) else None
    declared = declaration_of(item)
    if declared is not None:
        return declared.name, declared.effect
    definition = field(item, "function") if field(item, "function") is not None else item
    name = field(definition, "name")
    if not isinstance(name, str):
        name = name_of(item) if callable(item) else None
    if name is None:
        raise TypeError(f"a tool without a name: {type(item).__name__}")
    annotations = field(item, "annotations")
    read_only = field(annotations, "readOnlyHint") if annotations is not None else None
    return name, None if read_only is None else "read" if read_only else "write"


def _name(name: str) -> str:
    """
    Return *name* as it may stand in a prompt: an external server may choose the name of a tool.

    A name that providers allow stays as it is. Any other is quoted, cut, and has no spaces, so that it is no sentence.
    """
    if _PLAIN_NAME.fullmatch(name):
        return name
    return f"`{_ODD.sub('_', name)[:_LONGEST_NAME]}`"
