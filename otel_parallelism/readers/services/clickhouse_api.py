"""ClickHouse, in the Collector's schema, through clickhouse-connect: a query streams the spans of whole traces."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, Any, Final, cast
from urllib.parse import urlsplit

from otel_parallelism.errors import UnreadableError

from .http_api import variable
from .http_pool import connections
from .stored_traces import Found, Service

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from .address import Address

_FORMAT: Final = "JSONEachRow"
_TABLE = re.compile(r"[A-Za-z_]\w{0,100}(\.[A-Za-z_]\w{0,100})?", re.ASCII)
_PORTS: Final = {"https": 8443, "http": 8123}
_MARGIN_NS: Final = 3_600 * 10**9
"""How long before and after a period a trace in it may begin and end."""
_CODE = re.compile(r"Code: (\d{1,6})")

_ALL: Final = (
    "SELECT * EXCEPT (Timestamp), toString(toUnixTimestamp64Nano(Timestamp)) AS StartTimeUnixNano FROM {table}"
)
_ONE: Final = f"{_ALL} WHERE TraceId = %(trace)s"
_IDS: Final = (
    "SELECT TraceId FROM {table}"
    " WHERE Timestamp >= fromUnixTimestamp64Nano(%(start)s) AND Timestamp < fromUnixTimestamp64Nano(%(end)s){service}"
    " GROUP BY TraceId ORDER BY min(Timestamp), TraceId LIMIT %(limit)s"
)
_PERIOD: Final = (
    f"{_ALL} WHERE Timestamp BETWEEN fromUnixTimestamp64Nano(%(first)s) AND fromUnixTimestamp64Nano(%(last)s)"
    f" AND TraceId IN ({_IDS}) ORDER BY Timestamp"
)


class _ClickHouse:
    def __init__(self, address: Address, _most_bytes: int) -> None:
        self._address = address
        self._table = address.options.get("table", "otel_traces")
        if not _TABLE.fullmatch(self._table):
            raise UnreadableError(address.name, None, "table is not the name of a table", "a name such as otel_traces")
        self._pool = connections(address.root)
        self._client = self._connected(address)

    def _connected(self, address: Address) -> Any:
        user = variable("CLICKHOUSE_USER", address) or "default"
        password = variable("CLICKHOUSE_PASSWORD", address)
        try:
            import clickhouse_connect  # type: ignore[import-not-found,unused-ignore]  # noqa: PLC0415 - an extra
        except ImportError:
            how = 'pip install "otel-parallelism[clickhouse]"'
            raise UnreadableError(address.name, None, f"to read ClickHouse, {how}", "clickhouse-connect") from None
        parts = urlsplit(address.root)
        try:
            return clickhouse_connect.get_client(
                host=parts.hostname,
                port=parts.port or _PORTS[parts.scheme],
                secure=parts.scheme == "https",
                username=user,
                password=password,
                database=parts.path.strip("/") or "default",
                pool_mgr=self._pool,
                query_retries=0,  # the pool's are enough
            )
        except Exception as error:  # noqa: BLE001 - the library raises many kinds, of libraries of its own too
            raise self._problem(error) from None

    def trace(self, trace_id: str) -> bytes | None:
        try:
            query = _ONE.format(table=self._table)
            found: bytes = self._client.raw_query(query, parameters={"trace": trace_id}, fmt=_FORMAT)
        except Exception as error:  # noqa: BLE001 - as above
            raise self._problem(error) from None
        return found or None

    def period(self) -> Iterator[Found]:
        address = self._address
        values: Mapping[str, Any] = {
            "start": address.start_ns,
            "end": address.end_ns,
            "first": address.start_ns - _MARGIN_NS,
            "last": address.end_ns + _MARGIN_NS,
            "limit": address.limit,
            "service": address.service,
        }
        service = " AND ServiceName = %(service)s" if address.service else ""
        ids, spans = (query.format(table=self._table, service=service) for query in (_IDS, _PERIOD))
        try:
            one_more = {**values, "limit": address.limit + 1}
            traces = self._client.raw_query(ids, parameters=one_more, fmt="TabSeparated").decode().split()
            if not traces:
                return
            source = self._client.raw_stream(spans, parameters=values, fmt=_FORMAT)
        except Exception as error:  # noqa: BLE001 - as above
            raise self._problem(error) from None
        yield Found(tuple(traces), io.BufferedReader(_Stream(source, self._problem)), part=True)

    def _problem(self, error: Exception) -> UnreadableError:
        """Return an error with ClickHouse's code: the library's messages quote the query and the server's answer."""
        code = _CODE.search(str(error)) or re.search(r"error code (\d{1,6})", str(error))
        told = self._pool.busy or (f"error {code[1]} of ClickHouse" if code else type(error).__name__)
        hint = "a server that answers; CLICKHOUSE_USER and CLICKHOUSE_PASSWORD say who asks"
        return UnreadableError(self._address.name, None, told, hint)


class _Stream(io.RawIOBase):
    """The bytes of *source*, which may have nothing but ``read``; *problem* makes an error of the library's."""

    def __init__(self, source: Any, problem: Callable[[Exception], UnreadableError]) -> None:
        self._source = source
        self._problem = problem

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        try:
            data = cast("bytes", self._source.read(len(view)))
        except Exception as error:  # noqa: BLE001 - as above
            raise self._problem(error) from None
        view[: len(data)] = data
        return len(data)


SERVICE = Service(frozenset({"table"}), _ClickHouse)
