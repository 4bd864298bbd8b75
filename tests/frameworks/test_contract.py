"""
Every framework has correct results, unchanged behaviour, and its original functions after uninstrumentation.

Runs for the framework that ``--framework`` names, in the environment that has it. One process runs the agent without
patches, with patches, and after the patches are removed.
"""

from __future__ import annotations

import logging
from importlib.metadata import version
from importlib.util import find_spec
from statistics import median
from typing import TYPE_CHECKING, Any

import pytest
import wrapt
from coverage import Coverage
from frameworks.content import Written, found_in, logged, our_parts, places, reported
from frameworks.harness import Run, Stage
from frameworks.scenarios import ANSWER, BURST, ERROR, FAILURE, ROUNDS, TAKES, TEN, THREE
from opentelemetry.sdk.metrics import MeterProvider
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from otel_parallelism import Settings, install, names
from otel_parallelism.instrumentation.catalogue import FRAMEWORKS
from otel_parallelism.instrumentation.hooks.patching import PATCHING
from otel_parallelism.instrumentation.instrumentor import ParallelismInstrumentor
from otel_parallelism.testing.captured_turns import CapturedTurns
from otel_parallelism.testing.demands import Demand

if TYPE_CHECKING:
    from collections.abc import Iterator

    from frameworks.behaviour import Behaviour, Dispatch

    from otel_parallelism.testing.demands import Judgement

KINDS = ("asynchronous", "blocking")
TOLERANCE_NS = 60_000_000 if Coverage.current() else 20_000_000  # measuring coverage slows the wrappers


@pytest.fixture(scope="module")
def stage(request: pytest.FixtureRequest) -> Stage:
    return Stage(request.config.getoption("--framework"))


@pytest.fixture(scope="module")
def originals(stage: Stage) -> dict[str, Any]:
    """Return the object of every target before anything is patched."""
    targets = [patch.target for framework in modules(stage) for patch in framework.patches]
    return {target: found for target in targets if (found := target_of(target)) is not None}


@pytest.fixture(scope="module")
def plain(stage: Stage, originals: dict[str, Any]) -> dict[tuple[str, str], Run]:
    """Return the runs of the same agent without patches."""
    return {
        (kind, prompt): stage.run(prompt, kind)
        for kind in KINDS
        if getattr(stage.behaviour, kind) is not None
        for prompt in (BURST, ERROR)
    }


@pytest.fixture(scope="module")
def instrumented(stage: Stage, plain: dict[tuple[str, str], Run]) -> Iterator[Stage]:
    """Return the patched framework; ``instrument`` runs twice, as under ``opentelemetry-instrument`` and in code."""
    ParallelismInstrumentor().instrument()
    ParallelismInstrumentor().instrument()
    yield stage
    ParallelismInstrumentor().uninstrument()


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest, stage: Stage) -> str:
    """Return a kind of tools that the framework accepts."""
    if getattr(stage.behaviour, request.param) is None:
        pytest.skip(f"{stage.behaviour.distribution} takes no {request.param} tools")
    found: str = request.param
    return found


def test_version_is_in_the_supported_range(stage: Stage) -> None:
    for framework in modules(stage):
        assert SpecifierSet(framework.versions).contains(version(framework.distribution), prereleases=True)


def test_all_targets_exist(instrumented: Stage) -> None:
    for framework in modules(instrumented):
        for patch in framework.patches:
            expected = {"patched", "missing", "waiting"} if patch.optional else {"patched"}
            if patch.optional and not has_module(patch.module):
                expected = {"waiting"}
            assert PATCHING.states[patch.target] in expected, patch.target


def test_burst_of_three(instrumented: Stage, kind: str) -> None:
    run = instrumented.run(BURST, kind)
    dispatch: Dispatch = getattr(instrumented.behaviour, kind)

    assert run.answer == ANSWER
    assert [call.tool for call in run.calls] == ["get_weather", "get_stock", "get_news"] or dispatch.peak > 1
    check(run, 3, instrumented.behaviour, steps=2, waits=dispatch.waits)
    assert run.report.peak_concurrency == dispatch.peak
    verdict(run, dispatch.cause, waits=dispatch.waits)


