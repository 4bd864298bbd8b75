from __future__ import annotations

import asyncio
import dataclasses
import datetime as dt
import json
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_parallelism import clock, profiled, run_tools
from tests.execution.conftest import each_loop, run_in

if TYPE_CHECKING:
    from tests.execution.conftest import Near, Run


async def get_weather(city: str) -> str:
    await asyncio.sleep(0.02)
    return f"Sunny in {city}"


def get_time(zone: str = "UTC") -> dict[str, Any]:
    return {"zone": zone, "hour": 12}


async def fail(reason: str) -> None:
    raise LookupError(reason)


TOOLS = [get_weather, get_time, fail]

WANTED = [
    ("a", "get_weather", {"city": "Porto"}),
    ("b", "fail", {"reason": "no such city"}),
    ("c", "get_time", {}),
    ("d", "get_wether", {"city": "Faro"}),
    ("e", "get_weather", {"town": "Faro"}),
]
CONTENTS = [
    ("Sunny in Porto", False),
    ("LookupError: no such city", True),
    ('{"zone":"UTC","hour":12}', False),
    ("Error: there is no tool 'get_wether'; there are get_weather, get_time, fail", True),
    ("TypeError: get_weather() got an unexpected keyword argument 'town'", True),
]


def thing(value: Any) -> Any:
    """*value* as a client's objects: attributes instead of keys, lists as lists; arguments stay as they are."""
    if isinstance(value, dict):
        return SimpleNamespace(
            **{key: inner if key in {"input", "arguments"} else thing(inner) for key, inner in value.items()}
        )
    return [thing(part) for part in value] if isinstance(value, list) else value


def anthropic_blocks() -> list[dict[str, Any]]:
    asked = [{"type": "tool_use", "id": call_id, "name": name, "input": given} for call_id, name, given in WANTED]
    server = {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}}
    return [{"type": "thinking", "thinking": "…"}, {"type": "text", "text": "Let me look."}, server, *asked]


def chat_calls() -> list[dict[str, Any]]:
    return [
        {"id": call_id, "type": "function", "function": {"name": name, "arguments": json.dumps(given)}}
        for call_id, name, given in WANTED
    ]


def responses_items() -> list[dict[str, Any]]:
    asked = [
        {
            "type": "function_call",
            "id": f"fc_{call_id}",
            "call_id": call_id,
            "name": name,
            "arguments": json.dumps(given),
        }
        for call_id, name, given in WANTED
    ]
    return [{"type": "reasoning", "id": "r", "summary": []}, *asked, {"type": "message", "role": "assistant"}]


def plain_calls() -> list[dict[str, Any]]:
    return [{"id": call_id, "name": name, "arguments": given} for call_id, name, given in WANTED]


ANTHROPIC = [
    {
        "role": "user",
        "content": [
            {"type": "tool_result", "tool_use_id": call_id, "content": content, "is_error": is_error}
            for (call_id, _, _), (content, is_error) in zip(WANTED, CONTENTS, strict=True)
        ],
    }
]
CHAT = [
    {"role": "tool", "tool_call_id": call_id, "content": content}
    for (call_id, _, _), (content, _) in zip(WANTED, CONTENTS, strict=True)
]
RESPONSES = [
    {"type": "function_call_output", "call_id": call_id, "output": content}
    for (call_id, _, _), (content, _) in zip(WANTED, CONTENTS, strict=True)
]
PLAIN = [
    {"id": call_id, "name": name, "content": content, "is_error": is_error}
    for (call_id, name, _), (content, is_error) in zip(WANTED, CONTENTS, strict=True)
]


@pytest.mark.parametrize("form", ["dicts", "objects"])
@pytest.mark.parametrize(
    ("response", "expected"),
    [
        (anthropic_blocks(), ANTHROPIC),
        ({"role": "assistant", "content": anthropic_blocks()}, ANTHROPIC),
        (chat_calls(), CHAT),
        ({"role": "assistant", "content": None, "tool_calls": chat_calls()}, CHAT),
        ({"choices": [{"message": {"role": "assistant", "tool_calls": chat_calls()}}]}, CHAT),
        (responses_items(), RESPONSES),
        ({"output": responses_items()}, RESPONSES),
        (plain_calls(), PLAIN),
    ],
    ids=["blocks", "message", "tool_calls", "chat-message", "completion", "items", "response", "plain"],
)
def test_results_have_the_form_of_the_response(run: Run, response: Any, expected: Any, form: str) -> None:
    async def main() -> Any:
        return await run_tools(response if form == "dicts" else thing(response), TOOLS)

    assert run(main) == expected


