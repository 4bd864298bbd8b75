"""
Which calls of one response must keep their order, although the model asked for them together.

The model knows that no call needs another's result; it does not know what tools do to the world. Two writes keep their
order, and so do a read and a write, unless each declares a resource and they differ. Reads run together, and so do
calls of which nothing is known with each other and with reads: asking for them together was the model's decision.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

import msgspec

from otel_parallelism.analysis.dependencies.effects import effects_edge
from otel_parallelism.analysis.dependencies.tool_verbs import assumed_effect
from otel_parallelism.model import Effect

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Access(msgspec.Struct, frozen=True):
    """
    What one call does to the world.

    ``resource`` is empty where none is declared; ``needs`` are the tools whose results it is declared to need.
    """

    tool: str
    effect: Effect = "unknown"
    resource: str = ""
    needs: tuple[str, ...] = ()


def earlier_conflicts(accesses: Sequence[Access]) -> tuple[tuple[int, ...], ...]:
    """
    Return for each call the earlier ones that must have ended before it starts.

    >>> read, write = Access("get", "read"), Access("set", "write")
    >>> earlier_conflicts([read, read, write, read])
    ((), (), (0, 1), (2,))
    """
    return tuple(
        tuple(before for before in range(after) if conflict(accesses[before], accesses[after]))
        for after in range(len(accesses))
    )


def conflict(earlier: Access, later: Access) -> bool:
    """Return whether two calls keep their order; an unknown edge counts if one writes or both share a resource."""
    if earlier.tool in later.needs:
        return True
    edge = effects_edge(earlier.effect, earlier.resource, later.effect, later.resource)
    if edge == "unknown":
        shared = bool(earlier.resource) and earlier.resource == later.resource
        return shared or "write" in (earlier.effect, later.effect)
    return edge == "hard"


def effect_of(tool: str, declared: Effect | None, effects: Mapping[str, Effect]) -> Effect:
    """
    Return what *tool* does: what *effects* say of it, else what is declared, else what its name sounds like.

    >>> effect_of("delete_file", None, {"*": "read"}), effect_of("delete_file", None, {})
    ('read', 'write')
    """
    return given_effect(tool, effects) or declared or assumed_effect(tool)


def given_effect(tool: str, effects: Mapping[str, Effect]) -> Effect | None:
    """Return what *effects* say of *tool*, by its name or else by the first pattern that fits; None if nothing."""
    if tool in effects:
        return effects[tool]
    return next((effect for pattern, effect in effects.items() if fnmatchcase(tool, pattern)), None)
