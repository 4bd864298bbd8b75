"""Fixtures that make span records and decode their content."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from otel_parallelism.model import Content, SpanEvent, SpanRecord

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


@pytest.fixture(scope="session")
def span() -> Callable[..., SpanRecord]:
    def make(
        name: str,
        attributes: Mapping[str, object] | None = None,
        *,
        events: Sequence[tuple[str, Mapping[str, object]]] = (),
        links: tuple[str, ...] = (),
        error: bool = False,
        instrumentation: str = "",
    ) -> SpanRecord:
        return SpanRecord(
            trace_id="7" * 32,
            span_id="8" * 16,
            parent_id="9" * 16,
            name=name,
            start_ns=1_000,
            end_ns=2_000,
            attributes=attributes or {},
            events=tuple(SpanEvent(*event) for event in events),
            links=links,
            kind=1,
            error=error,
            source="checkout 1",
            instrumentation=instrumentation,
        )

    return make


@pytest.fixture(scope="session")
def plain() -> Callable[[Content | None], object]:
    def read(content: Content | None) -> object:
        assert content is not None
        return content.value if content.parse is None else content.parse(content.value)

    return read