@pytest.mark.parametrize(
    "response",
    [
        [],
        {"role": "assistant", "content": "Just words."},
        {"role": "assistant", "content": [{"type": "text", "text": "Just words."}]},
        {"role": "assistant", "content": "Just words.", "tool_calls": None},
        {"output": []},
        thing({"role": "assistant", "content": None, "tool_calls": None}),
        {"choices": [{"message": {"role": "assistant", "content": "Just words."}}]},
    ],
)
def test_response_without_tool_calls_gives_no_messages(run: Run, response: Any) -> None:
    async def main() -> Any:
        return await run_tools(response, TOOLS)

    assert run(main) == []


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ('{"city": "Por', "Error: the arguments are not valid JSON"),
        ('["Porto"]', "Error: the arguments are not a JSON object but list"),
        ("null", None),
        ("", None),
        (None, None),
    ],
)
def test_bad_arguments_are_an_error_result(run: Run, given: Any, told: str | None) -> None:
    async def main() -> Any:
        return await run_tools([{"id": "a", "name": "get_time", "arguments": given}], TOOLS)

    (result,) = run(main)
    assert result["id"] == "a"
    assert result["is_error"] is (told is not None)
    assert result["content"].startswith(told or '{"zone":"UTC"')


def test_free_text_tools(run: Run) -> None:
    async def shell(command: str) -> str:
        return command.upper()

    custom = {"id": "a", "type": "custom", "custom": {"name": "shell", "input": "ls -l"}}
    item = {"type": "custom_tool_call", "call_id": "a", "name": "shell", "input": "ls -l"}

    async def main() -> Any:
        return await run_tools([custom], [shell]), await run_tools([item], [shell])

    assert run(main) == (
        [{"role": "tool", "tool_call_id": "a", "content": "LS -L"}],
        [{"type": "custom_tool_call_output", "call_id": "a", "output": "LS -L"}],
    )


@dataclasses.dataclass
class Flight:
    number: str
    day: dt.date


class Model:
    def model_dump(self, mode: str) -> dict[str, str]:
        return {"mode": mode}


class Odd:
    def __str__(self) -> str:  # noqa: D105 - what it prints as
        return "odd"


@pytest.mark.parametrize(
    ("value", "content"),
    [
        (None, ""),
        (7, "7"),
        ([1, "ü"], '[1,"ü"]'),
        ({"a": {1}}, '{"a":[1]}'),
        (Flight("TP 1", dt.date(2026, 5, 1)), '{"number":"TP 1","day":"2026-05-01"}'),
        (Model(), '{"mode":"json"}'),
        (Odd(), '"odd"'),
        ([{"type": "text", "text": "hi"}], [{"type": "text", "text": "hi"}]),
        ([{"type": "flight", "text": "hi"}], '[{"type":"flight","text":"hi"}]'),
    ],
)
def test_results_become_content(run: Run, value: Any, content: Any) -> None:
    async def get() -> Any:
        return value

    async def main() -> Any:
        return await run_tools([{"type": "tool_use", "id": "a", "name": "get", "input": {}}], [get])

    assert run(main)[0]["content"] == [
        {"type": "tool_result", "tool_use_id": "a", "content": content, "is_error": False}
    ]


def test_a_result_that_cannot_be_written_is_an_error_result(run: Run) -> None:
    async def get() -> Any:
        loop: list[Any] = []
        loop.append(loop)
        return loop

    async def main() -> Any:
        return await run_tools([{"id": "a", "name": "get", "arguments": {}}], [get])

    assert run(main)[0]["is_error"] is True


# What goes wrong: each test below is a cell of the table in docs/fixing.md


