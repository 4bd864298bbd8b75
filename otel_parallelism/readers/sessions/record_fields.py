"""Reads fields of records whose shape is not certain: a field of another type counts as absent."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import IO, TYPE_CHECKING, Any, Final

import msgspec

from otel_parallelism.errors import ParallelismError
from otel_parallelism.readers.parsing.opening import BYTE_ORDER_MARK, TooLargeError, broken_compression, decompressed
from otel_parallelism.settings import Settings

from .agent_turns import LONGEST_LINE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from .agent_turns import TranscriptCounts

COMPRESSED: Final = ".zst"
_MS: Final = 1_000_000
_LATEST_NS: Final = 2**62
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NOTHING: Final[Mapping[str, Any]] = {}


def record_text(record: Mapping[str, Any], *keys: str) -> str:
    """Return the first of *keys* that is a text; an empty one if none is."""
    return next((value for key in keys if isinstance(value := record.get(key), str)), "")


def record_part(record: Mapping[str, Any], *keys: str) -> Mapping[str, Any]:
    """Return the mapping that lies under *keys*, one inside the other; an empty one if there is none."""
    for key in keys:
        value = record.get(key)
        if not isinstance(value, dict):
            return _NOTHING
        record = value
    return record


def record_list(record: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    """Return the mappings in a list."""
    value = record.get(key)
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def record_number(record: Mapping[str, Any], *keys: str) -> int | None:
    """Return the first of *keys* that is a whole number and not negative."""
    for key in keys:
        value = record.get(key)
        if type(value) is int and 0 <= value < _LATEST_NS:
            return value
    return None


def iso_ns(value: object) -> int | None:
    """
    Return the nanoseconds since the epoch of a time in ISO 8601; None if *value* is none.

    >>> iso_ns("1970-01-01T00:00:01.500Z"), iso_ns("soon")
    (1500000000, None)
    """
    if not isinstance(value, str):
        return None
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        return None
    passed = (at if at.tzinfo else at.replace(tzinfo=UTC)) - _EPOCH
    found = ((passed.days * 86_400 + passed.seconds) * 1_000_000 + passed.microseconds) * 1_000
    return found if found > 0 else None


def milliseconds_ns(value: object) -> int | None:
    """Return the nanoseconds of a time in milliseconds since the epoch; None if *value* is none."""
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < _LATEST_NS / _MS:
        return round(value * _MS)
    return None


def seconds_ns(value: object) -> int | None:
    """Return the nanoseconds of a duration in seconds; None if *value* is none."""
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 10**7:
        return round(value * 10**9)
    return None


def decoded_json(data: bytes | str) -> Any:
    """
    Return the value that *data* has as JSON; None if it is broken, or nested too deeply.

    A byte order mark before it, and the null bytes that a crash can leave after it, are left out.
    """
    if isinstance(data, bytes):
        data = data.removeprefix(BYTE_ORDER_MARK).rstrip(b"\0")
    try:
        return msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeError, RecursionError, ValueError):
        return None


def json_lines(path: Path, counts: TranscriptCounts) -> Iterator[dict[str, Any]]:
    """
    Yield the objects in the lines of a file; other lines are counted as broken.

    A line that is still being written, the last one without an end, is left out.
    """
    try:
        with path.open("rb") as file:
            plain = file if path.suffix != COMPRESSED else decompressed(str(path), file, Settings())
            for line in _lines(plain, counts):
                value = decoded_json(line)
                if isinstance(value, dict):
                    yield value
                elif line.endswith(b"\n") and line.strip():
                    counts.broken += 1
    except (ParallelismError, TooLargeError) as error:
        counts.unreadable.append(str(error))
    except broken_compression() as error:
        counts.unreadable.append(f"{path}: its compression is broken ({error})")
    except OSError as error:
        counts.unreadable.append(f"{path}: {error.strerror or error}")


def _lines(file: IO[bytes], counts: TranscriptCounts) -> Iterator[bytes]:
    """Yield the lines of *file*; one that is too long is counted as broken."""
    while line := file.readline(LONGEST_LINE):
        if len(line) == LONGEST_LINE and not line.endswith(b"\n"):
            counts.broken += 1
            while (rest := file.readline(LONGEST_LINE)) and not rest.endswith(b"\n"):
                pass
            continue
        yield line


def json_file(path: Path, counts: TranscriptCounts) -> dict[str, Any] | None:
    """Return the object in a file of JSON; None, and counted, if there is none."""
    try:
        if path.stat().st_size > LONGEST_LINE:
            counts.unreadable.append(f"{path}: it is larger than {LONGEST_LINE:,} bytes")
            return None
        value = decoded_json(path.read_bytes())
    except OSError as error:
        counts.unreadable.append(f"{path}: {error.strerror or error}")
        return None
    if isinstance(value, dict):
        return value
    counts.broken += 1
    return None


def content_text(content: object) -> str:
    r"""
    Return the text of a message's content: a string, or a list of parts with a ``text`` each.

    >>> content_text([{"type": "text", "text": "a"}, {"type": "image"}, "b"])
    'a\nb'
    """
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return ""
    parts = (part if isinstance(part, str) else record_text(part, "text") for part in content if part)
    return "\n".join(part for part in parts if part)
