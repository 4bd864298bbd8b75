# mypy: allow-untyped-defs, allow-untyped-calls, allow-incomplete-defs
# Any version of Python may import this file: it has no annotations.
"""
Makes a Python process that a program under ``otel-parallelism run`` starts report on its turns.

The process is instrumented when it first imports OpenTelemetry, this package or an agent framework, so that others
start as fast as before. The environment variable ``_OTEL_PARALLELISM_FOLLOWED`` names these modules and the folder for
the reports. Another ``sitecustomize``, which this one hides, is imported as it would have been.
"""

import os
import sys


class _Trigger:
    """A finder of modules that finds none, and starts the instrumentation before one of *names* is imported."""

    def __init__(self, names, folder):
        self.names = names
        self.folder = folder

    def find_spec(self, name, _path=None, _target=None):
        if name.partition(".")[0] not in self.names and "*" not in self.names:
            return None
        # `importlib.util.find_spec` only asks where a module is. Coverage does so, and drops what that imports.
        asking = sys._getframe(1).f_back  # noqa: SLF001 - nothing else tells
        if asking is not None and asking.f_code.co_name == "find_spec":
            return None
        self.names = ()
        if self in sys.meta_path:
            sys.meta_path.remove(self)
        return _follow(self.folder, name)


def _follow(folder, name):
    """Start the instrumentation; return a spec for the module called *name* if that has imported it already."""
    try:
        from otel_parallelism.processes.following import (  # noqa: PLC0415 - only where a process needs it
            follow,
            spec_of_imported,
        )

        follow(folder)
        return spec_of_imported(name)
    except Exception:  # noqa: BLE001 - the process must start; another interpreter may lack this package
        return None


def _start():
    here = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120 - pathlib would slow the start
    sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry) != here]  # noqa: PTH100 - as above
    names, _, folder = os.environ.get("_OTEL_PARALLELISM_FOLLOWED", "").partition("|")
    if folder and hasattr(sys, "orig_argv"):  # from Python 3.10 on
        sys.meta_path.insert(0, _Trigger(tuple(names.split(",")), folder))
    own = sys.modules.pop("sitecustomize")
    try:
        import sitecustomize  # type: ignore[import-not-found] # noqa: F401, PLC0415 - there may be none
    except ImportError as error:
        if getattr(error, "name", "sitecustomize") != "sitecustomize":
            raise
    finally:
        sys.modules.setdefault("sitecustomize", own)


if __name__ == "sitecustomize":
    _start()
