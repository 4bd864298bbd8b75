"""What Grafana and its data source for ClickHouse put in for variables and macros, as their sources have it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_CONDITIONAL = re.compile(r"\$__conditionalAll\((?P<condition>.*?), *\$(?P<name>\w+)\)")
_QUOTED = re.compile(r"\$\{(\w+):singlequote\}")
_PLAIN = re.compile(r"\$\{(\w+)\}")


def filled(text: str, since_s: int, until_s: int, chosen: Mapping[str, Sequence[str]], interval_s: int = 3_600) -> str:
    """
    Return the SQL that reaches ClickHouse.

    Args:
        text: The SQL of a panel or a variable.
        since_s: The start of the dashboard's time range, in seconds since the epoch.
        until_s: Its end.
        chosen: The chosen values by variable; an empty list means all.
        interval_s: The interval of a panel, in seconds.

    Raises:
        ValueError: A variable or a macro is left.
    """
    text = _CONDITIONAL.sub(lambda found: found["condition"] if chosen[found["name"]] else "1=1", text)
    text = _QUOTED.sub(lambda found: ",".join(map(_singlequoted, chosen[found[1]])), text)
    text = _PLAIN.sub(lambda found: chosen[found[1]][0], text)
    since, until = (f"toDateTime({at})" for at in (since_s, until_s))
    text = re.sub(r"\$__timeFilter\((\w+)\)", rf"\1 >= {since} AND \1 <= {until}", text)
    interval = rf"toStartOfInterval(toDateTime(\1), INTERVAL {interval_s} second)"
    text = re.sub(r"\$__timeInterval\((\w+)\)", interval, text)
    text = text.replace("$__fromTime", since).replace("$__toTime", until)
    if "$" in text:
        raise ValueError(text)
    return text


def _singlequoted(value: str) -> str:
    escaped = value.replace("'", "\\'")
    return f"'{escaped}'"
