"""
``gen_ai.span.kind``: the kinds of OpenInference under a GenAI name, as some vendors write them (LoongSuite, veADK).

Content stands in GenAI's attributes, or in OpenInference's ``input.value`` and ``output.value``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from otel_parallelism import names

from .parsing.facts import Dialect, Facts, first_value, text
from .parsing.span_facts import call_facts, step_facts, turn_facts
from .parsing.usage import input_usage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from otel_parallelism.model import SpanRecord

    from .parsing.facts import Kind

_KIND: Final = "gen_ai.span.kind"
_TOOL_INPUTS: Final = (names.TOOL_CALL_ARGUMENTS, "input.value", "gen_ai.tool.input", "gen_ai.input", "tool.parameters")
_TOOL_OUTPUTS: Final = (names.TOOL_CALL_RESULT, "output.value", "gen_ai.tool.output", "gen_ai.output")
_INPUTS: Final = (names.INPUT_MESSAGES, "gen_ai.prompt", "input.value", "gen_ai.input")
_OUTPUTS: Final = (names.OUTPUT_MESSAGES, "gen_ai.completion", "output.value", "gen_ai.output")
_OTHER_KINDS: Final[Mapping[str, Kind]] = {"STEP": "cycle", "TASK": "passage", "ENTRY": "passage"}
_CACHE_READ: Final = ("gen_ai.usage.cache_read.input_tokens", "gen_ai.usage.cache_read_input_tokens")
_CACHE_WRITTEN: Final = ("gen_ai.usage.cache_creation.input_tokens", "gen_ai.usage.cache_creation_input_tokens")
_TOKENS: Final = (names.INPUT_TOKENS, "gen_ai.usage.prompt_tokens", "llm.token_count.prompt")


def _describe(span: SpanRecord) -> Facts | None:
    """Return the facts by the span's kind; other kinds, such as embeddings, have no kind here."""
    attributes = span.attributes
    kind = text(attributes, _KIND).upper()
    match kind:
        case "":
            return None
        case "TOOL" | "RETRIEVER" | "RETRIEVAL":
            tool = text(attributes, names.TOOL_NAME, "tool.name") or span.name.removeprefix("execute_tool ")
            given, output = first_value(attributes, _TOOL_INPUTS), first_value(attributes, _TOOL_OUTPUTS)
            call_id = text(attributes, names.TOOL_CALL_ID, "tool_call.id", "tool.id")
            return call_facts(tool, given, output, call_id=call_id, retrieval=kind != "TOOL")
        case "LLM":
            given, output = first_value(attributes, _INPUTS), first_value(attributes, _OUTPUTS)
            return step_facts(given, output, input_usage(attributes, _TOKENS, _CACHE_READ, _CACHE_WRITTEN))
        case "AGENT" | "WORKFLOW":
            agent = text(attributes, "gen_ai.agent.name", "agent.name") or span.name.removeprefix("invoke_agent ")
            return turn_facts(agent, first_value(attributes, _INPUTS))
    return Facts(kind=_OTHER_KINDS.get(kind))


DIALECT = Dialect(describe=_describe, rank=87, keys=frozenset({_KIND}))
