"""What is found in a long text does not depend on the parts in which it is searched."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_parallelism.analysis.dependencies.contents import forms, tokens

WORDS = """
the of OF may market March Mar. 3rd 21st 12 2024 2024-05-06 20240506 12/11/2023 text fooBar ABC-123 (march
+1 (555) 123-4567 12:30 12:30:45 a.b@c.de ; é王小 June, jan. 5 of August 1.2.2022 x_y word12 a1b2 1 2 3 4 5 6 7 8 9 00
"""

texts = st.lists(st.tuples(st.sampled_from(WORDS.split()), st.sampled_from(" \n\t")), min_size=20, max_size=60)


@given(texts)
def test_parts_of_a_long_text_have_the_forms_of_the_whole(words: list[tuple[str, str]]) -> None:
    text = "".join(word + space for word, space in words)
    whole = sorted(forms.identity_forms(text))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(forms, "_PART", 20)
        assert "".join(forms._parts_of(text)) == text
        assert sorted(forms.identity_forms(text)) == whole


@given(texts)
def test_pieces_of_a_long_text_are_those_of_the_whole(words: list[tuple[str, str]]) -> None:
    text = "".join(word + space for word, space in words)
    whole = tokens.pieces_of(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tokens, "_AT_ONCE", 10)
        assert tokens.pieces_of(text) == whole


def test_long_text_is_parted_after_plain_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forms, "_PART", 4)
    assert forms._parts_of("some text of March 5 and more") == ["some text ", "of March 5 and ", "more"]
    assert forms._parts_of("word1 word2 555 012 word3 x") == ["word1 word2 555 012 word3 ", "x"]
    assert forms._parts_of("2024-05-06;2024-05-07") == ["2024-05-06;2024-05-07"]
