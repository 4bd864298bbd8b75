"""The notes of child processes: whole ones are read, whatever else the file has, and its size is bounded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from otel_parallelism import analyze_spans
from otel_parallelism.model import Coverage, SpanRecord
from otel_parallelism.processes import turn_log
from otel_parallelism.processes.following import light_report
from otel_parallelism.processes.turn_log import Note, TurnLog

if TYPE_CHECKING:
    from pathlib import Path

    from otel_parallelism.model import Report


@pytest.fixture
def log(tmp_path: Path) -> TurnLog:
    log = TurnLog(str(tmp_path / "folder"))
    log.create()
    return log


def note(process: str) -> Note:
    return Note(process, 1, 2, Coverage(3, 4, 5, 6))


def report() -> Report:
    def span(number: int, name: str, start: int, **attributes: object) -> SpanRecord:
        parent = "" if number == 1 else f"{1:016x}"
        return SpanRecord("1" * 32, f"{number:016x}", parent, name, start, start + 10**9, attributes)

    agent = span(
        1, "invoke_agent helper", 0, **{"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "helper"}
    )
    tools = (
        span(number, "get", number * 10**8, **{"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "get_a"})
        for number in (2, 3)
    )
    [found] = analyze_spans([agent, *tools]).reports
    return found


def test_notes_are_read_as_they_were_written(log: TurnLog) -> None:
    written = [note("a"), msgspec.structs.replace(note("b"), report=light_report(report())), note("c")]
    assert all(map(log.append, written))
    assert list(log.notes()) == written


def test_numbers_of_open_turns_are_read_as_they_come(log: TurnLog) -> None:
    numbers: dict[str, int] = {}
    assert log.open_turns(0, numbers) == 0
    log.append(note("a"))
    position = log.open_turns(0, numbers)
    assert numbers == {"a": 1}
    log.append(msgspec.structs.replace(note("a"), still_open=0, report=light_report(report())))
    log.append(note("b"))
    assert log.open_turns(position, numbers) > position
    assert numbers == {"a": 0, "b": 1}


def test_incomplete_note_costs_no_other(log: TurnLog, tmp_path: Path) -> None:
    log.append(note("first"))
    log.append(note("cut"))
    path = tmp_path / "folder" / "turns"
    path.write_bytes(path.read_bytes()[:-5])
    log.append(note("last"))
    assert [each.process for each in log.notes()] == ["first", "last"]
    path.write_bytes(path.read_bytes() + b"\x93opT")
    assert [each.process for each in log.notes()] == ["first", "last"]


def test_file_is_bounded(log: TurnLog, monkeypatch: pytest.MonkeyPatch) -> None:
    full = msgspec.structs.replace(note("full"), report=light_report(report()))
    assert log.append(full)
    monkeypatch.setattr(turn_log, "MOST_BYTES", 100)
    assert not log.append(full)
    assert log.append(note("numbers"))
    monkeypatch.setattr(turn_log, "ROOM_FOR_NUMBERS", 0)
    assert not log.append(note("numbers"))
    assert [each.process for each in log.notes()] == ["full", "numbers"]


def test_nothing_is_left_and_nothing_comes_back(log: TurnLog, tmp_path: Path) -> None:
    log.append(note("first"))
    log.remove()
    assert not log.append(note("later"))
    assert list(log.notes()) == []
    assert list(tmp_path.iterdir()) == []


def test_a_note_that_cannot_be_encoded_is_not_written(tmp_path: Path) -> None:
    log = TurnLog(str(tmp_path / "log"))
    log.create()
    assert not log.append(Note("1-a", 0, 2**70, Coverage()))
    assert log.append(Note("1-a", 0, 2, Coverage()))
    assert [note.omitted for note in log.notes()] == [2]
