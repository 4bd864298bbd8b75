from __future__ import annotations

import contextvars
import json
import os
import select
import sys
import threading
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from typing import TYPE_CHECKING, Any

import pytest

from otel_parallelism import agent_turn, coverage, live_turns, names, profiled
from otel_parallelism.model import CallFrame
from otel_parallelism.tracing.state.registry import REGISTRY
from otel_parallelism.tracing.state.turn_end.source_files import FILES_LOCK, source_file

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from tests.conftest import Kit

pytestmark = [
    pytest.mark.process,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing forks here"),
    # Later versions of Python say so where there are threads, and a service forks all the same.
    pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning"),
]


@profiled(effect="read")
def look(key: int) -> int:
    return key


def told_by_a_fork(tell: Callable[[], Any]) -> Any:
    """What *tell* returns in a process that is forked from this one, by way of JSON."""
    reads, writes = os.pipe()
    child = os.fork()
    if not child:
        try:
            os.write(writes, json.dumps(tell()).encode())
        finally:
            os._exit(0)
    os.close(writes)
    ready, _, _ = select.select([reads], [], [], 30)
    if not ready:
        os.kill(child, 9)
    os.waitpid(child, 0)
    with os.fdopen(reads) as pipe:
        return json.loads(pipe.read() or '"nothing"')


class SlowModule(MetaPathFinder, Loader):
    """Finds a module of this package, whose import lasts until ``end`` is set."""

    name = "otel_parallelism.slow_to_import"

    def __init__(self) -> None:
        self.began = threading.Event()
        self.end = threading.Event()

    def find_spec(self, fullname: str, path: object, target: object = None) -> ModuleSpec | None:
        return ModuleSpec(fullname, self) if fullname == self.name else None

    def exec_module(self, module: ModuleType) -> None:
        self.began.set()
        self.end.wait(30)
        module.__dict__["value"] = 7


def test_fork_waits_for_an_import_in_another_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    slow = SlowModule()
    monkeypatch.setattr(sys, "meta_path", [slow, *sys.meta_path])
    importing = threading.Thread(target=import_module, args=(slow.name,))
    importing.start()
    slow.began.wait(30)
    threading.Timer(0.2, slow.end.set).start()
    try:
        assert told_by_a_fork(lambda: import_module(slow.name).value) == 7
    finally:
        importing.join()
        del sys.modules[slow.name]


def test_fork_in_an_import_waits_for_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    slow = SlowModule()
    slow.end.set()
    monkeypatch.setattr(slow, "exec_module", lambda module: setattr(module, "told", told_by_a_fork(lambda: 7)))
    monkeypatch.setattr(sys, "meta_path", [slow, *sys.meta_path])
    assert import_module(slow.name).told == 7
    del sys.modules[slow.name]


def test_open_turns_stay_with_the_parent(kit: Kit) -> None:
    def tell() -> Any:
        live = len(live_turns())
        look(2)
        contextvars.Context().run(look, 30)
        turn.end()
        theirs.end()
        return live, len(kit.reports), coverage().calls, coverage().calls_without_turn

    theirs = kit.tracer().start_span("invoke_agent", attributes={names.OPERATION_NAME: names.INVOKE_AGENT})
    with agent_turn() as turn:
        look(1)
        assert told_by_a_fork(tell) == [0, 0, 2, 2]
    theirs.end()
    assert turn.report is not None
    assert turn.report.calls == 1


def test_metrics_of_the_parent_are_recorded_once(kit: Kit) -> None:
    def tell() -> Any:
        with agent_turn("in the child"):
            look(1)
        return [point.attributes[names.AGENT_NAME] for point in kit.points("agent.parallelism.turn.duration")]

    with agent_turn("in the parent"):
        look(1)
    assert told_by_a_fork(tell) == ["in the child"]
    assert len(kit.points("agent.parallelism.turn.duration")) == 1


@pytest.mark.parametrize("lock", [REGISTRY.lock, FILES_LOCK], ids=["registry", "files"])
def test_lock_held_by_another_thread_is_released(kit: Kit, lock: Any) -> None:
    def tell() -> Any:
        with agent_turn() as turn:
            look(1)
        code = told_by_a_fork.__code__
        frame = CallFrame(code.co_filename, code.co_firstlineno, code.co_name, 0, -1, 0, code)
        return turn.report is not None and source_file(frame) is not None

    held, free = threading.Event(), threading.Event()

    def hold() -> None:
        with lock:
            held.set()
            free.wait()

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait()
    try:
        assert told_by_a_fork(tell) is True
    finally:
        free.set()
        thread.join()
