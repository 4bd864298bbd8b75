"""What is released can be built again byte by byte, and the workflows take nothing that could change unseen."""

from __future__ import annotations

import os
import re
import shutil
import tarfile
import tomllib
from pathlib import Path

import pytest
from hatchling.builders.sdist import SdistBuilder
from hatchling.builders.wheel import WheelBuilder
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.test_project import FILES, FOLDERS, ROOT

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
EPOCH = "1767225600"
PINNED = re.compile(r"uses: [\w.-]+/[\w.-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")


def a_checkout(folder: Path, umask: int) -> Path:
    """Return a copy of the project in *folder*, with other times and permissions."""
    unwanted = shutil.ignore_patterns("__pycache__", ".*_cache", ".hypothesis")
    for name in FOLDERS:
        shutil.copytree(ROOT / name, folder / name, ignore=unwanted, copy_function=shutil.copyfile)
    for name in FILES:
        shutil.copyfile(ROOT / name, folder / name)
    for number, path in enumerate(sorted(folder.rglob("*"))):
        os.utime(path, (umask + number, umask + number))
        path.chmod((0o777 if path.is_dir() else 0o666) & ~umask)
    return folder


def built(folder: Path, builder: type[SdistBuilder | WheelBuilder]) -> Path:
    (path,) = builder(str(folder)).build(directory=str(folder / "dist"), versions=["standard"])
    return Path(path)


def test_two_builds_have_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", EPOCH)
    one, other = (a_checkout(tmp_path / str(umask), umask) for umask in (0o022, 0o077))
    sdist, wheel = built(one, SdistBuilder), built(one, WheelBuilder)
    assert built(other, SdistBuilder).read_bytes() == sdist.read_bytes()
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path / "unpacked", filter="data")
    (unpacked,) = (tmp_path / "unpacked").iterdir()
    for folder in (other, unpacked):
        assert built(folder, WheelBuilder).read_bytes() == wheel.read_bytes()


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_actions_are_pinned_to_commits(path: Path) -> None:
    uses = re.findall(r"uses: .*", path.read_text(encoding="utf-8"))
    assert uses
    assert [line for line in uses if not PINNED.fullmatch(line)] == []


def test_one_action_has_one_commit() -> None:
    uses = {line for path in WORKFLOWS for line in PINNED.findall(path.read_text(encoding="utf-8"))}
    actions = [line.partition("@")[0] for line in uses]
    assert sorted(actions) == sorted(set(actions))


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_workflows_may_only_read_by_default(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert re.search(r"^permissions:(?: \{\}|\n  contents: read\n(?! ))", text, re.MULTILINE)
    written = set(re.findall(r"^ +([\w-]+): write\b", text, re.MULTILINE))
    allowed = {"release": {"id-token", "attestations"}, "newest": {"issues"}}
    assert written == allowed.get(path.stem, set())


def test_what_builds_the_release_is_locked() -> None:
    lines = (ROOT / ".github" / "build-requirements.txt").read_text(encoding="utf-8")
    entries = [entry for entry in re.split(r"\n(?=\w)", lines.strip()) if not entry.startswith("#")]
    assert {entry.partition("==")[0] for entry in entries} >= {"build", "hatchling"}
    assert [entry for entry in entries if "==" not in entry or "--hash=sha256:" not in entry] == []


def test_licences_of_all_dependencies_are_listed() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [*project["dependencies"], *(one for extra in project["optional-dependencies"].values() for one in extra)]
    page = (ROOT / "docs" / "supply-chain.md").read_text(encoding="utf-8")
    listed = {canonicalize_name(name) for name in re.findall(r"^\| ([\w.-]+) +\| \S", page, re.MULTILINE)}
    assert {canonicalize_name(Requirement(one).name) for one in wanted} <= listed


def test_security_policy_names_the_current_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    minor = ".".join(project["version"].split(".")[:2])
    assert f"| {minor}.x | yes |" in (ROOT / "SECURITY.md").read_text(encoding="utf-8")