def test_async_tools_that_hold_the_event_loop_are_blocking(instrumented: Stage, request: pytest.FixtureRequest) -> None:
    dispatch: Dispatch | None = instrumented.behaviour.asynchronous
    if dispatch is None or dispatch.peak == 1 or dispatch.waits:
        pytest.skip(f"{instrumented.behaviour.distribution} runs no async tools at once in this event loop")
    if instrumented.behaviour.distribution == "mcp" and Version(version("mcp")).major < 2:
        reason = "a server receives no context of its client's call, so what its tools hold is not measured"
        request.applymarker(pytest.mark.xfail(reason=reason, raises=AssertionError, strict=True))
    run = instrumented.run(BURST, "holding")

    assert run.answer == ANSWER
    if dispatch.own_loops:
        assert run.report.peak_concurrency == dispatch.peak
        verdict(run, dispatch.cause)
        return
    assert run.report.verdict in {"sequential", "contended"}
    (finding,) = run.report.findings
    assert (run.report.cause, finding.cause, len(finding.calls)) == ("blocking", "blocking", 3)
    assert finding.avoidable == pytest.approx(2 * TAKES, rel=0.35)
    assert "from holding the event loop" in finding.recommendation


def test_descriptions_of_tools(instrumented: Stage, kind: str) -> None:
    """A call is recorded with what the model reads of its tool."""
    run = instrumented.run(BURST, kind)

    known = {
        "get_weather": "Tell the weather in a city.",
        "get_stock": "Tell the price of a stock.",
        "get_news": "Tell the news about a topic.",
    }
    assert {call.tool for call in run.calls} == set(known)
    for call in run.calls:
        assert (known[call.tool] in call.description) == instrumented.behaviour.describes


def test_burst_of_ten(instrumented: Stage, kind: str) -> None:
    run = instrumented.run(TEN, kind)
    dispatch: Dispatch = getattr(instrumented.behaviour, kind)

    assert run.answer == ANSWER
    check(run, 10, instrumented.behaviour, steps=2, waits=dispatch.waits)
    assert run.report.peak_concurrency == dispatch.ten_peak
    verdict(run, dispatch.ten_cause)


def test_rounds_of_one(instrumented: Stage, kind: str) -> None:
    run = instrumented.run(ROUNDS, kind)

    assert run.answer == ANSWER
    check(run, 3, instrumented.behaviour, steps=4)
    assert run.report.peak_concurrency == 1
    dispatch: Dispatch = getattr(instrumented.behaviour, kind)
    if dispatch.rounds == "sequential":
        verdict(run, "model" if instrumented.behaviour.steps else "unknown")
    else:
        (finding,) = run.report.findings
        assert (run.report.verdict, finding.advice, finding.cause) == (dispatch.rounds, "potential", "model")


@pytest.mark.parametrize("prompt", [ROUNDS, BURST], ids=["rounds", "burst"])
def test_tools_that_share_a_variable_are_not_said_to_be_independent(
    instrumented: Stage, kind: str, prompt: str, request: pytest.FixtureRequest
) -> None:
    dispatch: Dispatch = getattr(instrumented.behaviour, kind)
    if not instrumented.behaviour.functions and (prompt == ROUNDS or dispatch.cause is not None):
        reason = "the functions of the tools are not known here"
        request.applymarker(pytest.mark.xfail(reason=reason, raises=AssertionError, strict=True))
    run = instrumented.run(prompt, f"sharing_{kind}")

    assert run.answer == ANSWER
    for finding in run.report.findings:
        together = {tool.removeprefix(run.prefix) for tool in finding.calls}
        assert finding.advice != "recommended" or not {"get_weather", "get_stock"} <= together


