"""Whether a result says that its call failed or found nothing: what comes next may then be a reaction to that."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

Outcome: TypeAlias = Literal["", "failed", "empty"]

_ERROR_KEYS = ("error", "errors", "exception", "isError", "is_error")
_ERROR_WORDS = ("error", "exception", "traceback (most recent call last)", "failed to ")
_VERDICT_KEYS = ("success", "ok")
_NOTHING = frozenset({"", "[]", "{}", "null"})


def outcome(result: object) -> Outcome:
    """
    Tell a failure or an empty answer from the shape of *result*, which is plain data.

    A function that returns None says nothing by that: many have nothing to return.

    >>> outcome({"error": "no such user"}), outcome("Error: sold out"), outcome([]), outcome({"error": None, "id": 7})
    ('failed', 'failed', 'empty', '')
    """
    if isinstance(result, Mapping):
        if any(result.get(key) for key in _ERROR_KEYS) or any(result.get(key) is False for key in _VERDICT_KEYS):
            return "failed"
        return "" if result else "empty"
    if isinstance(result, str):
        text = result[:40].strip().lower()
        if text in _NOTHING:
            return "empty"
        return "failed" if text.startswith(_ERROR_WORDS) else ""
    if isinstance(result, (list, tuple, set, frozenset)):
        return "" if result else "empty"
    return ""
