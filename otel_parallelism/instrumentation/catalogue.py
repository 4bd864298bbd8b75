"""The frameworks that are known, one module each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from . import anthropic, dspy, fastmcp, mcp, openai, pydantic_ai

if TYPE_CHECKING:
    from .patching import Framework

FRAMEWORKS: Final[tuple[Framework, ...]] = (
    anthropic.FRAMEWORK,
    dspy.FRAMEWORK,
    fastmcp.FRAMEWORK,
    mcp.FRAMEWORK,
    openai.FRAMEWORK,
    pydantic_ai.FRAMEWORK,
)
