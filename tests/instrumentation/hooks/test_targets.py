from __future__ import annotations

import asyncio
import importlib
import logging
import subprocess
import sys
from types import FunctionType
from typing import TYPE_CHECKING, Any

import pytest
import wrapt

from otel_parallelism import agent_turn
from otel_parallelism.instrumentation.hooks.targets import TARGETS, stale_references
from otel_parallelism.instrumentation.instrumentor import ParallelismInstrumentor
from otel_parallelism.tracing import shield

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from otel_parallelism.instrumentation.hooks.patching import Patching
    from tests.conftest import Kit

MODULE = """
import asyncio
from asyncio import sleep

async def fetch_page(url):
    await asyncio.sleep(0.02)
    return url

async def fetch_feed(url):
    return url

def parse(text):
    return text

async def _hidden():
    return None

class Client:
    async def fetch_user(self, name):
        return name
    @staticmethod
    async def fetch_all():
        return []
    def close(self):
        return None

class Other:
    async def fetch_user(self, name):
        return name
"""


@pytest.fixture
def tools(write: Callable[[str, str], None]) -> str:
    write("myapp.tools", MODULE)
    write("myapp.more.tools", MODULE)
    return "myapp.tools"


def places() -> list[str]:
    return sorted(one.place.removeprefix("myapp.") for one in TARGETS.wrapped)


@pytest.mark.parametrize(
    ("specification", "sync", "expected"),
    [
        ("myapp.tools:*", False, ["tools.fetch_feed", "tools.fetch_page"]),
        ("myapp.tools:*", True, ["tools.fetch_feed", "tools.fetch_page", "tools.parse"]),
        ("myapp.tools:Client.fetch_*", False, ["tools.Client.fetch_all", "tools.Client.fetch_user"]),
        ("myapp.tools:*.fetch_user", False, ["tools.Client.fetch_user", "tools.Other.fetch_user"]),
        ("myapp.tools:parse", False, ["tools.parse"]),
        ("myapp.tools:_hidden", False, ["tools._hidden"]),
        ("myapp.*:fetch_page", False, ["more.tools.fetch_page", "tools.fetch_page"]),
    ],
)
@pytest.mark.parametrize("imported", [True, False], ids=["imported before", "imported after"])
def test_specification_selects_functions(  # noqa: PLR0917 - a table
    tools: str, patching: Patching, specification: str, sync: bool, expected: list[str], imported: bool
) -> None:
    if imported:
        importlib.import_module(tools)
        importlib.import_module("myapp.more.tools")
    TARGETS.start([specification], sync=sync)
    importlib.import_module(tools)
    importlib.import_module("myapp.more.tools")
    assert places() == expected


async def test_call_of_a_target_belongs_to_the_turn(kit: Kit, tools: str, patching: Patching) -> None:
    TARGETS.start(["myapp.tools:fetch_page", "myapp.tools:Client.*"], sync=False)
    module = importlib.import_module(tools)
    with agent_turn("clerk") as turn:
        assert await module.fetch_page("a") == "a"
        assert await module.Client().fetch_user("b") == "b"
        assert await module.Client.fetch_all() == []
    assert turn.report is not None
    assert [call.tool for call in turn.report.turn.calls] == ["fetch_page", "fetch_user", "fetch_all"]


REFUSING = """
class Refuses(type):
    def __setattr__(cls, name, value):
        raise AttributeError(name)

class First:
    async def fetch(self):
        return 1

class Guarded(metaclass=Refuses):
    async def fetch(self):
        return 2

class Last:
    async def fetch(self):
        return 3
"""


async def test_a_class_that_refuses_a_change_keeps_no_other_from_it(
    kit: Kit, write: Callable[[str, str], None], patching: Patching
) -> None:
    write("myapp.guarded", REFUSING)
    TARGETS.start(["myapp.guarded:*.*"], sync=False)
    module = importlib.import_module("myapp.guarded")
    assert places() == ["guarded.First.fetch", "guarded.Last.fetch"]
    assert shield.internal_errors() == {"patching myapp.guarded.Guarded.fetch: AttributeError": 1}
    shield._counts.clear()
    assert [await kind().fetch() for kind in (module.First, module.Guarded, module.Last)] == [1, 2, 3]
    assert len(kit.calls()) == 2
    TARGETS.stop()
    patching.stop()
    assert {type(vars(kind)["fetch"]) for kind in (module.First, module.Guarded, module.Last)} == {FunctionType}


