"""``otel-parallelism sessions`` reads the transcripts that coding agents keep on this machine."""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

import click

from otel_parallelism.errors import UnreadableError
from otel_parallelism.shown_names import printable

from .destination import WIDTH_WITHOUT_TERMINAL, can_show, uses_colour
from .traces.fleet_command import since_option
from .traces.span_inputs import UNREADABLE, SkippedInput, expanded

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from otel_parallelism.model import SpanRecord
    from otel_parallelism.model.session_types import SessionsReport
    from otel_parallelism.readers.sessions.agent_turns import AgentName, TranscriptCounts
    from otel_parallelism.readers.sessions.native_telemetry import NativeTelemetry
    from otel_parallelism.readers.sessions.transcript_places import TranscriptPlace
    from otel_parallelism.settings import Settings

Agents = Literal["claude-code", "codex", "gemini-cli", "opencode"]
_PROJECT_HELP: Final = (
    "Read only sessions in this project: its folder (. for this one), its name, or a pattern such as 'shop-*'."
)
_AGENT_HELP: Final = "Read only this agent's sessions. Can be given several times.  [default: all of them]"
_SPANS_HELP: Final = (
    "A file with spans or log records that Claude Code, Codex or Gemini CLI exported, in a format that analyze reads; "
    "or a folder, or a pattern. Can be given several times. A session with a transcript is counted once."
)


@click.command("sessions", short_help="Report on coding agents' sessions on this machine.")
@since_option
@click.option("--agent", "agents", type=click.Choice(get_args(Agents)), multiple=True, help=_AGENT_HELP)
@click.option("--project", default="", metavar="NAME", help=_PROJECT_HELP)
@click.option("--spans", "spans", multiple=True, metavar="FILE", help=_SPANS_HELP)
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
    spans: tuple[str, ...],
    top: int,
    form: Literal["text", "json"],
    colour: Literal["auto", "always", "never"],
) -> None:
    """
    Report on the coding agents' sessions on this machine: Claude Code, Codex, Gemini CLI and OpenCode.

    Their transcripts are read as turns: which reads, searches and fetches were asked for one at a time, what that cost,
    and which lines in CLAUDE.md or AGENTS.md would help. Nothing leaves the machine, and the report has no content. The
    exit status is 2 if a FILE cannot be read; the rest is still reported on.
    """
    from otel_parallelism.settings import Settings  # noqa: PLC0415 - a fast --help

    try:
        settings = Settings.from_environment()
    except ValueError as error:
        click.echo(printable(str(error)), err=True)
        sys.exit(UNREADABLE)
    skipped = SkippedInput()
    report = _report(
        settings,
        since=since,
        agents=agents or get_args(Agents),
        project=project,
        top=top,
        files=spans,
        skip_file=skipped.add_file,
    )
    skipped.close()
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
    sys.exit(skipped.status(0))


def _report(
    settings: Settings,
    *,
    since: int | None,
    agents: tuple[AgentName, ...],
    project: str,
    top: int,
    files: tuple[str, ...],
    skip_file: Callable[[UnreadableError], None],
) -> SessionsReport:
    from otel_parallelism.analysis.analyze import analyze_records  # noqa: PLC0415 - a fast --help
    from otel_parallelism.dialects import classify  # noqa: PLC0415 - as above
    from otel_parallelism.fleet.session_sums import SessionSums  # noqa: PLC0415 - as above
    from otel_parallelism.readers.sessions.agent_turns import TranscriptCounts  # noqa: PLC0415 - as above
    from otel_parallelism.readers.sessions.native_telemetry import session_keys  # noqa: PLC0415 - as above
    from otel_parallelism.readers.sessions.session_spans import (  # noqa: PLC0415 - as above
        cancelled_batches,
        session_spans,
    )
    from otel_parallelism.readers.sessions.transcript_places import (  # noqa: PLC0415 - as above
        transcript_places,
        turns_in,
    )

    places = transcript_places(agents)
    counts = TranscriptCounts()
    sums = SessionSums(settings)
    sessions: set[str] = set()

    def add(agent: AgentName, session: str, spans: list[SpanRecord]) -> None:
        sums.add_session(f"{agent} {session}")
        for report in analyze_records(spans, classify, settings).reports:
            sums.add_report(report)

    for turn in turns_in(places, counts, since_ns=since, project=project):
        sessions.add(turn.session)
        for width, cancelled in cancelled_batches(turn):
            sums.add_batch(width, cancelled)
        add(turn.agent, turn.session, session_spans(turn))
    telemetry, read = _telemetry(settings, files, agents, counts, skip_file)
    known = session_keys(sessions)
    for agent, session, spans in () if project else telemetry.traces(known):
        if since is None or min(span.start_ns for span in spans) >= since:
            add(agent, session, spans)
    for turn in () if project else telemetry.turns(known):
        if since is None or turn.start_ns >= since:
            add(turn.agent, turn.session, session_spans(turn))
    return sums.sessions_report(top, _read(places, read, counts))


def _telemetry(
    settings: Settings,
    files: tuple[str, ...],
    agents: Sequence[AgentName],
    counts: TranscriptCounts,
    skip_file: Callable[[UnreadableError], None],
) -> tuple[NativeTelemetry, list[str]]:
    """
    Return what the *files* hold, and those that are found; and their names.

    *skip_file* is called with the error of each of *files* that cannot be read.
    """
    from otel_parallelism.readers.any_format import read_spans  # noqa: PLC0415 - a fast --help
    from otel_parallelism.readers.sessions.native_telemetry import NativeTelemetry  # noqa: PLC0415 - as above
    from otel_parallelism.readers.sessions.transcript_places import telemetry_files  # noqa: PLC0415 - as above

    found = NativeTelemetry(agents)
    given = expanded(files)
    read = list(dict.fromkeys([*given, *(map(str, telemetry_files()) if "gemini-cli" in agents else ())]))
    for name in read:
        counts.files += 1

        def skip(_: UnreadableError) -> None:
            counts.broken += 1

        try:
            for span in read_spans(name, skip=skip, settings=settings, other=found.add_value):
                found.add_span(span)
                counts.records += 1
        except UnreadableError as error:
            if name in given:
                skip_file(error)
            counts.unreadable.append(str(error))
    return found, read


def _read(places: list[TranscriptPlace], telemetry: list[str], counts: TranscriptCounts) -> dict[str, Any]:
    from otel_parallelism.model.session_types import PlaceRead  # noqa: PLC0415 - as above

    return {
        "places": (
            *(PlaceRead(place.agent, str(place.folder), place.exists, len(place.files)) for place in places),
            *(PlaceRead("telemetry", name, exists=True, files=1) for name in telemetry),
        ),
        "files": counts.files,
        "records": counts.records,
        "broken": counts.broken,
        "untimed": counts.untimed,
        "unknown": dict(counts.unknown),
        "unreadable": tuple(counts.unreadable),
    }
