"""Tests of expressions that are compiled when they are first used."""

from __future__ import annotations

import re

import pytest

from otel_parallelism.patterns import LazyPattern


def test_behaves_like_a_compiled_expression() -> None:
    lazy, compiled = LazyPattern(r"\W*(b)", re.IGNORECASE), re.compile(r"\W*(b)", re.IGNORECASE)
    text = "a-B b, c"
    for _ in range(2):  # the second time, it has been compiled
        assert lazy.findall(text) == compiled.findall(text)
        assert lazy.split(text) == compiled.split(text)
        assert lazy.sub("x", text) == compiled.sub("x", text)
        assert lazy.match(text) is None
        assert lazy.fullmatch("B")
        found = lazy.search(text)
        assert found
        assert found.span() == (1, 3)


def test_does_not_compile_before_it_is_used() -> None:
    broken = LazyPattern("(")
    with pytest.raises(re.error):
        broken.search("")


def test_has_no_other_attributes() -> None:
    with pytest.raises(AttributeError, match="pattern"):
        LazyPattern("a").pattern  # type: ignore[attr-defined] # noqa: B018 - the access itself is tested
