"""
Reads every query of the dashboards and of the rules from the files that users get.

``filled`` replaces Grafana's variables by values; the result is plain PromQL or TraceQL. Tests of the SQL for
ClickHouse run the queries of the dashboard on ClickHouse.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER = Path(__file__).parents[1] / "dashboards"
BOARDS = ("agent-parallelism.json", "agent-parallelism-clickhouse.json", "agent-turns.json")
RULES = "alerts.yaml"
VALUES = {
    "__rate_interval": "1m",
    "__interval": "15s",
    "__range": "1h",
    "job": ".+",
    "agent": ".*",
    "cause": ".*",
    "trace": "",
    "datasource": "",
}
"""What Grafana would put in with everything chosen; ``__range_s`` follows from ``__range``."""

_VARIABLE = re.compile(r"\$(?:\{(?P<braced>\w+)(?::\w+)?\}|(?P<plain>\w+))")
_LABEL_VALUES = re.compile(r"label_values\((?P<series>.+), *(?P<label>\w+)\)")
_DURATION = re.compile(r"(\d+)(ms|[smhdw])")
_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}


class Query(NamedTuple):
    """
    One query: its place, its expression, and the kind of its data source.

    ``source`` is ``panel``, ``variable`` (the series whose label values are listed), ``record`` or ``alert``;
    ``instant`` means that only the end of the time range is queried.
    """

    file: str
    source: str
    title: str
    ref_id: str
    datasource: str
    expression: str
    instant: bool = False

    @property
    def name(self) -> str:
        """Return the query's name in test ids: ``agent-parallelism.json: Turns A``."""
        return f"{self.file}: {self.title} {self.ref_id}".strip()


def board(name: str) -> dict[str, Any]:
    """Return a dashboard in the form that is imported."""
    loaded: dict[str, Any] = json.loads((FOLDER / name).read_text(encoding="utf-8"))
    return loaded


def rules() -> list[dict[str, Any]]:
    """Return the rules of all groups, in order."""
    loaded = yaml.safe_load((FOLDER / RULES).read_text(encoding="utf-8"))
    return [rule for group in loaded["groups"] for rule in group["rules"]]


def panels(name: str) -> Iterator[dict[str, Any]]:
    """Yield the panels of a dashboard, including those inside rows."""
    for panel in board(name)["panels"]:
        yield panel
        yield from panel.get("panels") or ()


def queries() -> Iterator[Query]:
    """Yield every query of every dashboard, then of the rules."""
    for name in BOARDS:
        yield from _of_variables(name)
        for panel in panels(name):
            for target in panel.get("targets") or ():
                expression = target.get("expr") or target.get("query") or target.get("rawSql") or ""
                kind = target["datasource"]["type"]
                yield Query(
                    name, "panel", panel["title"], target["refId"], kind, expression, bool(target.get("instant"))
                )
    for rule in rules():
        source = "record" if "record" in rule else "alert"
        yield Query(RULES, source, rule[source], "", "prometheus", str(rule["expr"]), instant=True)


def filled(expression: str, **values: str) -> str:
    """
    Return *expression* with a value for every variable.

    Args:
        expression: The expression in a dashboard.
        values: Variables that differ from ``VALUES``, without their dollar sign.

    Raises:
        KeyError: A variable of *expression* has no value.
    """
    known = VALUES | values
    seconds = sum(float(number) * _SECONDS[unit] for number, unit in _DURATION.findall(known["__range"]))
    known = {"__range_s": f"{seconds:g}", **known}
    return _VARIABLE.sub(lambda found: known[found["braced"] or found["plain"]], expression)


def _of_variables(name: str) -> Iterator[Query]:
    for variable in board(name)["templating"]["list"]:
        query = variable.get("query")
        if variable["type"] == "query" and isinstance(query, str):
            found = _LABEL_VALUES.fullmatch(query)
            if found is None:
                raise ValueError(f"{name}: variable {variable['name']} asks {query!r}, which is no label_values(…)")
            yield Query(name, "variable", variable["name"], found["label"], "prometheus", found["series"], instant=True)
