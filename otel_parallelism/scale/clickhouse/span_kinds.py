"""
Classifies spans in SQL as the dialects do: kind, tool, agent and name.

A dialect without a rule, also a new one, makes its spans ``UNKNOWN``, and the turns of their traces are left to the
core.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from otel_parallelism.dialects import DIALECTS, KEYS, NAMES

from .convention_rules import CONVENTION_RULES
from .dialect_rule import CALL, IGNORED, NO_TEXT, NONE, PART, STEP, TURN, UNKNOWN, Rule
from .framework_rules import FRAMEWORK_RULES
from .sql_expressions import NAME, attribute, cases, listed, quoted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from otel_parallelism.dialects.parsing.facts import Dialect
    from otel_parallelism.settings import Settings

_RULES: Final[Mapping[str, Rule]] = {**CONVENTION_RULES, **FRAMEWORK_RULES}
_GLOB_PART: Final = re.compile(r"\[!?+\]?+[^\]]*+\]|.", re.DOTALL)
_NO_RULE: Final = Rule(kind=str(UNKNOWN))


def kind_stages(source: str, settings: Settings) -> Iterator[tuple[str, str]]:
    """
    Yield stages of a query, each a name and a ``SELECT`` from the stage before it; the last is ``with_kind``.

    The stages add columns. Those that count are ``kind``, ``tool``, ``agent`` and ``title``; ``kind`` is `NONE` for any
    span that only connects others.

    Args:
        source: The name of the first stage's source, with the columns of the Collector's table.
        settings: ``bookkeeping`` names tools that are no calls. Spans of the user's own patterns are `UNKNOWN`.
    """
    rules = [_RULES.get(dialect.describe.__module__.rpartition(".")[2], _NO_RULE) for dialect in DIALECTS]
    parts = {name: text for rule in rules for name, text in rule.parts.items()}
    yield "with_dialects", _with_columns(source, {"dialects": _dialects(), **parts})
    kinds = {
        f"kind_{at}": f"if({_may_be_of(at, dialect)}, {rule.kind}, {NONE})"
        for at, (dialect, rule) in enumerate(zip(DIALECTS, rules, strict=True))
    }
    yield "with_each_kind", _with_columns("with_dialects", kinds)
    columns = {
        "kinds": f"arrayFilter(kind -> kind != {NONE}, [{', '.join(kinds)}])",
        "tool": _first([_when(at, CALL, rule.tool) for at, rule in enumerate(rules) if rule.tool != NO_TEXT], NAME),
        "agent": _first([_when(at, TURN, rule.agent) for at, rule in enumerate(rules) if rule.agent != NO_TEXT], "''"),
        "title": _first([_when(at, TURN, rule.title) for at, rule in enumerate(rules) if rule.title != NO_TEXT], NAME),
    }
    yield "with_kinds", _with_columns("with_each_kind", columns)
    declared = (*settings.call_spans, *settings.model_spans, *settings.turn_spans)
    kind = cases(
        *((_is_declared(pattern), str(UNKNOWN)) for pattern in declared if pattern),
        (f"NOT {is_agentic()} OR has(kinds, {IGNORED}) OR empty(kinds)", str(NONE)),
        (f"has(kinds, {UNKNOWN})", str(UNKNOWN)),
        (f"kinds[1] = {PART} OR (kinds[1] = {TURN} AND has(kinds, {PART}))", str(NONE)),
        # A model request on which a tool's name was written later.
        (f"kinds[1] = {CALL} AND startsWith({NAME}, 'chat ')", str(STEP)),
        (f"kinds[1] = {CALL} AND {_matches_any('tool', settings.bookkeeping)}", str(NONE)),
        otherwise="kinds[1]",
    )
    yield "with_kind", _with_columns("with_kinds", {"kind": kind})


def _with_columns(source: str, columns: Mapping[str, str]) -> str:
    written = ",\n".join(f"  {text} AS {name}" for name, text in columns.items())
    return f"SELECT *,\n{written}\nFROM {source}"


def is_agentic() -> str:
    """Return whether a span may be a call, a step or a turn: by the keys of its attributes, or by its name."""
    return f"(hasAny(mapKeys(SpanAttributes), [{listed(KEYS)}]) OR {_is_named(NAMES)})"


def _dialects() -> str:
    """Return a number with a bit for each dialect that the span has an attribute of."""
    bits: dict[str, int] = {}
    for at, dialect in enumerate(DIALECTS):
        for key in dialect.keys | dialect.beside_keys:
            bits[key] = bits.get(key, 0) | 1 << at
    known = ", ".join(map(quoted, bits))
    numbers = ", ".join(f"toUInt64({number})" for number in bits.values())
    keys = "CAST(mapKeys(SpanAttributes) AS Array(String))"
    return f"arrayReduce('groupBitOr', arrayMap(key -> transform(key, [{known}], [{numbers}], toUInt64(0)), {keys}))"


def _may_be_of(at: int, dialect: Dialect) -> str:
    """Return whether the span may be of *dialect*, which has the bit *at*."""
    if dialect.beside_others and not dialect.beside_keys:
        return "1"
    named = f" OR {_is_named(dialect.names)}" if dialect.names else ""
    return f"bitTest(dialects, {at}){named}"


def _is_named(prefixes: Iterable[str]) -> str:
    return f"match({NAME}, {quoted('^(' + '|'.join(map(re.escape, sorted(prefixes))) + ')')})"


def _when(at: int, kind: int, text: str) -> str:
    return f"if(kind_{at} = {kind}, {text}, '')"


def _first(texts: Sequence[str], otherwise: str) -> str:
    """Return the first of *texts* that is not empty."""
    return f"arrayFirst(text -> text != '', [{', '.join((*texts, otherwise))}])"


def _is_declared(pattern: str) -> str:
    """
    Return whether a span matches *pattern*, a glob over names or ``attribute=value``.

    >>> _is_declared("a*"), _is_declared("k=v")
    ("match(lower(SpanName), '(?s)^(a.*)$')", "match(lower(SpanAttributes['k']), '(?s)^(v)$')")
    """
    key, found, value = pattern.partition("=")
    if found and key:
        return _matches_any(attribute(key.strip()), [value.strip()])
    return _matches_any(NAME, [pattern])


def _matches_any(text: str, globs: Sequence[str]) -> str:
    """
    Return whether *text* matches one of *globs*, ignoring case.

    >>> _matches_any("tool", ["finish", "transfer_to_*"])
    "match(lower(tool), '(?s)^(finish|transfer_to_.*)$')"
    """
    if not globs:
        return "0"
    return f"match(lower({text}), {quoted('(?s)^(' + '|'.join(_regular(glob.lower()) for glob in globs) + ')$')})"


def _regular(glob: str) -> str:
    r"""
    Return *glob* as a regular expression that ClickHouse knows; that of `fnmatch.translate` has more than it does.

    >>> print(_regular("(get|*_[!a-z]?"))
    \(get\|.*_[^a-z].
    """
    parts = []
    for part in _GLOB_PART.findall(glob):
        if part[0] == "[" and len(part) > 1:
            inside = re.sub(r"([\\\[\]^])", r"\\\1", part[1:-1])
            parts.append(f"[{'^' + inside[1:] if inside[0] == '!' else inside}]")
        else:
            parts.append({"*": ".*", "?": "."}.get(part, re.escape(part)))
    return "".join(parts)
