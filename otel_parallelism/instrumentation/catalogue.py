"""The frameworks that are known, one module each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from . import agents, anthropic, openai

if TYPE_CHECKING:
    from .patching import Framework

FRAMEWORKS: Final[tuple[Framework, ...]] = (
    agents.FRAMEWORK,
    anthropic.FRAMEWORK,
    openai.FRAMEWORK,
)
