"""
The pairs of calls that were drawn from well-known packages and read.

Where the environment variable ``SOURCE_PROOF_PACKAGES`` names a folder with the packages, as ``source_proof.py``
installs them, each pair is proved again.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path

import pytest

from tests.bench.source_proof import JUDGEMENTS, MOST_PER_FILE, Place, functions, judged, packages, parsed

RECORDED = json.loads(JUDGEMENTS.read_text(encoding="utf-8"))
PAIRS = RECORDED["pairs"]
FOLDER = os.environ.get("SOURCE_PROOF_PACKAGES", "")


def test_sixty_pairs_of_ten_packages_were_read_and_at_least_58_are_right() -> None:
    assert len(PAIRS) == 60
    assert {pair["judgement"] for pair in PAIRS} <= {"right", "wrong"}
    assert sum(pair["judgement"] == "right" for pair in PAIRS) >= 58
    assert all(pair["reason"] for pair in PAIRS)
    assert {pair["package"] for pair in PAIRS} <= packages().keys()
    assert len(packages()) == 10


def test_the_draw_is_spread_over_functions_and_files() -> None:
    functions_met = Counter((pair["package"], pair["file"], pair["line"]) for pair in PAIRS)
    assert set(functions_met.values()) == {1}
    assert max(Counter(pair["file"] for pair in PAIRS).values()) <= MOST_PER_FILE


@pytest.mark.skipif(not FOLDER, reason="SOURCE_PROOF_PACKAGES names no folder with the packages")
@pytest.mark.parametrize("pair", PAIRS if FOLDER else PAIRS[:1], ids=lambda pair: f"{pair['file']}:{pair['first'][0]}")
def test_each_pair_is_still_proved(pair: dict[str, object]) -> None:
    place = Place(str(pair["package"]), str(pair["file"]), int(str(pair["line"])))
    rows = [one.row() for one in judged((Path(FOLDER), place)).pairs]
    assert {key: value for key, value in pair.items() if key not in {"judgement", "reason"}} in rows


def test_functions_and_calls_are_found_in_a_folder(tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text(
        "async def prices(client, items):\n"
        "    return [await client.get_price(item) for item in items]\n"
        "async def order(client, item):\n"
        "    price = await client.get_price(item)\n"
        "    return await client.get_tax(price)\n"
        "async def rows(db: AsyncSession, items):\n"
        "    return [await db.get_row(item) for item in items]\n"
    )
    file = parsed(tmp_path / "shop.py")
    assert file is not None
    found = [judged((tmp_path, Place("shop==1", "shop.py", one.lineno))) for one in functions(file)]
    assert [[pair.calls for pair in one.pairs] for one in found] == [[("get_price", "get_price")], [], []]
    assert [dict(one.verdicts) for one in found] == [{"independent": 1}, {"dependent": 1}, {"independent": 1}]
