"""Reads the JSON report that an earlier command wrote, as far as another command needs it."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import msgspec

from otel_parallelism.errors import UnreadableError
from otel_parallelism.readers.parsing.opening import BYTE_ORDER_MARK
from otel_parallelism.reports.json import SCHEMA_VERSION

_Report = TypeVar("_Report")


class _Head(msgspec.Struct):
    schema_version: int = SCHEMA_VERSION


def stored_report(name: str, kind: type[_Report], expected: str) -> _Report:
    """
    Return the JSON report in the file called *name*.

    Args:
        name: The file, perhaps with a byte order mark before the text.
        kind: The type that the report is decoded to.
        expected: What messages say was expected.

    Raises:
        UnreadableError: The file cannot be read, is no such report, or has a newer schema than this version knows.
    """
    try:
        text = Path(name).read_bytes().removeprefix(BYTE_ORDER_MARK)
        version = msgspec.json.decode(text, type=_Head).schema_version
        if version > SCHEMA_VERSION:
            problem = f"its schema_version is {version}, which a later version of otel-parallelism wrote"
            raise UnreadableError(name, None, problem, f"a schema_version of at most {SCHEMA_VERSION}")
        return msgspec.json.decode(text, type=kind)
    except OSError as error:
        raise UnreadableError(name, None, error.strerror or str(error), expected) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UnreadableError(name, None, str(error), expected) from None
