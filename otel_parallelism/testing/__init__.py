"""For tests of agents: what their turns are, what is demanded of them, and the plugin of pytest that checks it."""

from __future__ import annotations

from .captured_turns import CapturedTurns
from .demands import assert_parallel

__all__ = ["CapturedTurns", "assert_parallel"]