def test_error_is_a_result_and_the_others_go_on(run: Run) -> None:
    async def main() -> Any:
        return await run_tools(plain_calls(), TOOLS)

    assert [(result["content"], result["is_error"]) for result in run(main)] == CONTENTS


def test_timeout_is_a_result_and_the_others_go_on(run: Run, near: Near) -> None:
    async def get_slow() -> None:
        await asyncio.sleep(10)

    def get_hung() -> None:
        time.sleep(0.5)

    calls = [{"id": name, "name": name, "arguments": {}} for name in ("get_slow", "get_time", "get_hung")]

    async def main() -> tuple[Any, float]:
        began = clock.monotonic_s()
        return await run_tools(calls, [get_slow, get_time, get_hung], timeout=0.1), clock.monotonic_s() - began

    results, took = run(main)
    assert [result["is_error"] for result in results] == [True, False, True]
    assert results[0]["content"] == "TimeoutError: get_slow took longer than 0.1 s"
    assert results[2]["content"] == "TimeoutError: get_hung took longer than 0.1 s"
    assert took == near(0.1)


def test_cancelled_outside_cancels_all_and_is_passed_on(run: Run) -> None:
    ended = []

    async def get_slow(number: int) -> None:
        try:
            await asyncio.sleep(10)
        finally:
            await asyncio.sleep(0.01)
            ended.append(number)

    calls = [{"id": str(number), "name": "get_slow", "arguments": {"number": number}} for number in range(3)]

    async def main() -> None:
        task = asyncio.create_task(run_tools(calls, [get_slow]))
        await asyncio.sleep(0.02)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert sorted(ended) == [0, 1, 2]

    run(main)


@pytest.mark.usefixtures("no_threads_left")
def test_cancelled_outside_waits_for_threads(run: Run) -> None:
    ended = []

    def get_slow() -> None:
        time.sleep(0.1)
        ended.append(True)

    async def main() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(run_tools([{"id": "a", "name": "get_slow", "arguments": {}}], [get_slow]), 0.02)
        assert ended == [True]

    run(main)


def test_cancelled_from_within_is_a_result(run: Run) -> None:
    async def get_away() -> None:
        raise asyncio.CancelledError

    async def main() -> Any:
        return await run_tools([{"id": "a", "name": "get_away", "arguments": {}}], [get_away])

    assert run(main) == [
        {
            "id": "a",
            "name": "get_away",
            "content": "CancelledCallError: get_away was cancelled from within",
            "is_error": True,
        }
    ]


# Order


class Log:
    """Tools that note when they start and end."""

    def __init__(self) -> None:
        self.events: list[tuple[str, str]] = []

    def tool(self, name: str) -> Any:
        async def note(key: str = "", pause: float = 0.01) -> None:
            self.events.append(("start", f"{name}{key}"))
            await asyncio.sleep(pause)
            self.events.append(("end", f"{name}{key}"))

        note.__name__ = name
        return note

    def overlapped(self, left: str, right: str) -> bool:
        start, end = self.events.index(("start", right)), self.events.index(("end", left))
        return start < end

    def in_order(self, left: str, right: str) -> bool:
        return not self.overlapped(left, right)


def calls_of(*wanted: str) -> list[dict[str, Any]]:
    """Calls written as ``tool`` or ``tool key``."""
    return [
        {
            "id": str(number),
            "name": text.split()[0],
            "arguments": {"key": key} if (key := text[len(text.split()[0]) + 1 :]) else {},
        }
        for number, text in enumerate(wanted)
    ]


def test_reads_run_together(run: Run) -> None:
    log = Log()

    async def main() -> None:
        await run_tools(calls_of("get_a", "get_b", "get_c"), [log.tool("get_a"), log.tool("get_b"), log.tool("get_c")])

    run(main)
    assert [kind for kind, _ in log.events] == ["start"] * 3 + ["end"] * 3


