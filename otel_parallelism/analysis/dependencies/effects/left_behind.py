"""
Finds calls that may read what an earlier call with a reading name left behind: a transcript, a ranking, a found page.

``transcribe_call`` changes nothing of the call, and yet ``get_transcript`` needs it. No value is passed on: the
arguments of both name the same call. So the order of the two may matter although both read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING

from otel_parallelism.long_numbers import text_of
from otel_parallelism.pace import paced
from otel_parallelism.patterns import LazyPattern
from otel_parallelism.shown_names import pair_names

from . import verb_tables as tables
from .tool_verbs import split_name, words_in_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from otel_parallelism.model import Call, Content

_MADE_BY = {
    "analyze": "analysis analyses insight insights",
    "analyse": "analysis analyses insight insights",
    "calculate": "calculation calculations total totals score scores",
    "classify": "classification classifications label labels category categories",
    "compute": "computation total totals score scores",
    "detect": "detection detections anomalies",
    "embed": "embedding embeddings",
    "extract": "extraction extractions entities",
    "parse": "content text sections",
    "predict": "prediction predictions forecast",
    "rank": "ranking rankings shortlist leaderboard top",
    "scan": "vulnerabilities threats",
    "scrape": "page pages",
    "summarize": "summary summaries",
    "summarise": "summary summaries",
    "tokenize": "tokens",
    "transcribe": "transcript transcripts transcription transcriptions",
    "translate": "translation translations",
}
"""Verbs that make a thing of another one, and what a later call may read it as."""

_TOLD_BY = {
    "check": "errors error issues issue suggestions violations problems warnings messages mails emails unread",
    "compare": "comparison comparisons difference differences diff",
    "estimate": "estimate estimates estimation estimations",
    "explain": "explanation explanations",
    "geocode": "coordinates locations points",
    "identify": "identification candidates",
    "inspect": "inspection inspections issues defects",
    "measure": "measurement measurements",
    "preview": "preview previews",
    "recommend": "recommendation recommendations",
    "suggest": "suggestion suggestions",
}
"""Verbs whose result may be kept: only a later call in these words reads it, or in those that stand after the verb."""

_MADE_BY_ANY = tables.word_set("report reports result results finding findings output outputs")
_TOLD_IN_OTHER_WORDS = frozenset({"check", "compare", "explain", "inspect", "preview"})
_TURNED_INTO_TEXT = frozenset({"transcribe", "scrape", "scan", "parse", "embed"})
_TAKEN_APART = frozenset({"transcribe", "scrape", "extract", "tokenize", "translate"})
_SEARCHING = frozenset({"search", "find", "query", "lookup", "ask", "grep"})
_SEARCHED = tables.word_set(
    """
    page pages text transcript content contents documents docs chunks index knowledge corpus field fields section
    sections clause clauses line lines word words
    """
)
_DIRECTED = frozenset({"view", "scan", "detect", "look"})
"""Verbs after which a call without arguments may be about what they were directed at."""

PARTS_OF_TABLES = frozenset({"column", "columns", "row", "rows", "field", "fields", "values", "selection"})
_LISTED = _SEARCHING | {"filter", "retrieve", "browse"}
_FOUND_WITHIN = frozenset({("lookup",), ("find",), ("look", "up"), ("find", "text"), ("find", "in", "page")})
_MAKING = _MADE_BY.keys() | _TOLD_BY.keys()
_WORK_ON_DATA = _MADE_BY.keys() | {"compare", "explain"}
_SAY_NOTHING = tables.word_set(
    "data info information details detail value values time date day all the of for by in on with"
)
WORKPLACES = frozenset({"file", "page", "sheet", "worksheet", "workbook", "buffer", "notebook", "tab"})
_NAMES_OF_PLACES = WORKPLACES | tables.word_set(
    """
    path filename id url uri document title folder dir directory files table dataset source of from user account
    """
)
INDICES = frozenset(
    {"index", "idx", "i", "n", "position", "nth", "rank", "ordinal", "option", "choice", "result", "item", "selection"}
)
_THE_SOURCE = frozenset({"file", "files", "content", "contents", "text", "source", "lines", "url", "page", "image"})
_THING = LazyPattern(r"(?=.*[A-Za-z])(?=.*(?:\d|[/@\\]|\w\.[A-Za-z]{2,4}\Z)).*", re.DOTALL)
_LEAST_NUMBER = 1_000
_LEAST_TEXT_AS_DATA = 200
_LONGEST_SUBJECT = 300
_MOST_SUBJECTS = 16
_MOST_TOOLS = 64
_ANY = ""
_UNSEEN = "\n"
CONTEXTS = frozenset(
    {"session", "transaction", "txn", "tx", "conversation", "thread", "chat", "tab", "kernel", "terminal"}
)
_BOTH = "both use one {name}"
_UNNAMED = frozenset({""})
_MADE = "{b} may read what {a} made"
_FOUND = "{b} may look at what {a} found"


def works_on_what_came_before(tool: str, arguments: object) -> bool:
    """
    Return whether a call does not say what it works on, so that it may be what an earlier call found, opened or made.

    >>> works_on_what_came_before("compute_statistics", {}), works_on_what_came_before("open_result", {"index": 2})
    (True, True)
    >>> works_on_what_came_before("filter_rows", {"column": "region", "value": "EMEA"})
    True
    >>> works_on_what_came_before("filter_rows", {"rows": [1], "above": 1}), works_on_what_came_before("list_users", {})
    (False, False)
    """
    verb, nouns = _verb_and_nouns(tool)
    if not isinstance(arguments, Mapping):
        return False
    values = arguments.values()
    if verb == "filter":
        return not any(map(_holds_data, values))
    if not arguments and verb in _WORK_ON_DATA:
        return True
    of_a_table = nouns and nouns[-1] in PARTS_OF_TABLES and not any(map(_holds_data, values))
    if of_a_table or (verb in _SEARCHING and nouns and nouns[-1] in WORKPLACES):
        return not any(_names_a_place(name, value) for name, value in arguments.items())
    names = [" ".join(words_in_name(text_of(name))) for name in arguments]
    return (
        bool(names)
        and all(name in INDICES for name in names)
        and all(isinstance(value, int) and abs(value) < _LEAST_NUMBER for value in values)
    )


def _holds_data(value: object) -> bool:
    """Return whether an argument may be what a call works on: a list, an object or a long text."""
    listed = isinstance(value, (list, tuple, Mapping)) and bool(value)
    return listed or (isinstance(value, str) and len(value) > _LEAST_TEXT_AS_DATA)


def _names_a_place(name: object, value: object) -> bool:
    """Return whether an argument says where to search: ``path``, ``page_id``, or a value such as ``a.py``."""
    named = not _NAMES_OF_PLACES.isdisjoint(words_in_name(text_of(name)))
    return bool(value) and (named or (isinstance(value, str) and _THING.fullmatch(value) is not None and "." in value))


def left_behind(calls: Sequence[Call], reads: Iterable[int]) -> dict[int, list[tuple[int, str]]]:
    """
    Return by position the bits of the earlier calls that may have left behind what a call reads, with sentences.

    Args:
        calls: The calls of one scope in order of (start, end, id).
        reads: The positions of the calls that read and are not declared to, in order.
    """
    found: dict[int, list[tuple[int, str]]] = {}
    by_tool: dict[str, int] = {}
    by_subject: dict[tuple[str, str], int] = {}
    readers = list(reads)
    _add_shared_contexts(calls, readers, found)
    for index in paced(readers):
        call = calls[index]
        makes = _may_leave(call.tool)
        if not by_tool and not makes:
            continue
        subjects = _subjects(call.arguments)
        bare = call.arguments is not None and subjects <= _UNNAMED
        for tool, positions in by_tool.items():
            needed = _relation(tool, call.tool, bare=bare)
            sure = needed in {"made", "found"} or (needed == "related" and call.arguments is None)
            mask = positions if sure else by_subject.get((tool, _UNSEEN), 0) if needed == "related" else 0
            if needed in {"related", "same thing"}:
                for subject in subjects - _UNNAMED:
                    if needed == "related" or _THING.fullmatch(subject):
                        mask |= by_subject.get((tool, subject), 0)
            if mask:
                a, b = pair_names(tool, call.tool)
                found.setdefault(index, []).append((mask, (_FOUND if needed == "found" else _MADE).format(a=a, b=b)))
        if makes:
            tool = call.tool if call.tool in by_tool or len(by_tool) < _MOST_TOOLS else _ANY
            by_tool[tool] = by_tool.get(tool, 0) | 1 << index
            for subject in subjects:
                by_subject[tool, subject] = by_subject.get((tool, subject), 0) | 1 << index
    return found


def _add_shared_contexts(
    calls: Sequence[Call], readers: Sequence[int], found: dict[int, list[tuple[int, str]]]
) -> None:
    """Add to *found* the calls that run in one session, transaction or the like."""
    within: dict[str, int] = {}
    for index in paced(readers):
        for context in _contexts(calls[index]):
            if context in within:
                found.setdefault(index, []).append((within[context], _BOTH.format(name=context.partition(" ")[0])))
            within[context] = within.get(context, 0) | 1 << index


def _contexts(call: Call) -> list[str]:
    """Return what a call runs in by its arguments, such as one session, unless it is about sessions."""
    try:
        value = None if call.arguments is None else call.arguments.data()
        if not isinstance(value, Mapping):
            return []
        names = [(text_of(name), given) for name, given in value.items() if isinstance(given, (str, int))]
    except Exception:  # noqa: BLE001 - a parser may fail on unknown data, and so may a container of the user
        return []
    found = []
    for name, given in names[:_MOST_SUBJECTS]:
        words = words_in_name(name)
        context = next((word for word in words[-2:] if word in CONTEXTS), "")
        if context and words[-1] in {context, "id"} and context not in _singular(words_in_name(call.tool)):
            found.append(f"{context} {given}")
    return found


@lru_cache(maxsize=1024)
def _may_leave(tool: str) -> bool:
    verb, _ = _verb_and_nouns(tool)
    return verb in _MAKING or verb in _LISTED or verb in _DIRECTED


@lru_cache(maxsize=4096)
def _relation(earlier: str, later: str, *, bare: bool) -> str:
    """
    Return how a call of *later*, which may be ``bare`` of arguments, may read what one of *earlier* left behind.

    Empty if it may not. ``made`` and ``found``: whatever their arguments. ``related``: if an argument is the same.
    ``same thing``: if an argument of both is the name of the same thing, such as a path or the number of a case.
    """
    verb, nouns = _verb_and_nouns(earlier)
    reading, read = _verb_and_nouns(later)
    if earlier in {_ANY, later}:
        return "made" if earlier == _ANY else ""
    directed = bare and verb in _DIRECTED and read and (verb != "detect" or reading != "get")
    within = verb == "search" and not nouns and tuple(split_name(later)[1]) in _FOUND_WITHIN
    listed = bare and verb in _LISTED and nouns and read and nouns[-1] == read[-1]
    if directed or within or listed:
        return "found"
    if verb not in _MAKING or (reading in _MAKING and (verb not in _TURNED_INTO_TEXT or reading == verb)):
        return ""
    return _reads_what_is_made(verb, nouns, reading, read, bare=bare)


def _reads_what_is_made(verb: str, nouns: Sequence[str], reading: str, read: Sequence[str], *, bare: bool) -> str:
    """Return what `_relation` does for a call whose verb makes a thing."""
    searches = reading in _SEARCHING and (not read or not _SEARCHED.isdisjoint(read))
    if verb in _TURNED_INTO_TEXT and searches:
        return "made"
    shared = () if verb in _TOLD_IN_OTHER_WORDS else _singular(nouns) - _SAY_NOTHING
    if not _SAID_MADE[verb].isdisjoint(read) or not _singular(read).isdisjoint(shared):
        return "made" if bare else "related"
    if verb in _TAKEN_APART:
        return "related"
    return "" if verb in _TOLD_BY or (read and read[-1] in _THE_SOURCE) else "same thing"


def _singular(nouns: Iterable[str]) -> set[str]:
    return {noun[:-1] if len(noun) > 3 and noun.endswith("s") else noun for noun in nouns}  # noqa: PLR2004 - "gas"


@lru_cache(maxsize=4096)
def _verb_and_nouns(tool: str) -> tuple[str, tuple[str, ...]]:
    """Return the verb of a tool's name, which may stand after the name of a service or last, and its other words."""
    words = split_name(tool)[1]
    known = _MAKING | tables.READS
    first = next((at for at, word in enumerate(words) if word in known), 0)
    return (words[first], tuple(words[first + 1 :] or words[:first])) if words else ("", ())


def _subjects(arguments: Content | None) -> frozenset[str]:
    """Return the values in the arguments of a call that may say what it concerns, in lower case."""
    if arguments is None:
        return frozenset({_UNSEEN})
    found: set[str] = set()
    try:
        value = arguments.data()
        inner = [*value.values()] if isinstance(value, Mapping) else [value]
    except Exception:  # noqa: BLE001 - a parser may fail on unknown data, and so may a container of the user
        return _UNNAMED
    for item in inner[:_MOST_SUBJECTS]:
        for one in item[:_MOST_SUBJECTS] if isinstance(item, (list, tuple)) else (item,):
            if isinstance(one, str) and 1 < len(one) <= _LONGEST_SUBJECT:
                found.add(one.strip().lower())
            elif type(one) is int and one >= _LEAST_NUMBER:
                found.add(f"#{one}a")
            elif one is not None and one != "":
                found.add("")
    return frozenset(found)


_SAID_MADE = {verb: frozenset(nouns.split()) | _MADE_BY_ANY for verb, nouns in (_MADE_BY | _TOLD_BY).items()}
