from __future__ import annotations

from typing import TYPE_CHECKING

from otel_parallelism.readers.source_folder import path_inside

if TYPE_CHECKING:
    from pathlib import Path


def test_links_in_a_circle_are_no_file(tmp_path: Path) -> None:
    root = tmp_path.resolve()
    (root / "loop.py").symlink_to("loop.py")
    (root / "page.py").write_text("x = 1\n")
    assert path_inside(root, "/srv/shop/loop.py") is None
    assert path_inside(root, "/srv/shop/page.py") == root / "page.py"
