"""Gives calls the descriptions of their tools, which the model requests and turns of the same trace offer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from otel_parallelism.model import Call, Step, TurnSpan
from otel_parallelism.pace import paced

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from otel_parallelism.model import Observation


def offered_tools(observations: Collection[Observation]) -> Mapping[str, str]:
    """Return the descriptions of tools that *observations* offer, by name; all of them if they differ."""
    found: dict[str, str] = {}
    seen: Mapping[str, str] | None = None
    for one in paced(observations):
        if type(one) is not Step and type(one) is not TurnSpan:
            continue
        # An agent mostly offers the same tools in each request.
        if one.tools is None or one.tools == seen:
            continue
        seen = one.tools
        for name, description in seen.items():
            known = found.get(name, "")
            if description not in known:
                found[name] = f"{known} {description}".lstrip()
    return found


def with_description(call: Call, tools: Mapping[str, str]) -> Call:
    """Return *call* with the description of its tool among *tools*; unchanged if it has one, or there is none."""
    description = "" if call.description else tools.get(call.tool, "")
    return msgspec.structs.replace(call, description=description) if description else call
