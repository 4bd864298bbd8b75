"""``lint`` with real files: which it reads, the forms of its report, and its exit status."""

from __future__ import annotations

import io
import json
import os
import sys
from typing import TYPE_CHECKING, Any

import pytest
from sarif_schema import check_sarif

if TYPE_CHECKING:
    from tests.cli.conftest import Invoke

SLOW = """
import time

async def poll():
    time.sleep(1)
"""
SERIAL = """
async def page(client, user):
    prices = await client.get_prices(user)
    news = await client.find_news()
    return prices, news
"""
POLL = "time.sleep blocks the event loop in async poll: await asyncio.sleep."


@pytest.fixture
def project(invoke: Invoke) -> Invoke:
    invoke.write("pyproject.toml", "[project]\nname = 'shop'\n")
    invoke.write("shop/poll.py", SLOW)
    invoke.write("shop/inner/page.py", SERIAL)
    invoke.write("shop/plain.py", "x = 1\n")
    invoke.write("shop/.hidden/poll.py", SLOW)
    invoke.write("shop/env/pyvenv.cfg", "")
    invoke.write("shop/env/poll.py", SLOW)
    invoke.write("shop/notes.txt", "time.sleep(1)")
    return invoke


def places(output: bytes) -> list[tuple[str, int, str]]:
    return [(one["path"], one["line"], one["kind"]) for one in json.loads(output)["findings"]]


def test_folder_is_searched_for_python_files(project: Invoke) -> None:
    done = project("lint", "shop")
    assert done.returncode == 1
    lines = done.stdout.decode().splitlines()
    assert lines[0].startswith("shop/poll.py:4: blocking_call: " + POLL)
    assert lines[1].startswith("shop/inner/page.py:2: serial_awaits: get_prices and find_news are awaited one after")
    assert lines[2:] == ["2 findings in 2 of 3 files"]
    assert done.stderr == b""


def test_only_files_are_read_in_a_folder(project: Invoke) -> None:
    folder = project.folder / "shop"
    os.mkfifo(folder / "pipe.py")
    os.mkfifo(folder / "__init__.py")
    (folder / "folder.py").mkdir()
    (folder / "loop.py").symlink_to("loop.py")
    (folder / ".#poll.py").symlink_to("user@host.1234:5678")
    done = project("lint", "shop")
    assert (done.returncode, done.stderr) == (1, b"")
    assert done.stdout.endswith(b"2 findings in 2 of 3 files\n")


def test_an_empty_name_is_not_the_working_folder(project: Invoke) -> None:
    done = project("lint", "")
    assert done.returncode == 2
    assert done.stderr == b"'': the name is empty; expected a file that can be read\n"


def test_json_has_the_documented_keys(project: Invoke) -> None:
    done = project("lint", "shop/poll.py", "--format", "json")
    found = {
        "path": "shop/poll.py",
        "line": 4,
        "end_line": 4,
        "kind": "blocking_call",
        "message": POLL,
        "fixable": False,
    }
    assert json.loads(done.stdout) == {"findings": [found], "files": 1, "ignored": 0}


def test_nothing_found_ends_with_status_0(project: Invoke) -> None:
    done = project("lint", "shop/plain.py")
    assert (done.returncode, done.stdout) == (0, b"0 findings in 0 of 1 file\n")


def test_pattern_and_exclusions_choose_files(project: Invoke) -> None:
    assert places(project("lint", "shop/**/p*.py", "--format", "json").stdout) == [
        ("shop/env/poll.py", 4, "blocking_call"),
        ("shop/inner/page.py", 2, "serial_awaits"),
        ("shop/poll.py", 4, "blocking_call"),
    ]
    assert places(project("lint", "shop", "--exclude", "inner", "--format", "json").stdout) == [
        ("shop/poll.py", 4, "blocking_call")
    ]
    assert places(project("lint", "shop", "--exclude", "shop/p*.py", "--format", "json").stdout) == [
        ("shop/inner/page.py", 2, "serial_awaits")
    ]
    assert places(project("lint", "shop", "--kind", "serial_awaits", "--format", "json").stdout) == [
        ("shop/inner/page.py", 2, "serial_awaits")
    ]


def test_settings_of_the_project_are_used(project: Invoke) -> None:
    project.write(
        "pyproject.toml", '[tool.otel-parallelism]\nlint-exclude = ["inner"]\nlint-kinds = ["serial_awaits"]\n'
    )
    assert project("lint", "shop").returncode == 0
    assert project("lint", "shop/inner").returncode == 1
    project.write("pyproject.toml", '[tool.otel-parallelism]\nlint-kinds = ["serial"]\n')
    done = project("lint", "shop")
    assert done.returncode == 2
    assert b"lint_kinds: 'serial': expected serial_awaits or await_in_loop or blocking_call" in done.stderr
    project.write("pyproject.toml", '[tool.otel-parallelism]\nlint-exclude = "inner"\n')
    done = project("lint", "shop")
    assert done.returncode == 2
    assert b"lint-exclude = 'inner': expected a list of strings" in done.stderr


