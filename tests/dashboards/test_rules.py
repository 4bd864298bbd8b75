"""The recording and alert rules: valid for Prometheus, and firing when and only when they should."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import dashboard_queries
import pytest
import yaml
from dashboard_queries import FOLDER, RULES

if TYPE_CHECKING:
    from pathlib import Path

ALERTS = [rule for rule in dashboard_queries.rules() if "alert" in rule]


def test_prometheus_accepts_the_rules(promtool: Any) -> None:
    done = promtool("check", "rules", RULES, cwd=FOLDER)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"SUCCESS: {len(dashboard_queries.rules())} rules found" in done.stdout


def test_alerts_fire(promtool: Any) -> None:
    done = promtool("test", "rules", "alerts_test.yaml", cwd=FOLDER)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_is_tested() -> None:
    tests = yaml.safe_load((FOLDER / "alerts_test.yaml").read_text(encoding="utf-8"))["tests"]
    cases = [case for test in tests for case in test.get("alert_rule_test", ())]
    assert {case["alertname"] for case in cases if case["exp_alerts"]} == {rule["alert"] for rule in ALERTS}


@pytest.mark.parametrize(
    ("name", "right", "wrong"),
    [
        ("threshold", "> 0.25", "> 0.45"),
        ("metric", "agent_parallelism_time_lost_seconds_sum", "agent_parallelism_time_lost_sum"),
        ("verdict", 'agent_parallelism_verdict="contended"', 'agent_parallelism_verdict="contention"'),
        ("advice", '{agent_parallelism_advice="recommended"}', ""),
    ],
)
def test_wrong_rules_fail_their_test(promtool: Any, tmp_path: Path, name: str, right: str, wrong: str) -> None:
    text = (FOLDER / RULES).read_text(encoding="utf-8")
    assert right in text
    (tmp_path / RULES).write_text(text.replace(right, wrong), encoding="utf-8")
    (tmp_path / "alerts_test.yaml").write_bytes((FOLDER / "alerts_test.yaml").read_bytes())
    assert promtool("test", "rules", "alerts_test.yaml", cwd=tmp_path).returncode != 0


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
def test_alert_has_instructions(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in {"info", "warning"}
    assert set(rule["annotations"]) == {"summary", "description", "runbook", "dashboard"}
    assert re.fullmatch(r"[A-Z].{60,}\.", rule["annotations"]["runbook"])
    assert "$labels.gen_ai_agent_name" in rule["annotations"]["summary"]
