"""The findings of the lint that were drawn from well-known packages and read; see ``tests/bench/lint_packages.py``."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING

from otel_parallelism.lint.lint_findings import LINT_KINDS
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
