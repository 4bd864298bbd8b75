from __future__ import annotations

import asyncio
import re
import time
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_parallelism.execution import CancelledCallError, GraphError, SkippedTaskError, Task, TaskGraph
from tests.execution.conftest import run_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.execution.conftest import Run


def waits(seconds: float, result: Any = None) -> Callable[..., Any]:
    async def wait(**_: Any) -> Any:
        await asyncio.sleep(seconds)
        return result

    return wait


# Building


def test_parameters_named_like_tasks_take_their_results(run: Run) -> None:
    graph = TaskGraph()

    @graph.task
    async def total(price: float, tax: float) -> float:
        return price + tax

    @graph.task
    def tax(price: float, share: float = 0.25) -> float:
        return price * share

    @graph.task
    async def price(item: str) -> float:
        return float(len(item))

    async def main() -> Any:
        return await graph.run(item="bike")

    results = run(main)
    assert results[total] == 5.0
    assert results["tax"] == 1.0
    assert results.values == {"total": 5.0, "tax": 1.0, "price": 4.0}
    assert (list(results), len(results), price in results, "nothing" in results) == (
        ["total", "tax", "price"],
        3,
        True,
        False,
    )
    assert results.errors == {}
    with pytest.raises(KeyError):
        results["nothing"]


def test_one_function_as_several_tasks(run: Run) -> None:
    async def load(table: str) -> str:
        return table.upper()

    async def join(left: str, right: str) -> str:
        return left + right

    graph = TaskGraph()
    names = graph.add(load, name="names", after={"table": graph.add(waits(0, "n"), name="where")})
    ages = graph.add(load, name="ages")
    both = graph.add(join, after={"left": names, "right": "ages"})

    async def main() -> Any:
        return await graph.run(table="a")

    assert run(main)[both] == "NA"
    assert ages.name == "ages"


def test_after_only_orders(run: Run) -> None:
    order = []
    graph = TaskGraph()

    @graph.task
    async def late() -> None:
        order.append("late")

    @graph.task(after=late)
    async def later() -> None:
        order.append("later")

    @graph.task(after=["later", late], name="last")
    async def anything() -> None:
        order.append("last")

    async def main() -> None:
        await graph.run()

    run(main)
    assert order == ["late", "later", "last"]


def test_a_task_can_still_be_called() -> None:
    graph = TaskGraph()

    @graph.task
    def add(left: int, right: int = 1) -> int:
        return left + right

    @graph.task
    def named(**fields: int) -> dict[str, int]:
        return fields

    assert add(2) == 3
    assert repr(add) == "<task 'add'>"
    assert named(self=1) == {"self": 1}


def test_a_cycle_is_an_error_and_shown() -> None:
    graph = TaskGraph()
    graph.add(waits(0), name="a", after=["c"])
    graph.add(waits(0), name="b", after=["a"])
    with pytest.raises(GraphError, match=r"wait for one another: (a → b → c → a|b → c → a → b|c → a → b → c)$"):
        graph.add(waits(0), name="c", after=["b"])
    graph.add(waits(0), name="c")  # the graph is as it was before
    assert graph.plan().levels == (("c",), ("a",), ("b",))


def test_a_cycle_by_parameter_names_and_of_one_task() -> None:
    graph = TaskGraph()

    async def a(b: int) -> int:
        return b

    async def b(a: int) -> int:
        return a

    async def own(own: int) -> int:
        return own

    graph.add(a)
    with pytest.raises(GraphError, match=r"a → b → a|b → a → b"):
        graph.add(b)
    with pytest.raises(GraphError, match="own → own"):
        graph.add(own)


def test_two_tasks_of_one_name() -> None:
    graph = TaskGraph()
    graph.add(waits(0), name="a")
    with pytest.raises(GraphError, match="there are two tasks named 'a'"):
        graph.add(waits(0), name="a")


def test_an_unknown_task_stops_the_graph_before_it_starts(run: Run) -> None:
    begun = []
    graph = TaskGraph()

    @graph.task
    async def first() -> None:
        begun.append("first")

    graph.add(waits(0), name="second", after=["frist"])

    async def main() -> None:
        with pytest.raises(GraphError, match="task 'second' needs 'frist', which is no task"):
            await graph.run()

    run(main)
    with pytest.raises(GraphError, match="frist"):
        graph.plan()
    assert begun == []


