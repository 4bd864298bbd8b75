"""
Write the dashboards as Grafana reads them.

``python dashboards/build.py`` writes ``agent-parallelism.json`` and ``agent-turns.json`` beside this file; a folder given
as argument takes them instead.
"""

from __future__ import annotations

import sys
from pathlib import Path

import parallelism
import turns
from grafana_foundation_sdk.cog.encoder import JSONEncoder

BOARDS = {"agent-parallelism.json": parallelism.board, "agent-turns.json": turns.board}


def main(folder: Path) -> None:
    """Write every dashboard into *folder*."""
    for name, board in BOARDS.items():
        text = JSONEncoder(sort_keys=True, indent=2).encode(board().made.build())
        (folder / name).write_text(f"{text}\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
