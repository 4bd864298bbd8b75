"""A finding of a report at a line: what is rewritten there, and why all else is left as it is."""

from __future__ import annotations

import pytest

from otel_parallelism.lint.linting import lint_source
from otel_parallelism.lint.rewriting.measured_place import rewrite_at

PAGE = """\
async def page(shop, user):
    prices = await shop.prices(user)
    news = await shop.news()
    return prices, news


async def other(shop, user):
    prices = await shop.prices(user)
    news = await shop.news()
    return prices, news
"""
TOOLS = ["prices", "news"]
THREADS = """\
import asyncio


async def page(shop, user):
    prices = await asyncio.to_thread(shop.prices, user)
    news = await asyncio.to_thread(shop.news)
    return prices, news
"""
TRIED = """\
async def page(shop):
    try:
        prices = await shop.prices()
        news = await shop.news()
        return prices, news
    except ValueError:
        return None
"""
OVER_CITIES = """\
async def plan(guide, cities):
    found = []
    for city in cities:
        found.append(await guide.weather(city))
    return found
"""
LOOP = """\
async def plan(guide, city):
    tools = (guide.weather, guide.museums)
    return [await tool(city) for tool in tools]
"""


def test_only_the_line_of_the_finding_is_rewritten() -> None:
    assert lint_source(PAGE, "page.py").findings == ()  # nothing in the text alone says that these read
    rewrite = rewrite_at(PAGE, 3, TOOLS)
    assert rewrite.reason == ""
    assert rewrite.fixed == "import asyncio\n\n\n" + PAGE.replace(
        "    prices = await shop.prices(user)\n    news = await shop.news()\n",
        "    prices, news = await asyncio.gather(shop.prices(user), shop.news())\n",
        1,
    )


def test_loop_is_rewritten_at_the_line_where_it_begins() -> None:
    fixed = rewrite_at(OVER_CITIES, 3, ["weather"]).fixed
    assert fixed is not None
    assert "    found.extend(await parallel_map(cities, guide.weather, limit=10))\n" in fixed


def test_loop_over_the_tools_becomes_a_gather() -> None:
    fixed = rewrite_at(LOOP, 3, ["weather", "museums"]).fixed
    assert fixed is not None
    assert "    return await asyncio.gather(*(tool(city) for tool in tools))\n" in fixed


@pytest.mark.parametrize(
    ("text", "line", "tools", "reason"),
    [
        (THREADS, 6, TOOLS, "the text around line 6 does not show"),
        (PAGE, 1, TOOLS, "line 1 awaits no call: the file has changed since, or it is another one."),
        (PAGE, 99, TOOLS, "line 99 awaits no call: the file has changed since, or it is another one."),
        (PAGE, 3, ["weather"], "line 3 awaits news, and not weather: the file has changed since, or the tools"),
        (
            PAGE.replace("news()", "news(prices)"),
            3,
            TOOLS,
            "does not show that the calls need nothing from one another",
        ),
        (
            PAGE.replace("news = await", "if prices: news = await"),
            3,
            TOOLS,
            "does not show that the calls need nothing",
        ),
        ("async def page(shop):\n    return await shop.news()\n", 2, TOOLS, "or they are made together already."),
        (TRIED, 4, TOOLS, "a rewrite of lines 3 to 4 might change what happens, for example if a call fails."),
        (LOOP.replace("tools = (", "tools = use("), 3, ["weather"], "a rewrite of line 3 might change what happens"),
        (LOOP.replace("tool(city)", "ask(tool, city)"), 3, ["weather"], "line 3 awaits ask, and not weather: "),
        ("def f(:\n", 1, TOOLS, "the file is not Python that can be parsed."),
    ],
)
def test_what_is_not_sure_is_left_and_the_reason_named(text: str, line: int, tools: list[str], reason: str) -> None:
    rewrite = rewrite_at(text, line, tools)
    assert rewrite.fixed is None
    assert reason in rewrite.reason


def test_function_that_is_chosen_at_run_time_is_named_as_such() -> None:
    text = "async def f(calls):\n    return [await TOOLS[name](**given) for name, given in calls]\n"
    rewrite = rewrite_at(text, 2, TOOLS)
    assert (rewrite.fixed, rewrite.dispatches) == (None, True)
    assert rewrite.reason.startswith("line 2 awaits a function that is chosen while the program runs, so the text")
    assert not rewrite_at(PAGE, 3, ["weather"]).dispatches


def test_rewritten_place_is_not_rewritten_again() -> None:
    fixed = rewrite_at(PAGE, 3, TOOLS).fixed
    assert fixed is not None
    line = fixed.split("\n").index("    prices, news = await asyncio.gather(shop.prices(user), shop.news())") + 1
    assert rewrite_at(fixed, line, TOOLS).fixed is None
