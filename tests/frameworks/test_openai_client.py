"""
A hand-written loop over openai's client, with decorated tools: every form of request records its requested calls.

Runs with ``--framework openai``, and with the oldest client that the module claims.
"""

from __future__ import annotations

import asyncio
import gc
import json
from importlib import import_module
from importlib.util import find_spec
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from frameworks import provider
from frameworks.scenarios import ANSWER, BURST, ROUNDS, THREE
from openai import AsyncOpenAI, OpenAI
from openai.resources import Completions

from otel_parallelism import Settings, agent_turn, profiled
from otel_parallelism.instrumentation.frameworks.openai import FRAMEWORK
from otel_parallelism.instrumentation.hooks.patching import PATCHING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from conftest import Kit

CHAT = ("create", "chunks", "left_chunks", "events", "parsed", "raw", "raw_chunks", "unread", "unread_chunks")
RESPONSES: tuple[str, ...] = ()
if find_spec("openai.resources.responses") is not None:
    RESPONSES = ("create", "pieces", "left_pieces", "raw", "raw_pieces", "unread")
    if hasattr(import_module("openai.resources.responses").Responses, "stream"):
        RESPONSES += ("events", "parsed")
IDS = [request.id for request in THREE]
HELD: list[Any] = []
"""Streams that the program has read partly and still refers to."""


@pytest.fixture(scope="module")
def url() -> str:
    return provider.start() + "/v1"


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


TOOLS: dict[str, Callable[..., Awaitable[str]]] = {
    "get_weather": get_weather,
    "get_stock": get_stock,
    "get_news": get_news,
}


def schema(argument: str) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {argument: {"type": "string"}},
        "required": [argument],
        "additionalProperties": False,
    }


FUNCTIONS: list[Any] = [
    {"name": name, "strict": True, "parameters": schema(argument)}
    for name, argument in (("get_weather", "city"), ("get_stock", "symbol"), ("get_news", "topic"))
]
RESPONSE_TOOLS: list[Any] = [{"type": "function", **function} for function in FUNCTIONS]


async def settled(made: Any) -> Any:
    """Return the result of *made*, from a sync or an async client."""
    return await made if hasattr(made, "__await__") else made


async def items(stream: Any) -> list[Any]:
    return [item async for item in stream] if hasattr(stream, "__aiter__") else list(stream)


async def items_until(stream: Any, last: Callable[[Any], bool]) -> list[Any]:
    """Return the items of *stream* up to the *last*; the rest is not read."""
    HELD.append(stream)
    found = []
    iterator = aiter(stream) if hasattr(stream, "__aiter__") else iter(stream)
    while not found or not last(found[-1]):
        found.append(await anext(iterator) if hasattr(iterator, "__anext__") else next(iterator))
    return found


async def let_go() -> None:
    """Discard the streams that are kept."""
    HELD.clear()
    gc.collect()
    await asyncio.sleep(0.01)


class Opened:
    """A sync or async context manager as an async one."""

    def __init__(self, manager: Any) -> None:
        self.manager = manager

    async def __aenter__(self) -> Any:
        """Enter the context manager."""
        if hasattr(self.manager, "__aenter__"):
            return await self.manager.__aenter__()
        return self.manager.__enter__()

    async def __aexit__(self, *error: object) -> None:
        """Leave the context manager."""
        if hasattr(self.manager, "__aexit__"):
            await self.manager.__aexit__(*error)
        else:
            self.manager.__exit__(*error)


def joined(chunks: list[Any]) -> Any:
    """Return the message that *chunks* form."""
    calls: dict[int, Any] = {}
    text = ""
    for chunk in chunks:
        for choice in chunk.choices:
            text += choice.delta.content or ""
            for piece in choice.delta.tool_calls or ():
                call = calls.setdefault(
                    piece.index, SimpleNamespace(id="", function=SimpleNamespace(name="", arguments=""))
                )
                call.id += piece.id or ""
                call.function.name += piece.function.name or ""
                call.function.arguments += piece.function.arguments or ""
    return SimpleNamespace(content=text, tool_calls=list(calls.values()))


