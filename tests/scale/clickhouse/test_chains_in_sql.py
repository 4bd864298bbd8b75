"""Each chain that SQL names is one that the core reports, with the same calls and the same saving."""

from __future__ import annotations

import json
import random
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest

from otel_parallelism.analysis.dependencies.effects import verb_tables as tables
from otel_parallelism.analysis.dependencies.effects.argument_effects import ACTS, ACTS_WITH, argument_effect
from otel_parallelism.analysis.dependencies.effects.left_behind import left_behind
from otel_parallelism.analysis.dependencies.effects.reported_acts import reports_an_act
from otel_parallelism.analysis.dependencies.effects.sessions import acts_on_session
from otel_parallelism.analysis.dependencies.effects.tool_descriptions import tells_of_more
from otel_parallelism.analysis.dependencies.effects.tool_verbs import assumed_effect, is_result
from otel_parallelism.dialects.parsing import envelopes
from otel_parallelism.dialects.parsing.tool_definitions import described_tools
from otel_parallelism.model import Call, Content, SpanRecord
from otel_parallelism.readers.otlp_json import read_otlp_json
from otel_parallelism.scale.clickhouse.chain_conditions import (
    ANY_TOOL,
    ORDERLESS,
    READING,
    description_tells_of_more,
    doubted_tools,
    is_telling,
    name_nature,
)
from otel_parallelism.scale.clickhouse.chain_query import chains_query
from otel_parallelism.scale.clickhouse.sql_expressions import quoted
from otel_parallelism.settings import Settings
from tests.scale.clickhouse.collector_table import ALWAYS, TABLE
from tests.scale.clickhouse.compared_chains import compared_chains
from tests.scale.clickhouse.drawn_responses import START_NS, TOOLS, drawn_responses
from tests.scale.clickhouse.drawn_traces import drawn_traces

if TYPE_CHECKING:
    from tests.scale.clickhouse.collector_table import CollectorTable

ROOT = Path(__file__).parents[3]
RECORDED = sorted((ROOT / "tests" / "fixtures" / "spans").glob("*.jsonl"))
SHARED_FOLDER = ROOT.parent / "shared" / "data" / "spans"


def test_recorded_spans(table: CollectorTable) -> None:
    table.replace(span for path in RECORDED for span in read_otlp_json(path))
    found = compared_chains(table)
    print(f"recorded spans: {dict(found)}")
    assert found["named"] == 3


def test_shared_recorded_spans(table: CollectorTable) -> None:
    files = sorted(SHARED_FOLDER.glob("*.jsonl"))
    if not files:
        pytest.skip(f"no {SHARED_FOLDER}")
    table.replace(span for path in files for span in read_otlp_json(path))
    found = compared_chains(table)
    print(f"shared spans: {dict(found)}")
    assert found["named"] > 0


@pytest.mark.parametrize("seed", range(3))
def test_drawn_responses(table: CollectorTable, seed: int) -> None:
    table.replace(span for turn in drawn_responses(seed, 500) for span in turn)
    found = compared_chains(table)
    print(f"drawn responses: {dict(found)}")
    assert found["named"] > 20
    assert found["recommended"] > found["potential"] > 0
    assert {"rounds", "overlap", "contents", "effects", "small", "inside", "recorded"} <= set(found)


def test_drawn_traces(table: CollectorTable) -> None:
    table.replace(span for trace in drawn_traces(4, 250) for span in trace)
    assert compared_chains(table)["named"] == 0


def test_settings(table: CollectorTable) -> None:
    """Thresholds are those of the core; with patterns of tools nothing is named."""
    table.replace(span for turn in drawn_responses(9, 400) for span in turn)
    usual = compared_chains(table)["named"]
    strict = Settings(min_avoidable=1.5, large_avoidable=1.5, assumed_limit=3)
    assert 0 < compared_chains(table, strict)["named"] < usual
    for pattern in (
        {"writes": ("get_*",)},
        {"silence": ("cause:dispatch",)},
        {"serial": ("x",)},
        {"read_only": ("x",)},
    ):
        rows = table.rows(chains_query(TABLE, *ALWAYS, Settings(**pattern)))
        assert {"settings"} <= {row["undecided"] for row in rows}
        assert [row for row in rows if row["chain"] or not row["undecided"]] == []


