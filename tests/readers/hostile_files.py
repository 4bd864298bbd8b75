"""Draws files of spans as no exporter writes them, from generated and recorded spans, with a seed."""

from __future__ import annotations

import codecs
import gzip
import json
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec
import zstandard

from otel_parallelism.model import SpanEvent, SpanRecord
from otel_parallelism.readers.otlp_json import read_otlp_json
from tests.readers.hostile_values import NAMES, changed, hostile_text, hostile_value, nested
from tests.readers.test_any_format import a_trace
from tests.readers.written_formats import BINARY, WRITERS

if TYPE_CHECKING:
    import random

RECORDED: Final = sorted((Path(__file__).parents[1] / "fixtures" / "spans").glob("*.jsonl"))
SMALL: Final = 400
"""The length of a hostile text in most files."""
LARGE: Final = 2_000_000
"""The length of a hostile text in a few."""
_MOST_SPANS: Final = 16
_TIMES: Final = (0, -1, -(10**18), 2**63, 2**64 - 1, 10**25, 1)
_IDS: Final = ("", "0" * 16, "f", "x" * 40, "0" * 15 + "1", "\x1b[0m", "A" * 16)


@cache
def _recorded(path: Path) -> tuple[SpanRecord, ...]:
    return tuple(read_otlp_json(path))


def some_spans(choose: random.Random) -> list[SpanRecord]:
    """Return intact spans: generated ones, or some that follow one another in a recorded file."""
    if choose.random() < 0.3:
        return a_trace(choose.randrange(50))
    spans = _recorded(choose.choice(RECORDED))
    start = choose.randrange(max(1, len(spans) - _MOST_SPANS))
    return list(spans[start : start + _MOST_SPANS])


def hostile_spans(choose: random.Random, length: int = SMALL) -> list[SpanRecord]:
    """Return spans with wrong times, ids, names and contents; content of about *length* characters."""
    spans = some_spans(choose)
    for _ in range(choose.randint(1, 5)):
        at = choose.randrange(len(spans))
        spans[at] = _changed_span(spans[at], spans, choose, length)
    if choose.random() < 0.2:
        spans += choose.choices(spans, k=3)
    if choose.random() < 0.3:
        choose.shuffle(spans)
    return spans


def _changed_span(span: SpanRecord, spans: list[SpanRecord], choose: random.Random, length: int) -> SpanRecord:
    other = choose.choice(spans)
    event = SpanEvent(choose.choice(("exception", *NAMES)), {"exception.type": hostile_value(choose, length)})
    changes: tuple[dict[str, Any], ...] = (
        {"start_ns": choose.choice((*_TIMES, other.start_ns))},
        {"end_ns": choose.choice((*_TIMES, span.start_ns, other.end_ns))},
        {"parent_id": choose.choice((span.span_id, other.span_id, *_IDS))},  # cycles, unknown parents
        {"span_id": choose.choice((other.span_id, *_IDS))},
        {"name": choose.choice(NAMES)},
        {"events": (*span.events, event), "links": (other.span_id, *_IDS)},
        *({"attributes": _changed_attributes(span, other, choose, length)},) * 3,
    )
    return msgspec.structs.replace(span, **choose.choice(changes))


def _changed_attributes(span: SpanRecord, other: SpanRecord, choose: random.Random, length: int) -> dict[str, object]:
    values = {**other.attributes, **span.attributes} or {"gen_ai.operation.name": "chat"}
    chosen = choose.choices(list(values), k=choose.randint(1, 4))
    return {**span.attributes, **{key: _content(values[key], choose, length) for key in chosen}}


def _content(value: object, choose: random.Random, length: int) -> object:
    """Return a value in place of *value*: of another type, hostile, or its JSON with one part changed."""
    if isinstance(value, str) and value[:1] in ("{", "[") and choose.random() < 0.6:
        try:
            return _json(changed(json.loads(value), choose, length))
        except (ValueError, RecursionError):  # nested too deep for the standard library
            pass
    if choose.random() < 0.3:
        return hostile_text(choose, length)
    return hostile_value(choose, length)


def hostile_file(choose: random.Random, length: int = SMALL) -> bytes:
    """Return the content of a file: spans in some format with values, JSON, bytes or compression changed."""
    name = choose.choice(list(WRITERS))
    how = choose.random()
    if how < 0.03:
        return nested(choose, choose.choice((50, 2_000, 100_000))).encode()
    if how < 0.06:
        return hostile_text(choose, length * 4).encode("utf-8", "surrogatepass")
    if how < 0.3 or name in BINARY:
        content = WRITERS[name](some_spans(choose) if name not in BINARY else a_trace(choose.randrange(50)))
    else:
        content = _changed_json(WRITERS[name](_plain(some_spans(choose))), choose, length)
    if name in BINARY or choose.random() < 0.2:
        content = _changed_bytes(content, choose)
    return _encoded(content, choose) if choose.random() < 0.15 else content


def _plain(spans: list[SpanRecord]) -> list[SpanRecord]:
    """Return *spans* with attributes that every format can hold."""
    return [
        msgspec.structs.replace(
            span, attributes={k: v if isinstance(v, str | int) else str(v) for k, v in span.attributes.items()}
        )
        for span in spans
    ]


def _changed_json(content: bytes, choose: random.Random, length: int) -> bytes:
    text = content.decode("utf-8", "surrogatepass")
    try:
        documents = [json.loads(text)]
    except ValueError:
        documents = [json.loads(line) for line in text.splitlines() if line.startswith("{") and line.endswith("}")]
    for _ in range(choose.randint(1, 3)):
        at = choose.randrange(len(documents)) if documents else 0
        documents[at : at + 1] = (
            [changed(documents[at], choose, length)] if documents else [hostile_value(choose, length)]
        )
    indent = choose.choice((None, None, 1))
    return b"\n".join(_json(document, indent).encode("utf-8", "surrogatepass") for document in documents)


def _json(value: Any, indent: int | None = None) -> str:
    """Return *value* as JSON text; integers of any length are written out."""
    most = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(0)
    try:
        return json.dumps(value, ensure_ascii=False, indent=indent)
    except RecursionError:  # too deep for Python's own encoder
        return "[" * 2_000
    finally:
        sys.set_int_max_str_digits(most)


def _changed_bytes(content: bytes, choose: random.Random) -> bytes:
    broken = bytearray(content)
    for _ in range(choose.randint(1, 6)):
        if broken:
            broken[choose.randrange(len(broken))] = choose.randrange(256)
    if choose.random() < 0.3:
        at = choose.randrange(len(broken) + 1)
        broken[at:at] = choose.choice(
            (b"\0", b"\xff\xfe", codecs.BOM_UTF8, b"\x80" * 12, b"]" * 9, b"\r\r\n", b"\xed\xa0\x80")
        )
    return bytes(broken[: choose.randrange(len(broken) + 1)]) if choose.random() < 0.4 else bytes(broken)


def _encoded(content: bytes, choose: random.Random) -> bytes:
    kind = choose.randrange(6)
    if kind == 0:
        return codecs.BOM_UTF8 + content
    if kind == 1:
        return content.decode("utf-8", "replace").encode(
            choose.choice(("utf-16", "utf-32", "utf-16-be", "cp500")), "replace"
        )
    if kind == 2:
        return content + b"\n" + WRITERS[choose.choice(list(WRITERS))](a_trace(1))
    packed = gzip.compress(content, 1) if kind < 5 else zstandard.ZstdCompressor().compress(content)
    if choose.random() < 0.5:
        return _changed_bytes(packed, choose)
    return packed + (packed if choose.random() < 0.5 else b"")
