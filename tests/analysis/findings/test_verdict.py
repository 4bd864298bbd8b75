from __future__ import annotations

from typing import Any

import pytest

from otel_parallelism.analysis.findings.verdict import VerdictFacts, turn_verdict


@pytest.mark.parametrize(
    ("calls", "numbers", "more", "expected"),
    [
        (0, (None, None, None), {"unseen": True}, "unseen"),
        (5, (None, None, None), {}, "single"),
        (1, (1.0, 1.0, 1.0), {}, "single"),
        (1, (1.0, 1.0, 0.9), {}, "single"),
        (1, (1.0, 1.0, 0.89), {}, "possibly_sequential"),
        (1, (1.0, 0.3, 0.3), {"loses": True}, "sequential"),
        (5, (3.0, None, None), {"contended": True}, "contended"),
        (5, (1.0, None, None), {"negligible": True}, "negligible"),
        (5, (1.0, 0.59, 0.4), {"loses": True}, "sequential"),
        (5, (2.0, 0.59, 0.4), {"loses": True}, "partly_sequential"),
        (5, (1.0, 0.6, 0.4), {"loses": True}, "partly_sequential"),
        (5, (1.0, 0.89, 0.4), {"loses": True}, "partly_sequential"),
        (5, (1.0, 0.59, 0.4), {}, "possibly_sequential"),
        (5, (1.0, 1.0, 1.0), {"accepted": True, "plain_efficiency": 0.89}, "accepted"),
        (5, (1.0, 1.0, 1.0), {"accepted": True, "plain_efficiency": 0.9}, "serial_by_need"),
        (5, (1.0, 0.5, 0.5), {"loses": True, "accepted": True, "plain_efficiency": 0.1}, "sequential"),
        (5, (1.0, 0.9, 0.9), {"loses": True}, "serial_by_need"),
        (5, (1.2, 0.9, 0.9), {}, "parallel"),
        (5, (1.2, 0.9, 0.89), {}, "possibly_sequential"),
        (5, (1.1, 1.0, 0.9), {}, "serial_by_need"),
        (5, (1.1, 1.0, 0.89), {}, "possibly_sequential"),
    ],
)
def test_first_condition_that_holds_decides(
    calls: int, numbers: tuple[float | None, float | None, float | None], more: dict[str, Any], expected: str
) -> None:
    """*numbers* are concurrency, efficiency and efficiency floor."""
    concurrency, efficiency, floor = numbers
    facts = VerdictFacts(calls=calls, concurrency=concurrency, efficiency=efficiency, floor=floor, **more)
    assert turn_verdict(facts) == expected
