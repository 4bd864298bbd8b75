"""
Write the dashboards as JSON files for Grafana.

``python dashboards/build.py`` writes them to the folder of this file, or to the folder in the argument.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import clickhouse
import parallelism
import turns
from grafana_foundation_sdk.cog.encoder import JSONEncoder

BOARDS = {
    "agent-parallelism.json": parallelism.board,
    "agent-parallelism-clickhouse.json": clickhouse.board,
    "agent-turns.json": turns.board,
}
INTERVAL_ONLY = ("auto", "auto_min", "auto_count")


def main(folder: Path) -> None:
    """Write all dashboards to *folder*."""
    for name, board in BOARDS.items():
        made = json.loads(JSONEncoder().encode(board().made.build()))
        for variable in made["templating"]["list"]:
            # The SDK writes these keys on each variable; only variables of type interval have them.
            for key in INTERVAL_ONLY:
                variable.pop(key, None)
        for panel in [*made["panels"], *(inner for row in made["panels"] for inner in row.get("panels") or ())]:
            panel.get("options", {}).pop("footer", None)  # the SDK writes this key for tables; Grafana has removed it
        text = json.dumps(made, indent=2, sort_keys=True, ensure_ascii=False)
        (folder / name).write_text(f"{text}\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
