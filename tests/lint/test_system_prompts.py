"""Literal system prompts: where they are found, and that a section is added to one and nothing else changes."""

from __future__ import annotations

import pytest

from otel_parallelism.execution.prompt import prompt
from otel_parallelism.lint.rewriting.system_prompts import imported_prompts, prompt_places, with_section

SECTION = prompt(["get_weather", "get_news"])
FOUND = {
    "keyword": "a = Agent('gpt', system_prompt='Plan trips.')",
    "constant": "TEXT = 'Plan trips.'\na = Agent(instructions=TEXT)",
    "dict": "ask([{'role': 'system', 'content': 'Plan trips.'}, {'role': 'user', 'content': 'Hello'}])",
    "tuple": "template([('system', 'Plan trips.'), ('human', '{question}')])",
    "message": "ask([SystemMessage('Plan trips.'), HumanMessage('Hello')])",
    "content": "ask([messages.SystemMessage(content='Plan trips.')])",
    "maker": "a = create_react_agent(model, tools, prompt='Plan trips.')",
    "parts_in_brackets": "def f():\n    return Agent(instructions=(\n        'Plan '\n        'trips.'\n    ))",
    "parts_on_a_line": "a = Agent(instructions='Plan ' 'trips.')",
    "method": "def f(self):\n    if self:\n        return Agent(instructions='Plan trips.', tools=[1])",
}
TEXTS = {
    "lines": 'TEXT = """Plan trips.\n\nWell.\n"""\nAgent(instructions=TEXT)',
    "indented": 'def f(x):\n    return Agent(instructions=f"""\n        Plan {x}.\n        Well.\n    """)',
    "windows": 'TEXT = """Plan trips.\r\n\r\nWell.\r\n"""\r\nAgent(instructions=TEXT)\r\n',
}
NONE = {
    "no_literal": "a = Agent(instructions=read('prompt.txt'))",
    "other_use": "TEXT = 'Plan trips.'\nprint(TEXT)\na = Agent(instructions=TEXT)",
    "bound_twice": "TEXT = 'Plan trips.'\nTEXT = 'More.'\na = Agent(instructions=TEXT)",
    "user": "ask([{'role': 'user', 'content': 'Plan trips.'}])",
    "prompt_of_others": "ask(prompt='Plan trips.')",
    "number": "make(system=3)",
    "no_python": "a = Agent(instructions='Plan trips.'",
}


@pytest.mark.parametrize("name", FOUND)
def test_section_is_said_after_the_prompt(name: str) -> None:
    (place,) = prompt_places(FOUND[name])
    assert place.literal == "Plan trips."
    new = with_section(FOUND[name], place, SECTION)
    assert new is not None
    (after,) = prompt_places(new)
    assert after.literal == f"Plan trips.\n\n{SECTION}"
    assert new.startswith(FOUND[name][: place.start])
    assert new.endswith(FOUND[name][place.end :])
    assert max(map(len, new.split("\n"))) < 120


@pytest.mark.parametrize("name", TEXTS)
def test_text_of_lines_gets_the_lines_of_the_section_with_its_own_indentation(name: str) -> None:
    (place,) = prompt_places(TEXTS[name])
    new = with_section(TEXTS[name], place, SECTION)
    assert new is not None
    (after,) = prompt_places(new)
    lines = [line.strip() for line in after.literal.rstrip().split("\n")]
    assert lines[-len(SECTION.split("\n")) - 2 :] == ["Well.", "", *SECTION.split("\n")]
    indent = " " * 8 if name == "indented" else ""
    end = "\r\n" if name == "windows" else "\n"
    assert f"{end}{indent}# Your tools{end}" in new
    assert new.count("\r") == (new.count("\n") if name == "windows" else 0)


@pytest.mark.parametrize("name", NONE)
def test_what_is_no_literal_of_its_own_is_no_prompt(name: str) -> None:
    assert prompt_places(NONE[name]) == []


def test_names_of_the_call_are_known() -> None:
    places = prompt_places("Agent('planner', instructions='Plan.')\nAgent(name='biller', instructions='Bill.')")
    assert [(place.names, place.first) for place in places] == [((), "planner"), (("biller",), "")]


def test_variable_of_another_file_is_found_where_it_is_bound() -> None:
    agents = "from texts import TRAVEL as T\nimport other\nAgent(name='a', instructions=T)\nask(system=other.BILLS)\n"
    imported = imported_prompts(agents + "ask(system=local)\n")
    assert imported == {"TRAVEL": ("a",), "BILLS": ()}
    texts = "TRAVEL = 'Plan trips.'\nMORE = 'More.'\n"
    assert prompt_places(texts) == []
    (place,) = prompt_places(texts, imported)
    assert (place.literal, place.names) == ("Plan trips.", ("a",))
    new = with_section(texts, place, SECTION, imported)
    assert new is not None
    assert prompt_places(new, imported)[0].literal == f"Plan trips.\n\n{SECTION}"
    assert imported_prompts("Agent(instructions=") == {}
