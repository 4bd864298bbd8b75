"""
A generated month of a fleet: 100,000 turns of twelve agents; in three agents a fault begins on some day.

``python -m tests.bench.fleet_month [TURNS] [SEED]`` writes the month to a temporary folder as OTLP JSON, each trace to
a random file, and runs ``fleet`` and ``compare`` on it. It prints their reports, the time they took and their largest
memory. It fails if the three faults are not the first three patterns, or if a day is not found.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.fleet.month import FAULTS, beginnings, lines, month

TURNS = 100_000
ENVIRONMENT = {"COLUMNS": "100", "PYTHONIOENCODING": "utf-8"}


def main(turns: int, seed: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write(folder, turns, seed)
        fleet = folder / "fleet.json"
        run(folder, "fleet", "traces", "--by", "agent", "--top", "3", "-o", fleet.name, "--format", "text")
        comparison = folder / "compare.json"
        run(folder, "compare", "traces", "-o", comparison.name, "--format", "text")
        patterns = json.loads(fleet.read_text(encoding="utf-8"))["patterns"]
        assert [one["agent"] for one in patterns[:3]] == [f"agent-{number:02}" for number in FAULTS], patterns
        dated = json.loads(comparison.read_text(encoding="utf-8"))["dated"]
        found = [(one["onset"]["change"], one["onset"]["day"], one["onset"]["latest"]) for one in dated]
        assert found == [("began", day, day) for day in beginnings()], found


def write(folder: Path, turns: int, seed: int) -> None:
    """Write the month in eight files; each trace goes to a random one."""
    (folder / "traces").mkdir()
    draw = random.Random(seed)  # noqa: S311 - a sample, no secret
    files = [(folder / "traces" / f"part-{number}.jsonl").open("w", encoding="utf-8") for number in range(8)]
    for line in lines(month(turns, seed)):
        draw.choice(files).write(line + "\n")
    for file in files:
        file.close()


def run(folder: Path, *arguments: str) -> None:
    """Run the command; print what it prints, its time, and its largest memory."""
    print(f"$ otel-parallelism {' '.join(arguments)}", flush=True)
    began = time.perf_counter()
    process = subprocess.Popen(  # noqa: S603 - our own command
        [sys.executable, "-m", "otel_parallelism", *arguments], cwd=folder, env={**os.environ, **ENVIRONMENT}
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    took = time.perf_counter() - began
    print(f"({took:.0f} s, {usage.ru_utime:.0f} s of a processor, {usage.ru_maxrss / 1024:.0f} MB)\n", flush=True)
    assert process.returncode == 0


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else TURNS, int(sys.argv[2]) if len(sys.argv) > 2 else 1)
