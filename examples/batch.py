"""Maps a thousand items with at most ten calls at once, retries, a rate, progress, and results as they arrive."""

from __future__ import annotations

import asyncio

from otel_parallelism import agent_turn, parallel_map
from otel_parallelism.execution import Rate, Retry

failed_once: set[int] = set()


async def embed(texts: list[str]) -> list[int]:
    """Return one embedding per text. The service takes lists of texts, and fails now and then."""
    await asyncio.sleep(0.02)
    batch = int(texts[0].split()[-1])
    if batch % 300 == 0 and batch not in failed_once:
        failed_once.add(batch)
        raise ConnectionError("try again")
    return [len(text) for text in texts]


async def main() -> None:
    """Embed a thousand texts: twenty per call, ten calls at once, at most 500 calls per second."""
    texts = (f"text {number}" for number in range(1000))  # a generator: the texts are never all in memory
    embedded = 0
    async with agent_turn("batch") as turn:
        async for vectors in parallel_map(
            texts,
            embed,
            limit=10,
            rate=Rate(500, burst=10),
            chunk=20,
            timeout=5,
            retry=Retry(times=3, wait=0.01, on=ConnectionError),
            progress=True,  # a progress bar in a terminal
        ):
            embedded += len(vectors)
    if turn.report:
        print(f"{embedded} texts in {turn.report.calls} calls, {turn.report.peak_concurrency} at once")


if __name__ == "__main__":
    asyncio.run(main())
