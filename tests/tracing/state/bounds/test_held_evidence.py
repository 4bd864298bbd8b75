from __future__ import annotations

import dataclasses
import gc
import json
import threading
import weakref
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_parallelism import Settings, agent_turn, profiled, uninstall
from otel_parallelism.model import Content
from otel_parallelism.tracing.state.bounds.held_evidence import HELD, LEAST_SIZE, LET_GO, HeldEvidence, evidence_size
from otel_parallelism.tracing.state.user_words import hold_words, release_words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.conftest import Kit

LITTLE = Settings(max_held_bytes=100_000)
AGENT = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "clerk"}


@dataclasses.dataclass
class Document:
    text: str


class Holder:
    """Remembers whether it was asked to let go."""

    def __init__(self) -> None:
        self.held_size = 0
        self.holds = True

    def let_go(self) -> None:
        self.holds = False


def evidence(most: int) -> HeldEvidence:
    made = HeldEvidence()
    made.most = most
    return made


@given(st.lists(st.tuples(st.integers(0, 9), st.sampled_from([0, 4_096, 5_000, 30_000, 200_000])), max_size=60))
def test_size_is_bounded_and_the_oldest_go_first(steps: list[tuple[int, int]]) -> None:
    held = evidence(100_000)
    holders: dict[int, Holder] = {}
    for name, size in steps:
        holder = holders.setdefault(name, Holder())
        if size:
            held.add(holder, size)
        else:
            held.remove(holder)
        counted = [one for one in holders.values() if one.held_size > 0]
        assert held.size == sum(one.held_size for one in counted) <= 100_000
    for holder in holders.values():
        held.remove(holder)
    assert held.size == 0


def test_oldest_are_let_go_first() -> None:
    held = evidence(10 * LEAST_SIZE)
    holders = [Holder() for _ in range(15)]
    for holder in holders:
        held.add(holder, LEAST_SIZE)
    assert [holder.holds for holder in holders] == [False] * 5 + [True] * 10
    assert holders[0].held_size == LET_GO
    held.add(Holder(), LEAST_SIZE - 1)
    assert held.size == 10 * LEAST_SIZE


