"""What the writers of one run in each dialect share: spans as written, the planned calls, and the writer itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

QUESTION = "what is new in Oslo?"


class Written(NamedTuple):
    """A span as a dialect writes it."""

    name: str
    attributes: Mapping[str, object]
    events: tuple[tuple[str, Mapping[str, object]], ...] = ()
    scope: str = ""


class Planned(NamedTuple):
    """One call of the run."""

    call_id: str
    tool: str
    arguments: dict[str, object]
    result: str
    start_ms: int
    end_ms: int


class Writer(NamedTuple):
    """How a dialect writes a run, a model request, a call, and the parent of a round; and what it leaves out."""

    run: Callable[[], Written]
    request: Callable[[list[Planned]], Written]
    call: Callable[[Planned], Written]
    cycle: Callable[[int], Written] | None = None
    ids: bool = True
    has_steps: bool = True
    run_is_a_turn: bool = True
    requests_ids: bool = True
    requests_words: bool = True
    has_contents: bool = True
    knows_the_last: bool = True
