"""``otel-parallelism fix`` proposes the change that mends a finding of a report, and makes it if that is asked for."""

from __future__ import annotations

import sys
from collections import Counter
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from otel_parallelism.cli.output_errors import print_exactly
from otel_parallelism.shown_names import printable, shown_name

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from otel_parallelism.cli.traces.span_inputs import SkippedInput
    from otel_parallelism.model import SpanRecord

    from .reported_findings import ReportedFinding

_NOTHING_SURE: Final = 1
_BAD_INPUT: Final = 2
_SOURCE_HELP: Final = "The folder with the program's source. Nothing outside is read or written."
_WRITE_HELP: Final = "Make the change, after it is shown."


@click.command("fix")
@click.argument("report", type=click.Path(), metavar="REPORT")
@click.argument("finding", required=False, default="", metavar="[FINDING]")
@click.option(
    "--source",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=".",
    show_default=True,
    metavar="DIR",
    help=_SOURCE_HELP,
)
@click.option("--write", is_flag=True, help=_WRITE_HELP)
def fix(report: str, finding: str, source: Path, write: bool) -> None:
    """
    Propose the change that mends a FINDING of REPORT.

    REPORT is a JSON report of run or analyze, or what analyze reads: a file of spans, a folder or a pattern. FINDING is
    the id that reports show, or its beginning; by default it is the finding that costs most.

    Standard output gets a unified diff: awaits that are made together, a section in the agent's system prompt, or a
    setting of its framework. Where no change is sure, it gets what to do by hand, and standard error says why.
    Nothing is written without --write.

    The exit status is 0 if there is a change or no finding, 1 if no change is sure, and 2 if the input, or a file of a
    folder, cannot be read.
    """
    from otel_parallelism.errors import ParallelismError  # noqa: PLC0415 - a fast --help

    from .program_source import ProgramSource  # noqa: PLC0415 - as above
    from .proposals import propose  # noqa: PLC0415 - as above
    from .reported_findings import chosen, findings_in_report, is_report  # noqa: PLC0415 - as above

    spans = None if is_report(report) else _Spans(report)
    try:
        found = findings_in_report(report) if spans is None else spans.findings()
        if not found and not finding:
            _note(f"{report}: there is no finding, so there is nothing to fix")
            sys.exit(_status(spans, 0))
        one = chosen(found, finding, report)
        _note(_headline(one, len(found)))
        proposal = propose(one, ProgramSource(source), None if spans is None else partial(spans.texts_of, one.trace_id))
        if proposal.file is None:
            _note(f"No change is sure: {proposal.reason}.")
            click.echo("\n".join(map(printable, proposal.text.split("\n"))))
            sys.exit(_status(spans, _NOTHING_SURE))
        if one.finding.advice != "recommended":
            _note(one.finding.recommendation)  # it has a condition
        print_exactly(proposal.diff())
        if write:
            proposal.file.write(proposal.fixed)
            _note(f"{proposal.file.name}: written")
    except BrokenPipeError:
        raise  # which needs no message
    except (ParallelismError, ValueError, OSError) as error:
        click.echo(printable(str(error)), err=True)
        sys.exit(_BAD_INPUT)
    _note(_measure(report, one, is_spans=spans is not None, written=write))
    sys.exit(_status(spans, 0))


def _status(spans: _Spans | None, otherwise: int) -> int:
    """Return the exit status, which is *otherwise* unless a file of spans could not be read."""
    return otherwise if spans is None else spans.skipped.status(otherwise)


def _note(line: str) -> None:
    click.echo(printable(line), err=True)


def _headline(one: ReportedFinding, number: int) -> str:
    from otel_parallelism.reports.parts.wording import multiplicity  # noqa: PLC0415 - a fast --help

    calls = [shown_name(name) + multiplicity(times) for name, times in Counter(one.finding.calls).items()]
    what = f"Finding {one.id}: {' → '.join(calls)}, cause {one.finding.cause}"
    perhaps = "" if one.finding.advice == "recommended" else "perhaps "
    lost = f", {perhaps}{one.avoidable_s:.2f} s lost" if one.avoidable_s else ""
    agent = f" in {shown_name(one.agent)}" if one.agent else ""
    return f"{what}{lost}{agent}" + (f"; {number - 1} more in the report" if number > 1 else "")


def _measure(report: str, one: ReportedFinding, *, is_spans: bool, written: bool) -> str:
    """Return how to find out whether the change helped."""
    first = "To measure whether it helped: " if written else "--write makes this change. To measure whether it helps: "
    if is_spans:
        return f"{first}otel-parallelism compare {report} AFTER, where AFTER has spans of turns after the change"
    before, after = one.efficiency, one.expected_efficiency
    if before is None or after is None or after <= before:
        return f"{first}otel-parallelism run PROGRAM"
    between = (before + after) / 2
    return (
        f"{first}otel-parallelism run --fail-under-efficiency {between:.2f} PROGRAM (efficiency was {before:.2f}; "
        f"at best it becomes {after:.2f})"
    )


class _Spans:
    """The spans that the name of an input stands for; they are analysed as ``analyze`` does it."""

    def __init__(self, name: str) -> None:
        from otel_parallelism.cli.traces.span_inputs import SkippedInput  # noqa: PLC0415 - a fast --help

        self._name = name
        self._held: list[SpanRecord] | None = None
        self.skipped = SkippedInput()

    def findings(self) -> list[ReportedFinding]:
        """Return the findings; standard error names what is skipped."""
        from otel_parallelism.scale.file_analysis import (  # noqa: PLC0415 - a fast --help
            HowToAnalyze,
            analyze_in_one_process,
        )
        from otel_parallelism.settings import Settings  # noqa: PLC0415 - as above

        from .reported_findings import findings_of  # noqa: PLC0415 - as above

        analysis = analyze_in_one_process(self._read(self.skipped), HowToAnalyze(Settings.from_environment()))
        self.skipped.close()
        return findings_of(analysis)

    def texts_of(self, trace_id: str, texts: Collection[str]) -> Collection[str]:
        """Return those of *texts* that the spans of a trace hold."""
        from otel_parallelism.cli.traces.span_inputs import SkippedInput  # noqa: PLC0415 - a fast --help

        from .recorded_texts import recorded_texts  # noqa: PLC0415 - as above

        return recorded_texts(self._read(SkippedInput(quiet=True)), trace_id, texts)

    def _read(self, skipped: SkippedInput) -> Iterable[SpanRecord]:
        """Return the spans, which are held if a file, such as a pipe, can be read once only."""
        from otel_parallelism.cli.traces.span_inputs import expanded, spans_of  # noqa: PLC0415 - a fast --help
        from otel_parallelism.readers.file_parts import is_shared  # noqa: PLC0415 - as above
        from otel_parallelism.readers.services.address import is_address  # noqa: PLC0415 - as above
        from otel_parallelism.settings import Settings  # noqa: PLC0415 - as above

        if self._held is not None:
            return self._held
        files = expanded([self._name])
        spans = spans_of(files, lambda _: None, skipped, Settings.from_environment())
        if not all(is_shared(file) or is_address(file) for file in files):
            self._held = list(spans)
            return self._held
        return spans
