"""Runs a Python program in this process as ``python`` runs it: as ``__main__``, until its threads have ended."""

from __future__ import annotations

import atexit
import contextlib
import importlib.util
import os
import re
import sys
import threading
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from pkgutil import get_importer
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

import msgspec

from otel_parallelism.errors import ParallelismError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import CodeType, TracebackType


INTERPRETER: Final = re.compile(r"(python|pypy)(\d+(\.\d+)?t?)?(\.exe)?|py")
"""The name of a Python interpreter's file."""


class ProgramNotFoundError(ParallelismError):
    """The script or module does not exist; the message names it."""


class Interrupted(BaseException):
    """The program was interrupted and has printed its traceback; the process should end by the same signal."""


class Ending(msgspec.Struct, frozen=True):
    """How a program ended: its exit status, and whether Ctrl-C interrupted it."""

    status: int = 0
    interrupted: bool = False


def run_program(target: str, arguments: Sequence[str], *, module: bool) -> Ending:
    """
    Run the script, folder, zip archive or *module* called *target* as ``__main__`` and wait for its threads.

    ``sys.argv`` and ``sys.path[0]`` are set as ``python`` sets them. ``sys.modules["__main__"]`` stays the program's
    module, so that pickles and child processes of the program find it. An exception that ends the program is printed
    through ``sys.excepthook``, without the frames of this package.

    Raises:
        ProgramNotFoundError: The script or module does not exist; nothing has been run.
    """
    found = _Module(target) if module else _file(target)
    sys.argv[:] = [found.argv0, *arguments]
    if not sys.flags.safe_path:
        sys.path[0] = found.folder
    ending = _ended(found)
    _wait_for_threads()
    return ending


@contextlib.contextmanager
def importing_from(path: Sequence[str]) -> Iterator[None]:
    """
    Import modules from *path*, and no modules that the program has imported from elsewhere, until the block ends.

    A report needs ``rich`` and ``html``, and a program can have modules with these names.
    """
    programs, modules = sys.path.copy(), list(sys.modules.items())
    elsewhere = set(map(os.path.abspath, programs)) - set(map(os.path.abspath, path))
    own = {name for name, module in modules if _folder(module) in elsewhere} - {"otel_parallelism"}
    aside = {name: module for name, module in modules if name.partition(".")[0] in own}
    for name in aside:
        del sys.modules[name]
    sys.path[:] = path
    try:
        yield
    finally:
        sys.path[:] = programs
        sys.modules.update(aside)


def _folder(module: ModuleType) -> str | None:
    """Return the folder from which the top-level *module* was imported; None if it has none."""
    # Reading an attribute of an object that is not a plain module can run any code.
    spec = getattr(module, "__spec__", None) if type(module) is ModuleType else None
    if not isinstance(spec, ModuleSpec) or not spec.has_location or spec.origin is None:
        return None
    folder = os.path.dirname(spec.origin)  # noqa: PTH120 - sys.path holds strings
    return folder if spec.submodule_search_locations is None else os.path.dirname(folder)  # noqa: PTH120 - as above


def wait_for_processes() -> None:
    """
    Wait for child processes of ``multiprocessing`` that the program has not joined, as the interpreter does at its end.

    The interpreter does so among the functions of ``atexit``. These can be needed to end a process, so all of them run
    here, if there is such a process.
    """
    module: Any = sys.modules.get("multiprocessing.process")
    if module is not None and any(not process.daemon for process in module.active_children()):
        atexit._run_exitfuncs()  # noqa: SLF001 - there is no public function


def _file(name: str) -> _Script | _Container:
    return _Container(name) if name and get_importer(name) is not None else _Script(name)


class _Script:
    """A file of Python source."""

    def __init__(self, name: str) -> None:
        self.argv0 = name
        self.path = Path(os.path.abspath(name))  # noqa: PTH100 - the name of a link is kept, as python does
        self.folder = os.path.dirname(os.path.realpath(name))  # noqa: PTH120 - sys.path holds strings
        try:
            self.source = self.path.read_bytes()
        except OSError as error:
            message = f"can't open file '{name}': {error.strerror}"
            raise ProgramNotFoundError(message) from None

    def load(self) -> tuple[CodeType, dict[str, Any]]:
        path = str(self.path)
        code = compile(self.source, path, "exec", dont_inherit=True)
        return code, {"__file__": path, "__loader__": SourceFileLoader("__main__", path)} | _cached(None)


class _Container:
    """A folder or a zip archive with a ``__main__``."""

    def __init__(self, name: str) -> None:
        self.argv0 = name
        self.folder = os.path.abspath(name)  # noqa: PTH100 - sys.path holds strings

    def load(self) -> tuple[CodeType, dict[str, Any]]:
        spec = PathFinder.find_spec("__main__", [self.folder])
        code = None if spec is None else getattr(spec.loader, "get_code", lambda _: None)(spec.name)
        if spec is None or code is None:
            message = f"can't find '__main__' module in '{self.argv0}'"
            raise ProgramNotFoundError(message)
        return code, _names(spec)


