"""The examples in docstrings of the analysis."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import otel_parallelism.analysis

MODULES = [
    module.name for module in pkgutil.walk_packages(otel_parallelism.analysis.__path__, "otel_parallelism.analysis.")
]


def test_examples_in_docstrings_hold() -> None:
    results = {name: doctest.testmod(importlib.import_module(name)) for name in MODULES}
    assert [name for name, result in results.items() if result.failed] == []
    assert results["otel_parallelism.analysis.analyze"].attempted