def test_names_of_tools(table: CollectorTable) -> None:
    """A name that SQL takes for one that reads, or that keeps no order, is one for the core too."""
    choose = random.Random(1)
    tabled = {word for each in vars(tables).values() if isinstance(each, frozenset) for word in each}
    words = sorted({word for word in tabled if isinstance(word, str)} | {"weather", "price", "a", "x1", "git"})
    drawn = ["_".join(choose.choices(words, k=choose.choice((1, 2, 2, 3, 4)))) for _ in range(2_500)]
    after_reading = [f"{choose.choice(sorted(tables.READS))}_{name}" for name in drawn]
    listed = ", ".join(f"'{name}'" for name in {*TOOLS, *drawn, *after_reading})
    rows = table.rows(f"SELECT tool, {name_nature('tool')} AS nature FROM (SELECT arrayJoin([{listed}]) AS tool)")
    found = Counter(row["nature"] for row in rows)
    assert min(found[READING], found[ORDERLESS]) > 80
    for row in rows:
        if row["nature"]:
            effects = {assumed_effect(row["tool"], arguments_seen=seen) for seen in (False, True)}
            assert len(effects - {"write"}) == len(effects) == 1, row
            assert not acts_on_session(row["tool"], None), row
            assert not is_result(row["tool"]), row
        if row["nature"] == READING:
            assert effects == {"read"}, row


def test_descriptions_of_tools(table: CollectorTable) -> None:
    """A description that tells of more than a read tells of it in both."""
    described = (
        *("Get the weather in a city.", "Lists what the last search found.", "Fetches a mail and marks it as read."),
        *("Opens the\n  scope.", "get_x gets x", "Use `open_session` first.", "Read the last 100 lines", ""),
        *("start_time: at", "```open_x()``` prints", "Send a GET request", "Send a mail", "as run_query found"),
    )
    listed = ", ".join(quoted(text) for text in described)
    more = description_tells_of_more("text", quoted("get_x"))
    query = f"SELECT text, {more} AS more FROM (SELECT arrayJoin([{listed}]) AS text)"
    found = {row["text"]: bool(row["more"]) for row in table.rows(query)}
    assert found == {text: tells_of_more(text, "get_x") for text in described}
    assert Counter(found.values()) == {True: 6, False: 7}


_DEFINED = (
    {"name": "get_x", "description": "Gets x."},
    {"name": "open_x", "description": "Opens the\n  scope."},
    {"name": "list_y", "description": "Use `open_x` first."},
)


@pytest.mark.parametrize(
    ("attributes", "doubted"),
    [
        ({}, []),
        ({"gen_ai.tool.definitions": "[]"}, []),
        ({"gen_ai.tool.definitions": json.dumps(_DEFINED)}, ["list_y", "open_x"]),
        ({"gen_ai.tool.definitions": json.dumps([{"function": one} for one in _DEFINED])}, ["list_y", "open_x"]),
        ({"gen_ai.tool.definitions": json.dumps(_DEFINED[:1])}, []),
        (
            {"gen_ai.tool.definitions": json.dumps(_DEFINED[:1]), "model_request_parameters": '{"function_tools": []}'},
            [],
        ),
        ({f"llm.tools.{n}.tool.json_schema": json.dumps(one) for n, one in enumerate(_DEFINED)}, ["list_y", "open_x"]),
        ({"gen_ai.tool.definitions": '[{"name'}, [ANY_TOOL]),
        ({"gen_ai.tool.definitions": json.dumps([{"functionDeclarations": _DEFINED}])}, [ANY_TOOL]),
        ({"model_request_parameters": json.dumps({"function_tools": _DEFINED})}, [ANY_TOOL]),
        ({"llm.request.functions.0.name": "get_x"}, [ANY_TOOL]),
        ({"langfuse.observation.input": json.dumps({"tools": _DEFINED})}, [ANY_TOOL]),
        ({"langfuse.observation.input": "which tools?"}, []),
    ],
)
def test_definitions_of_tools(table: CollectorTable, attributes: dict[str, str], doubted: list[str]) -> None:
    """A definition that tells of more than a read does so for SQL too, or SQL takes all tools for doubtful."""
    table.replace([SpanRecord("1" * 32, "a" * 16, "", "chat m", START_NS, START_NS + 9, attributes)])
    ((found,),) = [row.values() for row in table.rows(f"SELECT {doubted_tools()} AS doubted FROM {TABLE}")]
    assert sorted(found) == doubted
    core = {name for name, said in (described_tools(attributes) or {}).items() if tells_of_more(said, name)}
    assert core <= set(found) or ANY_TOOL in found


