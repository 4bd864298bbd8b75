from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from otel_parallelism.model import Caller
from otel_parallelism.source.changes.program_modules import function_at, program_module
from otel_parallelism.source.changes.tool_changes import may_change_something
from otel_parallelism.source.functions import SourceFile

if TYPE_CHECKING:
    from otel_parallelism.model import CallFrame

CHANGING = {
    "a function of another module": {
        "tools": "import store\ndef get_x(a):\n    store.select(a)",
        "store": "def select(a):\n    global CHOSEN\n    CHOSEN = a",
    },
    "a function by its own name": {
        "tools": "from store import select as choose\ndef get_x(a):\n    choose(a)",
        "store": "def select(a):\n    CHOSEN.append(a)",
    },
    "a method of an object": {
        "tools": "from client import client\nasync def get_x(a):\n    return await client.request(a)",
        "client": "class Client:\n    async def request(self, a):\n        self.count += 1\nclient = Client()",
    },
    "a method of a base class": {
        "tools": "from mixins import Audited\nclass Tools(Audited):\n    def get_x(self, a):\n        self.audit(a)",
        "mixins": "class Audited:\n    def audit(self, a):\n        self.log.append(a)",
    },
    "a block": {
        "tools": "import session\nasync def get_x(a):\n    async with session.opened() as one:\n        return one",
        "session": "async def opened():\n    async with LOCK:\n        yield 1",
    },
    "a decorator": {
        "tools": "from limits import limited\n@limited(1)\nasync def get_x(a): ...",
        "limits": "def limited(n):\n    def deco(f):\n        async def run(a):\n            async with LOCK:\n"
        "                return await f(a)\n        return run\n    return deco",
    },
    "what a package exports": {
        "tools": "from db import query\nasync def get_x(a):\n    return await query(a)",
        "db/__init__": "from .pool import query",
        "db/pool": "async def query(a):\n    CONNECTION.busy = True",
    },
    "a module of a package": {
        "tools": "from db import pool\nasync def get_x(a):\n    return await pool.query(a)",
        "db/__init__": "",
        "db/pool": "async def query(a):\n    CONNECTION.busy = True",
    },
    "two modules away": {
        "tools": "import client\nasync def get_x(a):\n    return await client.ask(a)",
        "client": "import limits\nasync def ask(a):\n    await limits.take(a)",
        "limits": "async def take(a):\n    await LOCK.acquire()",
    },
}
READING = {
    "a function of another module": {
        "tools": "import store\ndef get_x(a):\n    return store.select(a)",
        "store": "def select(a):\n    return ROWS[a]\ndef forget(a):\n    ROWS.clear()",
    },
    "an object that it makes": {
        "tools": "from query import Query\ndef get_x(a):\n    return Query(a)",
        "query": "class Query:\n    def __init__(self, a):\n        self.a = a",
    },
    "a library": {
        "tools": "import client\nasync def get_x(a):\n    return await client.ask(a)",
        "site-packages/client": "async def ask(a):\n    STATE[a] = 1",
    },
    "modules that import each other": {
        "tools": "import store\ndef get_x(a):\n    return store.select(a)",
        "store": "import tools\ndef select(a):\n    return tools.get_x(a)",
    },
}


def changes(files: dict[str, str], importer: str = "/srv/app/agent.py", text: str = "from tools import get_x") -> bool:
    """Return whether the tool ``get_x`` may change something, called from the file *importer* beside *files*."""
    program = {f"/srv/app/{name}.py": SourceFile(text) for name, text in files.items()}

    def sources(frame: CallFrame) -> SourceFile | None:
        return program.get(frame.file_path)

    return may_change_something("get_x", program_module(SourceFile(text), importer, sources))


@pytest.mark.parametrize("name", CHANGING)
def test_changes_are_followed_into_other_modules(name: str) -> None:
    assert changes(CHANGING[name])


@pytest.mark.parametrize("name", READING)
def test_reading_is_followed_into_other_modules(name: str) -> None:
    assert not changes(READING[name])


def test_tool_that_no_import_leads_to_is_known_by_its_place() -> None:
    text = "import store\n\n@tool\n@timed\nasync def get_x(a):\n    store.put(a)\n"
    files = {"/srv/tools.py": text, "/srv/store.py": "def put(a):\n    SEEN.append(a)"}
    program = {path: SourceFile(text) for path, text in files.items()}

    def sources(frame: CallFrame) -> SourceFile | None:
        return program.get(frame.file_path)

    runner = program_module(SourceFile("async def run(tool):\n    await tool(1)"), "/srv/runner.py", sources)
    assert not may_change_something("get_x", runner)
    place = function_at(Caller("/srv/tools.py", 3), sources)
    assert may_change_something("get_x", runner, defined=place)
    assert function_at(Caller("/srv/tools.py", 4), sources) is None
    assert function_at(Caller("/srv/site-packages/tools.py", 3), lambda _: program["/srv/tools.py"]) is None


def test_subclass_that_the_caller_imports_overrides_what_a_tool_calls() -> None:
    files = {
        "base": "class Base:\n    async def get_x(self, a):\n        return await self.load(a)",
        "impl": "from base import Base\nclass Impl(Base):\n    async def load(self, a):\n        SEEN.append(a)",
    }
    text = "from base import Base\nfrom impl import Impl"
    assert changes(files, text=text)
    assert not changes({**files, "impl": files["impl"].replace("load", "store")}, text=text)


def test_module_is_found_in_the_folders_around_its_importer() -> None:
    assert changes(CHANGING["a block"], "/srv/app/flows/daily/report.py")
    assert not changes(CHANGING["a block"], "/srv/app/a/b/c/d/e/report.py")


def test_tool_is_found_through_what_a_package_exports() -> None:
    files = {"tools/__init__": "from .web import get_x", "tools/web": "def get_x(a):\n    SEEN.append(a)"}
    assert changes(files)
    assert changes(files, text="import tools\ntools.get_x(1)")
