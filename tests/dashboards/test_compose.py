"""The compose file and what it mounts agree with one another; they were not run: that takes a Docker daemon."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml
from dashboard_queries import BOARDS, FOLDER, RULES

if TYPE_CHECKING:
    from pathlib import Path


def load(name: str) -> Any:
    return yaml.safe_load((FOLDER / name).read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    found: dict[str, Any] = load("compose.yaml")["services"]
    return found


def test_mounted_files_exist(services: dict[str, Any]) -> None:
    mounts = [mount.split(":") for service in services.values() for mount in service.get("volumes", ())]
    files = [mount[0] for mount in mounts if mount[0].startswith("./")]
    assert len(files) >= 7
    assert [name for name in files if not (FOLDER / name).exists()] == []
    named = {mount[0] for mount in mounts if mount[0].isidentifier()}
    assert named == set(load("compose.yaml")["volumes"])


def test_ports_are_bound_to_localhost(services: dict[str, Any]) -> None:
    ports = [port for service in services.values() for port in service.get("ports", ())]
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_images_are_pinned(services: dict[str, Any]) -> None:
    for service in services.values():
        _, _, tag = service["image"].rpartition(":")
        assert tag[:1].isdigit() or tag[:1] == "v"


def test_collector_pipelines_use_defined_components(services: dict[str, Any]) -> None:
    config = load("compose/collector.yaml")
    for pipeline in config["service"]["pipelines"].values():
        for kind in ("receivers", "processors", "exporters"):
            assert set(pipeline[kind]) <= set(config[kind])
    for exporter in config["exporters"].values():
        host = exporter["endpoint"].removeprefix("http://").partition(":")[0]
        assert host in services


def test_data_sources_are_services(services: dict[str, Any]) -> None:
    sources = load("provisioning/datasources/datasources.yaml")["datasources"]
    assert {source["type"] for source in sources} == {"prometheus", "tempo"}
    for source in sources:
        assert source["url"].removeprefix("http://").partition(":")[0] in services
    (prometheus,) = [source for source in sources if source["type"] == "prometheus"]
    explore, dashboard = prometheus["jsonData"]["exemplarTraceIdDestinations"]
    assert explore["datasourceUid"] in {source["uid"] for source in sources}
    assert dashboard["url"] == "/d/agent-turns/agent-turns?var-trace=$${__value.raw}"
    interval_ms = int(services["demo"]["environment"]["OTEL_METRIC_EXPORT_INTERVAL"])
    assert prometheus["jsonData"]["timeInterval"] == f"{interval_ms // 1000}s"


def test_grafana_finds_the_dashboards(services: dict[str, Any]) -> None:
    (provider,) = load("provisioning/dashboards/dashboards.yaml")["providers"]
    mounted = {mount.split(":")[1] for mount in services["grafana"]["volumes"]}
    assert {f"{provider['options']['path']}/{name}" for name in BOARDS if "clickhouse" not in name} <= mounted


def test_prometheus_accepts_its_configuration(promtool: Any, tmp_path: Path) -> None:
    for name in ("compose/prometheus.yaml", RULES):
        (tmp_path / name.rpartition("/")[2]).write_bytes((FOLDER / name).read_bytes())
    done = promtool("check", "config", "prometheus.yaml", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
