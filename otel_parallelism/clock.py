"""
The only module that asks for the time.

Other modules call ``clock.now_ns()`` and ``clock.monotonic_s()`` through the module, so that a test can replace
both and turn the clock itself.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

now_ns: Callable[[], int] = time.time_ns
"""Nanoseconds since the epoch, as span timestamps are."""

monotonic_s: Callable[[], float] = time.monotonic
"""Seconds on a clock that never goes back; only differences mean something."""
