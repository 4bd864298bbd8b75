"""``otel-parallelism kafka`` says in one line why it cannot begin."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from otel_parallelism.cli import commands

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result


def run(*arguments: object) -> Result:
    return CliRunner().invoke(commands, ["kafka", *map(str, arguments)])


def test_brokers_are_needed(tmp_path: Path) -> None:
    done = run("--out", tmp_path / "turns.jsonl")
    assert (done.exit_code, "give --brokers, or bootstrap.servers in the file of --properties" in done.output) == (
        2,
        True,
    )


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("\n# a comment\nsasl.mechanism\n", "client.properties:3: expected KEY=VALUE."),
        ("=x", "client.properties:1: expected KEY=VALUE."),
        ("enable.auto.commit = true", "client.properties:1: enable.auto.commit cannot be set"),
    ],
)
def test_lines_of_the_properties_are_named(tmp_path: Path, text: str, problem: str) -> None:
    path = tmp_path / "client.properties"
    path.write_text(text, encoding="utf-8")
    done = run("--out", tmp_path / "turns.jsonl", "--properties", path)
    assert (done.exit_code, problem in done.output) == (2, True)
    assert not (tmp_path / "turns.jsonl").exists()


def test_an_unknown_property_is_named(tmp_path: Path) -> None:
    pytest.importorskip("confluent_kafka", reason="confluent-kafka is not installed (dependency group loops)")
    path = tmp_path / "client.properties"
    path.write_bytes(b"no.such.key\xff=1\n")
    done = run("--out", tmp_path / "turns.jsonl", "--brokers", "127.0.0.1:1", "--properties", path)
    assert (done.exit_code, "wrong configuration: " in done.output, done.output.count("\n")) == (2, True, 1)


def test_a_file_of_something_else_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("notes\n", encoding="utf-8")
    done = run("--out", path, "--brokers", "127.0.0.1:1")
    assert (done.exit_code, done.output) == (2, f"{path}: it is not a file of turns\n")


def test_the_package_that_is_missing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "confluent_kafka", None)
    done = run("--out", tmp_path / "turns.jsonl", "--brokers", "127.0.0.1:1")
    message = "confluent-kafka is not installed: pip install 'otel-parallelism[kafka]'\n"
    assert (done.exit_code, done.output) == (2, message)
