"""Formats numbers and colours of a dashboard's panels: units, decimals, thresholds, colour names."""

from __future__ import annotations

import math
import re
from typing import Any, Final

GROUND: Final = "#111217"
PANEL: Final = "#181b1f"
BORDER: Final = "#2a2e35"
TEXT: Final = "#d5d7e0"
QUIET: Final = "#9aa0ac"
GRID: Final = "#262a31"
COLOURS: Final = {
    "green": "#73bf69",
    "dark-green": "#37872d",
    "yellow": "#fade2a",
    "orange": "#ff9830",
    "dark-orange": "#fa6400",
    "red": "#f2495c",
    "dark-red": "#c4162a",
    "blue": "#5794f2",
    "light-blue": "#8ab8ff",
    "dark-blue": "#1f60c4",
    "purple": "#b877d9",
    "text": TEXT,
    "transparent": "transparent",
}
IN_TURN: Final = ("#73bf69", "#f2cc0c", "#8ab8ff", "#ff780a", "#f2495c", "#b877d9", "#56d3c9", "#e0a3f0", "#c0d8ff")
_SECONDS: Final = ((3600.0, "hour"), (60.0, "min"), (1.0, "s"))


def colour(name: str) -> str:
    return COLOURS.get(name, name)


def shown(value: float, unit: str | None, decimals: int | None) -> str:
    """Return *value* with its unit, as a dashboard shows it."""
    if unit == "percentunit":
        return f"{value * 100:.{1 if decimals is None else decimals}f}%"
    if unit == "s":
        return _seconds(value, decimals)
    if unit == "short" and abs(value) >= 1000:
        size, name = (1e6, "Mil") if abs(value) >= 1e6 else (1e3, "K")
        return f"{_rounded(value / size, 1 if decimals is None else max(decimals, 1))} {name}"
    return _rounded(value, decimals)


def _seconds(value: float, decimals: int | None) -> str:
    if value == 0:
        return "0 s"
    if abs(value) < 1:
        return f"{_rounded(value * 1000, 0)} ms"
    size, name = next(each for each in _SECONDS if abs(value) >= each[0])
    plural = "s" if name in {"min", "hour"} and value / size != 1 else ""
    return f"{_rounded(value / size, 1 if decimals is None else decimals)} {name}{plural}"


def _rounded(value: float, decimals: int | None) -> str:
    if decimals is None:
        decimals = 0 if value == int(value) else max(0, 2 - math.floor(math.log10(abs(value))) - 1)
    return f"{value:.{decimals}f}"


def at_threshold(value: float, steps: list[dict[str, Any]]) -> str:
    """Return the colour of the highest threshold that *value* reaches."""
    reached = [step["color"] for step in steps if step["value"] is None or value >= step["value"]]
    return colour(reached[-1]) if reached else TEXT


def overridden(panel: dict[str, Any], name: str, ref_id: str = "") -> dict[str, Any]:
    """Return the properties of a field: the panel's defaults with the field's overrides."""
    config = panel["fieldConfig"]
    found = {
        **config["defaults"],
        **{f"custom.{key}": each for key, each in config["defaults"].get("custom", {}).items()},
    }
    for override in config.get("overrides", []):
        kind, option = override["matcher"]["id"], override["matcher"]["options"]
        by_regexp = kind == "byRegexp" and re.search(str(option).strip("/"), name)
        if (kind == "byName" and option == name) or by_regexp or (kind == "byFrameRefID" and option == ref_id):
            found.update({each["id"]: each["value"] for each in override["properties"]})
    return found


def ticks(low: float, high: float, unit: str | None = None, decimals: int | None = None) -> list[float]:
    """Return about five round numbers between *low* and *high*; times are round in minutes or hours."""
    raw = (high - low) / 5
    size = 10 ** math.floor(math.log10(raw))
    step = next(size * factor for factor in (1, 2, 2.5, 5, 10) if size * factor >= raw)
    if unit == "s" and raw > 0.5:
        step = next((each for each in (1, 2, 5, 10, 15, 30, 60, 300, 600, 900, 1800, 3600, 7200) if each >= raw), step)
    elif unit != "percentunit" and decimals == 0:
        step = math.ceil(step)
    first = math.ceil(low / step)
    return [round(index * step, 10) for index in range(first, math.floor(high / step + 1e-9) + 1)]
