"""The script that counts broken rules of structure finds each kind of violation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.structure import MAX_LINES, MAX_MODULES, violations

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def package(tmp_path: Path) -> Path:
    folder = tmp_path / "package"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    return folder


def found(package: Path) -> list[tuple[str, str]]:
    return [(violation.rule, violation.text) for violation in violations(package)]


def test_names_of_modules_classes_and_public_functions_are_unique(package: Path) -> None:
    (package / "inner").mkdir()
    (package / "one.py").write_text("class Thing: ...\ndef read(): ...\ndef _private(): ...\n")
    (package / "inner" / "one.py").write_text("class Thing: ...\nasync def read(): ...\ndef _private(): ...\n")
    (package / "inner" / "__init__.py").write_text("")
    assert found(package) == [("duplicate class", "Thing"), ("duplicate function", "read"), ("duplicate module", "one")]


def test_cycle_counts_relative_imports_and_imports_for_types(package: Path) -> None:
    (package / "one.py").write_text("from package.two import name\n")
    (package / "two.py").write_text("if TYPE_CHECKING:\n    from . import three\n")
    (package / "three.py").write_text("def late():\n    from .one import other\n")
    assert found(package) == [("cycle", "package.one <-> package.three <-> package.two")]


def test_long_file_needs_a_reason(package: Path) -> None:
    lines = "#\n" * MAX_LINES
    (package / "allowed.py").write_text(lines)
    (package / "long.py").write_text(lines + "#\n")
    (package / "reasoned.py").write_text("# long: one table\n" + lines)
    (package / "unreasoned.py").write_text("# long: \n" + lines)
    assert found(package) == [("long file", f"{MAX_LINES + 1} lines")] * 2


@pytest.mark.parametrize(("folder", "full"), [("things", True), ("dialects", False)])
def test_folder_holds_a_limited_number_of_modules(package: Path, folder: str, full: bool) -> None:
    (package / folder).mkdir()
    for number in range(MAX_MODULES + 1):
        (package / folder / f"module{number}.py").write_text("")
    assert found(package) == ([("full folder", f"{MAX_MODULES + 1} modules")] if full else [])


def test_package_breaks_no_rule() -> None:
    assert list(violations()) == []