def test_bad_input_is_named_and_the_rest_is_linted(project: Invoke) -> None:
    project.write("shop/broken.py", "x = 1\nasync def f(:\n    pass\n")
    (project.folder / "shop" / "latin.py").write_bytes(b"x = 1\ny = '\xff'\n")
    done = project("lint", "shop", "missing.py", "none*.py", "--format", "json")
    assert done.returncode == 2
    assert len(places(done.stdout)) == 2
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    assert done.stderr.decode().splitlines() == [
        f"shop/broken.py:2: invalid syntax; expected Python {version} source",
        "shop/latin.py:2: it is not valid utf-8; expected Python source in UTF-8",
        "missing.py: No such file or directory; expected a file that can be read",
        "none*.py: No such file or directory; expected a file that can be read",
    ]


def test_standard_input_is_read(project: Invoke, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(SLOW.encode())))
    assert places(project("lint", "-", "--format", "json").stdout) == [("-", 5, "blocking_call")]


def test_report_is_written_to_a_file(project: Invoke) -> None:
    done = project("lint", "shop/poll.py", "--format", "json", "-o", "report.json")
    assert (done.returncode, done.stdout, done.stderr) == (1, b"", b"report written to report.json\n")
    assert places((project.folder / "report.json").read_bytes()) == [("shop/poll.py", 4, "blocking_call")]
    done = project("lint", "shop/poll.py", "-o", "missing/report.json")
    assert (done.returncode, done.stderr) == (2, b"missing/report.json: No such file or directory\n")


def test_annotations_of_github(project: Invoke) -> None:
    done = project("lint", "shop/poll.py", "--format", "github")
    assert done.stdout.decode() == (
        f"::warning file=shop/poll.py,line=4,endLine=4,title=otel-parallelism blocking_call::{POLL}\n"
    )


def test_sarif_has_what_its_schema_requires(project: Invoke) -> None:
    project.write("shop/a b.py", SLOW)
    log = json.loads(project("lint", "shop/a b.py", "--format", "sarif").stdout)
    check_sarif(log)
    (run,) = log["runs"]
    driver = run["tool"]["driver"]
    assert driver["name"] == "otel-parallelism"
    rules = [rule["id"] for rule in driver["rules"]]
    assert rules == ["serial_awaits", "await_in_loop", "blocking_call"]
    assert all(rule["shortDescription"]["text"] for rule in driver["rules"])
    (result,) = run["results"]
    assert rules[result["ruleIndex"]] == result["ruleId"] == "blocking_call"
    assert (result["level"], result["message"]) == ("warning", {"text": POLL})
    assert result["locations"] == [
        {
            "physicalLocation": {
                "artifactLocation": {"uri": "shop/a%20b.py"},
                "region": {"startLine": 4, "endLine": 4},
            }
        }
    ]


KNOWN = """\
# a comment
async def get_prices(user):
    return await http("prices", user)


async def page(user):
    prices = await get_prices(user)  # now
    before = await get_prices("all")
    return prices, before
"""
DIFF = """\
--- known.py
+++ known.py
@@ -1,9 +1,14 @@
 # a comment
+import asyncio
+
+
 async def get_prices(user):
     return await http("prices", user)


 async def page(user):
-    prices = await get_prices(user)  # now
-    before = await get_prices("all")
+    prices, before = await asyncio.gather(
+        get_prices(user),  # now
+        get_prices("all"),
+    )
     return prices, before
"""


def test_diff_shows_what_fix_changes_and_writes_nothing(project: Invoke) -> None:
    path = project.write("known.py", KNOWN)
    assert b"1 finding in 1 of 1 file; --fix rewrites 1\n" in project("lint", "known.py").stdout
    done = project("lint", "known.py", "shop", "--diff")
    assert done.returncode == 1
    assert [line.rstrip() for line in done.stdout.decode().splitlines()] == DIFF.splitlines()
    assert path.read_text() == KNOWN


def test_fix_rewrites_files_and_reports_on_the_rest(project: Invoke) -> None:
    path = project.write("known.py", KNOWN)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    done = project("lint", "known.py", "--fix")
    assert (done.returncode, done.stdout) == (0, b"0 findings in 0 of 1 file\n")
    assert done.stderr == b"known.py: 1 rewritten\n"
    written = path.read_bytes()
    assert written.startswith(b"\xef\xbb\xbf# a comment\r\nimport asyncio\r\n")
    assert written.count(b"\n") == written.count(b"\r\n")
    assert b"asyncio.gather(\r\n        get_prices(user),  # now\r\n" in written
    done = project("lint", "known.py", "shop", "--fix")
    assert done.returncode == 1
    assert done.stderr == b""
    assert path.read_bytes() == written


