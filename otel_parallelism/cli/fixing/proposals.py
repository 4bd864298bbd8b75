"""What to change for a finding: a diff of the program's source where that is sure, else the text to add, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from otel_parallelism.cli.code.event_loops import other_event_loop
from otel_parallelism.cli.code.linted_file import text_diff
from otel_parallelism.execution.prompt import prompt
from otel_parallelism.lint.rewriting.framework_settings import (
    added_setting,
    changed_setting,
    limiting_setting,
    setting_places,
)
from otel_parallelism.lint.rewriting.measured_place import rewrite_at
from otel_parallelism.lint.rewriting.system_prompts import imported_prompts, prompt_places, with_section
from otel_parallelism.shown_names import shown_name

from .program_source import ProgramFile

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from otel_parallelism.lint.rewriting.system_prompts import PromptPlace

    from .program_source import ProgramSource
    from .reported_findings import ReportedFinding

_HEADING: Final = prompt().partition("\n")[0]
_PROMPT_WORDS: Final = ("system", "instruction", "developer", "prompt", "SystemMessage")
"""What a file with a system prompt has somewhere."""
_SHORTEST: Final = 12
"""A shorter text may be in recorded spans by chance."""
_MOST_NAMED: Final = 5
_BLOCKING: Final = "blocking code is replaced by hand; otel-parallelism lint may show its lines"
_NOT_KNOWN: Final = "it is not known that the calls need nothing from one another"


class Proposal(msgspec.Struct, frozen=True):
    """
    A change, or what to do by hand.

    Attributes:
        file: The file to change; None if there is no change that is sure.
        fixed: Its text after the change.
        reason: Why there is no change, as a clause.
        text: What to add by hand, and where.
    """

    file: ProgramFile | None = None
    fixed: str = ""
    reason: str = ""
    text: str = ""

    def diff(self) -> str:
        """Return the change as a unified diff; empty if there is none."""
        return "" if self.file is None else text_diff(self.file.name, self.file.text, self.fixed)


def propose(
    found: ReportedFinding, source: ProgramSource, recorded: Callable[[Collection[str]], Collection[str]] | None = None
) -> Proposal:
    """
    Return what to change for *found* in *source*. Nothing is written.

    Args:
        found: The finding.
        source: The program.
        recorded: Returns those of some texts that the spans of the turn hold, where content was recorded. It tells the
            agent's system prompt from others.

    Raises:
        UnreadableError: A file that the finding names cannot be read.
    """
    finding = found.finding
    if finding.kind == "limit" or (finding.kind == "sequential_chain" and finding.cause in {"dispatch", "limit"}):
        return _setting(found, source)
    if finding.cause == "unknown":
        return Proposal(reason="it is not known why the calls ran one after another", text=finding.recommendation)
    if finding.kind != "sequential_chain" or finding.cause not in {"code", "model"}:
        reason = _BLOCKING if finding.cause == "blocking" else f"the cause {finding.cause} has no automatic change"
        return Proposal(reason=reason, text=finding.recommendation)
    return _prompt(found, source, recorded) if finding.cause == "model" else _code(found, source)


def _code(found: ReportedFinding, source: ProgramSource) -> Proposal:
    finding, place = found.finding, found.finding.location
    if finding.advice != "recommended":
        return Proposal(reason=_NOT_KNOWN, text=finding.recommendation)
    if place is None:
        return Proposal(reason="the report does not say where the calls are made", text=finding.recommendation)
    file = source.named(place.file_path)
    if file is None:
        reason = f"{shown_name(place.file_path)} is not in {source.root}; --source names the folder of the program"
        return Proposal(reason=reason, text=finding.recommendation)
    if loop := other_event_loop(str(file.path)):
        reason = f"the package of {file.name} imports {loop}, and asyncio.gather needs asyncio's event loop"
        return Proposal(reason=reason, text=finding.recommendation)
    rewrite = rewrite_at(file.text, place.line_number, finding.calls)
    if rewrite.fixed is None:
        text = _own_loop(found) if rewrite.dispatches else finding.recommendation
        return Proposal(reason=f"{file.name}: {rewrite.reason.rstrip('.')}", text=text)
    return Proposal(file, rewrite.fixed)


def _prompt(
    found: ReportedFinding, source: ProgramSource, recorded: Callable[[Collection[str]], Collection[str]] | None
) -> Proposal:
    section = prompt([found.finding])
    text = f"Add this to the agent's system prompt:\n\n{section}"
    files = list(source.with_words(_PROMPT_WORDS))
    imported: dict[str, tuple[str, ...]] = {}
    for file in files:
        for name, names in imported_prompts(file.text).items():
            imported[name] = (*imported.get(name, ()), *names)
    known = {file.path for file in files}
    files += [file for file in source.with_words(list(imported)) if file.path not in known]
    places = [(file, place) for file in files for place in prompt_places(file.text, imported)]
    own = _agents_own(places, found.agent, recorded)
    if isinstance(own, str):
        return Proposal(reason=own, text=text)
    file, place = own
    if _HEADING in place.literal:
        reason = f"the system prompt at {file.name}:{place.line} has such a section already"
        return Proposal(reason=reason, text=text)
    fixed = with_section(file.text, place, section, imported)
    if fixed is None:
        return Proposal(reason=f"the system prompt at {file.name}:{place.line} cannot surely be continued", text=text)
    return Proposal(file, fixed)


def _agents_own(
    places: Sequence[tuple[ProgramFile, PromptPlace]],
    agent: str,
    recorded: Callable[[Collection[str]], Collection[str]] | None,
) -> tuple[ProgramFile, PromptPlace] | str:
    """Return the one of *places* that is the prompt of *agent*, or why none surely is."""
    said: Collection[str] = ()
    if recorded is not None:
        said = recorded({text for _, place in places if len(text := place.literal.strip()) >= _SHORTEST})
    kept = [(file, place) for file, place in places if place.literal.strip() in said]
    if not kept:
        # A prompt that is given to an agent of another name is not this agent's.
        kept = [(file, place) for file, place in places if not place.names or agent in place.names]
    if len(kept) > 1:
        kept = [(file, place) for file, place in kept if agent and agent in {*place.names, place.first}] or kept
    if len(kept) == 1:
        return kept[0]
    if not places:
        return "no system prompt was found as a literal in the source"
    named = ", ".join(f"{file.name}:{place.line}" for file, place in (kept or places)[:_MOST_NAMED])
    if not kept:
        return f"the system prompts that were found are of other agents: {named}"
    more = ", …" if len(kept) > _MOST_NAMED else ""
    return f"{len(kept)} system prompts were found, and which one is the agent's is not known: {named}{more}"


def _setting(found: ReportedFinding, source: ProgramSource) -> Proposal:
    finding = found.finding
    name = found.setting.partition("=")[0] or limiting_setting(found.framework)
    at_once = max(map(len, finding.stages), default=len(finding.calls))
    if not name:
        return Proposal(reason="the calls are dispatched by the program's own loop", text=_own_loop(found))
    if finding.advice != "recommended" and finding.kind != "limit":
        return Proposal(reason=_NOT_KNOWN, text=finding.recommendation)
    # Calls that ran one by one were under a limit of one, if under any.
    limit = _number(found.setting) or finding.limit or 1
    places = [
        (file, place)
        for file in source.with_words([name])
        for place in setting_places(file.text, name, calls=at_once, limit=limit, tools=finding.calls)
    ]
    if len(places) == 1:
        file, place = places[0]
        return Proposal(file, changed_setting(file.text, place))
    added = added_setting(name, at_once)
    text = f"{finding.recommendation}\n\nWrite: {added}" if added else finding.recommendation
    if not places:
        return Proposal(reason=f"{name} was not found as a literal that keeps the calls apart", text=text)
    named = ", ".join(f"{file.name}:{place.line}" for file, place in places[:_MOST_NAMED])
    return Proposal(reason=f"{name} was found at several places: {named}", text=text)


def _own_loop(found: ReportedFinding) -> str:
    """Return how to run the calls of a response together in a loop that the program has written itself."""
    tools = ", ".join(shown_name(tool) for tool in dict.fromkeys(found.finding.calls))
    place = found.finding.location
    where = "" if place is None else f" (the calls are made at {shown_name(place.file_path)}:{place.line_number})"
    return (
        f"{found.finding.recommendation}\n\nIn place of the loop over the calls of a response{where}:\n\n"
        "from otel_parallelism import run_tools\n\n"
        f"messages += await run_tools(response, [{tools}])\n"
    )


def _number(setting: str) -> int | None:
    value = setting.partition("=")[2]
    return int(value) if value.isdecimal() and len(value) < _SHORTEST else None
