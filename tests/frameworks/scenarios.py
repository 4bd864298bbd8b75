"""
The scenarios of the contract: prompts, the answers of the stub model, and the tools that it calls.

The functions for the model have the names that the recording server (``tests/fixtures/record/server.py``) imports.
"""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from otel_parallelism import clock

if TYPE_CHECKING:
    from collections.abc import Callable

BURST = "Three at once: the weather in Oslo, the price of ACME and the news about robots."
TEN = "Ten at once: the weather in ten cities."
ROUNDS = "One by one: the weather in Oslo, the price of ACME and the news about robots."
ERROR = "Failing: the weather in Oslo, the price of a stock that does not exist and the news about robots."
PROMPTS = (BURST, TEN, ROUNDS, ERROR)
DELEGATE = "Nobody is asked to delegate."
SYSTEM = "You answer with the help of tools."
ANSWER = "Here is all that you asked for."
THINKING = 0.02
"""Seconds that the stub model takes for a response."""

TAKES = 0.25
"""Seconds that every tool takes: so long that calls which start together some 20 ms apart are not ``negligible``."""

TEN_TAKE = 1.0
"""Seconds that each of ten calls takes: a limit is seen if starts follow ends within 5 % of the duration."""

CITIES = ("Berne", "Turin", "Lagos", "Quito", "Hanoi", "Perth", "Dakar", "Osaka", "Malmo", "Tunis")
UNKNOWN = "NOSUCH"
FAILURE = "no stock is called so"


class Request(NamedTuple):
    """One tool call that the model requests."""

    id: str
    name: str
    arguments: dict[str, Any]

    @property
    def encoded(self) -> str:
        """Return the arguments as JSON."""
        return json.dumps(self.arguments)


THREE = (
    Request("call_weather", "get_weather", {"city": "Oslo"}),
    Request("call_stock", "get_stock", {"symbol": "ACME"}),
    Request("call_news", "get_news", {"topic": "robots"}),
)
FAILING = (THREE[0], Request("call_stock", "get_stock", {"symbol": UNKNOWN}), THREE[2])

HEARD: list[str] = []
"""The conversations that the model received, as JSON."""


def asked_for(conversation: str, results: int) -> tuple[Request, ...]:
    """
    Return the calls that the model requests next.

    Args:
        conversation: All messages so far, in any form, with one of the prompts and the results.
        results: How many tool results of this turn the model has seen.
    """
    HEARD.append(conversation)
    last = max(PROMPTS, key=lambda prompt: conversation.rfind(prompt[:11]))
    if last == BURST:
        return () if results else THREE
    if last == ERROR:
        return () if results else FAILING
    if last == TEN:
        ten = tuple(Request(f"call_{city}", "get_weather", {"city": city}) for city in CITIES)
        return () if results else ten
    return tuple(request._replace(id=request.id + "_alone") for request in THREE[results : results + 1])


@dataclass
class Body:
    """One execution of a tool's body, timed inside the tool by the clock of the calls: the time of day may drift."""

    tool: str
    start_ns: int
    end_ns: int = 0


