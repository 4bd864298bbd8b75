"""The frameworks that are known, one module each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from . import agno, anthropic, crewai, openai, smolagents, strands

if TYPE_CHECKING:
    from .patching import Framework

FRAMEWORKS: Final[tuple[Framework, ...]] = (
    agno.FRAMEWORK,
    anthropic.FRAMEWORK,
    crewai.FRAMEWORK,
    openai.FRAMEWORK,
    smolagents.FRAMEWORK,
    strands.FRAMEWORK,
)
