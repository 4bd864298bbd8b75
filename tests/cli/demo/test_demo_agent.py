from __future__ import annotations

import pytest

from otel_parallelism import Report, subscribe
from otel_parallelism.cli.demo.demo_agent import Guide, plan_one_by_one, plan_together
from otel_parallelism.cli.demo.demo_server import serving


@pytest.mark.process
async def test_sequential_and_parallel_plans_return_the_same() -> None:
    reports: list[Report] = []
    unsubscribe = subscribe(reports.append)
    try:
        with serving() as port:
            one_by_one = await plan_one_by_one(Guide(port), "Lisbon")
            together = await plan_together(Guide(port), "Lisbon")
    finally:
        unsubscribe()
    assert one_by_one == together
    assert one_by_one[0] == "information about weather in Lisbon\n"
    assert [round(report.ratio or 0) for report in reports] == [1, 5]
