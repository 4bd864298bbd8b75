"""Objects are read without running code of their classes, in Python or in C."""

from __future__ import annotations

from collections import OrderedDict
from types import SimpleNamespace
from typing import Any

import pytest
import wrapt

from otel_parallelism.analysis.dependencies.contents.leaves import instance_dict


class Ordered(OrderedDict[str, int]):
    def __init__(self) -> None:
        super().__init__()
        self.a = 1


class FailedError(Exception):
    def __init__(self) -> None:
        self.a = 1


class Slotted:
    __slots__ = ("__dict__",)

    def __init__(self) -> None:
        self.a = 1


@pytest.mark.parametrize(
    "item", [SimpleNamespace(a=1), Ordered(), FailedError(), Slotted()], ids=lambda item: type(item).__name__
)
def test_the_fields_of_an_object_are_read(item: object) -> None:
    assert (instance_dict(item) or {}).get("a") == 1


def test_a_proxy_written_in_c_is_not_asked_for_the_fields_of_its_object() -> None:
    proxy: Any = wrapt.ObjectProxy(SimpleNamespace(a=1))
    assert instance_dict(proxy) is None
