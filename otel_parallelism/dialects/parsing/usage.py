"""
Counts of a model request's input tokens: all of them, and those among them that were read from the provider's cache.

The conventions count cached tokens among the input tokens. Anthropic's API, and what copies its numbers, counts them
beside the input tokens; they are then added.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from .facts import whole_number

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class InputUsage(msgspec.Struct, frozen=True):
    """
    Input tokens of one model request; None if unknown.

    Attributes:
        tokens: All input tokens.
        cached: Those of them that were read from a cache.
    """

    tokens: int | None = None
    cached: int | None = None


NO_USAGE = InputUsage()


def input_usage(
    counts: Mapping[str, object],
    tokens: Sequence[str],
    read: Sequence[str] = (),
    written: Sequence[str] = (),
    *,
    beside: bool = False,
) -> InputUsage:
    """
    Return the usage that *counts* state.

    Args:
        counts: Attributes or another mapping with numbers.
        tokens: Keys of the input tokens, highest precedence first.
        read: Keys of the tokens read from a cache.
        written: Keys of the tokens written to a cache.
        beside: Whether cached tokens are known to be counted beside the input tokens. They must be if they are more.

    >>> input_usage({"input": 4, "read": 80, "written": 10}, ["input"], ["read"], ["written"])
    InputUsage(tokens=94, cached=80)
    >>> input_usage({"input": 100, "read": 80}, ["input"], ["read"])
    InputUsage(tokens=100, cached=80)
    """
    number = whole_number(counts, *tokens)
    cached = whole_number(counts, *read)
    apart = (cached or 0) + (whole_number(counts, *written) or 0)
    if apart and (beside or number is not None) and (beside or apart > (number or 0)):
        number = (number or 0) + apart
    return InputUsage(number, cached)
