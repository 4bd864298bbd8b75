"""README's first command, in a fresh copy of the repository: it installs the package and runs the main job."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
TIMEOUT_S = 300


def test_the_first_command_installs_and_runs_the_demo(tmp_path: Path) -> None:
    command = re.findall(r"```bash\n(.*?)\n```", (ROOT / "README.md").read_text(encoding="utf-8"))[0]
    for name in ("otel_parallelism", "dashboards"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tmp_path)
    done = subprocess.run(  # noqa: S603 - README's own command
        ["bash", "-c", command],  # noqa: S607 - the reader's shell
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    ratios = [float(ratio) for ratio in re.findall(r"ratio (\d+\.\d+)", done.stdout)]
    assert ratios[0] < 1.1
    assert ratios[1] > 4
