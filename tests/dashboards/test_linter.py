"""
The rules of Grafana's dashboard-linter, which is a Go program, written again.

What they check is in its documentation (github.com/grafana/dashboard-linter, docs/rules). ``dashboards/.lint`` names
those that do not hold and says why, as it does for the linter itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import dashboard_queries
import promql_parser
import pytest
import yaml
from dashboard_queries import BOARDS, FOLDER, filled

from .promql import children, nodes, selectors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

WITH_DATA = {"stat", "graph", "table", "timeseries", "gauge", "heatmap", "bargauge", "traces"}
UNITS = {"none", "short", "percentunit", "percent", "s", "ms", "ops", "string"}
RATES = {"rate", "irate"}
GROWTH = {*RATES, "increase"}
RATE_INTERVAL = "7m13s"
FILLED = {"__rate_interval": RATE_INTERVAL, "__range": "9h"}

Board = dict[str, Any]


def variable(board: Board, name: str) -> Board | None:
    return next((each for each in board["templating"]["list"] if each["name"] == name), None)


def sources(board: Board) -> list[Board]:
    return [each for each in board["templating"]["list"] if each["type"] == "datasource"]


def with_data(board: Board) -> list[Board]:
    panels = [*board["panels"], *(panel for row in board["panels"] for panel in row.get("panels") or ())]
    return [panel for panel in panels if panel["type"] in WITH_DATA]


def targets(board: Board) -> Iterator[tuple[str, Any]]:
    """Yield the title and the parsed expression of every Prometheus target."""
    for panel in with_data(board):
        for target in panel.get("targets") or ():
            if "expr" in target:
                yield panel["title"], promql_parser.parse(filled(target["expr"], **FILLED))


def is_prometheus(board: Board) -> bool:
    return bool(sources(board)) and sources(board)[0]["query"] == "prometheus"


def template_datasource(board: Board) -> Iterator[str]:
    found = sources(board)
    if not found:
        yield "no templated data source"
    for each in found:
        names = {f"{each['query']}_datasource"} | ({"datasource"} if len(found) == 1 else set())
        labels = {f"{each['query'].title()} data source"} | ({"Data source"} if len(found) == 1 else set())
        if each["name"] not in names or each["label"] not in labels:
            yield f"{each['name']}, {each['label']}"


def _template(board: Board, name: str) -> Iterator[str]:
    if not is_prometheus(board):
        return
    found = variable(board, name)
    if found is None:
        yield f"no variable {name}"
        return
    expected = {"type": "query", "label": name.title(), "multi": True, "allValue": ".+"}
    yield from (f"{name}: {key}" for key, value in expected.items() if found[key] != value)
    if found["datasource"]["uid"] not in {"$datasource", "${datasource}"}:
        yield f"{name}: data source"


def template_job(board: Board) -> Iterator[str]:
    return _template(board, "job")


def template_instance(board: Board) -> Iterator[str]:
    return _template(board, "instance")


def template_label_promql(board: Board) -> Iterator[str]:
    for query in dashboard_queries.queries():
        if query.file == f"{board['uid']}.json" and query.source == "variable":
            try:
                promql_parser.parse(filled(query.expression))
            except ValueError as error:
                yield f"{query.title}: {error}"


def template_on_time_change_reload(board: Board) -> Iterator[str]:
    listed = board["templating"]["list"]
    yield from (each["name"] for each in listed if each["type"] == "query" and each["refresh"] != 2)


def panel_datasource(board: Board) -> Iterator[str]:
    names = {form for each in sources(board) for form in (f"${each['name']}", f"${{{each['name']}}}")}
    yield from (panel["title"] for panel in with_data(board) if panel["datasource"]["uid"] not in names)


def panel_title_description(board: Board) -> Iterator[str]:
    yield from (str(panel["id"]) for panel in with_data(board) if not (panel["title"] and panel["description"]))


def panel_units(board: Board) -> Iterator[str]:
    for panel in with_data(board):
        if panel["type"] in {"stat", "graph", "table", "timeseries", "gauge"}:
            units = [panel["fieldConfig"]["defaults"].get("unit")]
            for override in panel["fieldConfig"]["overrides"]:
                units += [each["value"] for each in override["properties"] if each["id"] == "unit"]
            if not set(units) <= UNITS:
                yield f"{panel['title']}: {units}"


def panel_no_targets(board: Board) -> Iterator[str]:
    yield from (panel["title"] for panel in with_data(board) if not panel.get("targets"))


def target_promql(board: Board) -> Iterator[str]:
    try:
        list(targets(board))
    except ValueError as error:
        yield str(error)


def target_rate_interval(board: Board) -> Iterator[str]:
    interval = promql_parser.parse(f"up[{RATE_INTERVAL}]").range
    for title, tree in targets(board):
        for call in nodes(tree):
            if isinstance(call, promql_parser.Call) and call.func.name in RATES and call.args[0].range != interval:
                yield title


def _target(board: Board, label: str) -> Iterator[str]:
    for title, tree in targets(board):
        for selector in selectors(tree):
            found = [each for each in selector.matchers.matchers if each.name == label]
            if [(each.op, each.value) for each in found] != [(promql_parser.MatchOp.Re, ".+")]:
                yield title


def target_job(board: Board) -> Iterator[str]:
    return _target(board, "job")


def target_instance(board: Board) -> Iterator[str]:
    return _target(board, "instance")


def target_counter_agg(board: Board) -> Iterator[str]:
    yield from (title for title, tree in targets(board) if any(counts(name) for name in bare(tree)))


def bare(tree: Any) -> Iterator[str]:
    """Yield the names of the selectors that no function takes the growth of."""
    if isinstance(tree, promql_parser.Call) and tree.func.name in GROWTH:
        return
    if isinstance(tree, promql_parser.VectorSelector):
        yield tree.name
    for child in children(tree):
        yield from bare(child)


def counts(name: str) -> bool:
    """Return whether it is a counter: the linter's ``_total``, and the parts of a histogram."""
    return name.endswith(("_total", "_bucket", "_sum", "_count"))


