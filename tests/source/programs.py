"""
Short programs with two calls marked ``# a`` and ``# b``, or one call in a loop marked ``# ab``.

In `TIED`, the source must not be read as independent: the verdict is ``dependent`` or ``unknown``. In `FREE`, it
shows that *b* needs nothing of *a*.
"""

from __future__ import annotations

_TIED = """
waited_for_what_the_later_reads: any
import asyncio
PLACE = {}
async def first(q):
    PLACE["at"] = q
async def second(r):
    return PLACE["at"]
async def main():
    x = await asyncio.wait_for(first("q"), 5)  # a
    return x, await asyncio.wait_for(second("r"), 5)  # b

waited_for_with_another_in_between: any
import asyncio
async def main():
    x = await asyncio.wait_for(first("q"), 5)  # a
    await asyncio.wait_for(save("s"), 5)
    return x, await asyncio.wait_for(second("r"), 5)  # b

sleep_between: any
async def main():
    x = await first("q")  # a
    await asyncio.sleep(1)
    return x, await second("r")  # b

attribute_read_by_name: any
async def second(q):
    return getattr(ctx, "low", None)
async def main():
    ctx.low, ctx.high = await first("q")  # a
    return await second("r")  # b

attribute_read_by_any_name: any
async def second(q):
    return getattr(ctx, q)
async def main():
    ctx.low = 1
    x = await first("q")  # a
    ctx.low = 2
    return x, await second("r")  # b

made_only_to_be_checked: any
async def main():
    x = await first("q")  # a
    Model(x)
    return await second("r")  # b

converted_only_to_be_checked: any
async def main():
    x = await first("q")  # a
    int(x)
    return await second("r")  # b

argument: dependent
async def main():
    x = await first("q")  # a
    return await second(x)  # b

derived_argument: dependent
async def main(use):
    x = await first("q")  # a
    y = use(x) + 1
    return await second({"k": [y]})  # b

nested_call: dependent
async def main(use):
    return await second(use(  # b
        await first("q"),  # a
    ))

if_test: dependent
async def main():
    if await check_stock("p"):  # a
        return await find_supplier("p")  # b

else_branch: dependent
async def main():
    stock = await get_stock("p")  # a
    if stock:
        print(stock)
    else:
        await find_supplier("p")  # b

early_return: dependent
async def main():
    x = await get_cached("p")  # a
    if x is not None:
        return x
    return await get_price("p")  # b

early_raise: dependent
async def main():
    x = await get_user("p")  # a
    if not x.active:
        raise PermissionError
    return await get_orders("p")  # b

assertion: dependent
async def main():
    x = await get_user("p")  # a
    assert x.active
    return await get_orders("p")  # b

break_in_loop: dependent
async def main(urls):
    for url in urls:
        page = await fetch(url)  # ab
        if page.last:
            break

else_of_loop_with_break: dependent
async def main(urls):
    for url in urls:
        page = await fetch(url)  # a
        if page.found:
            break
    else:
        await ask_archive("q")  # b

else_of_while_with_break: dependent
async def main():
    number = 0
    while number < 3:
        if await fetch(number):  # a
            break
        number += 1
    else:
        for again in range(2):
            await ask_archive(again)  # b

width_of_a_format: dependent
async def main():
    x = await first("q")  # a
    return await second(f"{'r':>{x.n}}")  # b

filter_of_a_comprehension: dependent
async def main(keys):
    x = await first("q")  # a
    chosen = [key for key in ("r", "s") if x.ready]
    for key in chosen:
        await second(key)  # b

length_of_a_comprehension: dependent
async def main():
    x = await first("q")  # a
    for number, _ in enumerate(["r" for _ in x.rows]):
        await second(number)  # b

unsure_filter_of_a_comprehension: any
async def main(box):
    await first(box)  # a
    return await second([key for key in ("r", "s") if box.ready])  # b

item_that_a_loop_ended_at: dependent
async def main():
    x = await first("q")  # a
    for key in ("r", "s"):
        if key == x.best:
            break
    return await second(key)  # b

item_that_the_call_ended_a_loop_at: dependent
async def main(urls):
    for at, url in enumerate(urls):
        page = await fetch(url)  # a
        if page.found:
            break
    return await ask_archive(at)  # b

keyword_of_a_class: dependent
async def main(base):
    x = await first("q")  # a
    class Wanted(base, key=x):
        pass
    return await second(Wanted.key)  # b

decorated_with_a_result: dependent
async def main(given):
    x = await first("q")  # a
    @given(x)
    def wanted():
        return "r"
    return await second(wanted())  # b

return_in_loop: dependent
async def main(urls):
    for url in urls:
        found = await fetch(url)  # ab
        if found:
            return found

first_that_answers: dependent
async def main(mirrors):
    for mirror in mirrors:
        try:
            return await fetch(mirror)  # ab
        except OSError:
            continue

failure_ends_loop: dependent
async def main(urls):
    for url in urls:
        try:
            pages = await fetch(url)  # ab
        except OSError:
            break

fallback_in_handler: dependent
async def main():
    try:
        return await first("q")  # a
    except OSError:
        return await second("q")  # b

swallowed_then_flag: dependent
async def main():
    ok = True
    try:
        x = await first("q")  # a
    except OSError:
        ok = False
    if ok:
        return await second("q")  # b

handler_returns: dependent
async def main():
    try:
        x = await get_user("q")  # a
    except LookupError:
        return None
    return x, await get_orders("q")  # b

handler_of_parsing: dependent
async def main():
    body = await first("q")  # a
    try:
        data = json.loads(body)
    except ValueError:
        return await second("q")  # b

handler_of_parsing_returns: dependent
async def main():
    body = await first("q")  # a
    try:
        data = json.loads(body)
    except ValueError:
        return None
    return data, await second("q")  # b

else_of_try: any
async def main():
    try:
        x = await get_user("q")  # a
    except LookupError:
        x = None
    else:
        y = await get_orders("q")  # b

guard_by_exception: any
async def main():
    try:
        await check_access("ana")  # a
        return await read_document("d")  # b
    except PermissionError:
        return None

bare_guard: any
async def main():
    await ensure_allowed("ana")  # a
    return await read_document("d")  # b

guard_function: any
async def main():
    raise_if_denied(await get_rights("ana"))  # a
    return await read_document("d")  # b

raise_for_status: any
async def main():
    response = await get_rights("ana")  # a
    response.raise_for_status()
    return await read_document("d")  # b

counter: dependent
async def main():
    offset = 0
    while offset < 100:
        rows = await fetch(offset)  # ab
        offset += len(rows)

counted_and_used: dependent
async def main(items):
    total = 0
    for item in items:
        total += await get_price(item, total)  # ab

cursor: dependent
async def main():
    cursor = None
    while True:
        page = await get_page(cursor)  # ab
        cursor = page["next"]
        if not cursor:
            break

accumulated: dependent
async def main(steps):
    state = {}
    for step in steps:
        state = await get_next(step, state)  # ab

list_appended_and_passed: dependent
async def main(steps):
    seen = []
    for step in steps:
        seen.append(await get_answer(step, seen))  # ab

alias_appended: dependent
async def main(questions):
    history = []
    log = history
    for question in questions:
        answer = await ask(question, history)  # ab
        log.append(answer)

dict_entry: dependent
async def main():
    found = {}
    found["x"] = await first("q")  # a
    return await second(found)  # b

nested_container: dependent
async def main():
    inner = []
    outer = {"inner": inner}
    inner.append(await first("q"))  # a
    return await second(outer)  # b

shared_object_between: any
async def main(session):
    x = await first(session)  # a
    session.advance()
    return await second(session)  # b

unknown_function_between: any
async def main(state):
    x = await first(state)  # a
    y = update(state)
    return await second(state)  # b

handed_to_unknown_function: any
async def main(state):
    x = await first("q")  # a
    y = merge(state, x)
    return await second(state)  # b

session_opened_between: any
async def main():
    token = await get_token()  # a
    async with Session() as session:
        return token, await session.fetch("q")  # b

session_closed_between: any
async def main(db):
    async with db.transaction():
        x = await db.fetch("q")  # a
    return x, await db.fetch("r")  # b

session_for_each: any
async def main(client, urls):
    pages = []
    for url in urls:
        async with client.session() as session:
            pages.append(await session.fetch(url))  # ab

session_state: any
async def main(urls):
    async with Session() as session:
        x = await session.login("me")  # a
        session.token = x
        return await session.fetch("q")  # b

context_variable: any
async def main():
    x = await first("q")  # a
    tenant.set("other")
    return x, await second("q")  # b

print_to_shared_stream: any
async def main(out):
    x = await show("q", out)  # a
    print("between", file=out)
    return x, await show("r", out)  # b

interactive_print: any
async def main(out):
    x = await show("q", out)  # a
    out.write("between")
    return x, await show("r", out)  # b

polling_loop: any
async def main():
    while True:
        status = await get_status("j")  # ab
        if status == "done":
            break
        await asyncio.sleep(1)

polling_for: any
async def main():
    states = []
    for attempt in range(10):
        states.append(await get_status("j"))  # ab
        await asyncio.sleep(1)

while_not_done: any
async def main(job):
    while not job.done:
        status = await get_status("j")  # ab

while_not_local_done: any
async def main():
    done = False
    while not done:
        status = await get_status("j")  # ab
        done = status == "done"

while_event: any
async def main(stop):
    while not stop.is_set():
        status = await get_status("j")  # ab

clock_read: any
async def main():
    x = await first("q")  # a
    now = time.time()
    return x, await second(now)  # b

clock_in_argument: any
async def main():
    x = await first("q")  # a
    return x, await second(datetime.now())  # b

random_between: any
async def main():
    x = await first("q")  # a
    return x, await second(next(ids))  # b

stored_in_self: any
class Agent:
    async def run(self):
        self.user = await self.load("q")  # a
        return await self.orders("r")  # b

attribute_of_self: dependent
class Agent:
    async def run(self):
        self.user = await self.api.load("q")  # a
        return await self.store.orders(self.user)  # b

attribute_of_alias: any
class Agent:
    async def run(self):
        me = self
        me.user = await api_load("q")  # a
        return await self.orders("r")  # b

condition_on_self: any
class Agent:
    async def run(self):
        x = await self.load("q")  # a
        if self.loaded:
            return x, await get_orders("r")  # b

yield_between: any
async def main():
    x = await first("q")  # a
    yield x
    y = await second("q")  # b
    yield y

yield_in_loop: any
async def main(urls):
    for url in urls:
        page = await fetch(url)  # ab
        yield page

finally_clause: any
async def main(client):
    try:
        x = await client.fetch("q")  # a
    finally:
        y = await client.close("q")  # b

deleted_entry: any
async def main(work):
    x = await first(work)  # a
    del work["q"]
    return x, await second(work)  # b

shadowed_name: dependent
async def main(query):
    query = await rewrite(query)  # a
    return await search(query)  # b

shadowed_in_tuple: dependent
async def main(query):
    query, other = (await rewrite(query)), 1  # a
    return await search(query)  # b

shadowed_by_loop: dependent
async def main(query):
    for query in await rewrite(query):  # a
        found = await search(query)  # b

shadowed_by_except: dependent
async def main():
    x = 0
    try:
        y = await first("q")  # a
    except OSError as x:
        y = 1
    return await second(x)  # b

walrus: dependent
async def main():
    if (x := await first("q")) or True:  # a
        return await second(x)  # b

two_awaits_on_one_line: any
async def main():
    return await second(await first("q"))  # ab

several_calls_on_one_line: any
async def main():
    x, y = await first("q"), await second("r")  # ab

and_operator: dependent
async def main():
    return (
        await first("q")  # a
        and await second("q")  # b
    )

or_operator: dependent
async def main():
    return (
        await first("q")  # a
        or await second("q")  # b
    )

conditional_expression: dependent
async def main():
    return (
        await second("q")  # b
        if await first("q")  # a
        else None
    )

chained_comparison: dependent
async def main():
    return (
        0
        < await first("q")  # a
        < await second("q")  # b
    )

comprehension_filter: dependent
async def main(urls):
    return [
        await fetch(url)  # b
        for url in urls
        if await is_open(url)  # a
    ]

comprehension_source: dependent
async def main():
    return [
        await fetch(url)  # b
        for url in await get_urls()  # a
    ]

default_argument: dependent
async def main():
    async def inner(x=await first("q")):  # a
        return x
    return await inner()  # b

closure: dependent
async def main():
    x = None
    ask = lambda: x
    x = await first("q")  # a
    return await second(ask)  # b

closure_called: dependent
async def main():
    def ask():
        return x
    x = await first("q")  # a
    return await second(ask())  # b

nonlocal_state: any
async def main():
    count = 0
    async def bump():
        nonlocal count
        count += 1
    x = await first(bump)  # a
    return x, await second(count)  # b

global_state: any
page = 0
async def get_next():
    global page
    page += 1
async def main():
    x = await get_next()  # a
    return x, await fetch(page)  # b

star_arguments: dependent
async def main():
    args = [1]
    args += [await first("q")]  # a
    return await second(*args)  # b

keyword_arguments: dependent
async def main():
    options = {}
    options.update(await first("q"))  # a
    return await second(**options)  # b

f_string: dependent
async def main():
    x = await first("q")  # a
    return await second(f"about {x}")  # b

joined: dependent
async def main():
    x = await first("q")  # a
    return await second("about %s" % x)  # b

result_is_callee: dependent
async def main():
    tool = await get_tool("q")  # a
    return await tool("r")  # b

result_is_receiver: dependent
async def main():
    page = await browser.new_page()  # a
    return await page.read("r")  # b

result_is_receiver_later: dependent
async def main():
    page = await browser.new_page()  # a
    title = page.main.frame
    return await title.read("r")  # b

match_subject: dependent
async def main():
    match await first("q"):  # a
        case "x":
            return await second("r")  # b

match_capture: dependent
async def main():
    match await first("q"):  # a
        case {"k": value}:
            found = value
        case _:
            found = None
    return await second(found)  # b

implicit_flow: dependent
async def main():
    x = await first("q")  # a
    where = "here"
    if x:
        where = "there"
    return await second(where)  # b

implicit_flow_through_loop: dependent
async def main():
    x = await first("q")  # a
    n = 0
    for _ in x:
        n = n + 1
    return await second(n)  # b

loop_over_growing_list: dependent
async def main(start):
    queue = [start]
    for url in queue:
        queue.extend(await get_links(url))  # ab

worklist: dependent
async def main(start):
    queue = [start]
    while queue:
        url = queue.pop()
        queue.extend(await get_links(url))  # ab

async_for: any
async def main(stream):
    async for message in stream:
        answer = await reply(message)  # ab

items_of_a_pool: any
async def main(names):
    pending = iter(enumerate(names))
    async def run():
        for index, name in pending:
            results[index] = await check(name)  # ab

items_of_a_pool_in_a_comprehension: any
async def main(names):
    pending = iter(names)
    async def run():
        return [await check(name) for name in pending]  # ab

items_of_a_pool_that_are_counted: any
async def main(names):
    pending = iter(names)
    async def run():
        for index, name in enumerate(pending):
            print(index, await check(name))  # ab

items_of_the_module: any
LINES = (line for line in open("lines"))
async def main():
    for line in LINES:
        print(await look_up(line))  # ab

task_added_before_the_wait: any
async def main():
    tasks = [asyncio.create_task(first("q"))]  # a
    tasks.append(asyncio.create_task(save("p")))
    await asyncio.wait(tasks)
    return await second("r")  # b

task_of_others_waited_for: any
async def main(flushing):
    task = asyncio.create_task(first("q"))  # a
    await asyncio.gather(task, flushing)
    return await second("r")  # b

task_of_an_attribute_waited_for: any
async def main(self):
    tasks = [asyncio.create_task(first("q")), self.flushing]  # a
    await asyncio.wait(tasks)
    return await second("r")  # b

task_added_in_a_loop: any
async def main(names):
    tasks = [asyncio.create_task(first("q"))]  # a
    for name in names:
        await asyncio.wait(tasks)
        tasks.append(asyncio.create_task(save(name)))
    return await second("r")  # b

gathered_with_another_in_a_loop: any
async def main(names):
    for name in names:
        await asyncio.gather(
            *[first(name, number) for number in (1, 2)],  # ab
            save(name),
        )

task_set_anew: any
async def main(flag):
    task = asyncio.create_task(first("q"))  # a
    if flag:
        task = flag.task
    await asyncio.gather(task)
    return await second("r")  # b

other_tasks_waited_for: any
async def main():
    tasks = [asyncio.create_task(first("q")), asyncio.create_task(save("p"))]  # a
    await asyncio.wait(tasks)
    return await second("r")  # b

generator_in_header: any
async def main(reader):
    for message in reader.messages():
        answer = await reply(message)  # ab

lock_between: any
async def main(lock):
    x = await first("q")  # a
    await lock.acquire()
    return x, await second("q")  # b

other_await_between: any
async def main():
    x = await first("q")  # a
    await commit()
    return x, await second("q")  # b

exec_between: any
async def main(code):
    x = await first("q")  # a
    exec(code)
    return x, await second("q")  # b

locals_used: any
async def main(code):
    x = await first("q")  # a
    return await second(locals())  # b

not_in_a_loop: any
async def main():
    return await first("q")  # ab

other_branch: any
async def main(flag):
    if flag:
        return await first("q")  # a
    else:
        return await second("q")  # b

generator_expression: any
async def main(urls):
    return (fetch(url) for url in urls)  # ab

object_of_result: dependent
async def main():
    x = await first("q")  # a
    job = Job(x)
    return await job.read()  # b

constructor_keeps_reference: any
async def main(state):
    job = Job(state)
    state.token = await first("q")  # a
    return await job.read()  # b

augmented_attribute: any
class Pager:
    async def run(self):
        x = await self.fetch("q")  # a
        self.page += 1
        return x, await self.fetch("r")  # b

argument_of_shared_attribute: dependent
async def main(state):
    state.query = await rewrite("q")  # a
    return await search(state.query)  # b

retry: dependent
async def main():
    for attempt in range(3):
        result = await fetch("q")  # ab
        if result.ok:
            break

exception_result: any
async def main():
    try:
        x = await first("q")  # a
    except OSError as error:
        x = error
    return await second(x)  # b

setter_function: any
async def main():
    x = await first("q")  # a
    configure("fast")
    return x, await second("q")  # b

set_attribute_function: any
async def main(job):
    setattr(job, "x", await first("q"))  # a
    return await second(job)  # b

module_attribute_set_between: any
import settings
async def main():
    x = await first(1)  # a
    settings.REGION = "eu"
    return x, await second(1)  # b

environment_set_between: any
import os
async def main():
    x = await first(1)  # a
    os.environ["REGION"] = "eu"
    return x, await second(1)  # b

class_attribute_set_between: any
class Api:
    base = "blue"
async def second(key):
    return fetch(Api.base, key)
async def main():
    x = await first(1)  # a
    Api.base = "green"
    return x, await second(1)  # b

global_list_grown_between: any
SEEN = []
async def second(key):
    return key, SEEN[:]
async def main():
    x = await first(1)  # a
    SEEN.append(3)
    return x, await second(1)  # b

global_set_between: any
LIMIT = 1
async def second(key):
    return helper(key)
def helper(key):
    return key[:LIMIT]
async def main():
    global LIMIT
    x = await first(1)  # a
    LIMIT = 2
    return x, await second(1)  # b

captured_variable_set_between: any
async def main():
    async def second():
        return fetch(region)
    region = "eu"
    x = await first(1)  # a
    region = "us"
    return x, await second()  # b

constructor_registers: any
ROWS = []
class Report:
    def __post_init__(self):
        ROWS.append(self)
async def second(unit):
    return unit, ROWS
async def main():
    x = Report(await first(1))  # a
    return x, await second(2)  # b

function_between_changes_what_is_read: any
CACHE = {}
def parsed(text):
    CACHE[1] = text
    return text
async def second(key):
    return CACHE[key]
async def main():
    x = parsed(await first(1))  # a
    return x, await second(1)  # b

attribute_that_the_first_sets_and_the_second_reads: any
class Catalog:
    async def first(self):
        self.index = {1: 2}
    async def second(self, name):
        return self.index[name]
async def main(catalog):
    x = await catalog.first()  # a
    return x, await catalog.second("lamp")  # b

alias_that_grows: any
SEEN = []
async def first(key):
    found = SEEN
    found += [key]
async def second(key):
    return SEEN, key
async def main():
    x = await first(1)  # a
    return x, await second(1)  # b

table_behind_a_function: any
def table(kept={}):
    return kept
async def first(key):
    table()[key] = 1
async def second(key):
    return table()[key]
async def main():
    x = await first(1)  # a
    return x, await second(1)  # b

setter_changes_what_is_read: any
LOG = []
class Notes:
    def __setattr__(self, name, value):
        LOG.append(name)
async def second(unit):
    return LOG, unit
async def main():
    notes = Notes()
    notes.x = await first(1)  # a
    return notes, await second(2)  # b

operator_changes_what_is_read: any
TOTAL = []
class Basket:
    def __iadd__(self, other):
        TOTAL.append(other)
        return self
async def second(unit):
    return TOTAL, unit
async def main(basket):
    basket += await first(1)  # a
    return basket, await second(2)  # b

argument_that_the_first_sets: any
class Feed:
    def first(self, since):
        self.seen.append(since)
    def since(self):
        return max(self.seen)
    since = property(since)
    @property
    def latest(self):
        return max(self.seen)
async def main():
    feed = Feed()
    x = await feed.first(feed.latest)  # a
    return x, await feed.second(feed.latest)  # b

global_argument_that_the_first_sets: any
STATE = {}
async def first(key):
    STATE["key"] = key
async def main():
    x = await first(1)  # a
    return x, await second(STATE)  # b

while_condition_await: dependent
async def main():
    while await has_more("q"):  # a
        row = await get_row("q")  # b

cancel_between: any
async def main(task):
    x = await first("q")  # a
    await task
    return x, await second("q")  # b

method_given_to_the_first: any
async def main():
    seen = [1]
    x = await first(seen.append)  # a
    y = await second(str(seen[-1:]))  # b

callback_sets_an_item: any
async def main():
    seen = {"amount": 0}
    def keep(amount):
        seen["amount"] = amount
    await first("q", keep)  # a
    return await second(seen["amount"])  # b

callback_of_the_module: any
STATE = {}
def keep(amount):
    STATE["amount"] = amount
async def second(q):
    return STATE["amount"]
async def main():
    x = await first("q", on_done=keep)  # a
    return x, await second("r")  # b

callback_is_a_method: any
class Box:
    def keep(self, amount):
        self.amount = amount
async def main(box):
    x = await first("q", box.keep)  # a
    return x, await second(box.amount)  # b

callback_is_a_lambda: any
async def main(box):
    x = await first("q", lambda amount: box.update(amount=amount))  # a
    return x, await second(box["amount"])  # b

attributes_set_as_a_dictionary: any
async def first(ctx):
    vars(ctx).update(user="ana")
async def second(ctx):
    return ctx.user
async def main(ctx):
    x = await first(ctx)  # a
    return x, await second(ctx)  # b

attribute_set_by_a_name_that_is_not_constant: any
async def first(ctx, name):
    setattr(ctx, name, 1)
async def second(ctx):
    return ctx.user
async def main(ctx):
    x = await first(ctx, "user")  # a
    return x, await second(ctx)  # b

environment_read_by_getenv: any
import os
def use(region):
    os.environ["REGION"] = region
async def first(q):
    use("eu")
async def second(q):
    return os.getenv("REGION")
async def main():
    x = await first("q")  # a
    return x, await second("r")  # b

global_set_to_what_the_first_returns: any
MODE = "slow"
async def second(q):
    return MODE
async def main():
    global MODE
    found = await first("q")  # a
    MODE = found[0]
    return await second("r")  # b

descriptor_keeps_what_is_set: any
CURRENT = {}
class Tenant:
    def __set__(self, one, value):
        CURRENT["tenant"] = value
async def second(q):
    return CURRENT["tenant"]
async def main(app):
    app.tenant = await first("q")  # a
    return await second("r")  # b

global_set_by_its_name: any
MODE = "slow"
async def first(q):
    globals()["MODE"] = q
async def second(q):
    return MODE
async def main():
    x = await first("q")  # a
    return x, await second("r")  # b

helper_raises_because_of_the_first: any
async def need_pro(user):
    plan = await get_plan(user)
    if plan != "pro":
        raise PermissionError(user)
async def main():
    await need_pro("ana")  # a
    return await second("q")  # b

default_that_both_share: any
SHARED = []
async def first(q, found=SHARED):
    found.append(q)
async def second(q, found=SHARED):
    return len(found)
async def main():
    x = await first("q")  # a
    return x, await second("r")  # b

function_changes_its_argument: any
import heapq
HEAP = []
async def first(q):
    heapq.heappush(HEAP, q)
async def second(q):
    return HEAP[0]
async def main():
    x = await first("q")  # a
    return x, await second("r")  # b

method_of_a_type_changes_its_argument: any
ITEMS = []
async def first(q):
    list.append(ITEMS, q)
async def second(q):
    return tuple(ITEMS)
async def main():
    x = await first("q")  # a
    return x, await second("r")  # b

operator_without_a_use_of_its_result: any
async def first(q):
    LOG << q
async def second(q):
    return list(LOG)
async def main():
    x = await first("q")  # a
    return x, await second("r")  # b

poll_until_done: any
async def main():
    while await first("job") != "done":  # a
        await asyncio.sleep(1)
    return await second("job")  # b

poll_until_break: any
async def main():
    while True:
        state = await first("job")  # a
        if state == "done":
            break
    return await second("job")  # b
"""

