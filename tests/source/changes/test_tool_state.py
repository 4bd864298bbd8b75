from __future__ import annotations

import pytest

from otel_parallelism.source.changes.program_modules import ProgramModule
from otel_parallelism.source.changes.tool_state import state_of_tool
from otel_parallelism.source.functions import SourceFile

USED_BY_BOTH = {
    "a mark that a connection is busy": (
        "busy",
        (
            "class Db:\n  async def fetch(self, key):\n    if self.busy: raise OSError\n    self.busy = True\n"
            "async def get_a(db):\n  return await db.fetch(1)\nasync def get_b(db):\n  return await db.fetch(2)"
        ),
    ),
    "the page that is shown": (
        "url",
        (
            "class Page:\n  async def goto(self, url):\n    self.url = url\n  async def text(self):\n"
            "    return self.url\n"
            "async def get_a(page):\n  await page.goto(1)\n  return await page.text()\n"
            "async def get_b(page):\n  await page.goto(2)\n  return await page.text()"
        ),
    ),
    "a conversation": (
        "said",
        (
            "class Chat:\n  async def ask(self, text):\n    self.said.append(text)\n    return self.said[-1]\n"
            "CHAT = Chat()\nasync def get_a():\n  return await CHAT.ask(1)\n"
            "async def get_b():\n  return await CHAT.ask(2)"
        ),
    ),
    "the answers of a socket": (
        "socket",
        (
            "async def get_a(self):\n  return await self.socket.recv()\n"
            "async def get_b(self):\n  return await self.socket.recv()"
        ),
    ),
    "a number that is given out": (
        "n",
        (
            "class Ids:\n  async def take(self):\n    self.n += 1\n    return self.n\n"
            "async def get_a(ids):\n  return await ids.take()\nasync def get_b(ids):\n  return await ids.take()"
        ),
    ),
    "a token that is awaited": (
        "token",
        (
            "class Api:\n  async def get(self, path):\n    if self.token is None:\n      self.token = await login()\n"
            "    return self.token\nasync def get_a(api):\n  return await api.get(1)\n"
            "async def get_b(api):\n  return await api.get(2)"
        ),
    ),
    "what only the first fills": (
        "FLAGS",
        "FLAGS = {}\nasync def get_a(key):\n  FLAGS[key] = 1\nasync def get_b(key):\n  return FLAGS.get(key)",
    ),
    "a context variable that the first sets": (
        "TENANT",
        "async def get_a(a):\n  TENANT.set(a)\nasync def get_b():\n  return TENANT.get()",
    ),
    "an event that the first sets": (
        "READY",
        "async def get_a():\n  READY.set()\nasync def get_b():\n  await READY.wait()",
    ),
    "a budget": (
        "BUDGET",
        "async def get_a():\n  BUDGET.subtract(n=1)\nasync def get_b():\n  return BUDGET['n']",
    ),
    "a future": (
        "KEY",
        "async def get_a():\n  KEY.set_result(1)\nasync def get_b():\n  return await KEY",
    ),
    "a heap": (
        "HEAP",
        "async def get_a():\n  heapq.heappush(HEAP, 1)\nasync def get_b():\n  return HEAP[0]",
    ),
    "a queue into which the first puts": (
        "JOBS",
        "async def get_a():\n  JOBS.put_nowait(1)\nasync def get_b():\n  return await JOBS.get()",
    ),
    "what a cursor fetches": (
        "cur",
        (
            "async def get_a(self):\n  self.cur.execute('a')\n  return self.cur.fetchall()\n"
            "async def get_b(self):\n  self.cur.execute('b')\n  return self.cur.fetchone()"
        ),
    ),
    "the next job of a list": (
        "JOBS",
        "JOBS = load()\ndef get_a():\n  return JOBS.pop(0)\ndef get_b():\n  job = JOBS.popleft()\n  return job",
    ),
    "the next item of an iterator": (
        "ids",
        "def get_a(self):\n  return next(self.ids)\nasync def get_b(self):\n  return await anext(self.ids, None)",
    ),
    "a list that is a default": (
        "seen",
        "def get_a(key, seen=[]):\n  seen.append(key)\n  return len(seen)\ndef get_b(*, seen=set()):\n  return seen",
    ),
    "hosts in turn": (
        "HOSTS",
        "HOSTS = deque()\nasync def get_a():\n  HOSTS.rotate()\nasync def get_b():\n  return HOSTS[0]",
    ),
    "what a listener changes": (
        "LANG",
        (
            "class Bus:\n  def emit(self, value):\n    for one in self.listeners: one(value)\n"
            "def took(value):\n  LANG['at'] = value\nbus.listen(took)\n"
            "async def get_a():\n  bus.emit('pt')\nasync def get_b():\n  return LANG['at']"
        ),
    ),
    "a list that a callback fills": (
        "FOUND",
        (
            "class Watch:\n  def __init__(self, hit):\n    self.hit = hit\n  def get_a(self):\n    self.hit(1)\n"
            "watch = Watch(FOUND.append)\nasync def get_b():\n  return list(FOUND)"
        ),
    ),
    "what a worker makes of a queue": (
        "LATEST",
        (
            "async def work():\n  LATEST['at'] = await JOBS.get()\n"
            "async def get_a():\n  JOBS.put_nowait(1)\nasync def get_b():\n  return LATEST['at']"
        ),
    ),
    "a table": (
        "the table quotes",
        (
            "async def get_a(db):\n  db.execute('insert into quotes (q) values (1)')\n"
            "async def get_b(db):\n  return db.execute('select * from main.quotes').fetchall()"
        ),
    ),
    "a table in a text of the module": (
        "the table runs",
        (
            "PUT = 'insert into runs values (1)'\nCOUNT = 'select count(*) from runs'\n"
            "def get_a():\n  return run(PUT)\ndef get_b():\n  return run(COUNT)"
        ),
    ),
    "a file of a folder": (
        "the file BASE / 'q.json'",
        ("def get_a():\n  (BASE / 'q.json').write_text('1')\ndef get_b():\n  return (BASE / 'q.json').read_text()"),
    ),
    "a number of a dictionary that is given out": (
        "DEPTH",
        ("def get_a():\n  DEPTH['n'] += 1\n  return DEPTH['n']\ndef get_b():\n  DEPTH['n'] += 1\n  return DEPTH['n']"),
    ),
    "an iterator of the module": (
        "ROWS",
        (
            "def rows():\n  yield 1\nROWS = rows()\ndef get_a():\n  for row in ROWS: return row\n"
            "def get_b():\n  return [row for row in ROWS]"
        ),
    ),
    "a file with a name": (
        "the file q.json",
        (
            "def get_a():\n  with open('q.json', 'w') as file: json.dump(1, file)\n"
            "def get_b():\n  return json.load(open('q.json'))"
        ),
    ),
    "a file of a variable": (
        "the file OUT",
        "def get_a():\n  OUT.write_text('1')\ndef get_b():\n  return OUT.read_text()",
    ),
    "behind a lambda": (
        "busy",
        (
            "class Db:\n  def ask(self, key):\n    assert not self.busy\n    self.busy = True\n"
            "ask = lambda key: connection().ask(key)\n"
            "async def get_a():\n  return ask(1)\nasync def get_b():\n  return ask(2)"
        ),
    ),
}
FREE = {
    "a value that is made once": (
        "class Api:\n  def http(self):\n    if self._http is None:\n"
        "      self._http = Client()\n    return self._http\n"
        "async def get_a(api):\n  return await api.http().send(1)\n"
        "async def get_b(api):\n  return await api.http().send(2)"
    ),
    "jobs by their names": (
        "JOBS = load()\ndef get_a():\n  return JOBS.pop('a', last=1)\ndef get_b(key):\n  return JOBS.pop(key, None)"
    ),
    "the last item of a list is dropped": "def get_a():\n  JOBS.pop()\ndef get_b():\n  JOBS.pop()",
    "items of their own": (
        "def get_a(text):\n  parts = text.split()\n  return parts.pop() + next(iter(parts))\n"
        "def get_b(text):\n  parts = text.split()\n  return parts.pop(0)"
    ),
    "defaults that nothing changes": (
        "def get_a(keys=['a'], seen={}):\n  if 'a' not in seen:\n    seen['a'] = keys\n  return seen['a']\n"
        "def get_b(keys=['a'], *, deep=None):\n  return keys"
    ),
    "a count": "async def get_a(self):\n  self.n += 1\nasync def get_b(self):\n  self.n += 1",
    "a cache": (
        "SEEN = {}\ndef look_up(key):\n  if key in SEEN:\n    return SEEN[key]\n  SEEN[key] = key\n"
        "async def get_a(key):\n  return look_up(key)\nasync def get_b(key):\n  return look_up(key)"
    ),
    "a list of times": "TIMES = []\nasync def get_a():\n  TIMES.append(1)\nasync def get_b():\n  TIMES.append(2)",
    "a context variable": "async def get_a():\n  return TENANT.get()\nasync def get_b():\n  return TENANT.get()",
    "counts of a dictionary": ("def get_a():\n  SEEN['a'] += 1\ndef get_b():\n  SEEN['b'] += 1"),
    "a list of the module": (
        "ROWS = load()\ndef get_a():\n  for row in ROWS: return row\ndef get_b():\n  return [row for row in ROWS]"
    ),
    "different tables": (
        "async def get_a(db):\n  db.execute('insert into quotes values (1)')\n"
        "async def get_b(db):\n  return db.execute('select * from users').fetchall()"
    ),
    "files that both read": "def get_a():\n  return OUT.read_text()\ndef get_b():\n  return OUT.read_text()",
    "a token that is made under a lock": (
        "class Api:\n  async def token(self):\n    async with self.lock:\n      if self.value is None:\n"
        "        self.value = await login()\n    return self.value\n"
        "async def get_a(api):\n  return await api.token()\nasync def get_b(api):\n  return await api.token()"
    ),
    "a queue of log lines": "async def get_a():\n  LOG.put_nowait(1)\nasync def get_b():\n  LOG.put_nowait(2)",
    "rows of a cursor of their own": (
        "async def get_a(db):\n  return db.execute('a').fetchall()\n"
        "async def get_b(db):\n  cur = db.cursor()\n  return cur.fetchall()"
    ),
    "functions that are only called": (
        "def took(value):\n  LANG['at'] = value\ntook('en')\n"
        "async def get_a():\n  for one in LISTENERS: one('pt')\nasync def get_b():\n  return LANG['at']"
    ),
    "objects of their own": (
        "class Query:\n  async def run(self):\n    self.sent = True\n    return self.sent\n"
        "async def get_a():\n  return await Query().run()\n"
        "async def get_b():\n  one = Query()\n  return await one.run()"
    ),
}