def test_structure_of_tools_that_return_at_once(instrumented: Stage, kind: str) -> None:
    """No right program fails; whether a wrong one does depends on what is known about how its calls are started."""
    dispatch: Dispatch = getattr(instrumented.behaviour, kind)

    def judged(prompt: str) -> Judgement:
        captured = CapturedTurns()
        captured.start()
        try:
            run = instrumented.run(prompt, kind, instant=True)
            assert run.answer == ANSWER
            return Demand(structure=True).judge(captured.turn)
        finally:
            captured.stop()

    burst, rounds = judged(BURST), judged(ROUNDS)
    if dispatch.cause == "dispatch":
        assert burst.failures or burst.unknown
    elif dispatch.peak > 1:
        assert burst.failures == ()
    assert rounds.failures or rounds.unknown or dispatch.rounds != "sequential"


def test_streamed_turn(instrumented: Stage, kind: str) -> None:
    if not instrumented.behaviour.streams:
        pytest.skip(f"{instrumented.behaviour.distribution} streams no answers")
    run = instrumented.run(BURST, kind, stream=True)
    dispatch: Dispatch = getattr(instrumented.behaviour, kind)

    assert run.answer == ANSWER
    check(run, 3, instrumented.behaviour, steps=2, waits=dispatch.waits)
    assert run.report.peak_concurrency == dispatch.peak
    verdict(run, dispatch.cause, waits=dispatch.waits)


def test_answer_is_the_same_with_patches(instrumented: Stage, plain: dict[tuple[str, str], Run], kind: str) -> None:
    before, now = plain[kind, BURST], instrumented.run(BURST, kind)

    assert (now.answer, now.error) == (before.answer, before.error) == (ANSWER, None)
    assert len(now.conversations) == len(before.conversations)
    for result in ("7 degrees", "41.27 crowns", "fold parachutes"):
        assert now.conversations[-1].count(result) == before.conversations[-1].count(result) > 0


def test_error_in_one_tool(instrumented: Stage, plain: dict[tuple[str, str], Run], kind: str) -> None:
    before, now = plain[kind, ERROR], instrumented.run(ERROR, kind)

    assert type(now.error) is type(before.error)
    assert str(now.error) == str(before.error)
    assert now.answer == before.answer
    assert now.conversations[-1].count(FAILURE) == before.conversations[-1].count(FAILURE)
    failed = [call.tool for call in now.calls if call.error]
    # An error that ends the run may cancel the concurrent calls.
    assert "get_stock" in failed if instrumented.behaviour.fails else failed == ["get_stock"]


def test_cancelled_turn(instrumented: Stage) -> None:
    if not instrumented.behaviour.cancels or instrumented.behaviour.asynchronous is None:
        pytest.skip(f"{instrumented.behaviour.distribution} has no turn that can be cancelled")
    run = instrumented.run(BURST, "asynchronous", cancelled_after=0.1)

    assert run.answer is None
    assert run.error is not None
    assert len(run.calls) == len(run.bodies)
    assert 1 <= len(run.calls) <= 3
    for call in run.calls:
        assert call.duration_ns < (TAKES + 0.1) * 1e9


@pytest.mark.parametrize("prompt", [BURST, ERROR], ids=["results", "error"])
def test_content_is_nowhere(  # noqa: PLR0917 - fixtures
    instrumented: Stage,
    plain: dict[tuple[str, str], Run],
    kind: str,
    prompt: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG, names.INSTRUMENTATION)
    written, settings = Written(monkeypatch), Settings(emit="both", caller_on_calls=True, call_duration_metric=True)
    install(settings=settings, meter_provider=written.meter_provider)
    try:
        run = instrumented.run(prompt, kind)
        texts = {**written.texts(), **reported(run, settings), "log": logged(caplog.records)}
    finally:
        install(settings=Settings(), meter_provider=MeterProvider(shutdown_on_exit=False))
        written.close()
    assert run.reports
    assert names.PREFIX in texts["metrics"]
    for span in run.spans:
        texts[f"span {span.name} {span.context.span_id}"] = our_parts(span)
    assert {where: words for where, text in texts.items() if (words := found_in(text))} == {}
    # The framework's own spans have no content that they have not without this package.
    assert places(run.spans) <= places(plain[kind, prompt].spans)


