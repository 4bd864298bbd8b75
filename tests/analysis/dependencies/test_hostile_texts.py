"""Texts in which one piece is repeated take linear time, whatever a tool is for."""

from __future__ import annotations

import itertools

import pytest

from otel_parallelism.analysis.dependencies.contents.tokens import number_of
from otel_parallelism.analysis.dependencies.effects.sessions import acts_on_session
from otel_parallelism.analysis.dependencies.effects.sql_effects import looks_like_sql, sql_effect
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
