"""
Assumes the effect of a tool from the words of its name.

A name is weak evidence. A reading verb counts only at the beginning, or after the name of a service, and only if no
other word makes it doubtful.
"""

from __future__ import annotations

import itertools
from functools import lru_cache
from typing import TYPE_CHECKING

from otel_parallelism.patterns import LazyPattern

from . import verb_tables as tables

if TYPE_CHECKING:
    from collections.abc import Sequence

    from otel_parallelism.model import Effect

LONGEST_NAME = 1_000
"""A longer text is no name: it says nothing, and is not held in caches."""

_WORDS = LazyPattern(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_NAMESPACES = LazyPattern(r"__|[./:]")
_ANY_VERB = tables.DOUBTFUL | tables.WRITES_OR_NOUNS | tables.WRITES_IN_FRONT | tables.WRITES_AFTER_A_VERB
_MCP_AND_SERVER = 2
_FINDING = frozenset({"search", "lookup", "retrieve", "retrieval"})
_ASKING = frozenset({"get", "fetch", "retrieve"})
_CALCULATING = frozenset({"add", "multiply", "subtract", "divide"})
_OF_A_PAGE = frozenset({"text", "content", "source", "title", "html", "snapshot", "url"})
_COMMANDS = frozenset({"sort", "tail"})
_PREPOSITIONS = frozenset({"for", "by", "of", "from", "in", "on", "with", "at"})


def words_in_name(name: str) -> list[str]:
    """
    Return the words of a name in lower case; none of a text that is too long for a name.

    >>> words_in_name("WebFetch"), words_in_name("get_HTTPPage2")
    (['web', 'fetch'], ['get', 'http', 'page', '2'])
    """
    return list(_words_in_name(name)) if len(name) < LONGEST_NAME else []


@lru_cache(maxsize=4096)
def _words_in_name(name: str) -> tuple[str, ...]:
    return tuple(word.lower() for word in _WORDS.findall(name))


def noun_of(tool: str) -> str:
    """
    Return the word of a tool's name that says what it is about.

    >>> noun_of("get_pod_logs"), noun_of("listAlertsForService")
    ('logs', 'alerts')
    """
    words = words_in_name(tool)
    ends = [index for index, word in enumerate(words) if index and word in _PREPOSITIONS]
    return (words[: ends[0]] if ends else words)[-1] if words else ""


def split_name(tool: str) -> tuple[list[str], list[str]]:
    """
    Return the lower-case words of the namespace in front of a tool's name, and those of the name.

    >>> split_name("mcp__github__getIssue"), split_name("desk-list_orders"), split_name("web-search")
    ((['mcp', 'github'], ['get', 'issue']), (['desk'], ['list', 'orders']), ([], ['web', 'search']))
    >>> split_name("mcp_shop_get_order"), split_name("mcp_get_resource")
    ((['mcp', 'shop'], ['get', 'order']), ([], ['mcp', 'get', 'resource']))
    """
    spaces, words = _split_name(tool if len(tool) < LONGEST_NAME else "")
    return list(spaces), list(words)


@lru_cache(maxsize=4096)
def _split_name(tool: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    *spaces, last = [part for part in _NAMESPACES.split(tool) if part] or [""]
    server, hyphen, rest = last.partition("-")
    if hyphen and "_" in rest and "_" not in server:
        # A name in snake case after a hyphen: the names of a server and of one of its tools.
        spaces.append(server)
        last = rest
    words = words_in_name(last)
    if words[:1] == ["mcp"] and len(words) > _MCP_AND_SERVER and words[1] not in _ANY_VERB | tables.READS:
        # Gemini CLI joins the names of a server and of its tool with one underscore.
        spaces += words[:_MCP_AND_SERVER]
        words = words[_MCP_AND_SERVER:]
    while len(words) > 1 and (words[-1] in tables.EMPTY_WORDS or words[-1].isdecimal()):
        words.pop()
    return tuple(word for part in spaces for word in words_in_name(part)), tuple(words)


@lru_cache(maxsize=4096)
def assumed_effect(tool: str, *, arguments_seen: bool = False) -> Effect:
    """
    Return the effect that the words of a tool's name suggest.

    A verb that writes, takes, waits or asks a person makes a name with a reading verb ``unknown``. A noun never means
    a write. Words of other languages, and names that say nothing, are ``unknown``.

    Args:
        tool: The name.
        arguments_seen: Whether the arguments were seen and show no write. Without them, a name like ``query`` is
            ``unknown``.

    >>> assumed_effect("get_weather"), assumed_effect("createOrder"), assumed_effect("frobnicate")
    ('read', 'write', 'unknown')
    >>> assumed_effect("get_or_create"), assumed_effect("get_refund_status"), assumed_effect("web_search")
    ('unknown', 'read', 'read')
    """
    namespace, words = split_name(tool)
    if not tool.isascii() or not tables.SCREENS.isdisjoint(namespace):
        return "unknown"
    first = 0
    while first < len(words) and words[first] in tables.SERVICES and not _is_verb_here(words, first):
        first += 1
    rest = words[first + 1 :]
    if first < len(words) and words[first] in tables.READS:
        certain = arguments_seen or not _depends_on_arguments(words, first)
        return "read" if certain and _only_reads(words, first) else "unknown"
    if first == len(words):
        return "unknown"
    if words[first] == "log" and "git" in words[:first]:
        return "read" if _only_reads(words, first) else "unknown"
    if not rest and words[first] in _COMMANDS:
        return "read"
    objects = tables.READS_OF_OBJECTS.get(words[first], frozenset())
    reads = not objects.isdisjoint(rest) and _only_reads(words, first)
    by_git = "git" in words[:first] and words[first] in tables.WRITES_OF_GIT
    return "read" if reads else "write" if by_git or _writes(words[first:]) else "unknown"


def is_generic(tool: str) -> bool:
    """
    Return whether a tool's name says nothing about what it does: its arguments do.

    >>> is_generic("execute_query"), is_generic("http_request"), is_generic("save_query")
    (True, True, False)
    """
    words = split_name(tool)[1]
    return bool(words) and tables.GENERIC.issuperset(words)


def is_result(tool: str) -> bool:
    """
    Return whether a tool's name ends with a word for what an earlier call left, such as ``get_results``.

    >>> is_result("read_output"), is_result("get_results_of_match"), is_result("list_users")
    (True, False, False)
    """
    words = split_name(tool)[1]
    return bool(words) and words[-1] in tables.RESULTS


@lru_cache(maxsize=4096)
def cautious_effect(tool: str) -> Effect:
    """
    Return the effect to assume where calls are to keep their order if one may write.

    Unlike in `assumed_effect`, a writing verb counts anywhere in a name, and so does a noun that is also a verb.

    >>> cautious_effect("get_or_create"), cautious_effect("get_refund_status"), cautious_effect("get_weather")
    ('write', 'write', 'read')
    """
    words = words_in_name(tool)
    pairs = set(itertools.pairwise(words))
    if not (tables.WRITES | tables.WRITES_OR_NOUNS).isdisjoint(words):
        return "write"
    if pairs & tables.PHRASES_OF_WRITES or pairs & tables.PHRASES_IN_DOUBT:
        return "write"
    own = split_name(tool)[1]
    in_front = [word for at, word in enumerate(words) if at == 0 or words[at - 1] in tables.CONJUNCTIONS] + own[:1]
    if not tables.WRITES_IN_FRONT.isdisjoint(in_front) or not tables.WRITES_AFTER_A_VERB.isdisjoint(in_front[1:-1]):
        return "write"
    return assumed_effect(tool, arguments_seen=True)


def _is_verb_here(words: Sequence[str], at: int) -> bool:
    """Return whether the noun at a position of a name is a writing verb there: ``book`` in ``book_flight``."""
    return words[at] in tables.WRITES_IN_FRONT and words[-1] not in _FINDING


def _depends_on_arguments(words: Sequence[str], first: int) -> bool:
    """Return whether the arguments decide what the reading verb of a name does."""
    last = words[-1]
    return (
        words[first] == "query"
        or list(words) == ["fetch"]
        or (words[first] in {"fetch", "get"} and last in tables.FETCHED_BY_ARGUMENTS)
    )


def _only_reads(words: Sequence[str], first: int) -> bool:
    """Return whether nothing in *words* makes the reading verb at *first* doubtful."""
    verb, rest = words[first], words[first + 1 :]
    if "git" in words[:first] and verb not in tables.READS_OF_GIT:
        return False
    if verb in _CALCULATING:
        return tables.ARITHMETIC.issuperset(rest)
    last = rest[-1] if rest else ""
    doubts = (
        verb == "check" and not tables.CHECKED_OFF.isdisjoint(rest[:1]),
        verb == "scan" and not (rest and tables.SCANNED.isdisjoint(rest)),
        verb == "show" and not tables.SHOWN.isdisjoint(rest),
        verb == "extract" and not tables.PACKED.isdisjoint(rest),
        verb == "look" and bool(rest) and rest[0] not in tables.LOOKED,
        verb == "head" and bool(rest) and tables.STATED.isdisjoint(rest),
        verb == "embed" and bool(rest) and tables.EMBEDDED.isdisjoint(rest),
        verb in _ASKING and (last in tables.TOKENS or "new" in rest),
        not (tables.SINGLE_USE | tables.COUNTED_BY_USE).isdisjoint(itertools.pairwise(rest)),
        verb in {"status", "head", "count"} and not tables.NOUNS_MOVED.isdisjoint(rest[:1]),
        "page" in rest[:-1] and last in _OF_A_PAGE,
    )
    return not any(doubts) and not any(_is_doubtful(rest, at) for at in range(len(rest)))


def _is_doubtful(rest: Sequence[str], at: int) -> bool:
    """Return whether the word at a position after a reading verb may mean more than reading."""
    word = rest[at]
    following = rest[at + 1] if at + 1 < len(rest) else ""
    if word in tables.CONJUNCTIONS:
        # Another verb follows, or the second of two nouns.
        return not (following in tables.READS or (following.endswith("s") and following[:-1] not in _ANY_VERB))
    if word in tables.ASKED_OF_A_PERSON:
        return not following or following in tables.PREPOSITIONS
    if word == "pull":
        return not following.startswith("request")
    if word in {"to", "as"}:
        return not following or following in tables.STORES
    before = rest[at - 1] if at else ""
    if word in tables.SELECTED or (
        word in tables.IN_USE and (before in tables.PREPOSITIONS or following in tables.WORKPLACES)
    ):
        return True
    # The state of a door is no session's: that word is doubtful itself. Nor is it what get_state tells.
    state_of_a_thing = word == "state" and not following and bool(before)
    signed_in = word in tables.SIGNING_IN and before in tables.PAST
    dated = word in {"next", "previous"} and following in tables.ON_A_TIMETABLE
    return word in tables.DOUBTFUL and not (state_of_a_thing or signed_in or dated)


def _writes(words: Sequence[str]) -> bool:
    """Return whether *words*, which begin with no service's name, say that a call writes."""
    verb, rest = words[0], words[1:]
    if tuple(words[:2]) in tables.PHRASES_OF_WRITES or verb in {"login", "logout"}:
        return True
    if verb in tables.GENERIC_VERBS or tables.GENERIC.issuperset(words) or tuple(words[:2]) in tables.PHRASES_IN_DOUBT:
        return False
    if verb in _CALCULATING and tables.ARITHMETIC.issuperset(rest):
        return False
    if verb in tables.WRITES:
        return True
    if verb in tables.WRITES_OR_NOUNS | tables.WRITES_IN_FRONT:
        return bool(rest) and (verb == "set" or rest[-1] not in tables.NOUNS_AT_THE_END)
    return False
