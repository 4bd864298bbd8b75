"""
Decides which calls of one response must keep their order.

The model requests calls together if none needs another's result, but it does not know their side effects. Two writes
keep their order, and so do a read and a write, unless both declare resources and these differ. Reads run concurrently,
and so do calls with an unknown effect.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

import msgspec

from otel_parallelism.analysis.dependencies.effects import effects_edge
from otel_parallelism.analysis.dependencies.effects.tool_verbs import cautious_effect
from otel_parallelism.model import Effect

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Access(msgspec.Struct, frozen=True):
    """
    The effect of one call.

    ``resource`` is empty if none is declared; ``needs`` are the tools whose results the call is declared to need.
    """

    tool: str
    effect: Effect = "unknown"
    resource: str = ""
    needs: tuple[str, ...] = ()


def earlier_conflicts(accesses: Sequence[Access]) -> tuple[tuple[int, ...], ...]:
    """
    Return for each call the positions of the earlier calls that must end before it starts.

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
    Return the effect of *tool*: from *effects*, else as *declared*, else as assumed from its name.

    >>> effect_of("delete_file", None, {"*": "read"}), effect_of("delete_file", None, {})
    ('read', 'write')
    """
    return given_effect(tool, effects) or declared or cautious_effect(tool)


def given_effect(tool: str, effects: Mapping[str, Effect]) -> Effect | None:
    """Return the effect of *tool* in *effects*, by name or else by the first matching pattern; None if it has none."""
    if tool in effects:
        return effects[tool]
    return next((effect for pattern, effect in effects.items() if fnmatchcase(tool, pattern)), None)
