"""Decides whether a call reads or writes, and whether the effects of two calls conflict."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Literal, TypeAlias

from .argument_effects import argument_effect
from .tool_verbs import assumed_effect, is_generic

if TYPE_CHECKING:
    from otel_parallelism.model import Call, Content, Effect, EffectSource
    from otel_parallelism.settings import Settings

Edge: TypeAlias = Literal["hard", "unknown", "none"]
"""Whether the order of two calls must be kept, may have to be kept, or is free."""


def call_effect(call: Call, settings: Settings) -> tuple[Effect, EffectSource]:
    """
    Return the effect of *call*, and how it is known.

    Tools that ``settings.serial`` matches count as writing. Otherwise, highest precedence first: the decorator or the
    framework, the patterns in the settings (``writes`` before ``read_only``), the arguments, the words of the tool's
    name. The source of an effect read from a name is ``assumed``.
    """
    if settings.serial and _matches(call.tool, settings.serial):
        return "write", "settings"
    if call.effect_source in {"declared", "framework"}:
        return call.effect, call.effect_source
    if settings.writes and _matches(call.tool, settings.writes):
        return "write", "settings"
    if settings.read_only and _matches(call.tool, settings.read_only):
        return "read", "settings"
    if call.effect != "unknown":
        return call.effect, call.effect_source or "framework"
    return _shown_effect(call.tool, call.arguments)


def _shown_effect(tool: str, arguments: Content | None) -> tuple[Effect, EffectSource]:
    """Return the effect that the arguments show, or else the one that the name suggests, and how it is known."""
    seen, shown = _seen(tool, arguments)
    by_name = assumed_effect(tool, arguments_seen=seen)
    if shown == "write":
        return "write", "arguments"
    if shown == "read" and (is_generic(tool) or by_name == "read"):
        return ("read", "arguments") if seen else ("unknown", "")
    if shown == "unknown" and by_name != "write":
        return "unknown", "arguments"
    return by_name, "assumed" if by_name != "unknown" else ""


def _seen(tool: str, arguments: Content | None) -> tuple[bool, Effect | None]:
    """Return whether the arguments were seen in full, and the effect that they show."""
    if arguments is None:
        return False, None
    try:
        value = arguments.value if arguments.parse is None else arguments.parse(arguments.value)
        return arguments.whole, argument_effect(tool, value)
    except Exception:  # noqa: BLE001 - a parser may fail on unknown data, and so may a container of the user
        return False, None


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
