"""Finds the state that a tool keeps outside of itself, in the functions and methods of its program that it runs."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, cast

from otel_parallelism.pace import paced
from otel_parallelism.source.functions import callee_name, own_nodes
from otel_parallelism.source.known_functions import is_pure

from .changing_methods import CHANGING_ITEMS
from .computing import COMPUTING, only_computes
from .kept_state import KeptState, names_of, state_of
from .outside_names import outermost_name, outside_name
from .own_objects import is_fresh, own_names
from .program_modules import function_at, program_module
from .run_functions import Run, is_unknown_function, run_by
from .tool_changes import tool_functions

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from otel_parallelism.model import Call, CallFrame
    from otel_parallelism.source.call_stacks import Sources
    from otel_parallelism.source.functions import Function, SourceFile

    from .program_modules import Place, ProgramModule

_MOST_RUNS = 64
_TAKING = frozenset({"get", "get_nowait"})
_MOST_MODULES = 16


def state_of_tool(tool: str, callers: Sequence[ProgramModule], defined: Place | None) -> KeptState:
    """
    Return the state that the function of *tool* uses.

    Methods of objects that it was given are looked for in its module, in *callers*, and in the modules of the program
    that these import.

    Args:
        tool: The name of the function.
        callers: The files of the functions that called it, the innermost first; at least one.
        defined: The function of the tool, if it is known.
    """
    caller = callers[0]
    key = "state of tool", tool, None if defined is None else defined[1], tuple(one.file for one in callers)
    if key not in caller.file.facts:
        own = run_by(tool_functions(caller, tool, defined))
        runs = _with_methods(own, callers)
        filled: frozenset[str] = frozenset()
        if any(map(_runs_listeners, runs)):
            runs = [*runs, *run_by([(home, one) for home in callers for one in _kept_functions(home.file)])]
            filled = frozenset().union(*(_kept_containers(home.file) for home in callers))
        put = frozenset[str]().union(*(state_of(run).added for run in runs))
        runs = [*runs, *(one for home in callers for one in _workers_on(put, home))]
        parts = [state_of(run) for run in runs]
        caller.file.facts[key] = KeptState(
            filled.union(*(part.changed for part in parts)),
            frozenset().union(*(part.added for part in parts)),
            frozenset().union(*(part.read for part in parts)),
            next((part.alone for part in parts if part.alone), "") or (COMPUTING if only_computes(own) else ""),
            frozenset().union(*(state_of(run).arguments for run in own)),
            frozenset().union(*(state_of(run).taken for run in own)),
        )
    return cast("KeptState", caller.file.facts[key])


def states_of_tools(
    stacks: Sequence[Sequence[CallFrame | None]], calls: Sequence[Call], sources: Sources
) -> list[KeptState]:
    """
    Return the states that the tools of *calls* use; nothing if the source of a caller is not at hand.

    Args:
        stacks: The frames of each call, the innermost first.
        calls: The calls.
        sources: Returns the parsed file of a frame, or None.
    """
    states = []
    for stack, call in zip(stacks, calls, strict=True):
        files = {frame.file_path: sources(frame) for frame in stack if frame is not None and frame.file_path}
        callers = [program_module(file, path, sources) for path, file in files.items() if file is not None]
        if not callers:
            return []
        defined = None if call.defined is None else function_at(call.defined, sources)
        states.append(state_of_tool(call.tool, callers, defined))
    return states


def argument_changed(calls: Sequence[Call], states: Sequence[KeptState], shared: Sequence[str]) -> str:
    """
    Return what holds an object that both calls were given, and that one tool changes, not both.

    Args:
        calls: The earlier call and the later one.
        states: The state that their tools use.
        shared: The names of objects that the source shows both to be given. They count where the objects themselves are
            not known: in stored calls, and in those whose arguments were not held.
    """
    if shared and any(one.arguments is None or one.stack is None for one in calls):
        return shared[0] if any(state.arguments or state.taken for state in states) else ""
    given = [
        {} if one.arguments is None else {thing.identity: thing.name for thing in one.arguments.handed} for one in calls
    ]
    for identity in given[0].keys() & given[1].keys():
        changed = [names[identity] in state.arguments for names, state in zip(given, states, strict=True)]
        taken = any(names[identity] in state.taken for names, state in zip(given, states, strict=True))
        if taken or changed[0] != changed[1]:
            return given[changed[1]][identity]
    return ""


def read_in_tests(tests: list[ast.expr], function: Function, module: ProgramModule) -> frozenset[str]:
    """Return what *tests*, conditions of *function*, read, with the properties and methods of *module* they use."""
    found: set[str] = set()
    for node in (inside for test in tests for inside in ast.walk(test)):
        if isinstance(node, (ast.Attribute, ast.Name)):
            found.update(names_of(node, module.file))
        if isinstance(node, ast.Attribute):
            for home in _homes(module, ()):
                for run in run_by([(home, one) for one in _methods(home, node.attr)]):
                    found |= state_of(run).read
    return frozenset(found - {""} - own_names(function))


def _with_methods(runs: list[Run], callers: Sequence[ProgramModule]) -> list[Run]:
    """Return *runs* with the methods of objects of others that they call, by name."""
    found, seen = list(runs), {(run.function, run.new) for run in runs}
    asked: set[tuple[SourceFile, str, bool]] = set()
    for run in found:
        for node in paced(own_nodes(run.function)):
            if not isinstance(node, ast.Call) or not _is_of_others(node, run):
                continue
            # A function calls one method in many places.
            key = run.module.file, callee_name(node), isinstance(node.func, ast.Name)
            if key in asked or len(found) >= _MOST_RUNS:
                continue
            asked.add(key)
            for one in _run_by_name(node, run, callers):
                if (one.function, one.new) not in seen:
                    seen.add((one.function, one.new))
                    found.append(one)
    return found[:_MOST_RUNS]


def _is_of_others(call: ast.Call, run: Run) -> bool:
    """Return whether *call* is one of a function by its name, or of a method of an object that others may have."""
    if not isinstance(call.func, ast.Attribute):
        return isinstance(call.func, ast.Name)
    receiver = call.func.value
    # An object that a function returns may be shared: connection().fetch(…). One that a class makes is not.
    returned = isinstance(receiver, ast.Call) and not is_pure(receiver)
    if not returned and is_fresh(receiver, run.function, new=run.new):
        return False
    return not (isinstance(receiver, ast.Name) and receiver.id in _modules_named(run.module.file))


def _runs_listeners(run: Run) -> bool:
    """Return whether *run* calls functions out of a container of others: those that the program put there."""
    return any(isinstance(node, ast.Call) and is_unknown_function(node, run) for node in own_nodes(run.function))


def _kept_functions(file: SourceFile) -> list[Function]:
    """Return the functions of *file* that it puts somewhere, as in ``listeners.append(f)``, or under a decorator."""
    found: dict[Function, None] = {}
    for node in paced(ast.walk(file.tree)):
        around = file.parents.get(node)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            if any(outermost_name(one) not in {"", *file.imports} for one in node.decorator_list):
                found[node] = None
        elif isinstance(node, ast.Name) and not (isinstance(around, ast.Call) and node is around.func):
            found.update(dict.fromkeys(file.named.get(node.id, ())))
    return list(found)


def _kept_containers(file: SourceFile) -> frozenset[str]:
    """Return the containers of *file* whose methods it passes on, such as ``Watch(FOUND.append)``."""
    found: set[str] = set()
    for node in paced(ast.walk(file.tree)):
        if isinstance(node, ast.Attribute) and node.attr in CHANGING_ITEMS:
            around = file.parents.get(node)
            if not (isinstance(around, ast.Call) and node is around.func):
                found.add(outside_name(node.value))
    return frozenset(found - {""})


def _workers_on(queues: frozenset[str], home: ProgramModule) -> list[Run]:
    """Return the functions of *home* that take items from one of *queues*, where others put them."""
    runs = [Run(home, one) for one in _taking_functions(home.file)] if queues else []
    return [run for run in runs if state_of(run).changed & queues]


def _taking_functions(file: SourceFile) -> list[Function]:
    """Return the functions of *file* that may take an item of a queue."""
    key = "taking functions"
    if key not in file.facts:
        file.facts[key] = [
            function
            for functions in paced(file.named.values())
            for function in functions
            if any(isinstance(one, ast.Call) and callee_name(one) in _TAKING for one in own_nodes(function))
        ]
    return cast("list[Function]", file.facts[key])


def _modules_named(file: SourceFile) -> set[str]:
    """Return the names that stand for modules in *file*: ``import clients``."""
    plain = (node for node in file.import_statements if isinstance(node, ast.Import))
    return {(alias.asname or alias.name).partition(".")[0] for node in plain for alias in node.names}


def _run_by_name(call: ast.Call, run: Run, callers: Sequence[ProgramModule]) -> list[Run]:
    """Return what *call* may run: the methods of its name in modules nearby, or a lambda of the module."""
    name = callee_name(call)
    if isinstance(call.func, ast.Name):
        return run_by([(run.module, one) for one in _lambdas(run.module, name)])
    receiver = outermost_name(call.func)
    # An object that is imported by its name may be of a class that its own module imports.
    makers = _imported(run.module) if receiver in run.module.file.imports else []
    homes = _homes(run.module, (*callers, *makers))
    return run_by([(home, method) for home in homes for method in _methods(home, name)])


def _lambdas(module: ProgramModule, name: str) -> Iterator[ast.Lambda]:
    for statement in module.file.tree.body:
        targets = statement.targets if isinstance(statement, ast.Assign) else []
        value = getattr(statement, "value", None)
        if isinstance(value, ast.Lambda) and name in {getattr(target, "id", "") for target in targets}:
            yield value


def _homes(module: ProgramModule, callers: Sequence[ProgramModule]) -> list[ProgramModule]:
    homes = {id(one.file): one for start in (module, *callers) for one in (start, *_imported(start))}
    return list(homes.values())


def _imported(module: ProgramModule) -> list[ProgramModule]:
    key = "modules imported"
    if key not in module.file.facts:
        names = {
            name
            for node in module.file.import_statements
            for name in (
                ["." * node.level + (node.module or "")]
                if isinstance(node, ast.ImportFrom)
                else [alias.name for alias in node.names]
            )
        }
        modules = (module.imported(name) for name in sorted(names)[:_MOST_MODULES])
        module.file.facts[key] = [one for one in modules if one is not None]
    return cast("list[ProgramModule]", module.file.facts[key])


def _methods(module: ProgramModule, name: str) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for one in module.file.named.get(name, ()):
        in_class = isinstance(module.file.parents.get(one), ast.ClassDef)
        if in_class and isinstance(one, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield one