def test_inputs_must_be_given_and_taken(run: Run) -> None:
    graph = TaskGraph()

    @graph.task
    async def page(url: str, depth: int = 1) -> str:
        return url * depth

    async def main() -> Any:
        with pytest.raises(GraphError, match="task 'page' needs 'url', which is neither a task nor an input"):
            await graph.run()
        with pytest.raises(GraphError, match="no task takes the input 'ulr'"):
            await graph.run(url="x", ulr="x")
        with pytest.raises(GraphError, match="the input 'page' is a task's name as well"):
            await graph.run(url="x", page="x")
        return await graph.run(url="x", depth=2)

    assert run(main)[page] == "xx"


def test_invalid_tasks_are_refused() -> None:
    graph = TaskGraph()

    def generate() -> Any:
        yield 1

    def positional(value: int, /) -> int:
        return value

    twice = waits(0)
    graph.add(twice, name="one")
    graph.add(twice, name="two")
    graph.add(waits(0), name="three", after=[twice])
    with pytest.raises(GraphError, match="several tasks: one, two; name one"):
        graph.plan()
    with pytest.raises(TypeError, match="generator function"):
        graph.add(generate)
    with pytest.raises(GraphError, match="'value' cannot be given by name"):
        graph.add(positional)
    with pytest.raises(GraphError, match="task 'fine' has no parameter 'colour'"):
        graph.add(lambda shape: shape, name="fine", after={"colour": "one"})
    with pytest.raises(ValueError, match="limit="):
        graph.add(waits(0), name="x", limit=0)
    with pytest.raises(TypeError, match="limit="):
        graph.add(waits(0), name="x", limit="db")  # type: ignore[call-overload] # what is refused
    with pytest.raises(ValueError, match="timeout="):
        graph.add(waits(0), name="x", timeout=0)
    with pytest.raises(ValueError, match="expected="):
        graph.add(waits(0), name="x", expected=-1)
    with pytest.raises(ValueError, match="limit="):
        TaskGraph(limit=0)
    with pytest.raises(ValueError, match="on_failure="):
        TaskGraph(on_failure="some")  # type: ignore[arg-type] # what is refused


# Running


def test_task_starts_when_the_tasks_it_needs_are_done() -> None:
    graph = TaskGraph()
    began: dict[str, float] = {}

    def task(name: str, seconds: float, *after: str) -> None:
        async def work() -> None:
            began[name] = asyncio.get_running_loop().time()
            await asyncio.sleep(seconds)

        graph.add(work, name=name, after=after)

    task("short", 1)
    task("long", 10)
    task("next", 1, "short")  # waits for no wave: long still runs
    task("last", 1, "next", "long")

    async def main() -> float:
        await graph.run()
        return asyncio.get_running_loop().time()

    assert run_in("virtual", main) == pytest.approx(11)
    assert began == pytest.approx({"short": 0, "long": 0, "next": 1, "last": 10})


def test_limits_of_the_graph_of_a_function_and_shared() -> None:
    now: dict[str, int] = {}
    most: dict[str, int] = {}

    def note(kind: str, change: int) -> None:
        now[kind] = now.get(kind, 0) + change
        most[kind] = max(most.get(kind, 0), now[kind])

    async def query() -> None:
        note("query", 1)
        note("all", 1)
        await asyncio.sleep(1)
        note("all", -1)
        note("query", -1)

    async def fetch() -> None:
        note("fetch", 1)
        note("all", 1)
        await asyncio.sleep(1)
        note("all", -1)
        note("fetch", -1)

    async def main() -> None:
        graph = TaskGraph(limit=4)
        gate = asyncio.Semaphore(3)
        for number in range(3):
            graph.add(query, name=f"query {number}", limit=2)
            graph.add(fetch, name=f"fetch {number}", limit=gate)
            graph.add(fetch, name=f"fetch {number} again", limit=gate)
        await graph.run()

    run_in("virtual", main)
    assert most == {"query": 2, "fetch": 3, "all": 4}


