"""The ranking of faults over many turns, as a table for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from otel_parallelism.shown_names import shown_name

from .wording import seconds, tool_list

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .faults import Fault

_MIN_CALLS: Final = 14
_GAP: Final = 2
_TEXTS: Final = frozenset({"cause", "agent", "calls"})


def fault_table(faults: Sequence[Fault], width: int, styles: Mapping[str, str]) -> Table:
    """
    Return one line for each of *faults*. Where *width* is too small, whole columns are left out: numbers are never cut.

    Args:
        faults: The faults, the largest first.
        width: Cells of a line.
        styles: The style of each advice.
    """
    columns: dict[str, list[str]] = {
        "lost": [_sum(fault, "recommended") for fault in faults],
        "perhaps": [_sum(fault, "potential") for fault in faults],
        "turns": [f"{len(fault.turns):,}" for fault in faults],
        "worst turn": [f"{fault.worst:,}" for fault in faults],
        "cause": [fault.finding.cause for fault in faults],
        "agent": [shown_name(fault.agent) for fault in faults],
        "calls": [],
    }
    for name in ("lost", "perhaps"):
        if set(columns[name]) == {"-"}:
            del columns[name]
    needed = {name: max(map(cell_len, (name, *column))) + _GAP for name, column in columns.items()}
    needed["calls"] = _MIN_CALLS
    for name in ("agent", "cause", "worst turn", "turns", "calls"):
        if sum(needed.values()) > width:
            del columns[name], needed[name]
    if "calls" in columns:
        room = width - sum(needed.values()) + needed["calls"]
        columns["calls"] = [_fitted_calls(fault, room) for fault in faults]
    table = Table(box=None, padding=(0, 1), pad_edge=False, header_style="bold")
    for name in columns:
        table.add_column(name, justify="left" if name in _TEXTS else "right", no_wrap=True, overflow="ellipsis")
    for at, fault in enumerate(faults):
        style = styles.get(fault.finding.advice, "")
        table.add_row(*(Text(columns[name][at], style=style if name == "cause" else "") for name in columns))
    return table


def _fitted_calls(fault: Fault, cells: int) -> str:
    """Return the calls of *fault*, with as many names as fit into *cells*; only a single long name is cut."""
    lists = [tool_list(fault.finding.calls, most) for most in (3, 2)]
    return next((each for each in lists if cell_len(each) <= cells), lists[-1])


def _sum(fault: Fault, advice: str) -> str:
    return seconds(fault.avoidable) if fault.finding.advice == advice else "-"
