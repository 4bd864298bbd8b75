"""Tests of expressions that are compiled when they are first used."""

from __future__ import annotations

import pkgutil
import re
from importlib import import_module
from typing import TYPE_CHECKING

import pytest

from otel_parallelism import analysis, dialects, readers, source
from otel_parallelism.patterns import CaselessPattern, LazyPattern
from tests.bench.fuzz import limited

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

PIECES = (*"_aA1 .-,:/\"'\\([=\né漢", "a_", "a ", "a.", "1.")


def expressions(package: ModuleType) -> Iterator[re.Pattern[str]]:
    """Yield the expressions of all modules of *package*, each as it is compiled."""
    for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        for value in vars(import_module(found.name)).values():
            if isinstance(value, LazyPattern):
                yield re.compile(value._text, value._flags)
            elif isinstance(value, CaselessPattern):
                yield re.compile(value._any_case._text, value._any_case._flags)
            elif isinstance(value, re.Pattern) and isinstance(value.pattern, str):
                yield value


@pytest.mark.parametrize("package", [analysis, dialects, readers, source], ids=lambda package: package.__name__)
def test_no_expression_takes_exponential_time(package: ModuleType) -> None:
    with limited(20):  # seconds, for one of work; exponential time would take years
        for expression in set(expressions(package)):
            for piece in PIECES:
                for end in ("", "!", "\x00"):
                    expression.search(piece * 40 + end)
                    expression.fullmatch(piece * 40 + end)


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
