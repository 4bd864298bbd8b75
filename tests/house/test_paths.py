"""No file of the project names a folder of one machine."""

from __future__ import annotations

import re
from pathlib import Path

from tests.test_project import FILES, FOLDERS, ROOT


def test_no_file_contains_an_absolute_path_of_this_machine() -> None:
    here = b"|".join(re.escape(str(path).encode()) for path in (ROOT, Path.home()))
    elsewhere = rb"(?<![\w.:/-])/(?:root|work|tmp|Users|private)/\w"
    place = re.compile(b"|".join((here, elsewhere)))
    texts = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*") if "cache" not in str(path.parent)]
    found = [
        (path.relative_to(ROOT).as_posix(), match.group().decode())
        for path in (*texts, *(ROOT / name for name in FILES))
        if path.is_file() and (match := place.search(path.read_bytes()))
    ]
    assert found == []
