"""Words of the reports: verdicts, causes, numbers, lists of tools, and sentences."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Final

from otel_parallelism.shown_names import shown_name, shown_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from otel_parallelism.model import Cause, Finding, Report, Verdict

VERDICTS: Final[Mapping[Verdict, str]] = {
    "unseen": "the model asked for calls, and none was seen to run",
    "single": "nothing that could run together",
    "contended": "calls overlapped, yet waited for one another",
    "negligible": "too short for a saving that matters",
    "sequential": "calls that could run together ran one by one",
    "partly_sequential": "some calls that could run together did not",
    "accepted": "calls that could run together ran one by one, and the finding is silenced",
    "parallel": "calls ran together",
    "serial_by_need": "calls ran one by one, with little or nothing to gain",
    "possibly_sequential": "more calls could perhaps have run together",
}

CAUSES: Final[Mapping[Cause, str]] = {
    "model": "the model asked for them one at a time",
    "dispatch": "the program ran one by one what the model asked for together",
    "blocking": "a call that blocks the event loop lets no other run",
    "limit": "a limit lets only so many run at once",
    "contention": "they wait for one lock, session or server",
    "code": "the code calls one, then the next",
    "intended": "their order is intended",
    "unknown": "the trace does not say why",
    "over_parallel": "running at once did harm",
}
_SOME_TOGETHER: Final[Mapping[Cause, str]] = {
    "model": "the model asked for them in several responses",
    "code": "the code calls some, then the others",
}
"""The causes of findings some of whose calls did run together."""

_NEARLY: Final = 0.005
_NAMED_TOOLS: Final = 5
_MILLISECONDS_BELOW: Final = 0.01
_HUNDRED: Final = 100


def seconds(value: float) -> str:
    """
    Return *value* in seconds with two decimals, or in milliseconds if it is below 10 ms.

    >>> seconds(1.204), seconds(0.0042), seconds(0.0), seconds(125)
    ('1.20 s', '4.2 ms', '0.00 s', '125 s')
    """
    if 0 < value < _MILLISECONDS_BELOW:
        return f"{value * 1e3:.1f} ms"
    return f"{value:.2f} s" if value < _HUNDRED else f"{value:,.0f} s"


def counted(number: int, noun: str) -> str:
    """
    Return *number* and *noun*, in the plural unless there is one.

    >>> counted(1, "call"), counted(1200, "call"), counted(2, "process")
    ('1 call', '1,200 calls', '2 processes')
    """
    ending = "" if number == 1 else "es" if noun.endswith("s") else "s"
    return f"{number:,} {noun}{ending}"


def is_or_are(number: int) -> str:
    """Return the verb after *number* things."""
    return "is" if number == 1 else "are"


def two_decimals(value: float | None) -> str:
    """Return *value* with two decimals, or a dash for None."""
    return "-" if value is None else f"{value:.2f}"


def efficiency_range(report: Report) -> str:
    """
    Return the efficiency of a turn with two decimals, from the floor up where that is lower: ``0.25–1.00``.

    The result is empty if the turn has no efficiency.
    """
    if report.efficiency is None:
        return ""
    return ("" if floor_is_near(report) else f"{two_decimals(report.efficiency_floor)}–") + two_decimals(
        report.efficiency
    )


def floor_is_near(report: Report) -> bool:
    """Return whether nothing unknown could lower the efficiency of a turn visibly."""
    efficiency, floor = report.efficiency, report.efficiency_floor
    return efficiency is None or floor is None or efficiency - floor <= _NEARLY


def tool_list(names: Iterable[str], most: int = _NAMED_TOOLS) -> str:
    """
    Return the distinct *names* in order of first call, each with its number of calls; at most *most* of them.

    >>> tool_list(["search", "fetch", "fetch"]), tool_list(["a", "b", "c"], most=2)
    ('search, fetch ×2', 'a and 2 more')
    """
    parts = [shown_name(name) + multiplicity(number) for name, number in Counter(names).items()]
    if len(parts) <= most:
        return ", ".join(parts)
    return f"{', '.join(parts[: most - 1])} and {len(parts) - most + 1} more"


def multiplicity(number: int) -> str:
    """
    Return the suffix for a name that occurs *number* times; an empty string for 1.

    >>> multiplicity(1), multiplicity(1200)
    ('', ' ×1,200')
    """
    return "" if number == 1 else f" ×{number:,}"


def fix_location(finding: Finding) -> str:
    """Return where the fix goes as ``file:line``, or an empty string if that is unknown."""
    return (
        "" if finding.location is None else shown_text(f"{finding.location.file_path}:{finding.location.line_number}")
    )


def observation(finding: Finding) -> str:
    """Return what the calls of *finding* did, as a predicate after their names: ``ran one after another: …``."""
    cause = CAUSES[finding.cause]
    if finding.kind == "limit":
        return "ran " + (f"at most {finding.limit} at once" if finding.limit else "under a limit")
    if finding.kind == "repeated_call":
        return "had equal arguments and returned the same"
    if finding.kind == "over_parallel":
        return "ran at once, which did harm"
    if finding.kind == "contention":
        return f"overlapped, {'but waited for one another' if finding.cause == 'contention' else f'yet {cause}'}"
    if not finding.stages and 0 < finding.longest < len(finding.calls):
        return f"did not all run together: {_SOME_TOGETHER.get(finding.cause, cause)}"
    return f"ran one after another: {cause}"


def relative(text: str, base: str) -> str:
    """
    Return *text* with names of files in the folder *base* relative to it.

    >>> relative("at /home/me/agent.py:3", "/home/me")
    'at agent.py:3'
    """
    return re.sub(rf"(?<![^\s(]){re.escape(base)}/", "", text) if base else text


def judged_by_names(finding: Finding) -> str:
    """Return a sentence if only their names suggest that the calls of a recommended finding read, else nothing."""
    assumed = finding.advice == "recommended" and "assumed" in finding.effect_sources
    return "They only read, judging by their names." if assumed else ""


def perhaps_costs(finding: Finding, cost: str) -> str:
    """
    Return a sentence with the *cost* of a potential finding, if it has one, and with its first evidence.

    The evidence of calls that repeat one another is what `observation` says.
    """
    shown = finding.evidence[: finding.kind != "repeated_call"]
    evidence = "; ".join((*([cost] if finding.avoidable else []), *map(shown_text, shown)))
    return f"{evidence[0].upper()}{evidence[1:]}." if evidence else ""
