"""What is silenced is counted and listed on request; findings over many turns become one text for a system prompt."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

SPANS = Path(__file__).parents[1] / "fixtures" / "spans" / "anthropic-native_content.jsonl"


def run(folder: Path, *arguments: str, **environ: str) -> str:
    command = [sys.executable, "-m", "otel_parallelism", "analyze", str(SPANS), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder, env={**BASE, **environ})  # noqa: S603 - our own command
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


BASE = {"PYTHONIOENCODING": "utf-8", "COLUMNS": "120"}


@pytest.fixture(autouse=True)
def _coverage(monkeypatch: pytest.MonkeyPatch) -> None:
    """Subprocesses keep the variables that coverage measures them by."""
    import os  # noqa: PLC0415 - only here

    for name, value in os.environ.items():
        if name.startswith(("COV", "PATH", "HOME", "LD_")):
            monkeypatch.setitem(BASE, name, value)


def test_a_cause_is_silenced_and_listed_on_request(tmp_path: Path) -> None:
    loud = json.loads(run(tmp_path, "--format", "json"))
    assert [finding["cause"] for turn in loud["turns"] for finding in turn["findings"]] == ["dispatch", "model"]
    quiet = json.loads(run(tmp_path, "--format", "json", OTEL_PARALLELISM_SILENCE="cause:model"))
    assert [finding["cause"] for turn in quiet["turns"] for finding in turn["findings"]] == ["dispatch"]
    assert [finding["cause"] for turn in quiet["turns"] for finding in turn["silenced"]] == ["model"]
    assert quiet["turns"][1]["avoidable"] == 0
    assert "1 finding of" in run(tmp_path, OTEL_PARALLELISM_SILENCE="cause:model")
    assert "[silenced]" not in run(tmp_path, OTEL_PARALLELISM_SILENCE="cause:model")
    assert "[silenced]" in run(tmp_path, "--show-silenced", OTEL_PARALLELISM_SILENCE="cause:model")


def test_the_projects_own_file_may_silence(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.otel-parallelism]\nsilence = ["get_*"]\n')
    quiet = json.loads(run(tmp_path, "--format", "json"))
    assert [turn["findings"] for turn in quiet["turns"]] == [[], [], []]


def test_the_prompt_names_the_tools_that_the_model_asked_for_one_at_a_time(tmp_path: Path) -> None:
    text = run(tmp_path, "--prompt")
    assert "ask for them in one response: get_weather, get_stock, get_news." in text
    # The other finding is the program's to mend, not the model's.
    assert text.count("get_weather") == 1
