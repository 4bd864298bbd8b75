"""Attributes added to the spans of other instrumentations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_parallelism.tracing.sdk.results import add_attributes

if TYPE_CHECKING:
    import pytest

    from tests.conftest import Kit


def test_a_span_that_has_ended_is_left_alone(kit: Kit, caplog: pytest.LogCaptureFixture) -> None:
    span = kit.tracer().start_span("tool")
    add_attributes(span, {"a": 1})
    span.end()
    add_attributes(span, {"b": 2})
    (ended,) = kit.spans
    add_attributes(ended, {"c": 3})
    assert dict(ended.attributes or {}) == {"a": 1}
    assert [record for record in caplog.records if "internal error" in record.getMessage()] == []
