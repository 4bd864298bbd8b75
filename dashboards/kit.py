"""Building blocks of the dashboards: queries with a refId, panels with defaults, and a grid without gaps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from grafana_foundation_sdk.builders import common as make_common
from grafana_foundation_sdk.builders import dashboard as make
from grafana_foundation_sdk.builders import prometheus as make_prometheus
from grafana_foundation_sdk.builders import stat, table, tempo, text, timeseries
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models import common, dashboard
from grafana_foundation_sdk.models.prometheus import PromQueryFormat
from grafana_foundation_sdk.models.tempo import MetricsQueryType, SearchTableType

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

COLUMNS = 24
PARALLELISM_UID = "agent-parallelism"
TURNS_UID = "agent-turns"
CLICKHOUSE_UID = "agent-parallelism-clickhouse"
PROMETHEUS = common.DataSourceRef(type_val="prometheus", uid="${datasource}")
TEMPO = common.DataSourceRef(type_val="tempo", uid="${datasource}")
CLICKHOUSE = common.DataSourceRef(type_val="grafana-clickhouse-datasource", uid="${datasource}")

GREEN, YELLOW, ORANGE, RED, BLUE, GREY = "green", "yellow", "orange", "red", "blue", "#808080"
GOOD_EFFICIENCY, BAD_EFFICIENCY = 0.9, 0.6  # the edges of the verdicts partly_sequential and sequential

VERDICT_COLOURS = {
    "sequential": RED,
    "partly_sequential": ORANGE,
    "possibly_sequential": YELLOW,
    "contended": "purple",
    "parallel": GREEN,
    "serial_by_need": BLUE,
    "single": GREY,
    "negligible": GREY,
    "accepted": GREY,
    "unseen": "dark-yellow",
}
CAUSE_COLOURS = {
    "model": "purple",
    "dispatch": ORANGE,
    "blocking": "dark-orange",
    "code": RED,
    "limit": BLUE,
    "contention": YELLOW,
    "over_parallel": "dark-blue",
    "unknown": GREY,
}


def query(ref_id: str, expression: str, legend: str = "", *, exemplar: bool = False) -> make_prometheus.Dataquery:
    """Return a query over the dashboard's time range."""
    made = make_prometheus.Dataquery().ref_id(ref_id).datasource(PROMETHEUS).expr(expression).range()
    made = made.legend_format(legend or "__auto")
    return made.exemplar(True) if exemplar else made


def instant(ref_id: str, expression: str, legend: str = "", *, form: str = "") -> make_prometheus.Dataquery:
    """Return a query for the end of the dashboard's time range; *form* is ``table``, ``heatmap`` or a time series."""
    made = make_prometheus.Dataquery().ref_id(ref_id).datasource(PROMETHEUS).expr(expression).instant()
    made = made.legend_format(legend or "__auto")
    return made.format(PromQueryFormat(form)) if form else made


def heat(ref_id: str, expression: str) -> make_prometheus.Dataquery:
    """Return a query whose buckets become the rows of a heatmap."""
    made = query(ref_id, expression, "{{le}}", exemplar=True)
    return made.format(PromQueryFormat.HEATMAP)


def search(ref_id: str, expression: str, *, limit: int) -> tempo.Dataquery:
    """Return a TraceQL search for spans."""
    made = tempo.Dataquery().ref_id(ref_id).datasource(TEMPO).query_type("traceql").query(expression)
    return made.limit(limit).spss(1).table_type(SearchTableType.SPANS)


def trace_metrics(ref_id: str, expression: str) -> tempo.Dataquery:
    """Return a TraceQL metrics query over the dashboard's time range."""
    made = tempo.Dataquery().ref_id(ref_id).datasource(TEMPO).query_type("traceql").query(expression)
    return made.metrics_query_type(MetricsQueryType.RANGE)


class SqlQuery(Dataquery):
    """A query of Grafana's data source for ClickHouse, for which the SDK has no builder."""

    def __init__(self, ref_id: str, text: str, form: int) -> None:
        """Create a query that is written as SQL; *form* is 0 for values over time, 1 for a table."""
        self.ref_id = ref_id
        self.datasource = CLICKHOUSE
        self._text = text
        self._form = form

    def build(self) -> SqlQuery:
        """Return the query itself, as the builders of the SDK do."""
        return self

    def to_json(self) -> dict[str, object]:
        """Return the query in the form of a panel's target."""
        return {
            "refId": self.ref_id,
            "datasource": self.datasource,
            "editorType": "sql",
            "format": self._form,
            "queryType": "table" if self._form else "timeseries",
            "rawSql": self._text,
        }


