"""Checks the project as a whole: the wheel, the metadata, the checks and the import contracts agree."""

from __future__ import annotations

import ast
import importlib
import importlib.metadata
import re
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hatchling.builders.wheel import WheelBuilder

import otel_parallelism

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "otel_parallelism"
FOLDERS = ("otel_parallelism", "dashboards", "docs", "examples", "tests", ".ci", ".github")
FILES = ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "LICENSE", "pyproject.toml")
MODULES = sorted(PACKAGE.rglob("*.py"))


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    builder = WheelBuilder(str(ROOT))
    (path,) = builder.build(directory=str(tmp_path_factory.mktemp("dist")), versions=["standard"])
    return zipfile.ZipFile(path)


def test_facade_exports_sorted_names() -> None:
    exported = otel_parallelism.__all__
    assert list(exported) == sorted(exported)
    assert [name for name in exported if not hasattr(otel_parallelism, name)] == []


def test_facade_only_imports() -> None:
    body = ast.parse((PACKAGE / "__init__.py").read_text(encoding="utf-8")).body
    kinds = [type(node) for node in body]
    assert kinds[0] is ast.Expr  # the docstring
    assert kinds[-1] is ast.Assign  # __all__
    assert set(kinds[1:-1]) == {ast.ImportFrom, ast.If}
    [condition] = [ast.unparse(node.test) for node in body if isinstance(node, ast.If)]
    assert condition == "TYPE_CHECKING"


def handed_out() -> list[Path]:
    """Return the files that the command `dashboards` writes or sends."""
    folder = ROOT / "dashboards"
    mounted = [path for name in ("compose", "provisioning") for path in (folder / name).rglob("*") if path.is_file()]
    return [*folder.glob("*.json"), folder / "alerts.yaml", folder / "compose.yaml", *mounted]


@pytest.mark.slow
def test_wheel_contains_package_types_and_licence(wheel: zipfile.ZipFile) -> None:
    names = set(wheel.namelist())
    assert {path.relative_to(ROOT).as_posix() for path in MODULES} <= names
    page = PACKAGE / "reports" / "page"
    assert {path.relative_to(ROOT).as_posix() for path in page.iterdir()} <= names
    assert "otel_parallelism/py.typed" in names
    assert {f"otel_parallelism/{path.relative_to(ROOT).as_posix()}" for path in handed_out()} <= names
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)
    assert [name for name in names if not re.match(r"otel_parallelism(/|-[^/]+\.dist-info/)", name)] == []


def test_wheel_metadata_matches_pyproject(wheel: zipfile.ZipFile, project: dict[str, Any]) -> None:
    (path,) = [name for name in wheel.namelist() if name.endswith(".dist-info/METADATA")]
    metadata = wheel.read(path).decode()
    assert f"\nVersion: {project['project']['version']}\n" in metadata
    assert "\nLicense-Expression: Apache-2.0\n" in metadata
    assert (ROOT / "README.md").read_text(encoding="utf-8") in metadata


def test_entry_points_resolve_to_callables(project: dict[str, Any]) -> None:
    groups = dict(project["project"]["entry-points"])
    # pytest takes a module.
    assert all(hasattr(importlib.import_module(name), "pytest_configure") for name in groups.pop("pytest11").values())
    targets = [
        *project["project"]["scripts"].values(),
        *(target for group in groups.values() for target in group.values()),
    ]
    for target in targets:
        module, _, attribute = target.partition(":")
        assert callable(getattr(importlib.import_module(module), attribute))


def test_changelog_starts_with_the_current_version(project: dict[str, Any]) -> None:
    headings = re.findall(r"^## \[?([^\]\s]+)", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert headings
    assert headings[0] in {"Unreleased", project["project"]["version"]}


def test_readme_and_ci_run_the_same_command() -> None:
    command = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()[-1]
    assert command.endswith("tox")
    assert command in (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    assert "- run: .ci/run\n" in (ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8")


def test_checks_run_on_each_declared_python_version(project: dict[str, Any]) -> None:
    declared = set(re.findall(r"Python :: (3\.\d+)", " ".join(project["project"]["classifiers"])))
    workflow = (ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8")
    assert set(re.findall(r"^ +(3\.\d+)$", workflow, re.MULTILINE)) == declared
    lowest, *others = sorted(declared, key=lambda version: int(version.removeprefix("3.")))
    assert f">={lowest}" == project["project"]["requires-python"]
    chosen = [project["tool"]["tox"]["env"][f"py{version.replace('.', '')}"]["set_env"] for version in others]
    assert [variables["PYENV_VERSION"] for variables in chosen] == others


def test_each_framework_contract_has_an_environment_with_requirements(project: dict[str, Any]) -> None:
    products = [one["product"] for one in project["tool"]["tox"]["env_list"] if isinstance(one, dict)]
    environments = [
        f"framework-{name}-{age}"
        for (base,), names, ages in products
        if base == "framework"
        for name in names
        for age in ages
    ]
    folder = ROOT / "tests" / "frameworks"
    assert sorted(environments) == sorted(path.stem for path in (folder / "environments").glob("*.txt"))
    latest = [
        name.removeprefix("framework-").removesuffix("-latest") for name in environments if name.endswith("-latest")
    ]
    assert sorted(latest) == sorted(path.stem for path in (folder / "contract").glob("*.py"))


def test_coverage_is_reported_after_all_other_environments(project: dict[str, Any]) -> None:
    assert project["tool"]["tox"]["env_list"][-1] == "coverage"


def test_import_contract_forbids_io_in_the_core(project: dict[str, Any]) -> None:
    contracts = project["tool"]["importlinter"]["contracts"]
    (contract,) = [contract for contract in contracts if contract["name"].startswith("The core")]
    for module in ("opentelemetry", "wrapt", "asyncio", "threading", "os", "io", "pathlib", "time", "logging"):
        assert module in contract["forbidden_modules"]
    assert {"otel_parallelism.model", "otel_parallelism.analysis", "otel_parallelism.dialects"} <= set(
        contract["source_modules"]
    )
