"""Reads the address of a service's stored traces, such as ``tempo://tempo.example.com?since=2h``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl, urlsplit

import msgspec

from otel_parallelism import clock
from otel_parallelism.errors import UnreadableError
from otel_parallelism.readers.parsing.json_fields import time_ns

EXPECTED: Final = "an address such as tempo://tempo.example.com?since=2h, or ?trace=ID"
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_TRANSPORTS: Final = {"": "https", "https": "https", "http": "http"}
_AGO = re.compile(r"(\d{1,6})([smhdw])")
_UNIT_NS: Final = {"s": 10**9, "m": 60 * 10**9, "h": 3_600 * 10**9, "d": 86_400 * 10**9, "w": 604_800 * 10**9}
_TRACE_ID = re.compile(r"[0-9A-Za-z_.:-]{1,200}")
_NAME = re.compile(r"[a-z_]{1,32}")
_DEFAULT_PERIOD_NS: Final = 3_600 * 10**9
_COMMON: Final = frozenset({"trace", "since", "until", "limit", "service"})
_LATEST_NS: Final = 250_000_000_000 * 10**9  # the year 9892
_MOST_TRACES: Final = 1_000


class Address(msgspec.Struct, frozen=True):
    """
    The traces to read, and their server.

    Attributes:
        name: What messages call it: the address without its parameters.
        root: The ``http`` or ``https`` address of the server, without a final slash.
        traces: The ids of the traces; empty for those of a period.
        start_ns: The start of the period.
        end_ns: The end of the period.
        limit: The most traces to read of a period.
        service: Only traces of this service; empty for all.
        options: What only this kind of service has.
    """

    name: str
    root: str
    traces: tuple[str, ...]
    start_ns: int
    end_ns: int
    limit: int
    service: str
    options: Mapping[str, str]


def is_address(path: object) -> bool:
    """Return whether *path* is an address of a server, not a file."""
    return isinstance(path, str) and _URL.match(path) is not None


def scheme_of(url: str) -> str:
    """Return the kind of service in *url*: what stands before ``://`` or ``+``."""
    return url.partition("://")[0].partition("+")[0].lower()


def parsed(url: str, options: frozenset[str]) -> Address:
    """
    Return what *url* asks for.

    Args:
        url: The address as it was given.
        options: The parameters that this kind of service has beside those of all.

    Raises:
        UnreadableError: It is not such an address. The message has no parameter's value: it may be a secret.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise UnreadableError(f"{scheme_of(url)}://", None, "the address is broken", EXPECTED) from None
    shown_host = f"[{host}]" if host and ":" in host else host or ""
    name = f"{parts.scheme}://{shown_host}{f':{port}' if port else ''}{parts.path.rstrip('/')}"
    transport = _TRANSPORTS.get(parts.scheme.partition("+")[2])
    if not host or transport is None:
        raise UnreadableError(name, None, "the address has no server, or not http or https after the +", EXPECTED)
    if parts.username is not None or parts.password is not None:
        raise UnreadableError(name, None, "the address has a user or a password", "credentials in the environment only")
    given = _parameters(name, parts.query, _COMMON | options)
    now = clock.wall_ns()
    end_ns = _instant(name, "until", given["until"][-1], now) if "until" in given else now
    start_ns = _instant(name, "since", given["since"][-1], now) if "since" in given else end_ns - _DEFAULT_PERIOD_NS
    traces = tuple(given.get("trace", ()))
    if not all(_TRACE_ID.fullmatch(trace) for trace in traces):
        raise UnreadableError(name, None, "trace is not the id of a trace", EXPECTED)
    if start_ns >= end_ns:
        raise UnreadableError(name, None, "since is not before until", EXPECTED)
    return Address(
        name,
        f"{transport}://{shown_host}{f':{port}' if port else ''}{parts.path.rstrip('/')}",
        traces,
        start_ns,
        end_ns,
        _limit(name, given["limit"][-1]) if "limit" in given else _MOST_TRACES,
        given.get("service", [""])[-1],
        {key: given[key][-1] for key in options if key in given},
    )


def _parameters(name: str, query: str, known: frozenset[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for key, value in parse_qsl(query, keep_blank_values=True):
        if key not in known:
            shown = f"{key} is no parameter" if _NAME.fullmatch(key) else "it has an unknown parameter"
            raise UnreadableError(name, None, f"{shown} of this address", f"some of {', '.join(sorted(known))}")
        found.setdefault(key, []).append(value)
    return found


def _instant(name: str, key: str, written: str, now_ns: int) -> int:
    ago = _AGO.fullmatch(written)
    if ago:
        return max(0, now_ns - int(ago[1]) * _UNIT_NS[ago[2]])
    try:
        found = time_ns(written.replace(" ", "+"))  # a plus sign in a query is a space
        if not 0 <= found < _LATEST_NS:
            raise ValueError  # noqa: TRY301 - as for what is no time
    except (ValueError, OverflowError):
        expected = "a time such as 2026-01-31T12:00:00Z, or how long ago, such as 30m, 2h, 7d"
        raise UnreadableError(name, None, f"{key} is not a time", expected) from None
    return found


def _limit(name: str, written: str) -> int:
    if not (written.isascii() and written.isdigit() and len(written) < 10 and int(written)):  # noqa: PLR2004 - a number
        raise UnreadableError(name, None, "limit is not a number of traces", "a whole number of at least 1")
    return int(written)
