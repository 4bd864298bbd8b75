"""``otel-parallelism clickhouse-sql`` prints the SQL that gives the numbers of turns inside ClickHouse."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from .output_errors import print_exactly


@click.command("clickhouse-sql", short_help="Print SQL views of turns and calls for ClickHouse.")
@click.option(
    "--table",
    default="otel_traces",
    show_default=True,
    metavar="NAME",
    help="The table of spans that the Collector writes. The views are made in its database.",
)
@click.option("--hourly", is_flag=True, help="Also make tables with the sums of each hour, which refresh themselves.")
@click.option("--out", "file", type=click.Path(dir_okay=False), metavar="FILE", help="Write the SQL to FILE.")
def clickhouse_sql(*, table: str, hourly: bool, file: str | None) -> None:
    """
    Print SQL for ClickHouse: views of turns and calls over the Collector's table of spans.

    Work, makespan, busy time, peak and ratio are those of analyze. A turn that needs rules that SQL does not have has
    no numbers, and the column undecided says why.
    """
    from otel_parallelism.errors import ParallelismError  # noqa: PLC0415 - a fast --help
    from otel_parallelism.scale.clickhouse.sql_script import all_statements  # noqa: PLC0415 - as above
    from otel_parallelism.settings import Settings  # noqa: PLC0415 - as above

    try:
        script = all_statements(table, Settings.from_environment(), hourly=hourly)
        if file is None:
            print_exactly(script)
        else:
            Path(file).write_text(script, encoding="utf-8")
    except BrokenPipeError:
        raise  # which needs no message
    except (ParallelismError, OSError) as error:
        click.echo(f"{error}", err=True)
        sys.exit(2)
