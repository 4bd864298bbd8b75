"""
Finds what the source of a tool changes outside of it, or waits for: then its reading name is not to be believed.

A stored span says nothing of the objects that calls share. Where the source is at hand, the function of the tool shows
whether it sets something that is not its own (`self.token = …`, `CACHE[key] = …`, `os.environ`), writes a file or
a table, takes the next item, draws from a shared random generator, starts a command, or waits for a lock or an event
of others; directly, or through functions and methods of its program.
"""

from __future__ import annotations

import ast
import itertools
from typing import TYPE_CHECKING

from otel_parallelism.pace import paced
from otel_parallelism.source.functions import callee_name, own_nodes
from otel_parallelism.source.known_functions import dotted

from .changing_methods import CHANGING_ITEMS, WRITING_METHODS, changed_argument
from .commands_and_draws import draws, moves_on, qualified_names, shared_generators, starts_command
from .kept_state import shared_iterator
from .own_objects import grows_container, is_fresh
from .program_modules import named_elsewhere, overrides
from .run_functions import calls_unknown_function, functions_named, run_by

if TYPE_CHECKING:
    from collections.abc import Callable

    from otel_parallelism.source.functions import Function, SourceFile

    from .program_modules import Place, ProgramModule
    from .run_functions import Run

_MOST_FILES = 16
_TAKING = frozenset({"next", "anext", "acquire", "send", "asend", "popleft", "popitem", "get_nowait", "setattr"})
# Of an event, a condition, a barrier or a queue: one call waits for what another one does.
_SIGNALLING = frozenset({"release", "notify", "notify_all", "put", "put_nowait", "task_done"})
_SIGNALLING_ALONE = frozenset({"wait", "set", "get", "join"})
_LIMITING = frozenset({"acquire", "limit", "limited", "lock", "locked", "rate_limit", "ratelimit", "slot", "throttle"})
_QUERYING = frozenset({"execute", "executemany", "executescript", "text"})
_STORING = frozenset("insert update delete replace merge upsert create drop alter truncate set begin copy".split())  # noqa: SIM905 - a list of quoted words would be longer
_WRITING_MODES = frozenset("wax+cn")
_SHELVES = frozenset({"shelve.open", "dbm.open"})


def may_change_something(
    tool: str,
    module: ProgramModule,
    reads: Callable[[str], bool] = lambda _: False,
    defined: Place | None = None,
) -> bool:
    """
    Return whether the function of *tool* visibly changes something that other calls may see, or waits for one.

    Args:
        tool: The name of the function, or another one that the source gives it.
        module: The file of the function that called it.
        reads: Returns whether a shell command only reads.
        defined: The function of the tool, if it is known.

    Returns:
        False if no function of this name is in the file or in a module that it imports, and none is known.
    """
    file = module.file
    key = "changes", tool, None if defined is None else defined[1]
    if key not in file.proofs:
        file.proofs[key] = any(
            _changes(one) or (one.away <= 1 and _reaches_out(one.function, one.module.file, reads))
            for one in run_by(tool_functions(module, tool, defined), decorated=True)
        )
    return bool(file.proofs[key])


def changes_something(module: ProgramModule, function: Function, called: str = "") -> bool:
    """
    Return whether *function*, of *module*, visibly changes something that others may see, or waits for one.

    What it calls by the name *called* does not count, if that is not empty.
    """
    key = "runs", function, called
    if key not in module.file.proofs:
        module.file.proofs[key] = any(map(_changes, run_by([(module, function)], without=called)))
    return bool(module.file.proofs[key])


def tool_functions(module: ProgramModule, tool: str, defined: Place | None) -> list[Place]:
    """Return *defined*, the functions called *tool* that *module* has or imports, and what overrides their helpers."""
    found = [*([] if defined is None else [defined]), *_of_the_name(module, tool)]
    imported = (module.imported(name) for name in _modules(module.file, set())[:_MOST_FILES])
    homes = [module, *(one for one in imported if one is not None)] if found else []
    return [*found, *(method for place in found for method in overrides(homes, place))]


