from __future__ import annotations

import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_parallelism.dialects.parsing.content import captured, decoded, is_cut_off


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ('{"city": "Oslo", "days": [1, 2.5, null]}', {"city": "Oslo", "days": [1, 2.5, None]}),
        (' [1, "a"] ', [1, "a"]),
        ('"rain"', "rain"),
        ("{'city': 'Oslo', 'on': True, 'by': None}", {"city": "Oslo", "on": True, "by": None}),
        ("('a', 1.5)", ("a", 1.5)),
        ("{'it': \"it's\"}", {"it": "it's"}),
        ("{1, 2}", {1, 2}),
        ('"{\\"a\\": 1}"', {"a": 1}),
        ('"[1, 2]"', [1, 2]),
        ('"[not data"', "[not data"),
        ('"1e5"', "1e5"),
        ("rain and 7 degrees", "rain and 7 degrees"),
        ("{not data", "{not data"),
        ("[Message(role='user')]", "[Message(role='user')]"),
        ("__import__('os')", "__import__('os')"),
        ("['a' for a in b]", "['a' for a in b]"),
        ("1e5", "1e5"),
        ("42", "42"),
        ("", ""),
        (b'{"a": 1}', {"a": 1}),
        (7, 7),
        (None, None),
    ],
)
def test_json_and_python_literals_are_read_and_the_rest_is_words(text: object, data: object) -> None:
    assert decoded(text) == data


@pytest.mark.parametrize("text", ["['\\d']", "('a' is 1)", "[1if 2else 3]", "('a' (1))", "[0777]", "['\\777']"])
def test_text_that_would_make_the_compiler_warn_stays_text(text: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert decoded(text) == text


def test_nesting_without_end_stays_text() -> None:
    for text in ("[" * 100_000, "(" * 5_000 + ")" * 5_000, '{"a":' * 50_000):
        assert decoded(text) == text


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner, inner),
        max_leaves=10,
    ).filter(lambda data: isinstance(data, list | dict | tuple))
)
def test_what_repr_writes_of_plain_data_is_read_back(data: object) -> None:
    assert decoded(repr(data)) == data


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        ('{"a": 1}', False),
        ("plain words", False),
        ("", False),
        ('{"a": "long te', True),
        ('[{"a": 1}, {"b"', True),
        ('"a JSON text that never en', True),
        ("and so on...", True),
        ("and so on…", True),
        ('{"a": "and so on..."}', True),
        ("much [truncated]", True),
        ("x" * 1024, True),
        ("x" * 1023, False),
        ("{", True),
    ],
)
def test_what_was_cut_off_is_told_by_its_end_or_its_length(text: str, cut: bool) -> None:
    assert is_cut_off(text) is cut


@pytest.mark.parametrize("value", [None, "__REDACTED__", "<redacted>", "****", "[Scrubbed due to 'password']"])
def test_what_was_hidden_was_not_captured(value: object) -> None:
    assert captured(value, decoded) is None


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ('{"session": "[Scrubbed due to \'session\']", "rows": 3}', {"session": "", "rows": 3}),
        ('{"token": "__REDACTED__"}', {"token": ""}),
        ('["***", "rain"]', ["", "rain"]),
        ('{"card": "****", "note": "call **** at noon"}', {"card": "", "note": "call  at noon"}),
        ("mail <redacted> about it", "mail  about it"),
    ],
)
def test_content_with_a_hidden_value_is_not_whole_and_the_mark_is_no_value(text: str, seen: object) -> None:
    content = captured(text, decoded)
    assert content is not None
    assert not content.whole
    assert decoded(content.value) == seen


def test_stars_that_hide_nothing_are_content() -> None:
    content = captured("*** breaking news ***", decoded)
    assert content is not None
    assert content.whole


def test_content_is_held_unread() -> None:
    def explode(_: object) -> object:
        raise AssertionError

    content = captured('{"a": 1', explode)
    assert content is not None
    assert content.value == '{"a": 1'
    assert not content.whole
    assert captured("", explode) is not None  # a tool may well return nothing
