"""Results as a log in SARIF 2.1.0, which code scanning services read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, Literal
from urllib.parse import quote

import msgspec

from .shown_names import escaped_commands

if TYPE_CHECKING:
    from collections.abc import Iterable

SARIF_SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
DOCUMENTATION: Final = "https://github.com/otel-parallelism/otel-parallelism/blob/main/docs/"


class SarifResult(msgspec.Struct, frozen=True, kw_only=True):
    """
    One result at one place.

    Attributes:
        rule: The id of the rule that it breaks.
        message: One or more sentences of plain text.
        path: The file, as it was given.
        line: The first line, from 1.
        end_line: The last line.
        level: How serious it is.
        count: How often it occurred.
        properties: Further values, by name.
    """

    rule: str
    message: str
    path: str
    line: int
    end_line: int
    level: Literal["warning", "note"] = "warning"
    count: int = 1
    properties: Mapping[str, Any] = msgspec.field(default_factory=dict)


def sarif_log(
    rules: Iterable[tuple[str, str]], results: Iterable[SarifResult], *, version: str, page: str, base: str = ""
) -> str:
    """
    Return a SARIF log with one run, as JSON that ends with a newline.

    Args:
        rules: The id of each rule, and one sentence on it.
        results: The results, whose rules are among *rules*.
        version: The version of this package.
        page: The file of the documentation about the rules.
        base: A folder; files in it are named relative to it.
    """
    sentences = dict(rules)
    known = list(sentences)
    described = [
        {
            "id": rule,
            "shortDescription": {"text": text},
            "helpUri": DOCUMENTATION + page,
            "defaultConfiguration": {"level": "warning"},
        }
        for rule, text in sentences.items()
    ]
    driver = {
        "name": "otel-parallelism",
        "version": version,
        "informationUri": DOCUMENTATION + page,
        "rules": described,
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(one, known.index(one.rule), base) for one in results],
    }
    document = json.dumps({"$schema": SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2)
    return escaped_commands(document) + "\n"


def _result(result: SarifResult, rule: int, base: str) -> dict[str, Any]:
    region = {"startLine": result.line, "endLine": result.end_line}
    location = {"artifactLocation": {"uri": _uri(result.path, base)}, "region": region}
    document = {
        "ruleId": result.rule,
        "ruleIndex": rule,
        "level": result.level,
        "message": {"text": result.message},
        "locations": [{"physicalLocation": location}],
        "properties": dict(result.properties),
    }
    return document if result.count == 1 else {**document, "occurrenceCount": result.count}


def _uri(path: str, base: str) -> str:
    r"""
    Return *path* as a reference of RFC 3986, relative to *base* if it is in that folder.

    >>> _uri("src/my file.py", ""), _uri("/srv/a.py", ""), _uri("/srv/src/a.py", "/srv"), _uri(".\\src\\a.py", "")
    ('src/my%20file.py', 'file:///srv/a.py', 'src/a.py', 'src/a.py')
    """
    shown = path.replace("\\", "/").removeprefix("./")
    if base:
        shown = shown.removeprefix(base.replace("\\", "/").rstrip("/") + "/")
    return ("file://" if shown.startswith("/") else "") + quote(shown, errors="replace")