@dataclass
class Toolbox:
    """Tools as coroutine functions or as blocking functions, which may return at once, and their executions."""

    ran: list[Body] = field(default_factory=list)
    holds: bool = False
    instant: bool = False

    def asynchronous(self) -> list[Callable[..., Any]]:
        """Return the tools as coroutine functions."""
        box = self._number()

        async def get_weather(city: str) -> str:
            """Tell the weather in a city.

            Args:
                city: Name of the city.
            """
            return await _sleep_in(box, "get_weather", weather(city), takes_s(city))

        async def get_stock(symbol: str) -> str:
            """Tell the price of a stock.

            Args:
                symbol: Its ticker symbol.
            """
            return await _sleep_in(box, "get_stock", stock(symbol))

        async def get_news(topic: str) -> str:
            """Tell the news about a topic.

            Args:
                topic: What the news are about.
            """
            return await _sleep_in(box, "get_news", news(topic))

        return [get_weather, get_stock, get_news]

    def holding(self) -> list[Callable[..., Any]]:
        """Return the tools as coroutine functions that hold the event loop, as one with blocking code does."""
        self.holds = True
        return self.asynchronous()

    def blocking(self) -> list[Callable[..., Any]]:
        """Return the tools as plain functions."""
        box = self._number()

        def get_weather(city: str) -> str:
            """Tell the weather in a city.

            Args:
                city: Name of the city.
            """
            return _block_in(box, "get_weather", weather(city), takes_s(city))

        def get_stock(symbol: str) -> str:
            """Tell the price of a stock.

            Args:
                symbol: Its ticker symbol.
            """
            return _block_in(box, "get_stock", stock(symbol))

        def get_news(topic: str) -> str:
            """Tell the news about a topic.

            Args:
                topic: What the news are about.
            """
            return _block_in(box, "get_news", news(topic))

        return [get_weather, get_stock, get_news]

    def sharing_asynchronous(self) -> list[Callable[..., Any]]:
        """Return the tools as coroutine functions; what the first leaves in a variable is read by the second."""
        box = self._number()

        async def get_weather(city: str) -> str:
            """Tell the weather in a city.

            Args:
                city: Name of the city.
            """
            global _latest  # noqa: PLW0603 - what is tested
            _latest = city
            return await _sleep_in(box, "get_weather", weather(city))

        async def get_stock(symbol: str) -> str:
            """Tell the price of a stock.

            Args:
                symbol: Its ticker symbol.
            """
            return await _sleep_in(box, "get_stock", stock(symbol) if _latest else "")

        return [get_weather, get_stock, self.asynchronous()[2]]

    def sharing_blocking(self) -> list[Callable[..., Any]]:
        """Return the same as plain functions."""
        box = self._number()

        def get_weather(city: str) -> str:
            """Tell the weather in a city.

            Args:
                city: Name of the city.
            """
            global _latest  # noqa: PLW0603 - what is tested
            _latest = city
            return _block_in(box, "get_weather", weather(city))

        def get_stock(symbol: str) -> str:
            """Tell the price of a stock.

            Args:
                symbol: Its ticker symbol.
            """
            return _block_in(box, "get_stock", stock(symbol) if _latest else "")

        return [get_weather, get_stock, self.blocking()[2]]

    def _number(self) -> int:
        """Return the number by which the tools find this object: an object that they share might tie them."""
        _BOXES[id(self)] = self
        return id(self)

    async def _sleep(self, tool: str, result: str, seconds: float = TAKES) -> str:
        if self.holds:
            return self._block(tool, result, seconds)
        body = Body(tool, clock.now_ns())
        self.ran.append(body)
        try:
            if not self.instant:
                await asyncio.sleep(seconds)
            return told(result)
        finally:
            body.end_ns = clock.now_ns()

    def _block(self, tool: str, result: str, seconds: float = TAKES) -> str:
        body = Body(tool, clock.now_ns())
        self.ran.append(body)
        try:
            if not self.instant:
                time.sleep(seconds)
            return told(result)
        finally:
            body.end_ns = clock.now_ns()


def takes_s(city: str) -> float:
    """Return how many seconds the weather in *city* takes."""
    return TEN_TAKE if city in CITIES else TAKES


def weather(city: str) -> str:
    return f"{city}: 7 degrees and light rain"


def stock(symbol: str) -> str:
    return "" if symbol == UNKNOWN else f"{symbol} trades at 41.27 crowns"


def news(topic: str) -> str:
    return f"Warehouse {topic} learn to fold parachutes"


def told(result: str) -> str:
    """Return the result of a tool; raises ValueError for an unknown argument."""
    if not result:
        raise ValueError(FAILURE)
    return result


_BOXES: dict[int, Toolbox] = {}
_latest = ""


async def _sleep_in(box: int, *args: Any) -> str:
    return await _BOXES[box]._sleep(*args)


def _block_in(box: int, *args: Any) -> str:
    return _BOXES[box]._block(*args)
