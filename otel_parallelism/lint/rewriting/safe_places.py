"""Where a rewrite keeps the meaning: what surrounds the awaits, and which functions are known well enough."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from otel_parallelism.source.functions import callee_name
from otel_parallelism.source.known_functions import dotted, is_pure

if TYPE_CHECKING:
    from otel_parallelism.lint.reading_calls import ReadingCalls
    from otel_parallelism.lint.visible_functions import VisibleFunctions

    from .imported_names import ImportedNames

_BLOCKS = (ast.Try, ast.TryStar, ast.With, ast.AsyncWith, ast.AsyncFor, ast.Match)
_RECORDING = frozenset({"agent_turn", "start_as_current_span"})
"""What opens blocks that only record what happens inside them."""
_OTHER_LOOPS = frozenset({"trio", "anyio", "curio", "twisted", "tornado", "gevent"})


def is_safe_place(node: ast.AST, reading: ReadingCalls, imported: ImportedNames) -> bool:
    """
    Return whether awaits at *node* can be rewritten as far as the code around them is concerned.

    Inside ``try``, other calls would still run while the exception is handled, and inside ``with``, while the block is
    left; a block that only records may be left. A generator may be closed while they run. Other event loops than
    asyncio's have other means.
    """
    if reading.is_generator:
        return False
    parent: ast.AST | None = node
    while parent is not None and parent is not reading.function:
        if isinstance(parent, _BLOCKS) and not _only_records(parent):
            return False
        parent = reading.file.parents.get(parent)
    return _OTHER_LOOPS.isdisjoint(reading.file.imports) and _OTHER_LOOPS.isdisjoint(imported.modules)


def is_known(call: ast.Call, reading: ReadingCalls, visible: VisibleFunctions, imported: ImportedNames) -> bool:
    """
    Return whether the text shows that *call* may run at the same time as others.

    It calls an async function of the same file that has no decorator but ours, a client that is known to serve several
    calls at once, or what a report has measured. Its arguments are computed without calls that could depend on the time
    or the order.
    """
    parts = [*call.args, *(keyword.value for keyword in call.keywords)]
    inner = [node for part in parts for node in ast.walk(part)]
    if any(isinstance(node, (ast.NamedExpr, ast.Await, ast.Yield, ast.Lambda, ast.GeneratorExp)) for node in inner):
        return False
    if any(isinstance(node, ast.Call) and not is_pure(node) for node in inner):
        return False
    function = visible.surely_called(call)
    measured = callee_name(call) in reading.measured
    if function is not None:
        plain = all(_is_ours(decorator, imported) for decorator in function.decorator_list)
        return isinstance(function, ast.AsyncFunctionDef) and (plain or measured)
    if measured:
        return True
    if isinstance(call.func, ast.Attribute):
        holder = dotted(call.func.value)
        return bool(holder) and reading.resources.runs_together(holder, reading.function)
    return False


def _only_records(block: ast.AST) -> bool:
    """Return whether *block* is a ``with`` statement that opens turns or spans, and nothing else."""
    contexts = [item.context_expr for item in block.items] if isinstance(block, (ast.With, ast.AsyncWith)) else []
    functions = [context.func for context in contexts if isinstance(context, ast.Call)]
    names = [dotted(function).rpartition(".")[2] for function in functions]
    return bool(names) and len(names) == len(contexts) and _RECORDING.issuperset(names)


def _is_ours(decorator: ast.expr, imported: ImportedNames) -> bool:
    """Return whether *decorator* is surely ``profiled``, which changes nothing of what a function does."""
    name = decorator.func if isinstance(decorator, ast.Call) else decorator
    if not isinstance(name, ast.Name) or name.id != "profiled" or "otel_parallelism" not in imported.modules:
        return False
    return imported.is_free(name.id, "from otel_parallelism import profiled")
