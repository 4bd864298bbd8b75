"""Draws a dashboard as one HTML page from its JSON and the results of its queries."""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING, Any, Final

from . import charts
from .looks import BORDER, GROUND, PANEL, QUIET, TEXT, at_threshold, overridden, shown

if TYPE_CHECKING:
    from .charts import Series

WIDTH: Final = 1440
COLUMN: Final = WIDTH / 24
ROW: Final = 36
GAP: Final = 8
HEAD: Final = 32
LEGEND_ROW: Final = 17
MOST_IN_LEGEND: Final = 6
NOTE: Final = (
    "Drawn from what the dashboard's own queries return from a real Prometheus that watched the demo's fleet. "
    "Not a screenshot of Grafana."
)

STYLE: Final = f"""
* {{ box-sizing: border-box }}
body {{ margin: 0; background: {GROUND}; color: {TEXT}; font: 13px/1.45 Inter, Roboto, "DejaVu Sans", sans-serif }}
main {{ position: relative; width: {WIDTH}px }}
section {{ position: absolute; background: {PANEL}; border: 1px solid {BORDER}; border-radius: 3px; overflow: hidden }}
section.bare {{ background: none; border: 0 }}
h2 {{ font-size: 13.5px; font-weight: 600; margin: 0; padding: 7px 12px 0; height: {HEAD}px; white-space: nowrap }}
h3 {{ position: absolute; margin: 0; font-size: 15px; font-weight: 600; padding: 6px 6px 0 }}
.stat {{ font-size: 38px; font-weight: 600; text-align: center; line-height: 100px; white-space: nowrap }}
.stat small {{ font-size: 14px; font-weight: 400; color: {QUIET} }}
.prose {{ padding: 0 12px; color: {TEXT} }} .prose p {{ margin: 0 0 8px }}
code {{ background: #2a2e35; border-radius: 3px; padding: 0 4px; font-size: 12px }}
table {{ border-collapse: collapse; width: calc(100% - 24px); margin: 0 12px; font-variant-numeric: tabular-nums }}
th, td {{ text-align: right; padding: 5px 10px; border-bottom: 1px solid {BORDER}; white-space: nowrap }}
th {{ color: #8ab8ff; font-weight: 600 }} th:first-child, td:first-child {{ text-align: left }}
td:first-child {{ color: #8ab8ff }}
.gauge {{ display: flex; align-items: center; gap: 10px; justify-content: flex-end }}
.gauge i {{ flex: 1; height: 14px; background: #22252b; display: block }} .gauge i b {{ display: block; height: 14px }}
.gauge span {{ width: 74px }}
.legend {{ display: grid; grid-auto-flow: column; column-gap: 22px; padding: 2px 14px; font-size: 11.5px }}
.legend div {{ display: flex; gap: 7px; align-items: center; height: {LEGEND_ROW}px; white-space: nowrap }}
.legend u {{ width: 14px; height: 4px; border-radius: 2px; flex: none }}
.legend s {{ margin-left: auto; text-decoration: none; color: {QUIET}; padding-left: 10px }}
footer {{ position: absolute; left: 6px; color: {QUIET}; font-size: 12.5px }}
.empty {{ color: {QUIET}; text-align: center; padding-top: 60px }}
"""


def document(found: list[dict[str, Any]], first: int, last: int) -> str:
    """Return the page with the grid's rows from *first* up to *last*."""
    drawn = []
    for each in found:
        grid = each["panel"]["gridPos"]
        if first <= grid["y"] < last:
            drawn.append(_placed(each["panel"], each["answers"], grid["y"] - first))
    height = (last - first) * ROW + 34
    return (
        f'<!doctype html><meta charset="utf-8"><style>{STYLE}</style><main style="height:{height}px">{"".join(drawn)}'
        f'<footer style="top:{height - 26}px">{NOTE}</footer></main>'
    )


def _placed(panel: dict[str, Any], answers: list[dict[str, Any]], row: int) -> str:
    grid = panel["gridPos"]
    left, top = grid["x"] * COLUMN, row * ROW
    if panel["type"] == "row":
        return f'<h3 style="left:{left + GAP / 2}px;top:{top}px">⌄ {escape(panel["title"])}</h3>'
    width, height = round(grid["w"] * COLUMN - GAP), round(grid["h"] * ROW - GAP)
    bare = ' class="bare"' if panel["type"] == "text" else ""
    inner = _DRAW[panel["type"]](panel, answers, width - 2, height - HEAD - 2)
    return (
        f'<section{bare} style="left:{left + GAP / 2}px;top:{top + GAP / 2}px;width:{width}px;height:{height}px">'
        f"<h2>{escape(panel['title'])}</h2>{inner}</section>"
    )


def _prose(panel: dict[str, Any], _answers: list[dict[str, Any]], _width: int, _height: int) -> str:
    text = escape(panel["options"]["content"])
    text = re.sub(r"\*\*(.+?)\*\*", r"<strong>\1</strong>", text)
    text = re.sub(r"\*(.+?)\*", r"<em>\1</em>", text)
    text = re.sub(r"`(.+?)`", r"<code>\1</code>", text)
    return '<div class="prose">' + "".join(f"<p>{part}</p>" for part in text.strip().split("\n\n")) + "</div>"