async def chat(client: Any, form: str, messages: list[Any]) -> Any:
    """Return the model's next message."""
    completions = client.chat.completions
    helpers = completions if hasattr(Completions, "stream") else client.beta.chat.completions
    tools = [{"type": "function", "function": function} for function in FUNCTIONS]
    body: dict[str, Any] = {"model": "stub", "messages": messages, "tools": tools}
    if form == "chunks":
        return joined(await items(await settled(completions.create(**body, stream=True))))
    if form == "left_chunks":
        stream = await settled(completions.create(**body, stream=True))
        return joined(await items_until(stream, lambda chunk: chunk.choices[0].finish_reason is not None))
    if form == "events":
        async with Opened(helpers.stream(**body)) as stream:
            await items(stream)
            return (await settled(stream.get_final_completion())).choices[0].message
    if form == "raw_chunks":
        raw = await settled(completions.with_raw_response.create(**body, stream=True))
        return joined(await items(raw.parse()))
    if form in ("unread", "unread_chunks"):
        streams = {"stream": True} if form == "unread_chunks" else {}
        async with Opened(completions.with_streaming_response.create(**body, **streams)) as raw:
            parsed = await settled(raw.parse())
            return joined(await items(parsed)) if streams else parsed.choices[0].message
    if form == "parsed":
        completion = await settled(helpers.parse(**body))
    elif form == "raw":
        completion = (await settled(completions.with_raw_response.create(**body))).parse()
    else:
        completion = await settled(completions.create(**body))
    return completion.choices[0].message


async def respond(client: Any, form: str, given: list[Any]) -> Any:  # noqa: PLR0911 - one for each form
    """Return the model's next response."""
    responses = client.responses
    body: dict[str, Any] = {"model": "stub", "input": given, "tools": RESPONSE_TOOLS}
    if form == "pieces":
        return (await items(await settled(responses.create(**body, stream=True))))[-1].response
    if form == "left_pieces":
        stream = await settled(responses.create(**body, stream=True))
        return (await items_until(stream, lambda event: event.type == "response.completed"))[-1].response
    if form == "events":
        async with Opened(responses.stream(**body)) as stream:
            await items(stream)
            return await settled(stream.get_final_response())
    if form == "raw_pieces":
        raw = await settled(responses.with_raw_response.create(**body, stream=True))
        return (await items(raw.parse()))[-1].response
    if form == "unread":
        async with Opened(responses.with_streaming_response.create(**body)) as raw:
            return await settled(raw.parse())
    if form == "parsed":
        return await settled(responses.parse(**body))
    if form == "raw":
        return (await settled(responses.with_raw_response.create(**body))).parse()
    return await settled(responses.create(**body))


async def by_chat(client: Any, form: str, prompt: str, *, together: bool = False) -> str:
    messages: list[Any] = [{"role": "user", "content": prompt}]
    while True:
        message = await chat(client, form, messages)
        if not message.tool_calls:
            return str(message.content)
        asked = [(call.id, call.function.name, call.function.arguments) for call in message.tool_calls]
        calls = [
            {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}
            for call_id, name, arguments in asked
        ]
        results = await executed(asked, together=together)
        messages.append({"role": "assistant", "tool_calls": calls})
        messages += [{"role": "tool", "tool_call_id": call_id, "content": result} for call_id, result in results]


async def by_responses(client: Any, form: str, prompt: str) -> str:
    given: list[Any] = [{"role": "user", "content": prompt}]
    while True:
        response = await respond(client, form, given)
        asked = [(item.call_id, item.name, item.arguments) for item in response.output if item.type == "function_call"]
        if not asked:
            return str(response.output_text)
        results = await executed(asked, together=False)
        given += [
            {"type": "function_call", "call_id": call_id, "name": name, "arguments": arguments}
            for call_id, name, arguments in asked
        ]
        given += [{"type": "function_call_output", "call_id": call_id, "output": result} for call_id, result in results]


