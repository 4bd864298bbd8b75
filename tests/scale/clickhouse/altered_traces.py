"""
Alters drawn traces, with a seed: what goes wrong on the way to a table, and other vocabularies.

Clocks differ, spans are lost, arrive in several versions or with their times swapped, and several services take part.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import msgspec

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator, Sequence

    from otel_parallelism.model import SpanRecord

_S: Final = 10**9
_RESOURCES: Final = (
    *("service.name=a", "service.name=b", "service.name=a host.name=h", "service.name=a process.pid=h"),
    *("service.name=a host.name=", "service.name=", "host.name=a", "telemetry.sdk=y", "telemetry.sdk=z region=eu"),
    *("service.namespace=n service.name=a", "service.name=a service.instance.id=x process.pid=3"),
)
_SKEWS_NS: Final = (-3 * _S, -_S - 1, -_S, -_S // 2, -1, 1, _S // 2, _S, _S + 1, 3 * _S, 60 * _S)
_NAMES: Final = (
    *("", "  ", "it's", 'a"b', "tab\tname", "naïve", "日本", "x" * 3_000, "\\d", "${a}", "execute_tool", "chat x"),
    *("final_answer", "Transfer_To_Bob", "think", "a b c"),
)
_KEYS: Final = (
    *("gen_ai.operation.name", "openinference.span.kind", "traceloop.span.kind", "langfuse.observation.type"),
    *("metadata", "gen_ai.conversation.id", "tool_name", "source"),
)
_VALUES: Final = (
    *("", "x", "tool", "TOOL", "agent", "chat", "execute_tool", "invoke_agent", "retrieval", "create_agent", "0", "[]"),
)

# By vocabulary: the key of the kind, its values for turns, model requests and calls, and the keys of tool and agent.
_VOCABULARIES: Final = (
    ("openinference.span.kind", ("AGENT", "LLM", "TOOL"), "tool.name", "agent.name"),
    ("traceloop.span.kind", ("agent", "task", "tool"), "traceloop.entity.name", "traceloop.entity.name"),
    ("langfuse.observation.type", ("agent", "generation", "tool"), "", ""),
    ("ai.operationId", ("ai.generateText", "ai.generateText.doGenerate", "ai.toolCall"), "ai.toolCall.name", ""),
    ("gen_ai.span.kind", ("AGENT", "LLM", "TOOL"), "gen_ai.tool.name", "gen_ai.agent.name"),
    ("lmnr.span.type", ("DEFAULT", "LLM", "TOOL"), "", ""),
    ("agentops.span.kind", ("agent", "llm", "tool"), "agentops.tool.name", ""),
    ("mlflow.spanType", ('"AGENT"', '"CHAT_MODEL"', '"TOOL"'), "", ""),
    ("langwatch.span.type", ("agent", "llm", "tool"), "", ""),
    ("spring.ai.kind", ("chat_client", "chat", "tool_call"), "spring.ai.tool.definition.name", ""),
    ("langsmith.span.kind", ("chain", "llm", "tool"), "", "langsmith.metadata.lc_agent_name"),
    ("mastra.span.type", ("agent_run", "model_step", "tool_call"), "gen_ai.tool.name", "gen_ai.agent.name"),
)
_OPERATIONS: Final = ("invoke_agent", "chat", "execute_tool")


def altered(trace: Sequence[SpanRecord], choose: random.Random) -> list[SpanRecord]:
    """Return the spans of *trace*, which may be there twice, in another vocabulary and with alterations."""
    resources = choose.sample(_RESOURCES, k=2)
    vocabulary = choose.choice((None, None, *_VOCABULARIES))
    changed: dict[str, SpanRecord] = {}
    spans = []
    for span in trace:
        if span.span_id not in changed:
            source = choose.choice(resources) if choose.random() < 0.9 else span.source
            other = span if vocabulary is None else _translated(span, *vocabulary)
            changed[span.span_id] = msgspec.structs.replace(other, source=source if choose.random() < 0.3 else "one")
        spans.append(changed[span.span_id])
    if choose.random() < 0.7:
        spans = list({span.span_id: span for span in spans}.values())
    for _ in range(choose.choice((0, 0, 1, 1, 2))):
        spans = _altered_once(spans, choose)
    return choose.sample(spans, k=len(spans))


def _translated(
    span: SpanRecord, key: str, kinds: tuple[str, str, str], key_of_tool: str, key_of_agent: str
) -> SpanRecord:
    """Return *span* in a vocabulary; spans of no kind stay as they are."""
    given = dict(span.attributes)
    operation, tool, agent = (given.pop(f"gen_ai.{name}", "") for name in ("operation.name", "tool.name", "agent.name"))
    if operation not in _OPERATIONS:
        return span
    given[key] = kinds[_OPERATIONS.index(str(operation))]
    named = {key_of_tool: tool, key_of_agent: agent}
    given |= {name: value for name, value in named.items() if name and value}
    return msgspec.structs.replace(span, name=str(tool or agent or operation), attributes=given)


def _altered_once(spans: Sequence[SpanRecord], choose: random.Random) -> list[SpanRecord]:
    """Return *spans* with one alteration."""
    if not spans:
        return []
    some = choose.choice(spans)
    alteration = choose.randrange(6)
    if alteration == 0:
        skew_ns, source = choose.choice(_SKEWS_NS), choose.choice(_RESOURCES)
        ids = {span.span_id for span in choose.sample(list(spans), k=choose.randint(1, len(spans)))}
        return [_moved(span, skew_ns, source) if span.span_id in ids else span for span in spans]
    if alteration == 1:
        return [span for span in spans if span.span_id != some.span_id]
    if alteration == 2:
        return [*spans, next(_versions(some, spans, choose))]
    changed = _changed(some, spans, choose)
    return [changed if span.span_id == some.span_id else span for span in spans]


def _moved(span: SpanRecord, skew_ns: int, source: str) -> SpanRecord:
    times = {"start_ns": span.start_ns + skew_ns, "end_ns": span.end_ns + skew_ns}
    return msgspec.structs.replace(span, source=source, **times)


def _versions(span: SpanRecord, spans: Sequence[SpanRecord], choose: random.Random) -> Iterator[SpanRecord]:
    """Yield another version of *span*, with its id."""
    values: dict[str, Any] = choose.choice(
        (
            {"end_ns": span.end_ns + choose.choice((-_S, 1, _S))},
            {"attributes": {}},
            {"attributes": choose.choice(spans).attributes},
            {"parent_id": choose.choice(spans).span_id, "start_ns": span.start_ns - choose.choice((0, 1, 10**6))},
        )
    )
    yield msgspec.structs.replace(span, **values)


def _changed(span: SpanRecord, spans: Sequence[SpanRecord], choose: random.Random) -> SpanRecord:
    """Return *span* with another name, parent, instrumentation or attribute, many attributes, or swapped times."""
    name, key = choose.choice(_NAMES), choose.choice(_KEYS)
    named = {each: name for each in span.attributes if each.endswith("name") and each != "gen_ai.operation.name"}
    values: dict[str, Any] = choose.choice(
        (
            {"name": name, "attributes": {**span.attributes, **named}},
            {"attributes": {**span.attributes, key: choose.choice(_VALUES)}},
            {"attributes": {**span.attributes, **{f"key{at}": json.dumps([at]) for at in range(300)}}},
            {"parent_id": choose.choice((choose.choice(spans).span_id, "f" * 16))},
            {"instrumentation": choose.choice(("", "other"))},
            {"start_ns": span.end_ns, "end_ns": span.start_ns},
        )
    )
    return msgspec.structs.replace(span, **values)
