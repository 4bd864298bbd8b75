"""
The SQL that finds the turn or the call that encloses each span, for all spans of a trace at once.

The spans of a trace are arrays. A look-up in them is a merge: definitions and references are sorted together by key,
and each reference takes the definition before it. That takes O(n log n) time and O(n) memory for n spans of a trace;
``array[index]`` in a lambda would copy the whole array for each span.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .dialect_rule import CALL, STEP, TURN

if TYPE_CHECKING:
    from collections.abc import Iterator

_ROUNDS: Final = 4
DEEPEST: Final = 2**_ROUNDS
"""How many spans without a kind may lie between a span and the turn or call around it."""


def _look_up(name: str, source: str, keys: str, values: str, wanted: str) -> Iterator[tuple[str, str]]:
    """
    Yield stages that add an array *name*: for each of *wanted*, the one of *values* whose key it is.

    Args:
        name: The array's name; the last stage is called ``with_`` and the name.
        source: The stage before.
        keys: An array of distinct positive numbers.
        values: An array of tuples of numbers, one for each key. A number that is no key gets zeros.
        wanted: An array of numbers.
    """
    nothing = f"defaultValueOfArgumentType({values}[1])"
    definitions = f"arrayMap((key, value) -> (toUInt64(key), 0, toUInt32(0), value), {keys}, {values})"
    references = (
        f"arrayMap((key, at, value) -> (toUInt64(key), 1, at, value), {wanted}, arrayEnumerate({wanted}),"
        f" arrayWithConstant(length({wanted}), {nothing}))"
    )
    merged = f"arraySort(row -> (row.1, row.2), arrayConcat({definitions}, {references}))"
    yield f"merging_{name}", f"SELECT *, {merged} AS merged FROM {source}"
    found = (
        "arrayMap((row, last) -> (row.2, row.3, if(last.2 = 0 AND last.1 = row.1, last.4, row.4)),"
        " merged, arrayFill(row -> row.2 = 0, merged))"
    )
    in_order = f"arraySort(row -> row.2, arrayFilter(row -> row.1 = 1, {found}))"
    yield (
        f"with_{name}",
        f"SELECT * EXCEPT (merged), arrayMap(row -> row.3, {in_order}) AS {name} FROM merging_{name}",
    )


def holder_stages(source: str) -> Iterator[tuple[str, str]]:
    """
    Yield stages of a query, each a name and a ``SELECT`` from the stage before it; the last is ``held``.

    Each stage adds arrays with an item for each span. In the last one, ``holders`` has tuples of the nearest turn or
    call around each span: ``at`` (its place, 0 if there is none), ``passed_step`` (whether a model request lies
    between), ``kind``, ``start_ns``, ``end_ns``, ``process`` and ``id``. ``parents`` has the same of its parent but for
    ``passed_step`` and ``id``. In a trace without turns, roots have the kind of turns in ``kinds``.

    Args:
        source: The name of the first stage's source, with an array ``spans`` of distinct spans for each trace. Its
            tuples have ``id``, ``parent``, ``kind``, ``start_ns``, ``end_ns`` and ``process``.
    """
    fields = "(at, span.kind, span.start_ns, span.end_ns, span.process)"
    numbered = f"arrayMap((at, span) -> {fields}, arrayEnumerate(spans), spans)"
    ids, wanted = (f"arrayMap(span -> span.{field}, spans)" for field in ("id", "parent"))
    yield from _look_up("found", source, ids, numbered, wanted)
    named = "'Array(Tuple(at UInt32, kind UInt8, start_ns Int64, end_ns Int64, process UInt64))'"
    yield (
        "with_parents",
        f"""SELECT * EXCEPT (found), CAST(found, {named}) AS parents,
  NOT arrayExists(span -> span.kind = {TURN}, spans) AS is_loose FROM with_found""",
    )
    yield (
        "with_reached_0",
        f"""SELECT *,
  arrayMap((span, parent) -> if(is_loose AND parent.at = 0, toUInt8({TURN}), span.kind), spans, parents) AS kinds,
  arrayMap(parent -> (parent.at, toUInt8(0)), parents) AS reached_0
FROM with_parents""",
    )
    for number in range(1, _ROUNDS + 1):
        before, now = f"reached_{number - 1}", f"reached_{number}"
        values = f"arrayMap((kind, further) -> (kind, further.1, further.2), kinds, {before})"
        places = f"arrayMap(here -> here.1, {before})"
        yield from _look_up(f"next_{number}", f"with_{before}", "arrayEnumerate(kinds)", values, places)
        yield (
            f"with_{now}",
            f"""SELECT * EXCEPT ({before}, next_{number}),
  arrayMap((here, next) -> if(here.1 = 0 OR next.1 IN ({CALL}, {TURN}), here,
    (next.2, toUInt8(here.2 OR next.1 = {STEP} OR next.3))), {before}, next_{number}) AS {now}
FROM with_next_{number}""",
        )
    reached = f"reached_{_ROUNDS}"
    values = "arrayMap((kind, span) -> (kind, span.start_ns, span.end_ns, span.process, span.id), kinds, spans)"
    places = f"arrayMap(here -> here.1, {reached})"
    yield from _look_up("around", f"with_{reached}", "arrayEnumerate(kinds)", values, places)
    fields = "at UInt32, passed_step UInt8, kind UInt8, start_ns Int64, end_ns Int64, process UInt64, id UInt64"
    named = f"'Array(Tuple({fields}))'"
    whole = "(here.1, here.2, around.1, around.2, around.3, around.4, around.5)"
    joined = f"arrayMap((here, around) -> {whole}, {reached}, around)"
    yield "held", f"SELECT * EXCEPT ({reached}, around), CAST({joined}, {named}) AS holders FROM with_around"
