"""
Classifies spans of any dialect: which of them are calls, steps and turns.

A span often carries two vocabularies, such as Traceloop's beside GenAI's. Each dialect returns the facts it knows, and
:func:`classify` combines them: the kind comes from the dialect with the lowest rank that has one, every other fact
from the first dialect that knows it. A module of this folder with a ``DIALECT`` is a dialect.
"""

from __future__ import annotations

from functools import lru_cache, partial, reduce
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Final
from zlib import crc32

from otel_parallelism import names
from otel_parallelism.model import Call, Observation, Passage, SpanRecord, Step, TurnSpan

from .parsing.declared_spans import SpanPatterns, declared_facts, span_patterns
from .parsing.facts import CallMark, Dialect, Facts, merged_facts, text
from .parsing.failed_spans import failure_of_span

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from otel_parallelism.settings import Settings

    from .parsing.facts import Kind

DIALECTS: Final[tuple[Dialect, ...]] = tuple(
    sorted(
        (import_module(f"{__name__}.{module.name}").DIALECT for module in iter_modules(__path__) if not module.ispkg),
        key=lambda dialect: dialect.rank,
    )
)
"""All dialects, highest precedence first."""

KEYS: Final = frozenset[str]().union(*(dialect.keys for dialect in DIALECTS))
"""A span with one of these attributes may be a call, a step or a turn."""

NAMES: Final = tuple(prefix for dialect in DIALECTS for prefix in dialect.names)
"""So may a span whose name starts with one of these."""

_START: Final = 3
_BY_START: Final[Mapping[str, tuple[str, ...]]] = {
    start: tuple(name for name in NAMES if name.startswith(start)) for start in {name[:_START] for name in NAMES}
}
"""The same by their first characters, since every span of a program is compared with them."""

_DIALECTS_BY_START: Final[Mapping[str, tuple[tuple[int, tuple[str, ...]], ...]]] = {
    start: tuple(
        (at, tuple(name for name in dialect.names if name.startswith(start)))
        for at, dialect in enumerate(DIALECTS)
        if any(name.startswith(start) for name in dialect.names)
    )
    for start in _BY_START
}
"""The positions of dialects, and the prefixes of names that are theirs, by the first characters of the prefixes."""

_MARKS: Final = KEYS.union(*(dialect.beside_keys for dialect in DIALECTS))
_OPERATIONS: Final = frozenset[str]().union(*(dialect.operations for dialect in DIALECTS))
_MAX_COMBINATIONS: Final = 1024
_REQUEST: Final = "chat "
_LONGEST_NAME: Final = 1_000


def is_named(name: str) -> bool:
    """Return whether a span called *name* may be a call, a step or a turn by its name."""
    prefixes = _BY_START.get(name[:_START])
    return prefixes is not None and name.startswith(prefixes)


def is_tool_call(name: str, attributes: Mapping[str, object]) -> bool:
    """
    Return whether a span is a call of a tool by its name and the mark of the only dialect that knows it.

    No other attribute or event makes it anything else. False says nothing: ask `classify`.
    """
    mark = _call_mark(tuple(attributes), name, _operation(attributes))
    if mark is None:
        return False
    value = attributes.get(mark.key)
    return isinstance(value, str) and value in mark.values


def classify(span: SpanRecord) -> Observation:
    """
    Return what *span* is: a call, a step, a turn, or a passage, which only connects its children to its parent.

    Content is passed on undecoded, except for the ids that a model's output asks for. A span without any agent
    vocabulary costs one comparison of keys.
    """
    if KEYS.isdisjoint(span.attributes) and not is_named(span.name):
        return _passage(span)
    return _classified(span, _known(span))


def classifier(settings: Settings) -> Callable[[SpanRecord], Observation]:
    """Return `classify`, or a function that first tries the patterns of spans in *settings*."""
    found = declared_patterns(settings)
    return classify if found is None else partial(classify_declared, patterns=found)


def declared_patterns(settings: Settings) -> SpanPatterns | None:
    """Return the patterns of spans in *settings*; None if there are none."""
    return span_patterns(settings.call_spans, settings.model_spans, settings.turn_spans)


def classify_declared(span: SpanRecord, patterns: SpanPatterns) -> Observation:
    """Return what *span* is: what the user declared with *patterns*, else what `classify` returns."""
    kind = patterns.kind_of(span.name, span.attributes)
    known = _known(span)
    if kind is None or any(facts.kind == "ignored" for facts in known):
        return _classified(span, known)
    return _MAKERS[kind](span, reduce(merged_facts, known, declared_facts(kind, span)))


def _operation(attributes: Mapping[str, object]) -> str:
    """Return a span's GenAI operation if some dialect knows it alone, else an empty string."""
    operation = attributes.get(names.OPERATION_NAME)
    return operation if isinstance(operation, str) and operation in _OPERATIONS else ""


def _known(span: SpanRecord) -> list[Facts]:
    """Return the facts of all dialects that know *span*, highest precedence first."""
    asked = _describers(tuple(span.attributes), span.name, _operation(span.attributes))
    return [facts for describe in asked if (facts := describe(span)) is not None]


def _classified(span: SpanRecord, known: list[Facts]) -> Observation:
    if not known:
        return _passage(span)
    facts = known[0] if len(known) == 1 else reduce(merged_facts, known, Facts(kind=_kind(known)))
    if facts.kind == "call" and span.name.startswith(_REQUEST):
        return _step(span, facts)  # a model request, even if a tool name was written on it later
    make = _MAKERS.get(facts.kind)
    return make(span, facts) if make is not None else _passage(span, facts.kind)


