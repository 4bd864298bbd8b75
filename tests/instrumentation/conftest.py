from __future__ import annotations

import sys
from textwrap import dedent
from typing import TYPE_CHECKING, Any

import pytest

from otel_parallelism import Settings, install, uninstall
from otel_parallelism.instrumentation.hooks.patching import PATCHING
from otel_parallelism.instrumentation.hooks.targets import TARGETS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, str], None]]:
    """Return a function that writes an importable module; the modules are removed from ``sys.modules`` afterwards."""
    monkeypatch.syspath_prepend(str(tmp_path))
    before = set(sys.modules)

    def write_module(name: str, text: str) -> None:
        path = tmp_path.joinpath(*name.split(".")).with_suffix(".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text))

    yield write_module
    for name in set(sys.modules) - before:
        file = getattr(sys.modules[name], "__file__", None) or ""
        if file.startswith(str(tmp_path)):
            del sys.modules[name]


@pytest.fixture
def patching() -> Iterator[Any]:
    """The active patches of this process, undone at the end."""
    PATCHING.start(())
    yield PATCHING
    TARGETS.stop()
    PATCHING.stop()


@pytest.fixture
def installed() -> Iterator[None]:
    """The package installed with default settings and without a provider."""
    install(settings=Settings())
    yield
    uninstall()
