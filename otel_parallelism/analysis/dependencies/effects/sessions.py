"""
Finds calls that act on a screen or change a session: a click, a login, a change of the directory.

What such a call leaves behind is seen by the calls after it, although no value is passed on. So its order is intended.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING

from otel_parallelism.patterns import LazyPattern

from . import verb_tables as tables
from .argument_effects import named_texts
from .tool_verbs import split_name, words_in_name

if TYPE_CHECKING:
    from otel_parallelism.model import Content

_GESTURES = tables.word_set(
    "click tap swipe hover drag scroll navigate goto screenshot snapshot dblclick keypress mouse keyboard viewport"
)
_BARE_GESTURES = tables.word_set("type press fill key keys back forward wait select")
_PHRASES_OF_GESTURES = frozenset(
    itertools.chain(
        itertools.product(("press",), ("key", "keys", "button", "enter")),
        itertools.product(("type",), ("text", "into", "in", "keys")),
        itertools.product(("fill",), ("form", "field", "in", "input")),
        itertools.product(("go",), ("back", "forward", "to")),
        itertools.product(("input", "enter"), ("text",)),
        itertools.product(("switch", "select", "open", "new", "close"), ("tab", "window", "frame", "page")),
        (("send", "keys"), ("select", "option"), ("select", "dropdown"), ("check", "box"), ("check", "checkbox")),
    )
)
_SESSION_VERBS = tables.word_set("login logout authenticate connect disconnect reconnect switch cd chdir pushd popd")
_PHRASES_OF_SESSIONS = frozenset(
    {("log", "in"), ("log", "out"), ("sign", "in"), ("sign", "out"), ("change", "directory")}
)
_CHOOSING = frozenset({"select", "use", "set", "open", "start", "close", "end", "begin", "commit", "rollback", "enter"})
_CHOSEN = tables.word_set(
    """
    database schema workspace project account tenant region context session connection transaction namespace profile
    tab window frame collection board directory cwd search_path organization env environment
    """
)
_NAMES_OF_ACTIONS = frozenset({"action", "action type", "type of action"})
_STATEMENT_OF_SESSION = LazyPattern(
    r"\s*(set\s++(?!.*\bwhere\b)|use\s++\w++\s*+;?\s*+$|begin\b|start\s+transaction|commit\b|rollback\b|savepoint\b)",
    re.IGNORECASE,
)
_COMMAND_OF_SESSION = LazyPattern(r"\s*(cd|pushd|popd|source|export)(\s|$)")


def acts_on_session(tool: str, arguments: Content | None) -> bool:
    """
    Return whether a call acts on a screen or changes a session.

    >>> acts_on_session("browser_click", None), acts_on_session("login", None), acts_on_session("get_clicks", None)
    (True, True, False)
    """
    if _by_name(tool):
        return True
    return arguments is not None and any(_shows_session(tool, name, text) for name, text in _texts(arguments))


@lru_cache(maxsize=4096)
def _by_name(tool: str) -> bool:
    namespace, words = split_name(tool)
    if not tables.SCREENS.isdisjoint((*namespace, *words[:1])):
        return True
    first = 0
    while first < len(words) - 1 and words[first] in tables.SERVICES:
        first += 1
    words = words[first:]
    if not words or words[0] in tables.READS - {"check"}:
        return words[-1:] == ["screenshot"]
    pairs = set(itertools.pairwise(words))
    chooses = words[0] in _CHOOSING and words[-1] in _CHOSEN
    return (
        chooses
        or not _GESTURES.isdisjoint((words[0], words[-1]))
        or words[0] in _SESSION_VERBS
        or words[-1] in {"login", "logout"}
        or (len(words) == 1 and words[0] in _BARE_GESTURES)
        or bool(pairs & _PHRASES_OF_GESTURES)
        or tuple(words[:2]) in _PHRASES_OF_SESSIONS
    )


def _shows_session(tool: str, name: str, text: str) -> bool:
    """Return whether one argument shows it: an action on a screen, a statement, a change of the directory."""
    if name in _NAMES_OF_ACTIONS:
        words = words_in_name(text)
        return bool(words) and (not _GESTURES.isdisjoint(words) or (len(words) == 1 and words[0] in _BARE_GESTURES))
    if name in {"command", "cmd"}:
        return _COMMAND_OF_SESSION.match(text) is not None
    return ("sql" in name or "sql" in tool or name in {"query", "statement"}) and bool(
        _STATEMENT_OF_SESSION.match(text)
    )


def _texts(arguments: Content) -> Iterable[tuple[str, str]]:
    try:
        value = arguments.data()
        return tuple(named_texts(value).items()) if isinstance(value, Mapping) else ()
    except Exception:  # noqa: BLE001 - a parser may fail on unknown data, and so may a container of the user
        return ()
