"""The dashboards' files are what is built, fit on Grafana's grid, and ask only for what is emitted."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING, Any, get_args

import dashboard_queries
import promql_parser
import pytest
from dashboard_queries import BOARDS, FOLDER, Query, filled
from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.metrics import Observation
from opentelemetry.sdk.metrics import MeterProvider
from prometheus_client import CollectorRegistry

from otel_parallelism import model, names

from .promql import groupings, nodes, selectors

if TYPE_CHECKING:
    from pathlib import Path

QUERIES = list(dashboard_queries.queries())
PROMQL = [query for query in QUERIES if query.datasource == "prometheus"]
TRACEQL = [query for query in QUERIES if query.datasource == "tempo"]
WIDTH = 24


def ids(queries: list[Query]) -> dict[str, Any]:
    return {"argvalues": queries, "ids": [query.name for query in queries]}


def test_json_files_are_up_to_date(tmp_path: Path) -> None:
    subprocess.run([sys.executable, FOLDER / "build.py", tmp_path], check=True, timeout=120)  # noqa: S603 - our own
    built = {path.name: path.read_text(encoding="utf-8") for path in tmp_path.iterdir()}
    assert set(built) == set(BOARDS)
    for name, text in built.items():
        assert (FOLDER / name).read_text(encoding="utf-8") == text, "run: python dashboards/build.py"


@pytest.mark.parametrize("name", BOARDS)
def test_ids_and_ref_ids_are_set_and_unique(name: str) -> None:
    panels = list(dashboard_queries.panels(name))
    numbers = [panel["id"] for panel in panels]
    assert sorted(numbers) == list(range(1, len(panels) + 1))
    for panel in panels:
        letters = [target["refId"] for target in panel.get("targets") or ()]
        assert letters == [chr(ord("A") + index) for index in range(len(letters))], panel["title"]


@pytest.mark.parametrize("name", BOARDS)
def test_titles_are_unique(name: str) -> None:
    counted = Counter(panel["title"] for panel in dashboard_queries.panels(name))
    assert [title for title, count in counted.items() if count > 1] == []


@pytest.mark.parametrize("name", BOARDS)
def test_grid_has_no_overlaps_and_no_gaps(name: str) -> None:
    taken = Counter(
        (x, y)
        for panel in dashboard_queries.board(name)["panels"]
        for position in [panel["gridPos"]]
        for x in range(position["x"], position["x"] + position["w"])
        for y in range(position["y"], position["y"] + position["h"])
    )
    bottom = 1 + max(y for _, y in taken)
    assert taken == Counter((x, y) for x in range(WIDTH) for y in range(bottom))


@pytest.mark.parametrize("name", BOARDS)
def test_dashboard_can_be_imported_without_edits(name: str) -> None:
    board = dashboard_queries.board(name)
    assert {"__inputs", "__requires", "id"}.isdisjoint(board)
    assert board["uid"] == name.removesuffix(".json")
    sources = [panel.get("datasource") for panel in dashboard_queries.panels(name)]
    sources += [target["datasource"] for panel in dashboard_queries.panels(name) for target in panel.get("targets", [])]
    sources += [variable["datasource"] for variable in board["templating"]["list"] if variable["type"] == "query"]
    assert {source["uid"] for source in sources if source is not None} == {"${datasource}"}


@pytest.mark.parametrize("name", BOARDS)
def test_every_panel_has_a_description_and_a_text_without_data(name: str) -> None:
    for panel in dashboard_queries.panels(name):
        if panel["type"] in {"row", "text"}:
            continue
        assert len(panel["description"]) > 40, panel["title"]
        assert panel["fieldConfig"]["defaults"].get("noValue"), panel["title"]
        if panel["type"] != "traces":
            assert panel["fieldConfig"]["defaults"].get("unit"), panel["title"]


def test_readme_lists_every_panel_and_alert() -> None:
    sections = re.split(r"^## ", (FOLDER / "README.md").read_text(encoding="utf-8"), flags=re.MULTILINE)
    told = {
        section.partition("\n")[0]: {
            title.strip(" *`")
            for row in re.findall(r"^\| (.+?) \|", section, re.MULTILINE)
            for title in row.split(" · ")
        }
        for section in sections
    }
    for name in BOARDS:
        board = dashboard_queries.board(name)
        shown = {panel["title"] for panel in dashboard_queries.panels(name) if panel["type"] not in {"row", "text"}}
        assert told[board["title"]] - {"panel", "---"} == shown
    alerts = {rule["alert"] for rule in dashboard_queries.rules() if "alert" in rule}
    assert told["Alerts"] - {"alert", "---"} == alerts


def test_links_between_the_dashboards_are_valid() -> None:
    boards = {name.removesuffix(".json"): dashboard_queries.board(name) for name in BOARDS}
    variables = {uid: {each["name"] for each in board["templating"]["list"]} for uid, board in boards.items()}
    found = []
    for name in (*BOARDS, dashboard_queries.RULES):
        text = (FOLDER / name).read_text(encoding="utf-8")
        found += re.findall(r'"/d/([\w-]+)/([\w-]+)((?:\?[^"]*)?)', text.replace('\\"', "'"))
    assert len(found) > 6
    for uid, slug, arguments in found:
        assert uid == slug
        assert set(re.findall(r"var-(\w+)=", arguments)) <= variables[uid]


@pytest.mark.parametrize("query", **ids(PROMQL))
def test_every_promql_query_parses(query: Query) -> None:
    promql_parser.parse(filled(query.expression))


def test_wrong_promql_is_rejected() -> None:
    with pytest.raises(ValueError, match="unclosed"):
        promql_parser.parse("sum by (job (up)")


def test_every_used_variable_is_defined() -> None:
    for name in BOARDS:
        text = (FOLDER / name).read_text(encoding="utf-8")
        used = set(re.findall(r"\$\{?(\w+)", text))
        offered = {variable["name"] for variable in dashboard_queries.board(name)["templating"]["list"]}
        assert {variable for variable in used - offered if not variable.startswith("__")} == set()
        assert offered <= used | {"datasource"}


@pytest.fixture(scope="module")
def exposed() -> dict[str, set[str]]:
    """Return the series that opentelemetry-exporter-prometheus makes of all our instruments, with their labels."""
    registry = CollectorRegistry()
    provider = MeterProvider([PrometheusMetricReader(registry=registry)], shutdown_on_exit=False)
    meter = provider.get_meter(names.INSTRUMENTATION)
    for metric in names.METRICS:
        attributes = dict.fromkeys(metric.attributes, "x")
        if metric.kind == "Histogram":
            meter.create_histogram(metric.name, metric.unit).record(1, attributes)
        elif metric.kind == "Counter":
            meter.create_counter(metric.name, metric.unit).add(1, attributes)
        elif metric.kind == "ObservableUpDownCounter":
            meter.create_observable_up_down_counter(metric.name, [observed(attributes)], metric.unit)
        else:
            meter.create_observable_gauge(metric.name, [observed(attributes)], metric.unit)
    series: dict[str, set[str]] = {}
    for family in registry.collect():
        for sample in family.samples:
            series.setdefault(sample.name, set()).update(sample.labels, {"job", "instance"})
    provider.shutdown()
    return series


def observed(attributes: dict[str, str]) -> Any:
    return lambda _: [Observation(1, attributes)]


@pytest.mark.parametrize("query", **ids(PROMQL))
def test_metrics_and_labels_are_emitted(query: Query, exposed: dict[str, set[str]]) -> None:
    recorded = {rule["record"]: labels_of(rule["record"]) for rule in dashboard_queries.rules() if "record" in rule}
    known = exposed | recorded
    tree = promql_parser.parse(filled(query.expression))
    asked = list(selectors(tree))
    assert asked
    every: set[str] = set()
    for selector in asked:
        assert selector.name in known
        assert {matcher.name for matcher in selector.matchers.matchers} <= known[selector.name]
        every |= known[selector.name]
    assert set(groupings(tree)) <= every
    if query.source == "variable":
        assert query.ref_id in every


def labels_of(record: str) -> set[str]:
    """Return the labels that a recorded series keeps, which its name begins with, short."""
    words = {"job": "job", "agent": "gen_ai_agent_name", "verdict": "agent_parallelism_verdict"}
    return {words[word] for word in record.partition(":")[0].split("_")}


@pytest.mark.parametrize(
    "rule", [rule for rule in dashboard_queries.rules() if "record" in rule], ids=lambda r: r["record"]
)
def test_recorded_series_has_the_labels_of_its_name(rule: dict[str, Any]) -> None:
    tree = promql_parser.parse(rule["expr"])
    outermost = next(each for each in nodes(tree) if isinstance(each, promql_parser.AggregateExpr))
    assert set(outermost.modifier.labels) - {"le"} == labels_of(rule["record"])


@pytest.mark.parametrize("query", **ids(TRACEQL))
def test_attributes_are_emitted(query: Query) -> None:
    if query.expression == "$trace":
        return
    emitted = {attribute.key for attribute in names.TURN_ATTRIBUTES} | {names.AGENT_NAME}
    attributes = set(re.findall(r"\bspan\.([\w.]+)", query.expression))
    assert attributes
    assert attributes <= emitted
    assert set(re.findall(r"\bresource\.([\w.]+)", query.expression)) <= {"service.name"}


@pytest.mark.parametrize("name", ["agent-parallelism.json", "agent-turns.json"])
def test_colours_belong_to_verdicts_and_causes(name: str) -> None:
    known = {*get_args(model.Verdict), *get_args(model.Cause), *get_args(model.Advice)}
    coloured = [
        override["matcher"]["options"]
        for panel in dashboard_queries.panels(name)
        if panel["type"] == "timeseries"
        for override in panel["fieldConfig"]["overrides"]
        if override["matcher"]["id"] == "byRegexp"
    ]
    assert len(coloured) > 10
    assert {re.fullmatch(r'/\^"\?(\w+)"\?\$/', pattern)[1] for pattern in coloured} <= known


def test_queries_cover_every_metric(exposed: dict[str, set[str]]) -> None:
    asked = {selector.name for query in PROMQL for selector in selectors(promql_parser.parse(filled(query.expression)))}
    stems = {re.sub("_(bucket|sum|count|total|created)$", "", name) for name in asked}
    emitted = {metric.name.replace(".", "_"): metric for metric in names.METRICS}
    left = {name for name in emitted if not any(stem.removesuffix("_seconds") == name for stem in stems)}
    assert left == {"agent_parallelism_findings"}, "chains and lost time say more than the number of findings"
    assert all(first != second for first, second in pairwise(sorted(emitted)))
