"""What is committed for a partition tells exactly which traces of which messages are done."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_parallelism.scale.kafka.partition_progress import PartitionProgress, Resumption, resumption

Trace = tuple[int, int]


@given(
    first=st.integers(0, 1 << 50),
    sizes=st.lists(st.tuples(st.integers(0, 4), st.sampled_from((1, 1, 1, 3))), max_size=30),
    seed=st.integers(0, 1 << 32),
)
def test_what_is_known_is_known_after_a_restart(first: int, sizes: list[tuple[int, int]], seed: int) -> None:
    draw = random.Random(seed)  # noqa: S311 - a sample, no secret
    progress = PartitionProgress(Resumption(first))
    offset = first
    messages: dict[int, int] = {}
    states: dict[Trace, str] = {}
    for size, step in sizes:
        offset += step  # gaps are marks of transactions
        messages[offset] = size
        assert progress.add(offset, size) == [False] * size
        states.update(dict.fromkeys(((offset, number) for number in range(size)), "open"))
        for trace in draw.sample(sorted(states), min(len(states), draw.randint(0, 3))):
            change(progress, states, trace, draw)
    position, text = progress.position()
    needed = [at for at, _ in states if any(states[at, number] != "forgotten" for number in range(messages[at]))]
    assert position == min(needed, default=progress.next_offset)

    after = PartitionProgress(resumption(position, text))
    for at, size in messages.items():
        if at >= position:
            assert after.is_repeating
            assert after.add(at, size) == [states[at, number] != "open" for number in range(size)]
    assert not after.is_repeating
    assert after.position()[1] == text
    assert after.add(offset + 1, 2) == [False, False]


def change(progress: PartitionProgress, states: dict[Trace, str], trace: Trace, draw: random.Random) -> None:
    if states[trace] == "open":
        progress.finish(*trace)
        states[trace] = "done"
    elif states[trace] == "done" and draw.random() < 0.3:
        progress.reopen(*trace)
        states[trace] = "open"
    elif states[trace] == "done":
        progress.forget(*trace)
        states[trace] = "forgotten"


def test_a_long_open_trace_among_many_takes_little_room() -> None:
    progress = PartitionProgress(Resumption(7))
    for offset in range(7, 300_007):
        progress.add(offset, 1)
        if offset % 30_000:
            progress.finish(offset, 0)
            progress.forget(offset, 0)
    position, text = progress.position()
    assert (position, len(text) < 300) == (30_000, True)
    known = resumption(position, text)
    assert (known.end, known.done.count("0")) == (300_007, 10)


def test_memory_of_messages_that_are_not_needed_is_freed() -> None:
    progress = PartitionProgress(Resumption(0))
    for offset in range(50_000):
        progress.add(offset, 1)
        progress.finish(offset, 0)
        progress.forget(offset, 0)
    assert progress.position()[0] == 50_000
    assert len(progress._done) < 5_000


def test_the_time_of_the_first_message_is_kept() -> None:
    progress = PartitionProgress(Resumption(5, began_ms=None))
    progress.began_ms = 1_234
    assert resumption(*progress.position()) == Resumption(5, began_ms=1_234)


@pytest.mark.parametrize("text", ["", "2:abc", "1:abc", "1:!", "1:eNpjAAAAAQAB", "checkpoint"])
def test_texts_of_others_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"expected a text that begins with 1:|the text is damaged"):
        resumption(0, text)
