"""Sends the requests of an API with JSON answers; no message of it has a token."""

from __future__ import annotations

import base64
import json
import os
from http.client import HTTPException
from typing import TYPE_CHECKING, Any, Final
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode, urljoin, urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

import msgspec

from otel_parallelism.errors import UnreadableError
from otel_parallelism.long_numbers import decode_json
from otel_parallelism.readers.parsing.opening import raised

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .address import Address

TIMEOUT_S: Final = 60
_LONGEST_MESSAGE: Final = 200
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
        self._opener = build_opener(_SameServer(address.root))

    def get(self, path: str, parameters: Mapping[str, object] | None = None) -> bytes | None:
        """
        Return the answer to a request; None if there is no such thing.

        Raises:
            UnreadableError: The server cannot be reached, refuses the request, or its answer is too long.
        """
        query = f"?{urlencode(parameters)}" if parameters else ""
        request = Request(f"{self._address.root}{path}{query}", headers=self._headers)  # noqa: S310 - http or https
        try:
            with self._opener.open(request, timeout=TIMEOUT_S) as response:
                text: bytes = response.read(self._most_bytes + 1)
        except HTTPError as error:
            with error:
                if error.code == _NOT_FOUND:
                    return None
                raise self._refusal(path, error) from None
        except (URLError, HTTPException, OSError, ValueError) as error:
            reason = getattr(error, "reason", error)
            raise self._problem(path, str(reason or type(error).__name__)) from None
        if len(text) > self._most_bytes:
            raise self._problem(
                path, f"the answer is longer than {self._most_bytes:,} bytes; {raised('max_line_bytes')}"
            )
        return text

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

    def _refusal(self, path: str, error: HTTPError) -> UnreadableError:
        location = error.headers.get("Location") if error.headers is not None else None
        if location:
            return self._problem(path, f"moved to {urlsplit(location)._replace(query='').geturl()}; pass that address")
        try:
            told = _told(error.read(self._most_bytes))
        except (OSError, HTTPException):
            told = ""
        text = f"{error.code} {told or error.reason}"[:_LONGEST_MESSAGE]
        return self._problem(path, f"{text} ({self._hint})" if error.code in _REFUSED else text)

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


class _SameServer(HTTPRedirectHandler):
    """Follows redirects within one server; another would get the token."""

    def __init__(self, root: str) -> None:
        self._origin = urlsplit(root)[:2]

    def redirect_request(  # noqa: PLR0917 - as the base class has it
        self, req: Request, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> Request | None:
        """Return the request for the new address; None for another server, which makes the answer an error."""
        same = urlsplit(urljoin(req.full_url, newurl))[:2] == self._origin
        return super().redirect_request(req, fp, code, msg, headers, newurl) if same else None
