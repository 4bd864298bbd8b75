"""Recognises guards: calls whose result may decide whether a later call runs at all."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, TypeAlias

from otel_parallelism.long_numbers import text_of
from otel_parallelism.patterns import LazyPattern

from .doubts.languages.foreign_answers import foreign_answer
from .doubts.poor_results import LONGEST_SUCCESS, found_nothing, has_reservation, is_only_a_header, tells_success_only

if TYPE_CHECKING:
    from collections.abc import Iterable

Guard: TypeAlias = Literal["", "other", "any"]
"""Which later calls a result may decide about: none, calls of ``other`` tools, or calls of ``any`` tool."""

_WORDS = LazyPattern(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_ASKS = frozenset(
    """
    access permission permissions permitted permit allow allowed allows can approve approved approval approvals
    confirm confirmed confirmation validate validated validation valid verify verified verification authorize
    authorized authorization authorise authorised authorisation authenticate authentication eligible eligibility
    entitled entitlement qualify qualifies exists exist available availability should ensure assert guard consent
    moderate moderation compliance compliant quota ready role roles privilege privileges auth guess flag flags
    """.split()  # noqa: SIM905 - a list of quoted words would be three times as long
)
_ASKS_IN_FRONT = frozenset({"is", "has", "may", "must", "are", "does"})
# Such a tool returns things, and no permission.
_LISTS = frozenset({"list", "search", "find", "query"})
_COUNTS = frozenset(
    "count counts counter number num total totals how stock inventory quantity qty remaining left size length".split()  # noqa: SIM905 - likewise
)
# What such a tool returns may decide whether another tool runs, in whatever words.
_WAITS = frozenset({"progress", "readiness", "credits", "allowance"})
# What it returns says what is to be done, or which tools there are.
_INSTRUCTS = frozenset("runbook runbooks playbook playbooks procedure instructions checklist skill tools".split())  # noqa: SIM905 - likewise
# The short answer of a tool that sorts a request into kinds decides what runs next.
_SORTS = frozenset({"classify", "detect", "identify", "triage", "route"})
_SORTED = frozenset("intent language request query question message ticket email topic issue inquiry".split())  # noqa: SIM905 - likewise
_LONGEST_KIND = 3
_COUNTED = frozenset("level levels count quantity status".split())  # noqa: SIM905 - likewise
_ANSWERS = frozenset(
    """
    yes no true false y n ok okay done success successful succeeded fail failed failure approved denied rejected
    allowed disallowed granted refused forbidden valid invalid available unavailable active inactive enabled disabled
    open closed pending running queued waiting started stopped finished complete completed incomplete processing
    ready busy idle online offline up down passed healthy unhealthy degraded exists missing found none null paid
    unpaid overdue shipped delivered cancelled canceled confirmed unconfirmed verified unverified accepted declined
    on off pong alive
    eligible ineligible in_stock out_of_stock sold_out in_progress on_hold not_found new draft published archived
    locked unlocked expired blocked unblocked connected disconnected checked unchecked set unset high low
    normal warning critical error good bad pass
    """.split()  # noqa: SIM905 - likewise
)
_POSITIVE = frozenset(
    """
    yes true ok okay done success successful succeeded approved allowed granted valid available active enabled open
    ready passed healthy exists found paid shipped delivered confirmed verified accepted eligible in_stock completed
    complete finished online up connected checked new draft published pending running queued started processing normal
    in_progress good pass high low on pong alive
    """.split()  # noqa: SIM905 - likewise
)
_YES_OR_NO = frozenset({"yes", "no", "not", "true", "false"})
# A short text with one of these tells that something is not so, or was not found.
_DENIALS = frozenset(
    """
    no not none nothing nowhere never neither nor zero without cannot unknown missing absent unable empty
    miss partial outage tbd tba tbc n/a deprecated obsolete superseded outdated stale unclear caution unreliable
    """.split()  # noqa: SIM905 - likewise
)
# At the end of a text, these may be the end of a name.
_AMBIGUOUS = frozenset({"on", "off", "set", "up", "down", "new", "high", "low"})
_ANSWERS_AT_THE_END = _ANSWERS - _AMBIGUOUS
_MOMENTS = frozenset({"time", "date", "datetime", "day", "timestamp", "year", "month", "week", "weekday", "hour"})
_OF_A_CLOCK = frozenset("get current fetch what is the and date time tell local utc".split())  # noqa: SIM905 - likewise
_SAYS_NO = LazyPattern(
    r"(?:^|_)(?:is|are|was|were|been|currently|now|fully|already)_(?:closed|unavailable|offline|expired|cancell?ed"
    r"|denied|rejected|forbidden|blocked|locked|missing|inactive|disabled|booked|busy|overdue|full|empty|gone|sold_out"
    r"|out_of_stock)(?=[_,;:]|$)|^(?:sold_out|closed|unavailable|offline|out_of_stock)(?=[_,;:]|$)|^0_(?:available|left)"
    r"|(?:^|_)(?:out_of_(?:order|service|use)|(?:under|in|for|scheduled|planned)_maintenance|try_again|retry_later"
    r"|temporarily|discontinued|no_longer|decommissioned|(?:has|have|service|page|endpoint|site)_moved)(?=[_,;:]|$)"
)
_ASKS_BACK = ("which_", "what_", "who_", "do_you_", "did_you_", "could_you_", "can_you_", "please_")
_REGRETS = ("sorry", "i'm_sorry", "i_am_sorry", "unfortunately", "apologies", "we_regret", "oops")
_DAY_S = 86_400
_DAY_NS = _DAY_S * 10**9
_CONTAINERS = (dict, list, tuple, set, frozenset)
_DEEPER = object()
_MAX_SEARCHED = 200
_LONGEST = 2_000
_MAX_LEAVES = 6
_LONGEST_ANSWER = 200
_MAX_WORDS = 3
_MAX_WORDS_OF_A_DENIAL = 8


def guard_of(tool: str, result: object, given: frozenset[object] = frozenset()) -> Guard:
    """
    Return which later calls the *result* of *tool* may decide about.

    A tool that asks for a permission is a guard whatever it returns, and so are an empty answer, a no and a zero. A
    yes, a status or a count decides only about other tools: who looks for the first yes stops there.

    Args:
        tool: The tool's name.
        result: Plain data.
        given: The values of the call's own arguments. If the result repeats them, they are no part of the answer.

    >>> guard_of("check_access", "denied"), guard_of("get_job", "running"), guard_of("get_price", 12.5)
    ('any', 'other', '')
    >>> guard_of("check_access", "granted"), guard_of("get_availability", {"copies": 2}), guard_of("can_read", "p. 7")
    ('other', 'other', 'any')
    >>> guard_of("list_hits", []), guard_of("count_rows", 7), guard_of("get_sky", "grey")
    ('any', 'other', '')
    >>> guard_of("grep", "It isn't used in any file"), guard_of("grep", "x (no matches)"), guard_of("grep", "x.py:0")
    ('any', 'any', 'any')
    >>> guard_of("search", {"results": [], "page": 1, "next": None}), guard_of("search", "Sorry, this shelf is bare")
    ('any', 'any')
    >>> guard_of("get_price", {"price": 31.2, "stale": True}), guard_of("find", {"match": None, "searched": 120})
    ('any', 'any')
    >>> guard_of("get_auth_status", "token valid, scopes repo"), guard_of("check_guess", "higher")
    ('any', 'any')
    >>> guard_of("detect_language", "German"), guard_of("get_order", "Keine Bestellung gefunden")
    ('other', 'any')
    >>> guard_of("get_weather", {"status": "success"}), guard_of("get_rate_limit", {"limit": 60, "used": 59})
    ('any', 'other')
    >>> guard_of("get_street", "Between the two mills")
    ''
    """
    in_order = [word.lower() for word in _WORDS.findall(tool)]
    words = frozenset(in_order)
    # Neither the price of a stock nor news of it is a count.
    counting = words - {"stock"} if "stock" in in_order[:-1] and _COUNTED.isdisjoint(words) else words
    if in_order and (in_order[0] in _ASKS_IN_FRONT or not (words.isdisjoint(_ASKS) or in_order[0] in _LISTS)):
        return "other" if _guard_of_answer(result, given, counts=True) == "other" else "any"
    if is_only_a_header(result) or (isinstance(result, dict) and (found_nothing(result) or has_reservation(result))):
        return "any"
    if tells_success_only(words, _leaves(result, LONGEST_SUCCESS + 1)):
        return "any"
    sorts = not (words.isdisjoint(_SORTS) or words.isdisjoint(_SORTED))
    counting_any = not counting.isdisjoint(_COUNTS)
    if counting_any and isinstance(result, dict) and any(type(leaf) is int and not leaf for leaf in result.values()):
        return _guard_of_answer(result, given, counts=True) or "other"
    decides = "rate_limit" in "_".join(in_order) or (sorts and len(_leaves(result, _LONGEST_KIND + 1)) <= _LONGEST_KIND)
    return _guard_of_answer(result, given, counts=counting_any) or (
        "" if not decides and words.isdisjoint(_WAITS | _INSTRUCTS) else "other"
    )


def _guard_of_answer(result: object, given: frozenset[object], *, counts: bool) -> Guard:
    """Return which later calls a result may decide about; *counts* says whether the name of its tool counts."""
    leaves = _leaves(result, _MAX_LEAVES + 1)
    if len(leaves) > _MAX_LEAVES:
        return ""
    if any(type(leaf) is bool and not _words_of(name).isdisjoint(_ASKS) for name, leaf in leaves):
        return "any"
    answer = [(name, leaf) for name, leaf in leaves if type(leaf) is bool or not _is_given(leaf, given)]
    if not answer:
        return "any" if not leaves else ""
    found: Guard = "other"
    for name, leaf in answer:
        positive = _is_positive(name, leaf, counts=counts)
        if positive is None:
            return ""
        if not positive:
            found = "any"
    return found


@lru_cache(maxsize=1024)
def counts_things(tool: str) -> bool:
    """
    Return whether the name of *tool* says that it counts.

    >>> counts_things("count_rows"), counts_things("getCountOfUsers"), counts_things("get_account")
    (True, True, False)
    """
    return not _words_of(tool).isdisjoint({"count", "counts"})


def tells_time(tool: str, result: object, at_ns: int) -> bool:
    """
    Return whether *tool*, called at *at_ns*, tells what time it is: its name says so, or its result has the date.

    >>> tells_time("get_current_time", None, 0), tells_time("get_time_series", None, 0)
    (True, False)
    >>> tells_time("get_status", {"as_of": "1970-01-01T00:00"}, 0)
    True
    """
    if _is_clock(tool):
        return True
    texts = [leaf[:_LONGEST] for _, leaf in _leaves(result, _MAX_SEARCHED) if isinstance(leaf, str)]
    return any(day in text for day in _days_around(at_ns // _DAY_NS) for text in texts) if texts else False


@lru_cache(maxsize=1024)
def _is_clock(tool: str) -> bool:
    """Return whether the name of *tool* says that it tells the time."""
    words = [word.lower() for word in _WORDS.findall(tool)]
    if "now" in words or "today" in words or "clock" in words:
        return True
    if words[-1:] and words[-1] in {"time", "date", "datetime", "day", "timestamp", "year", "month", "week", "weekday"}:
        others = set(words[:-1]) - _OF_A_CLOCK
        if not others or "current" in words:
            return True
    return "current" in words and not _MOMENTS.isdisjoint(words)


@lru_cache(maxsize=16)
def _days_around(day: int) -> list[str]:
    """
    Return the dates of a day, counted from the epoch, and of the days before and after it.

    A day outside the range of `datetime`, which a broken clock writes, has none.
    """
    try:
        return [datetime.fromtimestamp((day + shift) * _DAY_S, UTC).strftime("%Y-%m-%d") for shift in (-1, 0, 1)]
    except (OverflowError, ValueError, OSError):
        return []


def _words_of(name: str) -> set[str]:
    return {word.lower() for word in _WORDS.findall(name)}


def _is_given(leaf: object, given: frozenset[object]) -> bool:
    return isinstance(leaf, (str, int, float)) and leaf in given


def _is_positive(name: str, leaf: object, *, counts: bool) -> bool | None:
    """Return whether an answer is a yes or a number above 0; None if it is neither an answer nor a count."""
    if leaf is None or isinstance(leaf, bool):
        return bool(leaf)
    counts = counts or not _words_of(name).isdisjoint(_COUNTS)
    if isinstance(leaf, (int, float)):
        # A fraction is measured, not counted.
        return leaf > 0 if counts and (isinstance(leaf, int) or leaf.is_integer()) else None
    return _is_positive_text(leaf, counts=counts) if isinstance(leaf, str) else None


def _is_positive_text(leaf: str, *, counts: bool) -> bool | None:
    if len(leaf) > _LONGEST_ANSWER:
        return None
    text = leaf.strip().strip(".!'\"").lower().replace(" ", "_").replace("-", "_")
    words = [word.strip(",.:;") for word in text.split("_")]
    answer: bool | None = None
    if (
        text.startswith(_REGRETS)
        or (text.endswith("?") and text.startswith(_ASKS_BACK))
        or (len(words) <= _MAX_WORDS_OF_A_DENIAL and _SAYS_NO.search(text))
    ):
        answer = False
    elif counts and text.replace(".", "").isdecimal():
        answer = text.strip("0.") != ""
    elif not text or text in _ANSWERS:
        answer = text in _POSITIVE
    elif words[0] in _YES_OR_NO and len(words) <= _MAX_WORDS + 1:
        answer = words[0] in _POSITIVE
    # A search that found nothing may say "x.py: 0", and ``grep -c`` says "x.py:0".
    elif len(words) <= _MAX_WORDS_OF_A_DENIAL and (text.endswith((":_0", ":0")) or any(map(_is_denial, words))):
        answer = False
    elif words[-1] in _ANSWERS_AT_THE_END and len(words) <= _MAX_WORDS:
        answer = words[-1] in _POSITIVE
    return foreign_answer(leaf) if answer is None else answer


def _is_denial(word: str) -> bool:
    """Return whether a word of a text denies something: "no", "without", "isn't", also in brackets or quotes."""
    word = word.strip("()[]<>*!?\"'").replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
    return word in _DENIALS or word.endswith("n't")


def _leaves(value: object, most: int) -> list[tuple[str, object]]:
    """Return the first *most* values in plain data, each with the name of its field."""
    if not isinstance(value, _CONTAINERS):
        return [("", value)]
    found: list[tuple[str, object]] = []
    _add_leaves(value, "", 0, found, most)
    return found


def _add_leaves(container: object, name: str, depth: int, found: list[tuple[str, object]], most: int) -> None:
    inside: Iterable[tuple[str, object]] = ()
    if isinstance(container, dict):
        inside = ((text_of(key), inner) for key, inner in container.items())
    elif isinstance(container, _CONTAINERS):
        inside = ((name, inner) for inner in container)
    for key, inner in inside:
        if len(found) >= most:
            return
        if depth == _MAX_LEAVES:
            found.append((key, _DEEPER))
        elif isinstance(inner, _CONTAINERS):
            _add_leaves(inner, key, depth + 1, found, most)
        else:
            found.append((key, inner))
