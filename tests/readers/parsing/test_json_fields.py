from __future__ import annotations

from decimal import Decimal

import pytest

from otel_parallelism.readers.parsing.field_errors import WrongFieldError
from otel_parallelism.readers.parsing.json_fields import end_ns, hex_id, parent_id, time_ns


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


@pytest.mark.parametrize("unit_ns", [0, 1, 1_000, 10**9])
@pytest.mark.parametrize("written", [1 << 64, 10**30, "9" * 30, -(1 << 64), float("inf"), float("nan")])
def test_a_time_past_the_range_of_otlp_is_named(written: object, unit_ns: int) -> None:
    with pytest.raises(WrongFieldError, match="a time is out of range"):
        time_ns(written, unit_ns)


def test_a_decimal_is_a_number() -> None:
    assert time_ns(Decimal(1795946400250), 10**6) == time_ns(Decimal("1795946400.25")) == 1_795_946_400_250_000_000
    with pytest.raises(WrongFieldError, match="is not a time"):
        time_ns(Decimal("NaN"))


def test_a_span_without_a_duration_has_not_ended() -> None:
    assert (end_ns(5, None, 1_000), end_ns(5, 2, 1_000)) == (0, 2_005)


@pytest.mark.parametrize("written", ["0" * 16, "0x00", "00000000-0000-0000-0000-000000000000", 0, "", None, True])
def test_an_id_of_zeros_is_none(written: object) -> None:
    with pytest.raises(WrongFieldError, match="is not an id"):
        hex_id(written)
    assert written is True or parent_id(written) == ""
