"""Settings of frameworks and requests that keep calls from running together, as they are recorded: ``name=value``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def one_at_a_time(settings: Any) -> str:
    """Return the setting in a request's *settings* that keeps the model from requesting several calls, or nothing."""
    if not isinstance(settings, Mapping):
        return ""
    if settings.get("parallel_tool_calls") is False:
        return "parallel_tool_calls=False"
    choice = settings.get("tool_choice")
    if isinstance(choice, Mapping) and choice.get("disable_parallel_tool_use") is True:
        return "disable_parallel_tool_use=True"
    return ""


def limit_switch(name: str, value: Any) -> str:
    """Return the setting *name* as it is recorded, if its *value* limits how many calls run at once."""
    return f"{name}={value}" if isinstance(value, int) and not isinstance(value, bool) and value > 0 else ""
