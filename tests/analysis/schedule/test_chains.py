from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st
from strategies import call, graphs

from otel_parallelism.analysis.schedule.chains import MOST_OPEN, sequential_chains

if TYPE_CHECKING:
    from otel_parallelism.model import Call

Graph = tuple[list["Call"], list[int], list[int]]


def members(graph: Graph, leave_out: int = 0) -> list[list[int]]:
    calls, _, after = graph
    return [list(chain.members) for chain in sequential_chains(calls, after, leave_out=leave_out).chains]


def first_fit(graph: Graph, leave_out: int) -> list[list[int]]:
    """Add each call to the first list without a call that it overlaps or needs; lists of two calls are chains."""
    calls, _, after = graph
    lists: list[list[int]] = []
    for index, one in enumerate(calls):
        if not one.duration_ns or leave_out >> index & 1:
            continue
        for some in lists:
            if all(calls[other].end_ns <= one.start_ns and not after[index] >> other & 1 for other in some):
                some.append(index)
                break
        else:
            lists.append([index])
    return [some for some in lists if len(some) > 1]


@given(graphs(), st.integers(0, 255))
def test_chains_are_taken_first_fit(graph: Graph, leave_out: int) -> None:
    assert members(graph, leave_out) == first_fit(graph, leave_out)


@given(graphs())
def test_calls_of_a_chain_do_not_overlap_or_need_earlier_ones(graph: Graph) -> None:
    calls, _, after = graph
    for chain in members(graph):
        assert len(chain) > 1
        for position, later in enumerate(chain):
            for earlier in chain[:position]:
                assert calls[earlier].end_ns <= calls[later].start_ns
                assert not after[later] >> earlier & 1


@given(graphs())
def test_chains_share_no_call_and_masks_match_members(graph: Graph) -> None:
    calls, _, after = graph
    found = sequential_chains(calls, after)
    every = [index for chain in found.chains for index in chain.members]
    assert len(every) == len(set(every))
    for chain in found.chains:
        assert chain.mask == sum(1 << index for index in chain.members)
    assert not found.bounded


@given(graphs())
def test_no_remaining_call_fits_a_chain(graph: Graph) -> None:
    calls, _, after = graph
    chains = members(graph)
    taken = {index for chain in chains for index in chain}
    for index, one in enumerate(calls):
        if index in taken or not one.duration_ns:
            continue
        for chain in chains:
            others = [calls[other] for other in chain]
            beside = any(o.start_ns < one.end_ns and one.start_ns < o.end_ns for o in others)
            needs = any(after[index] >> other & 1 or after[other] >> index & 1 for other in chain)
            # A call that precedes the whole chain opened a list of its own before the chain existed.
            assert beside or needs or all(one.end_ns <= o.start_ns for o in others) or one.start_ns >= others[0].end_ns


def test_calls_of_a_chain_need_not_be_adjacent() -> None:
    calls = [call("a", 0, 5), call("b", 5, 10), call("c", 10, 15)]
    assert members((calls, [0, 0b1, 0], [0, 0b1, 0])) == [[0, 2]]


def test_indirect_dependency_excludes_call_from_chain() -> None:
    calls = [call("a", 0, 1), call("b", 1, 2), call("c", 2, 3)]
    assert members((calls, [0, 0b1, 0b10], [0, 0b1, 0b11])) == []


def test_empty_calls_are_in_no_chain() -> None:
    calls = [call("a", 0, 1), call("e", 1, 1), call("b", 1, 2)]
    assert members((calls, [0] * 3, [0] * 3)) == [[0, 2]]


def test_search_is_bounded_and_reports_it() -> None:
    together = [call(f"c{index:04}", 0, 1) for index in range(MOST_OPEN + 1)]
    after = [call(f"d{index:04}", 1, 2) for index in range(2)]
    found = sequential_chains([*together, *after], [0] * (MOST_OPEN + 3))
    assert found.bounded
    assert [chain.members for chain in found.chains] == [(0, MOST_OPEN + 1), (1, MOST_OPEN + 2)]
