"""
No loop stands in the ``with`` block of a lock.

Python 3.12 and 3.13 leave the block without a release of the lock if an exception of a signal handler, or one that
another thread sets, comes at the end of a turn of the loop. Every other thread would then wait forever. In a function
that the block calls, the loop does no harm.

`threading.Condition` is no lock here: its own methods can be interrupted before they release the lock inside it.
"""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from tests.structure import PACKAGE

if TYPE_CHECKING:
    from collections.abc import Iterator

_LOCK = re.compile(r"\b_?lock\b|Condition|_changed\b")
_LOOPS = (ast.For, ast.While, ast.ListComp, ast.SetComp, ast.DictComp)
_OTHER_CODE = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.GeneratorExp)


def blocks() -> Iterator[tuple[str, str, ast.With]]:
    """Yield the place, the lock and the node of each ``with`` block of a lock."""
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.With):
                text = ast.unparse(node.items[0].context_expr)
                if _LOCK.search(text):
                    yield f"{path.relative_to(PACKAGE).as_posix()}:{node.lineno}", text, node


def has_loop(node: ast.AST) -> bool:
    """Return whether a loop stands in *node*, and not in a function inside it."""
    inside = (child for child in ast.iter_child_nodes(node) if not isinstance(child, _OTHER_CODE))
    return any(isinstance(child, _LOOPS) or has_loop(child) for child in inside)


def test_no_loop_stands_in_the_block_of_a_lock() -> None:
    found = list(blocks())
    assert len(found) > 20
    assert [place for place, _, node in found if has_loop(node)] == []


def test_no_block_belongs_to_a_condition() -> None:
    assert [place for place, text, _ in blocks() if not re.search(r"lock\b", text)] == []
