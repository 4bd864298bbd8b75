"""``otel-parallelism sessions`` reads the transcripts that coding agents keep on this machine."""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

import click

from otel_parallelism.shown_names import printable

from .destination import WIDTH_WITHOUT_TERMINAL, can_show, uses_colour
from .traces.fleet_command import since_option

if TYPE_CHECKING:
    from otel_parallelism.model.session_types import SessionsReport
    from otel_parallelism.readers.sessions.agent_turns import AgentName, TranscriptCounts
    from otel_parallelism.readers.sessions.transcript_places import TranscriptPlace

Agents = Literal["claude-code", "codex", "gemini-cli", "opencode"]
_PROJECT_HELP: Final = (
    "Read only sessions in this project: its folder (. for this one), its name, or a pattern such as 'shop-*'."
)
_AGENT_HELP: Final = "Read only this agent's sessions. Can be given several times.  [default: all of them]"
_UNREADABLE: Final = 2


@click.command("sessions")
@since_option
@click.option("--agent", "agents", type=click.Choice(get_args(Agents)), multiple=True, help=_AGENT_HELP)
@click.option("--project", default="", metavar="NAME", help=_PROJECT_HELP)
@click.option("--top", type=click.IntRange(1), default=10, show_default=True, help="How many patterns are shown.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="The form of the report.",
)
@click.option("--color", "colour", type=click.Choice(["auto", "always", "never"]), default="auto")
def sessions(
    *,
    since: int | None,
    agents: tuple[Agents, ...],
    project: str,
    top: int,
    form: Literal["text", "json"],
    colour: Literal["auto", "always", "never"],
) -> None:
    """
    Report on the coding agents' sessions on this machine: Claude Code, Codex, Gemini CLI and OpenCode.

    Their transcripts are read as turns: which reads, searches and fetches were asked for one at a time, what that cost,
    and which lines in CLAUDE.md or AGENTS.md would help. Nothing leaves the machine, and the report has no content.
    """
    from otel_parallelism.settings import Settings  # noqa: PLC0415 - a fast --help

    try:
        settings = Settings.from_environment()
    except ValueError as error:
        click.echo(printable(str(error)), err=True)
        sys.exit(_UNREADABLE)
    report = _report(settings, since, agents, project, top)
    if form == "json":
        from otel_parallelism.reports.sessions_json import render_sessions_json  # noqa: PLC0415 - as above

        text = render_sessions_json(report)
    else:
        from otel_parallelism.reports.sessions_text import render_sessions_text  # noqa: PLC0415 - as above

        columns = shutil.get_terminal_size((WIDTH_WITHOUT_TERMINAL, 24)).columns
        ascii_only = not can_show(sys.stdout.encoding or "ascii")
        text = render_sessions_text(
            report, width=columns, colour=uses_colour(sys.stdout, colour), ascii_only=ascii_only
        )
    click.echo(text, nl=False, color=True)


def _report(settings: Any, since: int | None, agents: tuple[AgentName, ...], project: str, top: int) -> SessionsReport:
    from otel_parallelism.analysis.analyze import analyze_records  # noqa: PLC0415 - a fast --help
    from otel_parallelism.dialects import classify  # noqa: PLC0415 - as above
    from otel_parallelism.fleet.session_sums import SessionSums  # noqa: PLC0415 - as above
    from otel_parallelism.readers.sessions.agent_turns import TranscriptCounts  # noqa: PLC0415 - as above
    from otel_parallelism.readers.sessions.session_spans import (  # noqa: PLC0415 - as above
        cancelled_batches,
        session_spans,
    )
    from otel_parallelism.readers.sessions.transcript_places import (  # noqa: PLC0415 - as above
        AGENTS,
        transcript_places,
        turns_in,
    )

    places = transcript_places(agents or AGENTS)
    counts = TranscriptCounts()
    sums = SessionSums(settings)
    for turn in turns_in(places, counts, since_ns=since, project=project):
        sums.add_session(f"{turn.agent} {turn.session}")
        for width, cancelled in cancelled_batches(turn):
            sums.add_batch(width, cancelled)
        for report in analyze_records(session_spans(turn), classify, settings).reports:
            sums.add_report(report)
    return sums.sessions_report(top, _read(places, counts))


def _read(places: list[TranscriptPlace], counts: TranscriptCounts) -> dict[str, Any]:
    from otel_parallelism.model.session_types import PlaceRead  # noqa: PLC0415 - as above

    return {
        "places": tuple(PlaceRead(place.agent, str(place.folder), place.exists, len(place.files)) for place in places),
        "files": counts.files,
        "records": counts.records,
        "broken": counts.broken,
        "untimed": counts.untimed,
        "unknown": dict(counts.unknown),
        "unreadable": tuple(counts.unreadable),
    }
