"""The scenarios of ``tests/bench/soak.py`` in a small form: the amounts and the bounds are a hundredth or less."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from otel_parallelism import Settings
from otel_parallelism.tracing.state.bounds.held_evidence import HELD
from otel_parallelism.tracing.state.registry import REGISTRY
from tests.amounts import THOROUGH
from tests.bench.soak import SCENARIOS, Outcome, scenario

if TYPE_CHECKING:
    from collections.abc import Iterator

SCALE = 0.01 if THOROUGH else 0.0005
BOUNDS = Settings(
    max_calls_per_turn=round(10_000 * SCALE),
    max_spans_per_trace=round(100_000 * SCALE),
    max_open_turns=round(10_000 * SCALE),
    max_held_bytes=round(64_000_000 * SCALE),
)


@pytest.fixture(autouse=True)
def _start_over() -> Iterator[None]:
    """Forget the turns that a scenario never ends."""
    yield
    REGISTRY.clear()


def run(name: str) -> Outcome:
    found = scenario(name, SCALE, BOUNDS)
    assert (found.errors, found.lost, found.swallowed) == (0, 0, 0)
    return found


@pytest.mark.many
@pytest.mark.parametrize("name", SCENARIOS)
def test_nothing_is_lost_and_no_call_goes_uncounted(name: str) -> None:
    found = run(name)
    assert found.counted == (0 if found.open_turns else found.calls)
    assert REGISTRY.coverage.calls_without_turn == 0
    assert len(REGISTRY.turns) <= BOUNDS.max_open_turns
    if not found.open_turns:
        assert (dict(REGISTRY.spans), dict(REGISTRY.turns), HELD.size) == ({}, {}, 0)
