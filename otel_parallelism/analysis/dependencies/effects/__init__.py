"""Decides whether a call reads or writes, and whether the effects of two calls conflict."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Literal, TypeAlias

from .argument_effects import argument_effect, named_texts, names_nothing
from .left_behind import works_on_what_came_before
from .reported_acts import reports_an_act
from .tool_descriptions import tells_of_more
from .tool_verbs import assumed_effect, is_generic, is_result

if TYPE_CHECKING:
    from otel_parallelism.model import Call, Content, Effect, EffectSource
    from otel_parallelism.settings import Settings

Edge: TypeAlias = Literal["hard", "unknown", "none"]
"""Whether the order of two calls must be kept, may have to be kept, or is free."""


def call_effect(call: Call, settings: Settings) -> tuple[Effect, EffectSource]:  # noqa: PLR0911 - one for each row
    """
    Return the effect of *call*, and how it is known.

    Tools that ``settings.serial`` matches count as writing. Otherwise, highest precedence first: the decorator or the
    framework, the patterns in the settings (``writes`` before ``read_only``), the arguments, the words of the tool's
    name. The source of an effect read from a name is ``assumed``. A description of the tool that says more
    than that it reads, and a result that reports an act, defeat a reading name; code that changes something outside
    defeats it, too, and what a framework's annotation says.
    """
    if settings.serial and _matches(call.tool, settings.serial):
        return "write", "settings"
    if call.effect_source == "framework" and call.effect == "read" and call.changes:
        # An annotation is a hint, and the code shows that the tool does more than read.
        return "unknown", ""
    if call.effect_source in {"declared", "framework"}:
        return call.effect, call.effect_source
    if settings.writes and _matches(call.tool, settings.writes):
        return "write", "settings"
    if settings.read_only and _matches(call.tool, settings.read_only):
        return "read", "settings"
    if call.effect != "unknown":
        return call.effect, call.effect_source or "framework"
    return _shown_effect(call)


def _shown_effect(call: Call) -> tuple[Effect, EffectSource]:
    """Return the effect that the contents of a call show, or else the one that the name suggests, and its source."""
    seen, bare, vague, shown = _seen(call.tool, call.arguments)
    by_name = assumed_effect(call.tool, arguments_seen=seen)
    if shown == "write":
        return "write", "arguments"
    # A result without a name is that of what ran before.
    of_before = vague or (bare and is_result(call.tool))
    doubtful = by_name == "read" and (
        call.changes
        or of_before
        or bool(call.description and tells_of_more(call.description, call.tool))
        or reports_an_act(call.result)
    )
    if shown == "read" and not doubtful and (is_generic(call.tool) or by_name == "read"):
        return ("read", "arguments") if seen else ("unknown", "")
    if doubtful or (shown == "unknown" and by_name != "write"):
        return "unknown", "arguments" if shown == "unknown" else ""
    return by_name, "assumed" if by_name != "unknown" else ""


def _seen(tool: str, arguments: Content | None) -> tuple[bool, bool, bool, Effect | None]:
    """
    Return what the arguments of a call show.

    Returns:
        Whether they were seen in full; whether they name nothing; whether they leave open what the call works on; and
        the effect that they show.
    """
    if arguments is None:
        return False, False, False, None
    try:
        value = arguments.data()
        given = named_texts(value)
        bare = arguments.whole and names_nothing(value, given)
        return arguments.whole, bare, works_on_what_came_before(tool, value), argument_effect(tool, value, given)
    except Exception:  # noqa: BLE001 - a parser may fail on unknown data, and so may a container of the user
        return False, False, False, None


def effects_edge(a: Effect, a_resource: str, b: Effect, b_resource: str) -> Edge:
    """
    Return whether the effects of two calls fix their order.

    Args:
        a: The effect of the earlier call.
        a_resource: The resource that it declares, an empty string if none.
        b: The effect of the later call.
        b_resource: Likewise.

    >>> effects_edge("write", "", "write", ""), effects_edge("read", "", "write", "")
    ('hard', 'unknown')
    >>> effects_edge("write", "disk", "write", "net"), effects_edge("read", "disk", "write", "disk")
    ('none', 'hard')
    """
    if a == b == "read" or (a_resource and b_resource and a_resource != b_resource):
        return "none"
    if a == b == "write" or (a_resource and a_resource == b_resource and "write" in {a, b}):
        return "hard"
    return "unknown"


def _matches(tool: str, patterns: tuple[str, ...]) -> bool:
    name = tool.lower()
    return any(fnmatchcase(name, pattern.lower()) for pattern in patterns)
