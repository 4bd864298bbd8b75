"""Every query of the dashboard and of the rules on a real Prometheus, against the report of the same run."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pytest

from .servers import program

for module in ("yaml", "opentelemetry.exporter.prometheus"):
    pytest.importorskip(module, reason=f"{module} is not installed (dependency group e2e)")

from dashboard_queries import Query, filled, queries, rules  # noqa: E402 - it needs what is asked for above

from . import expected  # noqa: E402 - as above
from .expected import Bounds, Found, Key, Seen  # noqa: E402 - as above
from .prometheus import AGENT, JOB, PROGRAMS, SCRAPE_S, Sample, Watched, watching  # noqa: E402 - as above

if TYPE_CHECKING:
    from collections.abc import Iterator

MISSING = [name for name in PROGRAMS if program(name) is None]
pytestmark = pytest.mark.skipif(
    bool(MISSING), reason=f"not on the path: {', '.join(MISSING)} (apt-get install prometheus prometheus-alertmanager)"
)

WINDOW_S = 40
AGENTS = {"parallel-planner", "model-serial", "dispatch-serial", "code-serial", "contended", "serial-by-need"}
SEQUENTIAL = {"model-serial", "dispatch-serial", "code-serial"}
GAUGES = {"Open turns", "Open calls", "Live ratio"}
TOLERANCE = 0.01
MARGIN_S = 0.02
ALL = [query for query in queries() if query.datasource == "prometheus"]


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    with watching(tmp_path_factory.mktemp("prometheus"), WINDOW_S) as made:
        yield made


def ask(watched: Watched, query: Query, at: float | None = None, **values: str) -> list[Sample]:
    """Return the result of a query with its variables filled; every range is the whole window."""
    filling = {"__rate_interval": watched.window, "__range": watched.window, **values}
    return watched.prometheus.instant(filled(query.expression, **filling), at)


def panel(title: str, ref_id: str = "A") -> Query:
    (found,) = [query for query in ALL if (query.source, query.title, query.ref_id) == ("panel", title, ref_id)]
    return found


def of(source: str) -> list[Any]:
    return [pytest.param(query, id=query.name) for query in ALL if query.source == source]


def keyed(samples: list[Sample]) -> dict[Key, float]:
    found = {key_of(sample.labels): sample.value for sample in samples}
    assert len(found) == len(samples)
    return found


def key_of(labels: dict[str, str]) -> Key:
    assert labels.get("job", JOB) == JOB
    return tuple(float(labels[name]) if name == "le" else labels[name] for name in sorted(labels.keys() - {"job"}))


def agrees(found: dict[Key, float], wanted: Found) -> bool:
    try:
        check(found, wanted)
    except AssertionError:
        return False
    return True


def check(found: dict[Key, float], wanted: Found) -> None:
    """Assert that exactly the expected groups exist, each with its value."""
    assert found.keys() == wanted.keys()
    for key, value in wanted.items():
        if isinstance(value, Bounds):
            assert value.low <= found[key] <= value.high, key
        else:
            assert found[key] == pytest.approx(value, rel=TOLERANCE), key


def seen(watched: Watched, window: str, at: float | None = None) -> Seen:
    return Seen(watched.seen(window, at), watched.window_ms / 1000)


def test_fleet_behaves_as_its_agents_names_say(watched: Watched) -> None:
    assert watched.turns.keys() == AGENTS
    assert min(map(len, watched.seen(watched.window).values())) >= 5
    assert {turn["verdict"] for agent in SEQUENTIAL for turn in watched.turns[agent]} == {"sequential"}


def test_every_panel_has_an_expectation() -> None:
    assert {(query.title, query.ref_id) for query in ALL if query.source == "panel"} == {
        *expected.PANELS,
        *((title, "A") for title in GAUGES),
    }
    assert {query.title for query in ALL if query.source == "record"} == set(expected.RULES)


@pytest.mark.parametrize("query", [each for each in of("panel") if each.values[0].title not in GAUGES])
def test_a_panel_shows_what_the_report_says(watched: Watched, query: Query) -> None:
    wanted = expected.PANELS[query.title, query.ref_id]
    check(keyed(ask(watched, query)), wanted(seen(watched, watched.window)))


@pytest.mark.parametrize("agent", sorted(AGENTS))
def test_with_one_agent_chosen_all_panels_are_about_it(watched: Watched, agent: str) -> None:
    whole = seen(watched, watched.window)
    one = Seen({agent: whole.turns[agent]}, whole.seconds)
    for query in ALL:
        if query.source == "panel" and query.title not in GAUGES:
            found, wanted = keyed(ask(watched, query, agent=agent)), expected.PANELS[query.title, query.ref_id](one)
            without = query.title == "Chains by length" and not any(expected.numbers(wanted).values())
            zero = query.title == "Time lost per hour" and not wanted
            check(found, {} if without else {(): 0.0} if zero else wanted)


def test_variables_offer_the_existing_values(watched: Watched) -> None:
    offered = {
        query.title: {sample.labels[query.ref_id] for sample in ask(watched, query)}
        for query in ALL
        if query.source == "variable" and query.file == "agent-parallelism.json"
    }
    assert offered == {"job": {JOB}, "agent": AGENTS, "cause": {"model", "dispatch", "code", "contention"}}


@pytest.mark.parametrize("query", of("variable"))
def test_no_variable_is_empty(watched: Watched, query: Query) -> None:
    assert all(query.ref_id in sample.labels for sample in ask(watched, query))
    assert ask(watched, query)


def test_table_sorts_agents_by_time_lost(watched: Watched) -> None:
    columns = {ref_id: keyed(ask(watched, panel("Agents with the most to gain", ref_id))) for ref_id in "ABCDEFGH"}
    lost = {agent: columns["A"][agent,] for agent in AGENTS}
    assert {agent for agent, value in lost.items() if value} == SEQUENTIAL
    assert max(lost, key=lost.__getitem__) in SEQUENTIAL, "the first row is where the most can be gained"
    assert {key for key, value in columns["B"].items() if value} == {("contended",)}
    for column in "CDE":
        assert columns[column].keys() == {(agent,) for agent in AGENTS - {"contended"}}
        assert {key for key, value in columns[column].items() if value < 0.5} == {(agent,) for agent in SEQUENTIAL}
        assert min(columns[column][agent,] for agent in ("parallel-planner", "serial-by-need")) > 0.9
    assert {key for key, value in columns["F"].items() if value > 1.5} == {("parallel-planner",), ("contended",)}
    assert {key: value for key, value in columns["G"].items() if value} == {(agent,): 1.0 for agent in SEQUENTIAL}
    assert columns["H"].keys() == {(agent,) for agent in AGENTS}


@pytest.mark.parametrize(
    ("agent", "causes", "verdict"),
    [
        ("parallel-planner", set(), "parallel"),
        ("model-serial", {"model"}, "sequential"),
        ("dispatch-serial", {"dispatch"}, "sequential"),
        ("code-serial", {"code"}, "sequential"),
        ("contended", {"contention"}, "contended"),
        ("serial-by-need", set(), "serial_by_need"),
    ],
)
def test_each_agent_loses_time_by_its_own_cause_alone(
    watched: Watched, agent: str, causes: set[str], verdict: str
) -> None:
    lost = keyed(ask(watched, panel("Time lost per hour, by cause"), agent=agent))
    assert lost.keys() == {(cause,) for cause in causes}
    assert all(value > 60 for value in lost.values())
    assert keyed(ask(watched, panel("Turns by verdict"), agent=agent)).keys() == {(verdict,)}
    share = keyed(ask(watched, panel("Turns that are sequential"), agent=agent))
    assert share == {(): pytest.approx(float(agent in SEQUENTIAL))}
    steps = keyed(ask(watched, panel("Model requests that merging would save, per hour"), agent=agent))
    assert steps.keys() == ({(agent,)} if agent == "model-serial" else set())
    tokens = keyed(ask(watched, panel("Input tokens that merging would save, per hour"), agent=agent))
    assert tokens.keys() == steps.keys()
    calls = keyed(ask(watched, panel("Calls per model response"), agent=agent))
    asked = {"parallel-planner": 4.0, "model-serial": 1.0, "dispatch-serial": 4.0}
    assert calls == ({(agent,): pytest.approx(asked[agent])} if agent in asked else {})
    chains = keyed(ask(watched, panel("Chains by length"), agent=agent))
    (longest,) = {len(finding["calls"]) for turn in watched.turns[agent] for finding in turn["findings"]} or {0}
    if agent in SEQUENTIAL:
        assert chains[float(longest - 1),] == 0
        assert chains[float(longest),] == pytest.approx(chains[math.inf,])
    else:
        assert chains == {}


@pytest.mark.parametrize("title", sorted(GAUGES))
def test_gauges_show_what_was_open_at_the_scrape(watched: Watched, title: str) -> None:
    """Compare agents without a turn or call that begins or ends around the scrape."""
    compared = 0
    values: dict[str, set[float]] = {agent: set() for agent in AGENTS}
    for at, took in scrapes(watched):
        found = keyed(ask(watched, panel(title), at))
        for agent, turns in watched.turns.items():
            if any(at - MARGIN_S < event < at + took + MARGIN_S for turn in turns for event in edges(turn)):
                continue
            wanted = open_at(turns, at, title)
            value = found.get((agent,))
            if title == "Live ratio" and wanted is not None and value is not None:
                assert value == pytest.approx(wanted, rel=0.15), (agent, at)
                compared += 1
            elif title != "Live ratio":
                assert value == wanted, (agent, at)
                compared += 1
            if value is not None:
                values[agent].add(value)
    assert compared > 20
    together = {agent for agent, some in values.items() if max(some) > 1.3}
    assert together == (set() if title == "Open turns" else {"parallel-planner", "contended"})


def scrapes(watched: Watched) -> list[tuple[float, float]]:
    """Return when Prometheus scraped, and how long the scrape took (s)."""
    ((_, took),) = watched.prometheus.samples(f'scrape_duration_seconds{{job="{JOB}"}}', watched.window)
    ((_, up),) = watched.prometheus.samples(f'up{{job="{JOB}"}}', watched.window)
    return [sample for sample, (_, answered) in zip(took, up, strict=True) if answered]


def edges(turn: dict[str, Any]) -> Iterator[float]:
    """Return when the turn and its calls begin and end."""
    yield from (turn["start"], turn["start"] + turn["duration"])
    for call in turn["slowest_calls"]:
        yield from (turn["start"] + call["start"], turn["start"] + call["start"] + call["duration"])


def open_at(turns: list[dict[str, Any]], at: float, title: str) -> float | None:
    """Return what was open at a moment; the ratio is the summed time of the calls ÷ the time since the first began."""
    running = [turn for turn in turns if turn["start"] <= at < turn["start"] + turn["duration"]]
    if title == "Open turns":
        return float(len(running))
    calls = [
        (turn["start"] + call["start"], turn["start"] + call["start"] + call["duration"])
        for turn in running
        for call in turn["slowest_calls"]
        if turn["start"] + call["start"] <= at
    ]
    if title == "Open calls":
        return float(sum(end > at for _, end in calls))
    if not calls:
        return None
    last = at if any(end > at for _, end in calls) else max(end for _, end in calls)
    return sum(min(end, at) - start for start, end in calls) / (last - min(start for start, _ in calls))


@pytest.mark.parametrize("query", of("record"))
def test_a_recording_rule_records_what_the_report_says(watched: Watched, query: Query) -> None:
    recorded = keyed(watched.prometheus.instant(query.title))
    (at,) = {sample.value for sample in watched.prometheus.instant(f"timestamp({query.title})")}
    # A scrape that was not finished when the rules were evaluated is missing in their results.
    candidates = [expected.RULES[query.title](seen(watched, "1h", moment)) for moment in (at, at - SCRAPE_S)]
    if agrees(recorded, candidates[1]):
        return
    check(recorded, candidates[0])


def test_the_rules_are_evaluated_without_error(watched: Watched) -> None:
    assert watched.prometheus.rule_health() == {rule.get("record") or rule["alert"]: ("ok", "") for rule in rules()}


def test_alerts_arrive_about_the_agents_that_deserve_them(watched: Watched) -> None:
    found = {(alert["labels"]["alertname"], alert["labels"][AGENT]) for alert in watched.alerts}
    assert found == {("AgentCallsContend", "contended"), *(("NewAgentIsSequential", agent) for agent in SEQUENTIAL)}
    for alert in watched.alerts:
        assert alert["status"]["state"] == "active"
        assert alert["labels"]["job"] == JOB
        assert alert["labels"][AGENT] in alert["annotations"]["summary"]
        assert alert["annotations"]["description"].startswith(("100% of its turns", "In 100% of its turns"))
        assert alert["annotations"]["runbook"].endswith(".")


def test_an_alert_that_waits_is_pending_for_the_agents_over_their_budget(watched: Watched) -> None:
    """The alert needs twenty turns and half an hour. The last rule needs a day; promtool's test covers it."""
    found = {sample.labels[AGENT] for sample in watched.prometheus.instant('ALERTS{alertstate="pending"}')}
    counts = {agent: len(turns) for agent, turns in seen(watched, "1h").turns.items() if agent in SEQUENTIAL}
    # Rules are evaluated once a second, and growth is extrapolated to the edges of the hour.
    assert {agent for agent, count in counts.items() if count >= 22} <= found
    assert found <= {agent for agent, count in counts.items() if count >= 18}
    assert found
