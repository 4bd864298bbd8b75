"""
For tests of agents: what their turns are, what is demanded of them, and the plugin of pytest that checks it.

pytest imports this package in every project that has it, so its parts are imported when they are first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .captured_turns import CapturedTurns
    from .demands import assert_parallel
    from .replaying.recorded_responses import RecordedResponse
    from .replaying.replay import Replay

__all__ = ["CapturedTurns", "RecordedResponse", "Replay", "assert_parallel"]

_MODULES = {
    "CapturedTurns": "captured_turns",
    "RecordedResponse": "replaying.recorded_responses",
    "Replay": "replaying.replay",
    "assert_parallel": "demands",
}


def __getattr__(name: str) -> Any:
    """Return the public object called *name*, imported now."""
    module = _MODULES.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{module}"), name)


def __dir__() -> list[str]:
    """Return the names in this module, those that are not imported yet included."""
    return sorted({*globals(), *__all__})
