"""Reads the value of one setting, and says what is wrong with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, get_args, get_origin

import msgspec

from .errors import SettingError
from .names import CAPTURE_CONTENT, CAUSES

if TYPE_CHECKING:
    from collections.abc import Iterable

YES: Final = frozenset({"1", "true", "yes", "on"})
_NO: Final = frozenset({"0", "false", "no", "off"})
_NOT_ON_SPANS: Final = frozenset({"no_content", "event_only"})
"""Values of the standard variable that keep content off spans."""

_KINDS_OF_PATTERNS: Final = ("cause", "agent")
_OTHER_KINDS: Final = frozenset({"kind", "verdict", "advice"})
_PATTERNS: Final = "tool, tool+tool, cause:model or agent:name"


def expectation(name: str, value: object, wanted: Any) -> str:
    """
    Return what is expected of the setting called *name* if *value* is wrong; empty if it is right.

    Args:
        name: A field of `Settings`.
        value: Its value; a list is a tuple.
        wanted: The type of the field.

    >>> expectation("max_findings", -1, int)
    'a whole number of at least 0'
    """
    if not _fits(value, wanted):
        return _type_expectation(wanted)
    if name == "silence" and isinstance(value, tuple):
        return next(filter(None, map(_silence_expectation, value)), "")
    return ""


def similar(name: str, known: Iterable[str], before: str = "", *, least: float = 0.6) -> str:
    """
    Return a clause that asks whether the one of *known* that is most like *name* is meant; empty if none is like it.

    Args:
        name: What was written.
        known: What can be meant.
        before: What stands before the name in the clause.
        least: How much two names are alike, from 0 to 1, at least.
    """
    from difflib import get_close_matches  # noqa: PLC0415 - seldom needed, and it would lengthen every import of this package

    close = get_close_matches(name, list(known), 1, least)
    return f"; is it {before}{close[0]}?" if close else ""


def value_of_variable(variable: str, name: str, text: str, wanted: Any) -> Any:
    """
    Return the value of the setting called *name* that the *text* of a *variable* stands for.

    Raises:
        SettingError: It is not of the type *wanted*, or wrong for this setting.
    """
    value: Any = text
    if variable == CAPTURE_CONTENT:
        return text.lower() not in _NO | _NOT_ON_SPANS
    if wanted is bool:
        value = True if text.lower() in YES else False if text.lower() in _NO else text
    elif wanted == tuple[str, ...]:
        value = tuple(part.strip() for part in text.split(",") if part.strip())
    else:
        try:
            value = msgspec.convert(text, wanted, strict=False)
        except msgspec.ValidationError:
            value = None
    expected = expectation(name, value, wanted)
    if expected:
        raise SettingError(f"{variable}={text!r}: expected {expected}")
    return value


def _fits(value: object, wanted: Any) -> bool:
    if wanted is bool:
        return isinstance(value, bool)
    if wanted in (int, float):
        return isinstance(value, (int, wanted)) and not isinstance(value, bool) and value >= 0
    if wanted == tuple[str, ...]:
        return isinstance(value, tuple) and all(isinstance(item, str) for item in value)
    return value in get_args(wanted)


def _type_expectation(wanted: Any) -> str:
    if get_origin(wanted) is Literal:
        return " or ".join(repr(choice) for choice in get_args(wanted))
    return {
        bool: "true or false",
        int: "a whole number of at least 0",
        float: "a number of at least 0",
    }.get(wanted, "a list of strings")


def _silence_expectation(pattern: str) -> str:
    """Return what is expected in place of a *pattern* of findings that can match none; empty if it can match some."""
    kind, colon, value = pattern.partition(":")
    if colon and kind == "cause":
        close = similar(value.strip(), CAUSES, "cause:")
        return "" if value.strip() in CAUSES else f"cause: and one of {', '.join(CAUSES)}{close}"
    if colon and kind == "agent":
        return "" if value.strip() else "agent: and a name"
    word = kind.strip().lower()
    if colon and (word in _OTHER_KINDS or similar(word, _KINDS_OF_PATTERNS)):
        return _PATTERNS
    return "" if all(side.strip() for side in pattern.split("+")) else _PATTERNS
