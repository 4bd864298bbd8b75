"""The dashboards are of Grafana's own type, and their TraceQL is in Grafana's own grammar."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import dashboard_queries
import pytest
from dashboard_queries import BOARDS, FOLDER

if TYPE_CHECKING:
    from .conftest import Node

# Values of string enums are plain strings in JSON.
TYPES = """
import type { Dashboard } from "@grafana/schema";

type Json<T> = T extends string
  ? `${T}`
  : T extends (infer E)[]
    ? Json<E>[]
    : T extends object
      ? { [K in keyof T]: Json<T[K]> }
      : T;

"""

# What Grafana fills in may be left out.
PARTIAL = """
type Partly<T> = T extends (infer E)[] ? Partly<E>[] : T extends object ? { [K in keyof T]?: Partly<T[K]> } : T;

"""
SETTINGS = {
    "bargauge": "BarGaugePanelCfg",
    "heatmap": "HeatmapPanelCfg",
    "stat": "StatPanelCfg",
    "table": "TablePanelCfg",
    "text": "TextPanelCfg",
    "timeseries": "TimeSeriesPanelCfg",
}
"""The module of Grafana's schema with the settings of each type of panel; ``traces`` has none."""
WITH_FIELDS = {"heatmap", "table", "timeseries"}


def checked(node: Node, dashboard: dict[str, Any]) -> str:
    """Return what the TypeScript compiler says of *dashboard* as Grafana's ``Dashboard``; nothing if it is one."""
    return compiled(node, f"{TYPES}export const dashboard: Json<Dashboard> = {json.dumps(dashboard)};\n")


def settings_checked(node: Node, panels: list[dict[str, Any]]) -> str:
    """Return what the TypeScript compiler says of the settings of *panels*; nothing if they are right."""
    lines = [TYPES, PARTIAL]
    for name, module in SETTINGS.items():
        path = f"@grafana/schema/dist/esm/raw/composable/{name}/panelcfg/x/{module}_types.gen"
        lines.append(f'import type * as {name} from "{path}";\n')
    for panel in panels:
        kind = panel["type"]
        if kind not in SETTINGS:
            continue
        config = panel.get("fieldConfig", {"defaults": {}, "overrides": []})
        fields = [config["defaults"].get("custom", {})]
        for override in config["overrides"]:
            set_here = {each["id"]: each["value"] for each in override["properties"]}
            fields.append({key[7:]: value for key, value in set_here.items() if key.startswith("custom.")})
        lines.append(f"// {panel['title']}\nexport const o{panel['id']}: Partly<Json<{kind}.Options>> = ")
        lines.append(f"{json.dumps(panel.get('options', {}))};\n")
        if kind in WITH_FIELDS:
            lines.append(f"export const f{panel['id']}: Partly<Json<{kind}.FieldConfig>>[] = {json.dumps(fields)};\n")
    return compiled(node, "".join(lines))


def compiled(node: Node, text: str) -> str:
    (node.folder / "dashboard.ts").write_text(text, encoding="utf-8")
    options = ("--noEmit", "--strict", "--skipLibCheck", "--module", "esnext", "--moduleResolution", "bundler")
    return node.run("npx", "--no-install", "tsc", *options, "dashboard.ts", status=None)


@pytest.mark.parametrize("name", BOARDS)
def test_dashboard_has_the_type_of_grafana(node: Node, name: str) -> None:
    assert checked(node, dashboard_queries.board(name)) == ""


@pytest.mark.parametrize("name", BOARDS)
def test_panel_settings_have_the_types_of_grafana(node: Node, name: str) -> None:
    assert settings_checked(node, list(dashboard_queries.panels(name))) == ""


def test_unknown_settings_are_rejected(node: Node) -> None:
    panels = list(dashboard_queries.panels(BOARDS[0]))
    (lines,) = [panel for panel in panels if panel["title"] == "Efficiency by agent, median"]
    lines["options"]["legend"]["displayMode"] = "sideways"
    lines["fieldConfig"]["defaults"]["custom"]["fillBelow"] = "x"
    told = settings_checked(node, panels)
    assert '"sideways"' in told
    assert "fillBelow" in told


def test_unknown_keys_are_rejected(node: Node) -> None:
    wrong = dashboard_queries.board(BOARDS[0])
    wrong["panels"][1]["fieldConfig"]["defaults"]["thresholds"]["mode"] = "relative"
    wrong["templating"]["list"][0]["refresh"] = "sometimes"
    told = checked(node, wrong)
    assert '"relative"' in told
    assert "VariableRefresh" in told


def errors(node: Node, queries: list[str]) -> list[list[list[int]]]:
    found: list[list[list[int]]] = json.loads(node.run("node", "traceql.mjs", text=json.dumps(queries)))
    return found


def test_every_traceql_query_parses(node: Node) -> None:
    asked = [query for query in dashboard_queries.queries() if query.datasource == "tempo"]
    searches = [query for query in asked if query.expression != "$trace"]
    assert len(searches) >= 5
    assert len(asked) == len(searches) + 1  # the panel that draws one trace is given its ID
    found = errors(node, [dashboard_queries.filled(query.expression) for query in searches])
    assert {query.name: where for query, where in zip(searches, found, strict=True) if where} == {}


def test_wrong_traceql_is_rejected(node: Node) -> None:
    assert all(errors(node, ["{ span.a > .5 }", '{ span."a.b" = 1 ', "{ } | rate( by (name)"]))


def test_lock_file_has_no_download_addresses() -> None:
    lock = json.loads((FOLDER.parent / "tests" / "dashboards" / "package-lock.json").read_text(encoding="utf-8"))
    assert [name for name, package in lock["packages"].items() if "resolved" in package] == []
    assert all("integrity" in package for name, package in lock["packages"].items() if name)
