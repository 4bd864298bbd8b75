"""
The agent of the demo: five tools that wait for a web server.

`plan_one_by_one` is a tool loop as it is usually written first; `plan_together` follows the advice of the report.
"""

from __future__ import annotations

import asyncio
from http.client import HTTPConnection

from otel_parallelism import agent_turn, profiled


class Guide:
    """Five tools. Each sends one request to the server on *port* of this machine."""

    def __init__(self, port: int) -> None:
        """Keep the port."""
        self._port = port

    @profiled(effect="read")
    async def weather(self, city: str) -> str:
        """Return the weather forecast."""
        return await self._fetch("weather", city)

    @profiled(effect="read")
    async def museums(self, city: str) -> str:
        """Return the museums that are open."""
        return await self._fetch("museums", city)

    @profiled(effect="read")
    async def restaurants(self, city: str) -> str:
        """Return the restaurants."""
        return await self._fetch("restaurants", city)

    @profiled(effect="read")
    async def trains(self, city: str) -> str:
        """Return the departures of trains."""
        return await self._fetch("trains", city)

    @profiled(effect="read")
    async def events(self, city: str) -> str:
        """Return the events."""
        return await self._fetch("events", city)

    async def _fetch(self, subject: str, city: str) -> str:
        return await asyncio.to_thread(self._request, f"/{subject}/{city}")

    def _request(self, path: str) -> str:
        connection = HTTPConnection("127.0.0.1", self._port, timeout=10)
        try:
            connection.request("GET", path)
            return connection.getresponse().read().decode()
        finally:
            connection.close()


async def plan_one_by_one(guide: Guide, city: str) -> list[str]:
    """Call all tools for *city*, one after another."""
    tools = (guide.weather, guide.museums, guide.restaurants, guide.trains, guide.events)
    with agent_turn("one by one"):
        return [await tool(city) for tool in tools]


async def plan_together(guide: Guide, city: str) -> list[str]:
    """Call all tools for *city* in parallel."""
    tools = (guide.weather, guide.museums, guide.restaurants, guide.trains, guide.events)
    with agent_turn("together"):
        return await asyncio.gather(*(tool(city) for tool in tools))
