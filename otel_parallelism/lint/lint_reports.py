"""Findings as text for a terminal, as JSON, and as annotations of GitHub Actions."""

from __future__ import annotations

import msgspec

from otel_parallelism.shown_names import escaped_commands, printable, without_commands

from .lint_findings import LintFinding


class LintReport(msgspec.Struct, frozen=True):
    """
    What was found in all files.

    Attributes:
        findings: In the order of the files and their lines.
        files: The number of files that were read.
        ignored: The number of findings that comments silence.
    """

    findings: tuple[LintFinding, ...]
    files: int
    ignored: int = 0


def render_lint_text(report: LintReport) -> str:
    """Return one line for each finding, and a line that counts them."""
    lines = [
        f"{printable(one.path)}:{one.line}: {one.kind}: {printable(one.message)}{_remarks(one)}"
        for one in report.findings
    ]
    paths = len({one.path for one in report.findings})
    fixable = sum(one.fixable for one in report.findings)
    counts = f"{_number(len(report.findings), 'finding')} in {paths} of {_number(report.files, 'file')}"
    counts += f"; --fix rewrites {fixable}" if fixable else ""
    counts += f"; {report.ignored} ignored by comments" if report.ignored else ""
    return without_commands("\n".join([*lines, counts, ""]))


def render_lint_json(report: LintReport) -> str:
    """Return a JSON object: ``findings``, and the numbers of ``files`` read and of findings ``ignored``."""
    # A name of a file need not be text, but JSON has nothing else.
    findings = tuple([msgspec.structs.replace(one, path=printable(one.path)) for one in report.findings])
    shown = msgspec.structs.replace(report, findings=findings)
    return escaped_commands(msgspec.json.format(msgspec.json.encode(shown), indent=2).decode()) + "\n"


def render_annotations(report: LintReport) -> str:
    """Return one workflow command of GitHub Actions for each finding, which shows it in the changed files."""
    return "".join(
        f"::warning file={_property(one.path)},line={one.line},endLine={one.end_line},"
        f"title={_property(f'otel-parallelism {one.kind}')}::{_escaped(one.message)}\n"
        for one in report.findings
    )


def _remarks(finding: LintFinding) -> str:
    measured = f" [{finding.measured_s:.3g} s]" if finding.measured_s else ""
    return measured + (" [--fix]" if finding.fixable else "")


def _number(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _escaped(text).replace(":", "%3A").replace(",", "%2C")
