"""``fleet`` with real files: its reports, its options and its errors."""

from __future__ import annotations

import json
import shutil
import sys
from typing import TYPE_CHECKING

import pytest

from tests.fleet.month import lines, month

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Invoke


@pytest.fixture
def spans(invoke: Invoke) -> Path:
    return invoke.write("spans.jsonl", "\n".join(lines(month(36, faults={3: 1, 7: 1}))) + "\n")


@pytest.mark.slow
def test_report_as_text_says_where_to_start(invoke: Invoke, spans: Path) -> None:
    done = invoke("fleet", spans, "--by", "agent", "--price", "3")
    assert (done.stderr, done.returncode) == (b"", 0)
    text = done.stdout.decode()
    assert text.startswith("36 turns · 2026-11-01 to 2026-11-30 · ")
    assert "Fixing the first two would have saved " in text
    assert "  1 get_stock → get_reviews → get_offers · 2 turns · " in text
    assert "`model` · 5,000 input tokens (costing 0.01)" in " ".join(text.split())
    assert "\nBy agent\n" in text
    assert "By tool" not in text


@pytest.mark.slow
def test_forms_follow_the_suffixes(invoke: Invoke, spans: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    done = invoke("fleet", spans, "-o", "r.json", "-o", "r.html", "-o", "r.txt", "-o", "turns.parquet")
    assert (done.stdout, done.returncode) == (b"", 0)
    document = json.loads((invoke.folder / "r.json").read_bytes())
    assert document["total"]["turns"] == 36
    assert set(document["groups"]) == {"agent", "tool", "cause", "place", "day"}
    page = (invoke.folder / "r.html").read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    assert "<script" not in page
    turns = parquet.read_table(invoke.folder / "turns.parquet").to_pylist()
    findings = parquet.read_table(invoke.folder / "turns-findings.parquet").to_pylist()
    assert len(turns) == 36
    assert len(findings) == document["total"]["findings"]
    assert sum(row["lost"] for row in turns) == pytest.approx(document["total"]["lost"])
    assert {row["span_id"] for row in findings} <= {row["span_id"] for row in turns}


def test_names_in_a_page_are_escaped(invoke: Invoke) -> None:
    [text] = lines(month(1))
    page = invoke("fleet", invoke.write("s.jsonl", text.replace("agent-00", "<b>&")), "--format", "html").stdout
    assert b"&lt;b&gt;&amp;" in page
    assert b"<b>" not in page


@pytest.mark.slow
def test_since_and_agent_choose_turns(invoke: Invoke, spans: Path) -> None:
    def turns(*options: str) -> int:
        return int(json.loads(invoke("fleet", spans, "--format", "json", *options).stdout)["total"]["turns"])

    assert turns("--agent", "agent-0[37]") == 6
    assert turns("--since", "2026-11-16") == 18
    assert turns("--since", "2026-11-16T00:00:00+00:00", "--agent", "agent-03") == 1
    assert turns("--since", "2999-01-01") == 0


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--since", "tomorrow"], "is no date"),
        (["--cached-price", "1"], "--cached-price needs --price"),
        (["--price", "nan"], "nan is not in the range x>=0"),
        (["--price", "inf"], "inf is not in the range x>=0"),
        (["spans.json", "-o", "spans.json"], "is an input and cannot be an output too"),
        (["-o", "x.jsonl"], "a report on many turns is text, .json, .html or .parquet"),
        (["-o", "x.trace.json"], "a report on many turns is text, .json, .html or .parquet"),
        (["--by", "user"], "is not one of"),
    ],
)
def test_wrong_options(invoke: Invoke, spans: Path, options: list[str], said: str) -> None:
    shutil.copy(spans, spans.with_suffix(".json"))
    done = invoke("fleet", spans.name, *options)
    assert done.returncode == 2
    assert said in done.stderr.decode()
    assert spans.stat().st_size


def test_missing_file_and_missing_pyarrow(invoke: Invoke, spans: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert invoke("fleet", "nowhere.jsonl").returncode == 2
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    done = invoke("fleet", spans, "-o", "turns.parquet")
    assert done.returncode == 2
    assert done.stderr == b"Parquet needs pyarrow: pip install 'otel-parallelism[parquet]'\n"
