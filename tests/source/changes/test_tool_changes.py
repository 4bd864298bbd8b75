from __future__ import annotations

import pytest

from otel_parallelism.analysis.dependencies.effects.shell_commands import shell_effect
from otel_parallelism.source.changes.program_modules import ProgramModule
from otel_parallelism.source.changes.tool_changes import may_change_something
from otel_parallelism.source.functions import SourceFile

CHANGING = {
    "an attribute": "async def get_x(self):\n    self.token = 1",
    "an item of a global": "CACHE = {}\nasync def get_x(key):\n    CACHE[key] = 1",
    "an item of an argument": "async def get_x(context):\n    context['seen'] = True",
    "an alias that grows": "SEEN = []\nasync def get_x(key):\n    found = SEEN\n    found += [key]",
    "an item of what a call returns": "def table():\n    return T\nasync def get_x(key):\n    table()[key] = 1",
    "an alias": "CACHE = {}\nasync def get_x(key):\n    cache = CACHE\n    cache.update(a=1)",
    "a global": "LAST = 0\nasync def get_x():\n    global LAST\n    LAST = 1",
    "a free variable": "def make(state):\n    async def get_x(key):\n        state.append(key)",
    "the next item": "COUNT = make()\nasync def get_x():\n    return next(COUNT)",
    "a context": "TENANT = make()\nasync def get_x(name):\n    TENANT.set(name)",
    "a file": "async def get_x(path):\n    with open(path, 'w') as file:\n        print(1, file=file)",
    "a table": "DB = make()\nasync def get_x(key):\n    DB.execute('insert into seen values (?)', [key])",
    "a limit": "async def get_x():\n    async with rate_limit():\n        return 1",
    "a lock": "LOCK = make()\nasync def get_x():\n    async with LOCK:\n        return 1",
    "an event": "READY = make()\nasync def get_x():\n    await READY.wait()",
    "an event that is set": "READY = make()\nasync def get_x():\n    READY.set()",
    "a condition": "async def get_x(self):\n    self.changed.notify_all()",
    "a queue": "QUEUE = make()\nasync def get_x():\n    return await QUEUE.get()",
    "a queue that is filled": "QUEUE = make()\nasync def get_x(a):\n    QUEUE.put_nowait(a)",
    "through a function": "def enter(path):\n    os.chdir(path)\nasync def get_x(path):\n    enter(path)",
    "through a method": "class S:\n    def bump(cls):\n        cls.n += 1\nasync def get_x():\n    S.bump()",
    "a command": "import subprocess\nasync def get_x(a):\n    return subprocess.run(['make', a]).stdout",
    "a command of any length": "import subprocess as sp\nasync def get_x(a):\n    return sp.check_output(['git', *a])",
    "a command with any subcommand": "import subprocess\ndef get_x(a):\n    return subprocess.run(['git', a])",
    "a command in a variable": "from subprocess import run\ndef get_x(command):\n    return run(command, shell=True)",
    "a command of the shell": "import os\nasync def get_x():\n    return os.system('make build')",
    "a command in a thread": "async def get_x():\n    await asyncio.to_thread(subprocess.run, ['make', 'x'])",
    "a command of a function in a thread": "def f():\n    os.system('x')\ndef get_x():\n    return to_thread(f)",
    "a command that is awaited": "async def get_x():\n    await asyncio.create_subprocess_exec('make', 'x')",
    "a command one call deep": "def sh(text):\n    os.popen(text)\nasync def get_x():\n    return sh('ls')",
    "a draw": "import random\nasync def get_x(a):\n    return random.randint(1, 6)",
    "an imported draw": "from random import choice as pick\nasync def get_x(a):\n    return pick([1, 2])",
    "a draw of numpy": "import numpy as np\nasync def get_x(a):\n    return np.random.normal()",
    "a draw of a module's generator": "RNG = random.Random(7)\nasync def get_x(a):\n    return RNG.choice(a)",
    "a draw of numpy's": "from numpy.random import default_rng\nG = default_rng(1)\ndef get_x():\n    G.integers(9)",
    "a draw of its object": "async def get_x(self):\n    return self._rng.random()",
    "the next bytes": "import os\nPIPE, _ = os.pipe()\nasync def get_x(a):\n    return os.read(PIPE, 2)",
    "the next bytes of an argument": "from os import read\nasync def get_x(fd):\n    return read(fd, 2)",
    "the next bytes of its object": "import os\nasync def get_x(self):\n    return os.read(self.fd, 2)",
    "another place in a file": "import os\nasync def get_x(at):\n    os.lseek(FD, at, 0)",
    "another name in a decorator": "@tool('get_x')\nasync def roll():\n    return random.random()",
    "another name by keyword": "@profiled(name='get_x')\nasync def roll():\n    return random.random()",
    "another name in a call": "def roll():\n    return random.random()\nTOOLS = [Tool(name='get_x', func=roll)]",
    "another name, decorated later": "def f():\n    return random.random()\ng = profiled(name='get_x')(f)",
    "another name in a dictionary": "def f():\n    return random.random()\nTOOLS = {**OTHERS, 'get_x': f}",
    "a listener": "SEEN = []\nasync def get_x(key):\n    for tell in SEEN:\n        tell(key)",
    "a listener by its name": "SEEN = {}\nasync def get_x(key):\n    SEEN[key](key)",
    "a listener with a default": "def emit(a):\n    for f in ON.get(a, []):\n        f(a)\ndef get_x(a):\n    emit(a)",
    "through a table": "def note(a):\n    LAST[0] = a\nDO = {'note': note}\nasync def get_x(a):\n    return DO[a](a)",
    "a property": "class S:\n    @property\n    def tag(self):\n        S.n += 1\ndef get_x(a):\n    return S0.tag",
    "a descriptor": "class D:\n    def __get__(self, one, kind):\n        D.n += 1\ndef get_x(a):\n    return API.tag",
    "a block": "class B:\n    def __enter__(self):\n        B.busy = True\ndef get_x():\n    with B():\n        ...",
    "a constructor": "class R:\n    def __init__(self):\n        SEEN.append(self)\ndef get_x():\n    return R()",
    "a decorator": "def one(f):\n    def g(a):\n        N[0] += 1\n        f(a)\n    return g\n@one\ndef get_x(a): ...",
    "a shelf": "import shelve\ndef get_x(a):\n    with shelve.open(PATH) as shelf:\n        shelf[a] = 1",
    "the locale": "import locale\ndef get_x(a):\n    locale.setlocale(locale.LC_ALL, a)",
    "a draw one call deep": "def roll():\n    return random.random()\nasync def get_x():\n    return roll()",
}
READING = {
    "its own objects": "async def get_x(key):\n    found = {}\n    found[key] = [1]\n    found[key].append(2)",
    "its own keywords": "async def get_x(**given):\n    given['page'] = 1\n    return given",
    "a client": "async def get_x(self, url):\n    async with self.client.get(url) as answer:\n        return answer",
    "a reading shelf": "def get_x(a):\n    with shelve.open(PATH, flag='r') as shelf:\n        return shelf[a]",
    "a reading file": "async def get_x(path):\n    with open(path, 'r') as file:\n        return file.read()",
    "a reading query": "DB = make()\nasync def get_x(key):\n    return DB.execute('SELECT a FROM seen')",
    "an item of a global": "TABLE = {}\nasync def get_x(key):\n    return TABLE[key].rows",
    "a reading command": "async def get_x():\n    return subprocess.run(['git', 'log', '-5'], check=True).stdout",
    "a reading command for an argument": "async def get_x(a):\n    return subprocess.check_output(['git', 'show', a])",
    "a reading command that is awaited": "async def get_x(a):\n    await asyncio.create_subprocess_exec('cat', a)",
    "a reading command in a thread": "async def get_x():\n    await asyncio.to_thread(subprocess.run, ['df', '-h'])",
    "a draw of how long to wait": "async def get_x():\n    await asyncio.sleep(random.uniform(0.1, 0.2))",
    "a draw of its own generator": "async def get_x(a):\n    own = random.Random(a)\n    return own.random()",
    "bytes of its own": "import os\ndef get_x(a, n):\n    fd = os.open(a, 0)\n    return os.read(fd, n)",
    "bytes at a place": "import os\nasync def get_x(at):\n    return os.pread(FD, 2, at)",
    "a method named like a draw": "async def get_x(self, client):\n    return client.sample(1), self.menu.choice(2)",
    "a coroutine that is run": "async def get_x(loop, app):\n    return app.run(1)",
    "another name": "@tool('get_x')\nasync def look():\n    return 1\nasync def roll():\n    return random.random()",
    "its own list that grows": "SEEN = []\nasync def get_x(key):\n    found = [*SEEN]\n    found += [key]",
    "a wait for its own tasks": "async def get_x():\n    return await asyncio.wait([task()])",
    "a value of a client": "async def get_x(self, key):\n    return await self.client.get(key)",
    "an event of its own": "async def get_x():\n    ready = Event()\n    start(ready)\n    await ready.wait()",
    "a plugin whose result is used": "PLUGINS = []\nasync def get_x(a):\n    return [plugin(a) for plugin in PLUGINS]",
    "a function of a table": "def up(a):\n    return a.upper()\nDO = {'up': up}\ndef get_x(a):\n    return DO['up'](a)",
    "its own object": "class R:\n    def __init__(self, a):\n        self.a = a\ndef get_x(a):\n    return R(a)",
    "its own block": "class B:\n    def __enter__(self):\n        self.a = 1\ndef get_x():\n    with B(): ...",
    "a decorator with a name": "def t(n):\n    def add(f):\n        T[n] = f\n    return add\n@t(1)\ndef get_x(): ...",
    "a decorator that registers": "def tool(f):\n    TOOLS[f.__name__] = f\n    return f\n@tool\ndef get_x(a): ...",
    "nothing known": "async def other():\n    self.x = 1",
}


