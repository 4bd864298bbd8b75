"""
Spans recorded from real instrumentations, through reader, dialects and analysis, compared with the raw spans.

The expected values are computed from the JSON alone, without this package: which spans are tool calls by their clearest
attribute, when they ran, and whether their trace has spans that separate rounds.
"""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import pytest

from otel_parallelism.analysis.analyze import analyze_records
from otel_parallelism.dialects import classify
from otel_parallelism.model import Call, Passage, Step, TurnSpan
from otel_parallelism.readers.otlp_json import read_otlp_json
from otel_parallelism.settings import Settings
from tests.amounts import some_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from otel_parallelism.model import Analysis, Report, SpanRecord

    RawSpan: TypeAlias = tuple[dict[str, Any], dict[str, Any]]


def name_of(path: Path) -> str:
    return f"{path.parent.parent.name}/{path.stem}"


RECORDED = sorted((Path(__file__).parent / "fixtures" / "spans").glob("*.jsonl"))
SHARED_FOLDER = Path(__file__).parents[2] / "shared" / "data" / "spans"
SHARED = sorted(SHARED_FOLDER.glob("*.jsonl"))
DELEGATING = [path for path in RECORDED if "delegating" in path.stem]
FILES = [pytest.param(path, id=name_of(path)) for path in RECORDED + SHARED if path not in DELEGATING] + (
    [] if SHARED else [pytest.param(None, id="shared", marks=pytest.mark.skip(reason=f"no {SHARED_FOLDER}"))]
)

# Files with calls outside of any turn, and files of frameworks that record no spans for tools.
WITHOUT_TURNS = {
    *("data/mcp-native", "data/fastmcp-native", "data/openai_manual-openinference"),
    *("fixtures/mcp-native_alone", "fixtures/openai_manual-openinference", "fixtures/haystack-openinference"),
}
WITHOUT_CALLS = {"openai_manual-openinference", "haystack-openinference", "crewai-traceloop", "smolagents-genai"}
NOT_CALLS = {"final_answer", "finish", "(merged tools)"}
OPENLITS_MODEL = "invoke_agent model"
DEPENDENT = ["find_user", "get_orders", "get_invoice"]


class Raw(NamedTuple):
    """One tool call, as recorded in the file."""

    tool: str
    start_ns: int
    end_ns: int


class Trace(NamedTuple):
    """The calls of one trace in order of start, and whether it has spans that separate rounds."""

    calls: list[Raw]
    told_apart: bool

    @property
    def ratio(self) -> float:
        work = sum(call.end_ns - call.start_ns for call in self.calls)
        return work / (max(call.end_ns for call in self.calls) - self.calls[0].start_ns)

    @property
    def one_by_one(self) -> bool:
        return all(a.end_ns <= b.start_ns for a, b in zip(self.calls, self.calls[1:], strict=False))


def attribute(value: dict[str, Any]) -> Any:
    ((kind, plain),) = value.items() or [("", None)]
    return [attribute(item) for item in plain.get("values", ())] if kind == "arrayValue" else plain


def spans_of(path: Path) -> Iterator[RawSpan]:
    for line in path.read_text().splitlines():
        for group in json.loads(line)["resourceSpans"]:
            for scope in group["scopeSpans"]:
                for span in scope["spans"]:
                    pairs = span.get("attributes", ())
                    yield span, {pair["key"]: attribute(pair["value"]) for pair in pairs}


def tool_of(span: dict[str, Any], attributes: dict[str, Any], among: Collection[str] = NOT_CALLS) -> str:
    """Return the tool's name if an unambiguous attribute of any dialect marks the span as a call."""
    name = span["name"]
    marked = (
        attributes.get("gen_ai.operation.name") == "execute_tool"
        or attributes.get("openinference.span.kind") == "TOOL"
        or attributes.get("traceloop.span.kind") == "tool"
        or attributes.get("langfuse.observation.type") == "tool"
        or attributes.get("lmnr.span.type") == "TOOL"
        or name == "haystack.agent.step.tool"
        or "tools/call " in name
        or (attributes.get("traceloop.span.kind") == "task" and "tool.name" in attributes)
        or name in {"Function: {name}", "ai.toolCall"}
        or attributes.get("genkit:metadata:subtype") == "tool"
        or attributes.get("mlflow.spanType") == '"TOOL"'
        or attributes.get("agentops.span.kind") == "tool"
        or attributes.get("langwatch.span.type") == "tool"
        or attributes.get("braintrust.span_attributes") == '{"type": "tool"}'
    )
    keys = ("ai.toolCall.name", "tool.name", "gen_ai.tool.name", "haystack.tool.name", "traceloop.entity.name", "name")
    named = next((attributes[key] for key in keys if attributes.get(key)), name.removesuffix(".tool"))
    named = named.rsplit("tools/call ")[-1].removesuffix(".acall").removesuffix(".__call__")
    return named if marked and named not in among else ""


