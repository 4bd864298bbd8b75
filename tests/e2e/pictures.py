"""
Makes the pictures of the documentation from real runs: ``python -m tests.e2e.pictures [FOLDER] [--minutes N]``.

The HTML report and Phoenix are screenshots. The dashboard is drawn without Grafana: its panels in its grid, with the
results of its queries from a real Prometheus that scraped the fleet.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tests.dashboard_queries import FOLDER, filled, panels

from . import browsing, drawing
from .phoenix import phoenix
from .prometheus import watching
from .servers import environment
from .test_phoenix import BELOW, run_fleet

if TYPE_CHECKING:
    from playwright.sync_api import Browser

BOARD: Final = "agent-parallelism.json"
STEP_S: Final = 5
RATE: Final = "30s"
PARTS: Final = {"dashboard-agents": (0, 39), "dashboard-causes": (39, 83)}
"""Rows of the dashboard's grid that make a picture."""


def collected(folder: Path, minutes: float) -> list[dict[str, Any]]:
    """Return the dashboard's panels with the results of their queries."""
    with watching(folder, round(minutes * 60), scrape_s=2, rules=False) as watched:
        end = watched.prometheus.at
        start = end - watched.window_ms / 1000 + 30  # the shortest range of a rate
        found = []
        for panel in panels(BOARD):
            answers = []
            for target in panel.get("targets") or ():
                expression = filled(target["expr"], __rate_interval=RATE, __range=watched.window)
                if target.get("instant"):
                    series = [
                        (sample.labels, [(end, sample.value)]) for sample in watched.prometheus.instant(expression)
                    ]
                else:
                    series = watched.prometheus.range(expression, start, end, STEP_S)
                answers += [
                    {"ref_id": target["refId"], "labels": labels, "name": named(target, labels), "values": values}
                    for labels, values in series
                ]
            found.append({"panel": panel, "answers": answers})
    return found


def named(target: dict[str, Any], labels: dict[str, str]) -> str:
    """Return the series' name in the legend's format."""
    return re.sub(r"\{\{(\w+)\}\}", lambda label: labels.get(label[1], ""), target.get("legendFormat") or "")


def draw_dashboard(browser: Browser, found: list[dict[str, Any]], out: Path) -> None:
    page = browser.new_page(viewport={"width": drawing.WIDTH, "height": 900})
    for name, (first, last) in PARTS.items():
        page.set_content(drawing.document(found, first, last))
        page.locator("main").screenshot(path=out / f"{name}.png")
    page.close()


def shoot_report(browser: Browser, folder: Path, out: Path) -> None:
    """Take pictures of the HTML report of two turns of each agent, light and dark."""
    path = folder / "fleet.html"
    subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", "otel_parallelism", "demo", "--fleet", "--html", str(path)],
        env=environment(),
        check=True,
        stdout=subprocess.DEVNULL,
    )
    for scheme in ("light", "dark"):
        page = browser.new_page(viewport={"width": 1280, "height": 860}, color_scheme=scheme)
        page.goto(f"{path.as_uri()}#turn-2")
        page.locator("svg.timeline").wait_for()
        page.screenshot(path=out / f"report-{scheme}.png")
        page.close()


def shoot_phoenix(browser: Browser, folder: Path, out: Path) -> None:
    """Take a picture of a turn's attributes in Phoenix, found by the filter."""
    with phoenix(folder) as server:
        run_fleet(server, folder)
        page = browser.new_page(viewport={"width": 1440, "height": 860})
        page.goto(server.project())
        page.get_by_role("link", name="invoke_agent").nth(5).wait_for()
        page.locator(".cm-content").click()
        page.keyboard.press("Control+A")
        page.keyboard.insert_text(BELOW)
        page.keyboard.press("Escape")
        page.keyboard.press("Enter")
        page.get_by_role("link", name="parallel-planner").wait_for(state="detached")
        page.get_by_role("link", name="invoke_agent dispatch-serial").click()
        page.get_by_text("agent.parallelism.verdict").wait_for()
        page.mouse.move(5, 5)
        time.sleep(1)  # for the tooltip to close and the pane to move into place
        page.screenshot(path=out / "phoenix-turn.png")
        page.close()


def main() -> None:
    """Make all pictures, or the named ones."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("out", nargs="?", type=Path, default=FOLDER / "pictures")
    parser.add_argument("--minutes", type=float, default=6, help="how long Prometheus watches the fleet")
    parser.add_argument("--only", choices=["report", "phoenix", "dashboard"], action="append")
    parser.add_argument("--data", type=Path, help="keep what the dashboard's queries return here, and draw it again")
    options = parser.parse_args()
    wanted = set(options.only or ["report", "phoenix", "dashboard"])
    options.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        found = []
        if "dashboard" in wanted:
            if options.data and options.data.exists():
                found = json.loads(options.data.read_text(encoding="utf-8"))
            else:
                found = collected(folder, options.minutes)
            if options.data:
                options.data.write_text(json.dumps(found), encoding="utf-8")
        with browsing.browser() as browser:
            if found:
                draw_dashboard(browser, found, options.out)
            if "report" in wanted:
                shoot_report(browser, folder, options.out)
            if "phoenix" in wanted:
                shoot_phoenix(browser, folder, options.out)


if __name__ == "__main__":
    main()
