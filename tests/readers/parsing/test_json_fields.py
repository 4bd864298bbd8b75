from __future__ import annotations

import pytest

from otel_parallelism.readers.parsing.field_errors import WrongFieldError
from otel_parallelism.readers.parsing.json_fields import time_ns


@pytest.mark.parametrize(
    "written",
    [
        "2026-11-29T10:00:00.25Z",
        "2026-11-29T10:00:00,250000000",
        "2026-11-29 10:00:00.25 UTC",
        "2026-11-29T15:30:00.250+05:30",
        "1795946400.25",
        1_795_946_400_250,
    ],
)
def test_each_form_is_the_same_time(written: object) -> None:
    assert time_ns(written) == 1_795_946_400_250_000_000


@pytest.mark.parametrize(
    "written", ["soon", "", "11/29/2026 10:00:00", "Sun, 29 Nov 2026 10:00:00 GMT", True, None, []]
)
def test_what_is_no_time_is_named(written: object) -> None:
    with pytest.raises(WrongFieldError, match="is not a time"):
        time_ns(written)
