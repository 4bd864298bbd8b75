"""Calls, steps, turns and span trees for tests: built from times in seconds, or drawn by hypothesis."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from otel_parallelism.analysis.turns.normalization import normalize
from otel_parallelism.model import Call, Content, Passage, Step, Turn, TurnSpan
from otel_parallelism.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from otel_parallelism.model import Observation

TRACE = "5b8efff798038103d269b633813fc60c"
TURN = "turn"
SECOND_NS = 1_000_000_000
START_NS = 1_700_000_000 * SECOND_NS
UNIT_NS = 100_000_000
"""The unit of drawn times: coarse, so that calls often touch, overlap and coincide."""

READS = ("get_flights", "search_hotels", "list_orders")
WRITES = ("create_booking", "delete_file")
UNKNOWNS = ("frobnicate", "")
EXACT = Settings(min_avoidable=0.0, min_avoidable_share=0.0)
"""Settings that report every saving, however small."""


def at(seconds: float) -> int:
    """Return the time *seconds* after `START_NS`, in nanoseconds since the epoch."""
    return START_NS + round(seconds * SECOND_NS)


def call(span_id: str, start: float, end: float, tool: str = READS[0], **fields: Any) -> Call:
    """Return a call from *start* to *end*, in seconds; by default of a reading tool, directly below the turn."""
    fields = {"parent_id": TURN, **fields}
    return Call(trace_id=TRACE, span_id=span_id, tool=tool, start_ns=at(start), end_ns=at(end), **fields)


def read(
    span_id: str, start: float, end: float, arguments: object = None, result: object = "rows", **fields: Any
) -> Call:
    """Return a call of a reading tool, by default with arguments of its own."""
    given = f"x of {span_id}" if arguments is None else arguments
    known = {"arguments": Content(given), "result": Content(result)}
    return call(span_id, start, end, **{**known, **fields})


def step(span_id: str, start: float, end: float, **fields: Any) -> Step:
    """Return a model request from *start* to *end*, in seconds, directly below the turn."""
    fields = {"parent_id": TURN, **fields}
    return Step(trace_id=TRACE, span_id=span_id, start_ns=at(start), end_ns=at(end), **fields)


def passage(span_id: str, start: float, end: float, **fields: Any) -> Passage:
    """Return a span of no agent vocabulary."""
    fields = {"parent_id": TURN, "name": span_id, **fields}
    return Passage(trace_id=TRACE, span_id=span_id, start_ns=at(start), end_ns=at(end), **fields)


def turn_span(start: float, end: float, span_id: str = TURN, parent_id: str = "", **fields: Any) -> TurnSpan:
    """Return the span of an agent run."""
    fields = {"name": span_id, **fields}
    return TurnSpan(trace_id=TRACE, span_id=span_id, parent_id=parent_id, start_ns=at(start), end_ns=at(end), **fields)


def turn(*inside: Observation, settings: Settings | None = None, **fields: Any) -> Turn:
    """Return the normalised turn that contains *inside*, from the first start to the last end."""
    start_ns = min((span.start_ns for span in inside), default=START_NS)
    end_ns = max((span.end_ns for span in inside), default=START_NS)
    # What `read` gives its calls by default is what the user asked for.
    asked = Content(", ".join(["x", *sorted(span.span_id for span in inside)]))
    span = TurnSpan(
        **{
            "input": asked,
            "trace_id": TRACE,
            "span_id": TURN,
            "parent_id": "",
            "name": "plan",
            "start_ns": start_ns,
            "end_ns": end_ns,
            **fields,
        }
    )
    (found,) = (t for t in normalize([span, *inside], settings or Settings()).turns if t.span_id == TURN)
    return found


def in_order(calls: Sequence[Call]) -> list[Call]:
    """Return *calls* in the order of the analysis: by start, end and id."""
    return sorted(calls, key=lambda one: (one.start_ns, one.end_ns, one.span_id))


tools = st.sampled_from((*READS, *READS, *WRITES, *UNKNOWNS))
instants = st.integers(0, 14).map(lambda units: START_NS + units * UNIT_NS)
lengths = st.integers(0, 6).map(lambda units: units * UNIT_NS)
values = st.sampled_from(("ABC123", "user-77", "42", "true", "Paris", 7_654_321, 3, None))
contents = st.one_of(
    st.none(),
    st.builds(
        Content,
        value=st.one_of(values, st.lists(values, max_size=3), st.dictionaries(st.sampled_from("ab"), values)),
        whole=st.sampled_from((True, True, True, False)),
        identities=st.lists(st.integers(1, 3), max_size=1).map(tuple),
    ),
)


_rounds = st.one_of(st.none(), st.integers(0, 2))
_declared = st.sampled_from((None, None, None, (), (READS[0],), (WRITES[0], READS[1])))
_rarely_true = st.sampled_from((False, False, True))
_traits = st.tuples(instants, lengths, tools, _rounds, st.booleans(), _rarely_true, _rarely_true)
_evidence = st.tuples(contents, contents, st.sampled_from(("", "", "db", "disk")), _declared, st.integers(0, 9))


@st.composite
def scope_calls(
    draw: st.DrawFn, *, min_size: int = 0, max_size: int = 8, scope: str = "", prefix: str = "c"
) -> list[Call]:
    """Draw calls of one scope, in order, with all kinds of effects, declarations, rounds and contents."""
    drawn = []
    for number, (traits, evidence) in enumerate(
        draw(st.lists(st.tuples(_traits, _evidence), min_size=min_size, max_size=max_size))
    ):
        start_ns, length_ns, tool, round_, proved, bound, error = traits
        arguments, result, resource, depends_on, link = evidence
        drawn.append(
            Call(
                trace_id=TRACE,
                span_id=f"{prefix}{number}",
                parent_id=scope or TURN,
                tool=tool,
                start_ns=start_ns,
                end_ns=start_ns + length_ns,
                scope=scope,
                round=None if scope else round_,
                proved=proved and not scope and round_ is not None,
                bound=bound,
                error=error,
                arguments=arguments,
                result=result,
                resource=resource,
                depends_on=depends_on,
                links=(f"{prefix}{link}",) if link < max_size // 2 else (),
            )
        )
    return in_order(drawn)


@st.composite
def simple_calls(draw: st.DrawFn, *, min_size: int = 0, max_size: int = 8) -> list[Call]:
    """Draw calls of one scope, in order, that differ only in times, tools and rounds."""
    traits = draw(st.lists(st.tuples(instants, lengths, tools, _rounds), min_size=min_size, max_size=max_size))
    return in_order(
        [
            Call(
                trace_id=TRACE,
                span_id=f"c{number}",
                parent_id=TURN,
                tool=tool,
                start_ns=start_ns,
                end_ns=start_ns + length_ns,
                round=round_,
            )
            for number, (start_ns, length_ns, tool, round_) in enumerate(traits)
        ]
    )


@st.composite
def graphs(draw: st.DrawFn, *, max_size: int = 8) -> tuple[list[Call], list[int], list[int]]:
    """Draw calls, the edges of each to calls that ended before it started, and their transitive closure."""
    calls = draw(simple_calls(max_size=max_size))
    wanted = draw(st.lists(st.integers(0, 2**max_size - 1), min_size=len(calls), max_size=len(calls)))
    edges: list[int] = []
    after: list[int] = []
    for index, later in enumerate(calls):
        mask = reach = 0
        for earlier in range(index):
            if calls[earlier].end_ns <= later.start_ns and wanted[index] >> earlier & 1:
                mask |= 1 << earlier
                reach |= 1 << earlier | after[earlier]
        edges.append(mask)
        after.append(reach)
    return calls, edges, after


@st.composite
def turns(draw: st.DrawFn, *, max_size: int = 7, nested: bool = True) -> Turn:
    """Draw normalised turns with calls, sometimes calls inside calls, model requests and the user's messages."""
    own = draw(scope_calls(max_size=max_size))
    every = list(own)
    if nested and own and draw(st.booleans()):
        around = draw(st.sampled_from(own))
        every += draw(scope_calls(max_size=4, scope=around.span_id, prefix="i"))
    steps = [
        Step(
            TRACE,
            f"s{number}",
            TURN,
            start_ns,
            start_ns + draw(lengths),
            input_tokens=draw(st.sampled_from((None, 900))),
        )
        for number, start_ns in enumerate(sorted(draw(st.lists(instants, max_size=3))))
    ]
    start_ns = min((span.start_ns for span in (*every, *steps)), default=START_NS)
    end_ns = max((span.end_ns for span in (*every, *steps)), default=START_NS)
    message = draw(contents)
    return Turn(
        trace_id=TRACE,
        span_id=TURN,
        name="plan",
        agent="travel",
        start_ns=start_ns,
        end_ns=end_ns,
        calls=tuple(in_order(every)),
        steps=tuple(steps),
        inputs=() if message is None else (message,),
    )


