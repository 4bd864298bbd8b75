"""``--fix``: rewritten programs do what they did, only sooner, and all others stay as they are."""

from __future__ import annotations

import ast
import asyncio
import io
import tokenize
from typing import Any

import pytest

from otel_parallelism.lint.linting import lint_source

from .lint_programs import SILENT
from .rewritten_programs import KEPT, PRELUDE, REWRITTEN


def program(text: str) -> str:
    """Return *text* behind the prelude, with its own imports first."""
    lines = text.split("\n")
    head = 0
    while lines[head].startswith(("import ", "from ")):
        head += 1
    return "".join(f"{line}\n" for line in lines[:head]) + "\n\n" * bool(head) + PRELUDE + "\n".join(lines[head:])


def run(text: str) -> tuple[Any, int]:
    """Return what ``main`` of *text* returns, or the exception, and how many calls ran at once at most."""
    running = peak = 0

    async def pause() -> None:
        nonlocal running, peak
        running += 1
        peak = max(peak, running)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        running -= 1

    names: dict[str, Any] = {"pause": pause, "__name__": "program"}
    exec(compile(text, "program.py", "exec"), names)  # noqa: S102 - running both texts is the test
    try:
        return asyncio.run(names["main"]()), peak
    except KeyError as error:
        return repr(error), peak


def comments(text: str) -> list[str]:
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    return [token.string for token in tokens if token.type == tokenize.COMMENT]


@pytest.mark.parametrize("name", REWRITTEN)
def test_rewritten_program_gives_the_same_result_with_calls_at_once(name: str) -> None:
    text = program(REWRITTEN[name])
    result = lint_source(text, "program.py")
    assert [one.fixable for one in result.findings] == [True]
    assert result.fixed is not None
    before, one_at_a_time = run(text)
    after, at_once = run(result.fixed)
    assert after == before
    assert one_at_a_time == 1
    assert at_once > 1
    assert comments(result.fixed) == comments(text)
    assert lint_source(result.fixed, "program.py").findings == ()
    ours = REWRITTEN[name]
    again = lint_source(program(ours).replace("\n", "\r\n"), "program.py").fixed
    assert again is not None
    assert again.replace("\r\n", "\n") == result.fixed


@pytest.mark.parametrize("name", KEPT)
def test_program_that_a_rewrite_would_change_is_kept(name: str) -> None:
    result = lint_source(program(KEPT[name]), "program.py")
    assert result.fixed is None
    assert not any(one.fixable for one in result.findings)


@pytest.mark.parametrize("name", SILENT)
def test_program_without_findings_is_kept(name: str) -> None:
    assert lint_source(SILENT[name], "program.py").fixed is None


def test_at_least_forty_functions_are_kept() -> None:
    assert len(KEPT) >= 40
    assert all(ast.parse(program(text)) for text in KEPT.values())


def test_text_around_a_rewrite_stays_as_it_is() -> None:
    text = program(REWRITTEN["three_calls_with_comments"])
    fixed = lint_source(text, "program.py").fixed
    assert fixed is not None
    start = text.index("    first = await")
    end = text.index("    # after")
    assert fixed.startswith("import asyncio\n" + text[:start])
    assert fixed.endswith(text[end:])
    assert fixed[len("import asyncio\n") + start : fixed.index("    # after")] == (
        "    first, second, third = await asyncio.gather(\n"
        "        get_a(key),  # the first\n"
        "        # about the second\n"
        "        get_b(  # type: ignore\n"
        "            key\n"
        "        ),\n"
        "        get_a(x=5),\n"
        "    )\n"
    )


def test_loops_become_a_map_with_a_limit() -> None:
    fixed = lint_source(program(REWRITTEN["a_loop_that_appends"]), "program.py").fixed
    assert fixed is not None
    assert fixed.startswith("from otel_parallelism import parallel_map\nimport otel_parallelism\n")
    assert "    found.extend(await parallel_map([3, 4, 5], get_a, limit=10))\n" in fixed
    fixed = lint_source(program(REWRITTEN["part_of_an_expression"]), "program.py").fixed
    assert fixed is not None
    assert "    return (await parallel_map((3, 4), get_a, limit=10))[1]\n" in fixed
