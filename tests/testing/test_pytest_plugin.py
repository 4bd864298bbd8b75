"""The plugin as its users run it: pytest in a process of its own, with each runner of async tests."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

SPANS = Path(__file__).parents[1] / "fixtures" / "spans"
pytest_plugins = "pytester"
pytestmark = pytest.mark.process

AGENT = """
import asyncio
from otel_parallelism import agent_turn, profiled

@profiled(effect="read")
async def get_weather(city):
    await asyncio.sleep(0.03)
    return f"rain in {city}"

@profiled(effect="read")
async def get_news(city):
    await asyncio.sleep(0.03)
    return f"nothing new in {city}"

async def serial():
    with agent_turn("serial"):
        weather = await get_weather("Porto")
        news = await get_news("Braga")
        return weather, news

async def together():
    with agent_turn("together"):
        return await asyncio.gather(get_weather("Porto"), get_news("Braga"))
"""
MARKED = """
import asyncio
import pytest
from agent import get_news, serial, together

@pytest.mark.parallel
def test_serial():
    asyncio.run(serial())

@pytest.mark.parallel(min_efficiency=0.8)
def test_together():
    asyncio.run(together())

@pytest.mark.parallel(allow=["cause:code"])
def test_allowed():
    asyncio.run(serial())

@pytest.mark.parallel
def test_no_turn():
    pass

@pytest.mark.parallel
def test_call_outside_turns():
    asyncio.run(get_news("Braga"))

@pytest.mark.parallel(min_efficency=0.8)
def test_wrong_mark():
    raise AssertionError("it has run")

@pytest.mark.parallel
def test_own_failure():
    asyncio.run(serial())
    raise ValueError("of the test itself")

def test_fixture(parallelism):
    asyncio.run(together())
    assert parallelism.turn.calls == 2
    asyncio.run(serial())
    assert [turn.turn.name for turn in parallelism.turns] == ["together", "serial"]

def test_without():
    asyncio.run(serial())

def test_no_global_provider():
    from opentelemetry import trace
    assert isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider)
"""
ASYNC = """
import pytest
from agent import serial, together

{plugin}

@pytest.mark.parallel
async def test_serial():
    await serial()

@pytest.mark.parallel
async def test_together():
    await together()
"""
ANYIO = """
pytestmark = pytest.mark.anyio
@pytest.fixture
def anyio_backend():
    return "asyncio"
"""


@pytest.fixture
def run(pytester: pytest.Pytester) -> pytest.Pytester:
    pytester.makepyfile(agent=AGENT)
    return pytester


def test_marks_and_fixture(run: pytest.Pytester) -> None:
    run.makepyfile(test_trip=MARKED)
    done = run.runpytest_subprocess("-rA", "-p", "no:asyncio", "-p", "no:anyio", "--parallelism-json", "out.json")
    done.assert_outcomes(passed=5, failed=4, errors=1)
    lines = done.stdout.str()
    assert re.search(r"serial: 0\.0\d s could be saved, and 0\.00 s are allowed", lines)
    assert "→ Await get_weather and get_news together, with asyncio.gather or a TaskGroup at" in lines
    assert f"agent.py:{line_of('news = await')}." in lines
    assert "nothing to judge: no agent turn ended\n" in lines
    assert "nothing to judge: no agent turn ended; 1 tool call ran outside every turn" in lines
    assert (
        "@pytest.mark.parallel of test_trip.py::test_wrong_mark: Unexpected keyword argument 'min_efficency'" in lines
    )
    assert "it has run" not in lines
    assert "ValueError: of the test itself" in lines
    summary = lines.partition("slowest serial agent turns")[2]
    assert re.search(r"0\.0\d s avoidable  efficiency 0\.\d\d  test_trip.py::test_serial", summary)
    assert outcomes(run.path / "out.json") == {
        "test_serial": ("failed", ["serial"]),
        "test_together": ("passed", ["together"]),
        "test_allowed": ("passed", ["serial"]),
        "test_own_failure": ("failed", ["serial"]),
        "test_fixture": ("passed", ["together", "serial"]),
        "test_without": ("passed", ["serial"]),
    }


@pytest.mark.parametrize(
    ("plugin", "options"),
    [
        ("", ("-p", "no:anyio", "-o", "asyncio_mode=auto", "-o", "asyncio_default_fixture_loop_scope=function")),
        (ANYIO, ("-p", "no:asyncio")),
    ],
    ids=["asyncio", "anyio"],
)
def test_async_tests_in_other_processes(run: pytest.Pytester, plugin: str, options: tuple[str, ...]) -> None:
    if plugin == ANYIO:
        pytest.importorskip("anyio", reason="the loops group has anyio")
    run.makepyfile(test_trip=ASYNC.format(plugin=plugin))
    done = run.runpytest_subprocess("-n", "2", "--parallelism-report", *options)
    done.assert_outcomes(passed=1, failed=1)
    lines = done.stdout.str()
    shown = lines.partition("agent turns")[2].partition("slowest serial agent turns")
    assert re.search("Turn 1 · serial · (partly )?sequential", shown[0])
    assert "Turn 1 · together · parallel" in shown[0]
    assert "test_trip.py::test_serial" in shown[2].partition("short test summary")[0]


INSTANT = """
import asyncio
import anyio
from otel_parallelism import agent_turn, profiled

