"""
Recognises results that report what a call did: ``loaded sales.csv``, ``switched to staging``.

A tool with a reading name that reports an act has left something behind, which later calls may use.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from otel_parallelism.analysis.dependencies.contents.plain_data import inner_data, plain_data
from otel_parallelism.patterns import CaselessPattern, LazyPattern

if TYPE_CHECKING:
    from otel_parallelism.model import Content

_ACT = CaselessPattern(
    r"\W*(?:(?:successfully|has been|was|file|page|data|dataset|session|index|cache|model) )*"
    r"(?:(?:loaded|opened|saved|stored|cached|switched|connected|navigated|wrote|written|uploaded|exported"
    r"|imported|indexed|warmed|primed|rebuilt|refreshed|initiali[sz]ed"
    r"|unpacked|cloned|mounted|attached)\b(?! by\b)|(?:logged|signed) in\b|checked out\b"
    r"|(?:held|reserved|locked) (?:for|until) (?:you\b|\d))"
    r"|.*\b(?:session|connection|browser|kernel) (?:started|opened|created|established)\b"
    r"|.*\b(?:entry|config|kubeconfig|context|credentials?|profile) (?:was |has been )?(?:generated|created"
    r"|updated|added|set|merged)\b"
    r"|.*\bis now (?:open|active|selected|available|loaded|current)\b|.*\bnow (?:viewing|connected|logged in)\b"
    r"|.*\b(?:results?|output|data) (?:is|are) (?:now )?(?:available|stored|saved|ready|kept) (?:in|at|under|as|via)\b"
    r"|.*\b(?:stored|saved|loaded|written|cached|kept|put) (?:in|into|to|as|under) (?:the )?\w*"
    r"(?:index|memory|cache|workspace|session|sandbox|context|variable|dataframe|df|store|database|clipboard)\b",
    re.DOTALL,
)
ACTED = (
    "downloaded|embedded|indexed|ingested|synced|synchroni[sz]ed|imported|inserted|upserted|stored|saved|queued|enqueued"
    "|triggered|submitted|written|loaded|persisted|tagged|labell?ed|rebuilt|recalculated|recomputed|refreshed|warmed"
    "|crawled|reserved|claimed|acknowledged"
)
"""Words in the name of a field that says to how many things something was done."""

_FIELDS_OF_ACTS = LazyPattern(rf"(?:num_?|n_?|total_?|count_?)?(?:\w+_)?(?:{ACTED})(?:_?(?:count|total|\w+s))?")
_MOST_ACTED_ON = 1_000_000_000
_LONGEST = 160
_MOST_LEAVES = 3
_MOST_FIELDS = 8


def reports_an_act(result: Content | None) -> bool:
    """
    Return whether a *result* is a short text that reports what the call did.

    >>> from otel_parallelism.model import Content
    >>> [reports_an_act(Content(text)) for text in ("Loaded sales.csv, 3 columns", "Loading docks of Oslo")]
    [True, False]
    >>> reports_an_act(Content({"downloaded": 14})), reports_an_act(Content({"saved": False, "price": 12}))
    (True, False)
    """
    if result is None:
        return False
    try:
        value = inner_data(plain_data(result.data()))
        if isinstance(value, Mapping) and len(value) <= _MOST_FIELDS and any(_acted(*item) for item in value.items()):
            return True
        texts: list[str] = []
        _add_texts(value, texts, 0)
    except Exception:  # noqa: BLE001 - a parser may fail on unknown data, and so may a container of the user
        return False
    return len(texts) <= _MOST_LEAVES and any(len(text) <= _LONGEST and _ACT.match(text) for text in texts)


def _acted(name: object, value: object) -> bool:
    """Return whether a field of a result says that something was done, or to how many things: ``"indexed": 12``."""
    if value is not True and not (type(value) is int and 0 < value < _MOST_ACTED_ON):
        return False
    return isinstance(name, str) and len(name) <= _LONGEST and _FIELDS_OF_ACTS.fullmatch(_snake(name)) is not None


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


def _add_texts(value: object, texts: list[str], depth: int) -> None:
    """Add the texts in *value*, up to one more than a short result has."""
    if isinstance(value, str):
        texts.append(value)
    elif depth < _MOST_LEAVES and isinstance(value, (Mapping, list, tuple)):
        for inner in value.values() if isinstance(value, Mapping) else value:
            if len(texts) > _MOST_LEAVES:
                return
            _add_texts(inner, texts, depth + 1)
