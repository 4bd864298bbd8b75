"""The frameworks that are known, one module each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from . import anthropic, langchain_core, langgraph, openai

if TYPE_CHECKING:
    from .patching import Framework

FRAMEWORKS: Final[tuple[Framework, ...]] = (
    anthropic.FRAMEWORK,
    langchain_core.FRAMEWORK,
    langgraph.FRAMEWORK,
    openai.FRAMEWORK,
)
