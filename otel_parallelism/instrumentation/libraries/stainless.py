"""
Model requests of clients that Stainless generates, such as openai's and anthropic's.

All forms of request (``create``, ``stream``, ``parse``, raw responses, betas) pass through one method of the client's
base class. Patching the class also covers clients that already exist.
"""

from __future__ import annotations

import inspect
import json
import weakref
from collections.abc import Mapping
from functools import wraps
from typing import TYPE_CHECKING, Any

from otel_parallelism.dialects.parsing.messages import user_words
from otel_parallelism.instrumentation.hooks.generators import followed_generator
from otel_parallelism.instrumentation.hooks.lifetime_wrappers import lifetime_wrapper
from otel_parallelism.model import Content
from otel_parallelism.tracing.shield import swallow
from otel_parallelism.tracing.state.nodes import MISSING

from .model_answers import AnsweredRequest
from .switches import one_at_a_time

if TYPE_CHECKING:
    from otel_parallelism.instrumentation.hooks.lifetimes import Arguments, Keywords, Lifetime, WrapperFactory

_LARGEST_RAW = 1_000_000


def client_request_wrapper(provider: str, paths: Mapping[str, str]) -> WrapperFactory:
    """
    Return a factory of wrappers for the ``request`` method of a client.

    Args:
        provider: The value of ``gen_ai.provider.name``.
        paths: For each URL path of a model request, the key of the request body that holds the user's words.
    """

    def describe(_: Any, args: Arguments, kwargs: Keywords) -> Lifetime | None:
        options = kwargs["options"] if "options" in kwargs else args[1]
        key = next((key for end, key in paths.items() if str(options.url).partition("?")[0].endswith(end)), None)
        body = options.json_data
        if key is None or not isinstance(body, Mapping):
            return None
        said = body.get(key)
        words = Content(_after_instructions(body, said), user_words)
        switch = one_at_a_time(body)
        return _StainlessRequest(
            str(body.get("model") or ""), provider, words, offers=bool(body.get("tools")), switch=switch
        )

    return lifetime_wrapper(describe, _until_read)


def _after_instructions(body: Mapping[str, Any], said: Any) -> Any:
    """Return the words of a request's *body*, in a list after its system prompt, which may stand beside them."""
    if not isinstance(said, list):
        return said
    prompt = body.get("system") or body.get("instructions")
    return [{"role": "system", "content": prompt}, *said] if isinstance(prompt, (str, list)) else list(said)


class _StainlessRequest(AnsweredRequest):
    """A model request whose answer is the client's object, or a raw response that contains it."""

    def end(self, result: Any = None, /) -> None:
        """End the request; *result* is the client's answer unless it was streamed."""
        try:
            result = result if result is MISSING else _whole(result)
        except Exception as error:  # noqa: BLE001 - the client may have changed; its call goes on
            swallow("reading a raw answer", error)
            result = None
        super().end(result)


def _whole(result: Any) -> Any:
    """Return a complete answer, as the client's object or as JSON; None if it cannot be read."""
    raw = getattr(result, "http_response", None)
    if raw is None:
        return result
    content = getattr(raw, "_content", None)
    return json.loads(content) if isinstance(content, bytes) and len(content) <= _LARGEST_RAW else None


def _until_read(result: Any, lifetime: Lifetime) -> bool:
    """Arrange that the lifetime of a streamed or raw answer ends when the answer has been read."""
    if not isinstance(lifetime, _StainlessRequest):
        return False
    if hasattr(result, "_iterator"):
        return _follow(result, lifetime)
    raw = getattr(result, "http_response", None)
    parse = getattr(result, "parse", None)
    if raw is None or parse is None:
        return False
    streams = getattr(result, "_stream", None) or getattr(result, "_is_sse_stream", None)
    if not streams and isinstance(getattr(raw, "_content", None), bytes):
        return False
    # The program may parse a raw response now, later or never.
    result.parse = _parsing(parse, lifetime)
    weakref.finalize(result, lifetime.end, MISSING).atexit = False
    return True


def _follow(stream: Any, request: _StainlessRequest) -> bool:
    """Follow a *stream* of the client by replacing the generator that it iterates over; false if there is none."""
    followed = followed_generator(stream._iterator, request, request.finished)  # noqa: SLF001 - the only attribute that all ways to read it use
    if followed is None:
        return False
    stream._iterator = followed  # noqa: SLF001 - the program keeps its stream object
    return True


def _parsing(parse: Any, request: _StainlessRequest) -> Any:
    """Return a replacement for *parse* of a raw response; it ends *request* when the parsed answer has been read."""
    followed: list[Any] = []

    def parsed(result: Any) -> Any:
        if not followed:
            followed.append(True)
            try:
                if not (hasattr(result, "_iterator") and _follow(result, request)):
                    request.end(result)
            except Exception as error:  # noqa: BLE001 - the program still gets the parsed answer
                swallow("following a raw response", error)
        return result

    if inspect.iscoroutinefunction(parse):

        @wraps(parse)
        async def parse_async(*args: Any, **kwargs: Any) -> Any:
            return parsed(await parse(*args, **kwargs))

        return parse_async

    @wraps(parse)
    def parse_now(*args: Any, **kwargs: Any) -> Any:
        return parsed(parse(*args, **kwargs))

    return parse_now
