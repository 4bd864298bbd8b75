"""Source that is parsed piece by piece gives the same tree as if it were parsed at once."""

from __future__ import annotations

import ast
import inspect
import types
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_parallelism.pace import set_pace
from otel_parallelism.source.functions import SourceFile, parse
from otel_parallelism.source.parsing import syntax_tree

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

FILES = [Path(inspect.getfile(module)) for module in (ast, inspect, types, warnings)]
LINES = (
    "x = 1",
    "@staticmethod",
    "def f(a):",
    "    return a",
    "if x:",
    "else:",
    "elif y:",
    "try:",
    "except E:",
    "finally:",
    "    pass",
    "    '''",
    "text = '''",
    "''' + x",
    "y = (",
    ")",
    "    1,",
    "",
    "z = 1 + \\",
    "2",
    "a = 1; b = 2",
    "match x:",
    "    case 1: pass",
    "async def g():",
    "    await f(1)",
)


def whole(text: str) -> ast.Module | None:
    """Return *text* parsed at once; None if it is not Python."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return ast.parse(text)
        except SyntaxError:
            return None


def in_pieces(text: str) -> ast.Module | None:
    """Return *text* parsed piece by piece; None if it is not Python."""
    try:
        return syntax_tree(text)
    except SyntaxError:
        return None


def shown(tree: ast.Module | None) -> str:
    """Return *tree* as text, with all positions."""
    return "" if tree is None else ast.dump(tree, include_attributes=True)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_file_gives_the_same_tree(path: Path) -> None:
    text = path.read_text(encoding="utf-8")

    assert shown(in_pieces(text)) == shown(whole(text))


@given(st.lists(st.sampled_from(LINES), max_size=12))
def test_lines_in_any_order_give_the_same_tree(lines: list[str]) -> None:
    # With long comments, each line is a piece of its own.
    text = "\n".join(line if line.endswith("\\") else f"{line}  # {'x' * 2_000}" for line in lines)

    assert shown(in_pieces(text)) == shown(whole(text))


@pytest.mark.parametrize("end", ["\r\n", "\r", "\f\n"])
def test_other_line_ends_give_the_same_tree(end: str) -> None:
    text = f"a = 1{end}b = 2{end}" * 500

    assert shown(in_pieces(text)) == shown(whole(text))


def test_a_long_string_takes_few_attempts(monkeypatch: pytest.MonkeyPatch) -> None:
    attempts: list[int] = []
    at_once = ast.parse

    def counted(text: str, name: str) -> ast.Module:
        attempts.append(len(text))
        return at_once(text, name)

    monkeypatch.setattr("otel_parallelism.source.parsing.ast.parse", counted)

    tree = syntax_tree('"""' + "a line that is not indented\n" * 10_000 + '"""\nx = 1\n')

    assert len(tree.body) == 2
    assert len(attempts) <= 12


def test_a_long_file_is_parsed_with_pauses() -> None:
    pauses = 0

    def pace(items: Iterable[Any]) -> Iterator[Any]:
        nonlocal pauses
        for item in items:
            pauses += 1
            yield item

    set_pace(pace)
    try:
        SourceFile("def f():\n    return 1\n" * 1_000)
    finally:
        set_pace(None)

    assert pauses >= 1_000


def test_warnings_about_source_are_not_shown(recwarn: pytest.WarningsRecorder) -> None:
    file = parse("x = '\\d'\nif x is 'a': pass\n")

    assert file is not None
    assert not recwarn.list
