"""The report on a fleet, or the comparison of two, as a JSON document for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from .parts.encoding import encoded

if TYPE_CHECKING:
    from otel_parallelism.model.comparison_types import Comparison
    from otel_parallelism.model.fleet_types import FleetReport


def render_fleet_json(report: FleetReport | Comparison) -> str:
    """Return *report* as indented JSON that ends with a newline; durations are in seconds."""
    return msgspec.json.format(encoded(report), indent=2).decode() + "\n"
