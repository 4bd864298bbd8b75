"""Silenced findings are counted and listed on request; ``--prompt`` writes one prompt for the findings of all turns."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .conftest import Invoke

SPANS = Path(__file__).parents[1] / "fixtures" / "spans" / "anthropic-native_content.jsonl"


def analyze(invoke: Invoke, *arguments: str, **environment: str) -> str:
    done = invoke("analyze", SPANS, *arguments, **environment)
    assert (done.returncode, done.stderr) == (0, b"")
    return done.stdout.decode()


def test_silenced_cause_is_listed_on_request(invoke: Invoke) -> None:
    loud = json.loads(analyze(invoke, "--format", "json"))
    assert [finding["cause"] for turn in loud["turns"] for finding in turn["findings"]] == ["dispatch", "model"]
    quiet = json.loads(analyze(invoke, "--format", "json", OTEL_PARALLELISM_SILENCE="cause:model"))
    assert [finding["cause"] for turn in quiet["turns"] for finding in turn["findings"]] == ["dispatch"]
    assert [finding["cause"] for turn in quiet["turns"] for finding in turn["silenced"]] == ["model"]
    assert quiet["turns"][1]["avoidable"] == 0
    assert "1 finding of" in analyze(invoke, OTEL_PARALLELISM_SILENCE="cause:model")
    assert "[silenced]" not in analyze(invoke, OTEL_PARALLELISM_SILENCE="cause:model")
    assert "[silenced]" in analyze(invoke, "--show-silenced", OTEL_PARALLELISM_SILENCE="cause:model")


def test_pyproject_can_silence(invoke: Invoke) -> None:
    invoke.write("pyproject.toml", '[tool.otel-parallelism]\nsilence = ["get_*"]\n')
    quiet = json.loads(analyze(invoke, "--format", "json"))
    assert [turn["findings"] for turn in quiet["turns"]] == [[], [], []]


def test_prompt_names_tools_that_the_model_requested_one_at_a_time(invoke: Invoke) -> None:
    text = analyze(invoke, "--prompt")
    assert "ask for them in one response: get_weather, get_stock, get_news." in text
    # The other finding has another cause than the model.
    assert text.count("get_weather") == 1
