"""Read spans of finished programs from files; every reader yields :class:`~otel_parallelism.model.SpanRecord`."""

from __future__ import annotations

from otel_parallelism.errors import UnreadableError

__all__ = ["UnreadableError"]