class _Module:
    """A module that can be imported, or a package with a ``__main__``."""

    def __init__(self, name: str) -> None:
        self.argv0 = "-m"
        self.folder = os.getcwd()  # noqa: PTH109 - sys.path holds strings
        self.name = name

    def load(self) -> tuple[CodeType, dict[str, Any]]:
        """Find the module, which imports the packages around it, and return its code and its globals."""
        if self.name.startswith("."):
            message = f"{self.name}: relative module names are not supported"
            raise ProgramNotFoundError(message)
        spec = self._find(self.name)
        if spec.submodule_search_locations is not None:
            spec = self._find(f"{self.name}.__main__", f"; '{self.name}' is a package and cannot be run")
        code = getattr(spec.loader, "get_code", lambda _: None)(spec.name)
        if code is None:
            message = f"no code to run in module {self.name}"
            raise ProgramNotFoundError(message)
        sys.argv[0] = spec.origin or self.argv0
        return code, _names(spec)

    def _find(self, name: str, remark: str = "") -> ModuleSpec:
        try:
            spec = importlib.util.find_spec(name)
        except ModuleNotFoundError as error:
            if error.name is None or not f"{name}.".startswith(f"{error.name}."):
                raise  # the package around the module exists, but its import of another module failed
            spec = None
        except ValueError:  # a module in sys.modules without a spec
            spec = None
        if spec is None:
            message = f"no module named {name}{remark}"
            raise ProgramNotFoundError(message)
        return spec


def _names(spec: ModuleSpec) -> dict[str, Any]:
    """Return the globals that a module of *spec* begins with."""
    found = {"__file__": spec.origin, "__loader__": spec.loader, "__package__": spec.parent, "__spec__": spec}
    return found | _cached(spec.cached)


def _cached(path: str | None) -> dict[str, Any]:
    """Return the global ``__cached__``, the path of the compiled file; Python 3.15 has none."""
    return {} if sys.version_info >= (3, 15) else {"__cached__": path}


def _ended(found: _Script | _Container | _Module) -> Ending:
    main = ModuleType("__main__")
    main.__dict__["__builtins__"] = sys.modules["builtins"]
    if "__annotations__" in sys.modules["__main__"].__dict__:  # some versions of Python start with one
        main.__dict__.update(__annotations__={})
    try:
        code, names = found.load()
        main.__dict__.update(names)
        sys.modules["__main__"] = main
        exec(code, main.__dict__)  # noqa: S102 - running the program is the purpose
    except ProgramNotFoundError:
        raise
    except SystemExit as request:
        return Ending(_status(request.code))
    except BaseException as error:  # noqa: BLE001 - any exception of the program is printed, and the report follows
        _show(error)
        return Ending(1, interrupted=isinstance(error, KeyboardInterrupt))
    return Ending()


def _status(code: object) -> int:
    """Return the exit status of ``sys.exit(code)``; print a *code* that is not a number."""
    if code is None:
        return 0
    if isinstance(code, int):
        return code
    with contextlib.suppress(OSError, ValueError):  # closed
        print(code, file=sys.stderr or sys.__stderr__)
    return 1


def _show(error: BaseException) -> None:
    """Print *error* as the interpreter does, without the frames of this module."""
    error.__traceback__ = _outermost(error.__traceback__)
    try:
        sys.excepthook(type(error), error, error.__traceback__)
    except BaseException as other:  # noqa: BLE001 - a failing hook must not hide the error
        sys.__excepthook__(type(other), other, other.__traceback__)
        sys.__excepthook__(type(error), error, error.__traceback__)


def _outermost(traceback: TracebackType | None) -> TracebackType | None:
    while traceback is not None and traceback.tb_frame.f_code.co_filename == __file__:
        traceback = traceback.tb_next
    return traceback


def _wait_for_threads() -> None:
    """
    Wait for the program's threads, as the interpreter does when it ends.

    Joining them one by one would wait forever for idle workers of an executor that has not been shut down; the
    interpreter's own function stops them. It runs again at the end of the process and then has nothing to do.
    """
    try:
        threading._shutdown()  # type: ignore[attr-defined]  # noqa: SLF001 - there is no public function
    except BaseException as error:  # noqa: BLE001 - Ctrl-C ends the waiting, and the report follows
        with contextlib.suppress(OSError, ValueError):  # closed
            print("Exception ignored in:", threading, file=sys.stderr or sys.__stderr__)
        _show(error)
