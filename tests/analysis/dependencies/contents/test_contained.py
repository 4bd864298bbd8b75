"""Many parts are found in one pass over a text, at the same places as one by one."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from otel_parallelism.analysis.dependencies.contents.contained import first_places

_texts = st.text("ab\n", max_size=300)
_parts = st.sets(st.text("ab", min_size=4, max_size=9), max_size=150)


@given(_texts, _parts)
def test_each_part_is_found_where_it_first_stands(text: str, parts: set[str]) -> None:
    assert first_places(text, parts) == {part: text.find(part) for part in parts if part in text}


def test_a_part_may_begin_another_one() -> None:
    many = [f"part{number:03}" for number in range(100)]
    assert first_places("partpart0070x", ["part", "part007", "part0070", *many]) == {
        "part": 0,
        "part007": 4,
        "part0070": 4,
    }
