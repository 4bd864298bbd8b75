"""Counts the child processes of a program that run Python: their turns are in no report of this process."""

from __future__ import annotations

import os
import re
import sys
from typing import Any, Final

_FORKS: Final = frozenset({"os.fork", "os.forkpty"})
_PROGRAMS: Final = frozenset({"subprocess.Popen", "os.system"})  # Popen may use os.posix_spawn, which would count twice
_PYTHON: Final = re.compile(r"(?:^|[\s/\\'\";&|])(?:python|pypy)[\d.]*t?(?:\.exe)?(?=$|[\s'\";&|])", re.IGNORECASE)


class ChildProcesses:
    """
    Counts, from its creation on, forks of this process and programs it starts whose command names a Python interpreter.

    Not counted are children of ``os.posix_spawn``, and of ``multiprocessing`` where its start method does not fork.
    """

    def __init__(self) -> None:
        """Begin to count. The interpreter keeps an audit hook for good, so create one in a process."""
        self.count: int = 0
        self._process = os.getpid()
        sys.addaudithook(self._audit)

    def _audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event not in _FORKS and event not in _PROGRAMS:
            return
        try:
            if os.getpid() == self._process and (event in _FORKS or _runs_python(arguments)):
                self.count += 1
        except Exception:  # noqa: BLE001 - raised here, it would keep the program from starting its child
            return


def _runs_python(arguments: tuple[Any, ...]) -> bool:
    """Return whether the *arguments* of an audit event, a program and its own arguments, name a Python interpreter."""
    program, command = (*arguments, "")[:2]
    # A shell's command, or the program that another one starts, is among the first.
    words = [program, *command[:4]] if isinstance(command, (list, tuple)) else [program, command]
    return any(_PYTHON.search(_text(word)) for word in words)


def _text(word: object) -> str:
    """Return the first 1,000 characters of *word*, a part of a command; empty where it is no text or path."""
    if isinstance(word, os.PathLike):
        word = os.fspath(word)
    if type(word) is bytes:
        return word[:1000].decode("utf-8", "replace")
    return word[:1000] if type(word) is str else ""
