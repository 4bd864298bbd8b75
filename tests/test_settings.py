"""Settings come from arguments, the environment and the project's file, in that order."""

from __future__ import annotations

from pathlib import Path

import pytest

from otel_parallelism.settings import Settings


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


def test_text_that_is_none_is_named_with_its_file(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_bytes(b'[tool.otel-parallelism]\nsilence = ["\xff"]\n')
    with pytest.raises(ValueError, match=r"pyproject.toml: .*utf-8"):
        Settings.from_environment({}, tmp_path)


@pytest.mark.parametrize(
    "content",
    [
        b"[tool.other]\nx = 1\n",
        b'[project]\nauthors = ["J\xf6rg"]\n',
        b"[project]\n# [tool.otel-parallelism]\n",
        b"[tool.other]\n#[tool.otel-parallelism]\n",
    ],
)
def test_another_projects_file_is_left_alone(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "pyproject.toml").write_bytes(content)
    assert Settings.from_environment({}, tmp_path) == Settings()


def test_a_file_that_may_not_be_read_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.otel-parallelism]\nmin-avoidable = 0.1\n")

    def denied(_: Path) -> bytes:
        raise PermissionError

    monkeypatch.setattr(Path, "read_bytes", denied)  # as root, any file may be read
    assert Settings.from_environment({}, tmp_path) == Settings()


def test_without_a_working_folder_there_is_no_projects_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert Settings.from_environment({}) == Settings()