async def executed(asked: list[tuple[str, str, str]], *, together: bool) -> list[tuple[str, str]]:
    if together:
        results = await asyncio.gather(*(TOOLS[name](**json.loads(arguments)) for _, name, arguments in asked))
    else:
        results = [await TOOLS[name](**json.loads(arguments)) for _, name, arguments in asked]
    return [(call_id, result) for (call_id, *_), result in zip(asked, results, strict=True)]


def client_of(kind: str, url: str) -> Any:
    return (AsyncOpenAI if kind == "asynchronous" else OpenAI)(base_url=url, api_key="none")


async def close(client: Any) -> None:
    await settled(client.close())


def check(kit: Kit, cause: str) -> None:
    (report,) = kit.reports
    assert [call.call_id for call in report.turn.calls] == IDS
    assert all(call.proved for call in report.turn.calls)
    assert [step.requested for step in report.turn.steps] == [tuple(IDS), ()]
    assert (report.verdict, report.cause) == ("sequential", cause)
    assert report.findings[0].advice == "recommended"
    assert {str(span.attributes["gen_ai.tool.call.id"]) for span in kit.calls() if span.attributes} == set(IDS)
    (stored,) = kit.stored().reports
    assert (stored.verdict, stored.cause) == (report.verdict, report.cause)


@pytest.mark.parametrize("kind", ["asynchronous", "blocking"])
@pytest.mark.parametrize("form", CHAT)
async def test_ids_prove_the_rounds_of_chat_completions(patched: Kit, url: str, form: str, kind: str) -> None:
    client = client_of(kind, url)
    with agent_turn("by hand", input=BURST):
        assert await by_chat(client, form, BURST) == ANSWER
    await let_go()
    check(patched, "dispatch")
    await close(client)


@pytest.mark.parametrize("kind", ["asynchronous", "blocking"])
@pytest.mark.parametrize("form", RESPONSES)
async def test_ids_prove_the_rounds_of_responses(patched: Kit, url: str, form: str, kind: str) -> None:
    client = client_of(kind, url)
    with agent_turn("by hand", input=BURST):
        assert await by_responses(client, form, BURST) == ANSWER
    await let_go()
    check(patched, "dispatch")
    await close(client)


async def test_gathered_round_and_single_calls(patched: Kit, url: str) -> None:
    client = client_of("asynchronous", url)
    with agent_turn("by hand", input=BURST) as turn:
        await by_chat(client, "chunks", BURST, together=True)
    assert turn.report is not None
    assert (turn.report.verdict, turn.report.calls, turn.report.steps) == ("parallel", 3, 2)
    assert all(call.proved for call in turn.report.turn.calls)
    with agent_turn("by hand", input=ROUNDS) as turn:
        await by_chat(client, "create", ROUNDS)
    assert turn.report is not None
    assert (turn.report.verdict, turn.report.cause, turn.report.steps) == ("sequential", "model", 4)
    assert [call.call_id for call in turn.report.turn.calls] == [call_id + "_alone" for call_id in IDS]
    await close(client)


async def test_concurrent_turns_keep_their_own_requests(patched: Kit, url: str) -> None:
    client = client_of("asynchronous", url)

    async def one() -> None:
        with agent_turn("by hand", input=BURST):
            await by_chat(client, "create", BURST)

    await asyncio.gather(one(), one())
    for report in patched.reports:
        assert [call.call_id for call in report.turn.calls] == IDS
        assert report.cause == "dispatch"
    assert len(patched.reports) == 2
    await close(client)


