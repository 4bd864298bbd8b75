"""Haystack's own spans: agent runs, their steps, and the model requests and tool calls in each step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from otel_parallelism.patterns import LazyPattern

from .parsing import envelopes, messages
from .parsing.content import captured
from .parsing.facts import Dialect, Facts, text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from otel_parallelism.model import SpanRecord

_PROMPT_TOKENS = LazyPattern(r'"(?:prompt|input)_tokens": ?(\d{1,15})')


def _describe(span: SpanRecord) -> Facts | None:
    """Return the facts in the span's name and ``haystack.*`` attributes; calls have no ids."""
    reader = _READERS.get(span.name)
    return reader(span.attributes) if reader is not None else None


def _run(attributes: Mapping[str, object]) -> Facts:
    return Facts(kind="turn", words=captured(attributes.get("haystack.agent.input"), messages.run_input))


def _cycle(_: Mapping[str, object]) -> Facts:
    return Facts(kind="cycle")


def _call(attributes: Mapping[str, object]) -> Facts:
    return Facts(
        kind="call",
        tool=text(attributes, "haystack.tool.name"),
        arguments=captured(attributes.get("haystack.agent.step.tool.input"), envelopes.arguments),
        result=captured(attributes.get("haystack.agent.step.tool.output"), envelopes.result),
    )


def _llm(attributes: Mapping[str, object]) -> Facts:
    prefix = "haystack.agent.step.llm"
    return _step(attributes.get(f"{prefix}.input"), attributes.get(f"{prefix}.output"))


def _component(attributes: Mapping[str, object]) -> Facts:
    """Return the facts of a component: older versions run agents as components, without spans for steps."""
    component = text(attributes, "haystack.component.type")
    if component.endswith("Generator"):
        return _step(attributes.get("haystack.component.input"), attributes.get("haystack.component.output"))
    return Facts(kind="cycle" if component.endswith("ToolInvoker") else "passage")


def _step(given: object, output: object) -> Facts:
    usage = _PROMPT_TOKENS.search(output) if isinstance(output, str) else None
    return Facts(
        kind="step",
        requested=None if output is None else messages.requested_ids(output),
        answer=captured(output, messages.asked_calls),
        input_tokens=int(usage[1]) if usage else None,
        words=captured(given, messages.user_words),
    )


_READERS: Final[Mapping[str, Callable[[Mapping[str, object]], Facts]]] = {
    "haystack.agent.run": _run,
    "haystack.agent.step": _cycle,
    "haystack.agent.step.tool": _call,
    "haystack.agent.step.llm": _llm,
    "haystack.component.run": _component,
}


DIALECT = Dialect(describe=_describe, rank=50, names=("haystack.",))
