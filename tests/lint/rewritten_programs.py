"""
Programs for ``--fix``: in `KEPT`, a rewrite would change what happens; those in `REWRITTEN` are run before and after.

Each has ``get_a`` and ``get_b``, which only read. ``pause`` is passed in by the test and waits.
"""

from __future__ import annotations

import re

PRELUDE = """\
async def get_a(x=1):
    await pause()
    return x * 2


async def get_b(x=1):
    await pause()
    return [x, x]


async def get_fault(x=1):
    await pause()
    raise KeyError(x)


"""


def _programs(text: str) -> dict[str, str]:
    parts = re.split(r"^([a-z_0-9]+):$\n", text, flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


REWRITTEN = _programs('''
two_calls:
async def main():
    a = await get_a(3)
    b = await get_b(4)
    return a, b
three_calls_with_comments:
import os  # an import


async def main(key=7):
    """Its documentation."""
    # before
    first = await get_a(key)  # the first

    # about the second
    second = await get_b(  # type: ignore
        key
    )
    third = await get_a(x=5)
    # after
    return first, second, third, os.sep
in_a_branch:
import asyncio, os
async def main(ready=True):
    if ready:
        a = await get_a(3)
        b = await get_b(os.sep)
        return [a, b]
in_a_loop:
async def main():
    found = []
    for x in range(3):
        a = await get_a(1)
        b = await get_b(2)
        if x == 1:
            continue
        found += [x, a, b]
    return found
methods:
class Shop:
    async def get_a(self, x):
        await pause()
        return [self, x][1]

    async def page(self):
        a = await self.get_a(1)
        b = await self.get_a(2)
        return a, b


async def main():
    return await Shop().page()
long_lines:
async def main():
    a_variable_with_a_long_name = await get_a("a text that is long")
    another_variable = await get_b("ä", )
    return a_variable_with_a_long_name, another_variable
text_over_several_lines:
async def main():
    a = await get_a("""one
  two""")
    b = await get_b("three")
    return a, b
inside_a_turn:
from otel_parallelism import agent_turn
async def main():
    with agent_turn("page"):
        a = await get_a(3)
        b = await get_b(4)
        return a, b
decorated_by_us:
from otel_parallelism import profiled
@profiled(effect="read")
async def get_c(x):
    await pause()
    return x

@profiled
async def get_d(x):
    await pause()
    return -x

async def main():
    c = await get_c(3)
    d = await get_d(4)
    return c, d
a_few_items_with_another_argument:
async def main(key=4):
    items = (1, 2, 3)
    return [await get_c(item, key) for item in items]

async def get_c(x, key):
    await pause()
    return x + key
a_failing_call:
async def main():
    a = await get_a(3)
    b = await get_fault(4)
    return a, b
a_comprehension:
from __future__ import annotations
async def main():
    return [await get_a(x) for x in range(5)]
a_comprehension_that_fails:
async def main():
    return [await get_fault(x) for x in range(5)]
part_of_an_expression:
async def main():
    return [await get_a(x) for x in (3, 4)][1]
argument_of_a_call:
async def main():
    return sum([await get_a(x) for x in {3: 1, 4: 2}])
a_loop_that_appends:
import otel_parallelism
async def main():
    found = []
    for x in [3, 4, 5]:
        found.append(await get_a(x))
    found.append(6)  # the last
    return found
a_loop_over_a_condition:
async def main(some=(1, 2)):
    found: list = []
    for x in (some if some else [3]):
        found.append(await get_b(x))
    return found
''')

KEPT = _programs("""
needs_the_first:
async def main():
    a = await get_a(1)
    b = await get_b(a)
    return b
needs_it_in_a_keyword:
async def main():
    a = await get_a(1)
    b = await get_b(x=a)
    return b
same_variable:
async def main():
    a = await get_a(1)
    a = await get_b(2)
    return a
reads_a_variable_that_is_set:
async def main(b=3):
    a = await get_a(1)
    b = await get_b(b)
    return a, b
in_try:
async def main():
    try:
        a = await get_a(1)
        b = await get_b(2)
    except KeyError:
        return None
    return a, b
in_finally:
async def main():
    try:
        pass
    finally:
        a = await get_a(1)
        b = await get_b(2)
    return a, b
in_a_handler:
async def main():
    try:
        raise KeyError
    except KeyError:
        a = await get_a(1)
        b = await get_b(2)
        return a, b
in_async_with:
async def main(gate):
    async with gate:
        a = await get_a(1)
        b = await get_b(2)
    return a, b
in_with:
async def main(gate):
    with gate:
        a = await get_a(1)
        b = await get_b(2)
    return a, b
in_a_turn_with_a_gate:
from otel_parallelism import agent_turn
async def main(gate):
    with agent_turn("page"), gate:
        a = await get_a(1)
        b = await get_b(2)
    return a, b
decorated_by_others:
from other import profiled
@profiled
async def get_c(x):
    return await get_a(x)

async def main():
    a = await get_c(1)
    b = await get_b(2)
    return a, b
many_items_with_another_argument:
async def get_c(x, key):
    return await get_a(x + key)

async def main(items, key):
    return [await get_c(item, key) for item in items]
listed_twice:
async def get_c(x, key):
    return await get_a(x + key)

async def main(more, key):
    items = [1, 2]
    items = items if key else more
    return [await get_c(item, key) for item in items]
in_async_for:
async def main(rows):
    async for row in rows:
        a = await get_a(1)
        b = await get_b(2)
    return a, b
generator:
async def main():
    a = await get_a(1)
    b = await get_b(2)
    yield a, b
early_return:
async def main(ready):
    a = await get_a(1)
    if ready:
        return a
    b = await get_b(2)
    return a, b
early_raise:
async def main(ready):
    a = await get_a(1)
    if not ready:
        raise ValueError
    b = await get_b(2)
    return a, b
asserted:
async def main():
    a = await get_a(1)
    assert a
    b = await get_b(2)
    return a, b
break_between:
async def main():
    for x in range(3):
        a = await get_a(x)
        if a > 2:
            break
        b = await get_b(x)
    return a, b
continue_between:
async def main():
    found = []
    for x in range(3):
        a = await get_a(x)
        if a > 2:
            continue
        b = await get_b(x)
        found.append(b)
    return found
print_between:
async def main():
    a = await get_a(1)
    print(a)
    b = await get_b(2)
    return a, b
log_between:
async def main(log):
    a = await get_a(1)
    log.info("a")
    b = await get_b(2)
    return a, b
statement_between:
async def main():
    a = await get_a(1)
    c = 3
    b = await get_b(2)
    return a, b, c
sleep_between:
import asyncio
async def main():
    a = await get_a(1)
    await asyncio.sleep(1)
    b = await get_b(2)
    return a, b
unpacked:
async def main():
    a, c = await get_b(1)
    b = await get_b(2)
    return a, b, c
annotated:
async def main():
    a: int = await get_a(1)
    b: list = await get_b(2)
    return a, b
attribute_target:
async def main(box):
    box.a = await get_a(1)
    box.b = await get_b(2)
two_targets:
async def main():
    a = c = await get_a(1)
    b = await get_b(2)
    return a, b, c
more_than_the_call:
async def main():
    a = (await get_a(1)) + 1
    b = await get_b(2)
    return a, b
one_line:
async def main():
    a = await get_a(1); b = await get_b(2)
    return a, b
arguments_in_order:
async def main(items):
    a = await get_a(next(items))
    b = await get_b(next(items))
    return a, b
walrus:
async def main():
    a = await get_a(y := 1)
    b = await get_b(y)
    return a, b
result_not_used:
async def main():
    await get_a(1)
    await get_b(2)
unknown_client:
async def main(client):
    a = await client.get_a(1)
    b = await client.get_b(2)
    return a, b
parameter_of_that_name:
async def main(get_a):
    a = await get_a(1)
    b = await get_b(2)
    return a, b
function_that_is_replaced:
async def main():
    a = await get_a(1)
    b = await get_b(2)
    return a, b


if main:
    async def get_b(x):
        return x
inner_function_of_that_name:
async def main(shop):
    async def get_a(x):
        shop.x = x
    a = await get_a(1)
    b = await get_b(2)
    return a, b
overridden_method:
class Shop:
    async def get_c(self):
        raise NotImplementedError

    async def main(self):
        a = await self.get_c()
        b = await self.get_c()
        return a, b
imported_function:
from shop import get_price, get_stock
async def main():
    a = await get_price(1)
    b = await get_stock(2)
    return a, b
writing_method:
class Shop:
    async def get_c(self):
        await pause()
        self.count = 1
        return 1

    async def main(self):
        a = await self.get_c()
        b = await self.get_c()
        return a, b
decorated:
from functools import wraps
@wraps
async def get_c():
    await pause()

async def main():
    a = await get_c()
    b = await get_a(1)
    return a, b
other_event_loop:
import trio
async def main():
    a = await get_a(1)
    b = await get_b(2)
    return a, b
twisted_loop:
from twisted.internet import defer
async def main():
    a = await get_a(1)
    b = await get_b(2)
    return a, b
name_is_taken:
async def main(asyncio):
    a = await get_a(1)
    b = await get_b(2)
    return a, b, asyncio
another_module_of_that_name:
import shop as asyncio
async def main():
    a = await get_a(1)
    b = await get_b(2)
    return a, b
comment_in_a_statement:
async def main():
    a = await (  # the first
        get_a(1)
    )
    b = await get_b(2)
    return a, b
silenced:
async def main():
    a = await get_a(1)  # parallelism: ignore[one at a time]
    b = await get_b(2)
    return a, b
loop_carried:
async def main():
    last = 0
    for x in range(3):
        last = await get_a(last)
    return last
loop_reads_its_list:
async def main():
    found = [1]
    for x in range(3):
        found.append(await get_a(found[0]))
    return found
loop_with_break:
async def main():
    found = []
    for x in range(3):
        found.append(await get_a(x))
        break
    return found
loop_with_else:
async def main():
    found = []
    for x in range(3):
        found.append(await get_a(x))
    else:
        found.append(1)
    return found
loop_with_a_condition:
async def main():
    found = []
    for x in range(3):
        if x:
            found.append(await get_a(x))
    return found
search:
async def main():
    for x in range(3):
        a = await get_a(x)
        if a:
            return a
loop_in_try:
async def main():
    found = []
    try:
        for x in range(3):
            found.append(await get_fault(x))
    except KeyError:
        return found
try_in_loop:
async def main():
    found = []
    for x in range(3):
        try:
            found.append(await get_fault(x))
        except KeyError:
            pass
    return found
loop_variable_used_later:
async def main():
    found = []
    for x in range(3):
        found.append(await get_a(x))
    return found, x
list_of_another_function:
async def main(found):
    for x in range(3):
        found.append(await get_a(x))
list_seen_by_a_closure:
async def main():
    found = []
    def count():
        return len(found)
    for x in range(3):
        found.append(await get_a(x))
    return count()
dict_entries:
async def main():
    found = {}
    for x in range(3):
        found[x] = await get_a(x)
    return found
filtered_comprehension:
async def main():
    return [await get_a(x) for x in range(3) if x]
more_arguments:
async def main(y=1):
    return [await get_a(x=x) for x in range(3)]
nested_comprehension:
async def main():
    return [await get_a(x) for y in range(3) for x in range(y)]
method_of_the_item:
async def main(items):
    return [await item.get_a(item) for item in items]
async_comprehension:
async def main(items):
    return [await get_a(x) async for x in items]
lazy_items:
async def main(items):
    return [await get_a(next(items)) for x in range(3)]
paged:
async def main():
    return [await get_a(page) for page in range(3)]
retried:
async def main():
    return [await get_a(attempt) for attempt in range(3)]
rate_limited:
import asyncio
async def main():
    found = []
    for x in range(3):
        found.append(await get_a(x))
        await asyncio.sleep(1)
    return found
printed:
async def main():
    for x in range(3):
        a = await get_a(x)
        print(a)
commented_loop:
async def main():
    found = []
    for x in range(3):
        # a reason
        found.append(await get_a(x))
    return found
""")