def is_model_request(span: dict[str, Any], attributes: dict[str, Any]) -> bool:
    name = span["name"]
    if name.endswith((".doGenerate", ".doStream")) or attributes.get("genkit:metadata:subtype") == "model":
        return True
    if attributes.get("mastra.span.type") == "model_step" or attributes.get("langwatch.span.type") == "llm":
        return True
    if attributes.get("mlflow.spanType") == '"CHAT_MODEL"' or name == "llm_node":
        return True
    if attributes.get("braintrust.span_attributes") == '{"type": "llm"}':
        return True
    return name in {OPENLITS_MODEL, "haystack.agent.step.llm"} or (
        not name.startswith(("invoke_agent", "OpenAI._prepare_"))
        and (
            attributes.get("gen_ai.operation.name") in {"chat", "generate_content"}
            or attributes.get("openinference.span.kind") == "LLM"
            or attributes.get("langfuse.observation.type") == "generation"
            or attributes.get("lmnr.span.type") == "LLM"
        )
    )


def is_run(span: dict[str, Any], attributes: dict[str, Any]) -> bool:
    agent = attributes.get("langfuse.observation.metadata.lc_agent_name", "").strip('"')
    part = attributes.get("traceloop.span.kind") == "task" or span["name"] == OPENLITS_MODEL
    return not part and (
        span["name"].startswith(("invoke_agent", "invoke_workflow", "Agent run: "))
        or attributes.get("gen_ai.operation.name") == "invoke_agent"
        or attributes.get("openinference.span.kind") == "AGENT"
        or attributes.get("traceloop.span.kind") in {"workflow", "agent"}
        or attributes.get("langfuse.observation.type") == "agent"
        or attributes.get("genkit:metadata:subtype") == "flow"
        or attributes.get("mlflow.spanType") == '"AGENT"'
        or attributes.get("agentops.span.kind") == "agent"
        or attributes.get("langwatch.span.type") == "agent"
        or span["name"]
        in {
            "haystack.agent.run",
            "ai.generateText",
            "ai.streamText",
            agent,
            attributes.get("langsmith.metadata.lc_agent_name"),
        }
        or f'"lc_agent_name":"{span["name"]}"' in attributes.get("metadata", "").replace('": "', '":"')
    )


def is_step_like(span: dict[str, Any]) -> bool:
    name = span["name"]
    return name in {"turn", "haystack.agent.step", "execute_event_loop_cycle"} or name.startswith(("Step ", "Turn "))


def traces_of(raw: list[RawSpan]) -> list[Trace]:
    """Return each trace with calls, in order of time; the outermost of nested spans of one tool is the call."""
    found = [(span, tool_of(span, attributes), attributes) for span, attributes in raw]
    parents = {span["spanId"]: span.get("parentSpanId", "") for span, _, _ in found}
    tools = {span["spanId"]: tool for span, tool, _ in found}

    def enclosed(span_id: str) -> bool:
        tool, parent = tools[span_id], parents[span_id]
        while parent in parents:
            if tools[parent] == tool:
                return True
            parent = parents[parent]
        return False

    calls: dict[str, list[Raw]] = defaultdict(list)
    told_apart: dict[str, bool] = defaultdict(bool)
    for span, tool, attributes in found:
        if tool and not enclosed(span["spanId"]):
            times = int(span["startTimeUnixNano"]), int(span["endTimeUnixNano"])
            calls[span["traceId"]].append(Raw(tool, *times))
        told_apart[span["traceId"]] |= is_model_request(span, attributes) or is_step_like(span)
    ordered = [Trace(sorted(calls[trace], key=lambda call: call[1:]), told_apart[trace]) for trace in calls]
    return sorted(ordered, key=lambda trace: trace.calls[0].start_ns)


def with_calls(analysis: Analysis) -> list[Report]:
    return [report for report in analysis.reports if report.calls]