@profiled(effect="read", depends_on=[])
async def get_weather(city):
    return f"rain in {city}"

async def call_tool(city, into):
    into.append(await get_weather(city))

async def serial():
    with agent_turn("serial"):
        return [await get_weather(city) for city in ("Porto", "Braga")]

async def together():
    found = []
    with agent_turn("together"):
        async with anyio.create_task_group() as group:
            for city in ("Porto", "Braga"):
                group.start_soon(call_tool, city, found)

async def unknown():
    with agent_turn("unknown"):
        async with anyio.create_task_group() as group:
            group.start_soon(call_tool, "Porto", [])
            await anyio.sleep(0)
            return await get_weather("Braga")
"""
STRUCTURE = """
import pytest
from instant import serial, together, unknown
from otel_parallelism.testing import assert_parallel

{plugin}

@pytest.mark.parallel(structure=True)
async def test_serial():
    assert await serial()  # pytest rewrites it, and the source still counts

@pytest.mark.parallel(structure=True, min_efficiency=1)
async def test_together():
    await together()

@pytest.mark.parallel(structure=True)
async def test_unknown():
    await unknown()

async def test_fixture(parallelism):
    await together()
    assert_parallel(parallelism.turn, structure=True, min_efficiency=1)
    await unknown()
    assert_parallel(*parallelism.turns, structure=True)
    await serial()
    assert_parallel(parallelism.turns[2], structure=True)

@pytest.mark.parallel(structure="yes")
async def test_wrong_mark():
    raise AssertionError("it has run")
"""
BACKENDS = """
pytestmark = pytest.mark.anyio
@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    return request.param
"""


@pytest.mark.parametrize(
    ("plugin", "options"),
    [
        ("", ("-p", "no:anyio", "-o", "asyncio_mode=auto", "-o", "asyncio_default_fixture_loop_scope=function")),
        (BACKENDS, ("-p", "no:asyncio")),
    ],
    ids=["asyncio", "anyio"],
)
def test_structure(pytester: pytest.Pytester, plugin: str, options: tuple[str, ...]) -> None:
    pytest.importorskip("anyio", reason="the loops group has anyio")
    runs = 2 if plugin else 1
    pytester.makepyfile(instant=INSTANT, test_trip=STRUCTURE.format(plugin=plugin))
    done = pytester.runpytest_subprocess("-n", "2", "-W", "error", "--parallelism-json", "out.json", *options)
    done.assert_outcomes(passed=2 * runs, failed=2 * runs, errors=runs)
    lines = done.stdout.str()
    assert lines.count("serial: it takes as long as 2 calls, and 1 would do") >= 2 * runs
    assert re.search(r"→ Await get_weather ×2 together, .* at\s+instant\.py:14", lines)
    assert "structure=True: every call counts as one second" in lines
    assert "structure='yes': expected True or False" in lines
    assert "def assert_parallel(" not in lines  # the traceback ends in the test
    why = "it is not known whether the program asked for these together: get_weather and get_weather"
    unjudged = lines.partition("agent turns that were not judged")[2]
    for test in ("test_unknown", "test_fixture"):
        # With trio, chance decides which of two tasks goes on first.
        assert re.search(rf"::{test}(\[asyncio\])?: unknown was not judged: {why}", unjudged)
    summary = lines.partition("slowest serial agent turns")[2]
    assert re.search(r"  1 call avoidable  efficiency 0\.50  test_trip.py::test_serial", summary)
    turns = json.loads((pytester.path / "out.json").read_text(encoding="utf-8"))["turns"]
    judged = {(one["test"].partition("::")[2].partition("[")[0], one["structure"]) for one in turns}
    by_structure = {(f"test_{name}", True) for name in ("serial", "together", "unknown")}
    assert judged == by_structure | {("test_fixture", False)}
    lengths = {one["report"]["turns"][0]["makespan"] for one in turns if "::test_serial" in one["test"]}
    assert lengths == {2.0}


REPLAYED = """
import json
import os

