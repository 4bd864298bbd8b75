"""Encodes a document as JSON, whatever texts its names consist of."""

from __future__ import annotations

from typing import Any

import msgspec


def encoded(document: msgspec.Struct) -> bytes:
    """Return *document* as JSON; halves of surrogate pairs, which UTF-8 does not have, become U+FFFD."""
    try:
        return msgspec.json.encode(document)
    except UnicodeEncodeError:
        return msgspec.json.encode(_with_whole_characters(msgspec.to_builtins(document)))


def _with_whole_characters(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, dict):
        return {_with_whole_characters(key): _with_whole_characters(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_with_whole_characters(item) for item in value]
    return value
