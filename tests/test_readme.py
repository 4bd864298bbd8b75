"""README says what is so: its tables, its example's output, its commands and its words are checked here."""

from __future__ import annotations

import re
import runpy
import shlex
from pathlib import Path
from typing import Any, get_args

import click
import pytest

from otel_parallelism.cli import main
from otel_parallelism.model import Cause, Verdict

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"```bash\n(.*?)\n```", TEXT)


@pytest.fixture(scope="module")
def maker() -> dict[str, Any]:
    return runpy.run_path(str(ROOT / "tests" / "readme.py"))


@pytest.mark.parametrize(
    "part",
    [
        "turn_attributes",
        "finding_attributes",
        "call_attributes",
        "step_attributes",
        "frameworks",
        "metrics",
        "variables",
        "example",
    ],
)
def test_what_is_made_is_up_to_date(maker: dict[str, Any], part: str) -> None:
    assert maker["parts"](TEXT)[part] == maker["MAKERS"][part](), "run: python tests/readme.py"


def test_the_examples_output_is_what_it_prints_up_to_its_times(maker: dict[str, Any]) -> None:
    assert timeless(maker["parts"](TEXT)["output"]) == timeless(maker["output"]()), "run: python tests/readme.py"


def timeless(text: str) -> list[str]:
    """Return *text* without its times and bars, and without where its lines are broken."""
    text = re.sub(r"[█▌▐░]+|\d+\.\d+", "~", text)
    return text.split()


def test_every_part_that_is_made_stands_in_the_readme(maker: dict[str, Any]) -> None:
    assert sorted(maker["parts"](TEXT)) == sorted(maker["MAKERS"])
    assert maker["table"](["a"], [["x|y"]]) == "| a |\n| --- |\n| x&#124;y |\n"


def test_every_verdict_and_cause_is_explained() -> None:
    explained = re.findall(r"^\| `([a-z_]+)` \| .+ \| .+ \|$", TEXT, re.MULTILINE)
    assert set(explained) == {*get_args(Verdict), *get_args(Cause)}


def test_the_first_command_runs_the_demo_and_the_second_is_what_ci_runs() -> None:
    first, second = COMMANDS
    assert shlex.split(first)[-2:] == [".venv/bin/otel-parallelism", "demo"]
    assert second in (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()


def test_every_option_of_the_reports_is_named() -> None:
    [commands] = [value for value in main.__globals__.values() if isinstance(value, click.Group)]
    for name in ("run", "analyze"):
        options = [option.opts[0] for option in commands.commands[name].params if isinstance(option, click.Option)]
        assert [option for option in options if option not in TEXT] == []
