from __future__ import annotations

import asyncio

from otel_parallelism import agent_turn, profiled


@profiled(effect="read")
async def get_weather(city: str) -> str:
    await asyncio.sleep(0.3)  # a web service, say
    return f"rain, 12 degrees in {city}"


@profiled(effect="read")
async def find_hotel(city: str) -> str:
    await asyncio.sleep(0.3)
    return f"Residencial Aurora, {city}, EUR 81"


@profiled(effect="read")
async def find_train(city: str) -> str:
    await asyncio.sleep(0.2)
    return f"09:39 from Lisbon to {city}, carriage 21"


@profiled(effect="write", depends_on=["get_weather", "find_hotel", "find_train"])
async def send_mail(text: str) -> None:
    await asyncio.sleep(0.1)


async def main() -> None:
    async with agent_turn("trip planner"):
        weather = await get_weather("Porto")
        hotel = await find_hotel("Porto")
        train = await find_train("Porto")
        await send_mail(f"{weather}; {hotel}; {train}")


if __name__ == "__main__":
    asyncio.run(main())
