"""Recorded contents in which one value is of another type raise nothing."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from otel_parallelism.dialects import classify
from otel_parallelism.dialects.parsing import envelopes
from otel_parallelism.readers.any_format import read_spans
from tests.amounts import THOROUGH, some_of

SPANS = sorted((Path(__file__).parents[1] / "fixtures" / "spans").iterdir())
OTHER: tuple[Any, ...] = ({}, [], {"a": 1}, [{}], None, 1.5, True, "x")


def places(data: object, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the path of each value in *data*."""
    items = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    return [path, *(inner for key, value in items for inner in places(value, (*path, key)))]


def changed(data: Any, choose: random.Random) -> Any:
    """Return *data* with another value in one place."""
    path = choose.choice(places(data))
    if not path:
        return choose.choice(OTHER)
    inside = data
    for key in path[:-1]:
        inside = inside[key]
    inside[path[-1]] = choose.choice(OTHER)
    return data


@pytest.mark.many
@pytest.mark.parametrize("path", some_of(SPANS), ids=lambda path: path.stem)
def test_a_value_of_another_type_raises_nothing(path: Path) -> None:
    choose = random.Random(path.stem)  # noqa: S311 - not a secret
    for span in read_spans(path):
        for key, value in span.attributes.items():
            if not isinstance(value, str) or value[:1] not in {"[", "{"} or value[-1] not in {"]", "}"}:
                continue
            for _ in range(12 if THOROUGH else 2):
                try:
                    data = json.loads(value)
                except ValueError:
                    break
                odd = replace(span, attributes={**span.attributes, key: json.dumps(changed(data, choose))})
                seen = classify(odd)
                for field in ("arguments", "result", "messages", "answer", "input"):
                    content = getattr(seen, field, None)
                    if content is not None and content.parse is not None:
                        content.parse(content.value)


def test_a_block_whose_type_is_a_long_number_is_kept_as_it_is() -> None:
    block = {"type": 10**5000, "text": "seven degrees"}
    assert envelopes.result([block]) == [block]
