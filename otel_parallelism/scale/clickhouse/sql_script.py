"""The statements that make the views, tables and refreshes in ClickHouse."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from otel_parallelism.errors import SettingError

from .chain_query import CHAIN_REASONS, chains_query
from .hourly import hourly_statements
from .turn_query import calls_query, turns_query
from .undecided import REASONS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from otel_parallelism.settings import Settings

TURNS_VIEW: Final = "parallelism_turns"
CALLS_VIEW: Final = "parallelism_calls"
CHAINS_VIEW: Final = "parallelism_chains"

_TABLE: Final = re.compile(r"(?:[A-Za-z_]\w{0,100}\.)?[A-Za-z_]\w{0,100}", re.ASCII)
_SINCE, _UNTIL = "{since:DateTime64(9)}", "{until:DateTime64(9)}"


def view_statements(table: str, settings: Settings) -> Iterator[tuple[str, str]]:
    """
    Yield the statements that make the views of turns, calls and chains, each after a sentence that says what it is for.

    Args:
        table: The Collector's table, which can have the name of its database in front. The views are made beside it.
        settings: What counts as a call, and the bounds.

    Raises:
        SettingError: *table* is not the name of a table.
    """
    database = _database(table)
    views = (
        (TURNS_VIEW, turns_query, "One row for each turn that started in a time range."),
        (CALLS_VIEW, calls_query, "One row for each call of turns that started in a time range."),
        (CHAINS_VIEW, chains_query, "The calls of one model response that ran one after another, turn by turn."),
    )
    for name, query, meaning in views:
        text = query(table, _SINCE, _UNTIL, settings)
        yield meaning, f"CREATE OR REPLACE VIEW {database}{name} AS\n{text}"


def all_statements(table: str, settings: Settings, *, hourly: bool) -> str:
    """
    Return a script with all statements, each with comments and a semicolon at its end.

    Args:
        table: As for `view_statements`.
        settings: As for `view_statements`.
        hourly: Whether the script also makes tables with the sums of each hour, and the views that refresh them.

    Raises:
        SettingError: *table* is not the name of a table.
    """
    database = _database(table)
    reasons, of_chains = (_as_comments(meanings) for meanings in (REASONS, CHAIN_REASONS))
    example = f"SELECT * FROM {database}{TURNS_VIEW}(since = now() - INTERVAL 1 DAY, until = now())"
    head = f"""-- What is asked of these views and tables:
--   {example}
-- A turn whose column "undecided" is not empty has no numbers; analyze or fleet of otel-parallelism has them:
{reasons}
-- Where "undecided" of {CHAINS_VIEW} is not empty, a turn may have such calls or not:
{of_chains}"""
    statements = [*view_statements(table, settings)]
    if hourly:
        statements += hourly_statements(table, database, settings)
    return "\n\n".join((head, *(f"-- {meaning}\n{text};" for meaning, text in statements))) + "\n"


def _as_comments(meanings: Mapping[str, str]) -> str:
    return "\n".join(f"--   {name}: {meaning}." for name, meaning in meanings.items())


def _database(table: str) -> str:
    """Return the database in front of *table*, with a dot, or an empty text."""
    if not _TABLE.fullmatch(table):
        message = f"table={table!r}: expected the name of a table, such as otel_traces or otel.otel_traces"
        raise SettingError(message)
    return "".join(table.rpartition(".")[:2])
