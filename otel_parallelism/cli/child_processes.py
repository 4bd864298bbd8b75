"""Counts the child processes of a program that run Python: their turns are in no report of this process."""

from __future__ import annotations

import os
import re
import shlex
import sys
from typing import TYPE_CHECKING, Any, Final

from .program import INTERPRETER

if TYPE_CHECKING:
    from collections.abc import Sequence

_FORKS: Final = frozenset({"os.fork", "os.forkpty"})
_PROGRAMS: Final = frozenset({"subprocess.Popen", "os.system"})  # Popen may use os.posix_spawn, which would count twice
_SHELLS: Final = frozenset({"sh", "bash", "dash", "zsh"})
_STARTERS: Final = frozenset({"env", "exec", "nice", "nohup", "poetry", "run", "sudo", "time", "uv"})
"""Programs, and their commands, that run the program that follows them."""

_SEPARATORS: Final = re.compile(r"&&|\|\||[;|&\n]")


class ChildProcesses:
    """
    Counts, from its creation on, forks of this process and commands by which it starts a Python interpreter.

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
            if os.getpid() == self._process and (event in _FORKS or _starts_python(event, arguments)):
                self.count += 1
        except Exception:  # noqa: BLE001 - raised here, it would keep the program from starting its child
            return


def _starts_python(event: str, arguments: tuple[Any, ...]) -> bool:
    """Return whether the command of an audit *event* runs a Python interpreter."""
    if event == "os.system":
        return _shell_starts_python(os.fsdecode(arguments[0]))
    command = arguments[1]
    words = [os.fsdecode(word) for word in ([command] if isinstance(command, str | bytes | os.PathLike) else command)]
    if os.path.basename(words[0]) in _SHELLS and "-c" in words[1:-1]:  # noqa: PTH119 - a string is wanted
        return _shell_starts_python(words[words.index("-c") + 1])
    return _is_python(words)


def _shell_starts_python(line: str) -> bool:
    return any(_is_python(shlex.split(command)) for command in _SEPARATORS.split(line))


def _is_python(words: Sequence[str]) -> bool:
    """Return whether a command of these *words* runs a Python interpreter, perhaps through another program."""
    for word in words:
        name = os.path.basename(word)  # noqa: PTH119 - a string is wanted
        if name not in _STARTERS and "=" not in word and not word.startswith("-"):
            return INTERPRETER.fullmatch(name) is not None
    return False
