"""Halves of surrogate pairs, which no encoding of Unicode has, in any text of a span: nothing is raised."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from otel_parallelism.readers.otlp_json import read_otlp_json
from otel_parallelism.reports.json import render_json
from otel_parallelism.reports.text import render_text
from otel_parallelism.scale.file_analysis import HowToAnalyze, analyze_in_one_process
from otel_parallelism.settings import Settings
from tests.amounts import some_of
from tests.readers.hostile_files import RECORDED

if TYPE_CHECKING:
    from pathlib import Path

    from otel_parallelism.model import SpanRecord

HALF = "\ud800"
FILES = some_of(RECORDED, 12)


def halved(value: Any, *, inside: bool) -> Any:
    """Return *value* with half a character at the end of each text, or *inside* it for each ``t``."""
    if isinstance(value, str):
        return value.replace("t", HALF) if inside else value + HALF
    if isinstance(value, dict):
        return {key: halved(item, inside=inside) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [halved(item, inside=inside) for item in value]
    return value


def with_halves(span: SpanRecord, *, inside: bool, everything: bool) -> SpanRecord:
    """Return *span* with half characters in its contents, or in *everything*: what tells its kind, too."""
    change = partial(halved, inside=inside)
    fixed = () if everything else ("gen_ai.operation.name", "openinference.span.kind", "traceloop.span.kind")
    attributes = {key: value if key in fixed else change(value) for key, value in span.attributes.items()}
    events = tuple(msgspec.structs.replace(event, attributes=change(dict(event.attributes))) for event in span.events)
    return msgspec.structs.replace(span, name=change(span.name), attributes=attributes, events=events)


@pytest.mark.many
@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_nothing_is_raised_and_no_call_is_lost(path: Path) -> None:
    spans = list(read_otlp_json(path))
    how = HowToAnalyze(Settings(), recompute=True)
    for inside in (False, True):
        for everything in (False, True):
            changed = [with_halves(span, inside=inside, everything=everything) for span in spans]
            analysis = analyze_in_one_process(changed, how)
            assert analysis.coverage.spans == len({(span.trace_id, span.span_id) for span in spans})
            assert render_text(analysis, width=100).encode()
            assert render_json(analysis).encode()
    ids = {span.span_id: f"{HALF}{span.span_id}" for span in spans}
    renamed = [
        msgspec.structs.replace(span, span_id=ids[span.span_id], parent_id=ids.get(span.parent_id, span.parent_id))
        for span in spans
    ]
    before, after = analyze_in_one_process(spans, how), analyze_in_one_process(renamed, how)
    assert [report.calls for report in after.reports] == [report.calls for report in before.reports]
