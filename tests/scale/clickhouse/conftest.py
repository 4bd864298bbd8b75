"""One session of ClickHouse for each module: a process can have only one at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.scale.clickhouse.collector_table import CollectorTable

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def table() -> Iterator[CollectorTable]:
    """Return ClickHouse with an empty table of spans."""
    made = CollectorTable()
    yield made
    made.close()
