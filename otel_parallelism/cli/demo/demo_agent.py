"""
The agent that the demo runs, with five tools that each wait for a web service.

`plan_one_by_one` is how a tool loop is usually written first; `plan_together` is the same after the report's advice.
"""

from __future__ import annotations

import asyncio
from http.client import HTTPConnection

from otel_parallelism import agent_turn, profiled


class Guide:
    """Five tools, each one request to the service on *port* of this machine."""

    def __init__(self, port: int) -> None:
        """Remember where to ask."""
        self._port = port

    @profiled(effect="read")
    async def weather(self, city: str) -> str:
        """Tell what the weather will be."""
        return await self._ask("weather", city)

    @profiled(effect="read")
    async def museums(self, city: str) -> str:
        """Tell which museums are open."""
        return await self._ask("museums", city)

    @profiled(effect="read")
    async def restaurants(self, city: str) -> str:
        """Tell where to eat."""
        return await self._ask("restaurants", city)

    @profiled(effect="read")
    async def trains(self, city: str) -> str:
        """Tell when trains leave."""
        return await self._ask("trains", city)

    @profiled(effect="read")
    async def events(self, city: str) -> str:
        """Tell what is on."""
        return await self._ask("events", city)

    async def _ask(self, subject: str, city: str) -> str:
        return await asyncio.to_thread(self._request, f"/{subject}/{city}")

    def _request(self, path: str) -> str:
        connection = HTTPConnection("127.0.0.1", self._port, timeout=10)
        try:
            connection.request("GET", path)
            return connection.getresponse().read().decode()
        finally:
            connection.close()


async def plan_one_by_one(guide: Guide, city: str) -> list[str]:
    """Ask for everything about *city*, one thing after another."""
    tools = (guide.weather, guide.museums, guide.restaurants, guide.trains, guide.events)
    with agent_turn("one by one"):
        return [await tool(city) for tool in tools]


async def plan_together(guide: Guide, city: str) -> list[str]:
    """Ask for everything about *city* at once."""
    tools = (guide.weather, guide.museums, guide.restaurants, guide.trains, guide.events)
    with agent_turn("together"):
        return await asyncio.gather(*(tool(city) for tool in tools))
