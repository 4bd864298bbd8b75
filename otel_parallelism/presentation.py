"""
What the façade loads when it is first used: most functions, the version, and the IPython magic.

Importing this module sets the renderers of ``str(report)``, ``report.to_json()`` and notebooks.
"""

from __future__ import annotations

from importlib import import_module
from shutil import get_terminal_size
from typing import Any

from .model import Analysis, Coverage, Report
from .model.report_types import RENDERERS

_PLACES = {
    ".dialects": ("classify",),
    ".reports.html": ("render_html",),
    ".reports.text": ("render_text",),
    ".stored": ("analyze_spans",),
    ".tracing.install": ("coverage", "install", "subscribe", "uninstall", "wait_for_reports"),
    ".tracing.profile": ("Profile", "profile"),
    ".tracing.spans.decorator": ("profiled",),
    ".tracing.spans.turn": ("AgentTurn", "agent_turn"),
    ".tracing.state.live_turns": ("LiveTurn", "live_turns"),
}
"""The modules that are loaded for a name of the façade. Whatever else it does not import comes from `execution`."""


def lazy_attribute(name: str) -> Any:
    """
    Return the attribute *name* of the package, which is not loaded with it; this is the package's ``__getattr__``.

    Raises:
        AttributeError: There is no such attribute.
    """
    facade = import_module("otel_parallelism")
    if name == "__version__":
        return import_module("importlib.metadata").version("otel-parallelism")
    if name not in vars(facade).get("__all__", ()):
        raise AttributeError(f"module {__package__!r} has no attribute {name!r}")
    place = next((module for module, offered in _PLACES.items() if name in offered), ".execution")
    found = getattr(import_module(place, __package__), name)
    setattr(facade, name, found)
    return found


def load_ipython_extension(shell: Any) -> None:
    """Add the magic ``%%parallelism``; IPython calls this for ``%load_ext otel_parallelism``."""
    from .tracing.cell_magic import load_magic  # noqa: PLC0415 - needed in IPython only

    load_magic(shell)


def unload_ipython_extension(shell: Any) -> None:
    """Remove the magic; IPython calls this for ``%unload_ext otel_parallelism``."""
    from .tracing.cell_magic import unload_magic  # noqa: PLC0415 - needed in IPython only

    unload_magic(shell)


def analysis_of(report: Report) -> Analysis:
    """Return *report* as an analysis with one report, which all renderers take."""
    calls = len(report.turn.calls)
    return Analysis((report,), Coverage(calls=calls, spans=calls + len(report.turn.steps) + 1))


def _text(report: Report) -> str:
    from .reports.text import render_text  # noqa: PLC0415 - loads a library for text that few programs need

    return render_text(analysis_of(report), width=get_terminal_size((100, 24)).columns)


def _html(report: Report) -> str:
    from .reports.notebook import render_fragment  # noqa: PLC0415 - likewise

    return render_fragment(report)


def _json(report: Report) -> str:
    from .reports.json import render_json  # noqa: PLC0415 - likewise

    return render_json(analysis_of(report))


RENDERERS.update({"text": _text, "html": _html, "json": _json})
