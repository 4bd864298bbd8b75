"""What is committed for a partition tells exactly which traces of its messages are done."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_parallelism.scale.kafka.partition_progress import PartitionProgress, Resumption, TraceState, resumption

Messages = list[tuple[int, list[TraceState]]]


@given(
    first=st.integers(0, 1 << 50),
    sizes=st.lists(st.tuples(st.integers(0, 4), st.sampled_from((1, 1, 1, 3))), max_size=40),
    seed=st.integers(0, 1 << 32),
)
def test_what_is_known_is_known_after_a_restart(first: int, sizes: list[tuple[int, int]], seed: int) -> None:
    draw = random.Random(seed)  # noqa: S311 - a sample, no secret
    progress = PartitionProgress(Resumption(first))
    traces: list[TraceState] = []
    messages: Messages = []
    offset = first - 1
    for size, step in sizes:
        offset += step  # gaps are marks of transactions
        traces += [TraceState(f"{offset}-{number}") for number in range(draw.randint(0, 2))]
        usable = [trace for trace in traces if trace.is_needed]
        held = draw.sample(usable, min(size, len(usable)))
        progress.add(offset, held)
        messages.append((offset, held))
        for trace in draw.sample(traces, min(len(traces), draw.randint(0, 2))):
            trace.is_needed = not trace.is_done
            trace.is_done = True
        gone = set(progress.forget_messages())
        assert not any(trace.is_needed for trace in gone)

    position, text = progress.position()
    needed = [at for at, held in messages if any(trace.is_needed for trace in held)]
    assert position == min(needed, default=progress.next_offset)
    assert (progress.oldest_needed() is not None) == bool(needed)
    known = resumption(position, text)
    assert known.end == progress.next_offset

    after = PartitionProgress(known)
    again: dict[str, TraceState] = {}
    for at, held in messages:
        if at >= position:
            assert after.is_repeating
            for trace in held:
                assert after.was_done(trace.trace_id) == trace.is_done
                again.setdefault(trace.trace_id, TraceState(trace.trace_id, trace.is_done))
            after.add(at, [again[trace.trace_id] for trace in held])
    assert not after.is_repeating
    assert after.position() == (position if again else progress.next_offset, text)


def test_a_few_open_traces_among_many_take_little_room() -> None:
    progress = PartitionProgress(Resumption(7))
    for offset in range(7, 300_007):
        is_open = offset % 30_000 == 0
        progress.add(offset, [TraceState(str(offset), is_done=not is_open, is_needed=is_open)])
    assert sum(1 for _ in progress.forget_messages()) == 30_000 - 7
    position, text = progress.position()
    assert (position, len(text) < 300) == (30_000, True)
    known = resumption(position, text)
    assert (known.end, known.done.count("0")) == (300_007, 10)


def test_memory_of_messages_that_are_not_needed_is_freed() -> None:
    progress = PartitionProgress(Resumption(0))
    for offset in range(50_000):
        progress.add(offset, [TraceState(str(offset), is_done=True, is_needed=False)])
        assert [trace.trace_id for trace in progress.forget_messages()] == [str(offset)]
    assert progress.position()[0] == 50_000
    assert len(progress._entries) < 5_000


def test_the_time_of_the_first_message_is_kept() -> None:
    progress = PartitionProgress(Resumption(5, began_ms=None))
    progress.began_ms = 1_234
    assert resumption(*progress.position()) == Resumption(5, 5, began_ms=1_234)


@pytest.mark.parametrize("text", ["", "2:abc", "1:abc", "1:!", "1:eNpjAAAAAQAB", "checkpoint"])
def test_texts_of_others_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"expected a text that begins with 1:|the text is damaged"):
        resumption(0, text)
