"""Calls that link to what caused them are in the report of that turn, live and in stored spans."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.context import Context
from opentelemetry.trace import Link, Span, SpanContext, TraceFlags, set_span_in_context

from otel_parallelism import agent_turn

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.conftest import Kit

MS = 1_000_000
START_NS = 1_900_000_000 * 1_000 * MS
TURN = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "planner"}
CHAT = {"gen_ai.operation.name": "chat"}
CALL = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "get_rows"}


def start(kit: Kit, name: str, at_ms: int, attributes: dict[str, str], around: Span | None = None, **to: Any) -> Span:
    """Start a span at *at_ms*; without a span *around*, it is the root of a new trace."""
    context = Context() if around is None else set_span_in_context(around, Context())
    links = [
        Link(target, {"gen_ai.attribution.link_type": to["typed"]} if "typed" in to else None)
        for target in to.get("links", ())
    ]
    return kit.tracer().start_span(name, context, attributes=attributes, links=links, start_time=START_NS + at_ms * MS)


def end(span: Span, at_ms: int) -> None:
    span.end(START_NS + at_ms * MS)


def context_of(span: Span) -> SpanContext:
    return span.get_span_context()


def play(kit: Kit, targets: Sequence[str], **link: Any) -> None:
    """Play a turn beside another open one; two calls in traces of their own link to the *targets*."""
    turn, other = start(kit, "run", 0, TURN), start(kit, "other", 0, TURN)
    chat = start(kit, "chat", 0, CHAT, turn)
    end(chat, 100)
    known = {
        "chat": context_of(chat),
        "run": context_of(turn),
        "other": context_of(other),
        "gone": SpanContext(7, 7, is_remote=True, trace_flags=TraceFlags(1)),
    }
    for at_ms in (100, 400):
        call = start(kit, f"call {at_ms}", at_ms, CALL, links=[known[name] for name in targets], **link)
        end(call, at_ms + 300)
    end(turn, 1_000)
    end(other, 1_000)


def calls_of(reports: Any) -> dict[str, int]:
    return {one.turn.name: len(one.turn.calls) for one in reports}


@pytest.mark.parametrize(
    ("targets", "link"),
    [
        (["chat"], {"typed": "CAUSED_BY_GENERATION"}),
        (["chat"], {}),
        (["run"], {}),
        (["gone", "run"], {}),
    ],
)
def test_linked_calls_belong_to_the_turn(kit: Kit, targets: list[str], link: dict[str, str]) -> None:
    play(kit, targets, **link)
    assert calls_of(kit.reports) == {"run": 2, "other": 0}
    assert calls_of(kit.stored().reports) == {"run": 2, "other": 0}
    live, stored = (next(one for one in some if one.turn.name == "run") for some in (kit.reports, kit.stored().reports))
    assert (
        (live.makespan, live.work, live.verdict)
        == (stored.makespan, stored.work, stored.verdict)
        == (
            0.6,
            0.6,
            "possibly_sequential",
        )
    )


@pytest.mark.parametrize(
    ("targets", "link"),
    [
        (["gone"], {}),
        (["run", "other"], {}),
        (["run"], {"typed": "CAUSED_BY_GENERATION"}),
        (["chat"], {"typed": "INFORMED_BY"}),
        (["chat"], {"typed": "SEE_ALSO"}),
    ],
)
def test_wrong_links_change_nothing(kit: Kit, targets: list[str], link: dict[str, str]) -> None:
    play(kit, targets, **link)
    assert calls_of(kit.reports) == {"run": 0, "other": 0}
    assert calls_of(kit.stored().reports) == {"run": 0, "other": 0}


def test_call_may_link_to_our_own_turn(kit: Kit) -> None:
    with agent_turn("ours") as ours, agent_turn("inner"):
        target = ours.span.get_span_context()
        for _ in range(2):
            kit.tracer().start_span("call", Context(), attributes=CALL, links=[Link(target)]).end()
    assert {one.turn.agent: [call.tool for call in one.turn.calls if not call.sub_agent] for one in kit.reports} == {
        "inner": [],
        "ours": ["get_rows", "get_rows"],
    }


def test_links_to_calls_lead_inside_them_while_they_run(kit: Kit) -> None:
    def call(name: str, at_ms: int, around: Span | None, *links: Span) -> Span:
        named = {**CALL, "gen_ai.tool.name": name}
        return start(kit, name, at_ms, named, around, links=[context_of(target) for target in links])

    turn = start(kit, "run", 0, TURN)
    outer = call("outer", 100, None, turn)
    inner = call("inner", 150, outer, outer)
    lost = call("lost", 200, None, inner, outer)
    for at_ms, span in ((300, lost), (400, inner), (500, outer)):
        end(span, at_ms)
    end(call("again", 550, None, outer), 580)
    end(turn, 600)
    names = {f"{context_of(span).span_id:016x}": name for span, name in ((outer, "outer"), (inner, "inner"))}
    for (report,) in (kit.reports, kit.stored().reports):
        inside = {call.tool: names.get(call.scope, "") for call in report.turn.calls}
        assert inside == {"outer": "", "inner": "outer", "lost": "inner", "again": ""}
