"""
Model requests of provider clients that Stainless generates: openai's and anthropic's share the method all pass through.

It has every form of request (``create``, ``stream``, ``parse``, raw responses, betas) and serves clients that were
made before it was patched.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from otel_parallelism.dialects.messages import user_words
from otel_parallelism.model import Content
from otel_parallelism.tracing.model_request import ModelRequest
from otel_parallelism.tracing.shield import swallow

from .lifetimes import Lifetime, around, streamed

if TYPE_CHECKING:
    from .lifetimes import Arguments, Around, Keywords

_LARGEST_RAW = 1_000_000
_CALLS = frozenset({"function_call", "custom_tool_call", "tool_use"})
"""Types of output that the program is to run; what the provider runs itself is none of its tool calls."""


def requests(provider: str, paths: Mapping[str, str]) -> Around:
    """
    Return what wraps the client's ``request`` method.

    Args:
        provider: As ``gen_ai.provider.name`` has it.
        paths: What the URL of a model request ends with, and under which key of its body the user's words are.
    """

    def describe(_: Any, args: Arguments, kwargs: Keywords) -> Lifetime | None:
        options = kwargs["options"] if "options" in kwargs else args[1]
        key = next((key for end, key in paths.items() if str(options.url).partition("?")[0].endswith(end)), None)
        body = options.json_data
        if key is None or not isinstance(body, Mapping):
            return None
        said = body.get(key)
        words = Content(list(said) if isinstance(said, list) else said, user_words)
        return _Request(str(body.get("model") or ""), provider, words)

    return around(describe, _until_streamed)


class _Request(ModelRequest):
    """A request whose answer, or the pieces of it, say which calls it asks for."""

    __slots__ = ("_ids", "_tokens")

    def __init__(self, model: str, provider: str, messages: Content) -> None:
        super().__init__(model, provider, messages)
        self._ids: dict[str, None] = {}
        self._tokens: int | None = None

    def seen(self, item: Any) -> None:
        """Take note of an event of a stream."""
        try:
            self._read(item)
        except Exception as error:  # noqa: BLE001 - a client that has changed is no reason to fail
            swallow("reading a streamed answer", error)

    def finished(self) -> None:
        """Note what the whole stream asked for."""
        self.answered(tuple(self._ids), self._tokens)

    def end(self, result: Any = None) -> None:
        """End with the client's answer, if it was not streamed."""
        try:
            whole = _whole(result)
            if whole is not None:
                self._read(whole)
                self.finished()
        except Exception as error:  # noqa: BLE001 - as above
            swallow("reading a model's answer", error)
        super().end()

    def _read(self, item: Any) -> None:
        usage = _get(item, "usage") or _get(_get(item, "message"), "usage")
        tokens = _get(usage, "input_tokens")
        tokens = _get(usage, "prompt_tokens") if tokens is None else tokens
        if isinstance(tokens, int):
            self._tokens = tokens
        for choice in _listed(_get(item, "choices")):
            message = _get(choice, "message") or _get(choice, "delta")
            for call in _listed(_get(message, "tool_calls")):
                self._ask(_get(call, "id"))
        blocks = (*_listed(_get(item, "output")), *_listed(_get(item, "content")))
        for block in (*blocks, _get(item, "item"), _get(item, "content_block")):
            if _get(block, "type") in _CALLS:
                self._ask(_get(block, "call_id") or _get(block, "id"))
        inner = _get(item, "response")
        if inner is not None:
            self._read(inner)

    def _ask(self, call_id: Any) -> None:
        if isinstance(call_id, str) and call_id:
            self._ids[call_id] = None


def _whole(result: Any) -> Any:
    """Return an answer that is there at once, as the client's object or as JSON; None if it cannot be looked at."""
    raw = getattr(result, "http_response", None)
    if raw is None:
        return result
    # A raw response is for the program to parse, if it has been read at all.
    content = getattr(raw, "_content", None)
    return json.loads(content) if isinstance(content, bytes) and len(content) <= _LARGEST_RAW else None


def _until_streamed(result: Any, lifetime: Lifetime) -> bool:
    """Follow a stream to its end: the client's objects iterate over a generator that they keep."""
    iterator = getattr(result, "_iterator", None)
    if iterator is None or not isinstance(lifetime, _Request):
        return False
    followed = streamed(iterator, lifetime, lifetime.finished)
    if followed is None:
        return False
    result._iterator = followed  # noqa: SLF001 - the object stays the program's own
    return True


def _get(thing: Any, name: str) -> Any:
    return thing.get(name) if isinstance(thing, Mapping) else getattr(thing, name, None)


def _listed(thing: Any) -> Iterable[Any]:
    return thing if isinstance(thing, list | tuple) else ()
