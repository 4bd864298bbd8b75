"""Inputs of several files: one that cannot be read costs nothing else, and is named; and which files a folder has."""

from __future__ import annotations

import gzip
import json
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from otel_parallelism.cli.traces import span_inputs
from otel_parallelism.cli.traces.span_inputs import expanded

if TYPE_CHECKING:
    from tests.cli.conftest import Invoke, Shell

GOOD = Path(__file__).parents[2] / "fixtures" / "spans" / "mastra-native.jsonl"
BAD = {
    "binary": (b"\0\1\2\3" * 20, "it is binary data of an unknown format"),
    "cut.gz": (gzip.compress(GOOD.read_bytes())[:9], "the compressed data is broken"),
    "empty.json": (b"", "it is empty"),
    "logs.json": (b'{"resourceLogs":[]}\n', "it holds logs and no spans"),
    "notes.md": (b"# Notes\n", "it is not JSON"),
}
"""What cannot be read, and why not."""


@pytest.fixture
def folder(invoke: Invoke) -> Path:
    """Return a folder with one file of spans and some that are none."""
    folder = invoke.folder / "day"
    folder.mkdir()
    shutil.copy(GOOD, folder / "good.jsonl")
    for name, (content, _) in BAD.items():
        (folder / name).write_bytes(content)
    (folder / "gone.jsonl").symlink_to("nowhere")
    return folder


def test_unreadable_files_of_a_folder_are_named_and_the_rest_is_reported(invoke: Invoke, folder: Path) -> None:
    expected = json.loads(invoke("analyze", GOOD, "--format", "json").stdout)
    done = invoke("analyze", folder.name, "--format", "json")
    assert done.returncode == 2
    assert json.loads(done.stdout) == expected
    lines = dict(line.removeprefix("day/").split(":", 1) for line in done.stderr.decode().splitlines())
    assert set(lines) == {*BAD, "gone.jsonl"}
    for name, (_, reason) in BAD.items():
        assert reason in lines[name]
        assert lines[name].endswith("; the other files are read")
        assert "expected " in lines[name]


@pytest.mark.process
def test_several_processes_skip_the_same_files(shell: Shell, folder: Path) -> None:
    one, two = (shell("analyze", folder, "--jobs", jobs) for jobs in ("1", "2"))
    assert (one.returncode, one.stdout, one.stderr) == (two.returncode, two.stdout, two.stderr)
    assert one.returncode == 2


def test_status_of_an_unreadable_file_wins_over_that_of_the_gate(invoke: Invoke, folder: Path) -> None:
    assert invoke("analyze", GOOD, "--fail-under-efficiency", "1").returncode == 1
    assert invoke("analyze", folder, "--fail-under-efficiency", "1").returncode == 2


@pytest.mark.parametrize(
    "command",
    ["analyze", pytest.param("analyze --jobs 2", marks=pytest.mark.process), "fleet", "compare", "fix"],
)
def test_nothing_is_reported_if_no_file_can_be_read(invoke: Invoke, folder: Path, command: str) -> None:
    (folder / "good.jsonl").unlink()
    before = invoke.write("report.json", "{}")
    output = [] if command == "fix" else ["-o", "report.json"]
    done = invoke(*command.split(), folder.name, *output)
    assert (done.stdout, done.returncode) == (b"", 2)
    assert done.stderr.decode().count("\n") == len(BAD) + 1
    assert before.read_text() == "{}"


def test_fleet_counts_the_files_that_can_be_read(invoke: Invoke, folder: Path) -> None:
    expected = invoke("fleet", GOOD, "--format", "json")
    done = invoke("fleet", folder, "--format", "json")
    assert (done.returncode, expected.returncode) == (2, 0)
    assert done.stdout == expected.stdout
    assert done.stderr.count(b"; the other files are read\n") == len(BAD) + 1


def test_compare_compares_the_files_that_can_be_read(invoke: Invoke, folder: Path) -> None:
    expected = invoke("compare", GOOD, GOOD, "--format", "json")
    for sides in ((folder, GOOD), (GOOD, folder)):
        done = invoke("compare", *sides, "--format", "json")
        assert (done.returncode, done.stdout) == (2, expected.stdout)
        assert b"empty.json: it is empty" in done.stderr


def test_fix_names_the_files_that_it_skips_once(invoke: Invoke, folder: Path) -> None:
    expected = invoke("fix", GOOD)
    done = invoke("fix", folder)
    assert (expected.returncode, done.returncode) == (1, 2)
    assert done.stdout == expected.stdout
    assert done.stderr.count(b"empty.json: it is empty") == 1


def test_many_unreadable_files_are_counted(invoke: Invoke, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setattr(span_inputs, "MAX_FILE_MESSAGES", 2)
    *named, rest = invoke("analyze", folder).stderr.decode().splitlines()
    assert len(named) == 2
    assert rest == f"{len(BAD) - 1} more files could not be read"


def test_a_folder_has_the_files_at_any_depth_that_are_not_hidden(tmp_path: Path) -> None:
    for name in ("b/x.json", "a.json", "b/.x.json", ".git/x.json", "b/.c/x.json", "c/data.parquet", "c/meta.json"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link.json").symlink_to("a.json")
    (tmp_path / "loop.json").symlink_to("loop.json")
    (tmp_path / "b" / "up").symlink_to("..")
    assert expanded([str(tmp_path)]) == [
        str(tmp_path / name) for name in ("a.json", "b/x.json", "c/data.parquet", "link.json", "loop.json")
    ]


def test_a_folder_that_may_not_be_read_is_named(invoke: Invoke, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    closed = folder / "closed"
    closed.mkdir()
    scan = os.scandir

    def scandir(path: str) -> object:
        if Path(path) == closed:
            raise PermissionError(13, "Permission denied", str(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", scandir)  # as root, any folder may be read
    done = invoke("analyze", folder)
    assert done.returncode == 2
    assert f"{closed}: it is a directory" in done.stderr.decode()
