"""``opentelemetry-instrument python agent.py``: the result arrives at a real OTLP receiver, on the turn's span."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from typing import TYPE_CHECKING

from frameworks.receiving import attributes, exported, shown, turns_of
from frameworks.scenarios import ANSWER

from otel_parallelism import names

if TYPE_CHECKING:
    import pytest
    from frameworks.behaviour import Behaviour, Dispatch

README = Path(__file__).parents[2] / "README.md"
BLOCK = re.compile(r"\$ opentelemetry-instrument python agent\.py\n(.*?)\n```", re.DOTALL)
SHOWN = "anthropic"
"""The framework whose turn README shows."""


async def test_the_result_is_on_the_turns_span(request: pytest.FixtureRequest) -> None:
    name = request.config.getoption("--framework")
    behaviour: Behaviour = importlib.import_module(f"frameworks.contract.{name}").BEHAVIOUR
    dispatch: Dispatch | None = behaviour.asynchronous or behaviour.blocking
    assert dispatch is not None

    output, spans = await exported(name)

    assert ANSWER in output
    turns = turns_of(spans)
    written = [attributes(span) for span in turns]
    # What only wraps a turn, as a crew does its only agent, has that one's result.
    assert len({(found[names.RATIO], found[names.CALLS]) for found in written}) == 1, [span.name for span in spans]
    turn = written[0]
    assert turn[names.CALLS] == 3
    assert turn[names.COVERAGE] == 1.0
    assert turn[names.PEAK_CONCURRENCY] == dispatch.peak
    assert turn[names.VERDICT] == ("parallel" if dispatch.cause is None else "sequential")
    assert turn.get(names.CAUSE) == dispatch.cause
    if name == SHOWN:
        (block,) = BLOCK.findall(README.read_text(encoding="utf-8"))
        assert numberless(block) == numberless(shown(turns[0])), "run: python -m frameworks.receiving anthropic"


def numberless(text: str) -> list[str]:
    """The words of *text* without its measured times and ratios."""
    return re.sub(r"\d+\.\d+", "~", text).split()
