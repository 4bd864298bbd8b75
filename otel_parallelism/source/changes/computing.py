"""Tells functions that only compute: threads take turns at that, because one at a time runs Python code."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from otel_parallelism.source.functions import callee_name
from otel_parallelism.source.known_functions import dotted, is_mutator, is_pure, is_sink, is_sleep, yields_only
from otel_parallelism.source.syntax import children

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .run_functions import Run

COMPUTING = "Python's interpreter all the time: both only compute"
_LOOPS = (ast.For, ast.While, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_WAITING = (ast.With, ast.AsyncWith, ast.AsyncFor, ast.Yield, ast.YieldFrom)
_READING_MODULES = ("json.", "re.", "math.", "itertools.", "operator.", "string.", "statistics.", "collections.")


def only_computes(runs: Sequence[Run]) -> bool:
    """Return whether *runs*, all functions of the program that a tool runs, loop and call nothing that may wait."""
    nodes = [(node, run) for run in runs for node in _nodes(run)]
    return any(isinstance(node, _LOOPS) for node, _ in nodes) and all(_computes(node, run, runs) for node, run in nodes)


def _nodes(run: Run) -> list[ast.AST]:
    """Return the nodes of the body of *run*, also of functions inside it."""
    found: list[ast.AST] = [*run.function.body] if isinstance(run.function.body, list) else [run.function.body]
    for node in found:
        found += children(node)
    return found


def _computes(node: ast.AST, run: Run, runs: Sequence[Run]) -> bool:
    if isinstance(node, ast.Await):
        return isinstance(node.value, ast.Call)
    if not isinstance(node, ast.Call):
        return not isinstance(node, _WAITING)
    name = callee_name(node)
    if is_sleep(node):
        return yields_only(node)
    if isinstance(node.func, ast.Attribute):
        of_module = dotted(node.func.value).partition(".")[0] in run.module.file.imports
        known = (is_pure(node) and not of_module) or dotted(node.func).startswith(_READING_MODULES) or is_mutator(node)
        return (known and name != "get") or any(getattr(one.function, "name", "") == name for one in runs)
    of_program = any(getattr(one.function, "name", "") == name for one in runs) or name in run.module.file.defined
    return of_program or is_sink(node) or (is_pure(node) and name not in run.module.file.imports)
