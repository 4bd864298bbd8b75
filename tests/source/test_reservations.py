from __future__ import annotations

import ast

import pytest

from otel_parallelism.model import Call, CallFrame
from otel_parallelism.source.call_stacks import Level
from otel_parallelism.source.functions import Site, SourceFile, callee_name
from otel_parallelism.source.proof import Proof, prove
from otel_parallelism.source.reservations import change_around
from tests.source.test_proof import proof_of

TWO_CALLS = """
@tool
async def fetch(key):
    return key

async def main(helper, lock):
    a = await fetch("x")  # a
    b = await fetch("y")  # b
    return a, b
"""


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('    a = await fetch("x")', "# One request at a time: the provider bans us otherwise."),
        ('    a = await fetch("x")', "# The provider bans clients\n    # that have two requests open."),
        ('    b = await fetch("y")', "# The order matters here."),
        ('    b = await fetch("y")', "# Do not gather these."),
        ('    a = await fetch("x")', '"""Return both; they must not run concurrently."""'),
        ("    return key", '"""Fetch *key*. Not safe for concurrent use."""'),
        ("    return key", "# rate-limited"),
        ("@tool", "# The server allows one connection, so calls can't overlap."),
    ],
)
def test_words_against_calls_together_leave_the_pair_open(line: str, said: str) -> None:
    indent = " " * (len(line) - len(line.lstrip()))
    proof = proof_of(TWO_CALLS.replace(line, f"{indent}{said}\n{line}", 1))
    assert (proof.verdict, proof.doubted) == ("unknown", True)
    assert proof.reason.startswith("a comment or docstring speaks against it (line ")


@pytest.mark.parametrize(
    "said",
    [
        "# One after the other, although they could run together.",
        "# TODO: gather these, they do not need each other.",
        "# Both are awaited one by one, not in parallel.",
        "# parallelism: ignore[rate limit]",
        '"""Ask for two pages, one at a time."""',
    ],
)
def test_words_that_only_describe_the_order_do_not_matter(said: str) -> None:
    line = '    a = await fetch("x")'
    assert proof_of(TWO_CALLS.replace(line, f"    {said}\n{line}")).verdict == "independent"


def test_words_in_another_function_do_not_matter() -> None:
    other = '# Never call these in parallel.\nasync def other():\n    """Rate limited."""\n\n\n\n\n\n\n\n\n'
    assert proof_of(other + TWO_CALLS).verdict == "independent"


def proof_of_calls(program: str, name: str = "fetch") -> Proof:
    """Return the proof for the two calls of *name* in *program*, which are known by the ends of their texts."""
    file = SourceFile(program)
    calls = [node for node in ast.walk(file.tree) if isinstance(node, ast.Call) and callee_name(node) == name]
    sites = [Site("main", one.lineno, one.end_lineno or 0, one.end_col_offset or 0) for one in calls]
    return prove(file, *sites, known_reads=sites)


def wrapped(start: str, end: str) -> str:
    """Return the program with *start* and *end* around both calls of ``fetch``."""
    return (
        TWO_CALLS.replace("await fetch(", f"await {start}fetch(")
        .replace('")  #', f'"){end}  #')
        .replace("helper, ", "")
    )


@pytest.mark.parametrize(
    "helper",
    [
        "async def helper(call):\n    async with LOCK:\n        return await call",
        "async def helper(call):\n    LAST[0] = now()\n    return await call",
        "from tools import helper",
    ],
)
def test_a_function_may_delay_the_coroutine_that_it_is_given(helper: str) -> None:
    proof = proof_of_calls(f"{helper}\n{wrapped('helper(', ')')}")
    assert proof.verdict == "unknown"
    assert "helper may delay the call that it is given" in proof.reason


def test_a_function_that_only_awaits_the_coroutine_does_not_delay_it() -> None:
    helper = "async def helper(call):\n    return await call"
    assert proof_of_calls(f"{helper}\n{wrapped('helper(', ')')}").verdict == "independent"


def test_an_unknown_function_may_delay_the_function_that_it_is_given() -> None:
    proof = proof_of(TWO_CALLS.replace('fetch("', 'lock.run(fetch, "'))
    assert (proof.verdict, proof.reason) == ("unknown", "run may delay fetch, which it calls (line 7)")
    assert proof_of(TWO_CALLS.replace('fetch("', 'asyncio.to_thread(fetch, "')).verdict == "independent"