def test_writes_keep_their_order_among_one_another_and_against_reads(run: Run) -> None:
    log = Log()
    tools = [log.tool(name) for name in ("get_a", "set_b", "set_c", "get_d", "get_e")]

    async def main() -> None:
        await run_tools(calls_of("get_a", "set_b", "set_c", "get_d", "get_e"), tools)

    run(main)
    for left, right in (("get_a", "set_b"), ("set_b", "set_c"), ("set_c", "get_d"), ("set_c", "get_e")):
        assert log.in_order(left, right)
    assert log.overlapped("get_d", "get_e")


def test_writes_on_different_resources_run_together(run: Run) -> None:
    log = Log()

    async def main() -> None:
        def row(key: str, pause: float = 0) -> str:
            return f"row {key}"

        calls = calls_of("set_row 1", "set_row 2", "get_row 1")
        calls[1]["arguments"]["pause"] = 0.05
        tools = [log.tool("set_row"), log.tool("get_row")]
        await run_tools(calls, tools, resources={"set_row": row, "get_row": row})

    run(main)
    assert log.overlapped("set_row1", "set_row2")
    assert log.in_order("set_row1", "get_row1")
    assert log.overlapped("set_row2", "get_row1")


def test_effect_is_given_else_declared_else_assumed_from_name(run: Run) -> None:
    log = Log()
    tools = {"frob": log.tool("frob"), "set_x": profiled(effect="read")(log.tool("set_x")), "get_y": log.tool("get_y")}

    async def order(**effects: Any) -> Log:
        log.events.clear()
        await run_tools(calls_of("frob", "set_x", "get_y"), tools, effects=effects)
        return log

    async def main() -> None:
        found = await order()
        assert found.overlapped("frob", "set_x")
        assert found.overlapped("set_x", "get_y")
        found = await order(frob="write", set_x="write")
        assert found.in_order("frob", "set_x")
        assert found.in_order("set_x", "get_y")
        found = await order(**{"set_*": "write", "*": "read"})
        assert found.overlapped("frob", "get_y") is False
        assert found.in_order("frob", "set_x")

    run(main)


def test_a_declared_dependence_keeps_the_order(run: Run) -> None:
    log = Log()
    later = profiled(effect="read", depends_on=["get_a"])(log.tool("get_b"))

    async def main() -> None:
        await run_tools(calls_of("get_a", "get_b"), [log.tool("get_a"), later])

    run(main)
    assert log.in_order("get_a", "get_b")


def test_a_call_runs_also_after_one_that_failed(run: Run) -> None:
    async def set_bad() -> None:
        raise OSError

    async def set_good() -> str:
        return "done"

    async def main() -> Any:
        return await run_tools(calls_of("set_bad", "set_good"), [set_bad, set_good])

    assert [result["is_error"] for result in run(main)] == [True, False]


def test_the_limit_is_kept_and_waiting_for_another_call_takes_no_place(run: Run) -> None:
    log = Log()
    tools = [log.tool(name) for name in ("set_a", "set_b", "get_c")]

    async def main() -> None:
        # set_b waits for set_a; it must not hold a place that get_c could use.
        await run_tools(calls_of("set_a 1", "set_b 1", "get_c 2"), tools, limit=2, resources={
            "set_a": lambda key: key, "set_b": lambda key: key, "get_c": lambda key: key,
        })  # fmt: skip

    run(main)
    assert log.overlapped("set_a1", "get_c2")
    assert log.in_order("set_a1", "set_b1")


