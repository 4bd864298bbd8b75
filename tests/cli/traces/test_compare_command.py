"""``compare`` with real files: its reports, and the exit status that CI sees."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from tests.fleet.month import lines, month

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Invoke


def spans(invoke: Invoke, name: str, seed: int, faults: dict[int, int], turns: int = 240) -> Path:
    return invoke.write(name, "\n".join(lines(month(turns, seed, faults, agents=(3,)))) + "\n")


@pytest.fixture
def good(invoke: Invoke) -> Path:
    return spans(invoke, "good.jsonl", 1, {})


@pytest.fixture
def bad(invoke: Invoke) -> Path:
    return spans(invoke, "bad.jsonl", 2, {3: 1})


@pytest.mark.slow
def test_worse_ends_with_1_and_shows_turns_side_by_side(invoke: Invoke, good: Path, bad: Path) -> None:
    done = invoke("compare", good, bad, "-o", "c.html", "-o", "c.json", "--format", "text")
    assert done.returncode == 1
    text = done.stdout.decode()
    assert text.startswith("20 turns before, 20 after · worse: agent-03 · 1 new pattern\n")
    assert "\nNew\n  get_stock → get_reviews → get_offers · agent-03 · `model` · " in text
    document = json.loads((invoke.folder / "c.json").read_bytes())
    assert document["worse"] is True
    [pair] = document["pairs"]
    assert len(pair["before"]["calls"]) == len(pair["after"]["calls"]) == 3
    page = (invoke.folder / "c.html").read_text(encoding="utf-8")
    assert page.count("<svg") == 2
    assert "before and after" in page


@pytest.mark.slow
def test_no_worse_ends_with_0(invoke: Invoke, good: Path, bad: Path) -> None:
    better = invoke("compare", bad, good)
    assert better.returncode == 0
    assert b"better: agent-03" in better.stdout
    assert b"the prediction held" in better.stdout
    same = invoke("compare", good, good)
    assert (same.returncode, same.stdout.splitlines()[0]) == (
        0,
        "20 turns before, 20 after · no sure difference".encode(),
    )


@pytest.mark.slow
def test_one_input_shows_the_days(invoke: Invoke) -> None:
    began = spans(invoke, "began.jsonl", 3, {3: 15}, turns=900)
    done = invoke("compare", began, COLUMNS="160")
    assert done.returncode == 0
    assert re.search(rb"`model` \xc2\xb7 began (2026-11-14 to )?2026-11-15 \(0 %", done.stdout)


def test_bad_input_ends_with_2(invoke: Invoke, good: Path) -> None:
    assert invoke("compare", good, "nowhere.jsonl").returncode == 2
    empty = invoke("compare", good, good, "--agent", "another")
    why = "--since or --agent leaves out 20 turns, so none is left"
    assert (empty.returncode, empty.stderr) == (2, f"{why}\n{good}: no turn found\n".encode())
    assert invoke("compare", good, "-o", "x.parquet").returncode == 2
    assert b"nan is not in the range x>=0" in invoke("compare", good, good, "--tolerance", "nan").stderr
    assert invoke("compare", good, "-o", "good.jsonl").returncode == 2