def used_by_both(program: str) -> str:
    module = ProgramModule(SourceFile(program), lambda _: None)
    return state_of_tool("get_a", [module], None).in_use(state_of_tool("get_b", [module], None))


@pytest.mark.parametrize(("name", "program"), USED_BY_BOTH.values(), ids=list(USED_BY_BOTH))
def test_two_tools_set_and_read_one_thing_while_they_run(name: str, program: str) -> None:
    assert used_by_both(program) == name


@pytest.mark.parametrize("program", FREE.values(), ids=list(FREE))
def test_counts_caches_and_objects_of_their_own_are_in_nobodys_way(program: str) -> None:
    assert not used_by_both(program)


@pytest.mark.parametrize(
    ("program", "alone"),
    [
        (
            "GPU = ThreadPoolExecutor(max_workers=1)\nasync def get_a(loop):\n  await loop.run_in_executor(GPU, f, 1)",
            "GPU, which has one worker",
        ),
        ("GPU = ThreadPoolExecutor(4)\nasync def get_a(loop):\n  await loop.run_in_executor(GPU, f, 1)", ""),
        ("async def get_a(folder):\n  os.chdir(folder)", "the working directory, which is changed"),
        ("async def get_a(self):\n  async with self._lock:\n    return await self.send()", "the lock _lock"),
        (
            (
                "class Api:\n  def __init__(self):\n    self.gate = asyncio.Semaphore(1)\n"
                "  async def get_a(self):\n    async with self.gate:\n      return await self.send()"
            ),
            "the lock gate",
        ),
        (
            (
                "class Api:\n  def __init__(self):\n    self.gate = asyncio.Semaphore(4)\n"
                "  async def get_a(self):\n    async with self.gate:\n      return await self.send()"
            ),
            "",
        ),
        (
            (
                "@dataclass\nclass Api:\n  gate: Lock = field(default_factory=asyncio.Lock)\n"
                "  async def get_a(self):\n    await self.gate.acquire()"
            ),
            "the lock gate",
        ),
        ("def get_a(self):\n  with self._lock:\n    return self.db.ask(1)", "the lock _lock"),
        (
            "def total(n):\n  return sum(i * i for i in range(n))\nasync def get_a(n):\n  return total(n)",
            "Python's interpreter all the time: both only compute",
        ),
        ("def get_a(n):\n  return [client.get(i) for i in range(n)]", ""),
        ("async def get_a(n):\n  for i in range(n): await send(i)", ""),
        ("def get_a(self):\n  with self._lock:\n    self.seen.append(len(self.seen))", ""),
        (
            (
                "class Api:\n  def __init__(self):\n    self.pool = ThreadPoolExecutor(1)\n"
                "  async def get_a(self, loop):\n    return await loop.run_in_executor(self.pool, f)"
            ),
            "pool, which has one worker",
        ),
        (
            "async def get_a(loop):\n  answer = loop.create_future()\n  JOBS.put_nowait(answer)\n  return await answer",
            "the queue JOBS",
        ),
        ("async def get_a(self):\n  async with self._lock:\n    if not self.t: self.t = await make()", ""),
        ("class Kernel:\n  def run(self, code):\n    exec(code)\ndef get_a(k):\n  k.run(1)", "code that exec runs"),
    ],
)
def test_what_serves_one_call_at_a_time_is_named(program: str, alone: str) -> None:
    module = ProgramModule(SourceFile(program), lambda _: None)
    assert state_of_tool("get_a", [module], None).alone == alone


def test_class_of_an_imported_object_is_found_in_the_module_of_its_maker() -> None:
    texts = {
        "clients": "from wire import Db\nclient = Db()",
        "wire": "class Db:\n  async def fetch(self):\n    assert not self.busy\n    self.busy = True",
    }
    modules: dict[str, ProgramModule] = {}
    modules.update({name: ProgramModule(SourceFile(text), modules.get) for name, text in texts.items()})
    tool = "from clients import client\nasync def get_a():\n  return await client.fetch()"
    state = state_of_tool("get_a", [ProgramModule(SourceFile(tool), modules.get)], None)
    assert state.in_use(state) == "busy"
