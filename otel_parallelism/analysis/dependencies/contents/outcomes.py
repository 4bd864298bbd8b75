"""Classifies what a result reports: a failure, nothing, or content; and whether it may decide what runs next."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

import msgspec

from otel_parallelism.analysis.dependencies.doubts.languages.foreign_answers import begins_as_foreign_error
from otel_parallelism.long_numbers import decode_json
from otel_parallelism.patterns import CaselessPattern

Outcome: TypeAlias = Literal["", "failed", "empty"]

_FLAGS = (
    "isError",
    "is_error",
    "iserror",
    "error",
    "errors",
    "exception",
    "errorMessage",
    "error_message",
    "retry_after",
    "retryAfter",
    "retry_in",
    "retryIn",
    "retry_in_seconds",
)
_VERDICTS = ("success", "ok", "succeeded", "successful")
_STATUSES = ("status", "statusCode", "status_code", "http_status", "httpStatus", "state", "result", "outcome", "type")
_NAMES_OF_ERRORS = frozenset(
    {"rate_limited", "rate_limit_exceeded", "too_many_requests", "quota_exceeded", "internal_error", "server_error"}
)
_CODES = (
    "code",
    "status",
    "statusCode",
    "status_code",
    "http_status",
    "httpStatus",
    "http_code",
    "httpCode",
    "responseCode",
    "cod",
)
_TELLING = frozenset((*_FLAGS, *_VERDICTS, *_STATUSES, *_CODES))
_FAILED = frozenset(
    "error err failed failure fail errored exception timeout timed_out rejected denied fehler erreur".split()  # noqa: SIM905 - as short as possible
)
_FIRST_ERROR, _LAST_ERROR = 400, 599
# Texts of an error are short, or begin with the error.
_SHORT = 160
_BEGINNING = 60
_DEEPEST = 6
_MAX_PARTS = 200
_MAX_ITEMS = 3
_ERROR_BEGINS = CaselessPattern(
    r"\W*(?:error\b|ssl\b|certificate_|bash: |sh: |panic\b"
    r"|exception\b|traceback \(most recent call last\)|failed\b|failure\b|fatal\b|unable to |could not "
    r"|couldn't |cannot |can't |invalid |\w+(?:error|exception)\b|permission denied|access denied|unauthori[sz]ed"
    r"|forbidden\b|bad gateway|bad request|not found\b|timed? ?out\b|timeout\b|too many requests|rate.?limit"
    r"|gone\W*$|truncated\b|disallowed\b|(?:40[0-9]|41[0235]|42[2-9]|431|451|50[0-8]|511) ?: "
    r"|(?:http[ /]?(?:\d\.\d )?)?(?:status(?: code)?:? ?)?[45]\d\d(?:\b[: -]+|\s+)(?:client error|server error"
    r"|bad |unauthori|payment|forbidden|not |method|proxy|request|conflict|gone|length|precondition|too many"
    r"|unprocessable|locked|internal|service|gateway|error|insufficient)|http[ /]?[45]\d\d\b)",
)
_ERROR_INSIDE = CaselessPattern(
    r"timed out|time ?out (?:after|while|waiting|exceeded)|no such (?:file|host|table|column|user|key|element)"
    r"|permission denied|access denied|too many requests|rate limit(?:ed| exceeded| reached)|quota exceeded"
    r"|connection (?:re(?:set|fused)|error|closed|aborted|timed)|temporarily unavailable|service unavailable"
    r"|upstream unavailable|try again later|please retry|e(?:timedout|connrefused|connreset|notfound|ai_again|pipe)\b"
    r"|no route to host|does not exist|doesn't exist|command not found|not authori[sz]ed|is not allowed"
    r"|(?:error|status)(?: code)?:? [45]\d\d\b|\b[45]\d\d (?:forbidden|not found|unauthorized|too many)"
    r"|traceback \(most recent|exception:|\b\w+error:|unexpected error|internal server error|an error occurred"
    r"|(?:sign|log) ?in (?:to (?:continue|view|read|see|access)|first|required)|(?:login|subscription|payment) required"
    r"|(?:enable|turn on) (?:javascript|cookies)|checking your browser|captcha|(?:verify|confirm) (?:that )?you are"
    r"|subscribe to (?:continue|read)|(?:session|token|link) (?:has |is )?expired"
    r"|(?:server|service|system|line|it) is (?:currently |very |too )?busy|slow down|please wait|retry in"
    r"|try (?:it )?again|(?:under|in) maintenance|be more specific|ambiguous"
    r"|(?:page|site|resource|repository|documentation|article) (?:has |was )?(?:been )?moved"
    r"|has been blocked|blocked by|(?:exceeded \d+|too many) redirects|subscribers.only|security check"
    r"|(?:service|server|system|site|api|host|endpoint|database) (?:is |was )?(?:currently |temporarily )?"
    r"(?:down|offline|unreachable|not (?:available|reachable|responding))\b"
    r"|<(?:\w+:)?(?:error|fault)>"
    r"|<title>\s*(?:[45]\d\d\b|(?:error|access denied|just a moment|attention required|not found)\b)"
    r"|(?:invalid|missing|wrong|expired|unknown) (?:api[ _-]?key|token|credentials|password|access key)"
    r"|(?:reached|exceeded|over|used up|out of) (?:your |the |its )?(?:\w+ )?(?:quota|limit|credits)\b"
    r"|went wrong|exit(?:ed with)? (?:code|status) [1-9]|overloaded|broken pipe",
)
# Each match has one of these, unless the text has letters that are no ASCII.
_PARTS_OF_ERRORS = (
    *(
        "error",
        "status",
        "time",
        "no such",
        "denied",
        "too many",
        "rate limit",
        "exceeded",
        "connection ",
        "try it again",
    ),
    *("unavailable", "try again", "please retry", "econn", "enotfound", "eai_again", "epipe", "no route", "not exist"),
    *("n't exist", "not found", "not authori", "not allowed", "forbidden", "unauthorized", "traceback", "exception:"),
    *(
        "login",
        "log in",
        "signin",
        "sign in",
        "required",
        "javascript",
        "cookies",
        "your browser",
        "captcha",
        "you are",
    ),
    *("subscribe to", "expired", "busy", "slow down", "please wait", "retry in", "maintenance", "more specific"),
    *(
        "blocked",
        "redirects",
        "subscribers",
        "security check",
        "ambiguous",
        "moved",
        "went wrong",
        "exit",
        "overloaded",
        "broken pipe",
    ),
    *(
        "down",
        "offline",
        "reachable",
        "not available",
        "not responding",
        "<title>",
        "fault>",
        "quota",
        "limit",
        "credit",
    ),
    *("api", "token", "password", "access key"),
)
_NOTHING = CaselessPattern(
    r"\W*(?:null|none|nil|undefined|nan|n/?a|empty|nothing|no (?:\w+ ){0,3}(?:found|available|exists?|matched)"
    r"|no (?:results?|matches|match|data|records?|rows?|items?|entries|hits|content|output|response)"
    r"|nothing (?:was )?found|not found|0 (?:results?|rows?|matches|records?|items?|hits)(?: found)?)?\W*",
)


def result_outcome(result: object) -> Outcome:
    """
    Return whether *result*, which is plain data, reports a failure or is empty.

    None is not an empty result, because many functions have nothing to return.

    >>> result_outcome({"error": "no such user"}), result_outcome("Error: sold out"), result_outcome([])
    ('failed', 'failed', 'empty')
    >>> result_outcome({"content": [{"type": "text", "text": "quota"}], "isError": True, "_meta": {}})
    'failed'
    >>> result_outcome({"error": None, "id": 7})
    ''
    """
    if result is None or isinstance(result, (int, float)):
        return ""
    if isinstance(result, str):
        if _NOTHING.fullmatch(result[:_SHORT]) and len(result) <= _SHORT:
            return "empty"
        inner = _json_in(result)
        return result_outcome(inner) if inner is not None else _text_outcome(result)
    if isinstance(result, (dict, list, tuple, set, frozenset, Mapping)) and not result:
        return "empty"
    return "failed" if _reports_failure(result, [_MAX_PARTS], 0) else ""


def _text_outcome(text: str) -> Outcome:
    if len(text) <= _SHORT and begins_as_foreign_error(text):
        return "failed"
    if _ERROR_BEGINS.match(text[:_SHORT].lstrip()) and (len(text) <= 10 * _SHORT or _begins_as_error(text)):
        return "failed"
    return "failed" if len(text) <= _SHORT and _may_have_error(text) and _ERROR_INSIDE.search(text) else ""


def _may_have_error(text: str) -> bool:
    """Return False if no error stands in *text*; this is many times as fast as the expression, and usual."""
    if not text.isascii():
        return True
    lowered = text.lower()
    for part in _PARTS_OF_ERRORS:  # noqa: SIM110 - a loop is faster than a generator
        if part in lowered:
            return True
    return False


def _begins_as_error(text: str) -> bool:
    return text[:_BEGINNING].lstrip().lower().startswith(("error", "traceback", "exception"))


def _json_in(text: str) -> object:
    """Return the data in *text* if it is a JSON object or array; None if not."""
    stripped = text.strip()
    if stripped[:1] in {"{", "["}:
        try:
            return decode_json(stripped)
        except (msgspec.DecodeError, RecursionError, UnicodeError):
            return None
    return None


def _reports_failure(value: object, budget: list[int], depth: int) -> bool:
    """Return whether a flag, a status or the only text anywhere in *value* says that it failed."""
    budget[0] -= 1
    if budget[0] < 0 or depth > _DEEPEST:
        return False
    if isinstance(value, (dict, Mapping)):  # dict alone is several times as fast
        return _mapping_failed(value, budget, depth)
    if isinstance(value, (list, tuple)):
        # The items of a long list are data: their errors are not this result's.
        return len(value) <= _MAX_ITEMS and any(_reports_failure(inner, budget, depth + 1) for inner in value)
    if isinstance(value, str):
        inner = _json_in(value)
        return _reports_failure(inner, budget, depth + 1) if inner is not None else bool(_text_outcome(value))
    return False


def _mapping_failed(value: Mapping[object, object], budget: list[int], depth: int) -> bool:
    if _flags_failure(value):
        return True
    texts = [inner for inner in value.values() if isinstance(inner, str)]
    if len(value) == 1 and texts and _text_outcome(texts[0]):
        return True
    if value.get("type") == "text" and isinstance(value.get("text"), str):
        return _reports_failure(value["text"], budget, depth + 1)
    return any(_reports_failure(inner, budget, depth + 1) for inner in value.values() if not isinstance(inner, str))


def _flags_failure(value: Mapping[object, object]) -> bool:
    if _TELLING.isdisjoint(value):
        return False
    if any(
        value.get(key) not in (None, False, "", 0, "false", "False", "none", "None") and value.get(key)
        for key in _FLAGS
    ):
        return True
    if any(value.get(key) is False or value.get(key) in ("false", "False") for key in _VERDICTS):
        return True
    if any(isinstance(value.get(key), str) and str(value[key]).lower() in _FAILED for key in _STATUSES):
        return True
    return any(_is_error_code(value.get(key)) for key in _CODES)


def _is_error_code(code: object) -> bool:
    if isinstance(code, str) and code.lower() in _NAMES_OF_ERRORS:
        return True
    if isinstance(code, str) and code.isdecimal() and len(code) == 3:  # noqa: PLR2004 - as all HTTP status codes
        code = int(code)
    return type(code) is int and _FIRST_ERROR <= code <= _LAST_ERROR
