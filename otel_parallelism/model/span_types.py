"""The types of spans before they are classified."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec


class SpanEvent(msgspec.Struct, frozen=True, gc=False):
    """An event of a span."""

    name: str
    attributes: Mapping[str, object]


class SpanRecord(msgspec.Struct, frozen=True, gc=False):
    """
    One ended span of any dialect, live or stored.

    Ids are lower-case hex; ``parent_id`` is empty for a root span, and ``remote_parent`` is true if the parent is in
    another process. ``source`` identifies the resource: it is the same string for one process and service.
    ``instrumentation`` is the name of the instrumentation scope, ``kind`` the OTLP number (2 server, 3 client).
    ``links`` are the ids of the linked spans, of any trace; ``link_types`` are the types of the links in the same
    order, empty if none has a type.
    """

    trace_id: str
    span_id: str
    parent_id: str
    name: str
    start_ns: int
    end_ns: int
    attributes: Mapping[str, object]
    events: tuple[SpanEvent, ...] = ()
    links: tuple[str, ...] = ()
    kind: int = 0
    error: bool = False
    remote_parent: bool = False
    source: str = ""
    instrumentation: str = ""
    link_types: tuple[str, ...] = ()
