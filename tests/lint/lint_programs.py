"""
Short programs for the lint. In `FOUND`, each line with a finding ends in ``# kind``; in `SILENT`, nothing is found.

Programs are separated by lines of the form ``name:``. All are bodies of one module.
"""

from __future__ import annotations

import re


def _programs(text: str) -> dict[str, str]:
    parts = re.split(r"^([a-z_0-9]+):$\n", text, flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


FOUND = _programs("""
two_assignments:
async def page(client, user):
    prices = await client.get_prices(user)  # serial_awaits
    orders = await client.list_orders(user)
    return prices, orders
three_assignments:
async def page(client, user):
    prices = await client.get_prices(user)  # serial_awaits
    orders = await client.list_orders(user)
    news: list = await client.find_news()
    return prices, orders, news
only_the_independent_ones:
async def page(client, user):
    account = await client.get_account(user)
    orders = await client.list_orders(account)  # serial_awaits
    news = await client.find_news("today")
    return orders, news
a_pure_statement_between:
async def page(client, user):
    prices = await client.get_prices(user)  # serial_awaits
    days = ["today"]
    days.append("yesterday")
    news = await client.find_news(days)
    return prices, news
in_one_expression:
async def page(client, user):
    return {"prices": await client.get_prices(user), "news": await client.find_news()}  # serial_awaits
arguments_of_one_call:
async def page(client, user):
    return dict(prices=await client.get_prices(user), news=await client.find_news())  # serial_awaits
within_a_branch:
async def page(client, user):
    if user:
        prices = await client.get_prices(user)  # serial_awaits
        news = await client.find_news()
        return prices, news
visible_function_that_waits:
async def get_prices(user):
    return await http("prices", user)

async def get_news():
    return await http("news")

async def page(user):
    prices = await get_prices(user)  # serial_awaits
    news = await get_news()
    return prices, news
client_session_is_no_session:
async def page(urls):
    async with aiohttp.ClientSession() as session:
        prices = await session.get(urls[0])  # serial_awaits
        news = await session.get(urls[1])
        return prices, news
annotated_client:
async def page(session: httpx.AsyncClient, urls):
    return [await session.get(url) for url in urls]  # await_in_loop
loop_that_appends:
async def prices(client, items):
    found = []
    for item in items:  # await_in_loop
        found.append(await client.get_price(item))
    return found
loop_with_a_result:
async def prices(client, items):
    found = {}
    total = 0
    for item in items:  # await_in_loop
        price = await client.get_price(item)
        if price is None:
            continue
        found[item] = price
        total += price
    return found, total
list_comprehension:
async def prices(client, items):
    return [await client.get_price(item) for item in items]  # await_in_loop
dict_comprehension:
async def prices(client, items):
    return {item: await client.get_price(item) for item in items if item}  # await_in_loop
sleep:
import time
async def poll():
    time.sleep(1)  # blocking_call
aliases:
from time import sleep as pause
import requests as http, subprocess as sp
async def poll(url):
    pause(1)  # blocking_call
    answer = http.get(url)  # blocking_call
    return sp.run(["ls"]), answer  # blocking_call
imported_in_the_function:
async def poll(url):
    from urllib.request import urlopen
    return urlopen(url)  # blocking_call
methods_of_what_is_made_here:
import requests, sqlite3, socket, subprocess
async def poll(url):
    with requests.Session() as http:
        answer = http.get(url)  # blocking_call
    database = sqlite3.connect("a.db")  # blocking_call
    database.execute("select 1")  # blocking_call
    plug = socket.socket()
    plug.connect(("localhost", 80))  # blocking_call
    child = subprocess.Popen(["ls"])
    child.communicate()  # blocking_call
    child.wait()
    return answer
future_of_an_executor:
from concurrent.futures import ThreadPoolExecutor
import asyncio
async def poll(work, loop, job):
    with ThreadPoolExecutor() as pool:
        future = pool.submit(work)
        first = future.result()  # blocking_call
        second = pool.submit(work).result()  # blocking_call
    return first, second, asyncio.run_coroutine_threadsafe(job(), loop).result()  # blocking_call
question:
async def ask():
    return input("name? ")  # blocking_call
shell:
import os
async def build():
    os.system("make")  # blocking_call
""")

SILENT = _programs("""
needs_the_first:
async def page(client, user):
    account = await client.get_account(user)
    return await client.list_orders(account.id)
condition:
async def page(client, user):
    account = await client.get_account(user)
    if account:
        return await client.list_orders(user)
early_exit:
async def page(client, user, ready):
    account = await client.get_account(user)
    if not ready:
        raise ValueError(user)
    orders = await client.list_orders(user)
    return account, orders
write_after_a_check:
async def page(client, user):
    account = await client.get_account(user)
    done = await client.create_order(user)
    return account, done
two_writes:
async def page(client, user):
    one = await client.send_mail(user)
    two = await client.delete_order(user)
    return one, two
unknown_calls:
async def page(client, user):
    one = await client.frobnicate(user)
    two = await client.handle(user)
    return one, two
a_guard:
async def page(client, user):
    allowed = await client.check_access(user)
    orders = await client.list_orders(user)
    return allowed and orders
tasks:
async def page(first, second):
    a = await first
    b = await second
    return a, b
locks_and_queues:
async def page(queue, lock, event):
    a = await queue.get()
    b = await queue.get()
    await lock.acquire()
    await event.wait()
    return a, b
pauses:
async def page(client, user):
    a = await client.get_prices(user)
    await asyncio.sleep(1)
    b = await client.find_news()
    return a, b
a_session:
async def page(session, user):
    a = await session.get(User, user)
    b = await session.get(Account, user)
    return a, b
a_session_by_its_annotation:
async def page(db2: AsyncSession, user):
    a = await db2.get_user(user)
    b = await db2.get_account(user)
    return a, b
a_session_in_an_argument:
async def page(session, user):
    a = await get_user(session, user)
    b = await get_account(session, user)
    return a, b
a_repository:
async def page(self, user):
    a = await self.user_repository.get_user(user)
    b = await self.user_repository.get_account(user)
    return a, b
in_a_transaction:
async def page(client, user):
    async with client.transaction():
        a = await client.get_user(user)
        b = await client.get_account(user)
    return a, b
under_a_lock:
async def page(client, lock, user):
    async with lock:
        a = await client.get_user(user)
        b = await client.get_account(user)
    return a, b
a_with_block_between:
async def page(client, user):
    a = await client.get_user(user)
    async with client.span():
        b = await client.get_account(user)
    return a, b
print_between:
async def page(client, user):
    a = await client.get_user(user)
    print(a)
    b = await client.get_account(user)
    return a, b
yield_between:
async def page(client, user):
    a = await client.get_user(user)
    yield a
    b = await client.get_account(user)
    yield b
unknown_function_between:
async def page(client, user):
    a = await client.get_user(user)
    begin(user)
    b = await client.get_account(user)
    return a, b
argument_read_from_the_shared_object:
async def page(self):
    a = await self.get_user("a")
    b = await self.get_account(self.key)
    return a, b
result_not_used:
async def page(client, user):
    await client.get_user(user)
    await client.get_account(user)
visible_function_that_never_waits:
async def get_prices(user):
    return [user]

async def get_news():
    return []

async def page(user):
    prices = await get_prices(user)
    news = await get_news()
    return prices, news
visible_method_that_writes:
class Shop:
    async def get_prices(self, user):
        self.last = user
        return await self.http("prices", user)

    async def page(self, users):
        return [await self.get_prices(user) for user in users]
visible_method_with_a_lock:
class Shop:
    async def get_prices(self, user):
        async with self.lock:
            return await self.http("prices", user)

    async def page(self, users):
        return [await self.get_prices(user) for user in users]
opening:
async def page(self):
    client = await self.get_client()
    news = await self.find_news()
    return client, news
reading_on:
async def page(source):
    head = await source.read(8)
    rest = await source.read(8)
    return head, rest
a_person:
async def page(screen2):
    name = await screen2.get_input("name")
    town = await screen2.get_input("town")
    return name, town
a_person_in_a_chat:
async def page(ctx):
    name = await get_command_for_joining(ctx)
    town = await get_command_for_leaving(ctx)
    return name, town
sometimes:
async def page(client, user):
    a = await client.get_user(user)
    b = await client.get_account(user) if user else None
    return a, b
either:
async def page(client, user):
    return await client.find_user(user) or await client.find_account(user)
loop_carries:
async def prices(client, items):
    last = None
    for item in items:
        last = await client.get_price(item, last)
    return last
loop_reads_what_it_collects:
async def prices(client, items):
    found = []
    for item in items:
        if len(found) < 3:
            found.append(await client.get_price(item))
    return found
a_chain_in_each_iteration:
async def stocks(client, items):
    found = []
    for item in items:
        place = await client.find_place(item)
        found.append(await client.get_stock(place))
    return found
search:
async def prices(client, items):
    for item in items:
        price = await client.get_price(item)
        if price:
            return price
first_hit:
async def prices(client, items):
    for item in items:
        price = await client.get_price(item)
        if price:
            break
    else:
        price = 0
    return price
retries:
async def price(client, item):
    answers = []
    for attempt in range(3):
        answers.append(await client.get_price(item, attempt))
    return answers
repetition:
async def price(client, item):
    answers = []
    for _ in range(3):
        answers.append(await client.get_price(item))
    return answers
polling:
async def price(client, item):
    status = None
    while status != "done":
        status = await client.get_status(item)
pagination:
async def rows(client):
    found = []
    token = ""
    while True:
        answer = await client.list_rows(token)
        found.extend(answer.rows)
        token = answer.following
        if not token:
            return found
pages:
async def rows(client):
    found = []
    for page_number in range(1, 10):
        found += await client.list_rows(page_number)
    return found
rate_limit:
async def prices(client, items):
    found = []
    for item in items:
        found.append(await client.get_price(item))
        await asyncio.sleep(1)
    return found
batches:
async def prices(client, items):
    found = []
    for chunk in split(items, 100):
        found.extend(await client.get_prices(chunk))
    return found
write_in_the_loop:
async def prices(client, items):
    for item in items:
        price = await client.get_price(item)
        done = await client.update_price(item, price)
print_in_the_loop:
async def prices(client, items):
    for item in items:
        price = await client.get_price(item)
        print(item, price)
yield_in_the_loop:
async def prices(client, items):
    for item in items:
        yield await client.get_price(item)
unknown_call_in_the_loop:
async def prices(self, client, items):
    for item in items:
        price = await client.get_price(item)
        self.keep(price)
stored_elsewhere:
async def prices(self, client, items):
    for item in items:
        self.price = await client.get_price(item)
async_for:
async def prices(client, items):
    return [await client.get_price(item) async for item in items]
lazy_items:
async def prices(client, items):
    return [await client.get_price(item) for item in (next(items) for _ in range(3))]
handler_in_the_loop:
async def prices(client, items):
    found = []
    for item in items:
        try:
            found.append(await client.get_price(item))
        except ValueError:
            found.append(None)
    return found
one_item:
async def prices(client, item):
    return [await client.get_price(each) for each in (item,)]
blocking_in_a_plain_function:
import time
def poll():
    time.sleep(1)
blocking_in_a_thread:
import asyncio, time
async def poll():
    def work():
        time.sleep(1)
    await asyncio.to_thread(work)
    await asyncio.to_thread(time.sleep, 1)
    await asyncio.get_running_loop().run_in_executor(None, lambda: time.sleep(1))
another_sleep:
from asyncio import sleep
async def poll(time):
    await sleep(1)
    time.sleep(1)
own_function_of_that_name:
import time
def input(text): ...
async def poll(requests):
    requests.get("a")
    time.sleep(0)
    return input("name? ")
future_of_asyncio:
import asyncio
async def poll(work):
    task = asyncio.create_task(work())
    await asyncio.wait([task])
    return task.result()
where_no_loop_runs:
import asyncio
async def closed(work, loop, running_loop):
    future = asyncio.run_coroutine_threadsafe(work(), loop)
    if running_loop is None:
        future.result()
database_in_memory:
import sqlite3
async def opened():
    return sqlite3.connect(":memory:")
async_library:
import httpx
async def poll(url):
    async with httpx.AsyncClient() as client:
        return await client.get(url)
""")
