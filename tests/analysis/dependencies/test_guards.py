from __future__ import annotations

import pytest

from otel_parallelism.analysis.dependencies.guards import tells_time


@pytest.mark.parametrize("at_ns", [10**25, -(10**25), 2**64, -1])
def test_time_outside_of_all_calendars_is_no_error(at_ns: int) -> None:
    assert not tells_time("get_status", {"as_of": "2026-01-01T00:00"}, at_ns)
    assert tells_time("get_current_time", None, at_ns)
