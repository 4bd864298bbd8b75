from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import msgspec

from otel_parallelism.cli.efficiency_gate import Gate
from otel_parallelism.model import Analysis, Coverage
from otel_parallelism.reports.junit import render_junit

if TYPE_CHECKING:
    from otel_parallelism.model import Report


def suite(*reports: Report, gate: Gate | None = None) -> ET.Element:
    analysis = Analysis(reports, Coverage())
    root = ET.fromstring(render_junit(analysis, dict((gate or Gate()).failures(analysis))))  # noqa: S314 - our own
    assert root.tag == "testsuites"
    [found] = root
    cases = found.findall("testcase")
    assert found.attrib["tests"] == root.attrib["tests"] == str(len(cases))
    assert found.attrib["failures"] == root.attrib["failures"] == str(len(found.findall("testcase/failure")))
    return found


def test_turn_is_a_test_case_with_its_findings(sequential: Report, parallel: Report) -> None:
    first, second = suite(sequential, parallel)
    assert first.attrib == {
        "classname": "travel",
        "name": "turn 1: calls that could run together ran one by one",
        "time": "2.000",
    }
    assert first.findtext("system-out") == (
        "recommended: flights, hotels ×2, weather ran one after another: the program ran one by one what the model "
        "asked for together: 0.90 s at agent.py:31\n  Run the round's calls together with asyncio.gather."
    )
    assert second.attrib["name"] == "turn 2: calls ran together"
    assert list(second) == []


def test_turn_that_fails_the_gate_is_a_failure(sequential: Report, parallel: Report) -> None:
    first, second = suite(sequential, parallel, gate=Gate(0.9))
    failure = first.find("failure")
    assert failure is not None
    assert failure.attrib == {"type": "gate", "message": "turn 1 (travel): efficiency 0.25 is below 0.9"}
    assert second.find("failure") is None


def test_missing_turns_are_a_failure_of_the_gate() -> None:
    assert list(suite()) == []
    [case] = suite(gate=Gate(needs_turns=True))
    failure = case.find("failure")
    assert failure is not None
    assert failure.attrib["message"] == "no turn was found"


def test_any_name_is_valid_xml(parallel: Report) -> None:
    name = "a<b>&\"'\x00\x1b\ud800\ufffe]]>"
    [case] = suite(msgspec.structs.replace(parallel, turn=msgspec.structs.replace(parallel.turn, agent=name)))
    assert case.attrib["classname"] == "a<b>&\"'????]]>"