@lru_cache(maxsize=_MAX_COMBINATIONS)
def _describers(keys: tuple[str, ...], name: str, operation: str) -> tuple[Callable[[SpanRecord], Facts | None], ...]:
    """
    Return what describes a span, highest precedence first: a dialect is asked only if a span may be of it.

    Args:
        keys: The keys of the span's attributes.
        name: The span's name.
        operation: The span's GenAI operation if some dialect knows it alone, else an empty string.
    """
    marks = _MARKS.intersection(keys)
    named = {at for at, names in _DIALECTS_BY_START.get(name[:_START], ()) if name.startswith(names)}
    only_named = SpanRecord("", "", "", name, 0, 0, {})

    def has_key(dialect: Dialect) -> bool:
        keys = dialect.keys
        if dialect.operations and operation not in dialect.operations:
            keys -= {names.OPERATION_NAME}
        return not keys.isdisjoint(marks)

    return tuple(
        dialect.describe
        for at, dialect in enumerate(DIALECTS)
        if at in named
        or has_key(dialect)
        or (dialect.beside_others and (not dialect.beside_keys or not dialect.beside_keys.isdisjoint(marks)))
        if not dialect.by_name or dialect.describe(only_named) is not None
    )


@lru_cache(maxsize=_MAX_COMBINATIONS)
def _call_mark(keys: tuple[str, ...], name: str, operation: str) -> CallMark | None:
    """Return what makes a span a call; None if it may be of several dialects. The arguments are as above."""
    asked = _describers(keys, name, operation)
    if len(asked) != 1 or name.startswith(_REQUEST):
        return None
    mark = next(dialect.call_mark for dialect in DIALECTS if dialect.describe is asked[0])
    return mark if mark is not None and name.startswith(mark.start) else None


def _kind(known: list[Facts]) -> Kind | None:
    kinds: list[Kind] = [facts.kind for facts in known if facts.kind is not None]
    if "ignored" in kinds:
        return "ignored"
    if not kinds or kinds[0] != "turn":
        return kinds[0] if kinds else None
    # A dialect that says the span is a part of a run overrules one that says it is the run.
    if "cycle" in kinds:
        return "cycle"
    return "passage" if "passage" in kinds else "turn"


def _passage(span: SpanRecord, kind: Kind | None = None) -> Passage:
    return Passage(
        span.trace_id,
        span.span_id,
        span.parent_id,
        span.name,
        span.start_ns,
        span.end_ns,
        kind == "cycle",
        span.remote_parent,
        span.source,
        span.instrumentation,
        kind == "waiting",
    )


# Arguments are given by position where a class has many fields: by name they take several times as long.
_UNPLACED: Final = "", None, False, False  # a call's scope, round, and whether it is proved and bound


def _call(span: SpanRecord, facts: Facts) -> Call:
    attributes = span.attributes
    failed = span.error or facts.failed or bool(attributes.get(names.ERROR_TYPE))
    return Call(
        span.trace_id,
        span.span_id,
        span.parent_id,
        _cut(facts.tool or span.name),
        span.start_ns,
        span.end_ns,
        facts.call_id,
        *_UNPLACED,
        failed,
        facts.arguments,
        facts.result,
        facts.effect,
        "" if facts.effect == "unknown" else facts.effect_source or "declared",
        facts.resource,
        facts.depends_on,
        span.links,
        thread=facts.thread,
        queue_ns=facts.queue_ns,
        caller=facts.caller,
        blocked_ns=facts.blocked_ns,
        framework=facts.framework,
        switch=facts.switch,
        source=span.source,
        instrumentation=span.instrumentation,
        remote_parent=span.remote_parent or facts.remote,
        failure=failure_of_span(span, failed=True) if failed else "",
        conversation=text(attributes, names.CONVERSATION_ID),
        link_types=span.link_types,
    )


def _cut(name: str) -> str:
    """Return *name*, which many caches hold, or the first part of a long one; names that differ still do."""
    if len(name) <= _LONGEST_NAME:
        return name
    mark = f"…{crc32(name.encode('utf-8', 'surrogatepass')):08x}"
    return name[: _LONGEST_NAME - len(mark)] + mark


def _step(span: SpanRecord, facts: Facts) -> Step:
    return Step(
        span.trace_id,
        span.span_id,
        span.parent_id,
        span.start_ns,
        span.end_ns,
        facts.requested,
        facts.input_tokens,
        facts.words,
        span.source,
        span.instrumentation,
        (),
        facts.cached_tokens,
        facts.answer,
        facts.switch,
        text(span.attributes, names.CONVERSATION_ID),
        span.links,
        span.link_types,
        facts.streams,
    )


def _turn(span: SpanRecord, facts: Facts) -> TurnSpan:
    return TurnSpan(
        trace_id=span.trace_id,
        span_id=span.span_id,
        parent_id=span.parent_id,
        name=facts.title or span.name,
        start_ns=span.start_ns,
        end_ns=span.end_ns,
        agent=facts.agent,
        input=facts.words,
        source=span.source,
        instrumentation=span.instrumentation,
    )


_MAKERS: Final[Mapping[Kind | None, Callable[[SpanRecord, Facts], Observation]]] = {
    "call": _call,
    "step": _step,
    "turn": _turn,
}