@each_loop
@given(
    wanted=st.lists(
        st.tuples(st.sampled_from(["get", "set", "frob", "nope"]), st.sampled_from(["", "x", "y"]), st.integers(0, 3)),
        max_size=12,
    ),
    limit=st.none() | st.integers(1, 4),
)
def test_any_round_gives_one_result_a_call_and_keeps_conflicts_apart(  # noqa: C901 - one run, all that must hold of it
    wanted: list[tuple[str, str, int]], limit: int | None, loop: str
) -> None:
    spans: dict[int, list[int]] = {}
    ticks = 0

    def tick() -> int:
        nonlocal ticks
        ticks += 1
        return ticks

    async def tool(number: int, pauses: int, resource: str) -> int:
        spans[number] = [tick()]
        for _ in range(pauses):
            await asyncio.sleep(0)
        spans[number].append(tick())
        if pauses == 3:
            raise LookupError(number)
        return number

    calls = [
        {"id": str(number), "name": name, "arguments": {"number": number, "pauses": pauses, "resource": resource}}
        for number, (name, resource, pauses) in enumerate(wanted)
    ]

    async def main() -> Any:
        def key(number: int, pauses: int, resource: str) -> str:
            return resource

        tools = dict.fromkeys(("get", "set", "frob"), tool)
        return await run_tools(calls, tools, limit=limit, resources=dict.fromkeys(tools, key), spans=False)

    results = run_in(loop, main)
    assert [result["id"] for result in results] == [call["id"] for call in calls]
    assert [result["is_error"] for result in results] == [name == "nope" or pauses == 3 for name, _, pauses in wanted]
    for later, (name, resource, _) in enumerate(wanted):
        for earlier, (name_before, resource_before, _) in enumerate(wanted[:later]):
            if "nope" in (name, name_before):
                continue
            if resource and resource_before:
                conflict = resource == resource_before and not name == name_before == "get"
            else:
                conflict = "set" in (name, name_before)
            assert not conflict or spans[earlier][1] < spans[later][0]
    edges = sorted([(start, 1) for start, _ in spans.values()] + [(end, -1) for _, end in spans.values()])
    most = running = 0
    for _, change in edges:
        running += change
        most = max(most, running)
    assert limit is None or most <= limit


class WeatherTool:
    """A tool object, as clients' and frameworks' decorators make them."""

    name = "get_weather"

    async def coroutine(self, city: str) -> str:
        return f"Fog in {city}"


def test_tool_objects(run: Run) -> None:
    async def main() -> Any:
        return await run_tools(plain_calls()[:1], [WeatherTool()])

    assert run(main)[0]["content"] == "Fog in Porto"


def test_a_resource_that_cannot_be_computed_counts_as_not_declared(run: Run) -> None:
    log = Log()

    def key_of(key: str) -> str:
        return key.removeprefix("k")

    async def main() -> Any:
        tools = [log.tool("set_row"), log.tool("get_row")]
        return await run_tools(
            calls_of("set_row k1", "get_row"), tools, resources={"set_row": key_of, "get_row": key_of}
        )

    assert [result["is_error"] for result in run(main)] == [False, False]
    assert log.in_order("set_rowk1", "get_row")


# What is refused


def test_invalid_responses_are_refused(run: Run) -> None:
    async def main() -> None:
        with pytest.raises(TypeError, match="neither tool calls nor a message that could contain some: int"):
            await run_tools(7, TOOLS)
        with pytest.raises(TypeError, match="neither tool calls nor a message"):
            await run_tools("get_weather", TOOLS)
        with pytest.raises(TypeError, match="not a tool call: dict"):
            await run_tools([{"id": "a"}], TOOLS)
        with pytest.raises(ValueError, match="two forms in one response: anthropic and plain"):
            await run_tools([*anthropic_blocks(), *plain_calls()], TOOLS)

    run(main)


def test_wrong_tools_and_options_are_refused(run: Run) -> None:
    wrong: Any = {"get": 7}
    effects: Any = {"get": "reads"}

    async def main() -> None:
        with pytest.raises(TypeError, match="a tool must be callable, not int"):
            await run_tools([], wrong)
        with pytest.raises(ValueError, match="two tools are named 'get_time'"):
            await run_tools([], [get_time, get_time])
        with pytest.raises(ValueError, match="effects\\['get'\\] must be"):
            await run_tools([], TOOLS, effects=effects)
        with pytest.raises(ValueError, match="limit="):
            await run_tools([], TOOLS, limit=0)
        with pytest.raises(ValueError, match="timeout="):
            await run_tools([], TOOLS, timeout=-1)

    run(main)


@pytest.mark.parametrize("wrong", [len, "search", 3])
async def test_anything_but_a_list_or_a_dict_of_tools_is_refused(wrong: Any) -> None:
    with pytest.raises(TypeError, match="tools must be a list or a dict of functions, not"):
        await run_tools([], wrong)