@pytest.mark.parametrize("kind", ["asynchronous", "blocking"])
@pytest.mark.parametrize("read", [0, 2])
async def test_discarded_stream_ends_its_request(patched: Kit, url: str, kind: str, read: int) -> None:
    client = client_of(kind, url)
    tools = [{"type": "function", "function": function} for function in FUNCTIONS]
    body: Any = {"model": "stub", "messages": [{"role": "user", "content": BURST}], "tools": tools, "stream": True}
    with agent_turn("by hand") as turn:
        stream = await settled(client.chat.completions.create(**body))
        for _ in range(read):
            assert await (anext(stream) if kind == "asynchronous" else settled(next(stream)))
        await settled(stream.close())
        del stream
        gc.collect()
        await asyncio.sleep(0.05)
        await get_weather("Oslo")
    assert turn.report is not None
    assert (turn.report.calls, turn.report.steps) == (1, 1)
    (step,) = turn.report.turn.steps
    assert step.end_ns <= turn.report.turn.calls[0].start_ns
    await close(client)


@pytest.mark.parametrize("kind", ["asynchronous", "blocking"])
async def test_call_does_not_depend_on_an_answer_that_is_kept_unread(patched: Kit, url: str, kind: str) -> None:
    client = client_of(kind, url)
    tools = [{"type": "function", "function": function} for function in FUNCTIONS]
    body: Any = {"model": "stub", "messages": [{"role": "user", "content": BURST}], "tools": tools}
    with agent_turn("by hand", input=BURST) as turn:
        raw = client.chat.completions.with_streaming_response.create(**body)
        async with Opened(raw) as response:
            text = "".join(await items(response.iter_text()))
        stream = await settled(client.chat.completions.create(**body, stream=True))
        await items_until(stream, lambda chunk: bool(chunk.choices[0].delta.tool_calls))
        asked = json.loads(text)["choices"][0]["message"]["tool_calls"]
        await executed([(call["id"], *call["function"].values()) for call in asked], together=False)
        await asyncio.sleep(0.1)  # the turn goes on: it is not the calls that the answers were held open for
    assert turn.report is not None
    # Their requested calls are unknown, but their ends are known.
    assert [step.requested for step in turn.report.turn.steps] == [None, None]
    assert turn.report.turn.steps[-1].end_ns <= turn.report.turn.calls[0].start_ns
    assert turn.report.verdict == "sequential"
    del raw, response, stream
    await let_go()
    await close(client)


@pytest.mark.skipif(not RESPONSES, reason="this client has no responses")
async def test_background_response_requests_nothing_until_it_is_complete(patched: Kit, url: str) -> None:
    client = client_of("asynchronous", url)
    # Older clients do not have the argument.
    body: Any = {"model": "stub", "input": ROUNDS, "tools": RESPONSE_TOOLS, "extra_body": {"background": True}}
    with agent_turn("by hand", input=ROUNDS) as turn:
        for each in THREE:
            response = await client.responses.create(**body)
            assert (response.status, response.output) == ("queued", [])
            await executed([(each.id, each.name, each.encoded)], together=False)
    assert turn.report is not None
    assert [step.requested for step in turn.report.turn.steps] == [None] * 3
    assert turn.report.cause == "model"
    await close(client)


async def test_error_of_the_client_reaches_the_program(patched: Kit, url: str) -> None:
    client = AsyncOpenAI(base_url="http://127.0.0.1:1", api_key="none", max_retries=0)
    with agent_turn("by hand") as turn:
        with pytest.raises(Exception, match="Connection error"):
            await chat(client, "create", [{"role": "user", "content": BURST}])
        with pytest.raises(Exception, match="Connection error"):
            await chat(client, "chunks", [{"role": "user", "content": BURST}])
    assert turn.report is not None
    assert turn.report.steps == 2
    await close(client)


async def test_request_outside_a_turn_makes_no_span(patched: Kit, url: str) -> None:
    client = client_of("asynchronous", url)
    assert (await chat(client, "create", [{"role": "user", "content": BURST}])).tool_calls
    assert patched.spans == ()
    await close(client)