def test_timeout_and_retry_of_a_task(run: Run) -> None:
    attempts = 0
    graph = TaskGraph(on_failure="dependents")

    @graph.task(timeout=0.02, retry=1)
    async def flaky() -> str:
        nonlocal attempts
        attempts += 1
        await asyncio.sleep(10 if attempts == 1 else 0)
        return "done"

    @graph.task(timeout=0.02)
    async def slow() -> None:
        await asyncio.sleep(10)

    async def main() -> Any:
        return await graph.run()

    results = run(main)
    assert results[flaky] == "done"
    with pytest.raises(TimeoutError, match=r"slow took longer than 0\.02 s"):
        results[slow]


def test_it_can_be_run_again(run: Run) -> None:
    graph = TaskGraph()

    @graph.task
    async def double(number: int) -> int:
        return 2 * number

    async def main() -> list[int]:
        return [(await graph.run(number=number))[double] for number in (1, 2)]

    assert run(main) == [2, 4]


# What goes wrong: each test below is a cell of the table in docs/fixing.md


def failing(on_failure: Any, ended: list[str]) -> TaskGraph:
    graph = TaskGraph(on_failure=on_failure)

    @graph.task
    async def bad() -> None:
        await asyncio.sleep(0.01)
        raise LookupError("no such thing")

    @graph.task
    async def needs_bad(bad: None) -> None:
        ended.append("needs_bad")

    @graph.task
    async def needs_it_too(needs_bad: None) -> None:
        ended.append("needs_it_too")

    @graph.task
    async def alone() -> str:
        try:
            await asyncio.sleep(0.3)
        except asyncio.CancelledError:
            ended.append("cancelled")
            raise
        return "fine"

    return graph


def test_error_of_a_task_fails_all(run: Run) -> None:
    ended: list[str] = []
    graph = failing("all", ended)

    async def main() -> None:
        with pytest.raises(LookupError, match="no such thing"):
            await graph.run()

    run(main)
    assert ended == ["cancelled"]
    assert {name: timing.state for name, timing in graph.report().timings.items()} == {
        "bad": "failed",
        "needs_bad": "cancelled",
        "needs_it_too": "cancelled",
        "alone": "cancelled",
    }


def test_error_of_a_task_fails_its_dependents(run: Run) -> None:
    ended: list[str] = []
    graph = failing("dependents", ended)

    async def main() -> Any:
        return await graph.run()

    results = run(main)
    assert ended == []
    assert results["alone"] == "fine"
    assert set(results.errors) == {"bad", "needs_bad", "needs_it_too"}
    with pytest.raises(LookupError):
        results["bad"]
    with pytest.raises(SkippedTaskError, match="'needs_it_too' was not run: 'needs_bad', which it needs, failed"):
        results["needs_it_too"]
    assert isinstance(results.errors["needs_bad"].__cause__, LookupError)
    # A busy machine makes it wait first, and the report says so.
    assert re.search(r"failed(, after .* of waiting)?: LookupError: no such thing", graph.report().text())


def test_cancelled_outside_cancels_all(run: Run) -> None:
    ended: list[str] = []
    graph = failing("dependents", ended)

    async def main() -> None:
        task = asyncio.create_task(graph.run())
        await asyncio.sleep(0.02)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert ended == ["cancelled"]

    run(main)
    assert graph.report().timings["alone"].state == "cancelled"


@pytest.mark.parametrize("on_failure", ["all", "dependents"])
@pytest.mark.parametrize("way", ["returns", "raises"])
def test_cancelled_outside_it_is_passed_on_however_a_task_ends(run: Run, on_failure: Any, way: str) -> None:
    graph = TaskGraph(on_failure=on_failure)

    @graph.task
    async def stubborn() -> int:
        try:
            await asyncio.sleep(10)
        except asyncio.CancelledError:
            if way == "raises":
                raise LookupError("while cleaning up") from None
        return 1

    @graph.task
    async def needs_it(stubborn: int) -> int:
        return stubborn

    async def main() -> None:
        task = asyncio.create_task(graph.run())
        await asyncio.sleep(0.02)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run(main)
    assert graph.report().timings["stubborn"].state == {"returns": "done", "raises": "failed"}[way]
    assert graph.report().timings["needs_it"].state == "cancelled"