_FREE = """
item_that_another_loop_ended_at:
async def main(keys):
    x = await first("q")  # a
    for key in keys:
        if key.startswith("r"):
            break
    print(x)
    return await second(key)  # b

function_that_is_decorated_in_between:
import functools
async def main(keys):
    x = await first("q")  # a
    @functools.cache
    def shown():
        return x
    print(shown())
    return await second("r")  # b

filter_that_the_call_does_not_decide:
async def main(keys, wanted):
    x = await first("q")  # a
    width = f"{len(x):>{8}}"
    chosen = [key for key in keys if key in wanted]
    for key in chosen:
        await second(key)  # b
    return width

else_of_loop_that_the_call_does_not_end:
async def main(keys):
    for key in keys:
        if key == "stop":
            break
        print(await fetch(key))  # a
    else:
        await ask_archive("q")  # b

after_a_loop_with_break:
async def main(urls):
    for url in urls:
        page = await fetch(url)  # a
        if page.found:
            break
    else:
        print("none")
    await ask_archive("q")  # b

helper_raises_and_its_result_is_used:
async def fetch(user):
    answer = await get_plan(user)
    if answer.status != 200:
        raise OSError(user)
    return answer.body
async def main():
    x = await fetch("ana")  # a
    return x, await second("q")  # b

operator_with_a_use_of_its_result:
async def first(q):
    return BASE / q
async def second(q):
    return BASE / q
async def main():
    x = await first("q")  # a
    return x, await second("r")  # b

while_loop_over_positions:
async def main():
    keys, at = ["a", "b"], 0
    while at < len(keys):
        await first(keys[at])  # ab
        at += 1

callback_that_only_reads:
async def main(rows):
    limit = 3
    x = await first(rows, key=lambda row: row[limit])  # a
    return x, await second(limit)  # b

while_loop_of_a_count:
async def main():
    n = 0
    while n < 3:
        x = await first(n)  # a
        n += 1
    return x, await second("q")  # b

waited_for_with_a_limit:
import asyncio
async def main():
    x = await asyncio.wait_for(first("q"), 5)  # a
    return x, await asyncio.wait_for(second("r"), 5)  # b

yield_to_others_between: -
async def main():
    x = await first("q")  # a
    await asyncio.sleep(0)
    return x, await second("r")  # b

other_attribute_read_by_name: -
async def second(q):
    return getattr(ctx, "size", None)
async def main():
    x = await first("q")  # a
    ctx.low = 2
    return x, await second("r")  # b

tasks_waited_for:
async def main(keys):
    tasks = [asyncio.create_task(first(key)) for key in keys]  # a
    await asyncio.wait(tasks)
    return await second("r")  # b

tasks_gathered:
async def main():
    task = asyncio.create_task(first("q"))  # a
    await asyncio.gather(task)
    return task.result(), await second("r")  # b

other_attribute_set_between:
class Api:
    base = "blue"
async def second(key):
    return fetch(Api.base, key)
async def main():
    x = await first(1)  # a
    Api.label = "green"
    return x, await second(1)  # b

global_results_that_no_tool_reads:
RESULTS = {}
async def first(key):
    return key
async def second(key):
    return key
async def main():
    RESULTS["first"] = await first(1)  # a
    RESULTS["second"] = await second(1)  # b

constructor_of_its_own_object:
class Report:
    def __init__(self, rows):
        self.rows = rows
async def second(page):
    return page.rows
async def main():
    x = Report(await first(1))  # a
    return x, await second(2)  # b

cache_that_both_fill:
CACHE = {}
async def first(key):
    CACHE[key] = CACHE.get(key) or fetch(key)
    return CACHE[key]
async def second(key):
    CACHE[key] = CACHE.get(key) or fetch(key)
    return CACHE[key]
async def main():
    x = await first(1)  # a
    return x, await second(2)  # b

own_variable_named_like_one_of_the_tool:
async def second(key):
    row = key
    return row
async def main():
    row = await first(1)  # a
    other = 2
    return row, await second(other)  # b

function_between_that_changes_its_own:
CACHE = {}
def parsed(text):
    found = []
    found.append(text)
    return found
async def second(key):
    return CACHE[key]
async def main():
    x = parsed(await first(1))  # a
    return x, await second(1)  # b

made_and_used:
async def main():
    x = Model(await first("q"))  # a
    print(x)
    Model("something else")
    return x, await second("r")  # b

two_reads:
async def main():
    x = await first("q")  # a
    y = await second("r")  # b
    return x + y

discarded_results:
async def main():
    await get_a("q")  # a
    await get_b("r")  # b

own_time_between:
async def main():
    await get_a("q")  # a
    time.sleep(1)
    await get_b("r")  # b

result_printed:
async def main():
    print(await get_a("q"))  # a
    print(await get_b("r"))  # b

loop:
async def main(urls):
    pages = []
    for url in urls:
        pages.append(await fetch(url))  # ab
    return pages

loop_over_range:
async def main():
    for number in range(100):
        await fetch(number)  # ab

loop_over_pairs:
async def main(by_name):
    found = {}
    for number, (name, url) in enumerate(by_name.items()):
        found[name] = await fetch(f"{url}/{number}")  # ab
    return found

comprehension:
async def main(urls):
    return [await fetch(url) for url in urls]  # ab

dict_comprehension:
async def main(urls):
    return {url: await fetch(url) for url in urls if url}  # ab

counted_while:
async def main():
    number = 0
    while number < 100:
        page = await fetch(number)  # ab
        number += 1

tuple_of_awaits:
async def main():
    return (
        await first("q"),  # a
        await second("r"),  # b
    )

arguments_of_one_call:
async def main():
    return merge(
        await first("q"),  # a
        other=await second("r"),  # b
    )

result_stored_apart:
async def main():
    found = {}
    found["x"] = await first("q")  # a
    found["y"] = await second("r")  # b
    return found

result_parsed:
async def main():
    x = json.loads(await first("q"))  # a
    names = [item["name"] for item in x]
    y = await second("r")  # b
    return names, y

logged:
async def main():
    x = await first("q")  # a
    logger.info("got %s", x)
    return x, await second("r")  # b

condition_of_parameter:
async def main(deep):
    x = await first("q")  # a
    if deep:
        return x, await second("r")  # b

skipped_items:
async def main(urls):
    pages = []
    for url in urls:
        page = await fetch(url)  # ab
        if not page:
            continue
        pages.append(page)

failures_collected:
async def main(urls):
    failed = []
    for url in urls:
        try:
            page = await fetch(url)  # ab
        except OSError as error:
            failed.append(error)

same_try:
async def main():
    try:
        x = await get_user("q")  # a
        y = await get_orders("q")  # b
        return x, y
    except OSError as error:
        return str(error)

inside_with:
async def main():
    async with agent_turn("x"):
        x = await first("q")  # a
        y = await second("r")  # b

argument_prepared:
async def main(topic: str):
    x = await first(topic)  # a
    query = topic.strip().lower() + " news"
    return x, await second(query)  # b

reassigned_name:
async def main(query: str):
    x = await first(query)  # a
    query = "other"
    return x, await second(query)  # b

other_reads_between:
async def main():
    x = await get_a("q")  # a
    y = await get_b("x")  # known
    z = await get_c("r")  # b
    return x, y, z

plain_functions:
def main():
    x = get_a("q")  # a
    y = get_b("r")  # b
    return x, y

module_level:
x = get_a("q")  # a
y = get_b("r")  # b

constant_of_module:
URL = "https://x"
async def main():
    x = await fetch(URL + "/a")  # a
    y = await fetch(f"{URL}/b")  # b

nested_loops:
async def main(groups):
    for group in groups:
        for item in group:
            print(item, await fetch(item))  # ab

walrus_of_parameter:
async def main(query: str):
    x = await first(short := query[:10])  # a
    return x, await second(short)  # b
"""

