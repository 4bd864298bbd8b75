from __future__ import annotations

import json
from typing import TYPE_CHECKING

import msgspec
import pytest
from strategies import call, read

from otel_parallelism.analysis.dependencies.contents.reading_budget import turn_budget
from otel_parallelism.analysis.dependencies.evidence import Evidence, gather_evidence
from otel_parallelism.model import Call, Content
from otel_parallelism.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Sequence


def evidence_of(*calls: Call, said: Sequence[object] = ()) -> Evidence:
    return gather_evidence(calls, [Content(words) for words in said], Settings())


def edges(*calls: Call, said: Sequence[object] = ()) -> list[dict[int, bool]]:
    """Return for each call the earlier calls that it may need, and whether the need is proven."""
    found = evidence_of(*calls, said=said).edges
    return [{earlier: proven for earlier, (proven, _) in some.items()} for some in found]


def test_value_originates_from_the_first_call_that_returned_it() -> None:
    made = read("a", 0, 1, "x", "BK-99881")
    again = read("b", 1, 2, "x", "BK-99881")
    assert edges(made, again, read("c", 2, 3, "BK-99881")) == [{}, {}, {0: True}]


def test_path_in_a_command_originates_from_the_result_that_has_all_of_it() -> None:
    words = read("a", 0, 1, "x", "from crm import client, store")
    found = read("b", 1, 2, "y", "./crm/store.py:44:def upsert(key, record):")
    assert edges(words, found, read("c", 2, 3, "git log -5 crm/store.py")) == [{}, {}, {0: False, 1: False}]


def test_value_in_an_earlier_argument_has_no_origin() -> None:
    own = read("a", 0, 1, "BK-99881", "BK-99881")
    assert edges(own, read("b", 1, 2, "BK-99881")) == [{}, {}]
    before = read("z", 0, 0.5, "BK-99881", "rows")
    assert edges(before, read("a", 0.5, 1, "x", "BK-99881"), read("b", 1, 2, "BK-99881")) == [{}, {}, {}]


def test_result_after_the_start_of_a_call_is_not_compared() -> None:
    assert edges(read("a", 0, 3, "x", "BK-99881"), read("b", 2, 4, "BK-99881")) == [{}, {}]


def test_value_in_the_users_message_is_unknown() -> None:
    made, used = read("a", 0, 1, "x", "BK-99881"), read("b", 1, 2, "BK-99881")
    assert edges(made, used, said=["about BK-99881 please"]) == [{}, {0: False}]


def test_returned_object_is_proof() -> None:
    returned = call("a", 0, 1, result=Content([1], identities=(7,)))
    handed = call("b", 1, 2, arguments=Content([1], identities=(7,)))
    assert edges(returned, handed)[1] == {0: True}


def test_object_returned_by_several_calls_depends_on_each() -> None:
    handed = call("c", 2, 3, arguments=Content([1], identities=(7,)))
    returned = [
        call(name, start, start + 1, result=Content([1], identities=(7,))) for name, start in (("a", 0), ("b", 1))
    ]
    assert edges(*returned, handed)[2] == {0: True, 1: True}


def test_method_depends_on_the_call_that_returned_its_object() -> None:
    returned = call("a", 0, 1, result=Content("session", identities=(7,)))
    methods = [call(name, start, start + 1, arguments=Content("x", receiver=7)) for name, start in (("b", 1), ("c", 2))]
    assert edges(returned, *methods) == [{}, {0: True}, {0: True}]
    assert edges(*methods) == [{}, {}]


def test_calls_given_one_returned_object_depend_on_its_call() -> None:
    returned = call("a", 0, 1, result=Content([1], identities=(7,)))
    handed = [
        call(name, start, start + 1, arguments=Content([1], identities=(7,))) for name, start in (("b", 1), ("c", 2))
    ]
    assert edges(returned, *handed) == [{}, {0: True}, {0: True}]


def test_sentences_contain_no_values() -> None:
    found = evidence_of(read("a", 0, 1, "x", "BK-99881"), read("b", 1, 2, "BK-99881"))
    (_, sentence) = found.edges[1][0]
    assert "99881" not in sentence
    assert "get_flights" in sentence


def test_content_read_in_full_is_recorded() -> None:
    found = evidence_of(
        read("a", 0, 1),
        call("b", 1, 2),
        call("c", 2, 3, arguments=Content("x", whole=False), result=Content("y", whole=False)),
    )
    assert found.arguments_whole == (True, False, False)
    assert found.results_whole == (True, False, False)


def test_result_of_an_empty_call_is_compared_with_the_next_call() -> None:
    assert edges(read("a", 1, 1, "x", "BK-99881"), read("b", 1, 2, "BK-99881")) == [{}, {0: True}]


