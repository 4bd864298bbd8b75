"""The code of the recipe for Spark runs, on a folder of files in place of a bucket."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.fleet.month import month
from tests.readers.written_formats import WRITERS

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::ResourceWarning")]  # of Spark's sockets
RECIPE = Path(__file__).parents[3] / "docs" / "recipes" / "spark.md"


def test_blocks_of_the_recipe_run(spark: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "otel_traces" / "spans.parquet"
    path.parent.mkdir()
    path.write_bytes(WRITERS["clickhouse_parquet"]([span for trace in month(6) for span in trace]))
    table, growing = re.findall(r"```python\n(.*?)```", RECIPE.read_text(encoding="utf-8"), re.DOTALL)
    exec(table.replace("s3a://lake", str(tmp_path)), {})  # noqa: S102 - our own documentation
    assert "Coverage(calls=18, calls_without_turn=0, spans=40" in capsys.readouterr().out
    names: dict[str, Any] = {}
    exec(growing.replace("s3a://lake", str(tmp_path)), names)  # noqa: S102 - as above
    names["query"].processAllAvailable()
    names["query"].stop()
    assert spark.read.parquet(str(tmp_path / "turns" / "left_out")).columns == ["reason", "trace_id", "number", "batch"]
