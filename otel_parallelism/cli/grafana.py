"""A client for the part of Grafana's HTTP API that imports dashboards: data sources, folders, dashboards."""

from __future__ import annotations

import json
from http.client import HTTPException
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

import msgspec

from otel_parallelism.errors import ParallelismError
from otel_parallelism.shown_names import without_commands

if TYPE_CHECKING:
    from collections.abc import Mapping

TIMEOUT_S: Final = 30
_MOST_FOLDERS: Final = 1000
_LONGEST_MESSAGE: Final = 300
_LONGEST_TEXT: Final = 10_000
_TELLING: Final = 8
_FORBIDDEN: Final = 403

_HINTS: Final = {
    "name-exists": "the folder has another dashboard with this title; choose another folder with --folder",
    "version-mismatch": "it exists already; --overwrite replaces it",
    "plugin-dashboard": "it belongs to a plugin; --overwrite replaces it",
    401: "pass the token of a service account with --token or in GRAFANA_TOKEN",
    _FORBIDDEN: "the role of the token must be Editor or Admin",
    404: "the address must be the root of a Grafana, including its sub-path",
}


class GrafanaError(ParallelismError):
    """Grafana cannot be reached or refuses a request; the message names the request and the reason."""

    def __init__(self, message: str, status: int | None = None) -> None:
        """Keep the HTTP *status* of the response; None if there was none."""
        super().__init__(message)
        self.status = status

    @property
    def forbidden(self) -> bool:
        """Whether the token lacks the permission for the request."""
        return self.status == _FORBIDDEN


def _address(url: str) -> str:
    """Return *url* as it may be shown: without user, password, query and fragment, which may be secrets."""
    try:
        parts = urlsplit(url)
        place = f"{parts.hostname}:{parts.port}" if parts.port is not None else f"{parts.hostname}"
    except ValueError:
        return "another address"
    return f"{parts.scheme}://{place}{parts.path}" if parts.hostname else parts.path


def _masked(text: str, secret: str) -> str:
    """
    Return *text* with ``***`` in place of *secret*, and of each part of it that has `_TELLING` characters or more.

    A server may cut the secret, encode it or change its case.

    >>> _masked("no access for BEARER glsa_0123456789", "glsa_0123456789abc")
    'no access for BEARER ***'
    """
    size = min(_TELLING, len(secret))
    parts = {secret[at : at + size].lower() for at in range(len(secret) - size + 1)}
    shown = text.lower()
    hidden = [False] * len(text)
    for at in range(len(text) - size + 1):
        if shown[at : at + size] in parts:
            hidden[at : at + size] = [True] * size
    runs = groupby(range(len(text)), hidden.__getitem__)
    return "".join("***" if secretly else "".join(text[at] for at in places) for secretly, places in runs)


class DataSource(msgspec.Struct, frozen=True):
    """A data source in Grafana: ``kind`` is its type, such as ``prometheus``."""

    uid: str
    name: str
    kind: str


class Imported(msgspec.Struct, frozen=True):
    """An imported dashboard: its address, and its version in Grafana."""

    url: str
    version: int


