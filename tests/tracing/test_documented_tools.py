"""Tests that the documentation of a decorated function defeats its reading name where it tells of more than a read."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from otel_parallelism import agent_turn, profiled
from otel_parallelism.tracing.state.tool import Tool

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Kit


class Desk:
    async def get_scope(self, case: str) -> str:
        """Opens the scope of a case."""
        await asyncio.sleep(0.2)
        return f"scope of {case}"


class Caller:
    """Opens the scope of a case."""

    async def __call__(self, case: str) -> str:
        await asyncio.sleep(0.2)
        return f"scope of {case}"


async def get_scope(case: str) -> str:
    """
    Look up the scope of a case.

    Raises:
        KeyError: There is no such case.
    """
    await asyncio.sleep(0.2)
    return f"scope of {case}"


@pytest.mark.parametrize(
    ("function", "description"),
    [
        (get_scope, "Look up the scope of a case."),
        (profiled(get_scope), "Look up the scope of a case."),
        (Desk().get_scope, "Opens the scope of a case."),
        (Desk.get_scope, "Opens the scope of a case."),
        (partial(get_scope, "1"), ""),
        (Caller(), ""),
        (None, ""),
    ],
)
def test_description_is_the_documentation_of_the_function(function: Callable[..., Any], description: str) -> None:
    told = Tool(function, "get_scope", None, None, None).description()
    assert told.strip().split("\n")[0] == description


@profiled
async def get_case(number: str) -> str:
    """Look up a case."""
    await asyncio.sleep(0.2)
    return f"case {number}"


@profiled
async def get_file(number: str) -> str:
    """Opens the file of a case, and makes it the current one."""
    await asyncio.sleep(0.2)
    return f"file {number}"


async def of_cases() -> None:
    one = await get_case("A-1")
    other = await get_case("B-2")
    print(one, other)


async def of_files() -> None:
    one = await get_file("A-1")
    other = await get_file("B-2")
    print(one, other)


@pytest.mark.parametrize(("program", "advice"), [(of_cases, "recommended"), (of_files, "potential")])
async def test_documented_act_is_not_recommended(kit: Kit, program: Any, advice: str) -> None:
    async with agent_turn("documented") as turn:
        await program()
    assert turn.report is not None
    (finding,) = turn.report.findings
    assert finding.advice == advice
