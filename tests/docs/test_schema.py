"""
The published JSON Schema of the JSON report is that of the code.

Older versions of msgspec write the same schema in another form, so this is tested with the newest one only.
"""

from __future__ import annotations

import json
from pathlib import Path

from otel_parallelism.reports.json import json_schema

SCHEMA = Path(__file__).parents[2] / "docs" / "report.schema.json"


def test_published_schema_is_up_to_date() -> None:
    assert json.loads(SCHEMA.read_text(encoding="utf-8")) == json_schema(), "run: python tests/documents.py"
