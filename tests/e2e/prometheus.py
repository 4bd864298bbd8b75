"""
Runs the fleet with a real Prometheus that scrapes it and evaluates the published rules, and with an Alertmanager.

All queries use the time of one scrape while the fleet was running, and a range that begins at a scrape. So growth is
not extrapolated to the range's edges. Afterwards the fleet is interrupted, and its report says what Prometheus should
have seen: for each agent its k-th to n-th turn, where k and n are the counts of the first and the last sample of the
range. So no result depends on the machine's speed.
"""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml

from .servers import environment, free_port, get_json, program, responds, running, stop, until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PROGRAMS = ("prometheus", "promtool", "prometheus-alertmanager", "amtool")
RULES = Path(__file__).parents[2] / "dashboards" / "alerts.yaml"
JOB = "fleet"
AGENT = "gen_ai_agent_name"
SCRAPE_S = 0.5
AGENTS = 6
ALERTS = 4
COUNT = "agent_parallelism_turn_duration_seconds_count"

Turn = dict[str, Any]


class Sample(NamedTuple):
    """One result of an instant query."""

    labels: dict[str, str]
    value: float


class Prometheus:
    """Queries a running Prometheus, by default always at the same instant."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.at = 0.0

    def instant(self, expression: str, at: float | None = None) -> list[Sample]:
        moment = self.at if at is None else at
        found = self._result("query", query=expression, time=f"{moment:.3f}")
        return [Sample(_labels(each), float(each["value"][1])) for each in found]

    def samples(
        self, selector: str, window: str, at: float | None = None
    ) -> list[tuple[dict[str, str], list[tuple[float, float]]]]:
        """What was scraped within *window*, as pairs of time (s) and value."""
        moment = self.at if at is None else at
        found = self._result("query", query=f"{selector}[{window}]", time=f"{moment:.3f}")
        return [(_labels(each), [(at, float(value)) for at, value in each["values"]]) for each in found]

    def range(self, expression: str, start: float, end: float, step: float) -> list[tuple[dict[str, str], Any]]:
        found = self._result("query_range", query=expression, start=str(start), end=str(end), step=str(step))
        return [(_labels(each), [(at, float(value)) for at, value in each["values"]]) for each in found]

    def _result(self, what: str, **parameters: str) -> Any:
        answer = get_json(f"{self.url}/api/v1/{what}", **parameters)
        assert answer["status"] == "success"
        assert not answer.get("warnings")
        return answer["data"]["result"]

    def window(self, began: float) -> tuple[float, int] | None:
        """The time (s) of the last scrape, and how long (ms) after the first since *began*; None if it failed."""
        now = time.time()
        (ups,) = self._result("query", query=f'up{{job="{JOB}"}}[{now - began:.0f}s]', time=f"{now:.3f}")
        (first, _), (last, up) = ups["values"][0], ups["values"][-1]
        return (last, round((last - first) * 1000)) if up == "1" else None

    def rule_health(self) -> dict[str, tuple[str, str]]:
        """Health and last error of every rule."""
        groups = get_json(f"{self.url}/api/v1/rules")["data"]["groups"]
        return {
            rule["name"]: (rule["health"], rule.get("lastError", "")) for group in groups for rule in group["rules"]
        }


class Watched(NamedTuple):
    """A fleet in Prometheus and in its report; all series exist throughout the ``window``."""

    prometheus: Prometheus
    turns: dict[str, list[Turn]]
    window_ms: int
    alerts: list[dict[str, Any]]

    @property
    def window(self) -> str:
        return f"{self.window_ms}ms"

    def seen(self, window: str, at: float | None = None) -> dict[str, list[Turn]]:
        """The turns of each agent by which its counter grew within *window*."""
        first: defaultdict[str, int] = defaultdict(int)
        last: defaultdict[str, int] = defaultdict(int)
        for labels, values in self.prometheus.samples(COUNT, window, at):
            first[labels[AGENT]] += int(values[0][1])
            last[labels[AGENT]] += int(values[-1][1])
        return {agent: turns[first[agent] : last[agent]] for agent, turns in self.turns.items()}


def _labels(result: dict[str, Any]) -> dict[str, str]:
    return {name: value for name, value in result["metric"].items() if name != "__name__"}


@contextlib.contextmanager
def watching(folder: Path, window_s: int, *, scrape_s: float = SCRAPE_S, rules: bool = True) -> Iterator[Watched]:
    """Run the fleet for *window_s* after each agent's first turn; Prometheus answers while the context is open."""
    ports = [free_port() for _ in range(3)]
    report = folder / "report.json"
    with contextlib.ExitStack() as stack:
        if rules:
            stack.enter_context(running(*_alertmanager(folder, ports[2]), folder=folder))
        stack.enter_context(running(*_prometheus(folder, ports, scrape_s, rules=rules), folder=folder))
        asked = Prometheus(ports[0])
        with running(
            *_fleet(report, ports[1]),
            folder=folder,
            variables={
                "OTEL_SERVICE_NAME": JOB,
                "OTEL_TRACES_EXPORTER": "none",
                "OTEL_LOGS_EXPORTER": "none",
                "OTEL_METRICS_EXPORTER": "prometheus",
                "OTEL_EXPORTER_PROMETHEUS_HOST": "127.0.0.1",
                "OTEL_EXPORTER_PROMETHEUS_PORT": str(ports[1]),
                "OTEL_PARALLELISM_CALL_DURATION_METRIC": "true",
            },
        ) as fleet:
            until("a turn of each agent", lambda: len(asked.instant(COUNT, time.time())) == AGENTS, fleet)
            began = time.time()
            time.sleep(window_s)
            asked.at, window_ms = until("a scrape", lambda: asked.window(began), fleet)
            alerts = until("the alerts", lambda: _firing(ports[2]), fleet) if rules else []
            stop(fleet, signal.SIGINT)
            assert fleet.returncode == 0
        turns = defaultdict(list)
        for turn in json.loads(report.read_text(encoding="utf-8"))["turns"]:
            turns[turn["agent"]].append(turn)
        yield Watched(asked, dict(turns), window_ms, alerts)