def _stat(panel: dict[str, Any], answers: list[dict[str, Any]], _width: int, height: int) -> str:
    defaults = panel["fieldConfig"]["defaults"]
    line_px = (height - 8) // len(answers)
    drawn = []
    for answer in answers:
        value = answer["values"][-1][1]
        text = shown(value, defaults.get("unit"), defaults.get("decimals"))
        fill = at_threshold(value, defaults["thresholds"]["steps"])
        name = f"<small>{escape(answer['name'])}</small> " if len(answers) > 1 else ""
        drawn.append(f'<div class="stat" style="color:{fill};line-height:{line_px}px">{name}{escape(text)}</div>')
    return "".join(drawn)


def _table(panel: dict[str, Any], answers: list[dict[str, Any]], _width: int, _height: int) -> str:
    options = {each["id"]: each["options"] for each in panel["transformations"]}
    titles = options["organize"]["renameByName"]
    order = sorted(titles, key=lambda key: options["organize"]["indexByName"][key])
    rows: dict[str, dict[str, Any]] = {}
    for answer in answers:
        (label,) = answer["labels"].values()
        row = rows.setdefault(label, {order[0]: label})
        row[f"Value #{answer['ref_id']}"] = answer["values"][-1][1]
    by = next(key for key, title in titles.items() if title == options["sortBy"]["sort"][0]["field"])
    ranked = sorted(rows.values(), key=lambda row: -row.get(by, 0.0))
    most = {key: max((row.get(key, 0.0) for row in ranked), default=0.0) for key in order[1:]}
    head = "".join(f"<th>{escape(titles[key])}</th>" for key in order)
    body = "".join(
        f"<tr><td>{escape(row[order[0]])}</td>"
        + "".join(_cell(panel, titles[key], row.get(key), most[key]) for key in order[1:])
        + "</tr>"
        for row in ranked
    )
    return f"<table><tr>{head}</tr>{body}</table>"


def _cell(panel: dict[str, Any], title: str, value: float | None, most: float) -> str:
    if value is None:
        return "<td></td>"
    look = overridden(panel, title)
    text = escape(shown(value, look.get("unit"), look.get("decimals")))
    fill = at_threshold(value, look["thresholds"]["steps"]) if "thresholds" in look else TEXT
    kind = look.get("custom.cellOptions", {}).get("type")
    if kind == "gauge":
        long = 100 * value / most if most else 0
        bar = f'<i><b style="width:{long:.1f}%;background:{fill}"></b></i>'
        return f'<td style="width:330px"><div class="gauge">{bar}<span>{text}</span></div></td>'
    return f'<td style="color:{fill}">{text}</td>' if kind == "color-text" else f"<td>{text}</td>"


def _over_time(panel: dict[str, Any], answers: list[dict[str, Any]], width: int, height: int) -> str:
    if not answers:
        return f'<div class="empty">{escape(panel["fieldConfig"]["defaults"]["noValue"])}</div>'
    some = charts.series_of(panel, answers)
    down = len(some) if len(some) < MOST_IN_LEGEND // 2 + 1 else min(-(-len(some) // 2), MOST_IN_LEGEND // 2)
    drawn = charts.over_time(panel, some, width, height - down * LEGEND_ROW - 10)
    return drawn + _legend(panel, some, down)


def _legend(panel: dict[str, Any], some: list[Series], down: int) -> str:
    defaults = panel["fieldConfig"]["defaults"]
    calc = (panel["options"]["legend"].get("calcs") or ["lastNotNull"])[0]
    items = []
    listed, more = some, 0
    if len(some) > MOST_IN_LEGEND:
        listed = sorted(some, key=lambda each: -each.values[-1][1])[: MOST_IN_LEGEND - 1]
        more = len(some) - len(listed)
    for each in listed:
        values = [value for _, value in each.values]
        value = sum(values) / len(values) if calc == "mean" else values[-1]
        text = shown(value, defaults.get("unit"), defaults.get("decimals"))
        items.append(
            f'<div><u style="background:{each.colour}"></u>{escape(each.name)}'
            f"<s>{'mean' if calc == 'mean' else 'last'} {escape(text)}</s></div>"
        )
    if more:
        items.append(f"<div>… and {more} more</div>")
    return f'<div class="legend" style="grid-template-rows:repeat({down},{LEGEND_ROW}px)">{"".join(items)}</div>'


def _heatmap(_panel: dict[str, Any], answers: list[dict[str, Any]], width: int, height: int) -> str:
    return charts.heatmap(answers, width, height - 6)


def _bars(panel: dict[str, Any], answers: list[dict[str, Any]], width: int, height: int) -> str:
    return charts.bars(panel, answers, width, height - 6)


_DRAW: Final = {
    "text": _prose,
    "stat": _stat,
    "table": _table,
    "timeseries": _over_time,
    "heatmap": _heatmap,
    "bargauge": _bars,
}
