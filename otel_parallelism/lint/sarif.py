"""Findings as SARIF 2.1.0, which code scanning services read."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from .lint_findings import LINT_KINDS

if TYPE_CHECKING:
    from .lint_findings import LintFinding
    from .lint_reports import LintReport

SARIF_SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_INFORMATION: Final = "https://github.com/otel-parallelism/otel-parallelism/blob/main/docs/lint.md"


def render_sarif(report: LintReport, version: str) -> str:
    """Return *report* as a SARIF log with one run; *version* is that of this package."""
    kinds = list(LINT_KINDS)
    rules = [
        {
            "id": kind,
            "shortDescription": {"text": LINT_KINDS[kind]},
            "helpUri": _INFORMATION,
            "defaultConfiguration": {"level": "warning"},
        }
        for kind in kinds
    ]
    driver = {"name": "otel-parallelism", "version": version, "informationUri": _INFORMATION, "rules": rules}
    results = [_result(one, kinds.index(one.kind)) for one in report.findings]
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return json.dumps({"$schema": SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def _result(finding: LintFinding, rule: int) -> dict[str, Any]:
    region = {"startLine": finding.line, "endLine": finding.end_line}
    location = {"artifactLocation": {"uri": _uri(finding.path)}, "region": region}
    return {
        "ruleId": finding.kind,
        "ruleIndex": rule,
        "level": "warning",
        "message": {"text": finding.message},
        "locations": [{"physicalLocation": location}],
        "properties": {"fixable": finding.fixable},
    }


def _uri(path: str) -> str:
    r"""
    Return *path* as a reference of RFC 3986.

    >>> _uri("src/my file.py"), _uri("/srv/a.py"), _uri(".\\src\\a.py")
    ('src/my%20file.py', 'file:///srv/a.py', 'src/a.py')
    """
    shown = path.replace("\\", "/").removeprefix("./")
    return ("file://" if shown.startswith("/") else "") + quote(shown)
