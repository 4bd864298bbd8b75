"""Checks that the OTLP endpoints of this process answer, by opening a TCP connection to each."""

from __future__ import annotations

import os
import socket
import threading
import urllib.request
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_TIMEOUT_S = 1.0
_VARIABLES = (
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT",
)
_PORTS = {"http": 80, "https": 443}


def unreachable_endpoints(exporters: Iterable[Any], timeout_s: float = _TIMEOUT_S) -> Iterator[tuple[str, str]]:
    """
    Yield each OTLP endpoint that accepts no connection, with the reason.

    The endpoints are those of *exporters* and those in the standard environment variables. An endpoint behind a proxy,
    or one that is not a host and a port, is not checked.

    Args:
        exporters: Exporters of spans or metrics; those without an endpoint are skipped.
        timeout_s: How long to wait for one endpoint, including its name look-up.
    """
    named = [os.environ.get(variable, "").strip() for variable in _VARIABLES]
    named += [endpoint for each in exporters if isinstance(endpoint := getattr(each, "_endpoint", None), str)]
    checked: set[tuple[str, int]] = set()
    for endpoint in filter(None, named):
        address = _address(endpoint)
        if address is None or address in checked:
            continue
        checked.add(address)
        reason = _connection_error(address, timeout_s)
        if reason:
            host, port = address
            may_have_password = {"@", "?", "#"} & set(endpoint)
            yield f"{host}:{port}" if may_have_password else endpoint, reason


def _address(endpoint: str) -> tuple[str, int] | None:
    """Return host and port of *endpoint*; None where it has none, or where a proxy is in between."""
    try:
        url = urlsplit(endpoint if "//" in endpoint else f"//{endpoint}")
        host, port = url.hostname, url.port or _PORTS.get(url.scheme)
        if not host or port is None or url.scheme not in {"", *_PORTS}:
            return None
        proxied = urllib.request.getproxies().get(url.scheme or "http") is not None
        return None if proxied and not urllib.request.proxy_bypass(f"{host}:{port}") else (host, port)
    except ValueError:
        return None


def _connection_error(address: tuple[str, int], timeout_s: float) -> str:
    """Return why *address* accepts no connection; empty if it does."""
    reasons: list[str] = []

    def connect() -> None:
        try:
            socket.create_connection(address, timeout_s).close()
            reasons.append("")
        except (OSError, ValueError) as error:
            reasons.append(str(error) or type(error).__name__)

    # In a thread, because the look-up of a name has no timeout of its own.
    thread = threading.Thread(target=connect, daemon=True)
    thread.start()
    thread.join(timeout_s)
    return reasons[0] if reasons else f"no answer within {timeout_s:g} s"
