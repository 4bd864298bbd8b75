"""Settings come from arguments, the environment and the project's file, in that order."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import pytest

from otel_parallelism import settings as settings_module
from otel_parallelism.errors import ParallelismError, SettingError
from otel_parallelism.model import Cause
from otel_parallelism.names import CAUSES
from otel_parallelism.settings import Settings, read_settings, setting_problems
from otel_parallelism.tracing.install import usable_settings

if TYPE_CHECKING:
    from collections.abc import Callable


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


@pytest.mark.parametrize(
    "table",
    [
        "[tool.'otel-parallelism']\nmax-findings = 3",
        "[ tool . otel-parallelism ]\nmax-findings = 3",
        "[tool]\notel-parallelism.max-findings = 3",
        "tool.otel-parallelism = { max-findings = 3 }",
    ],
)
def test_every_form_of_the_table_is_read(tmp_path: Path, table: str) -> None:
    (tmp_path / "pyproject.toml").write_text(table)
    assert Settings.from_environment({}, tmp_path).max_findings == 3


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (
            "[[tool.otel-parallelism]]\nmax-findings = 3",
            "tool.otel-parallelism = [{'max-findings': 3}]: expected a table",
        ),
        ("[tool]\notel-parallelism = 'x'", "tool.otel-parallelism = 'x': expected a table"),
        ("[tool.otel_parallelism]\nx = 3", "[tool.otel_parallelism] is not read; is it [tool.otel-parallelism]?"),
    ],
)
def test_another_value_in_place_of_the_table_is_named(tmp_path: Path, content: str, problem: str) -> None:
    (tmp_path / "pyproject.toml").write_text(content)
    assert read_settings({}, tmp_path) == (Settings(), (f"{tmp_path / 'pyproject.toml'}: {problem}",))


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
        b"tool = 3\n#[tool.otel-parallelism]\n",
        b'[project]\ndependencies = ["otel-parallelism==1"]\n',
        b'[project]\nauthors = ["J\xf6rg"]\ndependencies = ["otel-parallelism==1"]\n',
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


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("min_avoidable", "soon", "a number of at least 0"),
        ("min_avoidable", -1, "a number of at least 0"),
        ("max_findings", 2.5, "a whole number of at least 0"),
        ("max_findings", True, "a whole number of at least 0"),
        ("evidence", "yes", "true or false"),
        ("silence", "git_*", "a list of strings"),
        ("silence", [1], "a list of strings"),
        ("emit", "smoke", "'event' or 'log' or 'both'"),
        ("silence", ("agents:night",), "tool, tool+tool, cause:model or agent:name"),
        ("silence", ("Cause:model",), "tool, tool+tool, cause:model or agent:name"),
        ("silence", ("kind:limit",), "tool, tool+tool, cause:model or agent:name"),
        ("silence", ("git_*", "move+"), "tool, tool+tool, cause:model or agent:name"),
        ("silence", ("agent:",), "agent: and a name"),
    ],
)
def test_wrong_argument_names_field_value_and_expectation(field: str, value: Any, expected: str) -> None:
    with pytest.raises(SettingError) as caught:
        Settings(**{field: value})
    assert str(caught.value) == f"{field}={value!r}: expected {expected}"
    assert {ParallelismError, TypeError, ValueError} <= set(type(caught.value).__mro__)


@pytest.mark.parametrize(("written", "meant"), [("models", "model"), ("Limit", "limit"), ("dispach", "dispatch")])
def test_unknown_cause_is_named_with_the_known_ones(tmp_path: Path, written: str, meant: str) -> None:
    (tmp_path / "pyproject.toml").write_text(f'[tool.otel-parallelism]\nsilence = ["git_*", "cause:{written}"]\n')
    settings, (problem,) = read_settings({}, tmp_path)
    assert settings.silence == ()
    assert "expected cause: and one of model, dispatch, blocking, limit, contention, code, intended, " in problem
    assert problem.endswith(f"; is it cause:{meant}?")
    with pytest.raises(SettingError, match=f"OTEL_PARALLELISM_SILENCE='cause:{written}': expected cause: and one of"):
        Settings.from_environment({"OTEL_PARALLELISM_SILENCE": f"cause:{written}"}, Path("/"))


@pytest.mark.parametrize("pattern", ["cause: model", "agent:night-*", "move+click", "mcp:search", "git_*", "*"])
def test_patterns_that_can_match_are_accepted(pattern: str) -> None:
    assert Settings(silence=(pattern,)).silence == (pattern,)


def test_the_known_causes_are_those_of_findings() -> None:
    assert get_args(Cause) == CAUSES
    for cause in CAUSES:
        assert Settings(silence=(f"cause:{cause}",))


def test_list_becomes_tuple() -> None:
    assert Settings(silence=["git_*"]).silence == ("git_*",)  # type: ignore[arg-type] # what users write


def test_wrong_values_are_left_at_their_default(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.otel-parallelism]\nmax-findings = "x"\nsped = 1\nwrites = ["a"]\n')
    environ = {"OTEL_PARALLELISM_EVIDENCE": "fasle", "OTEL_PARALLELISM_MIN_AVOIDABLE": "0.2"}
    settings, problems = read_settings(environ, tmp_path)
    assert settings == Settings(min_avoidable=0.2, writes=("a",))
    file = tmp_path / "pyproject.toml"
    assert problems == (
        f"{file}: [tool.otel-parallelism] max-findings = 'x': expected a whole number of at least 0",
        f"{file}: [tool.otel-parallelism] has no setting 'sped'",
        "OTEL_PARALLELISM_EVIDENCE='fasle': expected true or false",
    )


def test_each_problem_is_logged_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OTEL_PARALLELISM_MAX_AGENTS", "many")
    with caplog.at_level(logging.WARNING):
        assert usable_settings() == usable_settings() == Settings()
    assert [entry.getMessage() for entry in caplog.records] == [
        "ignored: OTEL_PARALLELISM_MAX_AGENTS='many': expected a whole number of at least 0"
    ]


def test_misspelt_variable_is_a_problem_with_a_suggestion(tmp_path: Path) -> None:
    assert setting_problems({"OTEL_PARALLELISM_SILENT": "x", "OTEL_PARALLELISM_DISABLED": "true"}, tmp_path) == (
        "OTEL_PARALLELISM_SILENT is no variable of this package; is it OTEL_PARALLELISM_SILENCE?",
    )


@pytest.mark.parametrize("read", [usable_settings, Settings.from_environment])
def test_misspelt_variable_is_warned_of_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture, read: Callable[[], Settings]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(settings_module, "_warned", set())
    monkeypatch.setenv("OTEL_PARALELISM_EMIT", "log")
    monkeypatch.setenv("OTEL_PARALLELISM_\x1b[2J", "1")
    monkeypatch.setenv("OTEL_PARSER", "1")
    assert read() == read() == Settings()
    assert [entry.getMessage() for entry in caplog.records] == [
        "ignored: OTEL_PARALELISM_EMIT is no variable of this package; is it OTEL_PARALLELISM_EMIT?",
        "ignored: OTEL_PARALLELISM_?[2J is no variable of this package",
    ]


def test_a_package_that_is_switched_off_warns_of_nothing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(settings_module, "_warned", set())
    monkeypatch.setenv("OTEL_PARALLELISM_DISABLED", "true")
    monkeypatch.setenv("OTEL_PARALLELISM_SILENT", "x")
    assert usable_settings().disabled
    assert not caplog.records


@pytest.mark.parametrize(
    ("environ", "disabled"),
    [
        ({"OTEL_PARALLELISM_DISABLED": "true"}, True),
        ({"OTEL_PARALLELISM_DISABLED": "1"}, True),
        ({"OTEL_PARALLELISM_DISABLED": "false"}, False),
        ({"OTEL_SDK_DISABLED": "TRUE"}, True),
        ({"OTEL_SDK_DISABLED": "1"}, False),  # as OpenTelemetry's specification says
        ({}, False),
    ],
)
def test_variables_that_switch_everything_off(environ: dict[str, str], disabled: bool, tmp_path: Path) -> None:
    assert Settings.from_environment(environ, tmp_path).disabled is disabled
