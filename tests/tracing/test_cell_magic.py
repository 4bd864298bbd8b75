"""The magic ``%%parallelism`` in a shell that has the parts of IPython's that it uses, and in IPython itself."""

from __future__ import annotations

import asyncio
import inspect
from ast import PyCF_ALLOW_TOP_LEVEL_AWAIT
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

import otel_parallelism
from otel_parallelism import profiled
from otel_parallelism.tracing.cell_magic import rewrite_cell

if TYPE_CHECKING:
    from collections.abc import Callable


@profiled(effect="read")
async def look(key: int) -> int:
    await asyncio.sleep(0.1)
    return key


class Events:
    """The events of a shell."""

    def __init__(self) -> None:
        self.after: list[Callable[[object], None]] = []

    def register(self, event: str, function: Callable[[object], None]) -> None:
        assert event == "post_run_cell"
        self.after.append(function)

    def unregister(self, event: str, function: Callable[[object], None]) -> None:
        assert event == "post_run_cell"
        self.after.remove(function)


class Shell:
    """Runs cells as IPython does: transformed, with top-level ``await``, then the ``post_run_cell`` events."""

    def __init__(self) -> None:
        self.input_transformers_cleanup: list[Callable[[list[str]], list[str]]] = []
        self.events = Events()
        self.magics_manager = SimpleNamespace(magics={"cell": {}})
        self.names: dict[str, Any] = {"look": look}

    def register_magic_function(self, function: Callable[..., Any], kind: str, name: str) -> None:
        self.magics_manager.magics[kind][name] = function

    def run_cell(self, cell: str) -> None:
        lines = cell.splitlines(keepends=True)
        for transform in self.input_transformers_cleanup:
            lines = transform(lines)
        code = compile("".join(lines), "<cell>", "exec", PyCF_ALLOW_TOP_LEVEL_AWAIT)
        running = eval(code, self.names)  # noqa: S307 - the tests' own code
        if inspect.isawaitable(running):
            asyncio.run(running)
        for function in self.events.after:
            function(None)


@pytest.fixture
def shell() -> Shell:
    shell = Shell()
    otel_parallelism.load_ipython_extension(shell)
    return shell


def test_cell_with_the_magic_shows_its_report(shell: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    shell.run_cell("%%parallelism trip\nx = 1\nlook_at = look\n")
    out = capsys.readouterr().out
    assert "trip" in out
    assert shell.names["x"] == 1


def test_cell_without_the_magic_shows_nothing(shell: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    shell.run_cell("x = 1\n")
    assert capsys.readouterr().out == ""


def test_cell_magic_measures_awaited_calls(shell: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    shell.magics_manager.magics["cell"]["parallelism"]("", "await look(1)\nawait look(2)\n")
    assert "2 calls" in capsys.readouterr().out


def test_cells_do_not_add_up(shell: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(2):
        shell.run_cell("%%parallelism\nawait look(1)\n")
        assert "1 call " in capsys.readouterr().out


@pytest.mark.parametrize("cell", [[], ["\n"], ["x = 1\n"], ["%%parallelisms\n"], ["%%time\n", "%%parallelism\n"]])
def test_other_cells_are_not_rewritten(cell: list[str]) -> None:
    assert rewrite_cell(cell) == cell


def test_rewritten_cell_keeps_its_line_numbers() -> None:
    assert len(rewrite_cell(["%%parallelism\n", "a\n", "b\n"])) == 3


def test_unloading_removes_the_magic_and_loading_twice_adds_it_once(shell: Shell) -> None:
    otel_parallelism.load_ipython_extension(shell)
    assert len(shell.events.after) == 1
    otel_parallelism.unload_ipython_extension(shell)
    otel_parallelism.unload_ipython_extension(shell)
    assert (shell.events.after, shell.input_transformers_cleanup, shell.magics_manager.magics) == ([], [], {"cell": {}})


def test_magic_works_in_ipython(capsys: pytest.CaptureFixture[str]) -> None:
    interactive = pytest.importorskip("IPython.core.interactiveshell", reason="IPython is installed for the docs only")
    shell = interactive.InteractiveShell.instance(user_ns={"look": look})
    try:
        shell.run_line_magic("load_ext", "otel_parallelism")
        shell.run_cell("%%parallelism trip\nawait look(1)\nawait look(2)")
        assert "2 calls" in capsys.readouterr().out
    finally:
        shell.run_line_magic("unload_ext", "otel_parallelism")
        interactive.InteractiveShell.clear_instance()
