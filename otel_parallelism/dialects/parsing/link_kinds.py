"""Reads what the links of a span say about the spans that they lead to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_parallelism import names

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def link_types(links: Iterable[Mapping[str, object] | None]) -> tuple[str, ...]:
    """
    Return the type of each of *links*, given by their attributes, in capitals; empty if none has a type.

    >>> link_types([None, {"gen_ai.attribution.link_type": "CAUSED_BY_GENERATION"}]), link_types([{}])
    (('', 'CAUSED_BY_GENERATION'), ())
    """
    found = tuple([_type_of(attributes) if attributes else "" for attributes in links])
    return found if any(found) else ()


def _type_of(attributes: Mapping[str, object]) -> str:
    value = attributes.get(names.LINK_TYPE)
    return value.upper() if isinstance(value, str) else ""
