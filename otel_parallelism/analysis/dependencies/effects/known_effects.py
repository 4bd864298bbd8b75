"""The effects of the calls of one scope, where the source of a tool may show that its reading name is wrong."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias

from otel_parallelism.model import CallFrame
from otel_parallelism.pace import empty, paced

from . import Edge, call_effect
from .intended_order import IntendedOrder
from .left_behind import left_behind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from otel_parallelism.model import Call, Caller, Effect, EffectSource
    from otel_parallelism.settings import Settings
    from otel_parallelism.source.call_stacks import Sources

_Known: TypeAlias = "tuple[Effect, EffectSource]"


class ScopeEffects:
    """
    The effects of the calls of one scope, and the order that they intend.

    The contents of the calls are read for this when it is first needed.
    """

    def __init__(
        self,
        calls: Sequence[Call],
        settings: Settings,
        sources: Sources | None,
        hand_offs_ns: Sequence[int],
        asked_again_ns: Sequence[int],
    ) -> None:
        """Keep the arguments, which are those of `known_effects` and of `IntendedOrder`."""
        self._calls = calls
        self._settings = settings
        self._sources = sources
        self._hand_offs_ns, self._asked_again_ns = hand_offs_ns, asked_again_ns

    @cached_property
    def _known(self) -> list[_Known]:
        return known_effects(self._calls, self._settings, self._sources)

    @cached_property
    def effects(self) -> list[Effect]:
        """The effect of each call."""
        return [effect for effect, _ in paced(self._known)]

    @cached_property
    def effect_sources(self) -> list[EffectSource]:
        """How the effect of each call is known."""
        return [source for _, source in paced(self._known)]

    @cached_property
    def declared_reads(self) -> int:
        """The bits of the calls that are declared to read."""
        return sum(
            (effect == "read" and source in {"declared", "framework", "settings"}) << index
            for index, (effect, source) in paced(enumerate(self._known))
        )

    @cached_property
    def _left_behind(self) -> dict[int, list[tuple[int, str]]]:
        decided = self.declared_reads
        reads = (
            index
            for index, call in paced(enumerate(self._calls))
            if self.effects[index] == "read"
            and not (decided >> index & 1 or call.resource or call.depends_on is not None)
        )
        return left_behind(self._calls, reads)

    def left_before(self, later: int) -> int:
        """Return the bits of the earlier calls that may have left behind what ``calls[later]`` reads."""
        found = 0
        for mask, _ in self._left_behind.get(later, ()):
            found |= mask
        return found

    def left_between(self, earlier: int, later: int) -> tuple[Edge, str] | None:
        """Return the edge from a call to a later one that may read what it left behind, and why, if there is one."""
        for mask, why in self._left_behind.get(later, ()):
            if mask >> earlier & 1:
                return "unknown", why
        return None

    def forget(self) -> None:
        """Forget the effects, with pauses."""
        empty(vars(self).pop("_left_behind", {}))
        for name in ("_known", "effects", "effect_sources"):
            empty(vars(self).pop(name, []))

    @cached_property
    def intended(self) -> IntendedOrder:
        """The order that is intended although no value is passed on."""
        return IntendedOrder(self._calls, self.effect_sources, self._hand_offs_ns, self._asked_again_ns)


def known_effects(calls: Sequence[Call], settings: Settings, sources: Sources | None) -> list[_Known]:
    """
    Return the effect of each of *calls*, and how it is known.

    Args:
        calls: The calls of one scope.
        settings: Patterns of tools.
        sources: Returns the parsed file of a function that made a call, if any. It may define or import the tool.
    """
    found: list[_Known] = []
    asked: dict[tuple[str, str, Caller | None], bool] = {}
    for call in paced(calls):
        effect, how = call_effect(call, settings)
        if sources is not None and (effect, how) == ("read", "assumed"):
            frame = _frame_of(call)
            if frame is not None:
                key = call.tool, frame.file_path, call.defined
                if key not in asked:
                    asked[key] = _changes_something(call, frame, sources)
                effect = "unknown" if asked[key] else effect
        found.append((effect, how))
    return found


def _frame_of(call: Call) -> CallFrame | None:
    if call.stack is not None:
        return next((frame for frame in call.stack.frames() if frame is not None), None)
    return None if call.caller is None else CallFrame(call.caller.file_path, call.caller.line_number)


def _changes_something(call: Call, frame: CallFrame, sources: Sources) -> bool:
    # Most programs never need these modules.
    from otel_parallelism.source.changes.program_modules import function_at, program_module  # noqa: PLC0415 - see above
    from otel_parallelism.source.changes.tool_changes import may_change_something  # noqa: PLC0415 - see above

    from .shell_commands import shell_effect  # noqa: PLC0415 - likewise

    file = sources(frame)
    if file is None:
        return False
    module = program_module(file, frame.file_path, sources)
    defined = None if call.defined is None else function_at(call.defined, sources)
    return may_change_something(call.tool, module, lambda command: shell_effect(command) == "read", defined)
