"""
Prints where wemake-python-styleguide finds an ``await`` in a ``for`` loop (WPS476), as JSON.

    python tests/bench/wemake_awaits.py FOLDER ...

`await_in_loop.py` runs it with the package on the path. Only the visitor of this one rule runs: all others, over a
package with generated code, take hours. Comments that silence the rule are ignored. Each row is a file, the first and
the last line of the loop or the comprehension, and each loop is printed once.
"""

from __future__ import annotations

import ast
import json
import sys
import warnings
from pathlib import Path
from typing import Any

from wemake_python_styleguide.logic import walk  # type: ignore[import-not-found]
from wemake_python_styleguide.transformations.ast_tree import transform  # type: ignore[import-not-found]
from wemake_python_styleguide.visitors.ast.loops import (  # type: ignore[import-not-found]
    WrongStatementInLoopVisitor,
)

RULE = 476
LOOPS = (ast.For, ast.DictComp, ast.GeneratorExp, ast.ListComp, ast.SetComp)


def loops(path: Path) -> set[tuple[int, int]]:
    """Return the first and the last line of each loop in which the rule finds an ``await``; none without Python."""
    text = path.read_bytes()
    if b"await" not in text:
        return set()
    try:
        tree: Any = transform(ast.parse(text))
    except (SyntaxError, ValueError):
        return set()
    visitor = WrongStatementInLoopVisitor(None, tree=tree)
    visitor.run()
    places = {one.node_items()[:2] for one in visitor.violations if one.code == RULE}
    around = [
        walk.get_closest_parent(node, LOOPS)
        for node in ast.walk(tree)
        if isinstance(node, ast.Await) and (node.lineno, node.col_offset) in places
    ]
    return {(loop.lineno, loop.end_lineno) for loop in around}


def main() -> None:
    """Print the rows of all folders."""
    warnings.simplefilter("ignore")
    paths = [path for folder in sys.argv[1:] for path in sorted(Path(folder).rglob("*.py"))]
    print(json.dumps([[str(path), *place] for path in paths for place in sorted(loops(path))]))


if __name__ == "__main__":
    main()