def sql(ref_id: str, text: str) -> SqlQuery:
    """Return a query whose rows are shown as they are."""
    return SqlQuery(ref_id, text, 1)


def sql_over_time(ref_id: str, text: str) -> SqlQuery:
    """Return a query whose first column is the time; a column of text names the series."""
    return SqlQuery(ref_id, text, 0)


def thresholds(*steps: tuple[float | None, str]) -> make.ThresholdsConfig:
    """Return absolute thresholds; the first *step* starts at None, the lowest value of all."""
    made = [dashboard.Threshold(value=value, color=colour) for value, colour in steps]
    return make.ThresholdsConfig().mode(dashboard.ThresholdsMode.ABSOLUTE).steps(made)


def efficiency_thresholds() -> make.ThresholdsConfig:
    """Return the thresholds of the verdicts: red below 0.6, orange below 0.9, otherwise green."""
    return thresholds((None, RED), (BAD_EFFICIENCY, ORANGE), (GOOD_EFFICIENCY, GREEN))


def number(title: str, description: str, target: Any, unit: str, none: str) -> stat.Panel:
    """Return a panel with one number, coloured by its thresholds; *none* is shown without data."""
    return (
        stat.Panel()
        .title(title)
        .description(description)
        .datasource(target.build().datasource)
        .with_target(target)
        .unit(unit)
        .no_value(none)
        .graph_mode(common.BigValueGraphMode.NONE)
        .color_mode(common.BigValueColorMode.VALUE)
        .reduce_options(make_common.ReduceDataOptions().calcs(["lastNotNull"]).values(False))
    )


def lines(title: str, description: str, targets: Sequence[Any], unit: str, none: str) -> timeseries.Panel:
    """Return a panel with lines over time; a gap means that no turn ended."""
    panel = (
        timeseries.Panel()
        .title(title)
        .description(description)
        .datasource(targets[0].build().datasource)
        .targets(list(targets))
        .unit(unit)
        .no_value(none)
        .line_width(2)
        .fill_opacity(0)
        .show_points(common.VisibilityMode.AUTO)
        .span_nulls(False)
    )
    return _legend(panel, calcs=["lastNotNull"])


def stacked(title: str, description: str, targets: Sequence[Any], unit: str, none: str) -> timeseries.Panel:
    """Return a panel with stacked bars over time."""
    panel = (
        lines(title, description, targets, unit, none)
        .draw_style(common.GraphDrawStyle.BARS)
        .line_width(0)
        .fill_opacity(80)
        .show_points(common.VisibilityMode.NEVER)
        .stacking(make_common.StackingConfig().mode(common.StackingMode.NORMAL).group("A"))
        .min(0)
    )
    return _legend(panel, calcs=["mean", "max"])


def _legend(panel: timeseries.Panel, calcs: list[str]) -> timeseries.Panel:
    legend = make_common.VizLegendOptions().show_legend(True)
    legend = legend.display_mode(common.LegendDisplayMode.TABLE).placement(common.LegendPlacement.BOTTOM).calcs(calcs)
    tooltip = make_common.VizTooltipOptions().mode(common.TooltipDisplayMode.MULTI).sort(common.SortOrder.DESCENDING)
    return panel.legend(legend).tooltip(tooltip)


def prose(title: str, content: str) -> text.Panel:
    """Return a panel of Markdown."""
    return text.Panel().title(title).content(content).mode("markdown").transparent(True)


def rows(title: str, description: str, targets: Sequence[Any], none: str) -> table.Panel:
    """Return a table."""
    return (
        table.Panel()
        .title(title)
        .description(description)
        .datasource(targets[0].build().datasource)
        .targets(list(targets))
        .no_value(none)
        .show_header(True)
    )


def transformation(name: str, options: dict[str, Any]) -> dashboard.DataTransformerConfig:
    """Return a transformation of the data of a panel."""
    return dashboard.DataTransformerConfig(id_val=name, options=options)


