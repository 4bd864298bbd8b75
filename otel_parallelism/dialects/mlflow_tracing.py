"""MLflow's spans: a type, inputs and outputs, all of them JSON texts; its tool spans have no call ids."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_parallelism.patterns import LazyPattern

from .parsing.content import decoded
from .parsing.facts import Dialect, Facts, text
from .parsing.span_facts import call_facts, step_facts, turn_facts
from .parsing.usage import InputUsage, input_usage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from otel_parallelism.model import SpanRecord

_TYPE = "mlflow.spanType"
_FUNCTION = "mlflow.spanFunctionName"
_USAGE = "mlflow.chat.tokenUsage"
_CACHES = (("cache_read_input_tokens",), ("cache_creation_input_tokens",))
_NUMBERED = LazyPattern(r"_\d+")
_TOOLS_NODE = LazyPattern(r"tools(?:_\d+)?")


def _describe(span: SpanRecord) -> Facts | None:
    """Return the facts by the span's type; other types have no kind."""
    attributes = span.attributes
    kind = _plain(attributes, _TYPE).upper()
    given, output = attributes.get("mlflow.spanInputs"), attributes.get("mlflow.spanOutputs")
    match kind:
        case "":
            return None
        case "TOOL" | "RETRIEVER":
            return call_facts(_name(span), given, output, retrieval=kind == "RETRIEVER")
        case "CHAT_MODEL" | "LLM":
            return step_facts(given, output, _input_usage(attributes))
        case "AGENT" | "WORKFLOW":
            return turn_facts(_name(span), given)
        case "CHAIN" if _TOOLS_NODE.fullmatch(span.name):
            return Facts(kind="cycle")
    return Facts()


def _plain(attributes: Mapping[str, object], key: str) -> str:
    """Return a text attribute without the quotes of its JSON."""
    return text(attributes, key).strip('"')


def _name(span: SpanRecord) -> str:
    """Return the function's name if the span's name is the same with a number, which older versions append."""
    function = _plain(span.attributes, _FUNCTION)
    numbered = function and span.name.startswith(function) and _NUMBERED.fullmatch(span.name, len(function))
    return function if numbered else span.name


def _input_usage(attributes: Mapping[str, object]) -> InputUsage:
    usage = decoded(attributes.get(_USAGE))
    if isinstance(usage, dict):
        return input_usage(usage, ("input_tokens", "prompt_tokens"), *_CACHES)
    return input_usage(attributes, (f"{_USAGE}.input_tokens", "gen_ai.usage.input_tokens"))


DIALECT = Dialect(describe=_describe, rank=85, keys=frozenset({_TYPE}))
