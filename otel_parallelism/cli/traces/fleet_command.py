"""``otel-parallelism fleet`` shows many turns as one picture."""

from __future__ import annotations

import re
import sys
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final, TypeAlias

import click

from otel_parallelism.cli.number_range import NumberRange
from otel_parallelism.shown_names import printable

from .fleet_outputs import FleetForm, FleetOutputs, output_options, turn_tables
from .span_inputs import SkippedInput, expanded, pattern_options, reading_progress, spans_of, with_patterns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Literal

    from otel_parallelism.model import Coverage, Report
    from otel_parallelism.model.fleet_types import FleetReport, Grouping

_UNITS: Final = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_AGO: Final = re.compile(r"(\d{1,6})([mhdw])")
_BY_HELP: Final = "The table to show; can be given several times.  [default: all of them]"
_SINCE_HELP: Final = (
    "Count only turns that start at this time or later: a date such as 2026-11-01, a date and time (in UTC if it has "
    "no offset), or a time ago, such as 12h, 7d or 4w."
)
_AGENT_HELP: Final = "Count only turns of this agent; a pattern such as 'travel-*'. Can be given several times."
_PRICE_HELP: Final = "What a million input tokens cost. Avoidable input tokens are then shown as money too."
_CACHED_PRICE_HELP: Final = "What a million input tokens cost that the provider's cache answers.  [default: --price]"
_RECOMPUTE_HELP: Final = "Work out every result anew. By default a turn whose span carries a result counts with that."
_SEED_HELP: Final = "The seed of the random numbers that the statistics use."
_OUTPUT_HELP: Final = (
    "Write a report to FILE; its suffix says the form: .json, .html, otherwise text. NAME.parquet gets a row for each "
    "turn, and NAME-findings.parquet a row for each finding (with pyarrow). Can be given several times."
)


