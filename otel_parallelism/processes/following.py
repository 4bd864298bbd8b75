"""Instruments a child process, and writes the report of each of its turns to the log when the turn ends."""

from __future__ import annotations

import atexit
import os
import secrets
import sys
from importlib.machinery import ModuleSpec
from typing import TYPE_CHECKING, Any, Final

import msgspec

from otel_parallelism.instrumentation.instrumentor import ParallelismInstrumentor
from otel_parallelism.model import Coverage
from otel_parallelism.tracing.install import coverage, subscribe, wait_for_reports
from otel_parallelism.tracing.shield import swallow
from otel_parallelism.tracing.state.registry import REGISTRY

from .turn_log import Note, TurnLog

if TYPE_CHECKING:
    from types import ModuleType

    from otel_parallelism.model import Report

MOST_REPORTS: Final = 10_000
"""The number of reports that ``run`` keeps, and that one child process writes; further turns are counted."""


class TurnWriter:
    """
    Writes a note to *log* when a turn of this process starts or ends, and when the process ends.

    A process forked from this one gets a name of its own and starts to count anew.
    """

    def __init__(self, log: TurnLog) -> None:
        self._log = log
        self._start_over()

    def start(self) -> None:
        """Follow the turns of this process, and of those that are forked from it."""
        subscribe(self._ended)
        REGISTRY.on_change = self._changed
        atexit.register(self._finish)
        self._at_end_of_multiprocessing()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._forked)

    def _start_over(self) -> None:
        self._process = f"{os.getpid()}-{secrets.token_hex(4)}"
        self._reports = 0
        self._omitted = 0
        self._last = Note(self._process, 0, 0, Coverage())

    def _forked(self) -> None:
        self._start_over()
        self._at_end_of_multiprocessing()

    def _at_end_of_multiprocessing(self) -> None:
        """Write a last note at the end of a process of `multiprocessing`, which runs no functions of `atexit`."""
        util: Any = sys.modules.get("multiprocessing.util")
        if util is not None:
            util.register_after_fork(self, _finalize)
            _finalize(self)

    def _note(self, report: Report | None) -> Note:
        return Note(self._process, len(REGISTRY.turns), self._omitted, coverage(), report)

    def _ended(self, report: Report) -> None:
        if self._reports < MOST_REPORTS and self._log.append(self._note(light_report(report))):
            self._reports += 1
            self._last = self._note(None)
            return
        self._omitted += 1
        if self._omitted & (self._omitted - 1) == 0:  # 1, 2, 4, 8 …; the last note of the process has the whole number
            self._write()

    def _changed(self) -> None:
        """Write a note if the number of open turns has changed."""
        if len(REGISTRY.turns) != self._last.still_open:
            self._write()

    def _finish(self) -> None:
        """Write the notes of the last turns, and a last one."""
        wait_for_reports()
        self._write()

    def _write(self) -> None:
        """Write a note unless the last one said the same."""
        try:
            note = self._note(None)
            if note != self._last:
                self._log.append(note)
                self._last = note
        except Exception as error:  # noqa: BLE001 - it would be raised in the program
            swallow("writing the notes of a child process", error)


def follow(folder: str) -> None:
    """Instrument this process, and write the reports of its turns to the log in *folder*."""
    instrumentor = ParallelismInstrumentor()
    if not instrumentor.is_instrumented_by_opentelemetry:
        instrumentor.instrument()
    TurnWriter(TurnLog(folder)).start()


def light_report(report: Report) -> Report:
    """Return *report* without the program's objects in it: arguments, results, messages and call stacks."""
    turn = report.turn
    light = msgspec.structs.replace(
        turn,
        calls=tuple(msgspec.structs.replace(call, arguments=None, result=None, stack=None) for call in turn.calls),
        steps=tuple(msgspec.structs.replace(step, messages=None, answer=None) for step in turn.steps),
        inputs=(),
    )
    return msgspec.structs.replace(report, turn=light)


def spec_of_imported(name: str) -> ModuleSpec | None:
    """
    Return a spec with which the import of the module *name* that is going on finds it as it has been imported.

    Until then it is the spec of the module too: the interpreter takes that one if a finder has imported a module.
    """
    module = sys.modules.get(name)
    if module is None:
        return None
    spec = ModuleSpec(name, _Imported(module))  # type: ignore[arg-type] # it has the methods that are used
    module.__spec__ = spec
    return spec


class _Imported:
    """A loader of a module that has been imported already; the module keeps its own spec."""

    def __init__(self, module: ModuleType) -> None:
        self._module = module
        self._spec = module.__spec__

    def create_module(self, _: ModuleSpec) -> ModuleType:
        return self._module

    def exec_module(self, module: ModuleType) -> None:
        module.__spec__ = self._spec


def _finalize(writer: TurnWriter) -> None:
    util: Any = sys.modules["multiprocessing.util"]
    util.Finalize(None, writer._finish, exitpriority=-100)  # noqa: SLF001 - a function of this module
