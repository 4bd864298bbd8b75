"""The frameworks that are known, one module each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from . import anthropic, haystack, langchain_core, langgraph, llama_index, openai

if TYPE_CHECKING:
    from .patching import Framework

FRAMEWORKS: Final[tuple[Framework, ...]] = (
    anthropic.FRAMEWORK,
    haystack.FRAMEWORK,
    langchain_core.FRAMEWORK,
    langgraph.FRAMEWORK,
    llama_index.FRAMEWORK,
    openai.FRAMEWORK,
)
