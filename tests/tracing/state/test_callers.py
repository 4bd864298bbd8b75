from __future__ import annotations

import asyncio
import functools
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest

from otel_parallelism import agent_turn, profiled
from otel_parallelism.tracing.state.callers import frames_around, program_frames_around
from otel_parallelism.tracing.state.turn_end.recorded_frames import read_frames

if TYPE_CHECKING:
    from collections.abc import Callable

    from otel_parallelism.model import CallFrame
    from tests.conftest import Kit


def names(frames: tuple[CallFrame | None, ...]) -> list[str | None]:
    return [None if frame is None else frame.function for frame in frames]


def recorded(record: Callable[[Any], tuple[object, ...]]) -> tuple[CallFrame | None, ...]:
    frame = sys._getframe(1)
    return read_frames((frame.f_code, frame.f_lasti, *record(frame)))


def one(depth: int, record: Callable[[Any], tuple[object, ...]]) -> Any:
    return recorded(record) if depth == 1 else two(depth - 1, record)


def two(depth: int, record: Callable[[Any], tuple[object, ...]]) -> Any:
    return recorded(record) if depth == 1 else one(depth - 1, record)


def in_a_thread(function: Callable[[], Any]) -> Any:
    found: list[Any] = []

    def run() -> None:
        found.append(function())

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return found[0]


@pytest.mark.parametrize("record", [frames_around, program_frames_around])
@pytest.mark.parametrize(
    ("depth", "expected"),
    [
        (1, ["one", "run"]),
        (2, ["two", "one", "run"]),
        (3, ["one", "two", "one", "run"]),
        (4, ["two", "one", "two", "one", None]),
        (6, ["two", "one", "two", "one", None]),
    ],
)
def test_four_functions_of_the_program_are_recorded(
    record: Callable[[Any], tuple[object, ...]], depth: int, expected: list[str | None]
) -> None:
    # A thread's stack begins in the standard library, which is no function of the program.
    assert names(in_a_thread(functools.partial(one, depth, record))) == expected


def test_each_run_of_a_function_has_its_own_identity_while_it_lasts() -> None:
    def both() -> list[tuple[CallFrame | None, ...]]:
        return [recorded(frames_around), recorded(frames_around)]

    (first, second), (third, _) = both(), both()
    assert first[0] is not None
    assert second[0] is not None
    assert third[0] is not None
    assert first[0].identity == second[0].identity
    assert (first[1], third[1]) != (None, None)
    assert first[1] == second[1] != third[1], "the two runs were made at different places of one line"


async def test_functions_outside_of_a_call_around_are_found(kit: Kit) -> None:
    @profiled
    async def inner() -> None:
        await asyncio.sleep(1)

    async def helper() -> None:
        await inner()

    @profiled
    async def outer() -> None:
        await helper()
        await inner()

    async def program() -> None:
        with agent_turn("agent"):
            await outer()

    await program()
    (report,) = kit.reports
    stacks = {call.tool: names(call.stack.frames()) for call in report.turn.calls if call.stack is not None}
    nested = [
        names(call.stack.frames()) for call in report.turn.calls if call.stack is not None and call.tool == "inner"
    ]
    assert stacks["outer"][:2] == ["program", "test_functions_outside_of_a_call_around_are_found"]
    assert nested[0][:4] == ["helper", "outer", "program", "test_functions_outside_of_a_call_around_are_found"]
    assert nested[1][:2] == ["outer", "program"]