import urllib3
from otel_parallelism import agent_turn, profiled, run_tools

@profiled(effect="read", depends_on=[])
async def get_weather(city):
    return f"rain in {city}"

@profiled(effect="read", depends_on=[])
async def get_stock(symbol):
    return f"{symbol} falls"

@profiled(effect="read", depends_on=[])
async def get_news(topic):
    return f"nothing new about {topic}"

TOOLS = {"get_weather": get_weather, "get_stock": get_stock, "get_news": get_news}

def ask(messages):
    with urllib3.PoolManager() as pool:
        url = os.environ["OPENAI_BASE_URL"] + "/chat/completions"
        answer = pool.request("POST", url, json={"model": "m", "messages": messages}).json()
    if "error" in answer:
        raise RuntimeError(answer["error"]["message"])
    return answer["choices"][0]["message"]

async def agent(question, *, together, rounds=2):
    messages = [{"role": "user", "content": question}]
    with agent_turn("trip"):
        for _ in range(rounds):
            message = ask(messages)
            messages.append(message)
            if together:
                messages += await run_tools(message, TOOLS)
                continue
            for call in message.get("tool_calls", []):
                arguments = json.loads(call["function"]["arguments"])
                content = await TOOLS[call["function"]["name"]](**arguments)
                messages.append({"role": "tool", "tool_call_id": call["id"], "content": content})
    return messages[-1]["content"]
"""
REPLAYING = """
import asyncio
import pytest
from agent import agent

QUESTION = "All at once: the weather in Oslo, the price of ACME and the news about robots."

@pytest.mark.parallel(structure=True, min_efficiency=1)
async def test_together(parallelism):
    with parallelism.replay("turn.jsonl") as replayed:
        assert await agent(QUESTION, together=True) == "Here is all that you asked for."
    assert [message["role"] for message in replayed.requests[1]["messages"]].count("tool") == 3

@pytest.mark.parallel(structure=True)
async def test_one_by_one(parallelism):
    with parallelism.replay("turn.jsonl"):
        await agent(QUESTION, together=False)

async def test_too_many(parallelism):
    with parallelism.replay("turn.jsonl"):
        await agent(QUESTION, together=True, rounds=11)

async def test_no_content(parallelism):
    with parallelism.replay("empty.jsonl"):
        raise AssertionError("it has run")
"""


def test_replay(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(agent=REPLAYED)
    folder = pytester.mkpydir("tests")
    (folder / "test_agent.py").write_text(REPLAYING, encoding="utf-8")
    for name, source in (("turn", "pydantic_ai-native"), ("empty", "agent_framework-native")):
        (folder / f"{name}.jsonl").write_bytes((SPANS / f"{source}.jsonl").read_bytes())
    options = ("-p", "no:anyio", "-o", "asyncio_mode=auto", "-o", "asyncio_default_fixture_loop_scope=function")
    done = pytester.runpytest_subprocess("-n", "2", "-W", "error", "-o", "pythonpath=.", *options)
    done.assert_outcomes(passed=1, failed=3)
    lines = done.stdout.str()
    assert "trip: it takes as long as 3 calls, and 1 would do" in lines
    place = next(at for at, text in enumerate(REPLAYED.strip().splitlines(), 1) if "for call in" in text)
    assert re.search(rf"→ Await get_weather, get_stock and get_news together, [^→]*agent\.py:{place}\.", lines)
    assert re.search(r"RuntimeError: \S+turn\.jsonl has 10 model responses, and the program asked for 11", lines)
    assert re.search(r"empty\.jsonl: the responses to 10 of its 10 model requests were not captured; expected", lines)
    assert "it has run" not in re.sub(r"raise .*", "", lines)


KINDS = """
import asyncio
import unittest
import pytest
from instant import serial, together
from otel_parallelism import agent_turn, profiled

