"""Numbers longer than Python converts are content like any other, in files and in calls."""

from __future__ import annotations

import json
import random
import re
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from msgspec.structs import replace

from otel_parallelism import agent_turn, analyze_spans, profiled
from otel_parallelism.analysis.turns.asked_calls import _equal_arguments
from otel_parallelism.long_numbers import decode_json
from otel_parallelism.readers.any_format import read_spans
from tests.amounts import THOROUGH, some_of
from tests.readers.test_any_format import a_trace
from tests.readers.test_broken_files import survives
from tests.readers.written_formats import BINARY, WRITERS

if TYPE_CHECKING:
    from pathlib import Path

LONG = "7" * 5000
ODD = (
    LONG,
    "1" * 4301,
    "-" + "8" * 6000,
    "8" * 4299,
    "0" * 5000 + "1",
    "3" * 5000 + ".5",
    "1e400",
    "9" * 400,
    "9" * 20,
)
TEXTS = {name: write for name, write in WRITERS.items() if name not in BINARY}
NUMBERS: tuple[Any, ...] = (
    *(10**4299, 10**4300, -(10**5000), 10**400, 2**63, 1e308, float("inf"), float("nan")),
    *(LONG, f'{{"n": {LONG}}}', f"about {LONG} metres", {"n": 10**5000}, {10**5000: 1}, [10**5000] * 3, {10**5000}),
)


def test_a_number_that_is_too_long_stays_text() -> None:
    assert decode_json(f'{{"n": [{LONG}, -{LONG}, 1e400, 12, 1.5]}}') == {"n": [LONG, f"-{LONG}", "1e400", 12, 1.5]}
    assert decode_json(msgspec.Raw(LONG.encode())) == LONG
    with pytest.raises(msgspec.DecodeError):
        decode_json("{")


@pytest.mark.many
@pytest.mark.parametrize("name", TEXTS)
def test_a_number_of_any_length_is_read_or_is_the_one_error(tmp_path: Path, name: str) -> None:
    choose = random.Random(name)  # noqa: S311 - not a secret
    path = tmp_path / "spans"
    text = TEXTS[name](a_trace(3)).decode()
    places = [match.span() for match in re.finditer(r"\d+", text)]
    for _ in range(8 if THOROUGH else 1):
        changed = text
        for start, end in sorted(choose.sample(places, choose.choice((1, 1, 9))), reverse=True):
            changed = changed[:start] + choose.choice(ODD) + changed[end:]
        path.write_text(changed)
        survives(path)


@pytest.mark.many
@pytest.mark.parametrize("name", some_of(TEXTS))
def test_content_with_a_long_number_is_read(tmp_path: Path, name: str) -> None:
    spans = [
        replace(span, attributes={**span.attributes, "gen_ai.tool.call.arguments": f'{{"n": {LONG}}}'})
        for span in a_trace(3)
    ]
    path = tmp_path / "spans"
    path.write_bytes(TEXTS[name](spans))
    found = list(read_spans(path, skip=lambda _: None))
    assert len(found) == len(spans)
    before = [len(report.turn.calls) for report in analyze_spans(a_trace(3)).reports]
    assert [len(report.turn.calls) for report in analyze_spans(found).reports] == before


@pytest.mark.parametrize("written", [LONG, f'"{LONG}"'])
def test_an_attribute_that_is_a_long_integer_is_a_text(tmp_path: Path, written: str) -> None:
    path = tmp_path / "spans"
    text = TEXTS["otlp_document"]([replace(a_trace(1)[0], attributes={"a": 4711})]).decode()
    path.write_text(text.replace('"4711"', written))
    (span,) = read_spans(path)
    assert span.attributes == {"a": LONG}


def test_a_long_number_of_tokens_is_unknown() -> None:
    spans = [
        replace(span, attributes={**span.attributes, "gen_ai.usage.input_tokens": 10**400})
        if "chat" in span.name
        else span
        for span in a_trace(3)
    ]
    for report in analyze_spans(spans).reports:
        assert json.loads(report.to_json())
        assert not any(step.input_tokens for step in report.turn.steps)


@pytest.mark.usefixtures("kit")
@pytest.mark.slow
def test_calls_with_long_numbers_are_reported() -> None:
    choose = random.Random(4)  # noqa: S311 - not a secret

    @profiled(effect="read")
    def get(value: object) -> object:
        return choose.choice((value, {"found": [value]}, choose.choice(NUMBERS)))

    for _ in range(40):
        with agent_turn("t") as turn:
            value: object = choose.choice(NUMBERS)
            for _ in range(4):
                value = get(value if choose.random() < 0.5 else choose.choice(NUMBERS))
        assert turn.report is not None
        assert len(turn.report.turn.calls) == 4
        assert str(turn.report)


@pytest.mark.parametrize("value", [10**5000, [10**5000], {"n": 10**5000}], ids=["number", "list", "mapping"])
def test_a_long_number_in_any_attribute_is_analysed(value: Any) -> None:
    keys = {key for span in a_trace(3) for key in span.attributes}
    before = [len(report.turn.calls) for report in analyze_spans(a_trace(3)).reports]
    for key in {*keys, "gen_ai.response.finish_reasons", "gen_ai.tool.call.arguments", "gen_ai.output.messages"}:
        spans = [
            replace(span, attributes={**span.attributes, key: value}) if "chat" in span.name else span
            for span in a_trace(3)
        ]
        assert [len(report.turn.calls) for report in analyze_spans(spans).reports] == before, key


def test_a_long_number_as_the_reason_for_which_a_model_stopped_asks_for_no_tool() -> None:
    answer = json.dumps([{"role": "assistant", "parts": [{"type": "text", "content": "done"}]}])
    odd = {"gen_ai.output.messages": answer, "gen_ai.response.finish_reasons": 10**5000}
    spans = [
        replace(span, attributes={**span.attributes, **odd}) if "chat" in span.name else span for span in a_trace(3)
    ]
    assert [step.requested for report in analyze_spans(spans).reports for step in report.turn.steps] == [(), ()]


def test_long_numbers_that_a_model_asked_for_match_no_call_by_their_text() -> None:
    assert not _equal_arguments({"n": 10**5000}, {"n": 10**5001})
    assert _equal_arguments({"n": 10**5000}, {"n": 10**5000})
