"""``profile`` measures a block with and without a provider, and shows its report if that is requested."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest

from otel_parallelism import Settings, install, profile, profiled, uninstall

if TYPE_CHECKING:
    from tests.conftest import Kit


@profiled(effect="read")
async def look(key: int) -> int:
    await asyncio.sleep(0.1)
    return key


@profiled(effect="read")
def read(key: int) -> int:
    return key


async def test_async_block_has_a_report_after_its_end() -> None:
    async with profile() as result:
        assert result.report is None
        await look(1)
        await look(2)
    assert result.report is not None
    assert (result.report.calls, result.report.verdict) == (2, "possibly_sequential")
    assert result.report.turn.name == "block"


def test_sync_block_has_a_report_after_its_end() -> None:
    with profile("nightly") as result:
        read(1)
    assert result.report is not None
    assert (result.report.calls, result.report.turn.name) == (1, "nightly")


def test_block_that_raises_has_a_report_and_the_exception_passes() -> None:
    result = profile()
    with pytest.raises(ZeroDivisionError), result:
        read(1 // 0)
    assert result.report is not None
    assert result.report.calls == 0


def test_spans_of_other_instrumentations_count_after_install(kit: Kit) -> None:
    with profile() as result:
        for name in ("one", "two"):
            attributes = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": name}
            kit.tracer().start_span(name, attributes=attributes).end()
    assert result.report is not None
    assert [call.tool for call in result.report.turn.calls] == ["one", "two"]
    assert kit.reports == [result.report]


def test_report_is_printed_if_requested(capsys: pytest.CaptureFixture[str]) -> None:
    with profile("quiet"):
        read(1)
    assert capsys.readouterr().out == ""
    with profile("nightly", show=True) as result:
        read(1)
    assert capsys.readouterr().out == f"{result.report}\n"
    assert "nightly" in str(result.report)


def test_report_presents_itself_as_text_html_and_json() -> None:
    with profile("<nightly>") as result:
        read(1)
    report = result.report
    assert report is not None
    assert repr(report).startswith("<Report '<nightly>': single, calls 1")
    assert str(report).startswith("1 turn · ")
    assert "&lt;nightly&gt;" in report._repr_html_()
    assert json.loads(report.to_json())["turns"][0]["calls"] == 1
    printed: list[str] = []

    class Printer:
        text = staticmethod(printed.append)

    report._repr_pretty_(Printer(), False)
    assert printed == [str(report)]


def test_running_profile_cannot_be_entered_again() -> None:
    result = profile()
    with result, pytest.raises(RuntimeError, match=r"call profile\(\) for each block"):
        result.__enter__()
    with result:
        read(1)
    assert result.report is not None
    assert result.report.calls == 1


def test_function_as_name_is_refused() -> None:
    wrong: Any = read
    with pytest.raises(TypeError, match="name must be a string, not <"):
        profile(wrong)


def test_disabled_package_gives_no_report_and_prints_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    install(settings=Settings(disabled=True))
    with profile(show=True) as result:
        read(1)
    uninstall()
    assert result.report is None
    assert capsys.readouterr().out == ""
