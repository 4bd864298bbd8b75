"""Finds functions that a file of a program uses from other files of it: imported ones, and those of base classes."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, NamedTuple, TypeAlias, TypeGuard, cast

from otel_parallelism.model import CallFrame
from otel_parallelism.source.functions import callee_name, own_nodes
from otel_parallelism.source.known_functions import dotted

from .outside_names import functions_called
from .own_objects import own_names

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from otel_parallelism.model import Caller
    from otel_parallelism.source.call_stacks import Sources
    from otel_parallelism.source.functions import Function, SourceFile

    Imported: TypeAlias = Callable[[str], "ProgramModule | None"]

_MOST_FOLDERS = 4
_DEEPEST = 3
_LIBRARIES = frozenset({"site-packages", "dist-packages"})
_OURS = __name__.partition(".")[0]
"""This package is no part of a program either, where it is installed from a folder of its own beside it."""

_RECEIVERS = frozenset({"self", "cls", "super"})


class ProgramModule(NamedTuple):
    """
    A file of a program, and how to find the modules that it imports.

    ``imported`` takes a dotted name, with a leading dot for each level of a relative import. It returns None for a
    module that is not at hand.
    """

    file: SourceFile
    imported: Imported


Place: TypeAlias = tuple[ProgramModule, "Function"]
"""A function and the module that has it."""


def program_module(file: SourceFile, path: str, sources: Sources) -> ProgramModule:
    """Return *file*, which stands at *path*, with the modules that stand beside and around it in *sources*."""

    def imported(module: str) -> ProgramModule | None:
        if module.partition(".")[0] == _OURS:
            return None
        key = "imported", module, path
        if key not in file.facts:
            paths = module_paths(path, module)
            files = ((one, sources(CallFrame(one, 0))) for one in paths)
            file.facts[key] = next(((one, found) for one, found in files if found is not None), None)
        found = cast("tuple[str, SourceFile] | None", file.facts[key])
        return None if found is None else program_module(found[1], found[0], sources)

    return ProgramModule(file, imported)


def function_at(place: Caller, sources: Sources) -> Place | None:
    """Return the function whose definition starts at *place*; None if it is in a library or is not found."""
    path = place.file_path
    if not _LIBRARIES.isdisjoint(path.replace("\\", "/").split("/")):
        return None
    file = sources(CallFrame(path, 0))
    for functions in [] if file is None else file.named.values():
        for one in functions:
            if file is None or not isinstance(one, (ast.FunctionDef, ast.AsyncFunctionDef)):
                continue
            if place.line_number == min(node.lineno for node in (one, *one.decorator_list)):
                return program_module(file, path, sources), one
    return None


def module_paths(importer: str, module: str) -> list[str]:
    """
    Return the paths at which the file of *module* may stand, as the file *importer* imports it, the likeliest first.

    A program is started in the folder of the importer or in one of those around it. A library is no part of a program.

    >>> module_paths("/srv/app/agent.py", "..shared")
    ['/srv/shared.py', '/srv/shared/__init__.py']
    >>> module_paths("/srv/app/agent.py", "app.web")[:4:2]
    ['/srv/app/app/web.py', '/srv/app/web.py']
    """
    name = module.lstrip(".")
    level = len(module) - len(name)
    folders = importer.replace("\\", "/").split("/")[:-1]
    found = []
    for up in [level - 1] if level else range(_MOST_FOLDERS):
        folder = folders[: len(folders) - up]
        if not folder or (not level and folder[-1] in _LIBRARIES and up):
            break
        path = "/".join([*folder, *(name.split(".") if name else ())])
        found += [f"{path}.py", f"{path}/__init__.py"] if name else [f"{path}/__init__.py"]
    return found


def called_elsewhere(module: ProgramModule, call: ast.Call) -> list[Place]:
    """
    Return the functions that *call*, in a function of *module*, may run in other modules of the program.

    They are imported, or those of what is imported, or methods of a base class that is. A function may also be handed
    to another one, such as ``asyncio.to_thread``.
    """
    found = list(_of_expression(module, call.func))
    for argument in call.args:
        if isinstance(argument, (ast.Name, ast.Attribute)):
            found += _of_expression(module, argument)
    return found


def wrapping(module: ProgramModule, function: Function) -> list[Place]:
    """Return the functions that run around *function*: inner ones of its decorators, if they are known."""
    found: list[Place] = []
    for decorator in getattr(function, "decorator_list", ()):
        expression = decorator.func if isinstance(decorator, ast.Call) else decorator
        made: list[Place] = [(module, one) for one in module.file.named.get(dotted(expression), ())]
        for home, outer in made or list(_of_expression(module, expression)):
            found += [(home, one) for one in ast.walk(outer) if _runs_what_is_given(one, home, outer)]
    return found


def class_methods(module: ProgramModule, call: ast.Call, methods: tuple[str, ...]) -> list[Place]:
    """Return those of *methods* that the class of the object has which *call* makes."""
    name = dotted(call.func)
    if name in module.file.defined:
        return [(module, method) for method in _methods(module.file, name, methods)]
    return [
        place
        for method in methods
        for place in _of_expression(module, ast.Attribute(call.func, method, ast.Load()))
        if place[1] in _methods(place[0].file, callee_name(call), methods)
    ]


def _methods(file: SourceFile, name: str, methods: tuple[str, ...]) -> list[Function]:
    return [
        one
        for node in file.tree.body
        if isinstance(node, ast.ClassDef) and node.name == name
        for one in node.body
        if isinstance(one, (ast.FunctionDef, ast.AsyncFunctionDef)) and one.name in methods
    ]


def overrides(modules: Iterable[ProgramModule], place: Place) -> list[Place]:
    """Return the methods of classes in *modules* that may override those that the method at *place* calls."""
    module, function = place
    called = {
        node.func.attr
        for node in own_nodes(function)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and dotted(node.func.value) in _RECEIVERS
    }
    return [
        (home, method)
        for home in modules
        if called and home.file is not module.file
        for node in home.file.tree.body
        if isinstance(node, ast.ClassDef) and node.bases
        for method in node.body
        if isinstance(method, (ast.FunctionDef, ast.AsyncFunctionDef)) and method.name in called
    ]


def named_elsewhere(module: ProgramModule, name: str) -> list[Place]:
    """Return the functions that *module* imports by *name*, also through other modules."""
    return _of_name(module, name, "", _DEEPEST)


def _runs_what_is_given(
    node: ast.AST, module: ProgramModule, outer: Function
) -> TypeGuard[ast.FunctionDef | ast.AsyncFunctionDef]:
    """
    Return whether *node* is a function inside of *outer* that runs what the functions around it were given.

    Others run once, when a function is decorated.
    """
    if node is outer or not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return False
    given: set[str] = set()
    around = module.file.parents.get(node)
    while around is not None and around is not module.file.tree:
        if isinstance(around, (ast.FunctionDef, ast.AsyncFunctionDef)):
            given |= {one.arg for one in (*around.args.posonlyargs, *around.args.args, *around.args.kwonlyargs)}
        around = module.file.parents.get(around)
    given -= own_names(node)
    return any(
        isinstance(one, ast.Name) and one.id in given
        for call in own_nodes(node)
        if isinstance(call, ast.Call)
        # Others may run it later, or only keep it.
        for one in (call.func, *(call.args if isinstance(module.file.parents.get(call), ast.Await) else ()))
    )


def _of_expression(module: ProgramModule, expression: ast.expr) -> Iterator[Place]:
    if isinstance(expression, ast.Name):
        yield from _of_name(module, expression.id, "", _DEEPEST)
    elif isinstance(expression, ast.Attribute):
        name = dotted(expression)
        if not name and isinstance(expression.value, ast.Call):
            # A method of what a class or a function makes, such as super().
            name = f"{dotted(expression.value.func)}.{expression.attr}"
        root, _, rest = name.partition(".")
        if root in _RECEIVERS:
            yield from _of_bases(module, expression.attr)
        elif rest:
            yield from _of_name(module, root, rest, _DEEPEST)


def _of_bases(module: ProgramModule, method: str) -> Iterator[Place]:
    """Yield the methods called *method* of the imported classes that classes of *module* extend."""
    if method in module.file.named:
        return
    for node in module.file.tree.body:
        for base in node.bases if isinstance(node, ast.ClassDef) else ():
            root, _, rest = dotted(base).partition(".")
            yield from _of_name(module, root, f"{rest}.{method}" if rest else method, _DEEPEST)


def _of_name(module: ProgramModule, name: str, rest: str, depth: int) -> list[Place]:
    """Return the functions that ``name.rest`` stands for, where *module* imports *name*."""
    if name not in module.file.imports or not depth:
        return []
    # A module uses one name in many places.
    key = "imported name", name, rest, depth
    if key not in module.file.facts:
        module.file.facts[key] = list(_found_by_name(module, name, rest, depth))
    return cast("list[Place]", module.file.facts[key])


def _found_by_name(module: ProgramModule, name: str, rest: str, depth: int) -> Iterator[Place]:
    for node in module.file.import_statements:
        for alias in node.names:
            if isinstance(node, ast.ImportFrom):
                if name in {alias.asname or alias.name, "*"}:
                    source = "." * node.level + (node.module or "")
                    yield from _of_import(module, source, alias.name, rest, depth)
            elif name == (alias.asname or alias.name.partition(".")[0]):
                # Of ``import a.b``, the name is ``a``, and ``a.b.f`` is called.
                inside = "" if alias.asname else alias.name.partition(".")[2]
                left = rest.removeprefix(f"{inside}.") if inside else rest
                home = module.imported(alias.name)
                if home is not None and (not inside or left != rest):
                    yield from _of_module(home, left, depth)


def _of_import(module: ProgramModule, source: str, name: str, rest: str, depth: int) -> Iterator[Place]:
    home = module.imported(source)
    if home is not None and (name in home.file.imports or _binds(home, name)):
        yield from _of_module(home, f"{name}.{rest}" if rest else name, depth)
    else:
        inner = module.imported(f"{source}{'' if source.endswith('.') else '.'}{name}")
        if inner is not None and rest:
            yield from _of_module(inner, rest, depth)


def _binds(module: ProgramModule, name: str) -> bool:
    """Return whether *module* itself defines or sets *name* at its top level."""
    return name in module.file.defined or name in module.file.bound


def _of_module(home: ProgramModule, path: str, depth: int) -> Iterator[Place]:
    """Yield the functions of *home* that ``path`` stands for: a function, a class, or a method of an object."""
    first, _, rest = path.partition(".")
    if not _binds(home, first):
        yield from _of_name(home, first, rest, depth - 1)
        return
    called = ast.Call(ast.Name(path.rpartition(".")[2], ast.Load()), [], [])
    own = functions_called(home.file, called)
    for one in own:
        yield home, one
    if not own and callee_name(called) != first:
        # An object of a class, or a class, that another module defines in part.
        yield from _of_bases(home, callee_name(called))
