"""Transcripts with anything in them are read as far as they go: nothing raises, and what is left out is counted."""

from __future__ import annotations

import json
import os
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from readers.sessions.written_sessions import WRITERS, Ask, Plan, Round, Session

from otel_parallelism.analysis.analyze import analyze_records
from otel_parallelism.dialects import classify
from otel_parallelism.readers.sessions import record_fields
from otel_parallelism.readers.sessions.agent_turns import TranscriptCounts
from otel_parallelism.readers.sessions.session_spans import session_spans
from otel_parallelism.readers.sessions.transcript_places import transcript_places, turns_in

if TYPE_CHECKING:
    from pathlib import Path

ASKS = [Ask("read", "/srv/shop/a.py", "x = 1"), Ask("command", "git status", "clean", failed=True)]
PLANS = [Plan("Look", [Round(2, ASKS), Round(2, [Ask("edit", "/srv/shop/a.py", "Updated.")])])] * 2
ODD: list[Any] = [None, 7, -1, 1e300, True, "", "soon", "\ud800", [], [None], {}, {"type": {}}, [[[]]], "\0", 2**63]


def changed(value: Any, random: Random, chance: float) -> Any:
    """Return *value* with some parts replaced by values of any type."""
    if random.random() < chance:
        return random.choice(ODD)
    if isinstance(value, dict):
        return {key: changed(inner, random, chance) for key, inner in value.items() if random.random() > chance / 4}
    if isinstance(value, list):
        return [changed(inner, random, chance) for inner in value]
    return value


def read(home: Path) -> TranscriptCounts:
    counts = TranscriptCounts()
    for turn in turns_in(transcript_places(home=home, environment={}), counts, project="*"):
        analyze_records(session_spans(turn), classify)
    return counts


@pytest.mark.parametrize("form", [form for form in WRITERS if form != "opencode 1.2"])
@pytest.mark.slow
def test_values_of_any_type_raise_nothing(tmp_path: Path, form: str) -> None:
    WRITERS[form](tmp_path, Session(PLANS))
    random = Random(form)  # noqa: S311 - a sample, no secret
    files = {path: path.read_text(encoding="utf-8") for path in tmp_path.rglob("*.json*")}
    for chance in (0.02, 0.2):
        for path, text in files.items():
            values = [json.loads(line) for line in text.splitlines()] if path.suffix == ".jsonl" else [json.loads(text)]
            path.write_text("".join(json.dumps(changed(value, random, chance)) + "\n" for value in values))
        read(tmp_path)


@pytest.mark.parametrize("form", WRITERS)
def test_cut_files_are_read_up_to_the_cut(tmp_path: Path, form: str) -> None:
    path = WRITERS[form](tmp_path, Session(PLANS))
    whole = path.read_bytes()
    for share in (0.0, 0.3, 0.77):
        path.write_bytes(whole[: int(len(whole) * share)])
        read(tmp_path)
    path.write_bytes(b"\xff\xfe" + whole[::-1])
    read(tmp_path)


def test_a_line_still_being_written_is_no_broken_line(tmp_path: Path) -> None:
    path = WRITERS["claude-code 2.1"](tmp_path, Session(PLANS))
    whole = path.read_text(encoding="utf-8")
    path.write_text(whole + '{"type":"assis', encoding="utf-8")
    assert read(tmp_path).broken == 0
    path.write_text("{broken}\n" + whole, encoding="utf-8")
    assert read(tmp_path).broken == 1


@pytest.mark.parametrize("form", ["claude-code 2.1", "codex 0.130", "gemini-cli 0.20"])
def test_a_byte_order_mark_costs_no_record(tmp_path: Path, form: str) -> None:
    path = WRITERS[form](tmp_path, Session(PLANS))
    whole = read(tmp_path)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n") + b"\r\n\0\0\0")
    marked = read(tmp_path)
    assert (marked.records, marked.broken, marked.unknown) == (whole.records, 0, whole.unknown)


def test_unknown_records_are_counted_by_their_kind(tmp_path: Path) -> None:
    path = WRITERS["codex 0.130"](tmp_path, Session(PLANS))
    more = [
        {"type": "brand_new"},
        {"type": "event_msg", "payload": {"type": "sang"}, "timestamp": "2026-11-02T09:00:00Z"},
    ]
    path.write_text(path.read_text() + "".join(json.dumps(record) + "\n" for record in [*more, more[0]]))
    assert dict(read(tmp_path).unknown) == {"codex: brand_new": 2, "codex: sang": 1}


def test_a_huge_line_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(record_fields, "LONGEST_LINE", 5_000)
    path = WRITERS["claude-code 1.0"](tmp_path, Session(PLANS))
    path.write_text(json.dumps({"type": "user", "message": "x" * 20_000}) + "\n" + path.read_text())
    counts = read(tmp_path)
    assert (counts.broken, counts.records > 10) == (1, True)


def test_only_files_are_read(tmp_path: Path) -> None:
    path = WRITERS["claude-code 2.1"](tmp_path, Session(PLANS))
    os.mkfifo(path.with_name("pipe.jsonl"))
    path.with_name("folder.jsonl").mkdir()
    path.with_name("loop.jsonl").symlink_to("loop.jsonl")
    (place,) = (place for place in transcript_places(home=tmp_path, environment={}) if place.files)
    assert place.files == (path,)


def test_deep_nesting_is_a_broken_line(tmp_path: Path) -> None:
    path = WRITERS["claude-code 1.0"](tmp_path, Session(PLANS))
    path.write_text("[" * 100_000 + "\n" + path.read_text())
    assert read(tmp_path).broken == 1


def test_items_without_a_time_are_counted(tmp_path: Path) -> None:
    path = tmp_path / ".codex" / "sessions" / "2025" / "rollout-old.jsonl"
    path.parent.mkdir(parents=True)
    records = [{"id": "a", "instructions": None}, {"type": "message", "role": "user", "content": []}]
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    assert (read(tmp_path).untimed, dict(read(tmp_path).unknown)) == (1, {})


def test_a_compressed_rollout_is_read(tmp_path: Path) -> None:
    zstandard = pytest.importorskip("zstandard")
    path = WRITERS["codex 0.130"](tmp_path, Session(PLANS))
    whole = read(tmp_path).records
    path.with_suffix(".jsonl.zst").write_bytes(zstandard.compress(path.read_bytes()))
    path.unlink()
    assert read(tmp_path).records == whole > 10
    path.with_suffix(".jsonl.zst").write_bytes(b"\x28\xb5\x2f\xfdbroken")
    assert len(read(tmp_path).unreadable) == 1