def reads(command: str) -> bool:
    return shell_effect(command) == "read"


def program_of(text: str, files: dict[str, str]) -> ProgramModule:
    """Return a program with the module *text*, and *files* by the names under which all import them."""

    def imported(name: str) -> ProgramModule | None:
        return program_of(files[name], files) if name in files else None

    return ProgramModule(SourceFile(text), imported)


def changes(text: str) -> bool:
    return may_change_something("get_x", program_of(text, {}), reads)


@pytest.mark.parametrize("name", CHANGING)
def test_tool_that_changes_something_of_others_is_found(name: str) -> None:
    assert changes(CHANGING[name])


@pytest.mark.parametrize("name", READING)
def test_tool_that_changes_only_what_it_made_reads(name: str) -> None:
    assert not changes(READING[name])


def test_tool_may_be_imported() -> None:
    files = {".tools": CHANGING["an attribute"]}
    program = "import json\nfrom .tools import get_x\nasync def main():\n    await get_x()"
    assert may_change_something("get_x", program_of(program, files))


def test_tool_may_be_imported_and_have_another_name() -> None:
    files = {".tools": "def roll():\n    return random.random()", ".other": "def roll(): pass"}
    program = "from .other import x\nfrom .tools import roll\nget = profiled(name='get_x')(roll)"
    assert may_change_something("get_x", program_of(program, files))
