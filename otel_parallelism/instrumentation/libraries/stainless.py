"""
Model requests of provider clients that Stainless generates: openai's and anthropic's share the method all pass through.

It has every form of request (``create``, ``stream``, ``parse``, raw responses, betas) and serves clients that were
made before it was patched.
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

if TYPE_CHECKING:
    from otel_parallelism.instrumentation.hooks.lifetimes import Arguments, Keywords, Lifetime, WrapperFactory

_LARGEST_RAW = 1_000_000


def client_request_wrapper(provider: str, paths: Mapping[str, str]) -> WrapperFactory:
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
        return _StainlessRequest(str(body.get("model") or ""), provider, words, offers=bool(body.get("tools")))

    return lifetime_wrapper(describe, _until_read)


class _StainlessRequest(AnsweredRequest):
    """A request whose answer is the client's object, or a raw response that holds it."""

    def end(self, result: Any = None, /) -> None:
        """End with the client's answer, if it was not streamed."""
        try:
            result = result if result is MISSING else _whole(result)
        except Exception as error:  # noqa: BLE001 - a client that has changed is no reason to fail
            swallow("reading a raw answer", error)
            result = None
        super().end(result)


def _whole(result: Any) -> Any:
    """Return an answer that is there at once, as the client's object or as JSON; None if it cannot be looked at."""
    raw = getattr(result, "http_response", None)
    if raw is None:
        return result
    content = getattr(raw, "_content", None)
    return json.loads(content) if isinstance(content, bytes) and len(content) <= _LARGEST_RAW else None


def _until_read(result: Any, lifetime: Lifetime) -> bool:
    """Follow an answer that is not all there to its end."""
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
    # A raw response is for the program to parse, now or later or not at all.
    result.parse = _parsing(parse, lifetime)
    weakref.finalize(result, lifetime.end, MISSING).atexit = False
    return True


def _follow(stream: Any, request: _StainlessRequest) -> bool:
    """Follow a *stream* of the client's, which iterates over a generator that it keeps."""
    followed = followed_generator(stream._iterator, request, request.finished)  # noqa: SLF001 - the only seam that all ways share
    if followed is None:
        return False
    stream._iterator = followed  # noqa: SLF001 - the object stays the program's own
    return True


def _parsing(parse: Any, request: _StainlessRequest) -> Any:
    """Return *parse*, of a raw response, which ends *request* when what it returns has been read."""
    followed: list[Any] = []

    def parsed(result: Any) -> Any:
        if not followed:
            followed.append(True)
            try:
                if not (hasattr(result, "_iterator") and _follow(result, request)):
                    request.end(result)
            except Exception as error:  # noqa: BLE001 - the program gets what it parsed
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
