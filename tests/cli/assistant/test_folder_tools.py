"""What a coding agent is told about the files of a folder, and that it learns of no others."""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path

import pytest

from otel_parallelism.cli.assistant.folder_tools import FolderTools
from otel_parallelism.errors import UnreadableError

SPANS = Path(__file__).parents[2] / "fixtures" / "spans" / "mastra-native.jsonl"
SOURCE = """\
async def page(client, user):
    prices = await client.get_prices(user)
    news = await client.find_news()
    return prices, news
"""


@pytest.fixture
def served(tmp_path: Path) -> FolderTools:
    folder = tmp_path / "served"
    folder.mkdir()
    shutil.copy(SPANS, folder / "spans.jsonl")
    (folder / "page.py").write_text(SOURCE)
    (tmp_path / "other.py").write_text(SOURCE)
    return FolderTools(folder)


def test_analysis_names_the_finding_and_the_turn(served: FolderTools) -> None:
    answer = served.analyze_file("spans.jsonl")
    finding = answer["findings"][0]
    assert (finding["finding"], finding["advice"], finding["cause"]) == (1, "recommended", "model")
    assert finding["calls"] == ["get_weather", "get_stock", "get_news"]
    assert (answer["totals"]["turns"], answer["skipped"], answer["findings_left_out"]) == (3, [], 0)
    assert answer["turns"][0]["avoidable"] == pytest.approx(finding["avoidable"])


def test_files_that_cannot_be_read_are_skipped(served: FolderTools, tmp_path: Path) -> None:
    expected = served.analyze_file("spans.jsonl")
    (tmp_path / "served" / "page.py").unlink()
    (tmp_path / "served" / "empty.json").touch()
    (tmp_path / "served" / "link.py").symlink_to(tmp_path / "other.py")
    answer = served.analyze_file(".")
    assert answer["totals"] == expected["totals"]
    assert [one.partition(": ")[2].partition(";")[0] for one in answer["skipped"]] == [
        "it is empty",
        "it is outside of the served folder",
    ]


def test_number_of_a_finding_can_be_text(served: FolderTools) -> None:
    assert served.explain_finding("spans.jsonl", "1") == served.explain_finding("spans.jsonl", 1)
    for wanted in ("0", "99", "-1", "1.0", "²", ""):
        with pytest.raises(UnreadableError, match="there is no such finding"):
            served.explain_finding("spans.jsonl", wanted)


def test_pipe_is_not_waited_for(served: FolderTools, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "served" / "pipe.py")
    for ask in (served.analyze_file, served.propose_fix):
        with pytest.raises(UnreadableError, match="or a pipe; expected a file"):
            ask("pipe.py")
    assert "or a pipe" in served.lint_path("pipe.py")["skipped"][0]


def test_answer_has_only_text(served: FolderTools, tmp_path: Path) -> None:
    (tmp_path / "served" / os.fsdecode(b"bad\xff.json")).write_text("{bad")
    (tmp_path / "served" / os.fsdecode(b"bad\xff.py")).write_text(SOURCE)
    (tmp_path / "served" / os.fsdecode(b"worse\xff.py")).write_text("def (")
    for answer in (served.analyze_file("."), served.slowest_patterns("."), served.lint_path(".")):
        assert b"bad?" in json.dumps(answer, ensure_ascii=False).encode()


def test_patterns_are_those_of_the_fleet(served: FolderTools) -> None:
    answer = served.slowest_patterns("spans.jsonl", top=100)
    assert [one["calls"] for one in answer["patterns"]] == [["get_weather", "get_stock", "get_news"]]
    assert answer["top"]["lost"] == pytest.approx(answer["patterns"][0]["lost"])


def test_explanation_shows_the_timeline_and_the_remedy(served: FolderTools) -> None:
    told = served.explain_finding("spans.jsonl")
    assert told.startswith("1 turn - 1 sequential")
    assert "##" in told
    fix = re.findall(r"\[fix ([0-9a-f]{8})\]", told)
    assert f"Finding 1 [fix {fix[0]}]: get_weather -> get_stock -> get_news" in told


def test_fix_of_a_model_that_asks_one_by_one_is_prompt_text(served: FolderTools) -> None:
    proposed = served.propose_fix("spans.jsonl")
    assert "# Using tools in parallel" in proposed
    assert "get_weather" in proposed


def test_fix_of_a_model_is_a_diff_where_the_prompt_is_a_literal(served: FolderTools, tmp_path: Path) -> None:
    agent = tmp_path / "served" / "agent.py"
    agent.write_text("agent = Agent(instructions='Plan trips.')\n")
    name = served.analyze_file("spans.jsonl")["findings"][0]["id"]
    proposed = served.propose_fix("spans.jsonl", name)
    assert proposed == served.propose_fix("spans.jsonl", 1)
    assert "-agent = Agent(instructions='Plan trips.')\n+agent = Agent(instructions=(\n" in proposed
    assert agent.read_text() == "agent = Agent(instructions='Plan trips.')\n"


def test_lint_and_fix_name_the_lines_and_write_nothing(served: FolderTools, tmp_path: Path) -> None:
    (finding,) = served.lint_path(".")["findings"]
    assert (finding["kind"], finding["line"]) == ("serial_awaits", 2)
    proposed = served.propose_fix("page.py")
    assert ":2:" in proposed or "+++" in proposed
    assert (tmp_path / "served" / "page.py").read_text() == SOURCE


def test_what_is_no_python_is_named_and_the_rest_is_linted(served: FolderTools, tmp_path: Path) -> None:
    (tmp_path / "served" / "broken.py").write_text("def f(:\n")
    answer = served.lint_path(".")
    assert len(answer["findings"]) == 1
    assert "broken.py:1" in answer["skipped"][0]


@pytest.mark.parametrize(
    "path", ["../other.py", "link.py", "/etc/hostname", "a/../../other.py", "tempo://host?since=1h"]
)
def test_nothing_outside_of_the_folder_is_read(served: FolderTools, tmp_path: Path, path: str) -> None:
    (tmp_path / "served" / "link.py").symlink_to(tmp_path / "other.py")
    for ask in (served.analyze_file, served.lint_path, served.propose_fix, served.explain_finding):
        with pytest.raises(UnreadableError, match=r"outside of the served folder|does not exist"):
            ask(path)


@pytest.mark.parametrize("path", ["loop.py", "a\0b", "a" * 5_000])
def test_what_is_no_path_is_an_error(served: FolderTools, tmp_path: Path, path: str) -> None:
    (tmp_path / "served" / "loop.py").symlink_to("loop.py")
    with pytest.raises(UnreadableError, match=r"it is no path|does not exist"):
        served.analyze_file(path)


def test_a_link_in_the_folder_that_leads_outside_is_not_linted(served: FolderTools, tmp_path: Path) -> None:
    (tmp_path / "served" / "link.py").symlink_to(tmp_path / "other.py")
    answer = served.lint_path(".")
    assert [Path(one["path"]).name for one in answer["findings"]] == ["page.py"]
    assert "outside of the served folder" in answer["skipped"][0]


def test_unknown_findings_are_errors_that_name_the_known_ones(served: FolderTools) -> None:
    with pytest.raises(UnreadableError, match="a number from 1 to 1"):
        served.explain_finding("spans.jsonl", finding=2)
