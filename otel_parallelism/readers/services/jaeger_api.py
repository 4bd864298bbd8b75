"""Jaeger's query API: a search gives whole traces, of one service at a time."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from .http_api import HttpApi, bearer, variable
from .periods import found_in_period
from .stored_traces import Found, Service

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .address import Address

_PAGE: Final = 100
_US: Final = 1_000
_OWN: Final = ("jaeger", "jaeger-query", "jaeger-all-in-one", "jaeger-collector")


class _Jaeger:
    def __init__(self, address: Address, most_bytes: int) -> None:
        token = variable("JAEGER_TOKEN", address)
        self._address = address
        self._api = HttpApi(address, bearer(token), (token,), "set JAEGER_TOKEN", most_bytes)

    def trace(self, trace_id: str) -> bytes | None:
        return self._api.get(f"/api/traces/{trace_id}")

    def period(self) -> Iterator[Found]:
        for service in [self._address.service] if self._address.service else self._services():
            found = found_in_period(
                lambda start, end, service=service: self._search(service, start, end),  # type: ignore[misc]
                self._address.start_ns,
                self._address.end_ns,
                _PAGE,
            )
            for traces in found:
                for trace in traces:
                    if isinstance(trace, dict):
                        yield Found((str(trace.get("traceID")),), json.dumps({"data": [trace]}).encode())

    def _services(self) -> list[str]:
        names = self._api.data("/api/services").get("data")
        return [name for name in names if isinstance(name, str) and name not in _OWN] if isinstance(names, list) else []

    def _search(self, service: str, start_ns: int, end_ns: int) -> list[Any]:
        period = {"start": start_ns // _US, "end": -(-end_ns // _US)}
        found = self._api.data("/api/traces", {"service": service, "limit": _PAGE, **period}).get("data")
        return found if isinstance(found, list) else []


SERVICE = Service(frozenset(), _Jaeger)