def _since(_: click.Context, __: click.Parameter, text: str | None) -> int | None:
    """Return the nanoseconds since the epoch that *text* stands for."""
    if text is None:
        return None
    if ago := _AGO.fullmatch(text):
        from otel_parallelism import clock  # noqa: PLC0415 - a fast --help

        return clock.wall_ns() - round(timedelta(**{_UNITS[ago[2]]: int(ago[1])}).total_seconds()) * 1_000_000_000
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        message = f"'{printable(text)}' is no date such as 2026-11-01, and no time such as 7d."
        raise click.BadParameter(message) from None
    return round((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()) * 1_000_000_000


Decorator: TypeAlias = "Callable[[Callable[..., None]], Callable[..., None]]"
"""Adds an option to a command."""

since_option: Decorator = click.option("--since", callback=_since, metavar="TIME", help=_SINCE_HELP)
agent_option: Decorator = click.option("--agent", "agents", multiple=True, metavar="NAME", help=_AGENT_HELP)
recompute_option: Decorator = click.option("--recompute", is_flag=True, help=_RECOMPUTE_HELP)
seed_option: Decorator = click.option("--seed", type=int, default=0, show_default=True, help=_SEED_HELP)


@click.command("fleet", short_help="Show many turns as one picture: where the time goes.")
@click.argument("files", nargs=-1, required=True, type=click.Path(), metavar="FILE...")
@click.option("--by", type=click.Choice(["agent", "tool", "cause", "place", "day"]), multiple=True, help=_BY_HELP)
@since_option
@agent_option
@click.option(
    "--top", type=click.IntRange(1), default=10, show_default=True, help="How many patterns and rows are shown."
)
@click.option("--price", type=NumberRange(0), metavar="X", help=_PRICE_HELP)
@click.option("--cached-price", type=NumberRange(0), metavar="X", help=_CACHED_PRICE_HELP)
@recompute_option
@seed_option
@pattern_options
@output_options(_OUTPUT_HELP)
def fleet(
    files: tuple[str, ...],
    *,
    by: tuple[Grouping, ...],
    since: int | None,
    agents: tuple[str, ...],
    top: int,
    price: float | None,
    cached_price: float | None,
    recompute: bool,
    seed: int,
    calls: tuple[str, ...],
    models: tuple[str, ...],
    turns: tuple[str, ...],
    form: FleetForm | None,
    outputs: tuple[str, ...],
    colour: Literal["auto", "always", "never"],
) -> None:
    """
    Show the turns in FILEs of spans as one picture: where the time goes, by agent, tool, cause, place and day.

    Findings of the same calls at the same place are one pattern; those that lose most come first. The FILEs are those
    that analyze reads; the exit status is 2 if one of them cannot be read, and the others count. Any number of turns
    takes a bounded amount of memory: spans go to temporary files.
    """
    from otel_parallelism.errors import ParallelismError  # noqa: PLC0415 - a fast --help
    from otel_parallelism.fleet.fleet_sums import GROUPINGS, FleetSums  # noqa: PLC0415 - as above
    from otel_parallelism.fleet.group_sums import Prices  # noqa: PLC0415 - as above

    if cached_price is not None and price is None:
        message = "--cached-price needs --price."
        raise click.UsageError(message)
    prices = None if price is None else Prices(price, price if cached_price is None else cached_price)
    destination = FleetOutputs(form, outputs, colour)
    inputs = expanded(files)
    destination.check_inputs(inputs)
    sums = FleetSums()
    skipped = SkippedInput()
    try:
        with turn_tables(destination.parquet) as add_rows:
            for report in reports_in(
                inputs,
                (calls, models, turns),
                recompute=recompute,
                since=since,
                agents=agents,
                skipped=skipped,
                covered=sums.add_coverage,
            ):
                sums.add(report)
                add_rows(report)
        shown = sums.fleet_report(by or GROUPINGS, top, prices, seed)
    except (ParallelismError, ValueError, OSError) as error:
        click.echo(printable(str(error)), err=True)
        sys.exit(2)
    destination.write(_renderer(shown))
    sys.exit(skipped.status(0))


def reports_in(
    inputs: Sequence[str],
    patterns: tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]],
    *,
    recompute: bool,
    since: int | None,
    agents: Sequence[str],
    skipped: SkippedInput,
    covered: Callable[[Coverage], None] | None = None,
) -> Iterator[Report]:
    """
    Yield the report on every turn in the files *inputs*, in bounded memory, and name on standard error what is skipped.

    Args:
        inputs: Files.
        patterns: The patterns of spans that are calls, model requests and turns.
        recompute: Whether results that spans carry are worked out anew.
        since: The earliest start of a turn, in nanoseconds; None for any.
        agents: Patterns of agents' names; empty for all.
        skipped: Counts what is skipped.
        covered: Called with the coverage of some traces at a time.

    Raises:
        UnreadableError: No file can be read.
    """
    from otel_parallelism.dialects import classifier  # noqa: PLC0415 - a fast --help
    from otel_parallelism.dialects.parsing.result_attributes import recorded_result  # noqa: PLC0415 - as above
    from otel_parallelism.fleet.report_stream import stream_reports  # noqa: PLC0415 - as above
    from otel_parallelism.reports.parts.wording import counted  # noqa: PLC0415 - as above
    from otel_parallelism.settings import Settings  # noqa: PLC0415 - as above

    settings = with_patterns(Settings.from_environment(), *patterns)
    chosen = left_out = 0
    with reading_progress(inputs) as advance:
        spans = spans_of(inputs, advance, skipped, settings)
        for report in stream_reports(
            spans,
            classifier(settings),
            settings,
            recorded=None if recompute else recorded_result,
            covered=covered,
        ):
            turn = report.turn
            name = turn.agent or turn.name
            if (since is None or turn.start_ns >= since) and (
                not agents or any(fnmatchcase(name, pattern) for pattern in agents)
            ):
                chosen += 1
                yield report
            else:
                left_out += 1
    skipped.close()
    if left_out and not chosen:
        click.echo(f"--since or --agent leaves out {counted(left_out, 'turn')}, so none is left", err=True)


def _renderer(report: FleetReport) -> Callable[..., str]:
    def render(form: FleetForm, *, width: int, colour: bool, ascii_only: bool, base: str) -> str:
        if form == "json":
            from otel_parallelism.reports.fleet_json import render_fleet_json  # noqa: PLC0415 - as above

            return render_fleet_json(report)
        if form == "html":
            from otel_parallelism.reports.fleet_html import render_fleet_html  # noqa: PLC0415 - as above

            return render_fleet_html(report, base=base)
        from otel_parallelism.reports.fleet_text import render_fleet_text  # noqa: PLC0415 - as above

        return render_fleet_text(report, width=width, colour=colour, ascii_only=ascii_only, base=base)

    return render
