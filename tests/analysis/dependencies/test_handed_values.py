from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import read

from otel_parallelism.analysis.dependencies.evidence import gather_evidence
from otel_parallelism.analysis.dependencies.handed_values import hand_identifiers_on
from otel_parallelism.model import Call, Content
from otel_parallelism.settings import Settings

# Values that are equal in some form, contain one another, or are no identifiers.
VALUES = (
    *("BK-99881", "bk-99881", "BK_99881", "bk 99881", "BK-99881-2", "see BK-99881.", "99881", "AB-99881", "may-2024"),
    *(
        "\uff12BK-99881",
        "x1",
        "2024-05-21T10",
        "item2024",
        "10-may",
        "12ab34",
        "12AB34",
        "a-b-c-1",
        "word",
        "é99881",
        "",
    ),
)
LEAVES = st.sampled_from((*VALUES, 99881, 12, 1.5, True, None))
DATA = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(("id", *VALUES)), inner, max_size=3),
    max_leaves=4,
)
SAID = st.lists(st.lists(st.sampled_from(VALUES), max_size=2), max_size=2)


def chain_of(*contents: tuple[object, object], whole: bool = True) -> list[Call]:
    """Return calls one after another with these arguments and results, stored as JSON."""
    return [
        msgspec.structs.replace(
            read(f"tool_{index}", 2 * index, 2 * index + 1),
            arguments=Content(json.dumps(arguments), json.loads, whole),
            result=Content(json.dumps(result), json.loads, whole),
            round=index,
        )
        for index, (arguments, result) in enumerate(contents)
    ]


def is_handed_on(calls: list[Call], *said: object) -> bool:
    settings = Settings()
    return hand_identifiers_on(calls, [Content(one) for one in said], settings.max_leaves, settings.max_content_bytes)


@given(st.lists(st.tuples(DATA, DATA), min_size=2, max_size=4), SAID, st.booleans(), st.data())
def test_whatever_is_recognized_is_proven_by_comparing_all_contents(
    drawn: list[tuple[object, object]], said: list[list[str]], whole: bool, data: st.DataObject
) -> None:
    # Most chains hand a value on.
    for index in range(1, len(drawn)):
        if data.draw(st.integers(0, 3)):
            value = data.draw(st.sampled_from(VALUES))
            earlier = (drawn[index - 1][0], {"found": value, "more": drawn[index - 1][1]})
            drawn[index - 1 : index + 1] = [earlier, ({"of": value, "with": drawn[index][0]}, drawn[index][1])]
    calls = chain_of(*drawn, whole=whole)
    recognized = is_handed_on(calls, *said)
    compared = gather_evidence(calls, [Content(one) for one in said], Settings())
    if recognized:
        assert all(compared.edges[index][index - 1][0] for index in range(1, len(calls)))


def test_identifiers_that_first_the_call_before_returned_make_a_chain() -> None:
    first, second, third = ({"q": "rust"}, {"id": "BK-99881"}), ({"id": "BK-99881"}, ["CK-77221"]), ("CK-77221", "")
    calls = chain_of(first, second, third)
    assert is_handed_on(calls)
    assert is_handed_on(calls, ["What about rust?"], ["What about rust?"])
    edges = gather_evidence(calls, [], Settings(), brief=True).edges
    assert edges == gather_evidence(calls, [], Settings()).edges


@pytest.mark.parametrize(
    ("first", "second", "said"),
    [
        pytest.param(({"q": "BK-99881"}, {"id": "BK-99881"}), ({"id": "BK-99881"}, ""), (), id="given before"),
        pytest.param(({"q": "a"}, {"id": "BK-99881"}), ({"id": "BK-99881"}, ""), (["Is BK-99881 in?"],), id="said"),
        pytest.param(({"q": "a"}, {"id": "BK-99882"}), ({"id": "BK-99881"}, ""), (), id="another value"),
        pytest.param(({"q": "a"}, {"at": "2024-05-10"}), ({"at": "2024-05-10"}, ""), (), id="date"),
        pytest.param(({"q": "a"}, {"n": 99881}), ({"n": 99881}, ""), (), id="number"),
        pytest.param(({"q": "a"}, {"BK-99881": 1}), ({"id": "BK-99881"}, ""), (), id="key"),
    ],
)
def test_other_values_make_no_chain(
    first: tuple[object, object], second: tuple[object, object], said: tuple[list[str], ...]
) -> None:
    assert not is_handed_on(chain_of(first, second), *said)


def test_contents_that_cannot_be_read_make_no_chain() -> None:
    calls = chain_of(({}, {"id": "BK-99881"}), ({"id": "BK-99881"}, ""))
    assert is_handed_on(calls)

    def fail(value: object) -> object:
        raise ValueError(value)

    assert not is_handed_on([calls[0], msgspec.structs.replace(calls[1], arguments=Content("{}", fail))])
    assert not is_handed_on([calls[0], msgspec.structs.replace(calls[1], arguments=None)])
    assert not is_handed_on([msgspec.structs.replace(calls[0], result=None), calls[1]])
    owned = msgspec.structs.replace(calls[0], result=msgspec.structs.replace(calls[0].result, identities=(7,)))
    assert not is_handed_on([owned, calls[1]])
    assert not is_handed_on(calls, object)
    assert not hand_identifiers_on(calls, (), 1, 1000)
    assert not hand_identifiers_on(calls, (), 1000, 5)
