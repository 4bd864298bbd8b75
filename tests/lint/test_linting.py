"""What the lint finds and where it is silent, in short programs."""

from __future__ import annotations

import re

import pytest

from otel_parallelism.lint.linting import lint_source

from .lint_programs import FOUND, SILENT


def expected(text: str) -> list[tuple[int, str]]:
    """Return the line and the kind of each finding that comments of *text* ask for."""
    marks = [(number, re.search(r"# (\w+)$", line)) for number, line in enumerate(text.split("\n"), 1)]
    return [(number, mark[1]) for number, mark in marks if mark]


@pytest.mark.parametrize("name", FOUND)
def test_finding_is_reported_at_its_first_line(name: str) -> None:
    findings = lint_source(FOUND[name], "program.py").findings
    assert [(one.line, one.kind) for one in findings] == expected(FOUND[name])
    assert all(one.path == "program.py" and one.line <= one.end_line for one in findings)


@pytest.mark.parametrize("name", SILENT)
def test_nothing_is_reported(name: str) -> None:
    assert lint_source(SILENT[name], "program.py").findings == ()


def test_message_names_the_variables_that_were_followed() -> None:
    def messages(name: str) -> list[str]:
        return [one.message for one in lint_source(FOUND[name], "program.py").findings]

    (serial,) = messages("three_assignments")
    assert serial == (
        "get_prices, list_orders and find_news are awaited one after the other, but none needs another: "
        "prices and orders reach no argument of a later call and no condition for it. "
        "Await them together with asyncio.gather or a TaskGroup."
    )
    (loop,) = messages("loop_with_a_result")
    assert loop == (
        "get_price is awaited for one item after the other, but no iteration needs another: "
        "price reaches no argument and no condition of a later iteration. "
        "Use parallel_map with a limit, or asyncio.gather if there are few."
    )
    assert messages("sleep") == ["time.sleep blocks the event loop in async poll: await asyncio.sleep."]


def test_message_counts_the_calls_of_one_function() -> None:
    text = (
        "async def weather(client):\n"
        '    oslo = await client.get_weather("Oslo")\n'
        '    molde = await client.get_weather("Molde")\n'
        "    return oslo, molde\n"
    )
    (found,) = lint_source(text, "program.py").findings
    assert found.message.startswith(
        "get_weather ×2 are awaited one after the other, but none needs another: oslo reaches no argument of "
    )


@pytest.mark.parametrize("line", [2, 3])
@pytest.mark.parametrize("comment", ["# parallelism: ignore[one request at a time]", "#parallelism:ignore"])
def test_comment_on_a_line_of_the_statement_silences(line: int, comment: str) -> None:
    lines = FOUND["two_assignments"].split("\n")
    lines[line - 1] += comment
    result = lint_source("\n".join(lines), "program.py")
    assert (result.findings, result.ignored) == ((), 1)


def test_comment_in_a_loop_silences_only_its_statement() -> None:
    text = (
        "async def prices(client, items):\n"
        "    found = {}  # parallelism: ignore[not here]\n"
        "    for item in items:\n"
        "        found[item] = await client.get_price(\n"
        "            item\n"
        "        )\n"
        "    return found\n"
    )
    assert [one.line for one in lint_source(text, "program.py").findings] == [3]
    assert lint_source(text.replace("items:", "items:  # parallelism: ignore[paced]"), "a.py").ignored == 1
    assert lint_source(text.replace("        )", "        )  # parallelism: ignore[paced]"), "a.py").ignored == 1


def test_only_the_chosen_kinds_are_reported() -> None:
    text = FOUND["sleep"] + FOUND["two_assignments"]
    assert [one.kind for one in lint_source(text, "a.py").findings] == ["blocking_call", "serial_awaits"]
    assert [one.kind for one in lint_source(text, "a.py", ["serial_awaits"]).findings] == ["serial_awaits"]


def test_text_that_is_not_python_is_an_error() -> None:
    with pytest.raises(SyntaxError):
        lint_source("def f(:\n", "a.py")
    with pytest.raises(SyntaxError):
        lint_source("async def f(:\n", "a.py")
    with pytest.raises(ValueError, match="nested too deeply"):
        lint_source("x = " + "-" * 100_000 + "1", "a.py")


def test_compiler_does_not_warn() -> None:
    assert len(lint_source(FOUND["sleep"] + r'x = "\d"', "a.py").findings) == 1
