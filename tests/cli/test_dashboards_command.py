from __future__ import annotations

import json
import re
import subprocess
import sys
import venv
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hatchling.builders.wheel import WheelBuilder

from .grafana_api import SOURCES, TOKEN, Api, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .conftest import Completed, Invoke, Shell

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "dashboards"
BOARDS = {"agent-parallelism", "agent-turns"}
ALL_BOARDS = {*BOARDS, "agent-parallelism-clickhouse"}


@pytest.fixture
def api() -> Iterator[Api]:
    with serving() as api:
        yield api


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def refused(done: Completed) -> str:
    """Return standard error in one line, of a command that failed with status 2."""
    assert (done.stdout, done.returncode) == (b"", 2), done.stderr
    text = done.stderr.decode()
    assert "Traceback" not in text
    return " ".join(text.split())


def import_into(invoke: Invoke, api: Api, *arguments: str, token: str = TOKEN) -> Completed:
    return invoke("dashboards", "--url", api.url, "--token", token, *arguments)


def test_files_are_written(invoke: Invoke) -> None:
    done = invoke("dashboards", "--out", "new/folder")
    assert (done.stderr, done.returncode) == (b"", 0)
    written = contents(invoke.folder / "new" / "folder")
    assert {f"new/folder/{name}" for name in written} == set(done.stdout.decode().split())
    assert {"agent-parallelism.json", "agent-turns.json", "alerts.yaml", "compose.yaml"} <= set(written)
    assert "agent-parallelism-clickhouse.json" in written
    assert written.items() <= contents(FOLDER).items()


def test_mounts_of_the_compose_file_are_written(invoke: Invoke) -> None:
    invoke("dashboards", "--out", "here")
    mounts = re.findall(r"- \./([^:]+):", (invoke.folder / "here" / "compose.yaml").read_text(encoding="utf-8"))
    assert len(mounts) >= 7
    assert [name for name in mounts if not (invoke.folder / "here" / name).exists()] == []


def test_different_files_are_replaced_only_on_request(invoke: Invoke) -> None:
    invoke("dashboards", "--out", "here")
    assert invoke("dashboards", "--out", "here").returncode == 0
    mine = invoke.write("here/alerts.yaml", "groups: []\n")
    Path(invoke.folder, "here", "agent-turns.json").unlink()
    assert "alerts.yaml: exists with other content; --overwrite" in refused(invoke("dashboards", "--out", "here"))
    assert mine.read_text(encoding="utf-8") == "groups: []\n"
    assert not Path(invoke.folder, "here", "agent-turns.json").exists()
    assert invoke("dashboards", "--out", "here", "--overwrite").returncode == 0
    assert mine.read_bytes() == (FOLDER / "alerts.yaml").read_bytes()


def test_unwritable_folder_is_an_error(invoke: Invoke) -> None:
    invoke.write("file", "")
    assert "file" in refused(invoke("dashboards", "--out", "file"))


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ([], "Pass either --out DIR or --url URL."),
        (["--out", "x", "--url", "http://localhost"], "Pass either --out DIR or --url URL."),
        (["--out", "x", "--folder", "Agents"], "--folder and --datasource go with --url."),
        (
            ["--url", "http://localhost", "--datasource", "loki=Loki"],
            "'loki=Loki' is not prometheus=NAME, tempo=NAME or clickhouse=NAME.",
        ),
        (
            ["--url", "http://localhost", "--datasource", "tempo"],
            "'tempo' is not prometheus=NAME, tempo=NAME or clickhouse=NAME.",
        ),
        (["--url", "http://localhost", "--datasource", "tempo=a", "--datasource", "tempo=b"], "tempo is given twice."),
        (["--url", "grafana.example.com"], "'grafana.example.com' is not an address such as https://"),
        (["--url", "ftp://localhost"], "'ftp://localhost' is not an address such as https://"),
        (["--url", "http://me:secret@localhost"], "expected an address without user, query and fragment"),
        (["--url", "http://localhost", "--token", "a\nb"], "the token has spaces"),
    ],
)
def test_wrong_usage_is_an_error(invoke: Invoke, arguments: list[str], error: str) -> None:
    assert error in refused(invoke("dashboards", *arguments))


