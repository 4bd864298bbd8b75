"""Retrievals and memory operations are calls, in every dialect that has them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from otel_parallelism.dialects import classify
from otel_parallelism.model import Call, Content, SpanRecord

if TYPE_CHECKING:
    from collections.abc import Callable

    Make = Callable[..., SpanRecord]
    Plain = Callable[[Content | None], object]

OPERATION = "gen_ai.operation.name"


@pytest.mark.parametrize(
    ("attributes", "tool", "effect"),
    [
        ({OPERATION: "retrieval", "gen_ai.data_source.id": "handbook"}, "retrieval handbook", "read"),
        ({OPERATION: "search_memory"}, "some span", "read"),
        ({OPERATION: "update_memory", "gen_ai.tool.name": "remember"}, "remember", "write"),
        ({OPERATION: "delete_memory"}, "some span", "write"),
        ({"openinference.span.kind": "RETRIEVER"}, "some span", "read"),
        ({"langfuse.observation.type": "retriever"}, "some span", "read"),
    ],
)
def test_retrieval_is_a_call(span: Make, attributes: dict[str, object], tool: str, effect: str) -> None:
    seen = classify(span("some span", attributes))
    assert isinstance(seen, Call)
    assert (seen.tool, seen.effect, seen.effect_source) == (tool, effect, "framework")


def test_query_without_its_source_is_not_all_of_the_arguments(span: Make, plain: Plain) -> None:
    attributes = {OPERATION: "retrieval", "gen_ai.retrieval.query.text": "overtime"}
    seen = classify(span("retrieval", attributes))
    assert isinstance(seen, Call)
    assert seen.arguments is not None
    assert not seen.arguments.whole
    named = classify(span("retrieval", attributes | {"gen_ai.data_source.id": "handbook"}))
    assert isinstance(named, Call)
    assert named.arguments is not None
    assert named.arguments.whole
    assert plain(named.arguments) == {"query": "overtime", "source": "handbook"}


def test_documents_of_a_retriever_are_its_result(span: Make, plain: Plain) -> None:
    document = "retrieval.documents.0.document.content"
    seen = classify(span("FAISS.retrieve", {"openinference.span.kind": "RETRIEVER", document: "page 7"}))
    assert isinstance(seen, Call)
    assert (seen.tool, plain(seen.result)) == ("FAISS", {document: "page 7"})
    told = {document: "page 7", "output.value": '{"source": "kb-7"}'}
    both = classify(span("FAISS.retrieve", {"openinference.span.kind": "RETRIEVER", **told}))
    alone = classify(span("FAISS.retrieve", {"openinference.span.kind": "RETRIEVER", "output.value": "page 7"}))
    assert isinstance(both, Call)
    assert isinstance(alone, Call)
    assert (plain(both.result), plain(alone.result)) == (told, "page 7")