def test_chain_of_a_defined_tool(table: CollectorTable) -> None:
    """Where a request says more of a tool than that it reads, SQL names no chain with the tool."""
    named = []
    for description in ("Gets the stock.", "Gets the stock that the last call opened."):
        definitions = json.dumps([{"name": "get_stock", "description": description}])
        spans = [span for turn in drawn_responses(5, 400) for span in turn]
        table.replace(
            msgspec.structs.replace(span, attributes={**span.attributes, "gen_ai.tool.definitions": definitions})
            if span.attributes.get("gen_ai.operation.name") == "chat"
            else span
            for span in spans
        )
        named.append(compared_chains(table))
    plain, doubted = named
    assert plain["named"] > doubted["named"] > 0
    rows = table.rows(chains_query(TABLE, *ALWAYS, Settings()))
    assert not any("get_stock" in row["tools"] for row in rows)


def test_reported_acts(table: CollectorTable) -> None:
    """A result that reports an act for the core is never plain for SQL."""
    choose = random.Random(2)
    words = sorted(
        tables.word_set(
            """
            loaded opened saved stored switched connected wrote uploaded initialized logged in signed checked out
            session connection browser started created established config credentials was has been set added is now
            open active viewing results output data are available ready kept at under as via put into to memory cache
            workspace file the successfully weather prices by merged context - 7 \u2713
            """
        )
    )
    texts = [" ".join(choose.choices(words, k=choose.choice((1, 2, 3, 4, 6)))).capitalize() for _ in range(12_000)]
    forms = (lambda text: text, lambda text: json.dumps({"a": f"\n {text}"}), lambda text: repr([text, "b"]))
    results = [choose.choice(forms)(text) for text in texts]
    acts = [text for text in results if reports_an_act(Content(text, parse=envelopes.result))]
    assert len(acts) > 1_000
    listed = ", ".join(map(quoted, acts))
    rows = table.rows(f"SELECT text FROM (SELECT arrayJoin([{listed}]) AS text) WHERE NOT {is_telling('text')}")
    assert rows == []


def test_flags_that_ask_to_act(table: CollectorTable) -> None:
    """Arguments that ask a call to act for the core are never plain for SQL."""
    choose = random.Random(3)
    words = sorted(ACTS | ACTS_WITH | {"is", "all", "as", "read", "dry", "run", "only", "preview", "test", "mode", "x"})
    joints = (
        "_".join,
        "-".join,
        "".join,
        lambda some: some[0] + "".join(map(str.capitalize, some[1:])),
    )
    drawn = [
        {choose.choice(joints)(choose.choices(words, k=choose.choice((1, 2, 3)))): choose.choice((True, False, "a b"))}
        for _ in range(6_000)
    ]
    acting = [given for given in drawn if argument_effect("get_prices", given) is not None]
    assert len(acting) > 1_000
    texts = [choose.choice((json.dumps, repr))({"city": "Rome", **given}) for given in acting]
    listed = ", ".join(map(quoted, texts))
    rows = table.rows(f"SELECT text FROM (SELECT arrayJoin([{listed}]) AS text) WHERE NOT {is_telling('text')}")
    assert rows == []


def test_what_calls_leave_behind(table: CollectorTable) -> None:
    """Two calls of which the later may read what the earlier left are not both reading and plain for SQL."""
    choose = random.Random(4)
    nouns = "flights summary rows element text page transcript results column report prices file notes".split()  # noqa: SIM905 - long
    verbs = sorted(tables.READS)
    names = sorted(
        {f"{choose.choice(verbs)}_{choose.choice(nouns)}" for _ in range(400)} | {"search", "lookup", "find"}
    )
    given: list[dict[str, object]] = [
        {},
        {"index": 2},
        {"city": "Oslo"},
        {"sessionId": "S1", "of": "a"},
        {"thread_id": 12, "text": "b"},
        {"row": "F", "hold_seconds": 300},
        {"if_missing": "create"},
        {"url": "https://a.example/job/build"},
        {"url": "https://a.example/lamp?on=true"},
    ]
    quoted_names = ", ".join(map(quoted, names))
    natures = table.rows(
        f"SELECT tool, {name_nature('tool')} AS nature FROM (SELECT arrayJoin([{quoted_names}]) AS tool)"
    )
    reading = [row["tool"] for row in natures if row["nature"] == READING]
    texts = ", ".join(quoted(json.dumps(each)) for each in given)
    plain = table.rows(f"SELECT text FROM (SELECT arrayJoin([{texts}]) AS text) WHERE NOT {is_telling('text')}")
    arguments = [Content(json.loads(row["text"])) for row in plain]
    assert [each.value for each in arguments] == [{"city": "Oslo"}]
    for _ in range(6_000):
        calls = [
            Call(
                "1",
                str(at),
                "t",
                choose.choice(reading),
                2 * at,
                2 * at + 1,
                arguments=choose.choice([None, *arguments]),
            )
            for at in range(2)
        ]
        assert left_behind(calls, range(2)) == {}, [call.tool for call in calls]
