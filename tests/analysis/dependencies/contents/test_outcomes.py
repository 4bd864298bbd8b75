from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_parallelism.analysis.dependencies.contents import outcomes as module

ERROR = re.compile(module._ERROR_INSIDE._any_case._text, re.IGNORECASE)


@given(st.from_regex(ERROR, alphabet=st.characters(codec="ascii")))
def test_the_quick_look_misses_no_error(text: str) -> None:
    found = ERROR.search(text)
    assert found is not None
    assert module._may_have_error(found[0])
    assert module._may_have_error(found[0].upper())


def test_texts_without_an_error_are_not_searched() -> None:
    assert not module._may_have_error("get_prices has 1234567 rows")
    assert module._may_have_error("keine Zeit für \N{LATIN SMALL LETTER LONG S}ervice unavailable")


@pytest.mark.parametrize(
    ("result", "outcome"),
    [
        ("This request has been blocked by the owner", "failed"),
        ("Exceeded 20 redirects", "failed"),
        ("For subscribers only", "failed"),
        ("The documentation has moved", "failed"),
        ("Gone.", "failed"),
        ("(truncated) Dear", "failed"),
        ({"success": "false", "reason": "closed"}, "failed"),
        ({"retry_in_seconds": 30}, "failed"),
        ("403: only managers may see this", "failed"),
        ("450: a room on the fourth floor", ""),
        ("Gone fishing", ""),
        ("The road is blocked off-season", ""),
        ({"success": "true", "reason": ""}, ""),
    ],
)
def test_refusals_are_failures(result: object, outcome: str) -> None:
    assert module.result_outcome(result) == outcome
