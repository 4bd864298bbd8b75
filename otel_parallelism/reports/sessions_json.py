"""The report on coding agents' sessions as a JSON document for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from .parts.encoding import encoded

if TYPE_CHECKING:
    from otel_parallelism.model.session_types import SessionsReport


def render_sessions_json(report: SessionsReport) -> str:
    """Return *report* as indented JSON that ends with a newline; durations are in seconds."""
    return msgspec.json.format(encoded(report), indent=2).decode() + "\n"
