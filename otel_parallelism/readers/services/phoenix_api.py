"""Phoenix's REST API: pages of a project's spans, each with a cursor for the next."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from .http_api import HttpApi, bearer, variable
from .stored_traces import Found, Service

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .address import Address

_PAGE: Final = 1_000


class _Phoenix:
    def __init__(self, address: Address, most_bytes: int) -> None:
        key = variable("PHOENIX_API_KEY", address)
        self._address = address
        self._path = f"/v1/projects/{quote(address.options.get('project', 'default'), safe='')}/spans"
        self._api = HttpApi(address, bearer(key), (key,), "set PHOENIX_API_KEY", most_bytes)

    def trace(self, trace_id: str) -> bytes | None:
        found = [span for page in self._pages({"trace_id": trace_id}) for span in page]
        # Older versions ignore the parameter.
        mine = [span for span in found if _trace_of(span) == trace_id]
        return json.dumps({"data": mine}).encode() if mine else None

    def period(self) -> Iterator[Found]:
        period = {"start_time": _iso(self._address.start_ns), "end_time": _iso(self._address.end_ns)}
        for page in self._pages(period):
            if page:
                traces = dict.fromkeys(_trace_of(span) for span in page)
                yield Found(tuple(traces), json.dumps({"data": page}).encode(), part=True)

    def _pages(self, asked: Mapping[str, object]) -> Iterator[list[Any]]:
        cursor: str | None = None
        seen: set[str] = set()
        while True:
            answer = self._api.data(self._path, {**asked, "limit": _PAGE, **({"cursor": cursor} if cursor else {})})
            found = answer.get("data")
            yield found if isinstance(found, list) else []
            cursor = answer.get("next_cursor")
            if not isinstance(cursor, str) or not cursor or cursor in seen:
                return
            seen.add(cursor)


def _trace_of(span: object) -> str:
    context = span.get("context") if isinstance(span, dict) else None
    return str(context.get("trace_id")) if isinstance(context, dict) else ""


def _iso(at_ns: int) -> str:
    return datetime.fromtimestamp(at_ns / 1e9, UTC).isoformat()


SERVICE = Service(frozenset({"project"}), _Phoenix)
