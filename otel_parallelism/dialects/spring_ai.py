"""Spring AI: observations with a kind, whose GenAI operation name is ``framework`` and says nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .parsing.facts import Dialect, Facts, text
from .parsing.span_facts import call_facts, turn_facts

if TYPE_CHECKING:
    from otel_parallelism.model import SpanRecord

_KIND = "spring.ai.kind"
_TOOL = "spring.ai.tool.definition.name"
_CLIENT_INPUTS = ("spring.ai.chat.client.user.text", "spring.ai.chat.client.prompt", "gen_ai.prompt")


def _describe(span: SpanRecord) -> Facts | None:
    """Return the facts of a tool call or of a chat client's run; advisors and vector stores are passages."""
    attributes = span.attributes
    kind = text(attributes, _KIND)
    tool = text(attributes, _TOOL)
    if kind == "tool_call" or (tool and not kind):
        return call_facts(
            tool or span.name.removeprefix("tool_call "),
            attributes.get("spring.ai.tool.call.arguments"),
            attributes.get("spring.ai.tool.call.result"),
            call_id=text(attributes, "spring.ai.tool.call.id"),
        )
    if kind == "chat_client":
        given = next((attributes[key] for key in _CLIENT_INPUTS if attributes.get(key) is not None), None)
        return turn_facts(text(attributes, "gen_ai.agent.name"), given)
    return Facts(kind="passage") if kind else None


DIALECT = Dialect(describe=_describe, rank=27, keys=frozenset({_KIND, _TOOL}))
