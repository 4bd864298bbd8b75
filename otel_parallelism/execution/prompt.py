"""``prompt``: what to tell a model so that it asks for independent tools in one response, with your tools named."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from otel_parallelism.dialects.parsing.call_shapes import field
from otel_parallelism.model import Effect, Finding

from .calling.call_spans import declared
from .tool_round.conflicts import effect_of
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
_STAGES_MOST = 3
_Asked: TypeAlias = tuple[tuple[str, ...], ...]
"""Tools to ask for in one response, those to ask for in the next, and so on."""


def prompt(
    about: Iterable[Any] | Mapping[str, Any] | None = None, *, effects: Mapping[str, Effect] | None = None
) -> str:
    """
    Return a section for a system prompt that has the model ask for independent tools together; for any provider.

    Args:
        about: Nothing, for the general guidance alone. Or tools, which are then named: functions, by name or in a
            list, or definitions as given to Anthropic, OpenAI or MCP. Or the findings of a report, whose tools are
            named as they were found running one by one; both may be mixed.
        effects: ``read``, ``write`` or ``unknown`` by tool name or pattern, where what is declared or annotated, or
            the words of a tool's name, don't tell.

    Raises:
        TypeError: Something in *about* has no name.

    >>> print(prompt(["get_weather", "list_hotels"]).splitlines()[-1])
    - Safe together, in any number: get_weather, list_hotels.
    """
    items: Sequence[Any] = () if about is None else list(about.items()) if isinstance(about, Mapping) else list(about)
    findings = [item for item in items if isinstance(item, Finding)]
    tools: dict[str, Effect] = {
        name: effect_of(name, told, effects or {})
        for name, told in (_tool(item) for item in items if not isinstance(item, Finding))
    }
    lines = [*_found(findings), *_sorted(tools)]
    return f"{_GENERAL}\n\n# Your tools\n\n{chr(10).join(lines)}" if lines else _GENERAL


def _sorted(tools: Mapping[str, Effect]) -> list[str]:
    reads, writes, unknown = (
        [_name(name) for name, found in tools.items() if found == effect] for effect in ("read", "write", "unknown")
    )
    lines = []
    if reads:
        lines.append(f"- Safe together, in any number: {', '.join(reads)}.")
    if unknown:
        among = "one another or with the reads" if reads else "one another"
        lines.append(f"- Together with {among}, if they need nothing from one another: {', '.join(unknown)}.")
    if writes:
        lines.append(
            f"- Change something: {', '.join(writes)}. Ask for these after the reads that they rest on; several in one "
            "response run in the order in which you list them."
        )
    return lines


def _found(findings: Sequence[Finding]) -> list[str]:
    """A line for each set of tools that the model asked for one at a time, those that cost the most first."""
    safe: dict[_Asked, float] = {}
    perhaps: dict[_Asked, float] = {}
    for finding in findings:
        # Other causes are mended in code; telling the model would change nothing.
        if finding.cause not in {"model", "unknown"} or finding.kind != "sequential_chain":
            continue
        if finding.advice != "intended":
            stages = finding.stages or (tuple(range(len(finding.calls))),)
            asked = tuple(_counted([finding.calls[at] for at in stage]) for stage in stages[:_STAGES_MOST])
            lost = safe if finding.advice == "recommended" else perhaps
            lost[asked] = lost.get(asked, 0.0) + finding.avoidable
    return [
        *(f"- You asked for these one at a time; ask for them in one response: {told}." for told in _ranked(safe)),
        *(
            f"- You asked for these one at a time; if they need nothing from one another, ask for them in one "
            f"response: {told}."
            for told in _ranked(perhaps)
        ),
    ]


def _ranked(lost: Mapping[_Asked, float]) -> list[str]:
    ranked = sorted(lost, key=lambda asked: (-lost[asked], asked))
    return ["; then, with their results, in one: ".join(", ".join(tools) for tools in asked) for asked in ranked]


def _counted(calls: Sequence[str]) -> tuple[str, ...]:
    """The tools of *calls*, each once and marked where it was called several times."""
    names = tuple(dict.fromkeys(calls))[:_AT_ONCE_MOST]
    return tuple(
        f"{_name(name)} (several calls with different arguments)" if calls.count(name) > 1 else _name(name)
        for name in names
    )


def _tool(item: Any) -> tuple[str, Effect | None]:
    """The name of a tool that is given in any form, and what is declared that it does."""
    if isinstance(item, str):
        return item, None
    if isinstance(item, tuple):
        name, function = item
        return name, _tool(function)[1] if callable(function) else None
    told = declared(item)
    if told is not None:
        return told.name, told.effect
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
    """*name* on one line: a tool's name may come from a server of anyone's, and this goes into a prompt."""
    return "".join(character for character in name if character.isprintable())[:128]
