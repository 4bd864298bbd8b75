"""Tempo's API: a search gives the ids of traces, and each trace is an answer of its own."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from .http_api import HttpApi, basic, bearer, variable
from .periods import found_in_period
from .stored_traces import Found, Service

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .address import Address

_PAGE: Final = 200
_S: Final = 1_000_000_000


class _Tempo:
    def __init__(self, address: Address, most_bytes: int) -> None:
        token, user = variable("TEMPO_TOKEN", address), variable("TEMPO_USER", address)
        headers = basic(user, token) if user and token else bearer(token)
        tenant = variable("TEMPO_ORG_ID", address)
        if tenant:
            headers["X-Scope-OrgID"] = tenant
        hint = "set TEMPO_TOKEN, TEMPO_USER for basic authentication, and TEMPO_ORG_ID for a tenant"
        self._address = address
        self._api = HttpApi(address, headers, (token,), hint, most_bytes)

    def trace(self, trace_id: str) -> bytes | None:
        # Versions before 2.7 have the first version of the path only.
        text = self._api.get(f"/api/v2/traces/{trace_id}")
        return self._api.get(f"/api/traces/{trace_id}") if text is None else text

    def period(self) -> Iterator[Found]:
        for found in found_in_period(self._search, self._address.start_ns, self._address.end_ns, _PAGE):
            for each in found:
                if isinstance(each, dict) and isinstance(each.get("traceID"), str):
                    yield Found((each["traceID"],))

    def _search(self, start_ns: int, end_ns: int) -> list[Any]:
        query = self._address.options.get("q")
        if query is None:
            service = self._address.service
            query = f"{{resource.service.name={json.dumps(service)}}}" if service else "{}"
        period = {"start": start_ns // _S, "end": -(-end_ns // _S)}
        found = self._api.data("/api/search", {"q": query, "limit": _PAGE, **period}).get("traces")
        return found if isinstance(found, list) else []


SERVICE = Service(frozenset({"q"}), _Tempo)
