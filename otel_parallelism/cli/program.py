"""A Python program run in this process just as ``python`` would run it: as ``__main__``, to its very end."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import sys
import threading
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import CodeType, TracebackType


class ProgramNotFoundError(Exception):
    """There is no such script or module; the message says which."""


class Interrupted(BaseException):
    """The program was interrupted, and said so; the process should end as an interrupted one does."""


class Ending(msgspec.Struct, frozen=True):
    """How a program ended: its exit status, and whether it was interrupted (Ctrl-C)."""

    status: int = 0
    interrupted: bool = False


def run_program(target: str, arguments: Sequence[str], *, module: bool) -> Ending:
    """
    Run the script or *module* called *target* as ``__main__`` and wait for its threads.

    ``sys.argv`` and ``sys.path[0]`` become what the program expects, and ``sys.modules["__main__"]`` stays the
    program's, so that what it pickles, and processes that it starts, find it. An exception that ends it is printed
    through ``sys.excepthook``, without the frames of this package.

    Raises:
        ProgramNotFoundError: There is nothing to run. Nothing has been run.
    """
    found = _Module(target) if module else _Script(target)
    sys.argv[:] = [found.argv0, *arguments]
    if not sys.flags.safe_path:
        sys.path[0] = found.folder
    ending = _ended(found)
    _wait_for_threads()
    return ending


@contextlib.contextmanager
def importing_from(path: Sequence[str]) -> Iterator[None]:
    """
    Let imports find what *path* leads to, and nothing that the program found elsewhere, until the block ends.

    A report needs ``rich`` and ``html``, and a program may have a module of its own that is called so.
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
    """Return the folder that *module* was found in, as one of the top level; None where that is none."""
    # What is no plain module may do anything when it is asked for its spec.
    spec = getattr(module, "__spec__", None) if type(module) is ModuleType else None
    if not isinstance(spec, ModuleSpec) or not spec.has_location or spec.origin is None:
        return None
    folder = os.path.dirname(spec.origin)  # noqa: PTH120 - sys.path holds strings
    return folder if spec.submodule_search_locations is None else os.path.dirname(folder)  # noqa: PTH120 - as above


class _Script:
    """A file of Python source."""

    def __init__(self, name: str) -> None:
        self.argv0 = name
        self.path = Path(os.path.abspath(name))  # noqa: PTH100 - a link keeps its own name, as under python
        self.folder = os.path.dirname(os.path.realpath(name))  # noqa: PTH120 - sys.path holds strings
        try:
            self.source = self.path.read_bytes()
        except OSError as error:
            message = f"can't open file '{name}': {error.strerror}"
            raise ProgramNotFoundError(message) from None

    def load(self) -> tuple[CodeType, dict[str, Any]]:
        path = str(self.path)
        code = compile(self.source, path, "exec", dont_inherit=True)
        return code, {"__file__": path, "__loader__": SourceFileLoader("__main__", path), "__cached__": None}


class _Module:
    """A module that can be imported, or a package with a ``__main__``."""

    def __init__(self, name: str) -> None:
        self.argv0 = "-m"
        self.folder = os.getcwd()  # noqa: PTH109 - sys.path holds strings
        self.name = name

    def load(self) -> tuple[CodeType, dict[str, Any]]:
        """Find the module, which runs the packages around it, and return its code and its globals."""
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
        return code, {
            "__file__": spec.origin,
            "__loader__": spec.loader,
            "__cached__": spec.cached,
            "__package__": spec.parent,
            "__spec__": spec,
        }

    def _find(self, name: str, remark: str = "") -> ModuleSpec:
        try:
            spec = importlib.util.find_spec(name)
        except ModuleNotFoundError as error:
            if error.name is None or not f"{name}.".startswith(f"{error.name}."):
                raise  # a package around the module was found, and failed to import something else
            spec = None
        except ValueError:  # a module that was made by hand and has no spec
            spec = None
        if spec is None:
            message = f"no module named {name}{remark}"
            raise ProgramNotFoundError(message)
        return spec


def _ended(found: _Script | _Module) -> Ending:
    main = ModuleType("__main__")
    main.__dict__["__builtins__"] = sys.modules["builtins"]
    if "__annotations__" in sys.modules["__main__"].__dict__:  # some versions of Python start with one
        main.__dict__.update(__annotations__={})
    try:
        code, names = found.load()
        main.__dict__.update(names)
        sys.modules["__main__"] = main
        exec(code, main.__dict__)  # noqa: S102 - this is what the command is for
    except ProgramNotFoundError:
        raise
    except SystemExit as request:
        return Ending(_status(request.code))
    except BaseException as error:  # noqa: BLE001 - whatever ends the program is printed, and then reported on
        _show(error)
        return Ending(1, interrupted=isinstance(error, KeyboardInterrupt))
    return Ending()


def _status(code: object) -> int:
    """Return the exit status that ``sys.exit(code)`` means, printing what is no number."""
    if code is None:
        return 0
    if isinstance(code, int):
        return code
    with contextlib.suppress(OSError, ValueError):  # closed
        print(code, file=sys.stderr or sys.__stderr__)
    return 1


def _show(error: BaseException) -> None:
    """Print *error* as the interpreter would have done, without the frames that are not the program's."""
    error.__traceback__ = _outermost(error.__traceback__)
    try:
        sys.excepthook(type(error), error, error.__traceback__)
    except BaseException as other:  # noqa: BLE001 - a hook that fails must not hide what it was to print
        sys.__excepthook__(type(other), other, other.__traceback__)
        sys.__excepthook__(type(error), error, error.__traceback__)


def _outermost(traceback: TracebackType | None) -> TracebackType | None:
    while traceback is not None and traceback.tb_frame.f_code.co_filename == __file__:
        traceback = traceback.tb_next
    return traceback


def _wait_for_threads() -> None:
    """
    Wait for the program's threads, as the interpreter does when it ends.

    Joining them by hand would wait forever for the idle workers of an executor that nobody shut down: only the
    interpreter's own way tells them to stop. It runs again at the end of the process and then finds nothing to do.
    """
    try:
        threading._shutdown()  # type: ignore[attr-defined]  # noqa: SLF001 - there is no public way
    except BaseException as error:  # noqa: BLE001 - Ctrl-C ends the waiting; the report comes all the same
        with contextlib.suppress(OSError, ValueError):  # closed
            print("Exception ignored in:", threading, file=sys.stderr or sys.__stderr__)
        _show(error)
