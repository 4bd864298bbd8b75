from __future__ import annotations

from pkgutil import iter_modules

from otel_parallelism.instrumentation import frameworks
from otel_parallelism.instrumentation.catalogue import FRAMEWORKS


def test_every_module_in_the_folder_defines_one_framework() -> None:
    assert len(FRAMEWORKS) == sum(1 for _ in iter_modules(frameworks.__path__))
    assert len({framework.name for framework in FRAMEWORKS}) == len(FRAMEWORKS)


def test_frameworks_are_sorted_by_name() -> None:
    assert [framework.name for framework in FRAMEWORKS] == sorted(framework.name for framework in FRAMEWORKS)


def test_no_function_is_patched_twice() -> None:
    targets = [
        f"{patch.module}:{path}" for framework in FRAMEWORKS for patch in framework.patches for path in patch.paths
    ]
    assert len(set(targets)) == len(targets), "the order of the frameworks would decide which wrapper is outside"
