"""The command for Spark writes tables, or says in one line why it cannot."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from otel_parallelism.scale.spark import __main__ as command
from tests.fleet.month import month
from tests.readers.written_formats import WRITERS
from tests.scale.spark.one_process import QUICK

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::ResourceWarning")]  # of Spark's sockets


class Kept:
    """A session that goes on after the command has stopped it."""

    def __init__(self, session: Any) -> None:
        self._session = session

    def __getattr__(self, name: str) -> Any:  # noqa: D105 - all else is the session's
        return getattr(self._session, name)

    def stop(self) -> None:
        pass


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "spans.parquet"
    path.write_bytes(WRITERS["clickhouse_parquet"]([span for trace in month(6) for span in trace]))
    return path


@pytest.fixture
def run(spark: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    def with_arguments(*arguments: object) -> Result:
        return CliRunner().invoke(command.spark_command, list(map(str, arguments)))

    monkeypatch.setattr(command, "_session", lambda _: Kept(spark))
    return with_arguments


def test_tables_are_written_by_a_program_of_its_own(spark: Any, path: Path) -> None:
    out = path.parent / "out"
    options = [f"--conf {key}={value!r}" for key, value in QUICK.items()]
    environment = {**os.environ, "PYSPARK_SUBMIT_ARGS": f"{' '.join(options)} pyspark-shell"}
    arguments = [str(path), "--out", str(out), "--master", "local[1]", "--partitions", "1"]
    done = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, command.__file__, *arguments], capture_output=True, text=True, check=False, env=environment
    )
    assert (done.returncode, done.stdout) == (0, f"40 spans, 18 calls: {out}/turns and {out}/findings\n"), done.stderr
    assert spark.read.parquet(f"{out}/turns").count() == 6
    assert "evidence" in spark.read.parquet(f"{out}/findings").columns


def test_tables_that_exist_are_only_replaced_if_asked(run: Any, path: Path) -> None:
    out = path.parent / "out"
    assert run(path, "--out", out).exit_code == 0
    again = run(path, "--out", out)
    assert (again.exit_code, "already exists" in again.stderr, len(again.stderr.splitlines())) == (2, True, 1)
    assert run(path, "--out", out, "--overwrite").exit_code == 0


def test_input_without_spans_is_named_with_what_its_rows_have(run: Any, spark: Any, tmp_path: Path) -> None:
    spark.sql("SELECT 1 AS SeverityText, 2 AS Body").write.parquet(str(tmp_path / "logs"))
    done = run(tmp_path / "logs", "--out", tmp_path / "out")
    assert done.exit_code == 2
    assert "1 row skipped: it holds logs and no spans\n" in done.stderr
    assert f"{tmp_path}/logs: no row has spans" in done.stderr
    missing = run(tmp_path / "missing", "--out", tmp_path / "out")
    assert (missing.exit_code, "PATH_NOT_FOUND" in missing.stderr, missing.stderr.count("\n")) == (2, True, 1)


def test_a_folder_that_grows_is_read_once_without_an_interval(run: Any, spark: Any, path: Path) -> None:
    folder, out, checkpoint = (path.parent / name for name in ("in", "out", "checkpoint"))
    folder.mkdir()
    path.rename(folder / path.name)
    os.utime(folder / path.name, (1_900_000_000, 1_900_000_000))
    done = run(folder, "--out", out, "--checkpoint", checkpoint, "--partitions", 1)
    assert (done.exit_code, done.output) == (0, "")
    assert spark.read.parquet(str(out / "turns")).count() == 0
    alone = run(folder, "--out", out, "--every", "1 minute")
    assert (alone.exit_code, "--every needs --checkpoint" in alone.stderr) == (2, True)


def test_a_broken_file_is_named_in_one_line(run: Any, path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-300] + path.read_bytes()[-8:])
    done = run(path, "--out", path.parent / "out")
    assert (done.exit_code, path.name in done.stderr, done.stderr.count("\n")) == (2, True, 1)
