"""``sessions`` on homes with generated transcripts, and on an empty one."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from readers.sessions.test_native_telemetry import SESSION, written
from readers.sessions.written_sessions import START, WRITERS, Ask, Plan, Round, Session, lines

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Completed, Invoke

NO_PLACES = ("CLAUDE_CONFIG_DIR", "CODEX_HOME", "GEMINI_CLI_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME")
PLAN = Plan(
    "Why does the secret launch fail?",
    [Round(3, [Ask("read", f"/srv/shop/{name}.py", "plain text")]) for name in ("billing", "orders", "basket")]
    + [Round(3, [Ask("command", f"make {target}", "built")]) for target in ("all", "install")],
)


@pytest.fixture(autouse=True)
def home(invoke: Invoke, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in NO_PLACES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(invoke.folder))
    monkeypatch.setenv("USERPROFILE", str(invoke.folder))
    return invoke.folder


def text(done: Completed) -> str:
    assert (done.stderr, done.returncode) == (b"", 0)
    return " ".join(done.stdout.decode().split())


def test_an_empty_machine_is_told_where_it_was_looked_for(invoke: Invoke, home: Path) -> None:
    shown = text(invoke("sessions", COLUMNS="200"))
    assert shown.startswith("No turn of a coding agent with a response was found. Looked in ")
    for folder in (".claude/projects", ".codex/sessions", ".gemini/tmp", ".local/share/opencode"):
        assert f"{home / folder} (no such folder)" in shown


def test_what_was_asked_for_one_at_a_time_and_the_lines_that_help(invoke: Invoke, home: Path) -> None:
    for form in ("claude-code 2.1", "opencode 1.2"):
        WRITERS[form](home, Session([PLAN, PLAN]))
    shown = text(invoke("sessions"))
    assert shown.startswith(
        "4 turns of 2 sessions · 20 calls · 32.00 s lost and 8 model requests with 8,000 input tokens"
    )
    assert "20 of 20 responses with calls asked for one call only." in shown
    assert "Read → Read · 2 turns · 16.00 s · `model`" in shown
    assert "When you know that you need several `Read` calls, ask for all of them in one response" in shown
    assert "Bash (4 unknown)" in shown


def test_no_content_is_shown(invoke: Invoke, home: Path) -> None:
    WRITERS["codex 0.130"](home, Session([PLAN]))
    for form in ("text", "json"):
        shown = text(invoke("sessions", "--format", form))
        assert not [word for word in ("secret", "billing", "plain text", "install") if word in shown]


def test_json_has_the_sums_and_what_was_left_out(invoke: Invoke, home: Path) -> None:
    path = WRITERS["claude-code 1.0"](home, Session([PLAN]))
    path.write_text(
        path.read_text() + lines([{"type": "brand-new"}, {"type": "user", "timestamp": "soon"}]) + "broken\n"
    )
    document = json.loads(invoke("sessions", "--format", "json").stdout)
    assert (document["turns"], document["lost"], document["steps"]) == (1, 8.0, 2)
    assert (document["broken"], document["untimed"], document["unknown"]) == (1, 1, {"claude-code: brand-new": 1})
    assert document["lines"][0]["lost"] == 8.0
    assert "Not read: 1 broken line. Not read: 1 record without a time. Not read: 1 record of unknown kinds" in text(
        invoke("sessions")
    )


def test_turns_are_chosen_by_agent_time_and_project(invoke: Invoke, home: Path) -> None:
    WRITERS["claude-code 2.1"](home, Session([PLAN, PLAN]))
    WRITERS["gemini-cli 0.40"](home, Session([PLAN], project="/srv/other"))

    def turns(*options: str) -> int:
        found = json.loads(invoke("sessions", "--format", "json", *options).stdout)["turns"]
        assert isinstance(found, int)
        return found

    assert (turns(), turns("--agent", "claude-code"), turns("--agent", "codex")) == (3, 2, 0)
    assert (turns("--project", "shop"), turns("--project", "/srv/other"), turns("--project", "o*")) == (2, 1, 1)
    later = (START + timedelta(minutes=30)).isoformat()
    assert turns("--since", later) == 1
    assert turns("--since", datetime(2100, 1, 1, tzinfo=UTC).isoformat()) == 0


def test_telemetry_of_agents_is_read_and_a_session_is_counted_once(invoke: Invoke, home: Path) -> None:
    logs = written(home / "logs.jsonl", "codex")
    options = ("--spans", str(logs))
    shown = text(invoke("sessions", *options))
    assert shown.startswith(
        "2 turns of 1 session · 6 calls · 16.00 s lost and 4 model requests with 4,000 input tokens"
    )
    assert f"telemetry: {logs} (1 file)" in shown
    for more, turns in ((("--agent", "gemini-cli"), 0), (("--since", "2027-01-01"), 0), (("--project", "shop"), 0)):
        assert json.loads(invoke("sessions", *options, *more, "--format", "json").stdout)["turns"] == turns
    path = WRITERS["codex 0.130"](home, Session([PLAN]))
    path.rename(path.with_name(f"rollout-2026-11-02T09-00-00-{SESSION}.jsonl"))
    assert text(invoke("sessions", *options)).startswith("1 turn of 1 session")
    done = invoke("sessions", "--spans", "missing.jsonl")
    assert (done.returncode, b"missing.jsonl: " in done.stderr) == (2, True)


def test_the_file_into_which_gemini_cli_writes_is_found(invoke: Invoke, home: Path) -> None:
    (home / ".gemini").mkdir()
    (home / ".gemini" / "settings.json").write_text(json.dumps({"telemetry": {"outfile": str(home / "told.log")}}))
    assert "told.log" not in text(invoke("sessions"))
    written(home / "told.log", "gemini-cli")
    assert text(invoke("sessions")).startswith("2 turns of 1 session · 6 calls")
    assert text(invoke("sessions", "--agent", "codex")).startswith("No turn")
    moved = written(home / "moved.log", "gemini-cli", turns=1)
    (home / "told.log").write_text("broken")
    shown = text(invoke("sessions", GEMINI_TELEMETRY_OUTFILE=str(moved)))
    assert shown.startswith("1 turn of 1 session")
    assert "told.log" in shown


def test_an_environment_variable_moves_a_folder(invoke: Invoke, home: Path) -> None:
    WRITERS["claude-code 2.1"](home / "elsewhere", Session([PLAN]))
    moved = {"CLAUDE_CONFIG_DIR": str(home / "elsewhere" / ".claude")}
    assert text(invoke("sessions", **moved)).startswith("1 turn of 1 session")


def test_an_unreadable_file_of_spans_costs_nothing_else(invoke: Invoke, home: Path) -> None:
    WRITERS["claude-code 2.1"](home, Session([PLAN]))
    expected = invoke("sessions", "--format", "json")
    done = invoke("sessions", "--spans", "absent.json", "--format", "json")
    assert (done.returncode, expected.returncode) == (2, 0)
    assert done.stderr.decode().startswith("absent.json: there is no such file; expected ")
    found = json.loads(done.stdout)
    assert found["turns"] == json.loads(expected.stdout)["turns"]
    assert found["unreadable"] == ["absent.json: there is no such file; expected a file of spans"]