class Unit(unittest.IsolatedAsyncioTestCase):
    @pytest.mark.parallel(structure=True)
    async def test_serial_unit(self):
        await serial()

    @pytest.mark.parallel(structure=True)
    async def test_together_unit(self):
        await together()

    @pytest.mark.parallel(structure=True)
    async def test_own_unit(self):
        await serial()
        self.assertEqual("of the test", "itself")

@pytest.mark.parallel(structure=True)
class TestPlain:
    @pytest.mark.parametrize("agent", [serial, together])
    def test_class(self, agent):
        asyncio.run(agent())

    @pytest.mark.asyncio
    async def test_strict(self):
        await serial()

@pytest.fixture
def agent():
    asyncio.run(serial())

@pytest.mark.parallel(structure=True)
def test_turn_of_fixture(agent):
    pass

@profiled(effect="read")
async def look(key):
    return key

@pytest.mark.parallel(structure=True)
def test_source_with_assertions():
    async def agent():
        with agent_turn("asserting"):
            found = [await look(key) for key in "ab"]
            assert found == ["a", "b"]
    asyncio.run(agent())
"""


def test_tests_of_every_kind(pytester: pytest.Pytester) -> None:
    pytest.importorskip("anyio", reason="the loops group has anyio")
    pytester.makepyfile(instant=INSTANT, test_kinds=KINDS)
    options = ("-p", "no:anyio", "-o", "asyncio_mode=strict", "-o", "asyncio_default_fixture_loop_scope=function")
    done = pytester.runpytest_subprocess("-W", "error", *options)
    done.assert_outcomes(passed=2, failed=6)
    lines = done.stdout.str()
    assert "asserting: it takes as long as 2 calls, and 1 would do\n" in lines
    assert lines.count("serial: it takes as long as 2 calls, and 1 would do\n") == 4
    assert "AssertionError: 'of the test' != 'itself'" in lines


def test_plugin_imports_nothing_that_other_tests_do_not_need(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import sys

        def test_modules():
            assert "otel_parallelism.testing.pytest_plugin" in sys.modules
            parts = ("instrumentation", "reports", "testing.captured_turns", "testing.replaying")
            assert not {f"otel_parallelism.{part}" for part in parts} & set(sys.modules)

        def test_names():
            from otel_parallelism import testing
            assert {name for name in testing.__all__ if getattr(testing, name).__name__ == name} == set(testing.__all__)
            assert not hasattr(testing, "unknown")
        """
    )
    pytester.runpytest_subprocess("-p", "no:asyncio", "-p", "no:anyio").assert_outcomes(passed=2)


def test_file_that_cannot_be_written(run: pytest.Pytester) -> None:
    run.makepyfile(test_trip=MARKED)
    done = run.runpytest_subprocess("--parallelism-json", "nowhere/out.json")
    assert done.ret == pytest.ExitCode.USAGE_ERROR
    done.stderr.fnmatch_lines(["ERROR: --parallelism-json nowhere/out.json: No such file or directory"])


def line_of(text: str) -> int:
    """Return the number of the line of `AGENT` that contains *text*; pytester leaves out the empty line before it."""
    lines = AGENT.strip().splitlines()
    return 1 + next(number for number, line in enumerate(lines) if text in line)


def outcomes(file: Path) -> dict[str, tuple[str, list[str]]]:
    """Return the outcome of each test and the names of its turns."""
    found: dict[str, tuple[str, list[str]]] = {}
    for entry in json.loads(file.read_text(encoding="utf-8"))["turns"]:
        _, turns = found.setdefault(entry["test"].partition("::")[2], (entry["outcome"], []))
        turns.extend(turn["name"] for turn in entry["report"]["turns"])
    return found
