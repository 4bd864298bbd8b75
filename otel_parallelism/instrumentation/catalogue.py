"""The frameworks that are known, one module each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from . import (
    agent_framework,
    agents,
    agno,
    anthropic,
    autogen,
    claude_agent_sdk,
    crewai,
    dspy,
    fastmcp,
    google_adk,
    haystack,
    langchain_core,
    langgraph,
    llama_index,
    mcp,
    openai,
    pydantic_ai,
    semantic_kernel,
    smolagents,
    strands,
)

if TYPE_CHECKING:
    from .patching import Framework

FRAMEWORKS: Final[tuple[Framework, ...]] = (
    agent_framework.FRAMEWORK,
    agents.FRAMEWORK,
    agno.FRAMEWORK,
    anthropic.FRAMEWORK,
    autogen.FRAMEWORK,
    claude_agent_sdk.FRAMEWORK,
    crewai.FRAMEWORK,
    dspy.FRAMEWORK,
    fastmcp.FRAMEWORK,
    google_adk.FRAMEWORK,
    haystack.FRAMEWORK,
    langchain_core.FRAMEWORK,
    langgraph.FRAMEWORK,
    llama_index.FRAMEWORK,
    mcp.FRAMEWORK,
    openai.FRAMEWORK,
    pydantic_ai.FRAMEWORK,
    semantic_kernel.FRAMEWORK,
    smolagents.FRAMEWORK,
    strands.FRAMEWORK,
)