_SHARED = """
one_client: client
async def main(client):
    x = await fetch(client, "q")  # a
    y = await fetch(client, "r")  # b

receiver: pager
async def main(pager):
    return [await pager.get_next_page() for _ in range(3)]  # ab

receiver_attribute: self.client
class Agent:
    async def run(self):
        x = await self.client.fetch("q")  # a
        y = await self.client.fetch("r")  # b

alias_of_client: client
async def main(client):
    other = client
    x = await fetch(client, "q")  # a
    y = await fetch(other, "r")  # b

derived_from_shared: state
async def main(state):
    x = await first(state)  # a
    y = await second(state["next"])  # b

attribute_of_shared_receiver: self,self
class Stream:
    async def run(self):
        x = await self.get_profile()  # a
        y = await self.get_data(self.id)  # b

item_of_shared_receiver: self,self
class Shop:
    async def run(self):
        return [await self.get_price(item) for item in self.items]  # ab

annotated: -
async def main(query: str, count: int = 3):
    x = await first(query, count)  # a
    y = await second(query, count)  # b

constants: -
async def main():
    query = "q"
    x = await first(query)  # a
    y = await second(query)  # b
"""


def _programs(text: str) -> dict[str, tuple[str, str]]:
    """Return the programs of *text* by name, each with the word after its name."""
    found = {}
    for block in text.strip().split("\n\n"):
        head, _, program = block.partition("\n")
        name, _, word = head.partition(":")
        found[name] = (word.strip(), program + "\n")
    return found


TIED = _programs(_TIED)
"""By name: ``dependent`` or ``any``, and a program in which *b* may need *a*."""

FREE = _programs(_FREE)
"""By name: an empty word, and a program in which *b* does not need *a*."""

SHARED = _programs(_SHARED)
"""By name: the names that both calls share (``-`` for none), and a program that is independent apart from them."""