@pytest.mark.usefixtures("no_threads_left")
def test_cancelled_outside_waits_for_threads(run: Run) -> None:
    ended = []
    graph = TaskGraph()

    @graph.task
    def slow() -> None:
        time.sleep(0.1)
        ended.append(True)

    async def main() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(graph.run(), 0.02)
        assert ended == [True]

    run(main)


@pytest.mark.parametrize("whole_task", [False, True])
def test_cancelled_from_within_is_an_error_of_the_task(run: Run, whole_task: bool) -> None:
    async def away() -> None:
        if whole_task:
            asyncio.current_task().cancel()  # type: ignore[union-attr] # it runs in one
            await asyncio.sleep(0)
        raise asyncio.CancelledError

    async def needs_it(away: None) -> None: ...

    def graph(on_failure: Any) -> TaskGraph:
        made = TaskGraph(on_failure=on_failure)
        made.add(away)
        made.add(needs_it)
        return made

    async def main() -> Any:
        with pytest.raises(CancelledCallError, match="away was cancelled from within"):
            await graph("all").run()
        return await graph("dependents").run()

    assert list(run(main).errors) == ["away", "needs_it"]


# Properties


@st.composite
def graphs(draw: st.DrawFn) -> list[tuple[int, str, list[int]]]:
    """Tasks as (duration, outcome, tasks needed), each needing some of those before it."""
    count = draw(st.integers(1, 9))
    return [
        (
            draw(st.integers(0, 4)),
            draw(st.sampled_from(["done", "done", "done", "error", "cancel"])),
            draw(st.lists(st.integers(0, number - 1), unique=True, max_size=3)) if number else [],
        )
        for number in range(count)
    ]


def longest(tasks: list[tuple[int, str, list[int]]]) -> float:
    ends: list[float] = []
    for duration, _, needed in tasks:
        ends.append(duration + max((ends[number] for number in needed), default=0))
    return max(ends)


@given(
    tasks=graphs(),
    limit=st.none() | st.integers(1, 4),
    on_failure=st.sampled_from(["all", "dependents"]),
    cancel_after=st.none() | st.integers(0, 8),
    shuffled=st.randoms(use_true_random=False),
)
def test_any_graph(  # noqa: C901, PLR0915 - one run, all that must hold of it
    tasks: list[tuple[int, str, list[int]]], limit: int | None, on_failure: Any, cancel_after: int | None, shuffled: Any
) -> None:
    began: dict[int, float] = {}
    ended: dict[int, float] = {}
    graph = TaskGraph(limit=limit, on_failure=on_failure, spans=False)
    now = most = 0

    def work(number: int) -> Callable[[], Any]:
        async def run() -> int:
            nonlocal now, most
            assert number not in began  # none runs twice
            now += 1
            most = max(most, now)
            began[number] = asyncio.get_running_loop().time()
            duration, outcome, _ = tasks[number]
            try:
                await asyncio.sleep(duration)
                if outcome == "error":
                    raise LookupError(number)
                if outcome == "cancel":
                    raise asyncio.CancelledError
            finally:
                now -= 1
                ended[number] = asyncio.get_running_loop().time()
            return number

        return run

    order = list(range(len(tasks)))
    shuffled.shuffle(order)
    for number in order:
        graph.add(work(number), name=str(number), after=[str(needed) for needed in tasks[number][2]])

    async def main() -> Any:
        running = asyncio.create_task(graph.run())
        if cancel_after is not None:
            await asyncio.sleep(cancel_after - 0.5)
            running.cancel()
        done, _ = await asyncio.wait([running])
        assert now == 0  # none is left running
        return done.pop()

    finished = run_in("virtual", main)
    # None starts before what it needs has ended well.
    for number, began_at in began.items():
        for needed in tasks[number][2]:
            assert ended[needed] <= began_at
            assert tasks[needed][1] == "done"
    assert limit is None or most <= limit

    whole, work_s = longest(tasks), sum(duration for duration, _, _ in tasks)
    makespan = max(ended.values(), default=0)
    # Graham's bound; without a limit nothing but the critical path counts.
    assert makespan <= (whole if limit is None else whole + (work_s - whole) / limit) + 1e-6
    if cancel_after is not None:
        return
    bad = [number for number, (_, outcome, _) in enumerate(tasks) if outcome != "done"]
    if not bad:
        assert finished.result().values == {str(number): number for number in order}
        assert limit is not None or makespan == pytest.approx(whole)
    elif on_failure == "dependents":
        lost: set[int] = set()
        for number, (_, outcome, needed) in enumerate(tasks):
            if outcome != "done" or lost.intersection(needed):
                lost.add(number)
        assert set(finished.result().errors) == {str(number) for number in lost}
        assert set(finished.result().values) == {str(number) for number in range(len(tasks)) if number not in lost}
    else:
        assert finished.exception() is not None


