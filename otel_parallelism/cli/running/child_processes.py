"""Follows the child processes of a program: collects the reports of their turns, and counts those it cannot follow."""

from __future__ import annotations

import os
import re
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from otel_parallelism.instrumentation.catalogue import FRAMEWORKS
from otel_parallelism.model import Coverage, Report
from otel_parallelism.processes import startup
from otel_parallelism.processes.following import TurnWriter
from otel_parallelism.processes.turn_log import Note, TurnLog

from .program import INTERPRETER

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_FORKS: Final = frozenset({"os.fork", "os.forkpty"})
_PROGRAMS: Final = frozenset({"subprocess.Popen", "os.system"})  # Popen may use os.posix_spawn, which would count twice
_OTHERS: Final = frozenset({"os.posix_spawn", "os.exec", "import"})
_STARTERS_OF_PROCESSES: Final = frozenset({"multiprocessing.popen_spawn_posix", "multiprocessing.popen_forkserver"})
"""Modules that start Python processes without an audit event."""

_SHELLS: Final = frozenset({"sh", "bash", "dash", "zsh"})
_STARTERS: Final = frozenset({"env", "exec", "nice", "nohup", "poetry", "run", "sudo", "time", "uv"})
"""Programs, and their commands, that run the program that follows them."""

_SEPARATORS: Final = re.compile(r"&&|\|\||[;|&\n]")
_ALONE: Final = re.compile(r"-[a-zA-DF-HJ-RT-Z]*[EIS][a-zA-Z]*")
"""Options of Python with which it reads no environment or imports no ``sitecustomize``."""

_FOLLOWED: Final = "_OTEL_PARALLELISM_FOLLOWED"
_PATH: Final = "PYTHONPATH"
_STARTUP: Final = str(Path(startup.__file__).parent)


class ChildReports(msgspec.Struct, frozen=True):
    """
    What child processes have told so far.

    Attributes:
        reports: The reports of their turns, at most as many as were asked for.
        omitted: The number of their turns whose reports are not among them.
        still_open: The number of their turns that are open, or were open when the process was killed.
        processes: The number of processes with such turns.
        coverage: The sum of their totals.
    """

    reports: tuple[Report, ...] = ()
    omitted: int = 0
    still_open: int = 0
    processes: int = 0
    coverage: Coverage = Coverage()


