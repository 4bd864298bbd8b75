from __future__ import annotations

import ast
import itertools

import pytest

from otel_parallelism.lint.linting import lint_source
from otel_parallelism.source.functions import Site, SourceFile, own_nodes
from otel_parallelism.source.proof import Proof, _Walk, prove, prove_calls
from tests.amounts import some_of
from tests.source.programs import FREE, SHARED, TIED


def proof_of(program: str) -> Proof:
    """Return the proof for the calls marked in *program*."""
    lines = program.splitlines()
    marks = {mark: number for number, line in enumerate(lines, 1) for mark in (line.partition("  # ")[2],) if mark}
    a, b = marks.get("a") or marks["ab"], marks.get("b") or marks["ab"]
    file = SourceFile(program)
    known = {marks["known"]} if "known" in marks else set()
    return prove(file, _site(file, a), _site(file, b), known_reads=[_site(file, line) for line in known])


def _site(file: SourceFile, line: int) -> Site:
    names = [name for name in ("main", "run") if file.function(name, line) is not None]
    return Site(names[0] if names else "<module>", line)


@pytest.mark.many
@pytest.mark.parametrize("name", some_of(TIED, every=2))
def test_calls_that_may_need_one_another_are_not_independent(name: str) -> None:
    expected, program = TIED[name]
    proof = proof_of(program)
    assert proof.verdict != "independent", proof
    assert proof.verdict in {
        expected,
        "dependent" if expected == "any" else expected,
        "unknown" if expected == "any" else "",
    }
    assert proof.reason


@pytest.mark.many
@pytest.mark.parametrize("name", some_of(FREE, every=2))
def test_calls_that_need_nothing_of_one_another_are_independent(name: str) -> None:
    proof = proof_of(FREE[name][1])
    assert proof.verdict == "independent", proof


@pytest.mark.many
@pytest.mark.parametrize("name", some_of(SHARED, every=2))
def test_names_that_both_calls_share_are_told(name: str) -> None:
    expected, program = SHARED[name]
    proof = proof_of(program)
    assert proof.verdict == "independent", proof
    assert (",".join((*proof.shared, *proof.derived)) or "-") == expected


@pytest.mark.slow
def test_a_function_with_many_objects_is_given_up_early() -> None:
    lines = [f"    x{number} = [use({number})]" for number in range(400)]
    program = "\n".join(
        ["async def main(use):", "    a = await first()  # a", *lines, "    return a, await second()  # b"]
    )
    assert proof_of(program).verdict == "unknown"
    assert "too long" in proof_of(program).reason


def test_functions_without_a_name_are_told_apart() -> None:
    program = """\
async def main(tools):
    found = await tools["search"]()  # a
    if found:
        await tools["fetch"]()  # b
"""
    assert proof_of(program) == Proof(
        "dependent",
        "whether the second function is called depends on found (line 2), which comes from the first function",
    )


TOLD_APART = """
import asyncio
import settings

CACHE = {}

async def get_size(name):
    return CACHE.get(name)

async def get_owner(name):
    await asyncio.sleep(1)
    return name

async def main(names, found):
    a = await get_price(names)
    CACHE["a"] = a
    b = await get_size(names)
    c = await get_owner(found)
    settings.at = 1
    get_colour(names)
    d = await get_colour(a)
    for name in names:
        e = await get_rate(name, found)
        found.append(e)
        f = await get_place(name)
    return a, b, c, d, e, f, [g for g in names if (await get_last(g))]
"""


def test_one_walk_for_several_later_calls_shows_what_a_walk_for_each_shows() -> None:
    def proofs(*, together: bool) -> list[Proof]:
        file = SourceFile(TOLD_APART)
        (function,) = file.named["main"]
        calls = [node.value for node in own_nodes(function) if isinstance(node, ast.Await)]
        others = [one for one in calls if together]
        pairs = itertools.product(calls, repeat=2)
        return [prove_calls(file, function, *pair, known=frozenset(calls), others=others) for pair in pairs]

    assert proofs(together=True) == proofs(together=False)
    assert {proof.verdict for proof in proofs(together=True)} == {"independent", "dependent", "unknown"}


def test_calls_are_followed_at_most_twice_from_the_same_first_call(monkeypatch: pytest.MonkeyPatch) -> None:
    walks = []
    start = _Walk.proofs
    monkeypatch.setattr(_Walk, "proofs", lambda walk: walks.append(walk) or start(walk))
    text = "async def main(a):\n" + "".join(f" x{at} = await get_{at}(a)\n" for at in range(20))
    assert [(one.line, one.end_line) for one in lint_source(text, "f.py").findings] == [(2, 21)]
    assert len(walks) == 18 * 2 + 1


def test_a_function_that_is_too_long_for_every_pair_is_followed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    walks = []
    start = _Walk.proofs
    monkeypatch.setattr(_Walk, "proofs", lambda walk: walks.append(walk) or start(walk))
    text = "async def main(a):\n" + "".join(f" x{at} = await get_{at}(a)\n" for at in range(1_600))
    assert not lint_source(text, "f.py").findings
    # The second one is the shortest walk that there is.
    assert len(walks) == 2
