"""
Finds what the source of a tool changes outside of it, or waits for: then its reading name is not to be believed.

A stored span says nothing of the objects that calls share. Where the source is at hand, the function of the tool shows
whether it sets something that is not its own (`self.token = …`, `CACHE[key] = …`, `os.environ`), writes a file or
a table, takes the next item, draws from a shared random generator, starts a command, or waits for a lock or an event
of others; directly, or through functions and methods of its module.
"""

from __future__ import annotations

import ast
import functools
import itertools
from typing import TYPE_CHECKING

from otel_parallelism.pace import paced
from otel_parallelism.source.functions import callee_name, own_nodes

from .changing_methods import CHANGING_ITEMS, WRITING_METHODS
from .commands_and_draws import draws, qualified_names, shared_generators, starts_command
from .outside_names import grows_container

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from otel_parallelism.source.functions import Function, SourceFile

_MOST_FUNCTIONS = 16
_MOST_FILES = 16
_TAKING = frozenset({"next", "anext", "acquire", "send", "asend", "popleft", "popitem", "get_nowait", "setattr"})
# Of an event, a condition, a barrier or a queue: one call waits for what another one does.
_SIGNALLING = frozenset({"release", "notify", "notify_all", "put", "put_nowait", "task_done"})
_SIGNALLING_ALONE = frozenset({"wait", "set", "get", "join"})
_LIMITING = frozenset({"acquire", "limit", "limited", "lock", "locked", "rate_limit", "ratelimit", "slot", "throttle"})
_QUERYING = frozenset({"execute", "executemany", "executescript", "text"})
_STORING = frozenset("insert update delete replace merge upsert create drop alter truncate set begin copy".split())  # noqa: SIM905 - a list of quoted words would be longer
_WRITING_MODES = frozenset("wax+")
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def may_change_something(
    tool: str,
    file: SourceFile,
    imported: Callable[[str], SourceFile | None],
    reads: Callable[[str], bool] = lambda _: False,
) -> bool:
    """
    Return whether the function of *tool* visibly changes something that other calls may see, or waits for one.

    Args:
        tool: The name of the function, or another one that the source gives it.
        file: The file of the function that called it.
        imported: Returns the file of a module by its dotted name, with a leading dot for each level of a relative
            import; None if it is not at hand.
        reads: Returns whether a shell command only reads.

    Returns:
        False if no function of this name is in *file* or in a module that it imports.
    """
    key = "changes", tool
    if key not in file.proofs:
        names = {tool} | file.given_names.get(tool, set())
        files = (imported(module) for module in _modules(file, names)[:_MOST_FILES])
        homes = itertools.chain([file], (one for one in files if one is not None))
        found = ((home, _functions(home, names | home.given_names.get(tool, set()))) for home in homes)
        home, functions = next(((home, some) for home, some in found if some), (file, []))
        file.proofs[key] = any(
            _changes(function) or _reaches_out(function, home, reads) for function in _run_by(home, functions)
        )
    return bool(file.proofs[key])


def changes_something(file: SourceFile, function: Function, called: str = "") -> bool:
    """
    Return whether *function*, of *file*, visibly changes something that others may see, or waits for one.

    What it calls by the name *called* does not count, if that is not empty.
    """
    key = "runs", function, called
    if key not in file.proofs:
        file.proofs[key] = any(_changes(one) for one in _run_by(file, [function], without=called))
    return bool(file.proofs[key])


def _modules(file: SourceFile, names: set[str]) -> list[str]:
    """Return the modules that *file* imports, first those that it imports one of *names* from."""
    found: dict[str, bool] = {}
    for node in file.import_statements:
        if isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            named = any(alias.name == "*" or alias.name in names for alias in node.names)
            found[module] = found.get(module, False) or named
        else:
            for alias in node.names:
                found.setdefault(alias.name, False)
    return sorted(found, key=lambda module: not found[module])


def _functions(file: SourceFile, names: set[str]) -> list[Function]:
    """Return the functions and methods of *file* that have one of *names*."""
    return [function for name in sorted(names) for function in file.named.get(name, ())]


def _run_by(file: SourceFile, functions: list[Function], without: str = "") -> list[Function]:
    """Return *functions*, and those of the file that they call, directly or through others, but not by *without*."""
    found = list(functions)
    for function in found:
        for node in paced(own_nodes(function)):
            if isinstance(node, ast.Call) and len(found) < _MOST_FUNCTIONS and not _is_fresh(node.func, function):
                # A function may be handed to another one, such as asyncio.to_thread.
                names = [callee_name(node), *(one.id for one in node.args if isinstance(one, ast.Name))]
                called = [one for name in names if name != without for one in file.named.get(name, ())]
                found += [one for one in called if one not in found]
    return found


def _changes(function: Function) -> bool:
    return any(_is_change(node, function) for node in paced(own_nodes(function))) or any(
        _waits(item.context_expr, function)
        for node in own_nodes(function)
        if isinstance(node, (ast.With, ast.AsyncWith))
        for item in node.items
    )


