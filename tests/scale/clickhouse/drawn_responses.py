"""Draws turns in which a model response asks for calls that mostly run one by one, with a seed."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING, Any, Final

import msgspec

from otel_parallelism import names
from otel_parallelism.model import SpanEvent, SpanRecord

if TYPE_CHECKING:
    from collections.abc import Iterator

START_NS: Final = 1_790_000_000_123_456_789
TOOLS: Final = (
    *("get_weather", "get_stock", "search_flights", "list_users", "read_page", "find_hotel", "lookup_price"),
    *("frobnicate", "plan", "score_lead", "weather", "get_token", "get_refund_status", "get_or_create", "read_output"),
    *("send_mail", "create_order", "book", "login", "click", "run", "query", "fetch", "sql_query", "get_page_text"),
    *("getWeather", "mcp__web__get_page", "desk-get_news", "web_search", "summarize_text", "describe_table", "grüße"),
)
ARGUMENTS: Final = (
    *('{"city": "Oslo"}', '{"id": 7}', '{"query": "cheap hotels"}', '{"names": ["a", "b"]}', "{}", "Oslo", '["POST"]'),
    *('{"q": "select a, b from t"}', '{"query": "update t set a = 1"}', '{"method": "DELETE", "address": "x"}'),
    *('{"url": "https://a.example/delete/1"}', '{"command": "rm -rf x"}', '{"action": "delete"}', '{"sql": "drop t"}'),
    *('{"output_file": "a.csv"}', '{"path": "a/b"}', '{"query": "set x"}', '{"statement": "use sales"}', '{"city": "O'),
    *('{"kwargs": {"method": "POST", "url": "https://a.example"}}', '{"input": "mutation { a }"}', '{"text": "cd x"}'),
    *("{'city': 'Oslo'}", "{'method': 'PUT'}", "mutation { close(id: 1) { ok } }", '{"dest": "out/a.txt"}'),
    *('{"httpMethod": "POST"}', '{"op": "login"}', '{"args": ["bash", "-c", "rm x"]}', '{"a": {"verb": "DELETE"}}'),
)
RESULTS: Final = (
    *("7 degrees", '{"price": 3}', "[]", "", "Loaded sales.csv, 3 columns", "Switched to staging", "error: timed out"),
    *('{"content": [{"type": "text", "text": "session started"}], "isError": false}', "saved to memory", "yes"),
    *("The results show set prices, now available at https://a.example/offers", "ok: \\u2713 Uploaded 3 files", "null"),
    *('"\\n Loaded a.csv"', '["Saved", "a.csv"]', "{'result': 'opened the page'}", "now connected to staging"),
    *('{"status": "error"}', "Results are available in the workspace", '{"next": "get_stock"}'),
)
_BESIDE: Final[tuple[dict[str, Any], ...]] = (
    {names.EFFECT: "write"},
    {names.EFFECT: "read"},
    {names.RESOURCE: "disk"},
    {names.DEPENDS_ON: ("get_weather", "frobnicate", "get_stock")},
    {names.SWITCH: "sequential=True"},
    {names.BLOCKED: 0.2},
    {"gen_ai.operation.name": "create_memory"},
    {"openinference.span.kind": "RETRIEVER", "input.value": "Oslo"},
    {"langfuse.observation.type": "retriever"},
    {"gen_ai.tool.status": "error"},
    {"anthropic.content.truncated": True},
)


class _Turn:
    """One turn while it is drawn; *odd* is the chance of each oddity."""

    def __init__(self, choose: random.Random, number: int, odd: float) -> None:
        self._choose = choose
        self._odd = odd
        self._trace_id = f"{number + 1:032x}"
        self._number = number
        self._at_ns = START_NS + number * 1_000_000_000_000
        self.spans: list[SpanRecord] = []

    def _is_odd(self, share: float = 1.0) -> bool:
        return self._choose.random() < self._odd * share

    def _span(self, parent: str, start_ns: int, end_ns: int, name: str, attributes: dict[str, Any]) -> SpanRecord:
        span_id = f"{self._number * 1_000 + len(self.spans) + 1:016x}"
        made = SpanRecord(self._trace_id, span_id, parent, name, start_ns, end_ns, attributes, instrumentation="agents")
        self.spans.append(made)
        return made

    def draw(self) -> list[SpanRecord]:
        choose = self._choose
        begin_ns = self._at_ns
        run: dict[str, Any] = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "planner"}
        if self._is_odd(0.5):
            run |= {names.VERDICT: "parallel", names.CALLS: 9, names.EFFICIENCY: 1.0, names.AVOIDABLE: 0.0}
        turn = self._span("", begin_ns, begin_ns, "invoke_agent planner", run).span_id
        for _ in range(choose.choices((1, 2, 3), (8, 1, 1))[0]):
            self._round(turn)
        if choose.random() < 0.7:
            self._step(turn, ())
        last_ns = max(span.end_ns for span in self.spans)
        self.spans[0] = msgspec.structs.replace(self.spans[0], end_ns=last_ns + choose.choice((1, 10**8, 10**10)))
        return choose.sample(self.spans, k=len(self.spans))

    def _step(self, turn: str, ids: tuple[str, ...]) -> None:
        choose = self._choose
        end_ns = self._at_ns + choose.randint(1, 10**9)
        listed = ids[:-1] if self._is_odd() else (*ids, "another") if self._is_odd() else ids
        attributes: dict[str, Any] = {"gen_ai.operation.name": "chat"}
        if choose.random() < 0.6:
            parts: list[Any] = [{"type": "tool_call", "id": each, "name": "x", "arguments": {}} for each in listed]
            if choose.random() < 0.3:
                words = choose.choice(("I look.", "<tool_call>x</tool_call>") if self._is_odd() else ("I look.",))
                parts.insert(0, {"type": "text", "content": words})
            message = {"role": "assistant", "parts": parts, "finish_reason": "tool_call" if ids else "stop"}
            text = json.dumps([message])
            attributes[names.OUTPUT_MESSAGES] = text[:-3] if self._is_odd(0.5) else text
        else:
            attributes |= {"openinference.span.kind": "LLM", "llm.output_messages.0.message.role": "assistant"}
            for at, each in enumerate(listed):
                key = f"llm.output_messages.0.message.tool_calls.{at}.tool_call"
                attributes |= {f"{key}.function.name": "x", f"{key}.id": each}
        self._span(turn, self._at_ns, end_ns + (10**9 if self._is_odd() else 0), "chat model", attributes)
        if self._is_odd():
            self._span(turn, end_ns + 10**8, end_ns + 2 * 10**8, "chat model", {"gen_ai.operation.name": "chat"})
        self._at_ns = end_ns

    def _round(self, turn: str) -> None:
        choose = self._choose
        count = choose.choices((1, 2, 3, 5, 11), (1, 5, 5, 2, 1 if self._is_odd() else 0))[0]
        ids = tuple(f"call_{len(self.spans)}_{at}" for at in range(count))
        self._step(turn, ids)
        kind = choose.randrange(3)
        tools = choose.choices(TOOLS[:7] if kind else TOOLS, k=count)
        if kind == 2 or choose.random() < 0.2:
            tools = [choose.choice(TOOLS)] * count
        unit_ns = choose.choice((10**6, 10**8, 10**9))
        contents = choose.random() < 0.6
        for each, tool in zip(ids, tools, strict=True):
            begin_ns = self._at_ns + choose.choice((0, 1, unit_ns // 3))
            end_ns = begin_ns + choose.randint(0 if self._is_odd() else 1, 3 * unit_ns)
            attributes: dict[str, Any] = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": tool}
            if not self._is_odd(0.5):
                attributes[choose.choice(("gen_ai.tool.call.id", "tool_call.id"))] = each
            if "tool_call.id" in attributes:
                attributes |= {"openinference.span.kind": "TOOL", "tool.name": tool}
            if contents:
                self._contents(attributes)
            if self._is_odd():
                attributes |= choose.choice(_BESIDE)
            made = self._span(turn, begin_ns, end_ns, f"execute_tool {tool}", attributes)
            self._oddities(made)
            self._at_ns = begin_ns + (end_ns - begin_ns) // 2 if self._is_odd() else end_ns

    def _contents(self, attributes: dict[str, Any]) -> None:
        choose = self._choose
        given = choose.choice(ARGUMENTS[:5] if choose.random() < 0.8 else ARGUMENTS)
        output = choose.choice(RESULTS[:2] if choose.random() < 0.8 else RESULTS)
        by_openinference = "openinference.span.kind" in attributes
        attributes["input.value" if by_openinference else names.TOOL_CALL_ARGUMENTS] = given
        attributes["output.value" if by_openinference else names.TOOL_CALL_RESULT] = output

    def _oddities(self, call: SpanRecord) -> None:
        choose = self._choose
        if self._is_odd():
            call = msgspec.structs.replace(call, error=True)
        if self._is_odd(0.5):
            call = msgspec.structs.replace(call, links=(choose.choice(self.spans).span_id,))
        if self._is_odd():
            content = {"content": choose.choice(ARGUMENTS), "message": choose.choice(RESULTS)}
            name = choose.choice(("gen_ai.tool.message", "gen_ai.choice"))
            call = msgspec.structs.replace(call, events=(SpanEvent(name, content),))
        self.spans[-1] = call
        if self._is_odd():
            inner = {"gen_ai.operation.name": choose.choice(("execute_tool", "chat", "invoke_agent", "other"))}
            tool = choose.choice(TOOLS)
            self._span(call.span_id, call.start_ns, call.end_ns, tool, {**inner, "gen_ai.tool.name": tool})


def drawn_responses(seed: int, number: int) -> Iterator[list[SpanRecord]]:
    """Yield the spans of *number* turns, each in a trace of its own."""
    choose = random.Random(seed)
    for at in range(number):
        yield _Turn(choose, at, choose.choice((0, 0, 0.02, 0.1))).draw()
