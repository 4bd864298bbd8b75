"""Draws charts as SVG: lines and stacked bars over time, a heatmap, bars side by side."""

from __future__ import annotations

import math
import time
from collections import defaultdict
from html import escape
from itertools import pairwise
from typing import Any, Final, NamedTuple

from .looks import GRID, IN_TURN, PANEL, QUIET, TEXT, colour, overridden, shown, ticks

LEFT: Final = 62
BOTTOM: Final = 22
TOP: Final = 8
RIGHT: Final = 14
SMALL: Final = f'font-size="11" fill="{QUIET}"'


class Series(NamedTuple):
    """One series, its colour and its properties."""

    name: str
    colour: str
    values: list[tuple[float, float]]
    look: dict[str, Any]


class Frame(NamedTuple):
    """A plot's area in pixels, and the values at its edges."""

    width: int
    height: int
    start: float
    end: float
    low: float
    high: float

    def x(self, at: float) -> float:
        return LEFT + (at - self.start) / (self.end - self.start) * (self.width - LEFT - RIGHT)

    def y(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return self.height - BOTTOM - share * (self.height - BOTTOM - TOP)


def series_of(panel: dict[str, Any], answers: list[dict[str, Any]]) -> list[Series]:
    """Return the series by name, with the panel's colours or else colours in turn."""
    found = []
    for index, answer in enumerate(sorted(answers, key=lambda answer: (answer["ref_id"], answer["name"]))):
        look = overridden(panel, answer["name"], answer["ref_id"])
        fixed = look.get("color", {}).get("fixedColor")
        found.append(
            Series(answer["name"], colour(fixed) if fixed else IN_TURN[index % len(IN_TURN)], answer["values"], look)
        )
    return found


def over_time(panel: dict[str, Any], some: list[Series], width: int, height: int) -> str:
    """Draw lines, or stacked bars if the panel stacks its series."""
    defaults = panel["fieldConfig"]["defaults"]
    custom = defaults.get("custom", {})
    stacked = custom.get("stacking", {}).get("mode") == "normal"
    times = sorted({at for each in some for at, _ in each.values})
    sums: defaultdict[float, float] = defaultdict(float)
    for each in some:
        for at, value in each.values:
            sums[at] = sums[at] + value if stacked else max(sums[at], value)
    high = defaults.get("max") or max(sums.values()) * 1.06 or 1.0
    frame = Frame(width, height, times[0], times[-1], defaults.get("min") or 0.0, high)
    inner = _stack(some, frame, times) if stacked else "".join(_line(each, some, frame) for each in some)
    zones = "".join(
        f'<line x1="{LEFT}" x2="{width - RIGHT}" y1="{frame.y(step["value"]):.1f}" y2="{frame.y(step["value"]):.1f}"'
        f' stroke="{colour(step["color"])}" stroke-dasharray="6 5" opacity="0.75"/>'
        for step in defaults.get("thresholds", {}).get("steps", [])
        if step["value"] is not None and custom.get("thresholdsStyle", {}).get("mode") == "dashed"
    )
    unit, decimals = defaults.get("unit"), defaults.get("decimals")
    values = ticks(frame.low, frame.high, unit, decimals)
    return _svg(width, height, _axes(frame, values, unit, decimals) + zones + inner)


def _line(each: Series, some: list[Series], frame: Frame) -> str:
    points = [(frame.x(at), frame.y(value)) for at, value in each.values]
    fill = ""
    below = next((other for other in some if other.name == each.look.get("custom.fillBelowTo")), None)
    if below is not None:
        back = [(frame.x(at), frame.y(value)) for at, value in reversed(below.values)]
        area = " ".join(f"{x:.1f},{y:.1f}" for x, y in [*points, *back])
        fill = f'<polygon points="{area}" fill="{each.colour}" opacity="{each.look["custom.fillOpacity"] / 100}"/>'
    dash = each.look.get("custom.lineStyle", {}).get("dash")
    style = f' stroke-dasharray="{" ".join(map(str, dash))}"' if dash else ""
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    thick = each.look.get("custom.lineWidth", 2)
    return fill + f'<polyline points="{path}" fill="none" stroke="{each.colour}" stroke-width="{thick}"{style}/>'


def _stack(some: list[Series], frame: Frame, times: list[float]) -> str:
    step = min((after - before for before, after in pairwise(times)), default=1.0)
    thick = max(1.0, (frame.x(times[0] + step) - frame.x(times[0])) - 1)
    base: defaultdict[float, float] = defaultdict(float)
    drawn = []
    for each in some:
        for at, value in each.values:
            bottom, top = frame.y(base[at]), frame.y(base[at] + value)
            base[at] += value
            left = min(max(frame.x(at) - thick / 2, LEFT), frame.width - RIGHT - thick)
            drawn.append(
                f'<rect x="{left:.1f}" y="{top:.1f}" width="{thick:.1f}" height="{bottom - top:.1f}"'
                f' fill="{each.colour}" opacity="0.85"/>'
            )
    return "".join(drawn)


def heatmap(answers: list[dict[str, Any]], width: int, height: int) -> str:
    """Draw the number of values per bucket and time; the given counts are cumulative over buckets."""
    rows = sorted(((float(each["labels"]["le"]), dict(each["values"])) for each in answers), key=lambda row: row[0])
    times = sorted({at for _, row in rows for at in row})
    cells = [
        (index, at, row[at] - (rows[index - 1][1][at] if index else 0.0))
        for index, (_, row) in enumerate(rows)
        for at in times
    ]
    most = max(count for _, _, count in cells)
    used = {index for index, _, count in cells if count > 1e-9}
    first, last = min(used), min(max(used) + 1, len(rows) - 1)
    frame = Frame(width, height, times[0], times[-1], first, last + 1)
    step = frame.x(times[1]) - frame.x(times[0])
    tall = frame.y(first) - frame.y(first + 1)
    drawn = "".join(
        f'<rect x="{max(frame.x(at) - step, LEFT):.1f}" y="{frame.y(index + 1):.1f}" width="{step - 1:.1f}"'
        f' height="{tall - 1:.1f}" fill="{_blue(math.sqrt(count / most))}"/>'
        for index, at, count in cells
        if count > 1e-9 and at > times[0]
    )
    labels = "".join(
        f'<text x="{LEFT - 8}" y="{frame.y(index + 1) + 4:.1f}" text-anchor="end" {SMALL}>{rows[index][0]:g}</text>'
        for index in range(first, last + 1)
        if not math.isinf(rows[index][0])
    )
    return _svg(width, height, _axes(frame, [], None, None) + labels + drawn)


def _blue(share: float) -> str:
    """Return a colour between dark and light blue."""
    low, high = (8, 48, 107), (222, 235, 247)
    return f"rgb({', '.join(str(round(a + (b - a) * share)) for a, b in zip(low, high, strict=True))})"


def bars(panel: dict[str, Any], answers: list[dict[str, Any]], width: int, height: int) -> str:
    """Draw one bar per bucket; the given counts are cumulative over buckets."""
    ranked = sorted(
        ((float(each["labels"]["le"]), each["values"][-1][1]) for each in answers), key=lambda each: each[0]
    )
    counts = [(edge, count - (ranked[index - 1][1] if index else 0.0)) for index, (edge, count) in enumerate(ranked)]
    most = max(count for _, count in counts) or 1.0
    defaults = panel["fieldConfig"]["defaults"]
    fill = colour(defaults["thresholds"]["steps"][0]["color"])
    room = (width - 2 * RIGHT) / len(counts)
    drawn = []
    for index, (edge, count) in enumerate(counts):
        middle = RIGHT + (index + 0.5) * room
        tall = count / most * (height - BOTTOM - TOP - 22)
        top = height - BOTTOM - max(tall, 1.5)
        drawn.append(
            f'<rect x="{middle - room * 0.38:.1f}" y="{top:.1f}" width="{room * 0.76:.1f}"'
            f' height="{max(tall, 1.5):.1f}" fill="{fill}" opacity="{1 if count > 0 else 0.35}"/>'
            f'<text x="{middle:.1f}" y="{top - 6:.1f}" text-anchor="middle" font-size="12" fill="{TEXT}">'
            f"{shown(count, defaults.get('unit'), defaults.get('decimals'))}</text>"
            f'<text x="{middle:.1f}" y="{height - 6}" text-anchor="middle" {SMALL}>'
            f"{'+Inf' if math.isinf(edge) else f'{edge:g}'}</text>"
        )
    return _svg(width, height, "".join(drawn))


def _axes(frame: Frame, values: list[float], unit: str | None, decimals: int | None) -> str:
    lines = []
    for value in values:
        y, text = frame.y(value), escape(shown(value, unit, decimals))
        lines.append(
            f'<line x1="{LEFT}" x2="{frame.width - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="{GRID}"/>'
            f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end" {SMALL}>{text}</text>'
        )
    minute = math.ceil(frame.start / 60) * 60
    while minute <= frame.end:
        lines.append(
            f'<line x1="{frame.x(minute):.1f}" x2="{frame.x(minute):.1f}" y1="{TOP}" y2="{frame.height - BOTTOM}"'
            f' stroke="{GRID}"/><text x="{frame.x(minute):.1f}" y="{frame.height - 6}" text-anchor="middle" {SMALL}>'
            f"{time.strftime('%H:%M', time.gmtime(minute))}</text>"
        )
        minute += 60
    return "".join(lines)


def _svg(width: int, height: int, inner: str) -> str:
    return f'<svg width="{width}" height="{height}" style="background:{PANEL}">{inner}</svg>'
