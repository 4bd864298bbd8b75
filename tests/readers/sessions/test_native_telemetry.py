"""Log records and spans of coding agents give the turns that a transcript of the same session gives."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from google.protobuf.json_format import Parse
from opentelemetry.proto.logs.v1.logs_pb2 import LogsData

from otel_parallelism.analysis.analyze import analyze_records
from otel_parallelism.dialects import classify
from otel_parallelism.errors import UnreadableError
from otel_parallelism.readers.any_format import read_spans
from otel_parallelism.readers.sessions.native_telemetry import NativeTelemetry, session_keys
from otel_parallelism.readers.sessions.session_spans import session_spans
from otel_parallelism.readers.sessions.transcript_places import AGENTS
from otel_parallelism.settings import Settings

if TYPE_CHECKING:
    from otel_parallelism.model import Report

S = 10**9
START = 1_790_000_000 * S
RECORDED = Path(__file__).parents[2] / "fixtures" / "telemetry" / "gemini_cli-native.jsonl"
SESSION = "0199a213-81c0-7800-8aa1-bbab2a035a53"


def otlp(at_ns: int, name: str, body: str = "", **attributes: Any) -> str:
    """One log record as the Collector's file exporter writes it; all values but whole numbers are texts."""
    pairs = {"event.name": name, **attributes}
    record = {
        "timeUnixNano": str(at_ns),
        "body": {"stringValue": body or name},
        "attributes": [
            {"key": key, "value": {"intValue": str(value)} if isinstance(value, int) else {"stringValue": value}}
            for key, value in pairs.items()
        ],
    }
    return json.dumps({"resourceLogs": [{"resource": {}, "scopeLogs": [{"scope": {}, "logRecords": [record]}]}]})