class Grafana:
    """
    A client of the Grafana at *url*. Its methods raise `GrafanaError`.

    Args:
        url: The root of Grafana.
        token: The token of a service account; None for anonymous requests.

    Raises:
        ValueError: *url* is not an http or https address, or *token* has characters that no token has.
    """

    def __init__(self, url: str, token: str | None) -> None:
        """Check the address and the token, without sending a request."""
        try:
            parts = urlsplit(url)
        except ValueError:  # its message may quote the password
            parts = urlsplit("")
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            shown = "the value" if {"@", "?", "#"} & set(url) else repr(_masked(url, token) if token else url)
            message = f"{shown} is not an address such as https://grafana.example.com"
            raise ValueError(message)
        if "@" in parts.netloc or parts.query or parts.fragment:
            message = f"{parts.hostname!r}: expected an address without user, query and fragment"
            raise ValueError(message)
        if token is not None and not (token.isascii() and token.isprintable() and " " not in token):
            message = "the token has spaces, line ends or characters outside ASCII"
            raise ValueError(message)
        self._root = url.rstrip("/")
        self._origin = f"{parts.scheme}://{parts.netloc}"
        self._token = token
        self._opener = build_opener(_NoRedirect)

    def data_sources(self) -> list[DataSource]:
        """Return the data sources that the token has access to."""
        answer = self._send("GET", "/api/datasources")
        try:
            return [DataSource(*(self._shown(each[key]) for key in ("uid", "name", "type"))) for each in answer]
        except (TypeError, KeyError):
            raise self._unexpected("/api/datasources") from None

    def folder(self, title: str) -> str:
        """Return the uid of the top-level folder called *title*; create the folder if it does not exist."""
        path = f"/api/folders?limit={_MOST_FOLDERS}"
        answer = self._send("GET", path)
        try:
            found = [each["uid"] for each in answer if each["title"] == title]
        except (TypeError, KeyError):
            raise self._unexpected(path) from None
        if found:
            return str(found[0])
        return str(self._field("POST", "/api/folders", {"title": title}, "uid"))

    def put(self, dashboard: Mapping[str, Any], folder: str | None, *, overwrite: bool) -> Imported:
        """Import *dashboard* into the folder with this uid; None is the top level."""
        body: dict[str, Any] = {
            "dashboard": {**dashboard, "id": None},
            "overwrite": overwrite,
            "message": "otel-parallelism dashboards",
        }
        if folder is not None:
            body["folderUid"] = folder
        path = "/api/dashboards/db"
        answer = self._send("POST", path, body)
        try:
            shown = self._shown(answer["url"])
            return Imported(f"{self._origin}{shown}", int(answer["version"]))
        except (TypeError, KeyError, ValueError):
            raise self._unexpected(path) from None

    def _shown(self, text: object) -> str:
        """Return *text* of a response as it may be shown: harmless in a terminal and a log, without the token."""
        shown = "".join(each if each.isprintable() else "\ufffd" for each in str(text)[:_LONGEST_TEXT])
        return without_commands(_masked(shown, self._token) if self._token else shown)

    def _field(self, method: str, path: str, body: object, name: str) -> Any:
        answer = self._send(method, path, body)
        try:
            return answer[name]
        except (TypeError, KeyError):
            raise self._unexpected(path) from None

    def _send(self, method: str, path: str, body: object = None) -> Any:
        headers = {"Accept": "application/json", "Content-Type": "application/json"}
        if self._token is not None:
            headers["Authorization"] = f"Bearer {self._token}"
        data = None if body is None else json.dumps(body).encode()
        request = Request(self._root + path, data, headers, method=method)  # noqa: S310 - __init__ checked the scheme
        described = f"{method} {self._root}{path.partition('?')[0]}"
        try:
            with self._opener.open(request, timeout=TIMEOUT_S) as response:
                text = response.read()
        except HTTPError as error:
            with error:
                raise self._refusal(described, error) from None
        except (URLError, HTTPException, OSError) as error:
            reason = getattr(error, "reason", error)
            raise GrafanaError(f"{described}: {self._shown(reason or type(error).__name__)}") from None
        except ValueError:  # of the host's name, or of a proxy's address, which may have a password
            message = "the host's name or an address of a proxy in the environment is malformed"
            raise GrafanaError(f"{described}: {message}") from None
        try:
            return json.loads(text)
        except ValueError:
            raise self._unexpected(path) from None

    def _unexpected(self, path: str) -> GrafanaError:
        address = f"{self._root}{path.partition('?')[0]}"
        return GrafanaError(f"{address} does not respond like Grafana; {_HINTS[404]}")

    def _refusal(self, request: str, error: HTTPError) -> GrafanaError:
        """Return an error with the message of Grafana's response and a hint."""
        location = error.headers.get("Location") if error.headers is not None else None
        if location:
            return GrafanaError(f"{request}: moved to {self._shown(_address(location))}; pass that address", error.code)
        try:
            answer = json.loads(error.read())
            message, status = answer.get("message"), answer.get("status")
        except (ValueError, AttributeError, OSError, HTTPException):
            message, status = None, None
        hint = _HINTS.get(status if isinstance(status, str) else "") or _HINTS.get(error.code)
        text = f"{request}: {error.code} {self._shown(message or error.reason)[:_LONGEST_MESSAGE]}"
        return GrafanaError(f"{text} ({hint})" if hint else text, error.code)


class _NoRedirect(HTTPRedirectHandler):
    """Follows no redirect: a POST would become a GET, and the token would be sent to another server."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None
