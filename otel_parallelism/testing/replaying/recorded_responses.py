"""Reads the model responses of a stored trace, of any format and dialect, in the order in which the model was asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from otel_parallelism.dialects import classify
from otel_parallelism.dialects.parsing.answer_texts import answer_texts
from otel_parallelism.errors import UnreadableError
from otel_parallelism.model import AskedCall, Step
from otel_parallelism.readers.any_format import read_spans

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from otel_parallelism.model import Content, SpanRecord

EXPECTED: Final = (
    "spans of model requests with their content, such as the attribute gen_ai.output.messages; "
    "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT switches it on for OpenTelemetry's instrumentations"
)
_DEEPEST = 100


class RecordedResponse(msgspec.Struct, frozen=True):
    """
    One response of a model.

    Attributes:
        texts: Its texts, in order.
        calls: The tool calls that it asks for, in order, with the ids, names and arguments that were recorded.
        words: What the user had said to the model until then; empty if that was not recorded.
        input_tokens: The tokens of the request; 0 if unknown.
    """

    texts: tuple[str, ...] = ()
    calls: tuple[AskedCall, ...] = ()
    words: tuple[str, ...] = ()
    input_tokens: int = 0


class _Request(msgspec.Struct, frozen=True):
    """A model request with what its span holds of the response."""

    step: Step
    texts: tuple[str, ...]
    failed: bool

    @property
    def answered(self) -> bool:
        """Whether the response was captured."""
        return self.step.answer is not None or bool(self.texts)


def recorded_responses(path: Path) -> tuple[RecordedResponse, ...]:
    """
    Return the model responses in the file at *path*, in the order in which the model was asked.

    Where several instrumentations recorded one request, it counts once. Requests that failed are left out.

    Raises:
        UnreadableError: The file cannot be read, holds no model request, or a response was not captured in full.
    """
    __tracebackhide__ = True
    requests = sorted(_requests(read_spans(path)), key=lambda request: request.step.start_ns)
    answered = [request.step for request in requests if request.answered]
    asked = [
        request
        for request in requests
        if request.answered or not (request.failed or any(_coincide(request.step, one) for one in answered))
    ]
    if not asked:
        raise UnreadableError(str(path), None, "it holds no model request", EXPECTED)
    missing = sum(not request.answered for request in asked)
    if missing:
        problem = f"the responses to {missing} of its {len(asked)} model requests were not captured"
        raise UnreadableError(str(path), None, problem, EXPECTED)
    return tuple(_response(path, number, request) for number, request in enumerate(asked, 1))


def _requests(spans: Iterable[SpanRecord]) -> list[_Request]:
    """Return the outermost requests among *spans*, each with the response of the first inside that has one."""
    parents: dict[tuple[str, str], str] = {}
    found: dict[tuple[str, str], _Request] = {}
    for span in spans:
        key = (span.trace_id, span.span_id)
        parents[key] = span.parent_id
        step = classify(span)
        if type(step) is Step:
            found[key] = _Request(step, answer_texts(span.attributes, _value(step.answer)), span.error)
    outermost: dict[tuple[str, str], _Request] = {}
    for key, request in sorted(found.items(), key=lambda item: (item[1].step.start_ns, -item[1].step.end_ns)):
        top = _outermost(key, parents, found)
        if _size(request) > _size(outermost.setdefault(top, found[top])):
            outermost[top] = request
    return list(outermost.values())


def _outermost(
    key: tuple[str, str], parents: dict[tuple[str, str], str], found: dict[tuple[str, str], _Request]
) -> tuple[str, str]:
    top = key
    for _ in range(_DEEPEST):
        key = key[0], parents.get(key, "")
        if key in found:
            top = key
        if key not in parents:
            break
    return top


def _coincide(one: Step, other: Step) -> bool:
    """Return whether one of two requests of a trace lies within the other: both are then records of one request."""
    first, last = sorted((one, other), key=lambda step: (step.start_ns, -step.end_ns))
    return one.trace_id == other.trace_id and last.end_ns <= first.end_ns


def _size(request: _Request) -> int:
    """Return how much the span of *request* tells about the response."""
    return request.answered + 2 * (len(request.texts) + len(_calls(request.step.answer)))


def _response(path: Path, number: int, request: _Request) -> RecordedResponse:
    answer = request.step.answer
    calls = _calls(answer)
    problem = ""
    if answer is not None and not answer.whole:
        problem = f"the response to model request {number} is cut off, or some of its content is hidden"
    elif any(not call.tool for call in calls):
        problem = f"the response to model request {number} asks for a tool whose name was not captured"
    if problem:
        raise UnreadableError(str(path), None, problem, EXPECTED)
    words = request.step.messages
    spoken = [] if words is None or not words.whole or words.parse is None else words.parse(words.value)
    return RecordedResponse(
        request.texts,
        calls,
        tuple(one for one in _listed(spoken) if isinstance(one, str)),
        request.step.input_tokens or 0,
    )


def _value(content: Content | None) -> object:
    return None if content is None else content.value


def _calls(answer: Content | None) -> tuple[AskedCall, ...]:
    if answer is None or answer.parse is None:
        return ()
    return tuple(one for one in _listed(answer.parse(answer.value)) if isinstance(one, AskedCall))


def _listed(value: object) -> Sequence[object]:
    return value if isinstance(value, (list, tuple)) else ()