def _fleet(report: Path, port: int) -> tuple[list[str], Callable[[], bool]]:
    command = [
        str(Path(sys.executable).with_name("opentelemetry-instrument")),
        *(sys.executable, "-m", "otel_parallelism", "demo", "--fleet", "--forever"),
        *("--format", "json", "--output", str(report)),
    ]
    return command, lambda: responds(f"http://127.0.0.1:{port}/metrics")


def _prometheus(
    folder: Path, ports: list[int], scrape_s: float, *, rules: bool
) -> tuple[list[str], Callable[[], bool]]:
    port, scraped, alertmanager = ports
    config = folder / "prometheus.yaml"
    scrape = f"{scrape_s * 1000:.0f}ms"
    # The rules are the published file; the evaluation interval is not part of it, and is shorter here than usual.
    text: dict[str, Any] = {
        "global": {"scrape_interval": scrape, "scrape_timeout": scrape, "evaluation_interval": "1s"},
        "scrape_configs": [{"job_name": JOB, "static_configs": [{"targets": [f"127.0.0.1:{scraped}"]}]}],
    }
    if rules:
        text["rule_files"] = [str(RULES)]
        text["alerting"] = {"alertmanagers": [{"static_configs": [{"targets": [f"127.0.0.1:{alertmanager}"]}]}]}
    config.write_text(yaml.safe_dump(text), encoding="utf-8")
    command = [
        program("prometheus") or "",
        f"--config.file={config}",
        f"--storage.tsdb.path={folder / 'prometheus'}",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    return command, lambda: responds(f"http://127.0.0.1:{port}/-/ready")


def _alertmanager(folder: Path, port: int) -> tuple[list[str], Callable[[], bool]]:
    config = folder / "alertmanager.yaml"
    route = {"receiver": "nobody", "group_by": ["alertname"], "group_wait": "100ms"}
    config.write_text(yaml.safe_dump({"route": route, "receivers": [{"name": "nobody"}]}), encoding="utf-8")
    subprocess.run(  # noqa: S603 - Alertmanager's own tool
        [program("amtool") or "", "check-config", str(config)], check=True, capture_output=True, env=environment()
    )
    command = [
        program("prometheus-alertmanager", "alertmanager") or "",
        f"--config.file={config}",
        f"--storage.path={folder / 'alertmanager'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
    ]
    return command, lambda: responds(f"http://127.0.0.1:{port}/-/ready")


def _firing(port: int) -> list[dict[str, Any]]:
    """Return what has arrived at Alertmanager, once every expected alert is there."""
    alerts: list[dict[str, Any]] = get_json(f"http://127.0.0.1:{port}/api/v2/alerts")
    return alerts if len(alerts) >= ALERTS else []
