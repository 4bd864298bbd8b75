"""Builds SQL expressions over the columns of a row of the Collector's table ``otel_traces``."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

NAME = "SpanName"


def quoted(text: str) -> str:
    r"""
    Return *text* as a string literal.

    >>> print(quoted("it's a \\d"))
    'it\'s a \\d'
    """
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def listed(texts: Iterable[str]) -> str:
    """
    Return *texts* as a sorted list of literals for ``IN`` or an array.

    >>> listed({"b", "a"})
    "'a', 'b'"
    """
    return ", ".join(map(quoted, sorted(texts)))


def attribute(key: str) -> str:
    """
    Return the text of a span attribute; it is empty if the span does not have it.

    >>> attribute("gen_ai.tool.name")
    "SpanAttributes['gen_ai.tool.name']"
    """
    return f"SpanAttributes[{quoted(key)}]"


def first_of(*texts: str) -> str:
    """
    Return the first of the expressions *texts* that is not empty.

    >>> first_of("a", "b"), first_of("a")
    ("if(a != '', a, b)", 'a')
    """
    *before, last = texts
    for text in reversed(before):
        last = f"if({text} != '', {text}, {last})"
    return last


def attributes(*keys: str) -> str:
    """
    Return the first text among the span attributes *keys* that is not empty.

    >>> attributes("a", "b")
    "if(SpanAttributes['a'] != '', SpanAttributes['a'], SpanAttributes['b'])"
    """
    return first_of(*map(attribute, keys))


def is_any(text: str, values: Iterable[str]) -> str:
    """
    Return whether *text* is one of *values*.

    >>> is_any("a", ["x", "y"])
    "a IN ('x', 'y')"
    """
    return f"{text} IN ({listed(values)})"


def starts_with(text: str, prefixes: Iterable[str]) -> str:
    """
    Return whether *text* starts with one of *prefixes*.

    >>> starts_with("a", ["x"])
    "startsWith(a, 'x')"
    """
    return " OR ".join(f"startsWith({text}, {quoted(prefix)})" for prefix in sorted(prefixes))


def without_prefix(text: str, prefix: str) -> str:
    """
    Return *text* without *prefix*.

    >>> without_prefix("a", "xy")
    "if(startsWith(a, 'xy'), substring(a, 3), a)"
    """
    return f"if(startsWith({text}, {quoted(prefix)}), substring({text}, {len(prefix.encode()) + 1}), {text})"


def without_match(text: str, pattern: str) -> str:
    """
    Return *text* without the first match of the regular expression *pattern*.

    >>> without_match("a", "x$")
    "replaceRegexpOne(a, 'x$', '')"
    """
    return f"replaceRegexpOne({text}, {quoted(pattern)}, '')"


def matches(text: str, pattern: str) -> str:
    r"""
    Return whether the whole of *text* matches the regular expression *pattern*.

    >>> print(matches("a", r"x\d"))
    match(a, '^(?:x\\d)$')
    """
    return f"match({text}, {quoted(f'^(?:{pattern})$')})"


def contains(text: str, part: str) -> str:
    """
    Return whether *text* contains *part*.

    >>> contains("a", "x")
    "position(a, 'x') > 0"
    """
    return f"position({text}, {quoted(part)}) > 0"


def unquoted(text: str) -> str:
    r"""
    Return *text* without double quotes at its ends.

    >>> print(unquoted("a"))
    trim(BOTH '"' FROM a)
    """
    return f"trim(BOTH '\"' FROM {text})"


def after(text: str, part: str) -> str:
    """
    Return what follows the first *part* in *text*; it is empty if there is none.

    >>> after("a", "xy")
    "if(position(a, 'xy') > 0, substring(a, position(a, 'xy') + 2), '')"
    """
    at = f"position({text}, {quoted(part)})"
    return f"if({at} > 0, substring({text}, {at} + {len(part.encode())}), '')"


def cases(*pairs: tuple[str, str], otherwise: str) -> str:
    """
    Return the second of the first pair whose first is true.

    >>> cases(("a", "1"), otherwise="0"), cases(otherwise="0")
    ('multiIf(a, 1, 0)', '0')
    """
    if not pairs:
        return otherwise
    return f"multiIf({', '.join(f'{condition}, {value}' for condition, value in pairs)}, {otherwise})"