def _of_the_name(module: ProgramModule, tool: str) -> list[Place]:
    """Return the functions that *tool* may be: those of its name in the file, or else in a module that it imports."""
    names = {tool} | module.file.given_names.get(tool, set())
    imported = (module.imported(name) for name in _modules(module.file, names)[:_MOST_FILES])
    homes: list[ProgramModule] = []
    for home in itertools.chain([module], (one for one in imported if one is not None)):
        homes.append(home)
        found = functions_named(home, names | home.file.given_names.get(tool, set()))
        if found:
            return found
    return [place for home in homes for name in sorted(names) for place in named_elsewhere(home, name)]


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


def _changes(run: Run) -> bool:
    return any(
        _is_change(node, run) or (isinstance(node, ast.Expr) and calls_unknown_function(node, run))
        for node in paced(own_nodes(run.function))
    ) or any(
        _waits(item.context_expr, run)
        for node in own_nodes(run.function)
        if isinstance(node, (ast.With, ast.AsyncWith))
        for item in node.items
    )


def _reaches_out(function: Function, file: SourceFile, reads: Callable[[str], bool]) -> bool:
    """Return whether *function* starts a command that may change something, draws at random, or reads on in a file."""
    names, generators = qualified_names(file), shared_generators(file)
    calls = [node for node in own_nodes(function) if isinstance(node, ast.Call)]
    # How long a tool waits is no part of what it returns.
    waits = {id(inside) for call in calls if callee_name(call) == "sleep" for inside in ast.walk(call)}
    return any(
        starts_command(call, names, reads)
        or (id(call) not in waits and draws(call, names, generators))
        or moves_on(call, names, function)
        for call in calls
    )


def _is_change(node: ast.AST, run: Run) -> bool:
    if isinstance(node, (ast.Global, ast.Nonlocal)) or shared_iterator(node, run):
        return True
    if isinstance(node, (ast.Attribute, ast.Subscript)) and not isinstance(node.ctx, ast.Load):
        # Who sets an item of what a call returns, as in registry()["a"] = 1, knows that it is kept.
        return not is_fresh(node.value, run.function, new=run.new) or isinstance(node.value, ast.Call)
    changed = node.target if grows_container(node) else changed_argument(node)
    if not isinstance(node, ast.Call) or changed is not None:
        return changed is not None and not is_fresh(changed, run.function, new=run.new)
    name = callee_name(node)
    if name in WRITING_METHODS or (name == "open" and _writes(node)) or (name in _QUERYING and _stores(node)):
        return True
    if isinstance(node.func, ast.Name):
        return name in _TAKING and bool(node.args) and not is_fresh(node.args[0], run.function, new=run.new)
    changing = (
        name in CHANGING_ITEMS
        or name in _TAKING
        or name in _SIGNALLING
        or (name in _SIGNALLING_ALONE and not node.args and not node.keywords)
        or (name == "set" and len(node.args) == 1)
    )
    return (
        changing and isinstance(node.func, ast.Attribute) and not is_fresh(node.func.value, run.function, new=run.new)
    )


def _stores(call: ast.Call) -> bool:
    """Return whether *call* sends a statement in SQL that begins with a verb that writes."""
    text = call.args[0].value if call.args and isinstance(call.args[0], ast.Constant) else ""
    return isinstance(text, str) and text.split(maxsplit=1)[:1] != [] and text.split()[0].lower() in _STORING


def _writes(call: ast.Call) -> bool:
    modes = [*call.args[:2], *(one.value for one in call.keywords if one.arg in {"mode", "flag"})]
    if dotted(call.func) in _SHELVES and len(modes) == 1:
        # A shelf is opened for writing if nothing else is said.
        return True
    return any(
        isinstance(mode, ast.Constant)
        and isinstance(mode.value, str)
        and len(mode.value) <= len("r+b")
        and not _WRITING_MODES.isdisjoint(mode.value)
        for mode in modes
    )


def _waits(expression: ast.expr, run: Run) -> bool:
    """Return whether a ``with`` block is about an object that the function did not make: a lock, most likely."""
    if isinstance(expression, ast.Call):
        of = expression.func.value if isinstance(expression.func, ast.Attribute) else None
        shared = of is None or not is_fresh(of, run.function, new=run.new)
        return callee_name(expression) in _LIMITING and shared
    return isinstance(expression, (ast.Name, ast.Attribute, ast.Subscript)) and not is_fresh(
        expression, run.function, new=run.new
    )
