"""What statements, annotations and calls say by their form alone, and the nodes inside a node."""

from __future__ import annotations

import ast
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .flows import Scope

_IMMUTABLE = frozenset(
    {"str", "int", "float", "bool", "bytes", "complex", "None", "Optional", "Union", "Literal", "Final", "date"}
    | {"datetime", "time", "timedelta", "Decimal", "UUID", "Path", "PurePath", "Annotated"}
)


def children(node: ast.AST) -> list[ast.AST]:
    """Return what `ast.iter_child_nodes` yields, which takes twice as long, for every node of every file."""
    found: list[ast.AST] = []
    for name in node._fields:
        inner = getattr(node, name, None)
        if isinstance(inner, list):
            found += [one for one in inner if isinstance(one, ast.AST)]
        elif isinstance(inner, ast.AST):
            found.append(inner)
    return found


def exits(statements: Iterable[ast.stmt], *, raising: bool = True) -> list[Scope]:
    """Return what the statements may leave: the function, the loop, or the iteration."""
    found: set[Scope] = set()
    for statement in statements:
        found |= _exits_of(statement, raising=raising)
    return sorted(found)


@lru_cache(maxsize=4_096)
def _exits_of(statement: ast.stmt, *, raising: bool) -> frozenset[Scope]:
    found: set[Scope] = set()

    def search(node: ast.AST, *, in_loop: bool) -> None:
        if isinstance(node, ast.Return) or (raising and isinstance(node, ast.Raise)):
            found.add("function")
        elif isinstance(node, ast.Break) and not in_loop:
            found.add("loop")
        elif isinstance(node, ast.Continue) and not in_loop:
            found.add("iteration")
        elif not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.expr)):
            inside = in_loop or isinstance(node, (ast.For, ast.AsyncFor, ast.While))
            for child in children(node):
                search(child, in_loop=inside)

    search(statement, in_loop=False)
    return frozenset(found)


def is_immutable(annotation: ast.expr | None) -> bool:
    """
    Return whether only text, numbers and the like have the type *annotation*.

    >>> is_immutable(ast.parse("str | None", mode="eval").body), is_immutable(ast.parse("list[str]", mode="eval").body)
    (True, False)
    """
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        try:
            annotation = ast.parse(annotation.value, mode="eval").body
        except SyntaxError:
            return False
    if annotation is None:
        return False
    if isinstance(annotation, ast.Subscript) and ast.unparse(annotation.value) == "Literal":
        return True
    return all(
        isinstance(node, (ast.BinOp, ast.BitOr, ast.Subscript, ast.Tuple, ast.Load, ast.Attribute))
        or (isinstance(node, ast.Constant) and node.value is None)
        or (
            isinstance(node, ast.Name)
            and (node.id in _IMMUTABLE or node.id in {"datetime", "typing", "decimal", "uuid"})
        )
        for node in ast.walk(annotation)
    ) and (not isinstance(annotation, ast.Attribute) or annotation.attr in _IMMUTABLE)


def names_read(nodes: Iterable[ast.AST]) -> frozenset[str]:
    """Return the names that are read anywhere in *nodes*."""
    return frozenset(
        node.id
        for outer in nodes
        for node in ast.walk(outer)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    )


def names_given(node: ast.AST) -> Iterator[tuple[str, str]]:
    """Yield the names that *node* may give to functions, each with that of the function."""
    pairs: list[tuple[list[str], list[ast.expr]]] = []
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        yield from ((name, node.name) for decorator in node.decorator_list for name in _texts([decorator]))
    elif isinstance(node, ast.Call):
        pairs = [(_texts([node, node.func]), _values(node))]
    elif isinstance(node, ast.Dict):
        pairs = [([_text(key)], [value]) for key, value in zip(node.keys, node.values, strict=True)]
    for names, values in pairs:
        yield from ((name, value.id) for name in names if name for value in values if isinstance(value, ast.Name))


def _texts(calls: list[ast.expr]) -> list[str]:
    """Return the constant texts among the arguments of *calls*; an expression that is no call has none."""
    return [_text(value) for call in calls if isinstance(call, ast.Call) for value in _values(call)]


def _values(call: ast.Call) -> list[ast.expr]:
    return [*call.args, *[keyword.value for keyword in call.keywords]]


def _text(expression: ast.expr | None) -> str:
    """Return the text that *expression* is; empty if it is no constant text."""
    return expression.value if isinstance(expression, ast.Constant) and isinstance(expression.value, str) else ""


class ThreadCall(ast.Call):
    """The call that a thread makes of a function. ``passed_by`` is the call that is given the function."""

    passed_by: ast.Call


def call_in_thread(call: ast.Call) -> ThreadCall | None:
    """
    Return the call that a thread makes of the function that *call* submits, None if *call* submits no named one.

    >>> ast.unparse(call_in_thread(ast.parse("pool.submit(get, 1)", mode="eval").body))
    'get(1)'
    """
    name = _last_name(call.func)
    if name not in {"to_thread", "run_in_executor", "submit"} or (name != "to_thread" and name == _name(call.func)):
        return None
    given, keywords = call.args[name == "run_in_executor" :], call.keywords
    first = given[0] if given else None
    if isinstance(first, ast.Call) and _last_name(first.func) == "partial":
        given, keywords = [*first.args, *given[1:]], [*first.keywords, *keywords]
    if not given or not isinstance(given[0], (ast.Name, ast.Attribute)):
        return None
    made = ThreadCall(given[0], given[1:], keywords)
    made.passed_by = call
    return ast.copy_location(made, call)


def _name(expression: ast.expr) -> str:
    return expression.id if isinstance(expression, ast.Name) else ""


def _last_name(expression: ast.expr) -> str:
    return expression.attr if isinstance(expression, ast.Attribute) else _name(expression)
