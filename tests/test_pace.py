"""Long loops of the analysis pause where there is a pace, and change no result."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest

from otel_parallelism import Call, Content, Settings, Turn
from otel_parallelism.analysis.analyze import analyze
from otel_parallelism.analysis.dependencies.contents import wanted
from otel_parallelism.analysis.dependencies.contents.comparables import Values
from otel_parallelism.analysis.dependencies.contents.contained import first_naming
from otel_parallelism.analysis.dependencies.experience import Experience
from otel_parallelism.analysis.turns.across.later_requests import after_missing_calls_ns, asked_again_ns
from otel_parallelism.analysis.turns.normalization import normalize
from otel_parallelism.analysis.turns.rounds import assign_rounds
from otel_parallelism.model import Step, TurnSpan
from otel_parallelism.pace import empty, ordered, paced, pause, set_pace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

TEXT = " ".join(f"word{index}" for index in range(125))


@pytest.fixture
def pauses() -> Iterator[list[int]]:
    """Set a pace that counts the steps of each loop."""
    steps: list[int] = []

    def count(items: Iterable[Any]) -> Iterator[Any]:
        steps.append(0)
        for item in items:
            steps[-1] += 1
            yield item

    set_pace(count)
    yield steps
    set_pace(None)


def serial_turn(size: int) -> Turn:
    return Turn(
        "1",
        "t",
        "turn",
        "agent",
        0,
        size * 10**9,
        calls=tuple(
            Call(
                "1",
                f"{index:x}",
                "t",
                f"get_part{index % 7}",
                index * 10**9,
                (index + 1) * 10**9,
                arguments=Content([f"key-{index}x"]),
                result=Content(f"key-{index + 1}x {TEXT}"),
            )
            for index in range(size)
        ),
    )


def test_without_a_pace_items_are_returned_as_they_are() -> None:
    items = [1, 2]
    assert paced(items) is items
    pause()


def test_with_a_pace_it_sees_every_loop(pauses: list[int]) -> None:
    assert list(paced("abc")) == ["a", "b", "c"]
    pause()
    assert pauses == [3, 1]


def test_containers_are_emptied_piece_by_piece(pauses: list[int]) -> None:
    some, others, more = [1, 2, 3], {"a": 1}, {4, 5}
    empty(some, others, more)
    assert (some, others, more, pauses) == ([], {}, set(), [3, 1, 2])


def test_many_items_are_sorted_piece_by_piece(pauses: list[int]) -> None:
    items = [(index * 7919 % 1_201, index) for index in range(2_402)]
    by_first = ordered(items, key=lambda item: item[0])
    assert (by_first, ordered(iter(items))) == (sorted(items, key=lambda item: item[0]), sorted(items))
    assert len(pauses) > 2
    set_pace(None)
    assert ordered(items, key=lambda item: item[0]) == by_first


def test_texts_of_a_result_are_searched_one_by_one(pauses: list[int]) -> None:
    calls = [Call("1", f"{index:x}", "t", "get", 2 * index, 2 * index + 1) for index in range(2)]
    argument = Values({}, set(), whole=True, texts=["tbl_vat"])
    result = Values({}, set(), whole=True, texts=["of it", "VAT", *(f"notes {index}.md" for index in range(18))])
    assert list(first_naming(calls, [None, argument], [result, None], ())) == [(1, 0)]
    assert max(pauses) >= 20


def longest_stretch(run: Callable[[], object]) -> int:
    """Return the most functions that *run* calls between two pauses."""
    called = [0]

    def count(items: Iterable[Any]) -> Iterator[Any]:
        for item in items:
            called.append(0)
            yield item

    def note(_: object, event: str, __: object) -> None:
        called[-1] += event in {"call", "c_call"}

    before = sys.getprofile()
    set_pace(count)
    sys.setprofile(note)
    try:
        run()
    finally:
        sys.setprofile(before)
        set_pace(None)
    return max(called)


@pytest.mark.slow
def test_stretch_between_pauses_hardly_grows_with_the_turn() -> None:
    def stretch(size: int) -> int:
        turn = serial_turn(size)
        return longest_stretch(lambda: analyze(turn, Settings()))

    # What comparing one result takes is the longest stretch of a small turn.
    small, large = stretch(20), stretch(400)
    assert large < 3 * small


def test_large_set_in_parts_changes_no_report(pauses: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    turn = serial_turn(30)
    found = analyze(turn, Settings())
    monkeypatch.setattr(wanted, "_MANY", 0)
    assert analyze(turn, Settings()) == found


@pytest.mark.parametrize("width", [1, 10])
def test_stretch_of_learning_from_a_turn_does_not_grow_with_it(width: int) -> None:
    def stretch(size: int) -> int:
        starts = [index // width * 10 for index in range(size)]
        calls = tuple(Call("1", f"{at}", "t", "look", start, start + 5) for at, start in enumerate(starts))
        return longest_stretch(lambda: Experience().learn(Turn("1", "t", "turn", "agent", 0, size * 10, calls=calls)))

    assert stretch(400) == stretch(20)


@pytest.mark.parametrize("requested", [(), ("7",)])
def test_stretch_of_finding_later_requests_does_not_grow_with_the_turn(requested: tuple[str, ...]) -> None:
    def stretch(size: int) -> int:
        calls = tuple(
            Call("1", f"{at}", "t", "look", 10 * at, 10 * at + 5, round=at, proved=True, call_id="7")
            for at in range(size)
        )
        steps = tuple(Step("1", f"s{at}", "t", 10 * at - 4, 10 * at - 2, requested=requested) for at in range(size))
        turn = Turn("1", "t", "turn", "agent", 0, size * 10, calls=calls, steps=steps)
        return longest_stretch(lambda: (asked_again_ns(calls, turn), after_missing_calls_ns(calls, turn)))

    assert stretch(400) <= stretch(20) + 3


def test_stretch_of_assigning_rounds_does_not_grow_with_the_turn() -> None:
    def stretch(size: int) -> int:
        calls = [Call("1", f"{at}", "t", "look", 10 * at, 10 * at + 5, call_id=f"{at}") for at in range(size)]
        steps = [Step("1", f"s{at}", "t", 10 * at - 4, 10 * at - 2, requested=(f"{at}",)) for at in range(size)]
        return longest_stretch(lambda: assign_rounds(calls, steps, {}))

    assert stretch(400) <= stretch(20) + 3


@pytest.mark.slow
def test_stretch_of_normalisation_hardly_grows_with_the_turn() -> None:
    def stretch(size: int) -> int:
        holder = Call("1", "h", "t", "hold", 1, 10**9)
        inside = [Call("1", f"{index:x}", "h", "look", 2 + index, 5 + index) for index in range(size)]
        observations = [TurnSpan("1", "t", "", "turn", 1, 10**9), holder, *inside]
        return longest_stretch(lambda: normalize(observations, Settings()))

    small, large = stretch(20), stretch(400)
    assert large < 3 * small


def test_pauses_change_no_report(pauses: list[int]) -> None:
    turn = serial_turn(30)
    found = analyze(turn, Settings())
    set_pace(None)
    assert found == analyze(turn, Settings())
    assert max(pauses) >= 30
