"""No sentence of the package or of its documentation contains a riddle; see ``tests/prose.py``."""

from __future__ import annotations

from tests.prose import RIDDLES, docstrings, riddles, sentences


def test_prose_has_no_riddles() -> None:
    assert list(riddles()) == []


def test_riddles_are_found() -> None:
    assert RIDDLES.findall("Whoever is told of it, nobody is.") == ["Whoever", "is told", "nobody"]


def test_docstrings_and_sentences_are_found() -> None:
    places = {place.partition(":")[0] for place, _ in docstrings()}
    assert {"otel_parallelism/__init__.py", "otel_parallelism/tracing/spans/decorator.py"} <= places
    documents = {name for name, _ in sentences()}
    assert {"README.md", "docs/concepts.md"} <= documents
