"""
Brings attributes that are written as plain JSON into the form of OTLP: a list of keys and typed values.

Some exporters write ``{"gen_ai.tool.name": "search"}``, or a value without its type, where OTLP has a list of pairs.
"""

from __future__ import annotations

_TYPES = frozenset({"stringValue", "intValue", "doubleValue", "boolValue", "arrayValue", "kvlistValue", "bytesValue"})


def with_listed_attributes(data: object) -> object:
    """
    Return OTLP's *data* with all attributes as pairs of a key and a typed value; a copy.

    >>> with_listed_attributes({"attributes": {"calls": 2}})
    {'attributes': [{'key': 'calls', 'value': {'intValue': 2}}]}
    """
    if isinstance(data, dict):
        return {
            key: _pairs(value) if key == "attributes" else with_listed_attributes(value) for key, value in data.items()
        }
    if isinstance(data, list):
        return [with_listed_attributes(item) for item in data]
    return data


def _pairs(attributes: object) -> object:
    if isinstance(attributes, dict):
        return [{"key": key, "value": _typed(value)} for key, value in attributes.items()]
    if isinstance(attributes, list):
        return [{**pair, "value": _typed(pair.get("value"))} if isinstance(pair, dict) else pair for pair in attributes]
    return attributes


def _typed(value: object) -> object:
    """Return *value* with its type; what has one already stays."""
    if value is None or (isinstance(value, dict) and value.keys() <= _TYPES):
        return value
    if isinstance(value, dict):
        return {"kvlistValue": {"values": [{"key": key, "value": _typed(item)} for key, item in value.items()]}}
    if isinstance(value, list):
        return {"arrayValue": {"values": [_typed(item) or {} for item in value]}}
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": value}
    return {"doubleValue": value} if isinstance(value, float) else {"stringValue": value}
