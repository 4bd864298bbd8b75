"""The file of running code is found only if its text compiles to that code, and only what is needed is compiled."""

from __future__ import annotations

import ast
import concurrent.futures._base as futures
import inspect
import linecache
import os
import subprocess
import sys
import textwrap
import threading
from types import CodeType, ModuleType
from typing import TYPE_CHECKING

import pytest

from otel_parallelism.model import CallFrame
from otel_parallelism.source.changes.program_modules import program_module
from otel_parallelism.source.changes.tool_changes import may_change_something
from otel_parallelism.source.functions import SourceFile
from otel_parallelism.tracing.state.turn_end.source_files import FILES_LOCK, source_file

if TYPE_CHECKING:
    from pathlib import Path


def codes_of(code: CodeType) -> list[CodeType]:
    """Return *code* and all code inside it."""
    found = [code]
    for one in found:
        found += [constant for constant in one.co_consts if isinstance(constant, CodeType)]
    return found


def is_found(code: CodeType) -> bool:
    """Return whether the source of *code* is found."""
    line = code.co_firstlineno
    return source_file(CallFrame(code.co_filename, line, code.co_name, 0, -1, 0, code)) is not None


@pytest.mark.parametrize("module", [ast, futures, subprocess, textwrap], ids=lambda module: module.__name__)
def test_all_code_of_a_file_is_found(module: ModuleType) -> None:
    path = inspect.getfile(module)
    codes = codes_of(compile(inspect.getsource(module), path, "exec", dont_inherit=True))

    assert len(codes) > 10
    assert [code for code in codes[1:] if not is_found(code)] == []


def test_code_of_other_text_is_not_found(tmp_path: Path) -> None:
    path = tmp_path / "tool.py"
    text = "import os\n\ndef f():\n    return os.getcwd()\n\ndef g():\n    return 1\n"
    path.write_text(text)
    same = codes_of(compile(text, str(path), "exec", dont_inherit=True))
    edited = codes_of(compile(text.replace("1", "2 + x"), str(path), "exec", dont_inherit=True))
    linecache.checkcache(str(path))

    assert [is_found(code) for code in same[1:]] == [True, True]
    assert [is_found(code) for code in edited[1:]] == [True, False]


def test_imported_file_is_found_without_code(tmp_path: Path) -> None:
    path = tmp_path / "tools.py"
    path.write_text("import os\n\ndef get_user():\n    os.system('make')\n")
    program = SourceFile("from tools import get_user\nget_user()")

    assert source_file(CallFrame(str(path), 1)) is None
    assert may_change_something("get_user", program_module(program, str(tmp_path / "program.py"), source_file))
    assert source_file(CallFrame(str(tmp_path / "missing.py"), 0)) is None


@pytest.mark.process
def test_warnings_about_source_are_not_printed(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        textwrap.dedent("""
            import asyncio
            from otel_parallelism import agent_turn, install, profiled
            from opentelemetry.sdk.trace import TracerProvider

            @profiled(effect="read")
            async def look_up(key):
                await asyncio.sleep(0.2)
                return "\\d" if key is "a" else "b"

            async def main():
                with agent_turn("agent") as turn:
                    await look_up("a")
                    await look_up("b")
                return turn.report.verdict

            install(TracerProvider())
            verdict = asyncio.run(main())
        """)
    )
    # Python tells of such source when it compiles the program, which it does only once.
    run = [sys.executable, "-c", "import program; print(program.verdict)"]
    env = {**os.environ, "PYTHONDONTWRITEBYTECODE": ""}
    first, second = (
        subprocess.run(run, capture_output=True, text=True, check=True, cwd=tmp_path, env=env)  # noqa: S603
        for _ in range(2)
    )

    assert "SyntaxWarning" in first.stderr
    assert (second.stdout, second.stderr) == ("sequential\n", "")


def test_a_turn_may_end_in_a_signal_handler_while_a_file_is_looked_up() -> None:
    found = []

    def look_up() -> None:
        with FILES_LOCK:
            found.append(is_found(is_found.__code__))

    thread = threading.Thread(target=look_up, daemon=True)
    thread.start()
    thread.join(10)
    assert found == [True]
