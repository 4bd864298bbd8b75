"""
Generates parts of README.md and ``docs/``: tables of names, settings and frameworks, ``--help`` texts, the example.

``python tests/documents.py`` writes them between their markers. A test fails if one is out of date.
"""

from __future__ import annotations

import inspect
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click
import msgspec
from readers.sessions.written_sessions import PROJECT, WRITERS, Ask, Plan, Round, Session

from otel_parallelism import names
from otel_parallelism.cli import commands
from otel_parallelism.instrumentation.catalogue import FRAMEWORKS
from otel_parallelism.reports.fleet_json import fleet_schemas
from otel_parallelism.reports.json import json_schema
from otel_parallelism.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

ROOT = Path(__file__).parent.parent
DOCUMENTS = (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
SCHEMA = ROOT / "docs" / "report.schema.json"
EXAMPLE = "examples/trip.py"
MARKED = re.compile(r"(<!-- made: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [headings, ["---"] * len(headings), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |\n" for cells in lines)


def attributes(listed: Sequence[names.Attribute]) -> str:
    headings = ("attribute", "type", "unit", "meaning")
    return table(headings, ((f"`{each.key}`", each.type, each.unit, each.meaning) for each in listed))


def metrics() -> str:
    headings = ("metric", "kind", "unit", "attributes", "meaning")
    return table(
        headings,
        (
            (f"`{each.name}`", each.kind, each.unit, ", ".join(f"`{key}`" for key in each.attributes), each.meaning)
            for each in names.METRICS
        ),
    )


def frameworks() -> str:
    """Return the frameworks that are patched."""
    return table(
        ("framework", "versions", "spans of its own", "to know"),
        (
            (f"{each.distribution} (`{each.name}`)", f"`{each.versions}`", ", ".join(each.native), each.lacks)
            for each in FRAMEWORKS
        ),
    )


def variables() -> str:
    """Return the environment variables: one a setting, with its default, then those of others that are honoured."""
    text = inspect.cleandoc(Settings.__doc__ or "").partition("Attributes:\n")[2]
    meanings = dict(re.findall(r"^ {4}(\w+): (.+(?:\n {8}.+)*)", text, re.MULTILINE))
    rows = []
    for field in msgspec.structs.fields(Settings):
        variable = names.ENVIRONMENT_PREFIX + field.name.upper()
        if field.name == "capture_content":
            variable = names.CAPTURE_CONTENT
        meaning = " ".join(meanings[field.name].replace("``", "`").split())
        rows.append((f"`{variable}`", shown(field.default), meaning))
    return table(("variable", "default", "meaning"), rows)


def shown(default: object) -> str:
    """Return a default as it is written in the environment."""
    if isinstance(default, tuple):
        return ", ".join(f"`{item}`" for item in default)
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"


def example() -> str:
    return f"```python\n{(ROOT / EXAMPLE).read_text(encoding='utf-8')}```\n"


def output(folder: str = "", example: str = EXAMPLE) -> str:
    """Run *example* in *folder* and return the command with what it prints."""
    environment = {name: text for name, text in os.environ.items() if not name.startswith("OTEL_")}
    done = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", "otel_parallelism", "run", example],
        cwd=ROOT / folder,
        env={**environment, "COLUMNS": "100", "PYTHONIOENCODING": "utf-8"},
        stdout=subprocess.PIPE,
        check=True,
        timeout=60,
    )
    return f"```\n$ otel-parallelism run {example}\n{done.stdout.decode()}```\n"


def sessions() -> str:
    """Return what the command `sessions` prints of generated sessions: reads and searches one by one, then an edit."""
    look = [Round(4, [Ask("read", f"{PROJECT}/{name}.py", "plain text", 2)]) for name in ("bills", "orders", "basket")]
    search = [Round(3, [Ask("search", name, f"bills.py:12: {name}()", 1)]) for name in ("refund", "voucher")]
    edit, make = Ask("edit", f"{PROJECT}/bills.py", "changed", 1), Ask("command", "make", "built", 9)
    plans = [
        Plan("Add vouchers.", [*look, Round(5, [edit]), Round(3, [make])], 30_000, 24_000),
        Plan("Where are the refund and the voucher made?", search, 30_000, 24_000),
    ]
    environment = {name: text for name, text in os.environ.items() if name in {"PATH", "PYTHONPATH", "SYSTEMROOT"}}
    with TemporaryDirectory() as home:
        WRITERS["claude-code 2.1"](Path(home), Session(plans * 4))
        done = subprocess.run(
            [sys.executable, "-m", "otel_parallelism", "sessions"],
            cwd=home,
            env={**environment, "HOME": home, "USERPROFILE": home, "COLUMNS": "120", "PYTHONIOENCODING": "utf-8"},
            stdout=subprocess.PIPE,
            check=True,
            timeout=60,
        )
    return f"```text\n{done.stdout.decode().replace(home, '~')}```\n"


def cli() -> str:
    """Return the ``--help`` text of each command."""
    parent = click.Context(commands, info_name="otel-parallelism", terminal_width=100, **commands.context_settings)
    sections = []
    for name, command in sorted(commands.commands.items()):
        with click.Context(command, parent, info_name=name) as context:
            sections.append(f"## {name}\n\n```text\n{command.get_help(context)}\n```\n")
    return "\n".join(sections)


MAKERS = {
    "cli": cli,
    "turn_attributes": lambda: attributes(names.TURN_ATTRIBUTES),
    "finding_attributes": lambda: attributes(names.FINDING_ATTRIBUTES),
    "call_attributes": lambda: attributes(names.CALL_ATTRIBUTES),
    "step_attributes": lambda: attributes(names.STEP_ATTRIBUTES),
    "frameworks": frameworks,
    "metrics": metrics,
    "variables": variables,
    "example": example,
    "output": output,
    "sessions_output": sessions,
    "quickstart_output": lambda: output("examples", "trip.py"),
}


def parts(text: str) -> dict[str, str]:
    """Return what stands between the markers of *text*, by name."""
    return {found[2]: found[0].removeprefix(found[1]).removesuffix(found[3]) for found in MARKED.finditer(text)}


def written(text: str) -> str:
    """Return *text* with every marked part made anew."""
    return MARKED.sub(lambda found: found[1] + MAKERS[found[2]]() + found[3], text)


if __name__ == "__main__":
    SCHEMA.write_text(json.dumps(json_schema(), indent=2) + "\n", encoding="utf-8")
    for name, schema in fleet_schemas().items():
        (SCHEMA.parent / name).write_text(json.dumps(schema, indent=2) + "\n", encoding="utf-8")
    for document in DOCUMENTS:
        document.write_text(written(document.read_text(encoding="utf-8")), encoding="utf-8")
