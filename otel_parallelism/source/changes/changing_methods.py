"""The methods, functions and operators that change what they belong to or are given, or write elsewhere."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from otel_parallelism.source.functions import callee_name

from .own_objects import grows_container

if TYPE_CHECKING:
    from collections.abc import Iterator

WRITING_METHODS: frozenset[str] = frozenset(
    """
    write_text write_bytes chdir putenv unsetenv mkdir makedirs unlink rmdir rmtree rename symlink_to touch copyfile
    setlocale setcontext tzset umask setdefaulttimeout setrecursionlimit fchdir chroot sethostname
    copytree copy2 copyfileobj to_csv to_parquet to_excel to_sql to_pickle to_feather
    """.split()  # noqa: SIM905 - a list of quoted words would be longer
)
CHANGING_ITEMS: frozenset[str] = frozenset(
    """
    append appendleft extend insert add update setdefault pop popitem popleft remove discard clear sort reverse
    rotate subtract move_to_end difference_update intersection_update symmetric_difference_update
    """.split()  # noqa: SIM905 - likewise
)
_CHANGING_THE_FIRST = frozenset(
    """
    heappush heappop heapify heapreplace heappushpop insort insort_left insort_right shuffle setitem delitem
    """.split()  # noqa: SIM905 - likewise
)
_TYPES = frozenset({"list", "dict", "set", "bytearray", "deque", "Counter", "OrderedDict", "defaultdict"})


def changed_objects(node: ast.AST) -> Iterator[ast.expr]:
    """Yield the expressions whose value *node* sets, deletes or changes, other than variables."""
    argument = changed_argument(node)
    if argument is not None:
        yield argument
    elif isinstance(node, (ast.Attribute, ast.Subscript)) and not isinstance(node.ctx, ast.Load):
        yield node
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in CHANGING_ITEMS:
        yield node.func.value
    elif grows_container(node):
        yield node.target


def changed_argument(node: ast.AST) -> ast.expr | None:
    """
    Return what *node* changes by a function or an operator, not by a method of it.

    >>> ast.unparse(changed_argument(ast.parse("log << 1").body[0]))
    'log'
    """
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.BinOp):
        # An operator whose result is not used.
        left = node.value.left
        while isinstance(left, ast.BinOp):
            left = left.left
        return left
    if not isinstance(node, ast.Call) or not node.args:
        return None
    of_type = isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name)
    unbound = of_type and node.func.value.id in _TYPES and callee_name(node) in CHANGING_ITEMS  # type: ignore[attr-defined] # it is a name
    return node.args[0] if unbound or callee_name(node) in _CHANGING_THE_FIRST else None
