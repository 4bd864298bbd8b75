"""What backends and consoles write in ways of their own: events, links, nested attributes, values that are cut off."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from otel_parallelism.dialects import classify
from otel_parallelism.model import Call, SpanEvent
from otel_parallelism.readers.any_format import read_spans

if TYPE_CHECKING:
    from pathlib import Path

    from otel_parallelism.model import SpanRecord

SAID = SpanEvent("gen_ai.user.message", {"content": "Which | is it?"})


def only_span(path: Path, written: str) -> SpanRecord:
    path.write_text(written)
    (span,) = read_spans(path)
    return span


@pytest.mark.parametrize(
    "annotation",
    [
        '"gen_ai.user.message":{"content":"Which | is it?"}',
        '{"gen_ai.user.message": {"content": "Which | is it?"}}',
        'gen_ai.user.message|{"content":"Which | is it?"}|0',
    ],
)
def test_annotations_of_zipkin_have_the_attributes_of_events(tmp_path: Path, annotation: str) -> None:
    span: dict[str, Any] = {"traceId": "a1", "id": "b2", "name": "a", "timestamp": 1_790_000_000_000_000, "tags": {}}
    told = [{"timestamp": 1, "value": annotation}, {"timestamp": 1, "value": "Client Send"}, {"timestamp": 1}]
    found = only_span(tmp_path / "spans", json.dumps([span | {"annotations": told}]))
    assert found.events == (SAID, SpanEvent("Client Send", {}), SpanEvent("", {}))


@pytest.mark.parametrize("annotation", ["a|{b|0", "{}", '{"a":1,"b":2}', '"a":{', '"a":{"b":[}', "a|{}|many"])
def test_other_annotations_of_zipkin_stay_as_they_are(tmp_path: Path, annotation: str) -> None:
    span: dict[str, Any] = {"traceId": "a1", "id": "b2", "name": "a", "timestamp": 1_790_000_000_000_000, "tags": {}}
    found = only_span(tmp_path / "spans", json.dumps([span | {"annotations": [{"value": annotation}]}]))
    (event,) = found.events
    assert (event.name or annotation, event.attributes) == (annotation, {})


DATADOG = {
    "trace_id": 17,
    "span_id": 18,
    "start": 1_790_000_000_000_000_000,
    "duration": 5,
    "resource": "chat",
    "meta": {"gen_ai.operation.name": "chat"},
}


@pytest.mark.parametrize("value", ["Which | is it?", {"type": 0, "string_value": "Which | is it?"}])
def test_events_of_a_span_of_datadog(tmp_path: Path, value: object) -> None:
    events = [{"name": "gen_ai.user.message", "time_unix_nano": 1, "attributes": {"content": value}}]
    assert only_span(tmp_path / "spans", json.dumps([[DATADOG | {"span_events": events}]])).events == (SAID,)


def test_events_and_links_of_datadog_in_texts(tmp_path: Path) -> None:
    events = [{"name": "gen_ai.user.message", "time_unix_nano": 1, "attributes": {"content": "Which | is it?"}}]
    links = [{"trace_id": "11", "span_id": "00000000000000ff"}, {"span_id": "0000000000000000"}, {}]
    texts = {"gen_ai.operation.name": "chat", "events": json.dumps(events), "_dd.span_links": json.dumps(links)}
    found = only_span(tmp_path / "spans", json.dumps([[DATADOG | {"meta": texts}]]))
    assert (found.events, found.links, "events" in found.attributes) == ((SAID,), ("00000000000000ff",), False)


@pytest.mark.parametrize("written", ['[{"event.name": "gen_ai.user.message"}]', "[[", "three"])
def test_an_attribute_of_datadog_that_is_only_named_events_stays(tmp_path: Path, written: str) -> None:
    found = only_span(tmp_path / "spans", json.dumps([[DATADOG | {"meta": {"events": written}}]]))
    assert (found.events, found.attributes) == ((), {"events": written})


def test_attributes_of_datadog_that_are_no_texts(tmp_path: Path) -> None:
    listed = {"gen_ai.input.messages": [{"role": "user"}]}
    lists = [{"name": "e", "attributes": {"a": {"type": 4, "array_value": {"values": [{"type": 2, "int_value": 3}]}}}}]
    found = only_span(tmp_path / "spans", json.dumps([[DATADOG | {"meta_struct": listed, "span_events": lists}]]))
    assert found.attributes == {"gen_ai.operation.name": "chat", **listed}
    assert found.events == (SpanEvent("e", {"a": [3]}),)


def test_arguments_and_results_that_are_stored_as_objects(tmp_path: Path) -> None:
    row = {
        "trace_id": "0af7651916cd43dd8448eb211c80319c",
        "span_id": "b7ad6b7169203331",
        "start_timestamp": "2026-01-01T00:00:00Z",
        "end_timestamp": "2026-01-01T00:00:01Z",
        "span_name": "execute_tool get",
        "kind": "span",
        "attributes": {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": "get",
            "gen_ai.tool.call.arguments": {"city": {"name": "Graz"}},
            "gen_ai.tool.call.result": {"sky": "clear", "wind": {}},
        },
    }
    found = classify(only_span(tmp_path / "spans", json.dumps([row])))
    assert isinstance(found, Call)
    assert found.arguments is not None
    assert found.result is not None
    assert json.loads(found.arguments.value) == {"city": {"name": "Graz"}}
    assert json.loads(found.result.value) == {"sky": "clear", "wind": {}}


NODE = """{
  traceId: '37e4fa6ad9f7826adfc84863ff6eddf2',
  id: '777972afa12eb452',
  name: 'chat',
  kind: 0,
  timestamp: 1795880772884000,
  duration: 715.934,
  attributes: {
    'gen_ai.input.messages': '[{"role":"user","content":"It is'... 12345 more characters,
    long: 'one ' +
      'two'... 1 more character,
    listed: [ 'a', 'b', ... 3 more items ]
  }
}"""


def test_texts_and_lists_that_node_cuts_off_end_with_a_mark(tmp_path: Path) -> None:
    assert only_span(tmp_path / "spans", NODE).attributes == {
        "gen_ai.input.messages": '[{"role":"user","content":"It is…',
        "long": "one two…",
        "listed": ["a", "b", "…"],
    }