class FollowedProcesses:
    """
    Follows, from its creation on, all Python processes that this process and its children start.

    They find the instrumentation through ``PYTHONPATH``, or have it already if they are forked. The folder for their
    reports exists from the start of the first child until `close`.

    Args:
        everything: Whether processes are instrumented at their start; otherwise at their first import of a framework.
        forked: Called in each process that is forked from this one.

    Attributes:
        unfollowed: The number of commands by which this process started Python without that ``PYTHONPATH``.
    """

    def __init__(self, *, everything: bool = False, forked: Callable[[], None] | None = None) -> None:
        """Begin to follow. The interpreter keeps its hooks for good, so create one in a process."""
        self.unfollowed: int = 0
        self._log = TurnLog()
        self._counts: dict[str, int] = {}
        self._position = 0
        self._forked = forked
        self._open = True
        self._before = {name: os.environ.get(name) for name in (_PATH, _FOLLOWED)}
        names = ("*",) if everything else ("otel_parallelism", "opentelemetry", *(one.name for one in FRAMEWORKS))
        os.environ[_FOLLOWED] = f"{','.join(names)}|{self._log.folder}"
        os.environ[_PATH] = os.pathsep.join(filter(None, (_STARTUP, self._before[_PATH])))
        sys.addaudithook(self._audit)
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._follow_fork)

    def read(self, most: int) -> ChildReports:
        """Return what the processes have written so far, with at most *most* reports: those that ended first."""
        reports: list[Report] = []
        last: dict[str, Note] = {}
        beyond = 0
        for note in self._log.notes():
            last[note.process] = note
            if note.report is None:
                continue
            if len(reports) < most:
                reports.append(note.report)
            else:
                beyond += 1
        opened = [note.still_open for note in last.values() if note.still_open]
        coverages = [note.coverage for note in last.values()]
        return ChildReports(
            tuple(reports),
            beyond + sum(note.omitted for note in last.values()),
            sum(opened),
            len(opened),
            Coverage(
                sum(each.calls for each in coverages),
                sum(each.calls_without_turn for each in coverages),
                sum(each.spans for each in coverages),
                sum(each.anomalies for each in coverages),
            ),
        )

    def open_turns(self) -> int:
        """Return the number of turns that are open in the processes now; call it in one thread only."""
        self._position = self._log.open_turns(self._position, self._counts)
        return sum(self._counts.values())

    def close(self) -> None:
        """Delete the folder and follow no further processes; nothing happens in a forked process."""
        if not self._open:
            return
        self._open = False
        self._log.remove()
        for name, value in self._before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value

    def _follow_fork(self) -> None:
        if not self._open:  # or a process forked from a forked one, which has a writer already
            return
        self._open = False
        if self._forked is not None:
            self._forked()
        TurnWriter(self._log).start()

    def _audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event not in _FORKS and event not in _PROGRAMS and event not in _OTHERS:
            return
        try:
            if not self._open:
                return
            if event == "import" and arguments[0] not in _STARTERS_OF_PROCESSES:
                return
            if event == "os.exec":  # nothing of this process is left to delete it
                self._log.remove()
                return
            self._log.create()
            if event not in _PROGRAMS:
                return
            environment = arguments[3] if event == "subprocess.Popen" and arguments[3] is not None else os.environ
            pythons = _pythons(event, arguments)
            if pythons and (not _finds_startup(environment) or any(map(_is_alone, pythons))):
                self.unfollowed += 1
        except Exception:  # noqa: BLE001 - raised here, it would keep the program from starting its child
            return


def _pythons(event: str, arguments: tuple[Any, ...]) -> list[list[str]]:
    """Return the words of each command of an audit *event* that runs a Python interpreter, from its options on."""
    if event == "os.system":
        return _pythons_of_shell(os.fsdecode(arguments[0]))
    command = arguments[1]
    words = [os.fsdecode(word) for word in ([command] if isinstance(command, str | bytes | os.PathLike) else command)]
    if os.path.basename(words[0]) in _SHELLS and "-c" in words[1:-1]:  # noqa: PTH119 - a string is wanted
        return _pythons_of_shell(words[words.index("-c") + 1])
    found = _python_words(words)
    return [] if found is None else [found]


def _pythons_of_shell(line: str) -> list[list[str]]:
    found = (_python_words(shlex.split(command)) for command in _SEPARATORS.split(line))
    return [words for words in found if words is not None]


def _python_words(words: Sequence[str]) -> list[str] | None:
    """Return the words after the Python interpreter that a command of these *words* runs, perhaps through another."""
    for position, word in enumerate(words):
        name = os.path.basename(word)  # noqa: PTH119 - a string is wanted
        if name not in _STARTERS and "=" not in word and not word.startswith("-"):
            return list(words[position + 1 :]) if INTERPRETER.fullmatch(name) else None
    return None


def _is_alone(words: Sequence[str]) -> bool:
    """
    Return whether an interpreter with these *words* after its name reads no environment or imports no sitecustomize.

    >>> _is_alone(["-u", "-sE", "x.py"]), _is_alone(["x.py", "-I"]), _is_alone(["-m", "x", "-I"])
    (True, False, False)
    """
    for word in words:
        if not word.startswith("-") or word[:2] in {"-c", "-m"}:
            return False
        if _ALONE.fullmatch(word):
            return True
    return False


def _finds_startup(environment: Mapping[Any, Any]) -> bool:
    path = environment.get(_PATH) or environment.get(os.fsencode(_PATH)) or ""
    return _STARTUP in os.fsdecode(path).split(os.pathsep)
