"""Recognises results that are a short answer with a number, and tells how long a list a result is."""

from __future__ import annotations

from otel_parallelism.patterns import LazyPattern

_MOST_ANSWERS = 3
_LONGEST_ANSWER = 80
_IDENTIFIER = LazyPattern(r"(?=\S*\d)(?=\S*[^\W\d_])\S{4,}")


def size_of(value: object) -> int:
    """Return the length of the longest list in a result, or the number of lines of a text."""
    if isinstance(value, str):
        return value.count("\n") + 1
    inside = list(value.values()) if isinstance(value, dict) else [value]
    return max((len(one) for one in inside if isinstance(one, (list, tuple))), default=0)


def is_answer(value: object) -> bool:
    """Return whether a result is a short answer with a number: it has few values, and no long text."""
    leaves = _leaves(value, 0)
    texts = [leaf for leaf in leaves if isinstance(leaf, str)]
    if len(leaves) > _MOST_ANSWERS or any(len(text) > _LONGEST_ANSWER for text in texts):
        return False
    numbers = any(isinstance(leaf, (int, float)) and not isinstance(leaf, bool) for leaf in leaves)
    return numbers or any(any(map(str.isdecimal, text)) and not _IDENTIFIER.fullmatch(text) for text in texts)


def _leaves(value: object, depth: int) -> list[object]:
    """Return the values in plain data, up to one more than a short answer has."""
    if not isinstance(value, (dict, list, tuple)):
        return [value]
    found: list[object] = []
    for inner in value.values() if isinstance(value, dict) else value:
        if len(found) > _MOST_ANSWERS or depth > _MOST_ANSWERS:
            return [value] * (_MOST_ANSWERS + 1)
        found += _leaves(inner, depth + 1)
    return found
