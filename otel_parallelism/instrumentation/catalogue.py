"""The frameworks that are known, one module each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from . import agent_framework, anthropic, google_adk, openai

if TYPE_CHECKING:
    from .patching import Framework

FRAMEWORKS: Final[tuple[Framework, ...]] = (
    agent_framework.FRAMEWORK,
    anthropic.FRAMEWORK,
    google_adk.FRAMEWORK,
    openai.FRAMEWORK,
)
