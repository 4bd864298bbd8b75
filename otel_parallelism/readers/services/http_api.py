"""Sends the requests of an API with JSON answers; no message of it has a token."""

from __future__ import annotations

import base64
import json
import os
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode, urljoin, urlsplit

import msgspec
from urllib3.exceptions import HTTPError, MaxRetryError

from otel_parallelism.errors import UnreadableError
from otel_parallelism.long_numbers import decode_json
from otel_parallelism.readers.parsing.opening import raised

from .http_pool import connections, problem_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from urllib3 import BaseHTTPResponse

    from .address import Address

TIMEOUT_S: Final = 60
_LONGEST_MESSAGE: Final = 200
_MOST_REDIRECTS: Final = 10
_OK: Final = range(200, 300)
_NOT_FOUND: Final = 404
_REFUSED: Final = (401, 403)
_MESSAGE_FIELDS: Final = ("message", "msg", "error", "detail")


def variable(name: str, address: Address) -> str:
    """
    Return the value of an environment variable with a secret; empty if it is not set.

    Raises:
        UnreadableError: It has characters that no header can have.
    """
    value = os.environ.get(name, "").strip()
    if not (value.isascii() and value.isprintable()):
        raise UnreadableError(address.name, None, f"{name} has line ends or characters outside ASCII", "a token")
    return value


def bearer(token: str) -> dict[str, str]:
    """Return the header of a *token*; none without one."""
    return {"Authorization": f"Bearer {token}"} if token else {}


def basic(user: str, password: str) -> dict[str, str]:
    """Return the header of a *user* and a *password*."""
    return {"Authorization": f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"}


class HttpApi:
    """
    The API of one server.

    Args:
        address: The server.
        headers: Sent with each request, to this server only.
        secrets: What no message may have, in whatever answer it stands.
        hint: What a message says if the server refuses a request.
        most_bytes: The longest answer that is read.
    """

    def __init__(
        self, address: Address, headers: Mapping[str, str], secrets: tuple[str, ...], hint: str, most_bytes: int
    ) -> None:
        """Keep what each request needs; send nothing."""
        self._address = address
        self._headers = {"Accept": "application/json", "Accept-Encoding": "identity", **headers}
        self._secrets = sorted((*filter(None, secrets), *headers.values()), key=len, reverse=True)
        self._hint = hint
        self._most_bytes = most_bytes
        self._connections = connections(address.root)

    def get(self, path: str, parameters: Mapping[str, object] | None = None) -> bytes | None:
        """
        Return the answer to a request; None if there is no such thing.

        Raises:
            UnreadableError: The server cannot be reached, stays busy, refuses the request, or its answer is too long.
        """
        query = f"?{urlencode(parameters)}" if parameters else ""
        try:
            with self._answer(f"{self._address.root}{path}{query}") as response:
                if response.status == _NOT_FOUND:
                    return None
                if response.status not in _OK:
                    raise self._refusal(path, response)
                text: bytes = response.read(self._most_bytes + 1)
        except (HTTPError, OSError) as error:
            raise self._problem(path, _reason(error)) from None
        if len(text) > self._most_bytes:
            raise self._problem(
                path, f"the answer is longer than {self._most_bytes:,} bytes; {raised('max_line_bytes')}"
            )
        return text

    def _answer(self, url: str) -> BaseHTTPResponse:
        """Return the answer after redirects within the server; another server would get the token."""
        redirects = 0
        while True:
            response = self._connections.request(
                "GET", url, headers=self._headers, timeout=TIMEOUT_S, preload_content=False
            )
            location = response.get_redirect_location()
            url = urljoin(url, location or "")
            redirects += 1
            same = urlsplit(url)[:2] == urlsplit(self._address.root)[:2]
            if not location or not same or redirects > _MOST_REDIRECTS:
                return response
            response.close()

    def data(self, path: str, parameters: Mapping[str, object] | None = None) -> dict[str, Any]:
        """
        Return the JSON object that answers a request.

        Raises:
            UnreadableError: As for `get`; or the answer is none, or another thing.
        """
        text = self.get(path, parameters)
        if text is None:
            raise self._problem(path, "404 Not Found; is this the root of the API, with its sub-path?")
        return self.decoded(path, text)

    def decoded(self, path: str, text: bytes) -> dict[str, Any]:
        """Return the JSON object in an answer; raise UnreadableError if it is another thing."""
        try:
            found = decode_json(text)
        except (msgspec.DecodeError, ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            raise self._problem(path, "the answer is no JSON object; is this the root of the API, with its sub-path?")
        return found

    def _refusal(self, path: str, response: BaseHTTPResponse) -> UnreadableError:
        location = response.get_redirect_location()
        if location:
            return self._problem(path, f"moved to {urlsplit(location)._replace(query='').geturl()}; pass that address")
        try:
            told = _told(response.read(self._most_bytes))
        except (HTTPError, OSError):
            told = ""
        text = problem_of(response, told[:_LONGEST_MESSAGE])
        return self._problem(path, f"{text} ({self._hint})" if response.status in _REFUSED else text)

    def _problem(self, path: str, text: str) -> UnreadableError:
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return UnreadableError(self._address.name, None, f"GET {path}: {text}", "an answer of the API")


def _told(body: bytes) -> str:
    """Return the message in the body of an error: of a field of the usual names, or a short text."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return body.decode("utf-8", "replace").strip() if len(body) <= _LONGEST_MESSAGE else ""
    if isinstance(found, dict) and isinstance(found.get("errors"), list) and found["errors"]:
        found = found["errors"][0]
    if isinstance(found, dict):
        return next((value for key in _MESSAGE_FIELDS if isinstance(value := found.get(key), str)), "")
    return ""


def _reason(error: Exception) -> str:
    """Return what the operating system or the connection says, without the address and the number of tries."""
    cause = error.reason if isinstance(error, MaxRetryError) and error.reason else error
    return str(cause.__cause__ or cause) or type(cause).__name__
