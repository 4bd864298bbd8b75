"""JSON with any names in it can be shown in a terminal, and has the same names when it is read."""

from __future__ import annotations

import json

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from otel_parallelism.reports.parts.encoding import encoded

ACTING = "\x7f\x80\x9b\x9f\u200e\u200f\u2028\u2029\u202a\u202e\u2066\u2069"
"""Controls, among them the start of a terminal's commands, ends of lines, and changes of direction."""


class Named(msgspec.Struct):
    name: str


@given(st.text(st.one_of(st.sampled_from(ACTING), st.characters(exclude_categories=["Cs"]))))
def test_names_are_escaped_and_stay_what_they_are(name: str) -> None:
    text = encoded(Named(name)).decode()
    assert not set(ACTING) & set(text)
    assert json.loads(text) == {"name": name}
