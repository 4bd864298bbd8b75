"""
The published JSON Schema of the JSON report is that of the code.

Other versions of msgspec write the same schema in another form, so the group ``docs`` of pyproject.toml names one.
"""

from __future__ import annotations

import json
from pathlib import Path

from otel_parallelism.reports.fleet_json import fleet_schemas
from otel_parallelism.reports.json import json_schema

DOCS = Path(__file__).parents[2] / "docs"
SCHEMA = DOCS / "report.schema.json"


def test_published_schema_is_up_to_date() -> None:
    assert json.loads(SCHEMA.read_text(encoding="utf-8")) == json_schema(), "run: python tests/documents.py"


def test_published_schemas_of_many_turns_are_up_to_date() -> None:
    for name, schema in fleet_schemas().items():
        assert json.loads((DOCS / name).read_text(encoding="utf-8")) == json.loads(json.dumps(schema)), (
            "run: python tests/documents.py"
        )
