"""
The code that pytest makes of a file with assertions.

pytest rewrites ``assert`` statements before it compiles tests. So the source of a test is known to be that of the
running code only if it is rewritten in the same way.
"""

from __future__ import annotations

import ast
import warnings
from contextlib import suppress
from typing import TYPE_CHECKING

from otel_parallelism.tracing.state.turn_end.source_files import REWRITERS

if TYPE_CHECKING:
    from types import CodeType


def read_rewritten_tests() -> None:
    """Let the source of tests count as that of their code, although pytest has rewritten it."""
    if rewritten_code not in REWRITERS:
        REWRITERS.append(rewritten_code)


def release_rewritten_tests() -> None:
    """Undo `read_rewritten_tests`."""
    if rewritten_code in REWRITERS:
        REWRITERS.remove(rewritten_code)


def rewritten_code(text: str, name: str) -> CodeType:
    """Return the code of *text*, the file called *name*, with its assertions rewritten by pytest."""
    tree = ast.parse(text, filename=name)
    # pytest may move the function. It has warned about the assertions when it loaded the file.
    with suppress(ImportError, TypeError), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from _pytest.assertion.rewrite import rewrite_asserts  # noqa: PLC0415 - see above

        rewrite_asserts(tree, text.encode(), name)
    code: CodeType = compile(tree, name, "exec", dont_inherit=True)
    return code
