from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from otel_parallelism.analysis.dependencies.contents.comparables import Values, single_words
from otel_parallelism.analysis.dependencies.contents.values import values_of
from otel_parallelism.analysis.dependencies.contents.wanted import Wanted
from otel_parallelism.model import Content

BYTES = 10_000


def seen(value: object, leaves: int = 200, **fields: Any) -> Values:
    found = values_of(Content(value, **fields), leaves, BYTES)
    assert found is not None
    return found


def tokens(value: object) -> set[str]:
    return set(seen(value).tokens)


class Odd:
    """Raises on every attribute access."""

    def __getattribute__(self, name: str) -> Any:
        """Raise, even for ``__class__``."""
        raise RuntimeError(name)


class Torn(Mapping[str, object]):
    """A mapping that changes while it is read."""

    def __getitem__(self, key: str) -> object:
        """Raise `KeyError`."""
        raise KeyError(key)

    def __iter__(self) -> Iterator[str]:
        """Yield one key, then raise."""
        yield "a"
        message = "changed"
        raise RuntimeError(message)

    def __len__(self) -> int:
        """Return a wrong length."""
        return 2


class Half(msgspec.Struct):
    name: str
    other: str = msgspec.field(default="later")


def half() -> Half:
    """Return a struct with an unset field."""
    made = Half("name")
    del made.other
    return made


def recursive(width: int) -> list[Any]:
    inside: list[Any] = []
    inside += [inside] * width
    return inside


UNREADABLE = {
    "odd": Odd,
    "inside a list": lambda: [Odd(), "BK-99881"],
    "inside a mapping": lambda: {"a": {"b": Odd()}},
    "torn": Torn,
    "half": half,
    "bytes": lambda: b"bytes",
    "bytearray": lambda: bytearray(b"x"),
    "function": lambda: print,
    "class": lambda: Odd,
    "in itself": lambda: recursive(1),
    "in itself many times": lambda: recursive(300),
    "iterator": lambda: iter(()),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_unreadable_content_is_not_whole_and_does_not_raise(name: str) -> None:
    assert not seen(UNREADABLE[name]()).whole


HUGE = {
    "whole": 10**5000,
    "negative": -(10**400),
    "not a number": float("nan"),
    "infinite": float("inf"),
    "digits": "9" * 5000,
    "exponent": "1e999",
    "several": [10**400, float("-inf"), 10**5000],
}


@pytest.mark.parametrize("name", HUGE)
def test_numbers_of_any_size_do_not_raise(name: str) -> None:
    found = seen(HUGE[name])
    Wanted([found])
    assert values_of(Content(HUGE[name]), 10, BYTES, Wanted([found])) is not None


def test_missing_content_is_none_and_empty_content_is_whole() -> None:
    assert values_of(None, 10, BYTES) is None
    for value in (None, "", [], {}, ()):
        found = seen(value)
        assert (found.tokens, found.whole_leaves, found.whole) == ({}, set(), True)


def test_truncated_content_is_not_whole() -> None:
    assert not seen("x", whole=False).whole


def test_content_is_parsed_and_a_failing_parser_makes_it_not_whole() -> None:
    assert "bk 99881" in seen('{"id": "BK-99881"}', parse=lambda text: msgspec.json.decode(str(text))).tokens
    broken = seen("{", parse=lambda text: msgspec.json.decode(str(text)))
    assert not broken.whole
    assert not broken.tokens


def test_long_strings_and_excess_leaves_are_skipped() -> None:
    assert not seen("x" * (BYTES + 1)).whole
    assert not seen(list(range(500)), leaves=100).whole
    assert not seen({str(n): n for n in range(500)}, leaves=100).whole
    assert seen(list(range(50)), leaves=100).whole


def test_deep_content_is_not_whole() -> None:
    value: object = "BK-99881"
    for _ in range(50):
        value = [value]
    assert not seen(value).whole


def test_fields_of_objects_are_read() -> None:
    assert "bk 99881" in tokens(SimpleNamespace(id="BK-99881"))
    assert "bk 99881" in tokens(Half("BK-99881"))
    assert "bk 99881" in tokens([{"deep": ("BK-99881", {1, 2}, frozenset({3}))}])


def test_whole_numbers_are_compared_exactly_and_others_to_ten_digits() -> None:
    assert tokens(3.0) == tokens(3) == tokens("3") == tokens("3.0")
    assert tokens(1234567890123456789) != tokens(1234567890123456780)
    assert tokens(1234567890123456789) == tokens("1234567890123456789")
    assert tokens(0.1 + 0.2) & tokens(0.3)


@pytest.mark.parametrize("value", ["BK-99881", 48213, "user-77", "ana@example.com", "ABC123", 1_700_000_000_123])
def test_identifiers_and_long_numbers_are_distinctive(value: object) -> None:
    assert any(seen(value).tokens.values())


@pytest.mark.parametrize("value", [3, 10**12, 20_000, "yes", "open", True, "2024-05-21", "12:30", ""])
def test_small_numbers_flags_dates_and_common_words_are_not_distinctive(value: object) -> None:
    assert not any(seen(value).tokens.values())


def test_texts_are_split_into_tokens_and_words() -> None:
    found = seen("The order BK-99881 (and user_77) is done.")
    assert {"bk 99881", "user_77"} <= set(found.tokens)
    assert {"order", "bk", "99881"} <= single_words(found)


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.binary(max_size=4),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5) | st.integers(), inner, max_size=4),
    max_leaves=12,
)


@given(json, st.integers(0, 20), st.integers(0, 30))
def test_reading_never_raises_and_finds_only_wanted_tokens(value: object, leaves: int, size: int) -> None:
    whole = values_of(Content(value), leaves, size)
    wanted = Wanted([values_of(Content(["BK-99881", 3, "open"]), 10, BYTES)])
    some = values_of(Content(value), leaves, size, wanted)
    assert whole is not None
    assert some is not None
    assert set(some.tokens) <= wanted.tokens


@given(json)
@example({21_113_794_240_387_170: None})
@example([10**20 + 7])
def test_content_contains_its_own_distinctive_tokens(value: object) -> None:
    given_ = seen(value)
    again = values_of(Content(value), 200, BYTES, Wanted([given_]))
    assert again is not None
    assert {token for token, distinctive in given_.tokens.items() if distinctive} <= set(again.tokens)
