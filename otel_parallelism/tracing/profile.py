"""``profile``: measures a block of code as one turn, with or without an OpenTelemetry provider."""

from __future__ import annotations

import sys
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from typing import TYPE_CHECKING, Any, Self

from .spans.turn import AgentTurn

if TYPE_CHECKING:
    from types import TracebackType

    from otel_parallelism.model import Report


class Profile(AbstractContextManager["Profile"], AbstractAsyncContextManager["Profile"]):
    """
    A measured block of code.

    Attributes:
        report: The report on the block; None while it runs, and if the package is disabled.
    """

    def __init__(self, name: str, *, show: bool) -> None:
        self.report: Report | None = None
        self._name = name
        self._show = show
        self._turn: AgentTurn | None = None

    def __enter__(self) -> Self:
        """Start to measure."""
        if self._turn is not None:
            raise RuntimeError("a profile is running already; call profile() for each block")
        self.report = None
        self._turn = AgentTurn(self._name, None, None)
        self._turn.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop to measure; show the report if that was requested."""
        turn, self._turn = self._turn, None
        if turn is None:
            return
        turn.end(error)
        self.report = turn.report
        if self._show and self.report is not None:
            show_report(self.report)

    async def __aenter__(self) -> Self:
        """Start to measure."""
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop to measure; show the report if that was requested."""
        self.__exit__(kind, error, trace)


def profile(name: str = "block", *, show: bool = False) -> Profile:
    """
    Measure the tool calls of a block of code; use it with ``with`` or ``async with``.

    Calls of ``@profiled`` functions inside the block are counted, and after `install` also the calls that other
    instrumentations record. No provider is needed. If there is one, the block is a span like that of `agent_turn`.

    Args:
        name: The name of the turn in the report.
        show: Whether to show the report at the end of the block: as text on the standard output, in a notebook as a
            timeline.

    Returns:
        An object whose ``report`` is set at the end of the block.

    Raises:
        TypeError: *name* is not a string.
    """
    if not isinstance(name, str):
        raise TypeError(f"name must be a string, not {name!r}")
    return Profile(name, show=show)


def show_report(report: Report) -> None:
    """Show *report*: with IPython's ``display`` if the program runs in IPython, else print it as text."""
    ipython: Any = sys.modules.get("IPython")
    if ipython is not None and ipython.get_ipython() is not None:
        ipython.display.display(report)
    else:
        print(report)  # noqa: T201 - printing was requested
