"""``otel-parallelism compare`` compares turns before and after a change, and finds the days on which patterns began."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

import click

from otel_parallelism.cli.number_range import NumberRange
from otel_parallelism.shown_names import printable

from .fleet_command import agent_option, recompute_option, reports_in, seed_option, since_option
from .fleet_outputs import FleetForm, FleetOutputs, output_options
from .span_inputs import SkippedInput, expanded, pattern_options

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Literal

    from otel_parallelism.model.comparison_types import Comparison

WORSE: Final = 1
"""Exit status if the second input is worse."""
_OUTPUT_HELP: Final = (
    "Write the comparison to FILE; its suffix says the form: .json, .html, otherwise text. Can be given several times."
)
_TOLERANCE_HELP: Final = "A difference of less than this share of the value before is not worse."


@click.command("compare", short_help="Compare the turns before and after a change.")
@click.argument("before", type=click.Path(), metavar="A")
@click.argument("after", required=False, type=click.Path(), metavar="[B]")
@click.option("--tolerance", type=NumberRange(0), default=0.02, show_default=True, help=_TOLERANCE_HELP)
@since_option
@agent_option
@recompute_option
@seed_option
@pattern_options
@output_options(_OUTPUT_HELP)
def compare_inputs(
    before: str,
    after: str | None,
    *,
    tolerance: float,
    since: int | None,
    agents: tuple[str, ...],
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
    Compare the turns in A with those in B, before and after a change.

    A and B are files of spans, folders or patterns, as analyze reads them. For each agent, the differences of
    efficiency, time lost, duration, tokens and calls per response are shown with intervals; findings that are gone or
    new; and since when. Nothing is claimed where an interval includes 0, or with fewer than ten turns on a side.
    Without B, only the days on which patterns began or ended are looked for.

    The exit status is 0 if B is no worse, 1 if an agent is surely worse or has a new recommended pattern, and 2 if an
    input has no turn, or a file cannot be read; the other files of the input are compared.
    """
    from otel_parallelism.errors import ParallelismError  # noqa: PLC0415 - a fast --help
    from otel_parallelism.fleet.compared_side import ComparedSide  # noqa: PLC0415 - as above
    from otel_parallelism.fleet.comparing import compare  # noqa: PLC0415 - as above

    destination = FleetOutputs(form, outputs, colour)
    if destination.parquet:
        message = "compare writes no Parquet; the command fleet does."
        raise click.UsageError(message)
    sides: list[ComparedSide] = []
    skipped = SkippedInput()
    try:
        for name in (before, after):
            if name is None:
                continue
            inputs = expanded([name])
            destination.check_inputs(inputs)
            side = ComparedSide()
            patterns = (calls, models, turns)
            for report in reports_in(
                inputs, patterns, recompute=recompute, since=since, agents=agents, skipped=skipped
            ):
                side.add(report)
            if not side.turns:
                click.echo(printable(f"{name}: no turn found"), err=True)
                sys.exit(2)
            sides.append(side)
        comparison = compare(sides[0], sides[1] if after is not None else None, tolerance=tolerance, seed=seed)
    except (ParallelismError, ValueError, OSError) as error:
        click.echo(printable(str(error)), err=True)
        sys.exit(2)
    destination.write(_renderer(comparison))
    sys.exit(skipped.status(WORSE if comparison.worse else 0))


def _renderer(comparison: Comparison) -> Callable[..., str]:
    def render(form: FleetForm, *, width: int, colour: bool, ascii_only: bool, base: str) -> str:  # noqa: ARG001
        if form == "json":
            from otel_parallelism.reports.fleet_json import render_fleet_json  # noqa: PLC0415 - a fast --help

            return render_fleet_json(comparison)
        if form == "html":
            from otel_parallelism.reports.comparison_html import render_comparison_html  # noqa: PLC0415 - as above

            return render_comparison_html(comparison)
        from otel_parallelism.reports.comparison_text import render_comparison_text  # noqa: PLC0415 - as above

        return render_comparison_text(comparison, width=width, colour=colour, ascii_only=ascii_only)

    return render
