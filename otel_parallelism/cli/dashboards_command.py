"""``otel-parallelism dashboards`` writes dashboards and rules to a folder, or imports the dashboards into Grafana."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from .grafana import DataSource, Grafana

_KINDS: Final = {"prometheus": "prometheus", "tempo": "tempo", "clickhouse": "grafana-clickhouse-datasource"}
"""The types of data sources in Grafana, by the names that ``--datasource`` takes."""
_BOARDS: Final = {
    "agent-parallelism.json": "prometheus",
    "agent-turns.json": "tempo",
    "agent-parallelism-clickhouse.json": "clickhouse",
}
"""The kind of data source that each dashboard needs."""
_OPTIONAL: Final = "clickhouse"
"""A Grafana without a data source of this kind does not get its dashboard: few have one."""
_FILES: Final = (*_BOARDS, "alerts.yaml", "compose.yaml")
_FOLDERS: Final = ("compose", "provisioning")
_PACKAGED: Final = Path(__file__).parents[1] / "dashboards"
_IN_A_CLONE: Final = Path(__file__).parents[2] / "dashboards"


def _mapping(_: click.Context, __: click.Parameter, given: Sequence[str]) -> dict[str, str]:
    """Return the ``KIND=NAME`` options as a dict."""
    chosen: dict[str, str] = {}
    for text in given:
        kind, equals, name = text.partition("=")
        if not equals or not name or kind not in _KINDS:
            message = f"'{text}' is not prometheus=NAME, tempo=NAME or clickhouse=NAME."
            raise click.BadParameter(message)
        if kind in chosen:
            message = f"'{text}': {kind} is given twice."
            raise click.BadParameter(message)
        chosen[kind] = name
    return chosen


@click.command(short_help="Write or import dashboards and alert rules.")
@click.option(
    "--out", "folder", type=click.Path(), metavar="DIR", help="Write dashboards, rules and compose file to DIR."
)
@click.option("--url", metavar="URL", help="Import the dashboards into the Grafana at URL.")
@click.option(
    "--token",
    envvar="GRAFANA_TOKEN",
    show_envvar=True,
    metavar="TOKEN",
    help="The token of a service account. Without it, requests are anonymous.",
)
@click.option(
    "--folder",
    "title",
    metavar="TITLE",
    help="The folder in Grafana; created if it does not exist. Default: the top level.",
)
@click.option(
    "--datasource",
    "sources",
    multiple=True,
    callback=_mapping,
    metavar="KIND=NAME",
    help="The data source that the dashboards start with, by name or uid: prometheus=NAME, tempo=NAME, "
    "clickhouse=NAME. Default: the default of Grafana.",
)
@click.option("--overwrite", is_flag=True, help="Replace existing files or dashboards.")
def dashboards(
    *,
    folder: str | None,
    url: str | None,
    token: str | None,
    title: str | None,
    sources: dict[str, str],
    overwrite: bool,
) -> None:
    """
    Write the dashboards for Grafana and the rules for Prometheus, or import the dashboards.

    The rules are a rule file of Prometheus: list alerts.yaml under rule_files in its configuration.
    """
    if (folder is None) == (url is None):
        message = "Pass either --out DIR or --url URL."
        raise click.UsageError(message)
    if folder is not None:
        if title is not None or sources:
            message = "--folder and --datasource go with --url."
            raise click.UsageError(message)
        sys.exit(_written(Path(folder), overwrite=overwrite))
    sys.exit(_imported(str(url), token or None, title, sources, overwrite=overwrite))


def _source() -> Path:
    """Return the folder of the files: in the installed package or in a clone of the repository."""
    return _PACKAGED if _PACKAGED.is_dir() else _IN_A_CLONE


def _listed(source: Path) -> Iterator[Path]:
    """Yield the paths of the files to write, relative to *source*."""
    yield from map(Path, _FILES)
    for name in _FOLDERS:
        yield from sorted(path.relative_to(source) for path in (source / name).rglob("*") if path.is_file())


def _written(folder: Path, *, overwrite: bool) -> int:
    """Write all files to *folder* and return the exit status. Without *overwrite*, write none if one would change."""
    source = _source()
    files = {path: (source / path).read_bytes() for path in _listed(source)}
    try:
        there = [
            path
            for path, data in files.items()
            # A link may lead out of the folder, to a file that does not exist yet.
            if (folder / path).is_symlink() or ((folder / path).exists() and (folder / path).read_bytes() != data)
        ]
        if there and not overwrite:
            named = ", ".join(str(folder / path) for path in there)
            click.echo(f"{named}: exists with other content; --overwrite replaces it", err=True)
            return 2
        for path, data in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            if (folder / path).is_symlink():
                (folder / path).unlink()
            (folder / path).write_bytes(data)
    except OSError as error:
        click.echo(f"{error.filename}: {error.strerror}", err=True)
        return 2
    for path in files:
        click.echo(folder / path)
    return 0


def _imported(url: str, token: str | None, title: str | None, sources: Mapping[str, str], *, overwrite: bool) -> int:
    """Import the dashboards and return the exit status."""
    from .grafana import Grafana, GrafanaError  # noqa: PLC0415 - a fast --help

    source = _source()
    try:
        grafana = Grafana(url, token)
        chosen, absent = _chosen(grafana, sources)
        uid = grafana.folder(title) if title is not None else None
        for name, kind in _BOARDS.items():
            if kind == _OPTIONAL and kind in absent:
                continue
            board = json.loads((source / name).read_bytes())
            if kind in chosen:
                _preset(board, chosen[kind])
            done = grafana.put(board, uid, overwrite=overwrite)
            click.echo(f"{board['title']}: {done.url} (version {done.version})")
    except (GrafanaError, ValueError) as error:
        click.echo(f"{error}", err=True)
        return 2
    return 0


def _chosen(grafana: Grafana, sources: Mapping[str, str]) -> tuple[dict[str, DataSource], set[str]]:
    """
    Return the data sources with the names in *sources*, by kind, and the kinds that Grafana lacks.

    A note is printed for each kind that is lacking, unless its dashboard is optional.

    Raises:
        ValueError: Grafana has no data source of that kind and name.
        GrafanaError: The data sources cannot be listed, and *sources* names some.
    """
    from .grafana import GrafanaError  # noqa: PLC0415 - as above

    try:
        known = grafana.data_sources()
    except GrafanaError as error:
        # A token can be allowed to write dashboards and not to list data sources.
        if sources or not error.forbidden:
            raise
        return {}, set()
    chosen = {}
    absent = set()
    for kind, grafana_type in _KINDS.items():
        of_kind = [each for each in known if each.kind == grafana_type]
        if not of_kind:
            absent.add(kind)
            if kind != _OPTIONAL:
                click.echo(f"note: this Grafana has no data source of type {kind}", err=True)
        if kind not in sources:
            continue
        found = [each for each in of_kind if sources[kind] in {each.uid, each.name}]
        if not found:
            there = ", ".join(each.name for each in of_kind) or "none"
            message = f"no data source of type {grafana_type} is called '{sources[kind]}'; available: {there}"
            raise ValueError(message)
        chosen[kind] = found[0]
    return chosen, absent


def _preset(board: dict[str, Any], chosen: DataSource) -> None:
    """Set the data source that *board* starts with."""
    for variable in board["templating"]["list"]:
        if variable["type"] == "datasource":
            variable["current"] = {"selected": True, "text": chosen.name, "value": chosen.uid}
