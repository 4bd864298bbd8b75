"""Calls that a model's answer requests, whole or in pieces: objects of the clients of openai and anthropic, or JSON."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from otel_parallelism import clock
from otel_parallelism.dialects.parsing.call_shapes import call_shape, listed_call_shape
from otel_parallelism.tracing.shield import swallow
from otel_parallelism.tracing.spans.model_request import ModelRequest
from otel_parallelism.tracing.state.nodes import MISSING
from otel_parallelism.tracing.state.requested_calls import RequestedCall

if TYPE_CHECKING:
    from opentelemetry.context import Context

    from otel_parallelism.model import Content

_LAST = {"response.completed", "response.incomplete", "response.failed", "message_stop"}
"""The types of the last event of a stream; the program may stop reading after it."""

_TO_COME = ("queued", "in_progress")
"""The states of a background response that has no answer yet."""

_CACHED = ("cache_read_input_tokens", "cache_creation_input_tokens")


class AnsweredRequest(ModelRequest):
    """A model request whose answer, whole or in pieces, contains the requested calls."""

    __slots__ = ("_answer", "_offers", "_reported")

    def __init__(self, model: str, provider: str, messages: Content | None, *, offers: bool, switch: str = "") -> None:
        """
        Args:
            model: The name of the requested model, for the span.
            provider: The value of ``gen_ai.provider.name``.
            messages: The user's words, held until the turn ends.
            switch: The setting of the request that keeps the model from requesting several calls.
            offers: Whether the request offers tools. If not, the model may still name some in its text.
        """
        super().__init__(model, provider, messages, switch)
        self._answer = Answer()
        self._offers = offers
        self._reported = False

    def leave(self) -> Context:
        """Restore the context and return that of the request; from now on the program may read parts of the answer."""
        self.reached(clock.now_ns())
        return super().leave()

    def seen(self, item: Any) -> None:
        """Record an event of a stream."""
        self.reached(clock.now_ns())
        try:
            self._answer.read(item)
            if self._answer.complete and not self._reported:
                self.finished()
        except Exception as error:  # noqa: BLE001 - the client may have changed; its request goes on
            swallow("reading a streamed answer", error)

    def finished(self) -> None:
        """Record the calls that the complete answer requests."""
        asked = self._answer.asked
        requested = tuple(each.call_id for each in asked if each.call_id)
        known = bool(asked) or (self._offers and not self._answer.to_come)
        # Pieces after the last call contain the token usage only; the calls are reported once.
        self.answered(requested if known else None, self._answer.input_tokens, () if self._reported else asked)
        self._reported = True

    def end(self, result: Any = None, /) -> None:
        """End the request; *result* is the answer unless it was streamed."""
        try:
            if result is not None and result is not MISSING:
                self._answer.read(result)
                self.finished()
        except Exception as error:  # noqa: BLE001 - as above
            swallow("reading a model's answer", error)
        if result is not MISSING:
            self.reached(clock.now_ns())
        super().end()


class Answer:
    """
    The parts of one answer that have arrived.

    Attributes:
        complete: Whether a stream has sent everything except, possibly, the token usage.
        input_tokens: Input tokens of the request, including cached ones; None while unknown.
        to_come: Whether the response is in the background and has no answer yet.
    """

    __slots__ = ("_asked", "_open", "_parts", "complete", "input_tokens", "to_come")

    def __init__(self) -> None:
        self._asked: dict[Hashable, tuple[str, str, Any]] = {}
        self._parts: dict[Hashable, list[str]] = {}
        self._open: set[Any] = set()
        self.complete: bool = False
        self.input_tokens: int | None = None
        self.to_come: bool = False

    @property
    def asked(self) -> tuple[RequestedCall, ...]:
        """The calls that the answer requests, in order."""
        return tuple(
            RequestedCall(call_id, tool, "".join(self._parts[key]) if self._parts.get(key) else arguments)
            for key, (call_id, tool, arguments) in self._asked.items()
        )

    def read(self, item: Any) -> None:
        """Record an *item*: a whole answer, a chunk or an event."""
        choices = get(item, "choices")
        if choices is not None:
            for position, choice in enumerate(_listed(choices)):
                index = get(choice, "index", position)
                self._read_choice(index, get(choice, "message") or get(choice, "delta"))
                if get(choice, "finish_reason") is None:
                    self._open.add(index)
                else:
                    self._open.discard(index)
                    self.complete = not self._open
        else:
            self._read_blocks(item)
        usage = get(item, "usage")
        if usage is not None:
            self._read_usage(usage)

    def _read_choice(self, choice: Any, message: Any) -> None:
        for position, call in enumerate(_listed(get(message, "tool_calls"))):
            index = get(call, "index")
            shape = listed_call_shape(call)
            if shape is None:
                continue
            key = (choice, index if index is not None else shape.call_id or position)
            before = self._asked.get(key, ("", "", None))
            self._asked[key] = (shape.call_id or before[0], shape.name or before[1], None)
            piece = shape.arguments
            if isinstance(piece, str):
                self._parts.setdefault(key, []).append(piece)

    def _read_blocks(self, item: Any) -> None:
        for position, block in enumerate((*_listed(get(item, "output")), *_listed(get(item, "content")))):
            self._read_block(position, block)
        kind = get(item, "type")
        self.complete = self.complete or kind in _LAST or get(get(item, "delta"), "stop_reason") is not None
        if get(item, "object") == "response":
            self.to_come = get(item, "status") in _TO_COME
        if kind == "content_block_start":
            self._read_block(get(item, "index"), get(item, "content_block"))
        elif kind == "content_block_delta":
            piece = get(get(item, "delta"), "partial_json")
            if isinstance(piece, str):
                self._parts.setdefault(get(item, "index"), []).append(piece)
        elif kind == "message_start":
            self.read(get(item, "message"))
        elif kind in ("response.output_item.added", "response.output_item.done"):
            self._read_block(get(item, "output_index"), get(item, "item"))
        elif isinstance(kind, str) and kind.startswith("response."):
            response = get(item, "response")
            if response is not None:
                self.read(response)

    def _read_block(self, key: Hashable, block: Any) -> None:
        shape = call_shape(block)
        if shape is not None:
            self._asked[key] = (shape.call_id, shape.name or "", shape.arguments)

    def _read_usage(self, usage: Any) -> None:
        tokens = get(usage, "input_tokens")
        if tokens is None:
            tokens = get(usage, "prompt_tokens")
        if isinstance(tokens, int):
            self.input_tokens = tokens + sum(get(usage, name) or 0 for name in _CACHED)


def get(thing: Any, name: str, default: Any = None) -> Any:
    """Return the field *name* of a client's object or of JSON. Attribute access of the objects would be slow."""
    fields = thing if isinstance(thing, Mapping) else getattr(thing, "__dict__", None)
    if fields is None:
        return default
    value = fields.get(name)
    return default if value is None else value


def _listed(thing: Any) -> Iterable[Any]:
    return thing if isinstance(thing, list | tuple) else ()
