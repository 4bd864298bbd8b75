from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import msgspec
from hypothesis import given
from strategies import EXACT, turns

from otel_parallelism.analysis.analyze import analyze
from otel_parallelism.reports.notebook import MAX_BARS, render_fragment

if TYPE_CHECKING:
    from otel_parallelism.model import Report, Turn

BAR = re.compile(r"margin-left:([\d.]+)%;width:([\d.]+)%;background:(#\w+)")


class Balance(HTMLParser):
    """The tags of a fragment, and the text between them."""

    def __init__(self, fragment: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.open: list[str] = []
        self.text = ""
        self.feed(fragment)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert {key for key, _ in attrs} <= {"style"}
        self.tags.add(tag)
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_fragment_shows_bars_numbers_and_findings(sequential: Report) -> None:
    fragment = render_fragment(sequential)
    bars = BAR.findall(fragment)
    assert [(round(float(left), 1), round(float(width), 1)) for left, width, _ in bars] == [
        (0.0, 14.3),
        (14.3, 21.4),
        (35.7, 21.4),
        (57.1, 21.4),
        (78.6, 21.4),
    ]
    assert [colour for *_, colour in bars] == ["#9aa5b1", *["#d64545"] * 4]
    text = Balance(fragment).text
    assert text.startswith("travel · sequential: ")
    assert "4 calls in 1.20 s · ratio 1.00 · efficiency 0.25 · lost 0.90 s" in text
    assert "Cost: 0.90 s. Run the round's calls together with asyncio.gather. (agent.py:31)" in text


def test_fragment_escapes_names_and_holds_no_content(sequential: Report) -> None:
    calls = tuple(msgspec.structs.replace(call, tool="<script>x</script>") for call in sequential.turn.calls)
    turn = msgspec.structs.replace(sequential.turn, calls=calls, agent="<b onclick=x>")
    fragment = render_fragment(msgspec.structs.replace(sequential, turn=turn))
    assert Balance(fragment).tags == {"div", "span", "b"}
    assert "an argument" not in fragment
    assert "a result" not in fragment


def test_possible_finding_is_marked_as_uncertain(possible: Report) -> None:
    fragment = render_fragment(possible)
    assert "Perhaps 0.40 s; what search returned was not seen in full." in fragment
    assert {colour for *_, colour in BAR.findall(fragment)} == {"#d9a21b"}


def test_what_to_do_is_said_without_findings_too(possible: Report) -> None:
    report = msgspec.structs.replace(possible, findings=(), recommendation="Declare <a>.", notes=("one <b> is cut",))
    text = Balance(render_fragment(report)).text
    assert text.endswith("Declare <a>.one <b> is cut")


def test_bars_beyond_the_limit_are_counted(parallel: Report) -> None:
    turn = msgspec.structs.replace(parallel.turn, calls=parallel.turn.calls[:1] * (MAX_BARS + 5))
    fragment = render_fragment(msgspec.structs.replace(parallel, turn=turn))
    assert len(BAR.findall(fragment)) == MAX_BARS
    assert "and 5 more bars" in fragment


@given(turns(max_size=9))
def test_every_turn_has_a_balanced_fragment_with_its_bars_inside(drawn: Turn) -> None:
    fragment = render_fragment(analyze(drawn, EXACT))
    assert Balance(fragment).open == []
    for left, width, _ in BAR.findall(fragment):
        assert float(left) + float(width) <= 100.5