@st.composite
def span_trees(draw: st.DrawFn, *, max_size: int = 9, broken: bool = True) -> list[Observation]:
    """Draw the spans of one trace; *broken* allows unknown parents, cycles and intervals that end before they start."""
    size = draw(st.integers(1, max_size))
    spans: list[Observation] = []
    for number in range(size):
        parents = [f"n{other}" for other in range(size if broken else number)]
        parent_id = draw(st.sampled_from([*parents, *parents, "", *(["gone"] if broken else [])]))
        start_ns = draw(instants)
        common: dict[str, Any] = {
            "trace_id": TRACE,
            "span_id": f"n{number}",
            "parent_id": parent_id,
            "start_ns": start_ns,
            "end_ns": start_ns + (draw(st.integers(-1, 9)) if broken else draw(st.integers(0, 9))) * UNIT_NS,
            "source": draw(st.sampled_from(("", "", "", "other"))),
            "instrumentation": draw(st.sampled_from(("", "one", "two"))),
        }
        kind = draw(st.sampled_from((Call, Call, Call, TurnSpan, Step, Passage)))
        if kind is Call:
            tool = draw(st.sampled_from((*READS, "srv.list_orders", "think", "")))
            call_id = draw(st.sampled_from(("", "", "id1", "id2")))
            spans.append(
                Call(tool=tool, call_id=call_id, arguments=draw(contents), error=draw(st.booleans()), **common)
            )
        elif kind is Step:
            requested = draw(st.sampled_from((None, (), ("id1",), ("id1", "id2"))))
            spans.append(Step(requested=requested, **common))
        elif kind is TurnSpan:
            spans.append(TurnSpan(name="", agent=draw(st.sampled_from(("", "travel"))), **common))
        else:
            spans.append(Passage(name="", cycle=draw(st.booleans()), **common))
    return spans
