"""What is found in a long text does not depend on the parts in which it is searched."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_parallelism.analysis.dependencies.contents import tokens
from otel_parallelism.analysis.dependencies.contents.forms import identities
from otel_parallelism.analysis.dependencies.contents.forms.transformations import computed_numbers, rounded_numbers
from otel_parallelism.analysis.dependencies.contents.values import values_of
from otel_parallelism.analysis.dependencies.contents.wanted import Wanted
from otel_parallelism.model import Content

WORDS = """
the of OF may market March Mar. 3rd 21st 12 2024 2024-05-06 20240506 12/11/2023 text fooBar ABC-123 (march
+1 (555) 123-4567 12:30 12:30:45 a.b@c.de ; é王小 June, jan. 5 of August 1.2.2022 x_y word12 a1b2 1 2 3 4 5 6 7 8 9 00
"""

texts = st.lists(st.tuples(st.sampled_from(WORDS.split()), st.sampled_from(" \n\t")), min_size=20, max_size=60)


@given(texts)
def test_parts_of_a_long_text_have_the_forms_of_the_whole(words: list[tuple[str, str]]) -> None:
    text = "".join(word + space for word, space in words)
    whole = sorted(identities.identity_forms(text))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(identities, "_PART", 20)
        assert "".join(identities._parts_of(text)) == text
        assert sorted(identities.identity_forms(text)) == whole


@given(texts)
def test_pieces_of_a_long_text_are_those_of_the_whole(words: list[tuple[str, str]]) -> None:
    text = "".join(word + space for word, space in words)
    whole = tokens.pieces_of(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tokens, "_AT_ONCE", 10)
        assert tokens.pieces_of(text) == whole


def test_long_text_is_parted_after_plain_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(identities, "_PART", 4)
    assert identities._parts_of("some text of March 5 and more") == ["some text ", "of March 5 and ", "more"]
    assert identities._parts_of("word1 word2 555 012 word3 x") == ["word1 word2 555 012 word3 ", "x"]
    assert identities._parts_of("2024-05-06;2024-05-07") == ["2024-05-06;2024-05-07"]


@given(st.text(max_size=30) | texts.map(lambda words: "".join(word + space for word, space in words)[:100]))
def test_forms_that_are_wanted_are_those_of_the_text(text: str) -> None:
    every = [form for form, _ in identities.identity_forms(text)]
    without_days = [form for form in every if form[0] != "@"]
    if "%" not in text:
        assert sorted(identities.wanted_forms(text, set(every))) == sorted(every)
        assert sorted(identities.wanted_forms(text, set(without_days), days=False)) == sorted(without_days)
        joined = [form for form in without_days if " " not in form]
        assert sorted(identities.wanted_forms(text, set(joined), names=False, days=False)) == sorted(joined)
        rest = [form for form in every if form not in joined]
        assert sorted(identities.wanted_forms(text, set(every), joined=False)) == sorted(rest)
        for form in joined:
            assert identities.may_have_joined(["other", text, "a1"], [form])


NUMBERS = st.integers(-20, 2000) | st.floats(-3000, 3000) | st.sampled_from((99, 100, 12.5, 0.125, 125, 12500, 60, 1e7))


@given(st.lists(NUMBERS, min_size=1, max_size=4), st.lists(NUMBERS, min_size=1, max_size=4))
def test_numbers_of_a_result_have_every_form_that_is_wanted(given_numbers: list[float], returned: list[float]) -> None:
    arguments = values_of(Content(given_numbers), 100, 1000, arguments=True)
    wanted = Wanted([arguments])
    found = values_of(Content({"rows": returned}), 100, 1000, wanted)
    assert found is not None
    every = {form for number in returned for form in rounded_numbers(number)}
    every.update(computed_numbers(returned, [len(returned)]))
    assert found.forms == every & set(wanted.forms)
