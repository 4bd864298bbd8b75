"""The report on a fleet, or the comparison of two, as a JSON document for programs."""

from __future__ import annotations

from typing import Any

import msgspec

from otel_parallelism.model.comparison_types import Comparison
from otel_parallelism.model.fleet_types import FleetReport

from .parts.encoding import encoded


def render_fleet_json(report: FleetReport | Comparison) -> str:
    """Return *report* as indented JSON that ends with a newline; durations are in seconds."""
    return msgspec.json.format(encoded(report), indent=2).decode() + "\n"


def fleet_schemas() -> dict[str, dict[str, Any]]:
    """Return the JSON Schema of each of the two documents, by the name of its file."""
    draft = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return {
        "fleet.schema.json": {**draft, "title": "Report of otel-parallelism fleet", **msgspec.json.schema(FleetReport)},
        "comparison.schema.json": {
            **draft,
            "title": "Comparison of otel-parallelism compare",
            **msgspec.json.schema(Comparison),
        },
    }
