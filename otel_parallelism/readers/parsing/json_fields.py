"""Reads the fields that formats write in different ways: times, ids, kinds, and attributes in nested objects."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final, TypeAlias

import msgspec

from otel_parallelism.long_numbers import MAX_DIGITS
from otel_parallelism.model import SpanRecord

from .field_errors import WrongFieldError

Fields: TypeAlias = Mapping[str, object]
"""One JSON object."""

_FRACTION = re.compile(r"[.,](\d+)")
_NANOSECONDS = 9
_UUID_LENGTH = 36
_S: Final = 1_000_000_000
_MS: Final = 1_000_000
# Seconds since the epoch stay below the first until the year 5138, milliseconds below the second, and so on.
_UNITS: Final = ((10**11, _S), (10**14, _MS), (10**17, 1_000), (10**21, 1))
_SINCE_NS: Final = 10**17
_LATEST_NS: Final = 1 << 64
"""Some 585 years after the epoch; OTLP's type of a time holds no later one."""
_KINDS: Final = {"INTERNAL": 1, "SERVER": 2, "CLIENT": 3, "PRODUCER": 4, "CONSUMER": 5}


class JsonFormat(msgspec.Struct, frozen=True):
    """
    One format other than OTLP.

    ``recognizes`` says whether a JSON object is of the format; ``spans`` returns its spans. It raises ``ValueError`` or
    ``UnknownFormatError`` for what it cannot read. Of several that recognize an object, the lowest ``rank`` reads it.
    """

    name: str
    recognizes: Callable[[Fields], bool]
    spans: Callable[[Fields], list[SpanRecord]]
    rank: int = 0


def objects(value: object) -> list[Fields]:
    """Return the objects in *value*, if it is a list; else none."""
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def listed_objects(value: object) -> list[Fields]:
    """Return the objects in a list, or in the lists in a list."""
    lists = [item for item in value if isinstance(item, list)] if isinstance(value, list) else []
    return objects(value) or [item for inner in lists for item in objects(inner)]


def fields(value: object) -> Fields:
    """Return *value* if it is an object, else an empty one."""
    return value if isinstance(value, Mapping) else {}


def string(value: object) -> str:
    """Return *value* if it is a text, else an empty one."""
    return value if isinstance(value, str) else ""


def hex_id(value: object) -> str:
    """
    Return an id as lower-case hex: a text, a UUID, or a number.

    Raises:
        WrongFieldError: There is none, or it is all zeros: such spans would count as one span.
    """
    if isinstance(value, bool) or value in (None, "", 0):
        raise WrongFieldError("an empty value is not an id")
    found = _hex(value)
    if not found.strip("0"):
        raise WrongFieldError("an empty or zero text is not an id")
    return found


def parent_id(value: object) -> str:
    """Return the id of a parent, empty for none or for all zeros."""
    found = "" if value in (None, "", 0) else _hex(value)
    return found if found.strip("0") else ""


def _hex(value: object) -> str:
    if isinstance(value, int):
        return f"{value:x}"
    written = str(value).lower().removeprefix("0x")
    return written.replace("-", "") if len(written) == _UUID_LENGTH else written


def time_ns(value: object, unit_ns: int = 0) -> int:
    """
    Return a time in nanoseconds since the epoch.

    Args:
        value: ISO 8601 text, which is in UTC unless it has an offset, or a number, which can be written as text. After
            the text ``UTC`` may stand, as BigQuery writes it.
        unit_ns: What a number counts, in nanoseconds; 0 to tell by its size.

    Raises:
        WrongFieldError: It is neither, or out of range.

    >>> time_ns("1970-01-01T00:00:01.5Z"), time_ns(1_700_000_000_000), time_ns(5, 1_000)
    (1500000000, 1700000000000000000, 5000)
    """
    if type(value) is int and _SINCE_NS <= value < _LATEST_NS and unit_ns <= 1:
        return value
    if isinstance(value, str) and value.lstrip("-").replace(".", "", 1).isdigit():
        # Python converts no longer text, and no time has so many digits.
        value = int(value) if "." not in value and len(value) <= MAX_DIGITS else float(value)
    if isinstance(value, Decimal) and value.is_finite():
        value = int(value) if value == int(value) else float(value)  # as some databases write whole numbers
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise WrongFieldError("an empty value, or one of another type, is not a time")
    if isinstance(value, str):
        return _iso_ns(value)
    size = abs(value)
    unit = unit_ns or next((unit for limit, unit in _UNITS if size < limit), 1)
    if not size * unit < _LATEST_NS:  # NaN too
        raise WrongFieldError("a time is out of range")
    # A floating-point product would be exact to some 200 ns only.
    whole = int(value)
    return whole * unit + round((value - whole) * unit)


def end_ns(start_ns: int, duration: object, unit_ns: int) -> int:
    """
    Return the end of a span in nanoseconds: 0, as of a span that has not ended, if its duration is None.

    Args:
        start_ns: Its start.
        duration: How long it took, as `time_ns` reads it.
        unit_ns: What a number counts, in nanoseconds.

    Raises:
        WrongFieldError: The duration is not a number, or out of range.
    """
    return 0 if duration is None else start_ns + time_ns(duration, unit_ns)


def _iso_ns(written: str) -> int:
    # Python keeps six digits of a fraction; some exporters write nine.
    fraction = _FRACTION.search(written)
    try:
        moment = datetime.fromisoformat(_FRACTION.sub("", written, count=1).removesuffix(" UTC"))
    except ValueError:
        raise WrongFieldError("a text that is not in ISO 8601 is not a time") from None
    since = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - datetime(1970, 1, 1, tzinfo=UTC)
    digits = fraction[1][:_NANOSECONDS].ljust(_NANOSECONDS, "0") if fraction else "0"
    return (since.days * 86_400 + since.seconds) * _S + int(digits)


def kind_number(value: object) -> int:
    """Return OTLP's number of a span's kind: written as such, or by name in any of the usual ways."""
    if isinstance(value, int):
        return value
    return _kind_called(string(value))


@functools.lru_cache(64)
def _kind_called(name: str) -> int:
    return _KINDS.get(name.upper().rpartition(".")[2].removeprefix("SPAN_KIND_"), 0)


def flattened(value: Fields, prefix: str = "") -> dict[str, object]:
    """
    Return nested objects as one, with dotted keys.

    >>> flattened({"a": {"b": 1}, "c.d": [2]})
    {'a.b': 1, 'c.d': [2]}
    """
    flat: dict[str, object] = {}
    for key, item in value.items():
        if isinstance(item, Mapping) and item:
            flat.update(flattened(item, f"{prefix}{key}."))
        else:
            flat[f"{prefix}{key}"] = item
    return flat


def as_json(value: object) -> str:
    """Return *value* as JSON text, as span attributes hold it; a text stays as it is."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def without_empty(attributes: Fields) -> dict[str, object]:
    """Return *attributes* without those that are null."""
    return {key: value for key, value in attributes.items() if value is not None}
