"""Whatever a file contains, reading it yields spans or raises the one error that names the file."""

from __future__ import annotations

import gzip
import json
import random
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_parallelism import analyze_spans
from otel_parallelism.readers import UnreadableError
from otel_parallelism.readers.any_format import read_spans
from tests.readers.test_any_format import a_trace
from tests.readers.written_formats import WRITERS

if TYPE_CHECKING:
    from pathlib import Path

    from otel_parallelism.model import SpanRecord

ODD: tuple[Any, ...] = (
    *(None, True, -1, 0, 1e308, 10**30, "", "x", "NaN", "\ud83d\ude00", [], {}, [[]], {"": None}, "9" * 5000),
    *("0x", "-", "2026-13-45T99:99:99Z", "1" * 40, {"values": [{"stringValue": 5}]}, [None], {"key": None}),
)


def read_all(path: Path, skip: Any) -> tuple[list[SpanRecord], UnreadableError | None]:
    spans: list[SpanRecord] = []
    try:
        spans.extend(read_spans(path, skip=skip))
    except UnreadableError as error:
        return spans, error
    return spans, None


def survives(path: Path) -> int:
    """Return how many spans are read if broken lines are skipped; analysing them raises nothing."""
    spans: list[SpanRecord] = []
    for skip in (None, lambda _: None):
        spans, problem = read_all(path, skip)
        assert problem is None or problem.path == str(path)
    for report in analyze_spans(spans).reports:
        json.loads(report.to_json())
    return len(spans)


def changed(value: Any, choose: random.Random) -> Any:
    """Return JSON data with one part replaced, removed or repeated, at any depth."""
    if isinstance(value, dict) and value and choose.random() < 0.9:
        key = choose.choice(list(value))
        what = choose.random()
        if what < 0.1:
            return {name: item for name, item in value.items() if name != key}
        return {**value, key: choose.choice(ODD) if what < 0.3 else changed(value[key], choose)}
    if isinstance(value, list) and value and choose.random() < 0.9:
        place = choose.randrange(len(value))
        return [*value[:place], changed(value[place], choose), *value[place:]]
    return choose.choice(ODD)


@pytest.mark.parametrize("seed", range(2))
def test_changed_values_raise_nothing_else(tmp_path: Path, seed: int) -> None:
    choose = random.Random(seed)  # noqa: S311 - not a secret
    path = tmp_path / "spans"
    for name, write in WRITERS.items():
        if name.startswith("protobuf"):
            continue
        lines = write(a_trace(3)).decode()
        try:
            documents = [json.loads(lines)]
        except ValueError:
            documents = [json.loads(line) for line in lines.splitlines() if line.startswith("{") and line != "{"]
        for _ in range(3):
            path.write_text("\n".join(json.dumps(changed(document, choose)) for document in documents))
            survives(path)


def test_changed_bytes_raise_nothing_else(tmp_path: Path) -> None:
    choose = random.Random(8)  # noqa: S311 - not a secret
    path = tmp_path / "spans"
    for write in WRITERS.values():
        content = write(a_trace(2))
        for _ in range(3):
            broken = bytearray(content)
            for _ in range(choose.randint(1, 6)):
                broken[choose.randrange(len(broken))] = choose.randrange(256)
            cut = bytes(broken[: choose.randrange(len(broken))]) if choose.random() < 0.5 else bytes(broken)
            path.write_bytes(gzip.compress(cut)[: choose.randrange(20, 4000)] if choose.random() < 0.2 else cut)
            survives(path)


@given(st.binary(max_size=400))
def test_any_bytes_raise_nothing_else(tmp_path_factory: Any, content: bytes) -> None:
    path = tmp_path_factory.mktemp("bytes") / "spans"
    path.write_bytes(content)
    survives(path)


def test_an_intact_file_survives_whole(tmp_path: Path) -> None:
    path = tmp_path / "spans"
    spans = a_trace(2)
    for write in WRITERS.values():
        path.write_bytes(write(spans))
        assert survives(path) == len(spans)
