"""
A hand-written loop over anthropic's client, with decorated tools: every form of request records its calls.

Runs with ``--framework anthropic``, and with the oldest client that the module claims.
"""

from __future__ import annotations

import asyncio
import gc
import inspect
import json
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from anthropic import Anthropic, AsyncAnthropic, beta_async_tool
from frameworks import provider
from frameworks.contract.anthropic import UNTHREADED
from frameworks.scenarios import ANSWER, BURST, THREE

from otel_parallelism import Settings, agent_turn, profiled
from otel_parallelism.instrumentation.frameworks.anthropic import FRAMEWORK
from otel_parallelism.instrumentation.hooks.patching import PATCHING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import Kit

FORMS = (
    *("create", "events", "left_events", "stream", "raw", "raw_events", "unread", "unread_events"),
    *("beta", "beta_stream"),
)
HELD: list[Any] = []
"""Streams that the program has read partly and still refers to."""
IDS = [request.id for request in THREE]
QUIET = {"open_telemetry": False} if "open_telemetry" in inspect.signature(Anthropic).parameters else {}
"""Switches off the client's own spans, which need a global provider."""


@pytest.fixture(scope="module")
def url() -> str:
    return provider.start()


@pytest.fixture
def patched(make_kit: Any) -> Iterator[Kit]:
    # Report savings however small, because the client's own time varies.
    kit: Kit = make_kit(Settings(min_avoidable=0, min_avoidable_share=0))
    PATCHING.start([FRAMEWORK])
    yield kit
    PATCHING.stop()


@profiled(effect="read")
async def get_weather(city: str) -> str:
    await asyncio.sleep(0.06)
    return f"{city}: rain"


@profiled(effect="read")
async def get_stock(symbol: str) -> str:
    await asyncio.sleep(0.06)
    return f"{symbol}: 41.27"


@profiled(effect="read")
async def get_news(topic: str) -> str:
    await asyncio.sleep(0.06)
    return f"{topic}: none"


TOOLS: dict[str, Any] = {"get_weather": get_weather, "get_stock": get_stock, "get_news": get_news}
SCHEMAS: list[Any] = [
    {"name": name, "input_schema": {"type": "object", "properties": {argument: {"type": "string"}}}}
    for name, argument in (("get_weather", "city"), ("get_stock", "symbol"), ("get_news", "topic"))
]


async def settled(made: Any) -> Any:
    """Return the result of *made*, from a sync or an async client."""
    return await made if hasattr(made, "__await__") else made


async def items(stream: Any) -> list[Any]:
    return [item async for item in stream] if hasattr(stream, "__aiter__") else list(stream)


async def items_that_matter(stream: Any) -> list[Any]:
    """Return the relevant events; the program does not read the stream to its end."""
    found: list[Any] = []
    while not found or found[-1].type != "message_delta":
        found.append(await anext(stream) if hasattr(stream, "__anext__") else next(stream))
    return found


def joined(events: list[Any]) -> Any:
    """Return the message that *events* form."""
    blocks: dict[int, Any] = {}
    for event in events:
        if event.type == "content_block_start":
            blocks[event.index] = (event.content_block, [])
        elif event.type == "content_block_delta":
            blocks[event.index][1].append(getattr(event.delta, "partial_json", None) or event.delta.text)
    content = []
    for block, pieces in blocks.values():
        if block.type == "tool_use":
            given = json.loads("".join(pieces))
            content.append(SimpleNamespace(type="tool_use", id=block.id, name=block.name, input=given))
        else:
            content.append(SimpleNamespace(type="text", text="".join(pieces)))
    return SimpleNamespace(content=content)