@pytest.mark.parametrize(("block", "verdict"), [("database.transaction()", "unknown"), ("timeout(5)", "independent")])
def test_calls_in_one_transaction_stay_as_they_are(block: str, verdict: str) -> None:
    program = TWO_CALLS.replace("    a = ", f"    async with {block}:\n        a = ").replace(
        "    b = ", "        b = "
    )
    proof = proof_of(program)
    assert proof.verdict == verdict
    assert ("both calls are made in one transaction" in proof.reason) is (verdict == "unknown")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("return CURRENT, key", "rotate, which is called in between, changes CURRENT, which get_b may read"),
        ("return key", ""),
    ],
)
def test_function_of_another_module_may_change_what_the_later_call_reads(body: str, reason: str) -> None:
    main = (
        "import session\nfrom tools import get_a, get_b\nasync def main():\n"
        "    a = await get_a(1)\n    token = session.rotate()\n    return a, token, await get_b(2)\n"
    )
    texts = {
        "/srv/main.py": main,
        "/srv/session.py": f"def rotate():\n    global CURRENT\n    CURRENT = 2\ndef current(key):\n    {body}",
        "/srv/tools.py": "import session\ndef get_a(key): ...\ndef get_b(key):\n    return session.current(key)",
    }
    files = {path: SourceFile(text) for path, text in texts.items()}
    frames = [CallFrame("/srv/main.py", line, "main", identity=1) for line in (4, 6)]
    calls = [Call("1", "1", "", tool, 0, 1) for tool in ("get_a", "get_b")]
    level = Level(*frames, direct=True)
    stacks = [(frame,) for frame in frames]
    assert change_around(stacks, level, calls, lambda frame: files.get(frame.file_path)) == reason


@pytest.mark.parametrize(
    ("body", "test", "reason"),
    [
        ("return await db.fetch(key)", "db", "find and look_up both use busy, which is set while they run"),
        ("SPENT.append(key)", "budget.SPENT", "SPENT, which find changes, may decide whether look_up is called"),
        ("return key", "budget.SPENT", ""),
    ],
)
def test_state_that_calls_keep_outside_of_them_leaves_the_pair_open(body: str, test: str, reason: str) -> None:
    texts = {
        "/srv/main.py": (
            "import budget\nfrom tools import find, look_up\nasync def main(db):\n"
            f"    a = await find(db, 1)\n    if {test}:\n        return await look_up(db, 2)\n"
        ),
        "/srv/tools.py": (
            "from budget import SPENT\nfrom connections import Db\n"
            f"async def find(db, key):\n    {body}\nasync def look_up(db, key):\n    {body}"
        ),
        "/srv/budget.py": "SPENT = []",
        "/srv/connections.py": (
            "class Db:\n    async def fetch(self, key):\n        assert not self.busy\n        self.busy = True"
        ),
    }
    files = {path: SourceFile(text) for path, text in texts.items()}
    frames = [CallFrame("/srv/main.py", line, "main", identity=1) for line in (4, 6)]
    calls = [Call(tool, "1", "", tool, 0, 1) for tool in ("find", "look_up")]
    found = change_around(
        [(frame,) for frame in frames], Level(*frames, direct=True), calls, lambda one: files.get(one.file_path)
    )
    assert found == reason


@pytest.mark.parametrize(
    ("first", "second", "changed"),
    [
        (
            "found.append(1)",
            "return list(found)",
            True,
        ),
        (
            "found.put_nowait(1)",
            "return found.get_nowait()",
            True,
        ),
        ("return len(found)", "return list(found)", False),
    ],
)
def test_object_that_both_are_given_counts_where_only_the_source_shows_it(
    first: str, second: str, *, changed: bool
) -> None:
    text = (
        f"def get_a(found):\n    {first}\ndef get_b(found):\n    {second}\n"
        "def main():\n    box = make()\n    get_a(box)\n    get_b(box)\n"
    )
    file = SourceFile(text)
    frames = [CallFrame("/srv/main.py", line, "main") for line in (7, 8)]
    calls = [Call("1", "1", "", tool, 0, 1) for tool in ("get_a", "get_b")]
    stacks = [(frame,) for frame in frames]
    reason = "box, which get_a and get_b were both given, is changed by one of them"
    assert change_around(stacks, Level(*frames, direct=True), calls, lambda _: file, ["box"]) == reason * changed
