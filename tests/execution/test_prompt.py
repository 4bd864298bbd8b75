from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from otel_parallelism import Finding, profiled
from otel_parallelism.execution import prompt


def tools_part(text: str) -> list[str]:
    return text.split("# Your tools\n\n")[1].splitlines()


def test_general_guidance_names_no_provider_and_no_tool() -> None:
    text = prompt()
    assert "in the same response" in text
    assert "# Your tools" not in text
    assert not any(name in text.lower() for name in ("anthropic", "claude", "openai", "gpt", "gemini"))
    assert prompt([]) == text


def get_weather(city: str) -> str:
    return city


@profiled(effect="read")
def order_status(order: str) -> str:
    return order


def frobnicate() -> None: ...


EXPECTED = [
    "- Safe together, in any number: order_status.",
    "- These only read, judging by their names, so safe together in any number: get_weather.",
    "- Together with one another or with the reads, if they need nothing from one another: frobnicate.",
    (
        "- Change something: book_hotel. Ask for these after the reads that they rest on; several in one response run "
        "in the order in which you list them."
    ),
]


def test_functions_are_sorted_by_declared_or_assumed_effect() -> None:
    def book_hotel() -> None: ...

    functions = [get_weather, order_status, frobnicate, book_hotel]
    assert tools_part(prompt(functions)) == EXPECTED
    assert tools_part(prompt({function.__name__: function for function in functions})) == EXPECTED


@pytest.mark.parametrize(
    "definition",
    [
        lambda name: {"name": name, "description": "…", "input_schema": {"type": "object"}},
        lambda name: {"type": "function", "function": {"name": name, "parameters": {}}},
        lambda name: {"type": "function", "name": name, "parameters": {}},
        lambda name: SimpleNamespace(name=name, annotations=None),
        lambda name: name,
    ],
    ids=["anthropic", "chat", "responses", "objects", "names"],
)
def test_definitions_of_every_form(definition: Any) -> None:
    names = ["get_weather", "order_status", "frobnicate", "book_hotel"]
    assert tools_part(prompt(map(definition, names), effects={"order_*": "read"})) == EXPECTED


def test_annotations_of_mcp() -> None:
    tools = [
        SimpleNamespace(name="frobnicate", annotations=SimpleNamespace(readOnlyHint=True)),
        {"name": "get_and_lock", "annotations": {"readOnlyHint": False}},
    ]
    read, write = tools_part(prompt(tools))
    assert read == "- Safe together, in any number: frobnicate."
    assert write.startswith("- Change something: get_and_lock.")


def finding(**values: Any) -> Finding:
    given = {"kind": "sequential_chain", "cause": "model", "advice": "recommended", "span_ids": (), "avoidable": 1.0}
    return Finding(**{**given, **values})


def test_findings_that_the_model_can_mend() -> None:
    findings = [
        finding(calls=("search", "fetch", "search")),
        finding(calls=("get_a", "get_b"), advice="potential"),
        finding(calls=("get_x", "get_y"), cause="dispatch"),
        finding(calls=("set_x", "set_y"), advice="intended"),
        finding(calls=("get_p", "get_q"), kind="limit", cause="limit"),
        finding(calls=("search", "fetch", "search")),
    ]
    assert tools_part(prompt(findings)) == [
        (
            "- You asked for these in separate responses; ask for them in one response: "
            "search (several calls with different arguments), fetch."
        ),
        (
            "- You asked for these in separate responses; if they need nothing from one another and may run in any "
            "order, ask for them in one response: get_a, get_b."
        ),
    ]


def test_what_needs_what_is_asked_for_later() -> None:
    found = finding(calls=("get_a", "get_b", "get_a", "get_c"), stages=((0, 2), (1,), (3,)))
    (told,) = tools_part(prompt([found]))
    assert told.startswith(
        "- You asked for these in separate responses; ask for them in one response: get_a (several calls"
    )
    assert told.endswith(
        "arguments); then, with their results, in one: get_b; then, with their results, in one: get_c."
    )


def test_findings_and_tools() -> None:
    lines = tools_part(prompt([finding(calls=("search", "fetch")), get_weather]))
    assert lines[0].endswith("search, fetch.")
    assert lines[1] == "- These only read, judging by their names, so safe together in any number: get_weather."


def test_a_name_stays_on_its_line() -> None:
    (line,) = tools_part(prompt([{"name": "get_x\n# Odd rules\x1b[2J"}]))
    assert line == "- These only read, judging by their names, so safe together in any number: `get_x_Odd_rules_2J`."


def test_something_without_a_name() -> None:
    with pytest.raises(TypeError, match="a tool without a name: int"):
        prompt([7])


def test_findings_over_many_turns_are_ranked_by_the_time_they_cost() -> None:
    def finding(tools: tuple[str, ...], avoidable: float) -> Finding:
        return Finding(
            kind="sequential_chain",
            cause="model",
            advice="recommended",
            calls=tools,
            span_ids=tools,
            avoidable=avoidable,
        )

    cheap, dear = ("get_a", "get_b"), ("get_c", "get_d")
    text = prompt([finding(cheap, 1.0), finding(dear, 0.7), finding(dear, 0.7)])
    assert text.index("get_c, get_d") < text.index("get_a, get_b")
    assert text.count("get_c") == 1


@pytest.mark.parametrize("wrong", [len, "search", 3])
def test_anything_but_a_list_or_a_dict_is_refused(wrong: Any) -> None:
    with pytest.raises(TypeError, match="about must be a list or a dict of tools or findings, not"):
        prompt(wrong)


def test_unknown_effect_is_refused() -> None:
    wrong: Any = {"search": "reads"}
    with pytest.raises(ValueError, match=r"effects\['search'\] must be 'read', 'write' or 'unknown', not 'reads'"):
        prompt(["search"], effects=wrong)