async def said(client: Any, form: str, messages: list[Any]) -> Any:  # noqa: PLR0911 - one for each form
    """Return the model's next message."""
    resource = client.beta.messages if form.startswith("beta") else client.messages
    body: dict[str, Any] = {"model": "stub", "max_tokens": 100, "messages": messages, "tools": SCHEMAS}
    if form == "left_events":
        HELD.append(await settled(resource.create(**body, stream=True)))
        return joined(await items_that_matter(HELD[-1]))
    if form == "events":
        return joined(await items(await settled(resource.create(**body, stream=True))))
    if form in ("stream", "beta_stream"):
        manager = resource.stream(**body)
        if hasattr(manager, "__aenter__"):
            async with manager as stream:
                return await stream.get_final_message()
        with manager as stream:
            return stream.get_final_message()
    if form in ("raw", "raw_events"):
        streams = {"stream": True} if form == "raw_events" else {}
        raw = await settled(resource.with_raw_response.create(**body, **streams))
        parsed = await settled(raw.parse())
        return joined(await items(parsed)) if streams else parsed
    if form in ("unread", "unread_events"):
        streams = {"stream": True} if form == "unread_events" else {}
        manager = resource.with_streaming_response.create(**body, **streams)
        if hasattr(manager, "__aenter__"):
            async with manager as raw:
                parsed = await settled(raw.parse())
                return joined(await items(parsed)) if streams else parsed
        with manager as raw:
            parsed = raw.parse()
            return joined(list(parsed)) if streams else parsed
    return await settled(resource.create(**body))


async def by_hand(client: Any, form: str, prompt: str) -> str:
    messages: list[Any] = [{"role": "user", "content": prompt}]
    while True:
        message = await said(client, form, messages)
        asked = [block for block in message.content if block.type == "tool_use"]
        if not asked:
            return str(message.content[0].text)
        calls = [{"type": "tool_use", "id": one.id, "name": one.name, "input": one.input} for one in asked]
        results = [
            {"type": "tool_result", "tool_use_id": one.id, "content": await TOOLS[one.name](**one.input)}
            for one in asked
        ]
        messages += [{"role": "assistant", "content": calls}, {"role": "user", "content": results}]


@pytest.mark.parametrize("kind", ["asynchronous", "blocking"])
@pytest.mark.parametrize("form", FORMS)
async def test_ids_prove_the_rounds(patched: Kit, url: str, form: str, kind: str) -> None:
    client = (AsyncAnthropic if kind == "asynchronous" else Anthropic)(base_url=url, api_key="none", **QUIET)
    with agent_turn("by hand", input=BURST):
        assert await by_hand(client, form, BURST) == ANSWER
    HELD.clear()
    gc.collect()
    await asyncio.sleep(0.01)
    (report,) = patched.reports
    assert [call.call_id for call in report.turn.calls] == IDS
    assert all(call.proved for call in report.turn.calls)
    assert [step.requested for step in report.turn.steps] == [tuple(IDS), ()]
    assert (report.cause, report.findings[0].advice) == ("dispatch", "recommended")
    (stored,) = patched.stored().reports
    assert (stored.verdict, stored.cause) == (report.verdict, report.cause)
    await settled(client.close())


@pytest.mark.parametrize("read", [0, 2])
async def test_discarded_stream_ends_its_request(patched: Kit, url: str, read: int) -> None:
    client = AsyncAnthropic(base_url=url, api_key="none", **QUIET)
    body: dict[str, Any] = {"messages": [{"role": "user", "content": BURST}], "tools": SCHEMAS, "stream": True}
    with agent_turn("by hand") as turn:
        stream: Any = await client.messages.create(model="stub", max_tokens=100, **body)
        for _ in range(read):
            assert await anext(stream)
        await stream.close()
        del stream
        gc.collect()
        await asyncio.sleep(0.05)
        await get_weather("Oslo")
    assert turn.report is not None
    (step,) = turn.report.turn.steps
    assert step.end_ns <= turn.report.turn.calls[0].start_ns
    await client.close()


async def test_runner_without_own_spans_is_a_turn(patched: Kit, url: str) -> None:
    @beta_async_tool
    async def get_weather(city: str) -> str:
        """Tell the weather.

        Args:
            city: Where.
        """
        await asyncio.sleep(0.06)
        return city

    client = AsyncAnthropic(base_url=url, api_key="none", **QUIET)
    runner = client.beta.messages.tool_runner(
        model="stub",
        max_tokens=100,
        messages=[{"role": "user", "content": "Ten at once: the weather in ten cities."}],
        tools=[get_weather],
        **UNTHREADED,
    )
    await runner.until_done()
    (report,) = patched.reports
    assert (report.calls, report.steps, report.cause) == (10, 2, "dispatch")
    await client.close()
