"""langgraph: each run of a graph is a turn, however it is started; tools and models are those of langchain_core."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from otel_parallelism.dialects.parsing.messages import user_words
from otel_parallelism.instrumentation.hooks.lifetimes import argument
from otel_parallelism.instrumentation.hooks.patching import Framework, Patch
from otel_parallelism.instrumentation.hooks.turn_wrappers import TurnFacts, turn_wrapper
from otel_parallelism.instrumentation.libraries.langchain_messages import GRAPH_PAUSES, plain_messages

if TYPE_CHECKING:
    from otel_parallelism.instrumentation.hooks.lifetimes import Arguments, Keywords

_DUPLICATE_SCOPES = (
    "openinference.instrumentation.langchain",
    "opentelemetry.instrumentation.langchain",
    "opentelemetry.instrumentation.genai.langchain",
)
"""Instrumentations that LangChain's callbacks inform of every run; the names of their modules and of their scopes."""

_UNNAMED = "LangGraph"
"""The name of a graph that was created without a name."""


def _turn(graph: Any, args: Arguments, kwargs: Keywords) -> TurnFacts:
    name = graph.name
    words = _words(argument(args, kwargs, 0, "input"))
    agent = name if isinstance(name, str) and name != _UNNAMED else ""
    return TurnFacts(
        agent, words or None, frozenset(scope for scope in _DUPLICATE_SCOPES if scope in sys.modules), GRAPH_PAUSES
    )


def _words(given: Any) -> list[object]:
    """Return the user's words in the input of a graph: messages, other fields of the state, or a resume value."""
    if isinstance(given, str):
        return [given]
    if not isinstance(given, Mapping):
        resume = getattr(given, "resume", None)
        return [] if resume is None else [resume]
    said = [value for key, value in given.items() if isinstance(value, str) and key != "messages"]
    return said + user_words(plain_messages(given.get("messages", ())))


FRAMEWORK = Framework(
    name="langgraph",
    distribution="langgraph",
    versions=">=1,<2",
    patches=(
        Patch("langgraph.pregel.main:Pregel.stream", turn_wrapper(_turn, title=_UNNAMED)),
        Patch("langgraph.pregel.main:Pregel.astream", turn_wrapper(_turn, title=_UNNAMED)),
    ),
    others=(
        "openinference-instrumentation-langchain",
        "opentelemetry-instrumentation-langchain",
        "opentelemetry-instrumentation-genai-langchain",
    ),
)