def test_fix_goes_with_files_only(project: Invoke) -> None:
    for other in ("-", "--diff"):
        done = project("lint", "shop", "--fix", other)
        assert done.returncode == 2
        assert b"--fix rewrites files" in done.stderr


def test_measured_seconds_rank_the_findings(project: Invoke) -> None:
    def found(path: str | None, line: int, avoidable: float) -> dict[str, object]:
        location = None if path is None else {"file_path": path, "line_number": line}
        return {"kind": "recommended", "avoidable": avoidable, "location": location}

    faults = [found("/srv/shop/inner/page.py", 3, 1.25), found("/srv/other.py", 2, 9), found(None, 0, 9)]
    project.write("report.json", json.dumps({"schema_version": 1, "findings": faults}))
    again = [found("/srv/shop/inner/page.py", 2, 0.25), found("/srv/shop/inner/page.py", 4, 5)]
    project.write("again.json", json.dumps({"findings": again}))
    done = project("lint", "shop", "--profile", "report.json", "--profile", "again.json")
    lines = done.stdout.decode().splitlines()
    assert [line.partition(": ")[0] for line in lines[:2]] == ["shop/inner/page.py:2", "shop/poll.py:4"]
    assert lines[0].endswith("[1.5 s]")
    done = project("lint", "shop", "--profile", "report.json", "--format", "json")
    assert [one["measured_s"] for one in json.loads(done.stdout)["findings"]] == [1.25, 0.0]
    project.write("newer.json", json.dumps({"schema_version": 2, "findings": faults}))
    assert b"newer.json: its schema_version is 2" in project("lint", "shop", "--profile", "newer.json").stderr
    project.write("report.json", '{"turns": 1}')
    for name in ("report.json", "missing.json"):
        done = project("lint", "shop", "--profile", name)
        assert done.returncode == 2
        assert done.stderr.decode().startswith(f"{name}: ")
        assert done.stderr.decode().endswith("; expected a report of analyze --format json\n")


def test_name_that_is_not_text_is_in_json(project: Invoke) -> None:
    name = os.fsdecode(b"bad\xff.py")
    (project.folder / name).write_bytes((project.folder / "shop" / "inner" / "page.py").read_bytes())
    done = project("lint", name, "--format", "json")
    assert done.returncode == 1, done.stderr
    assert {one["path"] for one in json.loads(done.stdout)["findings"]} == {"bad?.py"}


def test_report_of_analyze_is_a_profile(project: Invoke) -> None:
    attributes = {"gen_ai.operation.name": "invoke_agent"}
    spans = [span("1", "", (0, 2), attributes)]
    for at, line in enumerate((2, 3)):
        call = {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": "get_prices" if at == 0 else "find_news",
            "agent.parallelism.effect": "read",
            "agent.parallelism.caller.file_path": "/srv/shop/inner/page.py",
            "agent.parallelism.caller.line_number": line,
        }
        spans.append(span(str(2 + at), "1", (at, at + 1), call))
    project.write("spans.jsonl", json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]}))
    assert project("analyze", "spans.jsonl", "--source", "shop", "--format", "json", "-o", "r.json").returncode == 0
    done = project("lint", "shop", "--profile", "r.json", "--format", "json")
    assert [(one["line"], one["measured_s"]) for one in json.loads(done.stdout)["findings"]] == [(2, 1.0), (4, 0.0)]


def span(number: str, parent: str, times_s: tuple[int, int], attributes: dict[str, Any]) -> dict[str, Any]:
    pairs = [
        {"key": key, "value": {"intValue": str(value)} if isinstance(value, int) else {"stringValue": value}}
        for key, value in attributes.items()
    ]
    return {
        "traceId": "1" * 32,
        "spanId": number * 16,
        "parentSpanId": parent * 16,
        "name": attributes["gen_ai.operation.name"],
        "startTimeUnixNano": str(10**18 + times_s[0] * 10**9),
        "endTimeUnixNano": str(10**18 + times_s[1] * 10**9),
        "attributes": pairs,
    }


@pytest.mark.parametrize(("other", "rewritten"), [("from twisted.internet import defer\n", 0), ("import json\n", 1)])
def test_package_with_another_event_loop_is_not_rewritten(invoke: Invoke, other: str, rewritten: int) -> None:
    invoke.write("shop/__init__.py", "")
    invoke.write("shop/inner/__init__.py", "")
    invoke.write("shop/loop.py", other)
    page = invoke.write(
        "shop/inner/page.py",
        """
        async def get_prices(user):
            return await request("prices", user)

        async def page(user):
            first = await get_prices(user)
            second = await get_prices("all")
            return first, second
        """,
    )
    done = invoke("lint", "shop", "--format", "json")
    assert [one["fixable"] for one in json.loads(done.stdout)["findings"]] == [bool(rewritten)]
    assert invoke("lint", "shop", "--fix").returncode == (0 if rewritten else 1)
    assert page.read_text(encoding="utf-8").count("gather") == rewritten