def test_uninstrument_restores_the_originals(
    stage: Stage, originals: dict[str, Any], plain: dict[tuple[str, str], Run]
) -> None:
    ParallelismInstrumentor().uninstrument()
    assert originals
    for target, original in originals.items():
        assert target_of(target) is original, target
    run = stage.run(BURST, KINDS[0] if stage.behaviour.asynchronous is not None else KINDS[1])
    assert run.answer == ANSWER
    if stage.behaviour.by_hand:
        assert run.report.steps == 0
    else:
        assert [report.calls for report in run.reports] == ([] if stage.behaviour.turns else [0])


def modules(stage: Stage) -> list[Any]:
    return [framework for framework in FRAMEWORKS if framework.name in stage.behaviour.modules]


def has_module(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ImportError:  # nor the package that would hold it
        return False


def target_of(target: str) -> Any:
    """Return the object of a target, as stored in its class or module."""
    module, _, paths = target.partition(":")
    for path in paths.split("|"):
        try:
            return wrapt.resolve_path(module, path)[2]
        except (AttributeError, ImportError):
            continue
    return None


def check(run: Run, calls: int, behaviour: Behaviour, *, steps: int, waits: bool = False) -> None:
    """Assert that the turn has *calls*, each as long as its body, and *steps*."""
    assert run.error is None
    assert len(run.calls) == len(run.bodies) == calls
    assert run.report.coverage == 1.0
    if behaviour.steps:
        assert run.report.steps == behaviour.steps_of(steps - 1, calls)
    # Calls that start together may end in another order than their bodies.
    ends = zip(sorted(call.end_ns for call in run.calls), sorted(body.end_ns for body in run.bodies), strict=True)
    assert all(call_end >= body_end for call_end, body_end in ends)
    tolerance_ns = TOLERANCE_NS + int(behaviour.round_trip * 1e9)
    apart_ns = []
    for call, body in pairs(run):
        assert call.tool == body.tool
        assert call.start_ns <= body.start_ns + TOLERANCE_NS
        apart_ns.append(abs(call.duration_ns - (body.end_ns - body.start_ns)))
        assert not call.error
    # Of many calls that start at once, most wait for a core, which the wrapper cannot avoid: the margins are wide.
    crowd = calls > len(THREE)
    assert waits or max(apart_ns) <= tolerance_ns * (4 if crowd else 1), apart_ns
    assert waits or median(apart_ns) <= tolerance_ns * (3 if crowd else 1), apart_ns
    if behaviour.ids:
        assert all(call.call_id.startswith("call_") for call in run.calls)
        assert len({call.call_id for call in run.calls}) == calls
        if behaviour.steps:
            assert all(call.proved for call in run.calls)


def pairs(run: Run) -> list[tuple[Any, Any]]:
    """Return calls with their bodies, matched by tool and order of end: each call ends after its own body."""
    found = []
    for tool in {body.tool for body in run.bodies}:
        bodies = sorted((body for body in run.bodies if body.tool == tool), key=lambda body: body.end_ns)
        calls = sorted((call for call in run.calls if call.tool == tool), key=lambda call: call.end_ns)
        found += zip(calls, bodies, strict=True)
    return found


def verdict(run: Run, cause: str | None, *, waits: bool = False) -> None:
    """Assert that verdict and findings of the turn are those of *cause*."""
    report = run.report
    causes = {finding.cause for finding in report.findings}
    if cause is None:
        assert (report.verdict, causes) == ("parallel", set())
        assert waits or report.ratio == pytest.approx(report.calls, rel=0.25)
    elif cause == "contention":
        assert (report.verdict, causes) == ("contended", {"contention"})
    elif cause == "limit":
        # Below ten places, more calls at once might have saved something.
        assert causes == {"limit"}
        assert report.verdict == ("parallel" if report.peak_concurrency >= 9 else "possibly_sequential")
    else:
        assert causes == {cause}
        assert report.cause == cause
        assert report.verdict == "sequential"
        assert report.findings[0].advice == "recommended"
        assert report.ratio is not None
        assert report.ratio <= 1.05
