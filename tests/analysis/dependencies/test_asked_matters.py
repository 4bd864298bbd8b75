"""Tests which calls the user named, by what they are about or by a value that only they were given."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from otel_parallelism.analysis.dependencies.evidence import gather_evidence
from otel_parallelism.model import Call, Content, DeveloperText
from otel_parallelism.settings import Settings

if TYPE_CHECKING:
    from otel_parallelism.analysis.dependencies.comments.asked_matters import AskedMatters


def matters(said: object, *calls: tuple[str, object]) -> AskedMatters:
    """Return what the user, who *said* something, named of *calls*, each a tool and its arguments."""
    made = [Call("1", f"{at}", "t", one, at, at + 1, arguments=Content(given)) for at, (one, given) in enumerate(calls)]
    return gather_evidence(made, [Content([said])], Settings()).matters


@pytest.mark.parametrize(
    ("said", "second", "named"),
    [
        ("The mast and the keel of Ane", ("get_keel", {"boat": "Ane"}), True),
        ("The mast and the keels of Ane", ("get_keel", {"boat": "Ane"}), True),
        ("The mast of Ane leans", ("get_keel", {"boat": "Ane"}), False),
        ("The mast of Ane and of Liv", ("get_keel", {"boat": "Liv"}), True),
        ("The mast of Ane, 1912", ("get_keel", {"boat": "Ane", "year": 1912}), True),
        ("The mast of Ane leans", ("get_keel", {"boat": "Liv"}), False),
        ("The mast of Ane leans", ("get_keel", {}), False),
        ("The mast of Ane and its repairs", ("list_works", {"boat": "Ane", "kind": "repair"}), True),
        ("The mast of Ane and its rigging", ("get_rigging_estimate", {"boat": "Ane"}), True),
        ("The mast of Ane leans", ("get_mast_estimate", {"boat": "Ane"}), False),
        ("The mast and the code of Ane", ("read_file", {"path": "CODE.md"}), True),
        ("The mast of Ane leans", ("read_file", {"path": "CODE.md"}), False),
        ("The mast of Ane leans", ("get_keel", {"below": "mast"}), False),
        ("\u4e0a\u6d77\u548c\u5317\u4eac", ("get_keel", {"boat": "\u5317\u4eac"}), True),
        ("\u4e0a\u6d77", ("get_keel", {"boat": "\u5317\u4eac"}), False),
        (DeveloperText("Look at the keel of Liv"), ("get_keel", {"boat": "Liv"}), False),
    ],
)
def test_user_names_what_a_call_is_about_or_a_value_that_only_it_was_given(
    said: str, second: tuple[str, object], named: bool
) -> None:
    assert matters(said, ("get_mast", {"boat": "Ane"}), second).named(1) is named


def test_call_whose_arguments_were_not_seen_is_named_by_what_it_is_about_alone() -> None:
    made = [Call("1", "a", "t", "get_keel", 0, 1)]
    assert gather_evidence(made, [Content(["The keel of Ane"])], Settings()).matters.named(0)
    assert not gather_evidence(made, [Content(["Ane leans"])], Settings()).matters.named(0)


@pytest.mark.parametrize(
    ("said", "second", "asked_for"),
    [
        ("The mast and the keel of Ane", ("get_keel", {"boat": "Ane"}), True),
        ("The masts of Ane and of Liv", ("get_mast", {"boat": "Liv"}), True),
        ("The mast of Ane in dock 7", ("get_crane", {"dock": "7"}), False),
        ("The mast of Ane and its rigging", ("get_rigging_estimate", {"boat": "Ane"}), False),
        ("The hull of Ane and of Liv", ("get_gauge", {"boat": "Liv"}), False),
    ],
)
def test_user_asks_for_what_a_call_returns_by_its_noun_or_by_another_call_of_its_tool(
    said: str, second: tuple[str, object], *, asked_for: bool
) -> None:
    assert matters(said, ("get_mast", {"boat": "Ane"}), second).asked_for(1) is asked_for
