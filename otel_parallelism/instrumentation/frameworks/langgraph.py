"""langgraph: each run of a graph is a turn, in whatever way it is asked for; tools and models are langchain_core's."""

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
"""Instrumentations, by the names of their modules and scopes, that LangChain's callbacks tell of all that runs."""

_UNNAMED = "LangGraph"
"""What a graph is called that was not given a name."""


def _turn(graph: Any, args: Arguments, kwargs: Keywords) -> TurnFacts:
    name = graph.name
    words = _words(argument(args, kwargs, 0, "input"))
    agent = name if isinstance(name, str) and name != _UNNAMED else ""
    return TurnFacts(
        agent, words or None, frozenset(scope for scope in _DUPLICATE_SCOPES if scope in sys.modules), GRAPH_PAUSES
    )


def _words(given: Any) -> list[object]:
    """What the user says in the input of a graph: in messages, in other fields of its state, or to have it resume."""
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
