"""Readers of recorded spans; each yields a :class:`~otel_parallelism.model.SpanRecord` per span."""

from __future__ import annotations

from otel_parallelism.errors import UnreadableError

__all__ = ["UnreadableError"]
