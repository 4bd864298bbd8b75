"""Langfuse's API: pages of traces without their observations, and each trace with them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from .http_api import HttpApi, basic, variable
from .stored_traces import Found, Service

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .address import Address

_PAGE: Final = 100
_HINT: Final = "set LANGFUSE_PUBLIC_KEY and LANGFUSE_SECRET_KEY"


class _Langfuse:
    def __init__(self, address: Address, most_bytes: int) -> None:
        public, secret = variable("LANGFUSE_PUBLIC_KEY", address), variable("LANGFUSE_SECRET_KEY", address)
        self._address = address
        self._api = HttpApi(address, basic(public, secret), (secret, public), _HINT, most_bytes)

    def trace(self, trace_id: str) -> bytes | None:
        return self._api.get(f"/api/public/traces/{trace_id}")

    def period(self) -> Iterator[Found]:
        # A fixed end, and the earliest first: traces that are added meanwhile move no page.
        period = {"fromTimestamp": _iso(self._address.start_ns), "toTimestamp": _iso(self._address.end_ns)}
        names = {"name": self._address.options["name"]} if "name" in self._address.options else {}
        page = 1
        while True:
            asked = {"page": page, "limit": _PAGE, "orderBy": "timestamp.asc", **period, **names}
            answer = self._api.data("/api/public/traces", asked)
            found = [item for item in _list(answer.get("data")) if isinstance(item, dict)]
            yield from (Found((item["id"],)) for item in found if isinstance(item.get("id"), str))
            meta = answer.get("meta")
            pages = meta.get("totalPages") if isinstance(meta, dict) else None
            if not found or (page >= pages if isinstance(pages, int) else len(found) < _PAGE):
                return
            page += 1


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _iso(at_ns: int) -> str:
    return datetime.fromtimestamp(at_ns / 1e9, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


SERVICE = Service(frozenset({"name"}), _Langfuse)
