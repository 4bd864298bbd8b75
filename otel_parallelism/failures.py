"""Classifies why a call failed: cancelled, timed out, rate limited, or because something does not exist."""

from __future__ import annotations

import re
from typing import Final, Literal, TypeAlias

from .patterns import LazyPattern

Failure: TypeAlias = Literal["", "failed", "cancelled", "timed_out", "rate_limited", "missing"]
"""Why a call failed: ``failed`` if the reason is none of the others, an empty string if it did not fail."""

_LONGEST: Final = 500
_FAR_DOWN: Final = 4
_CANCELLED: Final = LazyPattern(r"cancel|(?<!connection)(?<!transaction)abort|interrupt", re.IGNORECASE)
_TIMED_OUT: Final = LazyPattern(r"time.?out|timed.?out|deadline.?exceeded|\b(?:408|504)\b", re.IGNORECASE)
_RATE_LIMITED: Final = LazyPattern(
    r"\b429\b|rate.?limit|too.?many.?requests|throttl|resource.?exhausted|requests? per (?:second|minute)"
    r"|concurrency.?limit|too many concurrent",
    re.IGNORECASE,
)
# A used-up allowance does not depend on how many calls run at once.
_ALLOWANCE: Final = LazyPattern(
    r"insufficient.?quota|exceeded your current quota|billing|credits?\b|plan\b|per.?day|daily|per.?month|monthly",
    re.IGNORECASE,
)
_MISSING: Final = LazyPattern(
    r"not.?found|no.?such|does.?n[o']t.?exist|does not exist|unknown (?:\w+ )?(?:id|key|name|user|order|file)|\b404\b",
    re.IGNORECASE,
)


def failure_of(kind: str, message: str = "", code: int = 0) -> Failure:
    """
    Return why a call failed; never an empty string.

    Args:
        kind: The name of the exception's type, or another value of ``error.type``, such as a status code.
        message: The text of the error, if known.
        code: The HTTP status code, 0 if unknown.

    >>> failure_of("CancelledError"), failure_of("HTTPStatusError", code=429), failure_of("ValueError", "bad")
    ('cancelled', 'rate_limited', 'failed')
    >>> failure_of("RateLimitError", "You exceeded your current quota"), failure_of("KeyError", "no such order")
    ('failed', 'missing')
    """
    text = f"{kind.rpartition('.')[2]} {code or ''} {message[:_LONGEST]}"
    if _CANCELLED.search(kind):
        return "cancelled"
    if _RATE_LIMITED.search(text):
        return "failed" if _ALLOWANCE.search(text) else "rate_limited"
    if _TIMED_OUT.search(text):
        return "timed_out"
    return "missing" if _MISSING.search(text) else "failed"


def failure_of_exception(error: BaseException) -> Failure:
    """
    Return why a call that raised *error* failed, without running code of the exception's class.

    A status code is looked up in the exception and in its response, where most HTTP clients keep it.
    """
    fields = _fields(error)
    code = _status(fields) or _status(_fields(fields.get("response")))
    args = _args_of(error)
    first = args[0] if args else ""
    kinds = " ".join(base.__name__ for base in type(error).__mro__[:_FAR_DOWN] if base not in _PLAIN)
    return failure_of(kinds, first if type(first) is str else "", code)


_args_of: Final = vars(BaseException)["args"].__get__
_PLAIN: Final = frozenset({object, BaseException, Exception, OSError, RuntimeError, ValueError, TypeError, LookupError})


def _fields(value: object) -> dict[str, object]:
    try:
        found = object.__getattribute__(value, "__dict__")
    except AttributeError:
        return {}
    return found if type(found) is dict else {}


def _status(fields: dict[str, object]) -> int:
    for key in ("status_code", "status", "code", "http_status"):
        value = fields.get(key)
        if type(value) is int and 400 <= value <= 599:  # noqa: PLR2004 - the range of HTTP errors
            return value
    return 0
