"""Looks for texts of a program's source in the contents that the spans of a turn recorded."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from otel_parallelism.model import SpanRecord


def recorded_texts(spans: Iterable[SpanRecord], trace_id: str, texts: Collection[str]) -> set[str]:
    """
    Return those of *texts* that an attribute or an event of the spans of one trace holds.

    Args:
        spans: Spans of any traces.
        trace_id: The trace.
        texts: What to look for, also as it stands inside JSON.
    """
    forms = {text: {text, json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1]} for text in texts}
    found: set[str] = set()
    for span in spans:
        if span.trace_id != trace_id or len(found) == len(forms):
            continue
        for value in _strings([span.attributes, *(event.attributes for event in span.events)]):
            found.update(text for text in forms.keys() - found if any(form in value for form in forms[text]))
    return found


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        yield from _strings(list(value.values()))
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _strings(item)
