"""What of Grafana's HTTP API it takes to import dashboards: data sources, folders, dashboards."""

from __future__ import annotations

import json
from http.client import HTTPException
from typing import TYPE_CHECKING, Any, Final
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping

TIMEOUT_S: Final = 30
_MOST_FOLDERS: Final = 1000
_LONGEST_MESSAGE: Final = 300
_FORBIDDEN: Final = 403

_HINTS: Final = {
    "name-exists": "another dashboard of that title is in the folder; choose another folder with --folder",
    "version-mismatch": "it is there already; --overwrite replaces it",
    "plugin-dashboard": "it belongs to a plugin; --overwrite replaces it",
    401: "pass a service account's token with --token or in GRAFANA_TOKEN",
    _FORBIDDEN: "the token's role must be Editor or Admin",
    404: "is this the root of a Grafana, with its sub-path if it has one?",
}


class GrafanaError(Exception):
    """Grafana cannot be reached or refuses; the message says what was asked and why it was not done."""

    def __init__(self, message: str, status: int | None = None) -> None:
        """Remember the HTTP *status*, if there was an answer."""
        super().__init__(message)
        self.status = status

    @property
    def forbidden(self) -> bool:
        """Whether the token lacks the permission."""
        return self.status == _FORBIDDEN


class DataSource(msgspec.Struct, frozen=True):
    """A data source of a Grafana: ``kind`` is its type, such as ``prometheus``."""

    uid: str
    name: str
    kind: str


class Imported(msgspec.Struct, frozen=True):
    """A dashboard that was imported: where it is shown, and its version there."""

    url: str
    version: int


class Grafana:
    """
    A Grafana at *url*, asked as the owner of *token* (None: anonymously).

    Raises:
        ValueError: *url* is no http(s) address, or *token* no token. All methods raise ``GrafanaError``.
    """

    def __init__(self, url: str, token: str | None) -> None:
        """Check the address; nothing is asked yet."""
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            message = f"{url!r} is not an address such as https://grafana.example.com"
            raise ValueError(message)
        if parts.username or parts.query or parts.fragment:
            message = f"{url!r}: an address without user, query and fragment was expected"
            raise ValueError(message)
        if token is not None and not (token.isascii() and token.isprintable() and " " not in token):
            message = "the token holds what no token does: spaces, line ends or letters outside ASCII"
            raise ValueError(message)
        self._root = url.rstrip("/")
        self._origin = f"{parts.scheme}://{parts.netloc}"
        self._token = token
        self._opener = build_opener(_NoRedirect)

    def data_sources(self) -> list[DataSource]:
        """Return the data sources that the token may see."""
        answer = self._ask("GET", "/api/datasources")
        try:
            return [DataSource(each["uid"], each["name"], each["type"]) for each in answer]
        except (TypeError, KeyError):
            raise self._strange("/api/datasources") from None

    def folder(self, title: str) -> str:
        """Return the uid of the folder called *title*, at the top; it is made if there is none."""
        path = f"/api/folders?limit={_MOST_FOLDERS}"
        answer = self._ask("GET", path)
        try:
            found = [each["uid"] for each in answer if each["title"] == title]
        except (TypeError, KeyError):
            raise self._strange(path) from None
        if found:
            return str(found[0])
        return str(self._field("POST", "/api/folders", {"title": title}, "uid"))

    def put(self, dashboard: Mapping[str, Any], folder: str | None, *, overwrite: bool) -> Imported:
        """Import *dashboard* into the folder with this uid (None: the top)."""
        body: dict[str, Any] = {
            "dashboard": {**dashboard, "id": None},
            "overwrite": overwrite,
            "message": "otel-parallelism dashboards",
        }
        if folder is not None:
            body["folderUid"] = folder
        path = "/api/dashboards/db"
        answer = self._ask("POST", path, body)
        try:
            shown = answer["url"]
            return Imported(f"{self._origin}{shown}", answer["version"])
        except (TypeError, KeyError):
            raise self._strange(path) from None

    def _field(self, method: str, path: str, body: object, name: str) -> Any:
        answer = self._ask(method, path, body)
        try:
            return answer[name]
        except (TypeError, KeyError):
            raise self._strange(path) from None

    def _ask(self, method: str, path: str, body: object = None) -> Any:
        headers = {"Accept": "application/json", "Content-Type": "application/json"}
        if self._token is not None:
            headers["Authorization"] = f"Bearer {self._token}"
        data = None if body is None else json.dumps(body).encode()
        request = Request(self._root + path, data, headers, method=method)  # noqa: S310 - __init__ checked the scheme
        asked = f"{method} {self._root}{path.partition('?')[0]}"
        try:
            with self._opener.open(request, timeout=TIMEOUT_S) as response:
                text = response.read()
        except HTTPError as error:
            with error:
                raise _refused(asked, error) from None
        except (URLError, HTTPException, OSError) as error:
            reason = getattr(error, "reason", error)
            raise GrafanaError(f"{asked}: {reason or type(error).__name__}") from None
        try:
            return json.loads(text)
        except ValueError:
            raise self._strange(path) from None

    def _strange(self, path: str) -> GrafanaError:
        asked = f"{self._root}{path.partition('?')[0]}"
        return GrafanaError(f"{asked} does not answer as Grafana does; {_HINTS[404]}")


class _NoRedirect(HTTPRedirectHandler):
    """Follows nothing: a redirected POST would become a GET, and the token would go to whoever is named."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


def _refused(asked: str, error: HTTPError) -> GrafanaError:
    """Return what Grafana said in *error*, and what helps."""
    location = error.headers.get("Location") if error.headers is not None else None
    if location:
        return GrafanaError(f"{asked}: moved to {location}; pass that address", error.code)
    try:
        answer = json.loads(error.read())
        said, status = answer.get("message"), answer.get("status")
    except (ValueError, AttributeError, OSError, HTTPException):
        said, status = None, None
    hint = _HINTS.get(status) or _HINTS.get(error.code)
    text = f"{asked}: {error.code} {str(said or error.reason)[:_LONGEST_MESSAGE]}"
    return GrafanaError(f"{text} ({hint})" if hint else text, error.code)
