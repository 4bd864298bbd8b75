"""``otel-parallelism doctor``: what is in place here, what will be missing in the numbers, and how to get it."""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otel_parallelism.instrumentation.doctor import Examination, FrameworkState


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print what was found as JSON.")
@click.option(
    "--import",
    "modules",
    multiple=True,
    metavar="MODULE",
    help="Import a module of yours first, as your program does; may be given several times.",
)
def doctor(as_json: bool, modules: tuple[str, ...]) -> None:
    """
    Say what is in place here and what will be missing in the numbers.

    Run it as your program is run: in its folder and environment, and under opentelemetry-instrument if that starts it.
    The agent frameworks that are installed are imported, to see whether their functions can be patched. Exit status
    1 if something will be missing.
    """
    from otel_parallelism.instrumentation import doctor as examination  # noqa: PLC0415 - a fast --help
    from otel_parallelism.instrumentation.instrumentor import ParallelismInstrumentor  # noqa: PLC0415 - as above

    sys.path.insert(0, "")
    for module in modules:
        try:
            importlib.import_module(module)
        except BaseException as error:  # noqa: BLE001 - whatever the user's module does
            click.echo(f"--import {module}: cannot be imported: {type(error).__name__}: {error}", err=True)
            sys.exit(2)
    instrumentor = ParallelismInstrumentor()
    if not instrumentor.is_instrumented_by_opentelemetry:
        try:
            instrumentor.instrument()
        except ValueError as error:
            click.echo(f"{error}", err=True)
            sys.exit(2)
    found = examination.examine(examination.load())
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
        yield "Settings that are not the defaults:"
        yield from (f"  {name} = {_shown(value)}" for name, value in found.settings.items())
    yield ""
    if not found.frameworks:
        yield "No agent framework that is known is installed here."
    for framework in found.frameworks:
        yield from _framework(framework)
    yield from (f"Target {target}: {state}" for target, state in found.targets.items())
    yield ""
    if not found.problems:
        yield "Nothing is missing."
        return
    yield "What will be missing, and how to get it:"
    yield from (f"  - {problem}" for problem in found.problems)


def _framework(framework: FrameworkState) -> Iterator[str]:
    untested = "" if framework.tested else " (a version that was not tested)"
    yield f"{framework.name} {framework.version}{untested}: {framework.presence}"
    if framework.native:
        yield f"  makes spans of its own for {', '.join(framework.native)}; they are used where they are there"
    for target, state in framework.targets.items():
        if state not in {"patched", "switched on"}:
            yield f"  {state}: {target}"
    if framework.lacks:
        yield f"  note: {framework.lacks}"
    for other in framework.others:
        yield f"  {other.distribution} {other.version} is {'on' if other.active else 'installed'}: calls count once"


def _indented(title: str, values: tuple[str, ...]) -> Iterator[str]:
    yield from (f"  {title:<10} {value}" for value in values or ("none",))


def _shown(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