@pytest.mark.parametrize(
    ("result", "argument"),
    [
        (["main.py", "setup.cfg"], "/src/app/main.py"),
        ({"path": "/src/app/main.py"}, "main.py"),
        (["report"], "/src/app/report.txt"),
        ({"user": "jose"}, "jose@acme.com"),
        ({"name": "Jose Ramirez"}, "jose.ramirez@acme.com"),
        ({"id": 12345}, "U12345"),
        ({"date": "2024-05-20"}, "20/05/2024"),
        ({"date": "2024-05-20"}, "20240520"),
        ({"date": "20.05.2024"}, "2024-05-20"),
        ({"arrival": "2024-12-10T22:25:00"}, "22:25"),
        ({"arrival": "22:25:00"}, "22:25"),
        ({"arrival": "22:25"}, "10:25 PM"),
        ({"arrival": "9:05am"}, "09:05"),
    ],
)
def test_derived_argument_is_a_possible_dependence(result: object, argument: str) -> None:
    assert edges(read("a", 0, 1, "x", result), read("b", 1, 2, argument)) == [{}, {0: False}]


def test_derived_argument_with_an_earlier_source_is_no_edge() -> None:
    first, second = read("a", 0, 1, "/src/app/a.py", "import app from src"), read("b", 1, 2, "/src/app/b.py")
    assert edges(first, second) == [{}, {}]
    listed, made = read("a", 0, 1, "x", ["main.py"]), read("b", 1, 2, "/src/main.py")
    assert edges(listed, made, said=["look at main.py in src"]) == [{}, {}]


def test_parts_of_an_earlier_path_do_not_replace_the_origin() -> None:
    linked = read("a", 0, 1, "x", {"url": "https://shop.example/items/abc-123"})
    found = read("b", 1, 2, "y", {"slug": "abc-123"})
    assert edges(linked, found, read("c", 2, 3, "abc-123"))[2] == {0: False, 1: True}


def test_words_of_a_listed_file_name_are_no_evidence() -> None:
    listed = read("a", 0, 1, "x", ["lexer.py", "parser.py"])
    first, second = read("b", 1, 2, "src/lexer.py", "the parser asks"), read("c", 2, 3, "src/parser.py")
    assert edges(listed, first, second) == [{}, {0: False}, {0: False}]


def test_contents_past_the_budget_of_a_turn_are_not_whole() -> None:
    results = [[f"BK{number:04}{row:04}" for row in range(100)] for number in range(10)]
    calls = [read("a", number, number + 1, "x", result) for number, result in enumerate(results)]
    calls.append(read("b", 10, 11, "BK00000007"))
    settings = Settings(max_leaves_per_turn=350)
    budget = turn_budget(settings)
    found = gather_evidence(calls, [], settings, budget)
    assert found.results_whole == (False,) * 7 + (True,) * 4
    assert found.edges[10] == {}
    assert budget.left_out == 7
    assert gather_evidence(calls, [], Settings()).edges[10].keys() == {0}
    few = gather_evidence(calls, [], Settings(max_bytes_per_turn=10))
    assert few.results_whole[:9] == (False,) * 9


def test_chain_of_values_is_compared_briefly() -> None:
    chain = [read("a", 0, 1, "x", "BK-99881"), read("b", 2, 3, "BK-99881", "CK-77221"), read("c", 4, 5, "CK-77221")]
    chain = [
        msgspec.structs.replace(
            one,
            **{
                name: None if content is None else Content(json.dumps({"key": content.value}), json.loads)
                for name, content in (("arguments", one.arguments), ("result", one.result))
            },
        )
        for one in chain
    ]
    brief, full = (gather_evidence(chain, [], Settings(), brief=brief) for brief in (True, False))
    assert (brief.completed is None, full.completed) == (False, None)
    assert [set(edges) for edges in brief.edges] == [set(edges) for edges in full.edges] == [set(), {0}, {1}]
    assert vars(brief.origins).keys() == vars(full.origins).keys()
    assert brief.origins.explained_from_ns == full.origins.explained_from_ns
    budget = turn_budget(Settings())
    gather_evidence(chain, [], Settings(), budget, brief=True)
    assert budget == turn_budget(Settings())  # nothing had to be read
    assert (brief.arguments_whole, brief.results_whole, brief.outcomes) == ((True,) * 3, (True,) * 3, ("",) * 3)
    changed = [chain[0], msgspec.structs.replace(chain[1], result=chain[0].result), chain[2]]
    assert gather_evidence(changed, [], Settings(), brief=True).completed is None
    assert gather_evidence(chain, [Content("BK-99881")], Settings(), brief=True).completed is None


def test_contents_of_calls_asked_for_at_once_are_not_compared() -> None:
    asked = {"round": 0, "proved": True}
    first = read("a", 0, 1, "x", "BK-99881", call_id="1", **asked)
    second = read("b", 2, 3, "BK-99881", "done", call_id="2", **asked)
    budgets = [turn_budget(Settings()) for _ in range(2)]
    brief, full = (
        gather_evidence([first, second], [Content("hello")], Settings(), budget, brief=budget is budgets[0])
        for budget in budgets
    )
    assert (brief.edges, [set(edges) for edges in full.edges]) == ([{}, {}], [set(), {0}])
    assert (brief.arguments_whole, brief.results_whole, brief.outcomes) == ((True, True), (True, True), ("", ""))
    assert brief.origins.explained_from_ns == full.origins.explained_from_ns
    assert budgets[0] == budgets[1]
    again = msgspec.structs.replace(second, call_id="1")
    assert gather_evidence([first, again], [], Settings(), brief=True).edges[1]
