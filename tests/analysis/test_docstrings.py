"""The examples in docstrings of the analysis."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import otel_parallelism.analysis

MODULES = [
    module.name for module in pkgutil.walk_packages(otel_parallelism.analysis.__path__, "otel_parallelism.analysis.")
]


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings_hold(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_examples_are_found() -> None:
    module = importlib.import_module("otel_parallelism.analysis.analyze")
    assert doctest.testmod(module).attempted