def test_dashboards_are_imported(invoke: Invoke, api: Api) -> None:
    done = import_into(invoke, api)
    assert (done.stderr, done.returncode) == (b"", 0)
    assert done.stdout.decode().splitlines() == [
        f"Agent parallelism: {api.url}/d/agent-parallelism/agent-parallelism (version 1)",
        f"Agent turns: {api.url}/d/agent-turns/agent-turns (version 1)",
    ]
    assert set(api.dashboards) == BOARDS
    for uid, board in api.dashboards.items():
        file = json.loads((FOLDER / f"{uid}.json").read_bytes())
        assert board == {**file, "id": None, "version": 1, "folder": ""}


def test_token_is_read_from_the_environment(invoke: Invoke, api: Api) -> None:
    assert invoke("dashboards", "--url", f"{api.url}/", GRAFANA_TOKEN=TOKEN).returncode == 0
    assert set(api.dashboards) == BOARDS


def test_folder_is_created_once(invoke: Invoke, api: Api) -> None:
    assert import_into(invoke, api, "--folder", "Agents").returncode == 0
    assert import_into(invoke, api, "--folder", "Agents", "--overwrite").returncode == 0
    assert api.folders == {"f1": "Agents"}
    assert {(board["folder"], board["version"]) for board in api.dashboards.values()} == {("f1", 2)}


@pytest.mark.parametrize("name", ["Mimir", "prom-2"])
def test_data_sources_are_chosen_by_name_or_uid(invoke: Invoke, api: Api, name: str) -> None:
    chosen = ("--datasource", f"prometheus={name}", "--datasource", "tempo=Tempo")
    assert import_into(invoke, api, *chosen).returncode == 0
    current = {
        uid: variable["current"]
        for uid, board in api.dashboards.items()
        for variable in board["templating"]["list"]
        if variable["type"] == "datasource"
    }
    assert current == {
        "agent-parallelism": {"selected": True, "text": "Mimir", "value": "prom-2"},
        "agent-turns": {"selected": True, "text": "Tempo", "value": "tempo-1"},
    }


def test_missing_data_source_is_an_error_before_anything_is_written(invoke: Invoke, api: Api) -> None:
    error = refused(import_into(invoke, api, "--folder", "Agents", "--datasource", "prometheus=Tempo"))
    assert error == "no data source of type prometheus is called 'Tempo'; available: Prometheus, Mimir"
    assert (api.folders, api.dashboards) == ({}, {})


def test_grafana_without_tempo_gets_the_dashboards_and_a_note(invoke: Invoke, api: Api) -> None:
    api.sources = [source for source in SOURCES if source["type"] != "tempo"]
    done = import_into(invoke, api)
    assert done.returncode == 0
    assert done.stderr.decode() == "note: this Grafana has no data source of type tempo\n"
    assert set(api.dashboards) == BOARDS


def test_dashboard_on_clickhouse_needs_its_data_source(invoke: Invoke, api: Api) -> None:
    error = refused(import_into(invoke, api, "--datasource", "clickhouse=Spans"))
    assert error == "no data source of type grafana-clickhouse-datasource is called 'Spans'; available: none"
    spans = {"id": 5, "uid": "ch-1", "name": "Spans", "type": "grafana-clickhouse-datasource", "isDefault": False}
    api.sources = [*SOURCES, spans]
    assert import_into(invoke, api, "--datasource", "clickhouse=Spans").returncode == 0
    assert set(api.dashboards) == ALL_BOARDS
    (source, *_) = api.dashboards["agent-parallelism-clickhouse"]["templating"]["list"]
    assert source["current"] == {"selected": True, "text": "Spans", "value": "ch-1"}


def test_token_needs_access_to_data_sources_only_if_some_are_chosen(invoke: Invoke, api: Api) -> None:
    api.denied = {"GET /api/datasources"}
    assert "403 You'll need additional permissions" in refused(import_into(invoke, api, "--datasource", "tempo=Tempo"))
    assert api.dashboards == {}
    done = import_into(invoke, api)
    assert (done.stderr, done.returncode) == (b"", 0)
    assert set(api.dashboards) == ALL_BOARDS


