from __future__ import annotations

import pytest

from otel_parallelism.source.functions import Site, SourceFile
from otel_parallelism.source.proof import Proof, prove
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