def test_sizes_stay_right_with_many_threads() -> None:
    held = evidence(1_000_000)

    def add_and_remove() -> None:
        for _ in range(300):
            holder = Holder()
            held.add(holder, 10_000)
            held.remove(holder)

    threads = [threading.Thread(target=add_and_remove) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert held.size == 0


@pytest.mark.parametrize(
    ("value", "size"),
    [
        ("x" * 10_000, 10_000),
        (b"x" * 10_000, 10_000),
        (["x" * 100] * 100, 10_000),
        ({"rows": [{"text": "x" * 100}] * 100}, 10_000),
        ([Document("x" * 1_000)] * 10, 10_000),
        (Document("x" * 10_000), 10_000),
        (tuple({"a": {"b": ["x" * 500]}} for _ in range(20)), 10_000),
        (SimpleNamespace(page=Document("x" * 10_000)), 10_000),
    ],
)
def test_size_of_evidence_is_about_right(value: object, size: int) -> None:
    assert size <= evidence_size(value) <= 1.2 * size


def test_size_of_evidence_runs_no_code_of_the_program() -> None:
    class Lazy:
        def __len__(self) -> int:
            raise AssertionError

        def __iter__(self) -> Iterator[object]:
            raise AssertionError

        def __getattr__(self, name: str) -> object:
            raise AssertionError

    assert evidence_size(Lazy()) == 0
    assert evidence_size([Lazy()] * 3) == 24
    circle: list[Any] = []
    circle.append(circle)
    assert evidence_size(circle) < 100


@pytest.mark.parametrize(
    "made",
    [
        lambda: "x" * 10_000,
        lambda: {"data": {"rows": [{"text": "x" * 100} for _ in range(100)]}},
        lambda: [Document("x" * 1_000) for _ in range(10)],
        lambda: Document("x" * 10_000),
        lambda: ["x" * 1_000] * 10,
    ],
)
def test_results_of_any_form_are_bounded(make_kit: Callable[..., Kit], made: Callable[[], object]) -> None:
    make_kit(LITTLE)

    @profiled(effect="read")
    def load(number: int) -> object:
        return number, made()

    with agent_turn("clerk") as turn:
        for number in range(30):
            load(number)
            assert HELD.size <= 100_000
        children = turn._node.children
        assert sum(call.held_size == LET_GO for call in children) in range(20, 24)
    assert HELD.size == 0
    assert turn.report is not None
    assert turn.report.calls == 30


@pytest.mark.parametrize("named", [True, False])
def test_large_arguments_are_bounded(make_kit: Callable[..., Kit], named: bool) -> None:
    make_kit(LITTLE)

    @profiled(effect="read")
    def store(text: str) -> int:
        return len(text)

    with agent_turn("clerk") as turn:
        for number in range(30):
            text = f"{number}" * 10_000
            store(text=text) if named else store(text)
            assert HELD.size <= 100_000
        held = [call.arguments for call in turn._node.children if call.arguments is not None]
        assert len(held) in range(4, 11)
        assert all(call.result > 0 for call in turn._node.children)
    assert HELD.size == 0


async def test_what_was_let_go_is_said_and_decides_nothing(make_kit: Callable[..., Kit]) -> None:
    from tests.tracing.test_processor import fetch  # noqa: PLC0415 - a tool that takes time

    make_kit(LITTLE)
    with agent_turn("clerk", input="Read a, b, c and d.") as turn:
        for key in "abcd":
            await fetch([key, "x" * 50_000])
    report = turn.report
    assert report is not None
    assert any("calls and model requests held was let go" in note for note in report.notes)
    assert report.avoidable == 0
    assert report.verdict == "possibly_sequential"
    assert report.coverage == 1.0


def test_contents_of_foreign_spans_are_bounded(make_kit: Callable[..., Kit]) -> None:
    kit = make_kit(LITTLE)
    tracer = kit.tracer()
    with tracer.start_as_current_span("invoke_agent clerk", attributes=AGENT):
        for number in range(20):
            known = {
                "gen_ai.operation.name": "execute_tool",
                "gen_ai.tool.name": "load",
                "gen_ai.tool.call.result": json.dumps({"text": f"{number}" * 10_000}),
            }
            tracer.start_span("execute_tool load", attributes=known).end()
            assert HELD.size <= 100_000
        for number in range(20):
            message = [{"role": "user", "parts": [{"type": "text", "content": f"{number}" * 10_000}]}]
            known = {"gen_ai.operation.name": "chat", "gen_ai.input.messages": json.dumps(message)}
            tracer.start_span("chat", attributes=known).end()
            assert HELD.size <= 100_000
    assert HELD.size == 0
    (report,) = kit.reports
    assert (report.calls, report.steps) == (20, 20)
    assert len(kit.calls()) == 20
    assert all(span.attributes for span in kit.calls())


def test_user_words_are_bounded_and_released(monkeypatch: pytest.MonkeyPatch) -> None:
    HELD.clear()
    monkeypatch.setattr(HELD, "most", 20_000)
    held = hold_words(Content(["x" * 10_000]))
    assert HELD.size > 10_000
    release_words(held)
    assert HELD.size == 0
    first = hold_words(Content("x" * HELD.most))
    second = hold_words(Content("y" * 5_000))
    assert first.parse is not None
    with pytest.raises(LookupError):
        first.parse(first.value)
    release_words(first)
    release_words(second)
    assert HELD.size == 0


def test_evidence_of_turns_that_never_end_is_bounded(make_kit: Callable[..., Kit]) -> None:
    make_kit(LITTLE)

    @profiled(effect="read")
    def load(number: int) -> Document:
        return Document(f"{number}" * 10_000)

    seen, turns = [], []
    for number in range(40):
        turn = agent_turn("clerk")
        turn.__enter__()
        seen.append(weakref.ref(load(number)))
        turn.leave()
        turns.append(turn)
    gc.collect(1)
    assert sum(one() is not None for one in seen) < 10
    for turn in turns:
        turn.end()


@pytest.mark.usefixtures("kit")
def test_uninstalling_lets_go_of_what_open_turns_hold() -> None:
    @profiled(effect="read")
    def load(number: int) -> Document:
        return Document(f"{number}" * 10_000)

    with agent_turn("clerk") as turn:
        seen = [weakref.ref(load(number)) for number in range(3)]
        assert all(one() is not None for one in seen)
        uninstall()
        gc.collect(1)
        assert [one() for one in seen] == [None] * 3
        assert HELD.size == 0
        load(3)
    assert turn.report is not None
    assert turn.report.calls == 4
