"""The file of turns: each turn once, whole lines, one writer."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from otel_parallelism.scale.kafka import turn_file
from otel_parallelism.scale.kafka.turn_file import TurnFile, TurnFileError, TurnLine

if TYPE_CHECKING:
    from pathlib import Path


def line(number: int, span_id: str = "s") -> TurnLine:
    return TurnLine(f"t{number}", span_id, b'{"trace_id":"t%d","span_id":"%s","calls":1}' % (number, span_id.encode()))


def lines(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines(keepends=True)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "turns.jsonl"


def test_turns_that_the_file_has_are_not_written_again(path: Path) -> None:
    with TurnFile(str(path)) as file:
        file.write([line(1), line(2), line(2, "other")])
    with TurnFile(str(path)) as file:
        file.write([line(2), line(3)])
        file.expect_again([line(3)])
        file.write([line(3), line(4)])
    assert lines(path) == [one.json + b"\n" for one in (line(1), line(2), line(2, "other"), line(3), line(4))]


@pytest.mark.parametrize("partial", [b'{"trace_id":', b'{"trace_id":"t2","sp', line(2).json])
@pytest.mark.parametrize("whole", [0, 1, 3])
def test_a_line_that_was_written_in_part_is_written_again(path: Path, whole: int, partial: bytes) -> None:
    path.write_bytes(b"".join(line(10 + number).json + b"\n" for number in range(whole)) + partial)
    with TurnFile(str(path)) as file:
        file.write([line(2)])
    assert lines(path)[whole:] == [line(2).json + b"\n"]


@pytest.mark.parametrize("content", [b"notes", b"notes\n", b"[]\n", b'{"a":1}\n{"b":', b"\xff\xfe\n"])
def test_other_files_are_refused_and_stay(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(TurnFileError, match="it is not a file of turns"):
        TurnFile(str(path))
    assert path.read_bytes() == content


def test_only_the_end_of_a_large_file_is_read(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turn_file, "END_BYTES", 100)
    path.write_bytes(b"".join(line(number).json + b"\n" for number in range(20)) + line(20).json[:-3])
    with TurnFile(str(path)) as file:
        file.write([line(19), line(20), line(0)])
    assert lines(path)[-3:] == [line(number).json + b"\n" for number in (19, 20, 0)]


def test_a_second_writer_is_refused(path: Path) -> None:
    with TurnFile(str(path)), pytest.raises(TurnFileError, match="another process writes to it"):
        TurnFile(str(path))


@pytest.mark.parametrize("name", [".", "missing/turns.jsonl"])
def test_what_cannot_be_opened_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(TurnFileError, match=name):
        TurnFile(str(tmp_path / name))


def test_a_full_disk_leaves_no_partial_line(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, os.strerror(28))

    with TurnFile(str(path)) as file:
        file.write([line(1)])
        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(TurnFileError, match="No space left on device"):
            file.write([line(2)])
    assert lines(path) == [line(1).json + b"\n"]
