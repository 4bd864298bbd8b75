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
        "worst": [f"{fault.worst:,}" for fault in faults],
        "cause": [fault.finding.cause for fault in faults],
        "agent": [shown_name(fault.agent) for fault in faults],
        "calls": [tool_list(fault.finding.calls, most=3) for fault in faults],
    }
    for name in ("lost", "perhaps"):
        if set(columns[name]) == {"-"}:
            del columns[name]
    needed = {name: max(map(cell_len, (name, *column))) + _GAP for name, column in columns.items()}
    needed["calls"] = min(needed["calls"], _MIN_CALLS)
    for name in ("agent", "cause", "worst", "turns", "calls"):
        if sum(needed.values()) > width:
            del columns[name], needed[name]
    table = Table(box=None, padding=(0, 1), pad_edge=False, header_style="bold")
    for name in columns:
        # Only the calls, the last column, are cut: they get the cells that the others leave.
        most = width - sum(needed.values()) + needed[name] if name == "calls" else None
        table.add_column(
            name, justify="left" if name in _TEXTS else "right", no_wrap=True, overflow="ellipsis", max_width=most
        )
    for at, fault in enumerate(faults):
        style = styles.get(fault.finding.advice, "")
        table.add_row(*(Text(columns[name][at], style=style if name == "cause" else "") for name in columns))
    return table


def _sum(fault: Fault, advice: str) -> str:
    return seconds(fault.avoidable) if fault.finding.advice == advice else "-"
