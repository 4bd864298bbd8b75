"""The types of a report on the sessions of coding agents."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from .fleet_types import FleetReport


class PlaceRead(msgspec.Struct, frozen=True):
    """A folder in which transcripts were looked for: whether it exists, and how many there are."""

    agent: str
    folder: str
    exists: bool
    files: int


class OrderedTool(msgspec.Struct, frozen=True):
    """How many calls of a tool write, and of how many the effect is unknown: their order is kept."""

    tool: str
    writes: int
    unknown: int


class InstructionLine(msgspec.Struct, frozen=True):
    """
    A line for an agent's instructions: the seconds, model requests and input tokens it may save, in how many turns.

    ``cancelled`` are the calls that were cancelled together for want of it.
    """

    text: str
    lost: float = 0.0
    steps: int = 0
    tokens: int | None = None
    turns: int = 0
    cancelled: int = 0


class SessionsReport(msgspec.Struct, frozen=True, kw_only=True):
    """
    The sums over the turns of coding agents; durations are in seconds.

    ``alone`` are the responses that asked for one call. ``lost`` could have been saved safely, with ``steps`` model
    requests of ``tokens`` input tokens, ``cached_tokens`` of them from a cache; ``perhaps`` if what is unknown allows
    it. ``waited`` passed in waiting for the person; it is in no other number. ``batches`` were cancelled in part,
    ``cancelled`` calls in all, the widest of ``widest`` calls. ``records`` were read, ``broken`` and ``untimed`` ones
    left out, as were those of ``unknown`` kinds, and files that are ``unreadable``.
    """

    schema_version: int
    turns: int
    sessions: int
    calls: int
    responses: int
    alone: int
    lost: float
    perhaps: float
    steps: int
    tokens: int | None
    cached_tokens: int | None
    waited: float
    kept_order: tuple[OrderedTool, ...]
    batches: int
    cancelled: int
    widest: int
    lines: tuple[InstructionLine, ...]
    places: tuple[PlaceRead, ...]
    files: int
    records: int
    broken: int
    untimed: int
    unknown: Mapping[str, int]
    unreadable: tuple[str, ...]
    fleet: FleetReport
