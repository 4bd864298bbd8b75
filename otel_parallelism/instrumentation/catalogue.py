"""The frameworks that are known, one module each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from . import agent_framework, anthropic, autogen, google_adk, openai, semantic_kernel

if TYPE_CHECKING:
    from .patching import Framework

FRAMEWORKS: Final[tuple[Framework, ...]] = (
    agent_framework.FRAMEWORK,
    anthropic.FRAMEWORK,
    autogen.FRAMEWORK,
    google_adk.FRAMEWORK,
    openai.FRAMEWORK,
    semantic_kernel.FRAMEWORK,
)
