"""
The IPython magic ``%%parallelism``: measures one cell and shows its report.

The magic rewrites the cell's first line to code that starts the measurement. The cell then runs as any other, so it may
use ``await`` in a notebook too, where an event loop already runs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .profile import Profile, show_report

if TYPE_CHECKING:
    from collections.abc import Callable

MAGIC = "%%parallelism"
_START = f"__import__({__name__!r}, fromlist=['start_cell']).start_cell({{name!r}})\n"
_open: list[Profile] = []


def load_magic(shell: Any) -> None:
    """Add the magic to *shell*, IPython's ``InteractiveShell``; a second call changes nothing."""
    if rewrite_cell in shell.input_transformers_cleanup:
        return
    shell.input_transformers_cleanup.append(rewrite_cell)
    shell.register_magic_function(_run_cell(shell), "cell", "parallelism")
    shell.events.register("post_run_cell", end_cell)


def unload_magic(shell: Any) -> None:
    """Remove the magic from *shell*."""
    if rewrite_cell in shell.input_transformers_cleanup:
        shell.input_transformers_cleanup.remove(rewrite_cell)
        shell.events.unregister("post_run_cell", end_cell)
        shell.magics_manager.magics["cell"].pop("parallelism", None)


def rewrite_cell(lines: list[str]) -> list[str]:
    """Return the *lines* of a cell; the magic in the first line is replaced, so line numbers stay the same."""
    magic, _, name = (lines[0] if lines else "").strip().partition(" ")
    return [_START.format(name=name.strip() or "cell"), *lines[1:]] if magic == MAGIC else lines


def start_cell(name: str) -> None:
    """Start to measure the running cell as a turn called *name*."""
    _open.append(Profile(name, show=False).__enter__())


def end_cell(*_: object) -> None:
    """Stop to measure, and show the report; do nothing after a cell without the magic."""
    if not _open:
        return
    running = _open.pop()
    running.__exit__(None, None, None)
    if running.report is not None:
        show_report(running.report)


def _run_cell(shell: Any) -> Callable[[str, str], None]:
    """Return the function that IPython calls for ``run_cell_magic``."""

    def parallelism(line: str, cell: str) -> None:
        """Measure the tool calls of the cell and show the report. The text after the magic is the turn's name."""
        shell.run_cell(f"{MAGIC} {line}\n{cell}")

    return parallelism