def _reaches_out(function: Function, file: SourceFile, reads: Callable[[str], bool]) -> bool:
    """Return whether *function* starts a command that may change something, or draws at random for its result."""
    names, generators = qualified_names(file), shared_generators(file)
    calls = [node for node in own_nodes(function) if isinstance(node, ast.Call)]
    # How long a tool waits is no part of what it returns.
    waits = {id(inside) for call in calls if callee_name(call) == "sleep" for inside in ast.walk(call)}
    return any(
        starts_command(call, names, reads) or (id(call) not in waits and draws(call, names, generators))
        for call in calls
    )


def _is_change(node: ast.AST, function: Function) -> bool:
    if isinstance(node, (ast.Global, ast.Nonlocal)):
        return True
    if isinstance(node, (ast.Attribute, ast.Subscript)) and not isinstance(node.ctx, ast.Load):
        # Who sets an item of what a call returns, as in registry()["a"] = 1, knows that it is kept.
        return not _is_fresh(node.value, function) or isinstance(node.value, ast.Call)
    if not isinstance(node, ast.Call):
        return grows_container(node) and not _is_fresh(node.target, function)
    name = callee_name(node)
    if name in WRITING_METHODS or (name == "open" and _writes(node)) or (name in _QUERYING and _stores(node)):
        return True
    if isinstance(node.func, ast.Name):
        return name in _TAKING and bool(node.args) and not _is_fresh(node.args[0], function)
    changing = (
        name in CHANGING_ITEMS
        or name in _TAKING
        or name in _SIGNALLING
        or (name in _SIGNALLING_ALONE and not node.args and not node.keywords)
        or (name == "set" and len(node.args) == 1)
    )
    return changing and isinstance(node.func, ast.Attribute) and not _is_fresh(node.func.value, function)


def _stores(call: ast.Call) -> bool:
    """Return whether *call* sends a statement in SQL that begins with a verb that writes."""
    text = call.args[0].value if call.args and isinstance(call.args[0], ast.Constant) else ""
    return isinstance(text, str) and text.split(maxsplit=1)[:1] != [] and text.split()[0].lower() in _STORING


def _writes(call: ast.Call) -> bool:
    modes = [*call.args[:2], *(one.value for one in call.keywords if one.arg == "mode")]
    return any(
        isinstance(mode, ast.Constant)
        and isinstance(mode.value, str)
        and len(mode.value) <= len("r+b")
        and not _WRITING_MODES.isdisjoint(mode.value)
        for mode in modes
    )


def _waits(expression: ast.expr, function: Function) -> bool:
    """Return whether a ``with`` block is about an object that the function did not make: a lock, most likely."""
    if isinstance(expression, ast.Call) and isinstance(expression.func, ast.Attribute):
        return callee_name(expression) in _LIMITING and not _is_fresh(expression.func.value, function)
    return isinstance(expression, (ast.Name, ast.Attribute, ast.Subscript)) and not _is_fresh(expression, function)


def _is_fresh(expression: ast.expr, function: Function) -> bool:
    """Return whether *expression* is, or is a part of, an object that *function* made or got from a call."""
    while isinstance(expression, (ast.Attribute, ast.Subscript)):
        expression = expression.value
    return not isinstance(expression, ast.Name) or expression.id in _own_names(function)


@functools.lru_cache(maxsize=_MOST_FUNCTIONS)
def _own_names(function: Function) -> frozenset[str]:
    """Return the names that *function* binds only to what it made; others may stand for an object of others."""
    bound: dict[str, bool] = {}
    if not isinstance(function, _DEFINITIONS):
        return frozenset()
    bound.update((one.arg, True) for one in (function.args.vararg, function.args.kwarg) if one is not None)
    taken = {one.arg for one in (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs)}
    for target, value in _bindings(function):
        for name in (one.id for one in ast.walk(target) if isinstance(one, ast.Name)):
            made = not isinstance(value, (ast.Name, ast.Attribute, ast.Subscript, ast.BoolOp, ast.IfExp))
            bound[name] = bound.get(name, True) and made
    return frozenset(name for name, made in bound.items() if made and name not in taken)


def _bindings(function: Function) -> Iterator[tuple[ast.expr, ast.expr | None]]:
    for node in own_nodes(function):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, (ast.Name, ast.Tuple, ast.List)):
                    yield target, node.value
        elif isinstance(node, (ast.AnnAssign, ast.NamedExpr)) and isinstance(node.target, ast.Name):
            yield node.target, node.value
        elif isinstance(node, (ast.For, ast.AsyncFor, ast.comprehension)):
            yield node.target, None
        elif isinstance(node, (ast.With, ast.AsyncWith)):
            for item in node.items:
                if item.optional_vars is not None:
                    yield item.optional_vars, item.context_expr
