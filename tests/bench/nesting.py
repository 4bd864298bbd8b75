"""
Prints how long turns of many calls take to normalise and analyse, by the shape of the turn: deep, flat or wide.

    python tests/bench/nesting.py [COUNT …]

The spans are made in memory. Times are the process's own processor time. Ten times the calls should take about ten
times as long.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parents[2]))

from otel_parallelism import Settings
from otel_parallelism.analysis.analyze import analyze
from otel_parallelism.analysis.turns.normalization import normalize
from otel_parallelism.model import Call, Content, Observation, Passage, Step, TurnSpan

if TYPE_CHECKING:
    from collections.abc import Callable

_START_NS = 1_700_000_000_000_000_000
_US = 1_000
_S = 1_000_000_000


def _id(number: int) -> str:
    return f"{number:016x}"


def _turn(count: int, length_ns: int, number: int = 0, parent_id: str = "") -> TurnSpan:
    start_ns = _START_NS + number * _US
    return TurnSpan("1", _id(number + 1), parent_id, "turn", start_ns, start_ns + count * length_ns + _S)


def _nested(number: int, count: int, parent_id: str) -> Call:
    """Return a call that is inside all calls with a lower *number*, and lasts longer than those with a higher one."""
    start_ns = _START_NS + number * _US
    end_ns = _START_NS + (2 * count - number) * _US
    # Calls of one tool directly inside one another would count as one call.
    return Call("1", _id(number + 1), parent_id, f"get_{number % 2}", start_ns, end_ns)


def flat(count: int) -> list[Observation]:
    """Return a turn of *count* calls of a second, one after another."""
    calls = [
        Call("1", _id(at + 2), _id(1), f"get_{at % 7}", _START_NS + at * _S, _START_NS + (at + 1) * _S)
        for at in range(count)
    ]
    return [_turn(count, _S), *calls]


def at_once(count: int) -> list[Observation]:
    """Return a turn of *count* calls of one tool that all run at once, and end one after another."""
    calls = [
        Call("1", _id(at + 2), _id(1), "get_rows", _START_NS, _START_NS + _S + at * _US, arguments=Content(at))
        for at in range(count)
    ]
    turn = _turn(count, _S)
    return [TurnSpan("1", turn.span_id, "", "turn", turn.start_ns, turn.end_ns, input=Content("all rows")), *calls]


def wide(count: int) -> list[Observation]:
    """Return a turn of one call with *count* calls inside, one after another."""
    holder = Call("1", _id(count + 2), _id(1), "run_all", _START_NS, _START_NS + count * _S)
    calls = [
        Call("1", _id(at + 2), holder.span_id, f"get_{at % 7}", _START_NS + at * _S, _START_NS + (at + 1) * _S)
        for at in range(count)
    ]
    return [_turn(count, _S), holder, *calls]


def deep(count: int) -> list[Observation]:
    """Return a turn of *count* calls, each inside the one before."""
    return [_turn(count, _S), *(_nested(at, count, _id(at)) for at in range(1, count + 1))]


def deep_reversed(count: int) -> list[Observation]:
    """Return the same, the innermost span first, as spans end."""
    return deep(count)[::-1]


def deep_without_turn(count: int) -> list[Observation]:
    """Return calls inside one another below a span that is no turn."""
    root = Passage("1", _id(1), "", "root", _START_NS, _START_NS + 3 * count * _US)
    return [root, *deep(count)[1:]]


def deep_orphans(count: int) -> list[Observation]:
    """Return calls inside one another whose outermost parent is missing, and a turn that holds them by time."""
    outermost = _nested(1, count, "missing")
    return [_turn(count, _S), outermost, *deep(count)[2:]]


def deep_passages(count: int) -> list[Observation]:
    """Return *count* spans of no agent inside one another, each with a call and a model request; innermost first."""
    spans: list[Observation] = [_turn(count, _S)]
    for at in range(1, count + 1):
        start_ns, end_ns = _START_NS + at * _US, _START_NS + (2 * count - at) * _US
        spans += [
            Passage("1", _id(at + 1), _id(at), "chain", start_ns, end_ns),
            Call("1", _id(at + 1 + count), _id(at + 1), f"get_{at % 2}", start_ns, end_ns),
            Step("1", _id(at + 1 + 2 * count), _id(at + 1), start_ns, start_ns + 10),
        ]
    return spans[::-1]


def deep_cycles(count: int) -> list[Observation]:
    """Return the same without model requests; the outermost of the other spans stands for a round."""
    spans: list[Observation] = []
    for span in deep_passages(count):
        if isinstance(span, Passage) and span.span_id == _id(2):
            spans.append(Passage("1", span.span_id, span.parent_id, "Step 1", span.start_ns, span.end_ns, cycle=True))
        elif not isinstance(span, Step):
            spans.append(span)
    return spans


def deep_turns(count: int) -> list[Observation]:
    """Return *count* turns inside one another, each with a call and a hand-off."""
    spans: list[Observation] = []
    for at in range(count):
        start_ns = _START_NS + at * _US
        outer = _id(at) if at else ""
        turn_id = _id(at + 1)
        spans += [
            TurnSpan("1", turn_id, outer, "turn", start_ns, _START_NS + (4 * count - at) * _US),
            Call("1", _id(at + 1 + count), turn_id, "get_rows", start_ns, _START_NS + 2 * count * _US),
            Call("1", _id(at + 1 + 2 * count), turn_id, "transfer_to_other", start_ns, start_ns + 10),
        ]
    return spans


def deep_wrappers(count: int) -> list[Observation]:
    """Return *count* turns that only wrap one another, and two calls in the innermost one."""
    turns = [_turn(count, _S, at, _id(at) if at else "") for at in range(count)]
    calls = [_nested(count + at, 2 * count, _id(count)) for at in (1, 2)]
    return [*turns, *calls]


def wide_wrappers(count: int) -> list[Observation]:
    """Return a turn with *count* turns inside; each only wraps another turn, which has a call."""
    spans: list[Observation] = [_turn(count, _S)]
    for at in range(count):
        start_ns, end_ns = _START_NS + at * _S, _START_NS + (at + 1) * _S
        wrapper_id, inner_id = _id(3 * at + 2), _id(3 * at + 3)
        spans += [
            TurnSpan("1", wrapper_id, _id(1), "wrapper", start_ns, end_ns),
            TurnSpan("1", inner_id, wrapper_id, "inner", start_ns, end_ns),
            Call("1", _id(3 * at + 4), inner_id, "get_rows", start_ns, end_ns),
        ]
    return spans


def wide_scopes(count: int) -> list[Observation]:
    """Return a turn of calls at once, each with two calls inside that run one after the other."""
    spans: list[Observation] = [_turn(4, _S)]
    for at in range(count):
        outer = _id(3 * at + 2)
        spans += [
            Call("1", outer, _id(1), "load_all", _START_NS, _START_NS + 4 * _S),
            Call("1", _id(3 * at + 3), outer, "get_one", _START_NS, _START_NS + 2 * _S),
            Call("1", _id(3 * at + 4), outer, "get_two", _START_NS + 2 * _S, _START_NS + 4 * _S),
        ]
    return spans


def overlapping_turns(count: int) -> list[Observation]:
    """Return *count* turns that overlap, and as many calls with a missing parent that several of them hold by time."""
    turns = [_turn(count, _S, at) for at in range(count)]
    calls = [
        Call("1", _id(count + at + 1), "missing", "get_rows", _START_NS + at * _S, _START_NS + (at + 1) * _S)
        for at in range(count)
    ]
    return [*turns, *calls]


def many_tools(count: int) -> list[Observation]:
    """Return a turn of *count* calls of as many tools, one after another."""
    calls = [
        Call("1", _id(at + 2), _id(1), f"get_{at}", _START_NS + at * _S, _START_NS + (at + 1) * _S)
        for at in range(count)
    ]
    return [_turn(count, _S), *calls]


def many_scopes(count: int) -> list[Observation]:
    """Return a turn of *count* calls of one tool at once, each recorded by an instrumentation of its own."""
    calls = [
        Call("1", _id(at + 2), _id(1), "get_rows", _START_NS, _START_NS + _S, instrumentation=f"scope {at}")
        for at in range(count)
    ]
    return [_turn(count, _S), *calls]


SHAPES: tuple[Callable[[int], list[Observation]], ...] = (
    flat,
    at_once,
    wide,
    deep,
    deep_reversed,
    deep_without_turn,
    deep_orphans,
    deep_passages,
    deep_cycles,
    deep_turns,
    deep_wrappers,
    wide_wrappers,
    wide_scopes,
    overlapping_turns,
    many_tools,
    many_scopes,
)


def main() -> None:
    """Print a line for each shape and each count of the command line; by default up to 100,000."""
    counts = [int(text) for text in sys.argv[1:]] or [1_000, 10_000, 100_000]
    settings = Settings()
    print(f"{'shape':<20}{'calls':>10}{'normalise':>14}{'analyse':>14}")
    for shape in SHAPES:
        for count in counts:
            spans = shape(count)
            start_s = time.process_time()
            turns = normalize(spans, settings).turns
            normalized_s = time.process_time()
            for turn in turns:
                analyze(turn, settings)
            analyzed_s = time.process_time()
            print(
                f"{shape.__name__:<20}{count:>10,}{normalized_s - start_s:12.2f} s{analyzed_s - normalized_s:12.2f} s"
            )


if __name__ == "__main__":
    main()