def uneditable_dashboard(board: Board) -> Iterator[str]:
    if board["editable"]:
        yield "it can be edited in place, and the next import would undo that"


RULES: dict[str, Callable[[Board], Iterator[str]]] = {
    "template-datasource-rule": template_datasource,
    "template-job-rule": template_job,
    "template-instance-rule": template_instance,
    "template-label-promql-rule": template_label_promql,
    "template-on-time-change-reload-rule": template_on_time_change_reload,
    "panel-datasource-rule": panel_datasource,
    "panel-title-description-rule": panel_title_description,
    "panel-units-rule": panel_units,
    "panel-no-targets-rule": panel_no_targets,
    "target-promql-rule": target_promql,
    "target-rate-interval-rule": target_rate_interval,
    "target-job-rule": target_job,
    "target-instance-rule": target_instance,
    "target-counter-agg-rule": target_counter_agg,
    "uneditable-dashboard": uneditable_dashboard,
}
EXCLUDED: Board = yaml.safe_load((FOLDER / ".lint").read_text(encoding="utf-8"))["exclusions"]


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule not in EXCLUDED])
@pytest.mark.parametrize("name", BOARDS)
def test_dashboard_follows_the_rule(name: str, rule: str) -> None:
    assert list(RULES[rule](dashboard_queries.board(name))) == []


def test_exclusions_are_rules_and_have_a_reason() -> None:
    assert set(EXCLUDED) <= set(RULES)
    assert all(len(each["reason"]) > 40 for each in EXCLUDED.values())


BROKEN: dict[str, Callable[[Board], object]] = {
    "template-datasource-rule": lambda board: board["templating"]["list"][0].update(name="source"),
    "template-job-rule": lambda board: board["templating"]["list"][1].update(allValue=".*"),
    "template-on-time-change-reload-rule": lambda board: board["templating"]["list"][1].update(refresh=1),
    "panel-datasource-rule": lambda board: board["panels"][1]["datasource"].update(uid="abc"),
    "panel-title-description-rule": lambda board: board["panels"][1].update(description=""),
    "panel-units-rule": lambda board: board["panels"][1]["fieldConfig"]["defaults"].update(unit="parsecs"),
    "panel-no-targets-rule": lambda board: board["panels"][1].update(targets=[]),
    "target-promql-rule": lambda board: board["panels"][1]["targets"][0].update(expr="sum("),
    "target-rate-interval-rule": lambda board: board["panels"][1]["targets"][0].update(expr="rate(up[5m])"),
    "target-job-rule": lambda board: board["panels"][1]["targets"][0].update(expr="up"),
    "target-counter-agg-rule": lambda board: board["panels"][1]["targets"][0].update(expr="sum(a_total)"),
    "uneditable-dashboard": lambda board: board.update(editable=True),
}


@pytest.mark.parametrize("rule", BROKEN)
def test_broken_rule_is_reported(rule: str) -> None:
    board = dashboard_queries.board(BOARDS[0])
    BROKEN[rule](board)
    assert list(RULES[rule](board)) != []