def properties(**values: Any) -> list[dashboard.DynamicConfigValue]:
    """Return properties of an override; ``__`` in a name stands for a dot."""
    return [dashboard.DynamicConfigValue(id_val=key.replace("__", "."), value=value) for key, value in values.items()]


def coloured(panel: Any, colours: dict[str, str]) -> Any:
    """Set the colours of series of *panel* by name, and return the panel."""
    for name, colour in colours.items():
        # Tempo puts the names of series in quotes, Prometheus does not.
        panel.override_by_regexp(f'/^"?{name}"?$/', properties(color={"mode": "fixed", "fixedColor": colour}))
    return panel


def link(title: str, uid: str, variables: str = "", *, time: bool = True) -> dict[str, Any]:
    """Return a link from a table cell to the dashboard *uid*, with *variables* and the current time range."""
    parts = [part for part in (variables, "${__url_time_range}" if time else "") if part]
    return {"title": title, "url": f"/d/{uid}/{uid}?{'&'.join(parts)}"}


def choice(name: str, description: str, ask: Any, source: common.DataSourceRef, all_value: str) -> Any:
    """Return a variable with the values that *ask* finds; several or all can be selected."""
    return (
        make.QueryVariable(name)
        .label(name.capitalize())
        .description(description)
        .datasource(source)
        .query(ask)
        .refresh(dashboard.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(dashboard.VariableSort.ALPHABETICAL_ASC)
        .multi(True)
        .include_all(True)
        .all_value(all_value)
        .current(dashboard.VariableOption(selected=True, text="All", value="$__all"))
    )


def source_choice(kind: str) -> make.DatasourceVariable:
    """Return the variable that selects the data source of all panels."""
    return make.DatasourceVariable("datasource").label("Data source").type(kind)


def plain_link(title: str, uid: str) -> make.DashboardLink:
    """Return a link in the head of a dashboard to another."""
    made = make.DashboardLink(title).type(dashboard.DashboardLinkType.LINK).icon("dashboard").keep_time(True)
    return made.url(f"/d/{uid}/{uid}").tooltip(title)


class Board:
    """
    A dashboard that is built row by row, so that its grid has no overlaps and no gaps.

    Raises:
        ValueError: The panels of a row are not as wide as the dashboard.
    """

    def __init__(self, title: str, uid: str, description: str, tags: list[str]) -> None:
        """Create an empty dashboard that shows the last six hours."""
        self.made = (
            make.Dashboard(title)
            .uid(uid)
            .description(description)
            .tags(tags)
            .readonly()
            .tooltip(dashboard.DashboardCursorSync.CROSSHAIR)
            .time("now-6h", "now")
            .refresh("1m")
            .timezone("browser")
        )
        self._y = 0
        self._id = 0

    def section(self, title: str) -> None:
        """Begin a section."""
        self._id += 1
        position = dashboard.GridPos(x=0, y=self._y, w=COLUMNS, h=1)
        self.made.with_row(make.Row(title).id(self._id).grid_pos(position))
        self._y += 1

    def row(self, height: int, *panels: tuple[int, Any]) -> None:
        """Add *panels*, each with its width, side by side."""
        x = 0
        for width, panel in panels:
            self._id += 1
            panel.id(self._id).grid_pos(dashboard.GridPos(x=x, y=self._y, w=width, h=height))
            self.made.with_panel(panel)
            x += width
        if x != COLUMNS:
            raise ValueError(f"a row of {x} columns, not {COLUMNS}: {[p.build().title for _, p in panels]}")
        self._y += height

    def collapsed_section(self, title: str, height: int, *panels: Any) -> None:
        """Add a closed section with *panels*, one below the other; Grafana runs their queries once it is opened."""
        self._id += 1
        row = make.Row(title).id(self._id).grid_pos(dashboard.GridPos(x=0, y=self._y, w=COLUMNS, h=1)).collapsed(True)
        self._y += 1
        for y, panel in enumerate(panels):
            self._id += 1
            position = dashboard.GridPos(x=0, y=self._y + y * height, w=COLUMNS, h=height)
            row.with_panel(panel.id(self._id).grid_pos(position))
        self.made.with_row(row)

    def variables(self, listed: Iterable[Any]) -> None:
        """Add variables, in this order."""
        for each in listed:
            self.made.with_variable(each)
