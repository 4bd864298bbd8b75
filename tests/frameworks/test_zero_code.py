"""Under ``opentelemetry-instrument`` the result arrives at an OTLP receiver, on the span of the turn."""

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

DOCUMENT = Path(__file__).parents[2] / "docs" / "frameworks.md"
BLOCK = re.compile(r"\$ opentelemetry-instrument python agent\.py\n(.*?)\n```", re.DOTALL)
SHOWN = "anthropic"
"""The framework whose turn the document shows."""


async def test_result_is_on_the_span_of_the_turn(request: pytest.FixtureRequest) -> None:
    name = request.config.getoption("--framework")
    behaviour: Behaviour = importlib.import_module(f"frameworks.contract.{name}").BEHAVIOUR
    dispatch: Dispatch | None = behaviour.asynchronous or behaviour.blocking
    assert dispatch is not None

    output, spans = await exported(name)

    assert ANSWER in output
    turns = turns_of(spans)
    written = [attributes(span) for span in turns]
    # A turn that only encloses another one, as a crew with one agent, has the result of that turn.
    assert len({(found[names.RATIO], found[names.CALLS]) for found in written}) == 1, [span.name for span in spans]
    turn = written[0]
    assert turn[names.CALLS] == 3
    assert turn[names.COVERAGE] == 1.0
    assert turn[names.PEAK_CONCURRENCY] == dispatch.peak
    assert turn[names.VERDICT] == ("parallel" if dispatch.cause is None else "sequential")
    assert turn.get(names.CAUSE) == dispatch.cause
    if name == SHOWN:
        (block,) = BLOCK.findall(DOCUMENT.read_text(encoding="utf-8"))
        assert numberless(block) == numberless(shown(turns[0])), "run: python -m frameworks.receiving anthropic"


def numberless(text: str) -> list[str]:
    """Return the words of *text* without times and ratios."""
    return re.sub(r"\d+\.\d+", "~", text).split()
