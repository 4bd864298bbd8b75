"""Recognises what a result is: a short answer, facts that may be said in other words, or a list, and how long one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_parallelism.patterns import LazyPattern

if TYPE_CHECKING:
    from collections.abc import Iterable

_CONTAINERS = (dict, list, tuple)
_MOST_ANSWERS = 3
_MOST_VALUES = 5
_MOST_TOLD = 64
_FEWEST_MEASURED = 2
_LONGEST_ANSWER = 80
_DEEPEST = 6
_PLACES = frozenset({"lat", "latitude", "Latitude"})
# In Chinese and Japanese, a whole sentence has no space.
_IDENTIFIER = LazyPattern(r"(?=\S*\d)(?=\S*[^\W\d_])[^\s\u3040-\u9fff]{4,}")
_NAME = LazyPattern(r"[A-Z][\w.&'-]*(?: [\w.&'-]+){0,3}")
_CAPITALISED = r"[A-Z][\w&'-]{1,30}(?: [A-Z][\w&'-]{1,30}){0,3}"
_NAMES = LazyPattern(rf"\b{_CAPITALISED}(?:(?:, and |, | and ){_CAPITALISED})+")
_SEPARATOR = LazyPattern(r", and |, | and ")
_FEWEST_NAMES = 2
_LONGEST_SEARCHED = 2_000
_COLOUR = LazyPattern(r"#[0-9a-fA-F]{6}")
DATED = LazyPattern(
    r"\d{4}-\d\d|\b(?:january|february|april|june|july|august|september|october|november|december)\b"
    r"|\d{1,2}[:/.]\d\d|\b(?:mon|tues|wednes|thurs|fri|satur|sun)day\b"
    r"|\b(?:jan|feb|mar|apr|may|june?|july?|aug|sep|oct|nov|dec)[a-z]*\.? \d|\d{1,2}(?:st|nd|rd|th)?\.? (?:of )?"
    r"(?:jan|feb|mar|apr|may|june?|july?|aug|sep|oct|nov|dec)"
)
"""A date or a time in a text in lower case."""


def size_of(value: object) -> int:
    """Return the length of the longest list in a result, or the number of lines of a text."""
    if isinstance(value, str):
        return value.count("\n") + 1
    inside = list(value.values()) if isinstance(value, dict) else [value]
    return max((len(one) for one in inside if isinstance(one, (list, tuple))), default=0)


def is_answer(value: object) -> bool:
    """Return whether a result is a short answer with a number: it has few values, and no long text."""
    values = values_in(value, _MOST_ANSWERS)
    texts = [one for one in values if isinstance(one, str)]
    if len(values) > _MOST_ANSWERS or any(len(text) > _LONGEST_ANSWER for text in texts):
        return False
    numbers = any(isinstance(one, (int, float)) and not isinstance(one, bool) for one in values)
    return numbers or any(any(map(str.isdecimal, text)) and not _IDENTIFIER.fullmatch(text) for text in texts)


def is_short_text(value: object) -> bool:
    """Return whether a result is a few values, at least one of them a text, and no long one; or a place."""
    values = values_in(value, _MOST_VALUES)
    texts = [one for one in values if isinstance(one, str)]
    if _is_place(value):
        return True
    if len(values) > _MOST_VALUES or any(len(text) > _LONGEST_ANSWER for text in texts):
        return False
    return any(map(_has_other_words, texts))


def tells_facts(value: object) -> bool:
    """
    Return whether a result has a text, a place or several measurements, which may be said in other words.

    >>> tells_facts({"name": "Ada", "office": {"city": "Pune"}}), tells_facts({"wet": 91.5, "lux": 420.5})
    (True, True)
    >>> tells_facts({"id": "A81-x9"}), tells_facts(7), tells_facts("审批人是王芳,状态2")
    (False, False, True)
    """
    if _is_place(value):
        return True
    values = values_in(value, _MOST_TOLD)
    # Several numbers are measurements, which a model puts into words.
    measured = sum(isinstance(one, (int, float)) and not isinstance(one, bool) for one in values)
    return measured >= _FEWEST_MEASURED or any(_has_other_words(one) for one in values if isinstance(one, str))


def is_measured(value: object) -> bool:
    """
    Return whether a result is several numbers and no text: a model says what they mean in its own words.

    >>> is_measured({"ph": 5.4, "k": 18}), is_measured({"ph": 5.4}), is_measured({"ph": 5.4, "k": 18, "of": "F3"})
    (True, False, False)
    """
    values = values_in(value, _MOST_TOLD)
    numbers = [one for one in values if isinstance(one, (int, float)) and not isinstance(one, bool)]
    return len(numbers) == len(values) >= _FEWEST_MEASURED


def listed_names(value: object) -> list[str]:
    """
    Return the names that a short result lists, each with a capital: there are two or more in one list, or in one text.

    >>> listed_names({"pe": 31, "peers": ["ASOS", "Boozt"]}), listed_names("Peers: Puma, Nike")
    (['ASOS', 'Boozt'], ['Puma', 'Nike'])
    >>> listed_names({"to": [{"name": "Rome"}, {"name": "Graz"}]}), listed_names({"tags": ["new"], "city": "Rome"})
    (['Rome', 'Graz'], [])
    """
    lists = [value, *(value.values() if isinstance(value, dict) else ())]
    for one in lists[:_MOST_TOLD]:
        if isinstance(one, (list, tuple)):
            texts = [inner for entry in one[:_MOST_TOLD] for inner in values_in(entry, 1)[:1]]
            names = [text for text in texts if isinstance(text, str) and _NAME.fullmatch(text)]
        else:
            listed = _NAMES.search(one[:_LONGEST_SEARCHED]) if isinstance(one, str) else None
            names = [] if listed is None else _SEPARATOR.split(listed[0])
        if len(names) >= _FEWEST_NAMES:
            return names
    return []


def tells_numbers(value: object) -> bool:
    """
    Return whether a result tells facts, and has a number or a date.

    >>> tells_numbers({"town": "Pune", "floor": 3}), tells_numbers({"town": "Pune"})
    (True, False)
    """
    return tells_facts(value) and any(map(_has_number, values_in(value, _MOST_TOLD)))


def _has_number(value: object) -> bool:
    if isinstance(value, str):
        return any(map(str.isdecimal, value)) or DATED.search(value.casefold()) is not None
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_place(value: object) -> bool:
    return isinstance(value, dict) and not _PLACES.isdisjoint(value)


def _has_other_words(text: str) -> bool:
    """Return whether *text* may be said in other words: not an identifier or a number, but a date or a colour."""
    if any(map(str.isalpha, text)) and not _IDENTIFIER.fullmatch(text):
        return True
    # This comes last, because to search a long text for a date takes long.
    return _COLOUR.fullmatch(text) is not None or DATED.search(text.casefold()) is not None


def values_in(value: object, most: int) -> list[object]:
    """Return the values in plain data, up to one more than *most*; as many too where they lie too deep."""
    if not isinstance(value, _CONTAINERS):
        return [value]
    found: list[object] = []
    _add_values(value, found, most, 0)
    return found


def _add_values(container: dict[object, object] | Iterable[object], found: list[object], most: int, depth: int) -> None:
    for inner in container.values() if isinstance(container, dict) else container:
        if len(found) > most:
            return
        if depth > _DEEPEST:
            found += [None] * (most + 1)
            return
        if isinstance(inner, _CONTAINERS):
            _add_values(inner, found, most, depth + 1)
        else:
            found.append(inner)
