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

from otel_parallelism import names
from otel_parallelism.model import Observation, SpanRecord

from .parsing.declared_spans import SpanPatterns, declared_facts, span_patterns
from .parsing.facts import CallMark, Describer, Dialect, Facts, merged_facts
from .parsing.observed_spans import REQUEST, observed, passage

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

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
_MAX_COMBINATIONS: Final = 1024
_LONGEST_OPERATION: Final = 64


def is_named(name: str) -> bool:
    """Return whether a span called *name* may be a call, a step or a turn by its name."""
    prefixes = _BY_START.get(name[:_START])
    return prefixes is not None and name.startswith(prefixes)


def is_tool_call(name: str, attributes: Mapping[str, object]) -> bool:
    """
    Return whether a span is a call of a tool by its name and the mark of the only dialect that knows it.

    No other attribute or event makes it anything else. False says nothing: ask `classify`.
    """
    operation = attributes.get(names.OPERATION_NAME)
    mark = _call_mark(tuple(attributes), name, operation[:_LONGEST_OPERATION] if isinstance(operation, str) else "")
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
        return passage(span)
    describers = _describers(tuple(span.attributes), span.name, _operation(span.attributes))
    if len(describers) == 1:
        facts = describers[0](span)
        return passage(span) if facts is None else observed(span, facts)
    return _classified(span, _known(span, describers))


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
    known = _known(span, _describers(tuple(span.attributes), span.name, _operation(span.attributes)))
    if kind is None or any(facts.kind == "ignored" for facts in known):
        return _classified(span, known)
    return observed(span, reduce(merged_facts, known, declared_facts(kind, span)), declared=True)


def _operation(attributes: Mapping[str, object]) -> str:
    """Return a span's GenAI operation; of a long text, which is none, the beginning. Empty if there is none."""
    operation = attributes.get(names.OPERATION_NAME)
    return operation[:_LONGEST_OPERATION] if isinstance(operation, str) else ""


def _known(span: SpanRecord, describers: Sequence[Describer]) -> list[Facts]:
    """Return the facts of all dialects that know *span*, highest precedence first."""
    return [facts for describe in describers if (facts := describe(span)) is not None]


def _classified(span: SpanRecord, known: Sequence[Facts]) -> Observation:
    if not known:
        return passage(span)
    facts = known[0] if len(known) == 1 else reduce(merged_facts, known, Facts(kind=_kind(known)))
    return observed(span, facts)


@lru_cache(maxsize=_MAX_COMBINATIONS)
def _describers(keys: tuple[str, ...], name: str, operation: str) -> tuple[Describer, ...]:
    """Return what describes a span, highest precedence first; the arguments are as for `_dialects`."""
    return tuple(
        dialect.describe if dialect.describer is None else dialect.describer(keys, name, operation)
        for dialect in _dialects(keys, name, operation)
    )


def _dialects(keys: tuple[str, ...], name: str, operation: str) -> list[Dialect]:
    """
    Return the dialects that a span may be of, highest precedence first; no other is asked.

    Args:
        keys: The keys of the span's attributes.
        name: The span's name.
        operation: What `_operation` returns.
    """
    marks = _MARKS.intersection(keys)
    named = {at for at, names in _DIALECTS_BY_START.get(name[:_START], ()) if name.startswith(names)}
    only_named = SpanRecord("", "", "", name, 0, 0, {})

    def has_key(dialect: Dialect) -> bool:
        keys = dialect.keys
        if dialect.operations and operation not in dialect.operations:
            keys -= {names.OPERATION_NAME}
        return not keys.isdisjoint(marks)

    return [
        dialect
        for at, dialect in enumerate(DIALECTS)
        if at in named
        or has_key(dialect)
        or (dialect.beside_others and (not dialect.beside_keys or not dialect.beside_keys.isdisjoint(marks)))
        if not dialect.by_name or dialect.describe(only_named) is not None
    ]


@lru_cache(maxsize=_MAX_COMBINATIONS)
def _call_mark(keys: tuple[str, ...], name: str, operation: str) -> CallMark | None:
    """Return what makes a span a call; None if it may be of several dialects. The arguments are as above."""
    found = _dialects(keys, name, operation)
    if len(found) != 1 or name.startswith(REQUEST):
        return None
    mark = found[0].call_mark
    return mark if mark is not None and name.startswith(mark.start) else None


def _kind(known: Sequence[Facts]) -> Kind | None:
    kinds: list[Kind] = [facts.kind for facts in known if facts.kind is not None]
    if "ignored" in kinds:
        return "ignored"
    if not kinds or kinds[0] != "turn":
        return kinds[0] if kinds else None
    # A dialect that says the span is a part of a run overrules one that says it is the run.
    if "cycle" in kinds:
        return "cycle"
    return "passage" if "passage" in kinds else "turn"