async def test_stop_restores_the_functions_and_disables_old_wrappers(kit: Kit, tools: str, patching: Patching) -> None:
    module = importlib.import_module(tools)
    before = module.fetch_page, vars(module.Client)["fetch_all"]
    TARGETS.start(["myapp.tools:*", "myapp.tools:Client.*"], sync=False)
    wrapped = module.fetch_page
    assert wrapped is not before[0]
    TARGETS.stop()
    patching.stop()
    assert module.fetch_page is before[0]
    assert vars(module.Client)["fetch_all"] is before[1]
    with agent_turn("clerk") as turn:
        assert await wrapped("a") == "a"
    assert turn.report is not None
    assert turn.report.calls == 0


@pytest.mark.parametrize("specification", ["myapp.tools", "myapp.tools:", ":x", "myapp tools:x", ""])
def test_malformed_specification_is_logged_and_ignored(
    patching: Patching, caplog: pytest.LogCaptureFixture, specification: str
) -> None:
    with caplog.at_level(logging.WARNING):
        TARGETS.start([specification], sync=False)
    assert TARGETS.malformed == [specification]
    assert "is not of the form module:function" in caplog.text


def test_unmatched_specification_is_logged(tools: str, patching: Patching, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        TARGETS.start(["myapp.tools:pars*"], sync=False)
        importlib.import_module(tools)
    assert TARGETS.unmatched == ["myapp.tools:pars*"]
    assert "matches no async function" in caplog.text


@pytest.mark.slow
def test_stale_references_are_found(tools: str, write: Callable[[str, str], None], patching: Patching) -> None:
    write(
        "myapp.main",
        """
        from myapp.tools import fetch_page
        from myapp import tools
        TOOLS = [tools.fetch_feed]
        BY_NAME = {"x": tools.fetch_feed}
        """,
    )
    importlib.import_module("myapp.main")
    TARGETS.start(["myapp.tools:*"], sync=False)
    assert [(one.place, one.target) for one in stale_references(TARGETS.wrapped)] == [
        ("myapp.main.BY_NAME", "myapp.tools.fetch_feed"),
        ("myapp.main.TOOLS", "myapp.tools.fetch_feed"),
        ("myapp.main.fetch_page", "myapp.tools.fetch_page"),
    ]


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "myapp").mkdir()
    (tmp_path / "myapp" / "tools.py").write_text(MODULE)
    (tmp_path / "agent.py").write_text(
        "import asyncio\nfrom otel_parallelism import agent_turn\nfrom myapp import tools\n"
        "async def main():\n    with agent_turn('clerk') as turn:\n        await tools.fetch_page('a')\n"
        "    print([call.tool for call in turn.report.turn.calls])\nasyncio.run(main())\n"
    )
    return tmp_path


@pytest.mark.process
@pytest.mark.parametrize("how", ["variable", "table"])
def test_environment_and_pyproject_name_targets(program: Path, how: str) -> None:
    environment = {"PATH": "/usr/bin:/bin"}
    if how == "variable":
        environment["OTEL_PARALLELISM_TARGETS"] = "myapp.tools:fetch_*"
    else:
        (program / "pyproject.toml").write_text('[tool.otel-parallelism]\ntargets = ["myapp.tools:fetch_*"]\n')
    command = [sys.executable, "-m", "otel_parallelism", "run", "--format", "json", "agent.py"]
    done = subprocess.run(  # noqa: S603 - our own
        command, cwd=program, env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[0] == "['fetch_page']"


async def test_instrument_accepts_targets(tools: str) -> None:
    instrumentor = ParallelismInstrumentor()
    instrumentor.instrument(targets=["myapp.tools:fetch_*"])
    module: Any = importlib.import_module(tools)
    with agent_turn("clerk") as turn:
        await asyncio.gather(module.fetch_page(1), module.fetch_feed(2))
    instrumentor.uninstrument()
    assert turn.report is not None
    assert turn.report.calls == 2


def test_a_call_has_one_span_where_others_wrapped_a_recorded_function(
    kit: Kit, tools: str, caplog: pytest.LogCaptureFixture
) -> None:
    module: Any = importlib.import_module(tools)
    instrumentor = ParallelismInstrumentor()
    instrumentor.instrument(tracer_provider=kit.provider, targets=[f"{tools}:fetch_feed"])
    wrapt.wrap_function_wrapper(module, "fetch_feed", lambda wrapped, _, args, kwargs: wrapped(*args, **kwargs))
    instrumentor.uninstrument()
    for specification in ("fetch_feed", "*"):
        instrumentor.instrument(tracer_provider=kit.provider, targets=[f"{tools}:{specification}"])
        try:
            kit.exporter.clear()
            with agent_turn("turn"):
                asyncio.run(module.fetch_feed("x"))
            assert [span.name for span in kit.calls()] == ["execute_tool fetch_feed"]
        finally:
            instrumentor.uninstrument()
    assert not [entry for entry in caplog.records if entry.levelno >= logging.WARNING and "target" in entry.message]
