"""The generated parts of README.md and the documentation are up to date, and README stays short."""

from __future__ import annotations

import re
import runpy
import shlex
from pathlib import Path
from typing import Any, get_args

import pytest

from otel_parallelism.model import Cause, Verdict

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"```bash\n(.*?)\n```", README)
DOCUMENTS = (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
RUN = "run: python tests/documents.py"


@pytest.fixture(scope="module")
def maker() -> dict[str, Any]:
    return runpy.run_path(str(ROOT / "tests" / "documents.py"))


def test_generated_parts_are_up_to_date(maker: dict[str, Any]) -> None:
    for document in DOCUMENTS:
        for name, text in maker["parts"](document.read_text(encoding="utf-8")).items():
            if not name.endswith("output"):
                assert text == maker["MAKERS"][name](), f"{document.name}, {name}; {RUN}"


@pytest.mark.process
@pytest.mark.parametrize(
    ("document", "name"),
    [("README.md", "output"), ("docs/quickstart.md", "quickstart_output"), ("docs/sessions.md", "sessions_output")],
)
def test_the_example_prints_what_the_document_shows(maker: dict[str, Any], document: str, name: str) -> None:
    shown = maker["parts"]((ROOT / document).read_text(encoding="utf-8"))[name]
    assert timeless(shown) == timeless(maker["MAKERS"][name]()), RUN


def timeless(text: str) -> list[str]:
    """Return *text* without its times and bars, and without where its lines are broken."""
    text = re.sub(r"[█▌▐░]+|\d+\.\d+", "~", text)
    return text.split()


def test_every_generated_part_has_a_place(maker: dict[str, Any]) -> None:
    placed = {name for document in DOCUMENTS for name in maker["parts"](document.read_text(encoding="utf-8"))}
    assert placed == set(maker["MAKERS"])
    assert maker["table"](["a"], [["x|y"]]) == "| a |\n| --- |\n| x&#124;y |\n"


def test_every_verdict_and_cause_is_explained() -> None:
    text = (ROOT / "docs" / "verdicts.md").read_text(encoding="utf-8")
    explained = re.findall(r"^\| `([a-z_]+)` \| .+ \| .+ \|$", text, re.MULTILINE)
    assert set(explained) == {*get_args(Verdict), *get_args(Cause)}


def test_readme_has_at_most_200_lines() -> None:
    assert len(README.splitlines()) <= 200


def test_links_between_documents_lead_somewhere() -> None:
    for document in (*DOCUMENTS, ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md"):
        text = document.read_text(encoding="utf-8")
        links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)|(?:src|srcset)=\"([^\"]+)\"", text)
        for target in (link or image for link, image in links):
            assert (document.parent / target).exists(), f"{document.name}: {target}"


def test_the_first_command_runs_the_demo_and_the_second_is_what_ci_runs() -> None:
    first, second = COMMANDS
    assert shlex.split(first)[-2:] == [".venv/bin/otel-parallelism", "demo"]
    assert second in (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
