"""LangSmith's runs, as its client and API export them."""

from __future__ import annotations

from typing import Final

from otel_parallelism.model import SpanRecord
from otel_parallelism.readers.parsing.json_fields import (
    Fields,
    JsonFormat,
    as_json,
    fields,
    hex_id,
    objects,
    parent_id,
    string,
    time_ns,
    without_empty,
)

_OPERATIONS: Final = {"tool": "execute_tool", "llm": "chat", "retriever": "retrieval"}


def _recognizes(data: Fields) -> bool:
    return {"id", "run_type", "start_time"} <= data.keys()


def _spans(data: Fields) -> list[SpanRecord]:
    """Return the span of a run, and those of the runs that it holds."""
    found: list[SpanRecord] = []
    waiting: list[tuple[Fields, object, object]] = [(data, data.get("trace_id") or data["id"], None)]
    while waiting:
        run, trace_id, parent = waiting.pop()
        found.append(_record(run, run.get("trace_id") or trace_id, run.get("parent_run_id") or parent))
        waiting += [(child, trace_id, run["id"]) for child in objects(run.get("child_runs")) if _recognizes(child)]
    return found


def _record(run: Fields, trace_id: object, parent: object) -> SpanRecord:
    start = time_ns(run["start_time"])
    end = run.get("end_time")
    return SpanRecord(
        hex_id(trace_id),
        hex_id(run["id"]),
        parent_id(parent),
        string(run.get("name")),
        start,
        time_ns(end) if end else 0,
        without_empty(_attributes(run)),
        error=bool(run.get("error")) or run.get("status") == "error",
    )


def _attributes(run: Fields) -> dict[str, object]:
    kind = string(run["run_type"])
    given, output = _content(run.get("inputs")), _content(run.get("outputs"))
    attributes: dict[str, object] = {"gen_ai.operation.name": _OPERATIONS.get(kind), "langsmith.span.kind": kind}
    if kind == "llm":
        attributes |= {
            "gen_ai.input.messages": given,
            "gen_ai.output.messages": output,
            "gen_ai.usage.input_tokens": _input_tokens(run),
        }
    elif kind in _OPERATIONS:
        attributes |= {
            "gen_ai.tool.name": string(run.get("name")),
            "gen_ai.tool.call.id": _call_id(run),
            "gen_ai.tool.call.arguments": given,
            "gen_ai.tool.call.result": output,
        }
    return attributes


def _content(value: object) -> str | None:
    """Return inputs or outputs as text; LangChain puts a tool's under a key of its own."""
    data = fields(value)
    if len(data) == 1:
        value = data.get("input", data.get("output", value))
    return None if value is None else as_json(value)


def _call_id(run: Fields) -> str | None:
    output = fields(fields(run.get("outputs")).get("output"))
    metadata = fields(fields(run.get("extra")).get("metadata"))
    found = output.get("tool_call_id") or metadata.get("tool_call_id")
    return string(found) or None


def _input_tokens(run: Fields) -> object:
    usage = fields(fields(fields(run.get("outputs")).get("llm_output")).get("token_usage"))
    metadata = fields(fields(fields(run.get("extra")).get("metadata")).get("usage_metadata"))
    return run.get("prompt_tokens") or usage.get("prompt_tokens") or metadata.get("input_tokens")


FORMAT = JsonFormat("LangSmith runs", _recognizes, _spans)
