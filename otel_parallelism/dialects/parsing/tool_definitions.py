"""
Reads the descriptions of tools from the definitions that a span has, such as those that a model request offers.

Definitions are the same in all requests of an agent, and long. So they are read once for each text.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import chain
from typing import Final

from .content import decoded
from .facts import text

DEFINITIONS: Final = "gen_ai.tool.definitions"
"""The attribute of the GenAI conventions."""
_KEYS: Final = (DEFINITIONS, "ai.prompt.tools", "mlflow.chat.tools", "model_request_parameters")
BODIES: Final = ("llm.invocation_parameters", "request_data", "langfuse.observation.input", "mlflow.spanInputs")
"""Attributes with a request as the model's service takes it, which may define tools."""
_NUMBERED: Final = (
    ("llm.tools.", (".tool.json_schema",)),
    ("llm.request.functions.", (".name", ".description")),
)
"""The beginnings and ends of the keys of numbered attributes: a definition, or the name and the description."""
_FIRST: Final = tuple(f"{start}0{ends[0]}" for start, ends in _NUMBERED)
_MARKS: Final = frozenset((*_KEYS, *BODIES, *_FIRST))
OTHER_DEFINITIONS: Final = frozenset((*_KEYS, *_FIRST)) - {DEFINITIONS}
"""All other attributes that define tools, of numbered ones the first."""
_LISTS: Final = ("tools", "functions", "function_tools", "functionDeclarations", "function_declarations")
_INSIDE: Final = ("function", "toolSpec", "tool")
_LONGEST_DESCRIPTION: Final = 2_000
_LONGEST_KEPT: Final = 200_000
_MOST_TOOLS: Final = 1_000
_DEEPEST: Final = 3


def described_tools(attributes: Mapping[str, object]) -> Mapping[str, str] | None:
    """
    Return the descriptions in the definitions of tools among *attributes*, by the tool's name; None if there are none.

    >>> dict(described_tools({"gen_ai.tool.definitions": '[{"name": "get_scope", "description": "Opens a scope"}]'}))
    {'get_scope': 'Opens a scope'}
    """
    if _MARKS.isdisjoint(attributes):
        return None
    found: list[tuple[str, str]] = []
    for key in _KEYS:
        found += _read(attributes.get(key))
    for (start, ends), first in zip(_NUMBERED, _FIRST, strict=True):
        if first in attributes:
            found += chain.from_iterable(_numbered(attributes, start, ends))
    for key in () if found else BODIES:
        body = attributes.get(key)
        if isinstance(body, str) and ('"tools"' in body or '"functions"' in body):
            found += _read(body)
    return dict(found) or None


def _numbered(
    attributes: Mapping[str, object], start: str, ends: tuple[str, ...]
) -> Iterator[tuple[tuple[str, str], ...]]:
    """Yield the names and descriptions in numbered attributes."""
    for at in range(_MOST_TOOLS):
        first = attributes.get(f"{start}{at}{ends[0]}")
        if first is None:
            return
        if len(ends) == 1:
            yield _read(first)
        elif isinstance(first, str):
            yield ((first, text(attributes, f"{start}{at}{ends[1]}")[:_LONGEST_DESCRIPTION]),)


def _read(value: object) -> tuple[tuple[str, str], ...]:
    """Return the names and descriptions in definitions, which are JSON or plain data; nothing in any other text."""
    if not isinstance(value, str):
        return tuple(_described(value))
    return _read_text(value) if len(value) <= _LONGEST_KEPT else tuple(_described(decoded(value)))


@lru_cache(maxsize=32)
def _read_text(value: str) -> tuple[tuple[str, str], ...]:
    return tuple(_described(decoded(value)))


def _described(data: object, depth: int = 0) -> Iterator[tuple[str, str]]:
    """Yield the name and the description of each tool in *data*, in any of the forms of models' services."""
    if depth > _DEEPEST:
        return
    if isinstance(data, list | tuple):
        for one in data[:_MOST_TOOLS]:
            # Some write each definition as a JSON text.
            yield from _described(decoded(one) if isinstance(one, str) else one, depth + 1)
    elif isinstance(data, Mapping):
        name, description = data.get("name"), data.get("description")
        if isinstance(name, str) and isinstance(description, str) and name and description:
            yield name, description[:_LONGEST_DESCRIPTION]
            return
        for key in (*_INSIDE, *_LISTS):
            if isinstance(data.get(key), Mapping | list):
                yield from _described(data[key], depth + 1)
