"""Texts in which one piece is repeated take linear time, whatever a tool is for."""

from __future__ import annotations

import itertools

import pytest

from otel_parallelism.analysis.dependencies.contents.tokens import number_of
from otel_parallelism.analysis.dependencies.effects import shell_commands, sql_effects, tool_verbs
from otel_parallelism.analysis.dependencies.effects.sessions import acts_on_session
from otel_parallelism.analysis.dependencies.effects.shell_commands import shell_effect
from otel_parallelism.analysis.dependencies.effects.sql_effects import looks_like_sql, sql_effect
from otel_parallelism.analysis.dependencies.effects.tool_verbs import assumed_effect, words_in_name
from otel_parallelism.model import Content
from tests.amounts import some_of
from tests.bench.fuzz import limited

LENGTH = 19_000  # near the longest statement that is read


PIECES = ("/* ", "'\\'", "$a$ ", "with a", "select ", "a'b", '"', "`", "-- ", "set ", "use a")
STARTS = ("", "set", "with ", "use a", "select $$ ")


@pytest.mark.many
@pytest.mark.parametrize(("start", "piece"), some_of(itertools.product(STARTS, PIECES), 6))
def test_statement_of_any_text_is_judged_in_little_time(start: str, piece: str) -> None:
    text = start + piece * (LENGTH // len(piece)) + " x"
    with limited(5):  # seconds, for some milliseconds of work; quadratic time takes minutes for all
        looks_like_sql(text)
        sql_effect(text)
        acts_on_session("run_sql", Content({"sql": text}))
    assert number_of("0" * LENGTH + "x1") is None


@pytest.mark.parametrize("text", ["select 1 /* x", "select 'a", 'select "a', "select `a", "select $$a"])
def test_what_is_not_closed_makes_a_statement_unknown(text: str) -> None:
    assert sql_effect(text) == "unknown"
    assert looks_like_sql("select * from t where a = 'x")


def test_no_long_text_is_held_in_a_cache() -> None:
    long_name, long_text = "get_" + "x" * 5_000, "x " * 20_000
    assert (words_in_name(long_name), assumed_effect(long_name), sql_effect(long_text), shell_effect(long_text)) == (
        [],
        "unknown",
        "unknown",
        "unknown",
    )
    sizes = [cache.cache_info().currsize for cache in (tool_verbs._words_in_name, sql_effects._sql_effect)]
    sizes.append(shell_commands._shell_effect.cache_info().currsize)
    for number in range(5):
        words_in_name(f"{long_name}{number}")
        sql_effect(f"{long_text}{number}")
        shell_effect(f"{long_text}{number}")
    assert sizes == [
        tool_verbs._words_in_name.cache_info().currsize,
        sql_effects._sql_effect.cache_info().currsize,
        shell_commands._shell_effect.cache_info().currsize,
    ]
