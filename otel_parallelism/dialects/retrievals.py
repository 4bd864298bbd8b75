"""Retrievals and memory operations of OpenTelemetry's GenAI conventions: calls whose operation tells their effect."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from otel_parallelism import names

from .parsing import envelopes
from .parsing.content import captured, decoded
from .parsing.facts import Dialect, Facts, first_value, text

if TYPE_CHECKING:
    from otel_parallelism.model import SpanRecord

READING_OPERATIONS: Final = frozenset({"retrieval", "retrieve", "search_memory"})
WRITING_OPERATIONS: Final = frozenset(
    {"create_memory", "update_memory", "upsert_memory", "delete_memory", "create_memory_store", "delete_memory_store"}
)

_SOURCES: Final = ("gen_ai.data_source.id", "gen_ai.memory.store.id", "gen_ai.memory.store.name")
_QUERIES: Final = ("gen_ai.retrieval.query.text", "gen_ai.memory.query.text", "gen_ai.memory.query")
_FOUND: Final = (
    names.TOOL_CALL_RESULT,
    "gen_ai.retrieval.documents",
    "gen_ai.memory.records",
    "gen_ai.memory.search.results",
)


def _describe(span: SpanRecord) -> Facts | None:
    """Return the facts of a call; its tool is the operation, with the name of the data source if it is known."""
    attributes = span.attributes
    operation = text(attributes, names.OPERATION_NAME)
    if operation not in READING_OPERATIONS and operation not in WRITING_OPERATIONS:
        return None
    source = text(attributes, *_SOURCES)
    query = first_value(attributes, _QUERIES)
    given = first_value(attributes, (names.TOOL_CALL_ARGUMENTS,))
    if given is None and query is not None:
        # Without its source, the query is not all that the operation was given.
        arguments = captured({"query": query, "source": source}, decoded, whole=bool(source))
    else:
        arguments = captured(given, envelopes.arguments)
    return Facts(
        kind="call",
        tool=text(attributes, names.TOOL_NAME) or (f"{operation} {source}" if source else span.name),
        call_id=text(attributes, names.TOOL_CALL_ID),
        arguments=arguments,
        result=captured(first_value(attributes, _FOUND), envelopes.result),
        effect="read" if operation in READING_OPERATIONS else "write",
        effect_source="framework",
    )


DIALECT = Dialect(
    describe=_describe,
    rank=25,
    keys=frozenset({names.OPERATION_NAME}),
    operations=READING_OPERATIONS | WRITING_OPERATIONS,
)