def test_wrong_token_is_an_error(invoke: Invoke, api: Api) -> None:
    error = refused(import_into(invoke, api, token="wrong"))  # noqa: S106 - wrong on purpose
    assert error.startswith(f"GET {api.url}/api/datasources: 401 Invalid API key (pass the token of a service account")
    assert "wrong" not in error
    error = refused(invoke("dashboards", "--url", api.url, GRAFANA_TOKEN=""))
    assert "401 Unauthorized (pass the token of a service account with --token or in GRAFANA_TOKEN)" in error


def test_role_without_write_access_is_an_error(invoke: Invoke, api: Api) -> None:
    api.denied = {"POST /api/folders"}
    error = refused(import_into(invoke, api, "--folder", "Agents"))
    assert f"POST {api.url}/api/folders: 403" in error
    assert error.endswith("(the role of the token must be Editor or Admin)")


def test_existing_dashboards_are_replaced_only_on_request(invoke: Invoke, api: Api) -> None:
    import_into(invoke, api)
    error = refused(import_into(invoke, api))
    assert "412 The dashboard has been changed by someone else (it exists already; --overwrite replaces it)" in error
    assert import_into(invoke, api, "--overwrite").returncode == 0
    assert {board["version"] for board in api.dashboards.values()} == {2}


def test_other_dashboard_with_the_same_title_is_an_error(invoke: Invoke, api: Api) -> None:
    api.dashboards["mine"] = {"title": "Agent parallelism", "folder": "", "version": 7}
    error = refused(import_into(invoke, api))
    assert "412 A dashboard with the same name in the folder already exists (the folder has another dashboard" in error
    assert set(api.dashboards) == {"mine"}
    assert import_into(invoke, api, "--folder", "Agents").returncode == 0


def test_refused_request_is_an_error(invoke: Invoke, api: Api) -> None:
    assert "400 folder title cannot be empty" in refused(import_into(invoke, api, "--folder", ""))


def test_address_that_is_not_grafana_is_an_error(invoke: Invoke, api: Api) -> None:
    error = refused(invoke("dashboards", "--url", f"{api.url}/elsewhere", "--token", TOKEN))
    assert "404 Not found (the address must be the root of a Grafana, including its sub-path)" in error
    for broken in (b"<html>Welcome</html>", b'{"status": "ok"}', b"[1]", b"\xff"):
        api.broken = broken
        assert "does not respond like Grafana" in refused(import_into(invoke, api))


def test_redirect_is_an_error_and_not_followed(invoke: Invoke, api: Api) -> None:
    with serving(moved_to=f"{api.url}/api/datasources") as old:
        error = refused(import_into(invoke, old))
    assert f"moved to {api.url}/api/datasources; pass that address" in error
    assert api.asked == []


def test_closed_port_is_an_error(invoke: Invoke) -> None:
    with serving() as gone:
        pass
    assert "Connection refused" in refused(import_into(invoke, gone))


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the Python of an environment with our wheel and the other packages of this environment."""
    folder = tmp_path_factory.mktemp("installed")
    (wheel,) = WheelBuilder(str(ROOT)).build(directory=str(folder), versions=["standard"])
    venv.create(folder / "venv", system_site_packages=False, with_pip=False, symlinks=True)
    python = folder / "venv" / "bin" / "python"
    place = subprocess.run(  # noqa: S603 - an interpreter of our own
        [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    subprocess.run([sys.executable, "-m", "zipfile", "-e", wheel, place], check=True)  # noqa: S603 - likewise
    others = [entry for entry in sys.path if entry.endswith("site-packages")]
    (Path(place) / "others.pth").write_text("\n".join(others) + "\n", encoding="utf-8")
    return python


@pytest.mark.process
def test_installed_wheel_has_the_files(shell: Shell, installed: Path) -> None:
    where = shell.finish(
        shell.start([str(installed), "-c", "import otel_parallelism; print(otel_parallelism.__file__)"])
    )
    assert Path(where.stdout.decode().strip()).is_relative_to(installed.parents[1])
    done = shell.finish(shell.start([str(installed), "-m", "otel_parallelism", "dashboards", "--out", "here"]))
    assert (done.stderr, done.returncode) == (b"", 0)
    shell("dashboards", "--out", "there")
    assert contents(shell.folder / "here") == contents(shell.folder / "there") != {}
