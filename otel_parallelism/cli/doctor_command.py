"""``otel-parallelism doctor``: reports what is installed and patched, and what the results will lack."""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otel_parallelism.instrumentation.doctor.examination import Examination, FrameworkState


@click.command(short_help="Check what is installed, patched and missing here.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.option(
    "--import",
    "modules",
    multiple=True,
    metavar="MODULE",
    help="Import this module of your program first; can be given several times.",
)
def doctor(as_json: bool, modules: tuple[str, ...]) -> None:
    """
    Report what is installed and patched here, and what the results will lack.

    Run it as your program is run: in its folder and environment, and under opentelemetry-instrument if that starts
    it. The command imports the agent frameworks that are installed, and patches them unless the program has, to check
    that their functions can be patched. The exit status is 1 if something will be missing.
    """
    from otel_parallelism.instrumentation.doctor.inspection import examine, prepare  # noqa: PLC0415 - a fast --help

    sys.path.insert(0, "")
    for module in modules:
        try:
            importlib.import_module(module)
        except BaseException as error:  # noqa: BLE001 - the user's module may raise anything
            click.echo(f"--import {module}: cannot be imported: {type(error).__name__}: {error}", err=True)
            sys.exit(2)
    found = examine(prepare())
    if as_json:
        import msgspec  # noqa: PLC0415 - only here

        click.echo(msgspec.json.format(msgspec.json.encode(found), indent=2).decode())
    else:
        for line in _lines(found):
            click.echo(line)
    sys.exit(1 if found.problems else 0)


def _lines(found: Examination) -> Iterator[str]:
    yield f"Python {found.python}"
    yield from (f"{name} {version or 'not installed'}" for name, version in found.packages.items())
    yield ""
    yield f"Traces: {found.provider}"
    yield from _indented("processor", found.processors)
    yield from _indented("exporter", found.exporters)
    if found.sampler:
        yield f"  sampler    {found.sampler}"
    yield f"Metrics: {found.meter_provider}"
    if found.settings:
        yield "Settings that differ from the defaults:"
        yield from (f"  {name} = {_shown(value)}" for name, value in found.settings.items())
    yield ""
    if found.instrumented_by == "doctor":
        yield "Patches: by this command, for the check. Your program gets them under opentelemetry-instrument, or from"
        yield "  ParallelismInstrumentor().instrument()."
    elif found.instrumented_by:
        yield "Patches: by the program."
    if not found.frameworks:
        yield "No supported agent framework is installed here."
    for framework in found.frameworks:
        yield from _framework(framework, found)
    yield from (f"Target {target}: {state}" for target, state in found.targets.items())
    yield ""
    if not found.problems:
        yield "Nothing is missing."
        return
    yield "What the results will lack, and how to get it:"
    yield from (f"  - {problem}" for problem in found.problems)


def _framework(framework: FrameworkState, found: Examination) -> Iterator[str]:
    untested = "" if framework.tested else " (a version that was not tested)"
    by_check = framework.patched_by == "doctor" and found.instrumented_by == "program"
    importer = " (imported by this command only)" if by_check else ""
    yield f"{framework.name} {framework.version}{untested}: {framework.presence}{importer}"
    if framework.native:
        yield f"  makes its own spans for {', '.join(framework.native)}; they are used where they exist"
    for target, state in framework.targets.items():
        if state not in {"patched", "switched on"}:
            yield f"  {state}: {target}"
    if framework.lacks:
        yield f"  note: {framework.lacks}"
    for other in framework.others:
        presence = "active" if other.active else "installed"
        yield f"  {other.distribution} {other.version} is {presence}: each call still counts once"


def _indented(title: str, values: tuple[str, ...]) -> Iterator[str]:
    yield from (f"  {title:<10} {value}" for value in values or ("none",))


def _shown(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
