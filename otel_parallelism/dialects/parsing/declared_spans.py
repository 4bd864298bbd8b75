"""
Spans of an unknown vocabulary that the user declared to be calls, model requests or turns, by patterns.

Names and contents are looked for in the attributes that most vocabularies use. An attribute whose name does not say
that it is all of the arguments or of the result counts as a part of it.
"""

from __future__ import annotations

import re
from fnmatch import translate
from typing import TYPE_CHECKING, Final

import msgspec

from otel_parallelism import names

from . import envelopes, messages
from .content import captured
from .facts import Facts, Kind, first_value, text, whole_number

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from otel_parallelism.model import Content, SpanRecord

_TOOLS: Final = (names.TOOL_NAME, "tool.name", "tool_name", "function.name")
_CALL_IDS: Final = (names.TOOL_CALL_ID, "tool_call.id", "tool_call_id", "tool.call_id", "tool.call.id", "call_id")
_AGENTS: Final = ("gen_ai.agent.name", "agent.name", "agent_name")
_ALL_ARGUMENTS: Final = (
    *(names.TOOL_CALL_ARGUMENTS, "tool.arguments", "tool.parameters", "tool.input", "tool_input", "input.value"),
    *("arguments", "args"),
)
_SOME_ARGUMENTS: Final = ("input", "parameters", "params", "query")
_ALL_RESULT: Final = (names.TOOL_CALL_RESULT, "tool.result", "tool.output", "tool_output", "output.value", "result")
_SOME_RESULT: Final = ("output", "response")
_TOLD: Final = (
    names.INPUT_MESSAGES,
    "gen_ai.prompt",
    "messages",
    "input.value",
    "input",
    "prompt",
    "question",
    "query",
)
_ANSWERS: Final = (names.OUTPUT_MESSAGES, "gen_ai.completion", "output.value", "output", "completion", "response")
_TOKENS: Final = (
    *(names.INPUT_TOKENS, "gen_ai.usage.prompt_tokens", "llm.token_count.prompt", "llm.usage.prompt_tokens"),
    *("input_tokens", "prompt_tokens", "usage.input_tokens", "usage.prompt_tokens", "tokens.input", "tokens.prompt"),
)


class SpanPatterns(msgspec.Struct, frozen=True):
    """
    What the user declared.

    Attributes:
        names: Kinds, each with the expression that names of its spans match as a whole.
        values: Kinds, each with an attribute's key and the expression that its value matches as a whole.
    """

    names: tuple[tuple[Kind, re.Pattern[str]], ...]
    values: tuple[tuple[Kind, str, re.Pattern[str]], ...]

    def kind_of(self, name: str, attributes: Mapping[str, object]) -> Kind | None:
        """Return the declared kind of a span; None if no pattern matches it. A pattern of names comes first."""
        for kind, expression in self.names:
            if expression.fullmatch(name):
                return kind
        for kind, key, expression in self.values:
            value = attributes.get(key)
            if value is not None and expression.fullmatch(_shown(value)):
                return kind
        return None


def span_patterns(calls: Sequence[str], steps: Sequence[str], turns: Sequence[str]) -> SpanPatterns | None:
    """
    Return the patterns of calls, model requests and turns; None if there are none.

    Args:
        calls: Globs over span names, or ``attribute=value`` with a glob as the value; both ignore case.
        steps: The same for model requests.
        turns: The same for turns.
    """
    by_name: list[tuple[Kind, re.Pattern[str]]] = []
    by_value: list[tuple[Kind, str, re.Pattern[str]]] = []
    kinds: tuple[tuple[Kind, Sequence[str]], ...] = (("call", calls), ("step", steps), ("turn", turns))
    for kind, patterns in kinds:
        for pattern in patterns:
            key, found, value = pattern.partition("=")
            if found and key:
                by_value.append((kind, key.strip(), _expression(value.strip())))
            elif pattern:
                by_name.append((kind, _expression(pattern)))
    return SpanPatterns(tuple(by_name), tuple(by_value)) if by_name or by_value else None


def declared_facts(kind: Kind, span: SpanRecord) -> Facts:
    """Return the facts of *span*, which the user declared to be of *kind*."""
    attributes = span.attributes
    if kind == "call":
        return Facts(
            kind="call",
            tool=text(attributes, *_TOOLS) or span.name,
            call_id=text(attributes, *_CALL_IDS),
            arguments=_content(attributes, _ALL_ARGUMENTS, _SOME_ARGUMENTS, envelopes.arguments),
            result=_content(attributes, _ALL_RESULT, _SOME_RESULT, envelopes.result),
        )
    given = first_value(attributes, _TOLD)
    if kind == "turn":
        return Facts(kind="turn", agent=text(attributes, *_AGENTS), words=captured(given, messages.run_input))
    output = first_value(attributes, _ANSWERS)
    # An output without any call may be only a part of the answer.
    requested = (messages.requested_ids(output) or None) if output is not None else None
    return Facts(
        kind="step",
        requested=requested,
        input_tokens=whole_number(attributes, *_TOKENS),
        words=captured(given, messages.user_words),
    )


def _expression(glob: str) -> re.Pattern[str]:
    return re.compile(translate(glob), re.IGNORECASE)


def _shown(value: object) -> str:
    """Return an attribute's value as it is written in a pattern."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _content(
    attributes: Mapping[str, object], whole: Sequence[str], partial: Sequence[str], parse: Callable[[object], object]
) -> Content | None:
    value = first_value(attributes, whole)
    if value is not None:
        return captured(value, parse)
    return captured(first_value(attributes, partial), parse, whole=False)
