from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import msgspec
from sarif_schema import check_sarif

from otel_parallelism.model import Analysis, Caller, Coverage
from otel_parallelism.reports.sarif_findings import render_findings_sarif

if TYPE_CHECKING:
    from otel_parallelism.model import Report


def results(*reports: Report, base: str = "") -> list[dict[str, Any]]:
    log = json.loads(render_findings_sarif(Analysis(reports, Coverage()), "1.2.3", base))
    check_sarif(log)
    [run] = log["runs"]
    assert (run["tool"]["driver"]["name"], run["tool"]["driver"]["version"]) == ("otel-parallelism", "1.2.3")
    found: list[dict[str, Any]] = run["results"]
    for one in found:
        assert run["tool"]["driver"]["rules"][one["ruleIndex"]]["id"] == one["ruleId"]
    return found


def placed(report: Report, path: str | None, line: int = 7) -> Report:
    place = None if path is None else Caller(path, line)
    findings = tuple(msgspec.structs.replace(finding, location=place) for finding in report.findings)
    return msgspec.structs.replace(report, findings=findings)


def test_finding_is_a_warning_at_its_line(sequential: Report) -> None:
    [result] = results(sequential)
    assert (result["ruleId"], result["level"]) == ("sequential_chain", "warning")
    assert result["message"]["text"] == (
        "travel: flights, hotels ×2, weather ran one after another: the program ran one by one what the model asked "
        "for together. Cost: 0.90 s in 1 turn. Run the round's calls together with asyncio.gather."
    )
    assert result["locations"] == [
        {
            "physicalLocation": {
                "artifactLocation": {"uri": "agent.py"},
                "region": {"startLine": 31, "endLine": 31},
            }
        }
    ]
    assert result["properties"] == {
        "id": "463c4093",
        "agent": "travel",
        "cause": "dispatch",
        "advice": "recommended",
        "avoidable": 0.9,
        "turns": 1,
    }
    assert "occurrenceCount" not in result


def test_finding_of_several_turns_is_one_result(sequential: Report) -> None:
    [result] = results(sequential, sequential)
    assert (result["occurrenceCount"], result["properties"]["turns"]) == (2, 2)
    assert result["properties"]["avoidable"] == 1.8


def test_potential_finding_is_a_note(possible: Report) -> None:
    [result] = results(placed(possible, "agent.py"))
    assert result["level"] == "note"
    assert " Perhaps 0.40 s in 1 turn. " in result["message"]["text"]


def test_finding_without_a_place_is_left_out(sequential: Report) -> None:
    assert results(placed(sequential, None)) == []
    assert results(placed(sequential, "agent.py", 0)) == []


def test_file_is_named_relative_to_the_folder(sequential: Report) -> None:
    def uri(path: str, base: str) -> str:
        [result] = results(placed(sequential, path), base=base)
        found: str = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        return found

    assert uri("/srv/app/src/an agent.py", "/srv/app") == "src/an%20agent.py"
    assert uri("/srv/other/agent.py", "/srv/app") == "file:///srv/other/agent.py"
    assert uri("bad\udc80.py", "") == "bad%3F.py"
