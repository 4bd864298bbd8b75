from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    Output = Callable[..., list[str]]


def test_aggregation(output: Output) -> None:
    assert output("aggregation.py") == [
        "left out: no reviews of ana",
        "one by one: get_profile, get_orders in 0.5 s, ratio 1.0",
        "left out: no reviews of ana",
        "together: get_profile, get_orders in 0.2 s, ratio 2.5",
    ]


def test_batch(output: Output) -> None:
    # 50 calls, and one more for each of the four lists that fail the first time.
    assert output("batch.py") == ["1000 texts in 54 calls, 10 at once"]


def test_dependency_graph(output: Output) -> None:
    lines = output("dependency_graph.py")
    assert lines[:5] == [
        "level 1: user, news",
        "level 2: orders",
        "level 3: invoices",
        "level 4: page",
        "critical path: user → orders → invoices → page, 0.70 s of 1.10 s of work",
    ]
    assert lines[5] == "2 invoices, no news"
    starts = {line.split()[0]: float(line.split()[1]) for line in lines[6:11]}
    assert starts["news"] < 0.1
    assert starts["user"] < starts["orders"] < starts["invoices"] < starts["page"]
    assert re.fullmatch(r"0\.7\d s for 1\.1\d s of work, ratio 1\.5\d", lines[11])
    assert lines[12].startswith("critical path: user → orders → invoices → page, 0.7")
