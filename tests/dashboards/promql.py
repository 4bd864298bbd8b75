"""A walk over what promql-parser makes of an expression."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import promql_parser

if TYPE_CHECKING:
    from collections.abc import Iterator


def children(tree: Any) -> list[Any]:
    """Return the expressions right inside *tree*."""
    inner = [getattr(tree, name, None) for name in ("lhs", "rhs", "expr", "vector_selector", "param")]
    return [child for child in (*inner, *getattr(tree, "args", ())) if child is not None]


def nodes(tree: Any) -> Iterator[Any]:
    """Yield *tree* and all expressions inside."""
    yield tree
    for child in children(tree):
        yield from nodes(child)


def selectors(tree: Any) -> Iterator[Any]:
    """Yield the selectors of *tree*."""
    return (each for each in nodes(tree) if isinstance(each, promql_parser.VectorSelector))


def groupings(tree: Any) -> Iterator[str]:
    """Yield the labels that *tree* groups and matches by."""
    for each in nodes(tree):
        modifier = getattr(each, "modifier", None)
        matching = getattr(modifier, "matching", None)
        yield from getattr(modifier, "labels", None) or ()
        yield from getattr(matching, "labels", None) or ()
        yield from getattr(modifier, "group_labels", None) or ()
