"""The findings of the lint that were drawn from well-known packages and read; see ``tests/bench/lint_packages.py``."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING

from otel_parallelism.lint.lint_findings import LINT_KINDS
from tests.bench import await_in_loop
from tests.bench.lint_packages import JUDGEMENTS, draw, linted, row
from tests.bench.source_proof import MOST_PER_FILE, packages

if TYPE_CHECKING:
    from pathlib import Path

FINDINGS = json.loads(JUDGEMENTS.read_text(encoding="utf-8"))["findings"]


def test_sixty_findings_were_read_and_at_least_95_percent_are_right() -> None:
    assert len(FINDINGS) == 60
    assert {one["judgement"] for one in FINDINGS} <= {"right", "wrong"}
    assert sum(one["judgement"] == "right" for one in FINDINGS) >= 57
    assert all(one["reason"] for one in FINDINGS)
    assert {one["package"] for one in FINDINGS} <= packages().keys()
    assert {one["kind"] for one in FINDINGS} == LINT_KINDS.keys()
    assert max(Counter(one["file"] for one in FINDINGS).values()) <= MOST_PER_FILE


def test_findings_are_drawn_at_most_three_from_one_file(tmp_path: Path) -> None:
    path = tmp_path / "poll.py"
    path.write_text("import time\nasync def poll():\n" + "    time.sleep(1)\n" * 5)
    found = {"shop==1": list(linted(path))}
    assert len(found["shop==1"]) == 5
    drawn = draw(found, 1, 60)
    assert len(drawn) == MOST_PER_FILE
    (tmp_path / "broken.py").write_text("async def (")
    assert linted(tmp_path / "broken.py") == ()
    assert draw(found, 1, 60) == drawn
    package, finding = drawn[0]
    assert row(package, finding, tmp_path) == {
        "package": "shop==1",
        "file": "poll.py",
        "line": finding.line,
        "end_line": finding.line,
        "kind": "blocking_call",
    }


def test_twenty_loops_that_only_the_other_rule_reports_were_read() -> None:
    read = json.loads(await_in_loop.JUDGEMENTS.read_text(encoding="utf-8"))["read"]
    theirs = read["only WPS476"]
    assert read["only await_in_loop"] == []  # it reports no loop that the other rule does not
    assert len(theirs) == 20
    assert {one["judgement"] for one in theirs} == {"needed", "together", "unsure"}
    assert all(one["reason"] for one in theirs)
    assert {one["package"] for one in theirs} <= packages().keys()
    assert max(Counter(one["file"] for one in theirs).values()) <= MOST_PER_FILE


def test_loops_are_drawn_at_most_three_from_one_file() -> None:
    loops = {("shop==1", "shop.py", line, line + 1) for line in range(9)} | {("shop==1", "page.py", 1, 2)}
    drawn = await_in_loop.drawn(loops, 1, 20)
    assert Counter(file for _, file, _, _ in drawn) == {"shop.py": 3, "page.py": 1}
    assert await_in_loop.drawn(loops, 1, 2) == drawn[:2]