def sdk(at_ns: int, name: str, indent: int | None = None, **attributes: Any) -> str:
    """One log record as Gemini CLI writes it into its outfile."""
    pairs = {"event.name": name, **attributes}
    return json.dumps({"hrTime": [at_ns // S, at_ns % S], "attributes": pairs, "_body": "told"}, indent=indent)


def claude(number: int, at_ns: int) -> list[str]:
    path = json.dumps({"file_path": f"/srv/{number}.py"})
    common = {"session.id": SESSION, "prompt.id": "p"}
    return [
        otlp(at_ns + 2 * S, "api_request", "claude_code.api_request", **common, duration_ms="2000", input_tokens="4",
             cache_read_tokens="900", cache_creation_tokens="96"),
        otlp(at_ns + 4 * S, "tool_result", "claude_code.tool_result", **common, duration_ms="2000", success="true",
             tool_name="Read", tool_use_id=f"toolu_{number}", tool_input=path),
    ]  # fmt: skip


def codex(number: int, at_ns: int) -> list[str]:
    common = {"conversation.id": SESSION}
    return [
        otlp(at_ns + S, "codex.sse_event", **common, **{"event.kind": "response.output_item.done"}, duration_ms=5),
        otlp(at_ns + 2 * S, "codex.sse_event", **common, **{"event.kind": "response.completed"}, duration_ms=2000,
             input_token_count=1000, cached_token_count=900),
        otlp(at_ns + 4 * S, "codex.tool_result", **common, duration_ms=2000, success="true", tool_name="read_file",
             call_id=f"call_{number}", arguments=json.dumps({"path": f"/srv/{number}.py"}), output="text"),
    ]  # fmt: skip


def gemini(number: int, at_ns: int) -> list[str]:
    common = {"session.id": SESSION, "prompt_id": "p"}
    return [
        sdk(at_ns + S, "gemini_cli.api_response", **common, duration_ms=500, role="utility_router"),
        sdk(at_ns + 2 * S, "gemini_cli.api_response", **common, duration_ms=2000, role="main", input_token_count=1000,
            cached_content_token_count=900),
        sdk(at_ns + 4 * S, "gemini_cli.tool_call", **common, duration_ms=2000, success=True, function_name="read_file",
            function_args=json.dumps({"file_path": f"/srv/{number}.py"})),
    ]  # fmt: skip


SAID = {
    "claude-code": otlp(START, "user_prompt", "claude_code.user_prompt", **{"session.id": SESSION}, prompt="Compare"),
    "codex": otlp(START, "codex.user_prompt", **{"conversation.id": SESSION}, prompt="Compare"),
    "gemini-cli": sdk(START, "gemini_cli.user_prompt", **{"session.id": SESSION}, prompt="Compare"),
}
WRITE = {"claude-code": claude, "codex": codex, "gemini-cli": gemini}


def written(path: Path, agent: str, turns: int = 2) -> Path:
    """Write *turns* turns with three reads each, one a response; the second begins an hour after the first."""
    lines = []
    for turn in range(turns):
        began = START + turn * 3_600 * S
        said = SAID[agent].replace(str(START // S), str(began // S))
        lines += [said, *(line for number in range(3) for line in WRITE[agent](number, began + 4 * S * number))]
    path.write_text("\n".join(lines) + "\n")
    return path


def read(path: Path) -> NativeTelemetry:
    found = NativeTelemetry(AGENTS)
    for span in read_spans(path, other=found.add_value):
        found.add_span(span)
    return found


def reports(found: NativeTelemetry, known: frozenset[str] = frozenset()) -> list[Report]:
    spans = [session_spans(turn) for turn in found.turns(known)]
    spans += [trace for _, _, trace in found.traces(known)]
    return [report for each in spans for report in analyze_records(each, classify, Settings()).reports]


@pytest.mark.parametrize("agent", WRITE)
def test_log_records_become_turns(tmp_path: Path, agent: str) -> None:
    found = read(written(tmp_path / "logs.jsonl", agent))
    turns = list(found.turns(()))
    assert [(turn.agent, turn.session, turn.words, len(turn.responses)) for turn in turns] == [
        (agent, SESSION, "Compare", 3)
    ] * 2
    for report in reports(found):
        (finding,) = report.findings
        assert (report.calls, len(finding.calls), finding.cause) == (3, 3, "model")
        if agent == "codex":
            assert (finding.advice, report.avoidable_steps, report.avoidable_tokens) == ("recommended", 2, 2000)
            assert report.avoidable == pytest.approx(8)
        else:  # no record has what a call returned
            assert (finding.advice, report.avoidable) == ("potential", 0)
            assert report.avoidable_potential == pytest.approx(8)


@pytest.mark.parametrize("form", ["plain", "lengths", "gzip"])
def test_log_records_in_protobuf_become_the_same_turns(tmp_path: Path, form: str) -> None:
    path = written(tmp_path / "logs.jsonl", "codex")
    requests = [Parse(line, LogsData()).SerializeToString() for line in path.read_text().splitlines()]
    if form == "lengths":
        data = b"".join(len(request).to_bytes(4, "big") + request for request in requests)
    else:
        data = b"".join(requests)  # the lists of two requests, one after another, are the list of one
    binary = tmp_path / "logs.pb"
    binary.write_bytes(gzip.compress(data) if form == "gzip" else data)
    assert list(read(binary).turns(())) == list(read(path).turns(()))
    with pytest.raises(UnreadableError, match="it holds logs and no spans"):
        list(read_spans(binary))


@pytest.mark.parametrize("agent", WRITE)
def test_a_session_with_a_transcript_is_left_out(tmp_path: Path, agent: str) -> None:
    found = read(written(tmp_path / "logs.jsonl", agent))
    assert reports(found, session_keys([f"rollout-2026-11-02T09-00-00-{SESSION}"])) == []


@pytest.mark.parametrize("signal", ["spans", "records", "both"])
def test_what_gemini_cli_itself_wrote(tmp_path: Path, signal: str) -> None:
    """A recording of three turns: three calls in one response, the same one a response, and three that need another."""
    recorded = RECORDED.read_text(encoding="utf-8").splitlines()
    path = tmp_path / "telemetry.log"
    path.write_text(
        "\n".join(line for line in recorded if signal == "both" or ("hrTime" in line) == (signal == "records"))
    )
    found = read(path)
    turns = list(found.turns(()))
    words = [turn.words.partition(":")[0] for turn in turns]
    assert words == (["", "", ""] if signal == "spans" else ["All at once", "One by one", "Step by step"])
    asked = [[call.tool.removeprefix("mcp_desk_get_") for call in response.calls] for response in turns[0].responses]
    assert sorted(asked[0]) == ["news", "stock", "weather"]
    assert [len(response.calls) for response in turns[1].responses] == [1, 1, 1, 0]
    together, apart, dependent = reports(found)
    assert (together.verdict, together.findings) == ("parallel", ())
    assert [(finding.cause, len(finding.calls)) for finding in apart.findings] == [("model", 3)]
    # Records do not have what a call returned.
    assert dependent.verdict == ("possibly_sequential" if signal == "records" else "serial_by_need")
    assert all(finding.advice != "recommended" for finding in dependent.findings)
    if signal != "records":
        assert turns[0].responses[0].calls[0].arguments in ({"city": "Oslo"}, {"symbol": "ACME"}, {"topic": "robots"})
        assert all(response.input_tokens == 100 for turn in turns for response in turn.responses)


def test_other_records_and_broken_ones_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "logs.jsonl"
    others = [
        *(otlp(START, "codex.tool_decision", **{"conversation.id": SESSION}), otlp(START, "an.event"), sdk(START, "x")),
        *(otlp(START, "codex.tool_result"), '{"resourceLogs": [{"scopeLogs": 5}]}', '{"resourceMetrics": []}'),
        *('{"hrTime": "soon", "attributes": []}', '{"resource": {}, "scopeMetrics": []}'),
    ]
    path.write_text("\n".join(others) + "\n")
    assert list(read(path).turns(())) == []


def test_a_span_of_another_program_is_no_session(tmp_path: Path) -> None:
    context = {"traceId": "1" * 32, "spanId": "2" * 16}
    span = {"_spanContext": context, "name": "GET", "startTime": [1, 2], "endTime": [3, 4], "attributes": {}}
    path = tmp_path / "spans.json"
    path.write_text(json.dumps(span))
    assert reports(read(path)) == []