# Plan and report


def mixed() -> TaskGraph:
    graph = TaskGraph()
    graph.add(waits(0.02), name="fetch", expected=2)
    graph.add(waits(0.01), name="parse", after=["fetch"], expected=1)
    graph.add(waits(0.01), name='say "hi" & <go>')
    return graph


def test_plan() -> None:
    plan = mixed().plan()
    assert plan.levels == (("fetch", 'say "hi" & <go>'), ("parse",))
    assert plan.critical_path == ("fetch", "parse")
    assert (plan.duration, plan.work) == (3, 4.5)
    assert plan.text() == (
        'level 1: fetch, say "hi" & <go>\nlevel 2: parse\ncritical path: fetch → parse, 3.00 s of 4.50 s of work'
    )
    assert (
        plan.mermaid()
        == """\
flowchart LR
    t0["fetch<br/>2.00 s"]
    t1["parse<br/>1.00 s"]
    t2["say #quot;hi#quot; #amp; #lt;go#gt;<br/>1.50 s"]
    t0 ==> t1
    classDef critical stroke-width:3px
    class t0,t1 critical"""
    )


def test_plan_without_estimates() -> None:
    graph = TaskGraph()
    graph.add(waits(0), name="a")
    graph.add(waits(0), name="b", after=["a"])
    assert graph.plan().text() == "level 1: a\nlevel 2: b\ncritical path: a → b (2 of 2 tasks)"
    assert TaskGraph().plan().text() == "critical path: none (0 of 0 tasks)"


def test_report(run: Run) -> None:
    graph = mixed()
    with pytest.raises(RuntimeError, match="has not been run"):
        graph.report()

    async def main() -> None:
        await graph.run()

    run(main)
    report = graph.report()
    assert report.critical_path == ("fetch", "parse")
    assert report.makespan == pytest.approx(report.limit, rel=0.3)
    assert report.ratio == pytest.approx(4 / 3, rel=0.3)
    assert report.timings["parse"].start >= report.timings["fetch"].end
    lines = report.text().splitlines()
    assert lines[-1] == f"critical path: fetch → parse, {report.limit:.2f} s"
    assert [line.split()[0] for line in lines[:3]] in (["fetch", "say", "parse"], ["say", "fetch", "parse"])
    assert "t0 ==> t1" in report.mermaid()
    # What was measured is what the next plan expects, where nothing else is said.
    assert graph.plan().durations['say "hi" & <go>'] == pytest.approx(report.timings['say "hi" & <go>'].duration)


def test_an_empty_graph(run: Run) -> None:
    graph = TaskGraph()

    async def main() -> Any:
        return await graph.run()

    assert run(main).values == {}
    assert graph.report().ratio is None
    assert graph.report().mermaid() == "flowchart LR"


def test_skipped_tasks_are_drawn(run: Run) -> None:
    graph = failing("dependents", [])

    async def main() -> None:
        await graph.run()

    run(main)
    drawn = graph.report().mermaid()
    assert "class t0 failed" in drawn
    assert "class t1,t2 skipped" in drawn


def test_types() -> None:
    graph = TaskGraph()

    @graph.task
    async def number() -> int:
        return 1

    def text(number: int) -> str:
        return str(number)

    first: Task[int] = number
    second: Task[str] = graph.add(text)
    assert (first.name, second.name) == ("number", "text")
