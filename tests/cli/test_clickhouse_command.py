from __future__ import annotations

from typing import TYPE_CHECKING

from otel_parallelism.scale.clickhouse.sql_script import all_statements
from otel_parallelism.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import Invoke


def test_sql_is_printed_or_written(invoke: Invoke, tmp_path: Path) -> None:
    done = invoke("clickhouse-sql", "--table", "otel.otel_traces")
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.decode() == all_statements("otel.otel_traces", Settings(), hourly=False)
    done = invoke("clickhouse-sql", "--hourly", "--out", str(tmp_path / "views.sql"))
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    written = (tmp_path / "views.sql").read_text(encoding="utf-8")
    assert written == all_statements("otel_traces", Settings(), hourly=True)
    assert "MATERIALIZED VIEW IF NOT EXISTS parallelism_hours_refresh" in written


def test_errors_are_said(invoke: Invoke, tmp_path: Path) -> None:
    for arguments, said in (
        (("--table", "a;b"), "table='a;b': expected the name of a table"),
        (("--out", str(tmp_path / "no" / "folder.sql")), "folder.sql"),
    ):
        done = invoke("clickhouse-sql", *arguments)
        assert (done.returncode, done.stdout) == (2, b"")
        assert said in done.stderr.decode()
