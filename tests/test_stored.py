"""``analyze_spans`` knows all dialects by default."""

from __future__ import annotations

import doctest
from pathlib import Path

import pytest

from otel_parallelism import analyze_spans, classify, stored
from otel_parallelism.readers.otlp_json import read_otlp_json

RECORDED = sorted((Path(__file__).parent / "fixtures" / "spans").glob("*.jsonl"))


def test_example_of_the_docstring() -> None:
    failed, attempted = doctest.testmod(stored)
    assert (failed, attempted) == (0, 5)


@pytest.mark.parametrize("path", RECORDED[:3], ids=lambda path: path.stem)
def test_default_classifier_is_that_of_all_dialects(path: Path) -> None:
    found = analyze_spans(read_otlp_json(path))
    assert found == analyze_spans(read_otlp_json(path), classify)
    assert found.reports
