from __future__ import annotations

import pytest

from otel_parallelism.analysis.findings.verdict import turn_verdict
from otel_parallelism.model import Advice, Finding


def finding(advice: Advice) -> Finding:
    return Finding(
        kind="sequential_chain", cause="code", advice=advice, calls=("a", "b"), span_ids=("c0", "c1"), avoidable=1.0
    )


@pytest.mark.parametrize(
    ("calls", "numbers", "advice", "expected"),
    [
        (5, (None, None, None), None, "single"),
        (1, (1.0, 1.0, 1.0), None, "single"),
        (1, (1.0, 0.3, 0.3), "recommended", "sequential"),
        (5, (3.0, None, None), "potential", "contended"),
        (5, (1.0, 0.49, 0.4), "recommended", "sequential"),
        (5, (2.0, 0.49, 0.4), "recommended", "partly_sequential"),
        (5, (1.0, 0.5, 0.4), "recommended", "partly_sequential"),
        (5, (1.0, 0.89, 0.4), "recommended", "partly_sequential"),
        (5, (1.0, 0.9, 0.9), "recommended", "serial_by_need"),
        (5, (1.2, 0.4, 0.4), "potential", "parallel"),
        (5, (1.1, 1.0, 0.9), None, "serial_by_need"),
        (5, (1.1, 1.0, 0.89), "potential", "possibly_sequential"),
    ],
)
def test_first_condition_that_holds_decides(
    calls: int, numbers: tuple[float | None, float | None, float | None], advice: Advice | None, expected: str
) -> None:
    """*numbers* are concurrency, efficiency and efficiency floor."""
    findings = [] if advice is None else [finding(advice)]
    assert turn_verdict(calls, *numbers, findings) == expected