@pytest.mark.many
@pytest.mark.parametrize("path", some_of(FILES, every=2))
def test_spans_of_a_file(path: Path) -> None:
    spans, raw = list(read_otlp_json(path)), list(spans_of(path))
    analysis, traces = analyze_records(spans, classify, Settings()), traces_of(raw)
    assert (traces == []) == (path.stem in WITHOUT_CALLS)
    every_span_is_classified_by_its_clearest_attribute(spans, raw)
    assert analysis.coverage.spans == len(raw)
    assert analysis.coverage.anomalies == 0
    if name_of(path) in WITHOUT_TURNS:
        assert analysis.reports == ()
        assert analysis.coverage.calls_without_turn == analysis.coverage.calls == sum(len(t.calls) for t in traces)
        return
    assert analysis.coverage.calls_without_turn == 0
    turns_calls_and_ratio_match_the_raw_spans(analysis, traces)
    verdicts_and_chains_match_the_recorded_programs(path, analysis, traces)


def every_span_is_classified_by_its_clearest_attribute(spans: list[SpanRecord], raw: list[RawSpan]) -> None:
    seen = {span.span_id: classify(span) for span in spans}
    for span, attributes in raw:
        observation = seen[span["spanId"]]
        place = (span["name"], type(observation).__name__)
        named = tool_of(span, attributes, among=())
        if named:
            assert isinstance(observation, Call), place
            assert observation.tool == named
        elif is_run(span, attributes):
            assert isinstance(observation, TurnSpan), place
        elif is_model_request(span, attributes):
            assert isinstance(observation, Step), place
        else:
            assert isinstance(observation, Passage), place


def turns_calls_and_ratio_match_the_raw_spans(analysis: Analysis, traces: list[Trace]) -> None:
    assert [(r.calls, r.coverage) for r in with_calls(analysis)] == [(3, 1.0)] * len(traces)
    for report, trace in zip(with_calls(analysis), traces, strict=True):
        assert [(c.tool, c.start_ns, c.end_ns) for c in report.turn.calls] == trace.calls
        assert report.ratio == pytest.approx(trace.ratio, rel=0.02)


def verdicts_and_chains_match_the_recorded_programs(path: Path, analysis: Analysis, traces: list[Trace]) -> None:
    """Burst: at once, or in sequence by some frameworks. Rounds: in sequence. Dependent: in order of dependency."""
    for number, (report, trace) in enumerate(zip(with_calls(analysis), traces, strict=True)):
        chains = [finding for finding in report.findings if finding.kind == "sequential_chain"]
        tools = [call.tool.rpartition("-")[2] for call in trace.calls]
        if tools == DEPENDENT:
            assert all(finding.advice != "recommended" for finding in report.findings)
            assert report.verdict in {"serial_by_need", "possibly_sequential"}
        elif number == 0 and not path.stem.startswith("dspy"):
            if trace.one_by_one:
                assert [(finding.cause, len(finding.calls)) for finding in chains] in (
                    [("dispatch", 3)],
                    [("blocking", 3)],
                )
            else:
                # Three calls of 50 ms at once, each much shorter than the turn.
                assert report.verdict in {"parallel", "negligible"}
                assert chains == []
        else:
            assert trace.one_by_one
            cause = "model" if trace.told_apart else "unknown"
            assert [(finding.cause, len(finding.calls)) for finding in report.findings] == [(cause, 3)]


@pytest.mark.parametrize("path", DELEGATING, ids=name_of)
def test_agents_that_run_as_tools_are_turns(path: Path) -> None:
    """One agent runs two others at once: one calls its three tools at once, the other in sequence."""
    spans = list(read_otlp_json(path))
    every_span_is_classified_by_its_clearest_attribute(spans, list(spans_of(path)))
    reports = analyze_records(spans, classify, Settings()).reports
    (chief,) = [report for report in reports if report.turn.agent == "chief"]
    assert [call.tool for call in chief.turn.calls if not call.scope] == ["ask_helper", "ask_helper"]
    # The first helper may have started a while before the second.
    assert chief.verdict in {"parallel", "possibly_sequential"}
    assert (chief.calls, chief.findings) == (2, ())
    together, apart = [report for report in reports if report.turn.agent == "helper"]
    assert (together.calls, together.verdict, together.findings) == (3, "parallel", ())
    assert [(finding.cause, len(finding.calls)) for finding in apart.findings] == [("model", 3)]
