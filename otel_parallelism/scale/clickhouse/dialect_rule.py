"""What one dialect says of a span, as SQL expressions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import msgspec

from .sql_expressions import NAME, cases, is_any

if TYPE_CHECKING:
    from otel_parallelism.dialects.parsing.facts import Kind

NONE, CALL, STEP, TURN, PART, WAITING, IGNORED, UNKNOWN = range(8)
"""The kinds of spans in SQL. ``PART`` is a cycle or a passage: no turn, even if another dialect says so."""

NO_TEXT: Final = "''"
FIRST_WORD: Final = f"splitByChar(' ', {NAME})[1]"
"""The span's name up to its first space."""

_CODES: Final[Mapping[Kind, int]] = {
    "call": CALL,
    "step": STEP,
    "turn": TURN,
    "cycle": PART,
    "passage": PART,
    "waiting": WAITING,
    "ignored": IGNORED,
}


class Rule(msgspec.Struct, frozen=True):
    """
    What one dialect says of a span, as expressions.

    Attributes:
        kind: The number of its kind; ``NONE`` if the dialect does not know.
        tool: The tool, if the span is a call.
        agent: The agent, if the span is a turn.
        title: The name of a turn, if it is not the span's name.
        parts: Expressions that the others and later parts refer to, by name.
    """

    kind: str
    tool: str = NO_TEXT
    agent: str = NO_TEXT
    title: str = NO_TEXT
    parts: Mapping[str, str] = {}


def kind_by_value(text: str, kinds: Mapping[str, Kind]) -> str:
    """
    Return the kind that the value *text* has in *kinds*.

    >>> kind_by_value("a", {"x": "call"})
    "multiIf(a IN ('x'), 1, 0)"
    """
    found: dict[int, list[str]] = {}
    for value, kind in kinds.items():
        found.setdefault(_CODES[kind], []).append(value)
    return kind_where(*((is_any(text, values), code) for code, values in sorted(found.items())))


def kind_where(*pairs: tuple[str, int | str], otherwise: int = NONE) -> str:
    """
    Return the kind of the first condition that holds.

    >>> kind_where(("a", CALL))
    'multiIf(a, 1, 0)'
    """
    return cases(*((condition, str(kind)) for condition, kind in pairs), otherwise=str(otherwise))
