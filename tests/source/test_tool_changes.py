from __future__ import annotations

import pytest

from otel_parallelism.source.functions import SourceFile
from otel_parallelism.source.tool_changes import may_change_something

CHANGING = {
    "an attribute": "async def get_x(self):\n    self.token = 1",
    "an item of a global": "CACHE = {}\nasync def get_x(key):\n    CACHE[key] = 1",
    "an item of an argument": "async def get_x(context):\n    context['seen'] = True",
    "an alias": "CACHE = {}\nasync def get_x(key):\n    cache = CACHE\n    cache.update(a=1)",
    "a global": "LAST = 0\nasync def get_x():\n    global LAST\n    LAST = 1",
    "a free variable": "def make(state):\n    async def get_x(key):\n        state.append(key)",
    "the next item": "COUNT = make()\nasync def get_x():\n    return next(COUNT)",
    "a context": "TENANT = make()\nasync def get_x(name):\n    TENANT.set(name)",
    "a file": "async def get_x(path):\n    with open(path, 'w') as file:\n        print(1, file=file)",
    "a table": "DB = make()\nasync def get_x(key):\n    DB.execute('insert into seen values (?)', [key])",
    "a lock": "LOCK = make()\nasync def get_x():\n    async with LOCK:\n        return 1",
    "through a function": "def enter(path):\n    os.chdir(path)\nasync def get_x(path):\n    enter(path)",
    "through a method": "class S:\n    def bump(cls):\n        cls.n += 1\nasync def get_x():\n    S.bump()",
}
READING = {
    "its own objects": "async def get_x(key):\n    found = {}\n    found[key] = [1]\n    found[key].append(2)",
    "its own keywords": "async def get_x(**given):\n    given['page'] = 1\n    return given",
    "a client": "async def get_x(self, url):\n    async with self.client.get(url) as answer:\n        return answer",
    "a reading file": "async def get_x(path):\n    with open(path, 'r') as file:\n        return file.read()",
    "a reading query": "DB = make()\nasync def get_x(key):\n    return DB.execute('SELECT a FROM seen')",
    "an item of a global": "TABLE = {}\nasync def get_x(key):\n    return TABLE[key].rows",
    "nothing known": "async def other():\n    self.x = 1",
}


def changes(text: str) -> bool:
    return may_change_something("get_x", SourceFile(text), lambda _: None)


@pytest.mark.parametrize("name", CHANGING)
def test_tool_that_changes_something_of_others_is_found(name: str) -> None:
    assert changes(CHANGING[name])


@pytest.mark.parametrize("name", READING)
def test_tool_that_changes_only_what_it_made_reads(name: str) -> None:
    assert not changes(READING[name])


def test_tool_may_be_imported() -> None:
    files = {".tools": SourceFile(CHANGING["an attribute"]), "json": None}
    program = SourceFile("import json\nfrom .tools import get_x\nasync def main():\n    await get_x()")
    assert may_change_something("get_x", program, files.get)
