"""A model that gives the responses of a recorded trace again, for as long as a ``with`` block lasts."""

from __future__ import annotations

import os
import threading
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Self

from otel_parallelism.dialects.parsing.messages import user_words
from otel_parallelism.model import DeveloperText

from .recorded_responses import RecordedResponse, recorded_responses
from .replay_server import ReplayServer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from types import TracebackType

_KEY = "replayed"
_LOCAL = "127.0.0.1"


class Replay(AbstractContextManager["Replay"]):
    """
    Serves recorded model responses over HTTP, in the order in which they were recorded.

    Inside the block, the environment variables that the clients of OpenAI and Anthropic read lead to it, and their keys
    are placeholders. A client that was made before needs ``base_url``.

    Several agents may ask at the same time. So if the user's words of a request are those of a recorded one, the first
    such response that is left is given, else the first that is left.

    Attributes:
        responses: All recorded responses.
        requests: The bodies of the requests so far, in order.
        base_url: The address of the server, for ``/chat/completions``, ``/responses`` and ``/v1/messages``; empty
            outside of the block.
    """

    def __init__(self, path: Path) -> None:
        """
        Read the responses.

        Args:
            path: A stored trace of any known format and dialect, with the contents of model responses.

        Raises:
            UnreadableError: The file cannot be read, holds no model request, or a response was not captured in full.
        """
        __tracebackhide__ = True
        self._path = path
        self.responses: tuple[RecordedResponse, ...] = recorded_responses(path)
        self.requests: list[dict[str, Any]] = []
        self.base_url: str = ""
        self._left = dict(enumerate(self.responses, 1))
        self._lock = threading.Lock()
        self._server: ReplayServer | None = None
        self._before: dict[str, str | None] = {}

    def __enter__(self) -> Self:
        """Start the server, and set the environment variables."""
        self._left = dict(enumerate(self.responses, 1))
        self.requests = []
        self._server = ReplayServer(self._choose)
        self.base_url = self._server.url
        for name, value in _variables(self.base_url).items():
            self._before[name] = os.environ.get(name)
            os.environ[name] = value
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """
        Stop the server, and restore the environment variables.

        Raises:
            AssertionError: The block raised nothing, but asked for more responses than were recorded.
        """
        __tracebackhide__ = True
        for name, value in self._before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        self._before = {}
        self.base_url = ""
        if self._server is not None:
            self._server.close()
            self._server = None
        if error is None and len(self.requests) > len(self.responses):
            raise AssertionError(self._too_many())

    def _choose(self, asked: dict[str, Any]) -> tuple[RecordedResponse, int] | str:
        """Return the response to the request *asked* and its number, or why there is none."""
        with self._lock:
            self.requests.append(asked)
            if not self._left:
                return self._too_many()
            words = _words(asked)
            number = next((at for at, one in self._left.items() if words and one.words == words), min(self._left))
            return self._left.pop(number), number

    def _too_many(self) -> str:
        recorded, asked = len(self.responses), len(self.requests)
        responses = "1 model response" if recorded == 1 else f"{recorded} model responses"
        return f"{self._path} has {responses}, and the program asked for {asked}"


def _variables(url: str) -> dict[str, str]:
    """Return the environment variables that lead clients to the server at *url*, past any proxy."""
    found = {
        "OPENAI_BASE_URL": f"{url}/v1",
        "OPENAI_API_BASE": f"{url}/v1",
        "OPENAI_API_KEY": _KEY,
        "ANTHROPIC_BASE_URL": url,
        "ANTHROPIC_API_KEY": _KEY,
    }
    for name in ("NO_PROXY", "no_proxy"):
        others = os.environ.get(name, "")
        found[name] = f"{others},{_LOCAL}" if others else _LOCAL
    return found


def _words(asked: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the user's words in the body of a request."""
    given = asked.get("messages") or asked.get("input")
    if isinstance(given, str):
        return (given,)
    found: Sequence[object] = user_words(given) if isinstance(given, list) else ()
    return tuple(one for one in found if isinstance(one, str) and not isinstance(one, DeveloperText))
