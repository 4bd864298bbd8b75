"""Settings come from arguments, the environment and the project's file, in that order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from otel_parallelism.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path


def test_defaults_are_found_where_nothing_is_set(tmp_path: Path) -> None:
    assert Settings.from_environment({}, tmp_path) == Settings()


def test_an_argument_wins_over_a_variable_and_a_variable_over_the_table(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        '[tool.otel-parallelism]\nmin-avoidable = 0.1\nwrites = ["book_*"]\nmax_findings = 3\n'
    )
    environ = {"OTEL_PARALLELISM_MIN_AVOIDABLE": "0.2", "OTEL_PARALLELISM_MAX_FINDINGS": "4"}
    inner = tmp_path / "inner"
    inner.mkdir()
    settings = Settings.from_environment(environ, inner, max_findings=5)
    assert (settings.min_avoidable, settings.writes, settings.max_findings) == (0.2, ("book_*",), 5)


@pytest.mark.parametrize(
    ("text", "wanted"), [("true", True), ("SPAN_ONLY", True), ("false", False), ("NO_CONTENT", False), ("0", False)]
)
def test_the_standard_variable_decides_about_content(tmp_path: Path, text: str, wanted: bool) -> None:
    environ = {"OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": text}
    assert Settings.from_environment(environ, tmp_path).capture_content is wanted


def test_lists_are_separated_by_commas(tmp_path: Path) -> None:
    environ = {"OTEL_PARALLELISM_READ_ONLY": "get_*, list_* ,"}
    assert Settings.from_environment(environ, tmp_path).read_only == ("get_*", "list_*")


def test_a_variable_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="OTEL_PARALLELISM_MIN_AVOIDABLE='soon'"):
        Settings.from_environment({"OTEL_PARALLELISM_MIN_AVOIDABLE": "soon"}, tmp_path)
    with pytest.raises(ValueError, match="OTEL_PARALLELISM_EMIT='smoke'"):
        Settings.from_environment({"OTEL_PARALLELISM_EMIT": "smoke"}, tmp_path)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ('speed = "high"', "pyproject.toml.*no setting 'speed'"),
        ('min-avoidable = "high"', "pyproject.toml.*min-avoidable"),
        ("writes = ", "pyproject.toml"),
    ],
)
def test_an_entry_that_cannot_be_read_is_named_with_its_file(tmp_path: Path, table: str, message: str) -> None:
    (tmp_path / "pyproject.toml").write_text(f"[tool.otel-parallelism]\n{table}\n")
    with pytest.raises(ValueError, match=message):
        Settings.from_environment({}, tmp_path)


def test_another_projects_file_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.other]\nx = 1\n")
    assert Settings.from_environment({}, tmp_path) == Settings()
