from __future__ import annotations

import dataclasses
import datetime as dt
import enum
import sys
import time
import uuid
from typing import TYPE_CHECKING, Any

import pytest

from otel_parallelism import Settings, agent_turn, names, profiled
from otel_parallelism.tracing import shield
from otel_parallelism.tracing.state.call_contents import hold_arguments, hold_result, read_arguments, read_result
from otel_parallelism.tracing.state.nodes import MISSING, CallNode

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Kit

CANARY = "canary-7f3a"


@dataclasses.dataclass
class Order:
    number: int
    owner: str


class Pace(enum.IntEnum):
    FAST = 3


class Sealed:
    __slots__ = ("secret",)


def held(*args: Any, **kwargs: Any) -> CallNode:
    node = CallNode(None, None, 0, 0)
    hold_arguments(node, args, kwargs)
    return node


@pytest.mark.parametrize(
    ("args", "values", "whole"),
    [
        ((1, "a", None, 2.5, True), [1, "a", None, 2.5, True], True),
        (([1, [2, (3,)]],), [1, 2, 3], True),
        (({"order": 7},), ["order", 7], True),
        ((dt.date(2024, 5, 6), uuid.UUID(int=1)), ["2024-05-06", str(uuid.UUID(int=1))], True),
        ((Order(7, "Ann"),), [7, "Ann"], True),
        ((Pace.FAST,), ["FAST", 3], True),
        ((Sealed(),), [], False),
        ((object(),), [], False),
        ((print,), [], False),
        ((list(range(11)),), list(range(10)), False),
        ((list(range(100)),), [], False),
    ],
)
def test_arguments_are_reduced_to_their_leaves(args: tuple[Any, ...], values: list[Any], whole: bool) -> None:
    node = held(*args)
    assert (list(read_arguments(node)), node.whole) == (values, whole)  # type: ignore[call-overload] # a list


def test_enumeration_members_are_not_shared_objects() -> None:
    assert held(Pace.FAST).identities == ()


def test_later_change_of_argument_is_ignored() -> None:
    argument = {"ids": [1, 2]}
    node = held(argument)
    argument["ids"].append(3)
    assert read_arguments(node) == ["ids", 1, 2]
    assert node.identities == (id(argument), id(argument["ids"]))


def test_new_list_is_not_mistaken_for_a_deleted_one(make_kit: Callable[..., Kit]) -> None:
    make_kit(Settings(min_avoidable=0, min_avoidable_share=0))

    @profiled(effect="read")
    def look(names: list[str], about: Order) -> str:
        time.sleep(0.01)
        return f"{names[0]} has no order of that number but {about.owner}"

    with agent_turn(input="Ann 0, Bob 1, Cem 2") as turn:
        for number, name in enumerate(("Ann", "Bob", "Cem")):
            look([name], Order(number, name))
    assert turn.report is not None
    (found,) = turn.report.findings
    assert (found.advice, len(found.calls)) == ("recommended", 3)


def test_held_values_are_small_and_released_with_the_turn(make_kit: Callable[..., Kit]) -> None:
    make_kit(Settings(min_avoidable=0))

    @profiled(effect="read")
    def look(about: Order, *, many: list[object]) -> None:
        """Do nothing."""

    kept, left_out = Order(7, "Ann"), Order(8, "Bob")
    with agent_turn():
        look(kept, many=[*range(30), left_out])
        held_now = sys.getrefcount(kept), sys.getrefcount(left_out)
    assert (sys.getrefcount(kept), sys.getrefcount(left_out)) == (held_now[0] - 1, held_now[1])


def test_argument_that_contains_itself() -> None:
    loop: list[Any] = [1]
    loop.append(loop)
    assert not held(loop).whole


@pytest.mark.parametrize(
    ("result", "kept", "whole"),
    [
        ({"a": 1}, True, True),
        ("short", True, True),
        ("x" * 101, False, False),
        (list(range(11)), False, False),
        (Order(1, "Ann"), True, True),
        (b"x" * 101, False, False),
        (range(5), False, False),
        (dt.date(2024, 5, 6), True, True),
    ],
)
def test_result_is_held_by_reference_unless_large(result: Any, kept: bool, whole: bool) -> None:
    node = CallNode(None, None, 0, 0)
    hold_result(node, result, max_bytes=100, max_items=10)
    assert node.result_whole is whole
    if kept and not isinstance(result, dt.date):
        assert read_result(node) is result


@pytest.mark.parametrize(
    ("result", "change"),
    [
        ([1, 2], lambda result: result.pop()),
        ({"data": {"pages": [1, 2]}}, lambda result: result["data"]["pages"].append(3)),
        ([{"id": 1}, {"id": 2}], lambda result: result[1].update(id=None)),
        ({1}, lambda result: result.add(2)),
        (Order(7, "Ann"), lambda result: vars(result).update(owner="Bob")),
    ],
)
def test_changed_result_cannot_be_read(result: Any, change: Callable[[Any], object]) -> None:
    node = CallNode(None, None, 0, 0)
    hold_result(node, result, max_bytes=100, max_items=10)
    assert read_result(node) is result
    change(result)
    with pytest.raises(LookupError, match="changed"):
        read_result(node)


def test_part_of_a_result_is_not_independent_of_it(make_kit: Callable[..., Kit]) -> None:
    make_kit(Settings(min_avoidable=0, min_avoidable_share=0))

    @profiled(effect="read")
    def list_pages() -> list[str]:
        time.sleep(0.01)
        return ["PAGE-1001", "PAGE-1002", "PAGE-1003"]

    @profiled(effect="read")
    def fetch_page(page: str) -> str:
        time.sleep(0.01)
        return f"the text of {page[:4].lower()}"

    with agent_turn() as turn:
        pages = list_pages()
        while pages:
            fetch_page(pages.pop())
    assert turn.report is not None
    recommended = [finding.calls for finding in turn.report.findings if finding.advice == "recommended"]
    assert not any("list_pages" in calls for calls in recommended)


def test_released_values_cannot_be_read() -> None:
    node = CallNode(None, None, 0, 0, result=MISSING)
    with pytest.raises(LookupError):
        read_arguments(node)
    with pytest.raises(LookupError):
        read_result(node)


def test_passed_on_value_is_a_dependency(make_kit: Callable[..., Kit]) -> None:
    make_kit(Settings(min_avoidable=0, min_avoidable_share=0))

    @profiled(effect="read")
    def find(name: str) -> dict[str, str]:
        time.sleep(0.03)
        return {"id": f"{name}-9317-xk"}

    @profiled(effect="read")
    def look(identifier: str) -> str:
        time.sleep(0.03)
        return identifier.upper()

    with agent_turn(input="find Ann") as turn:
        look(find("ann")["id"])
    assert turn.report is not None
    assert turn.report.findings == ()
    assert turn.report.verdict == "serial_by_need"
    for call in turn.report.turn.calls:
        assert call.arguments is not None
        assert call.arguments.parse is not None
        with pytest.raises(LookupError):
            call.arguments.parse(call.arguments.value)


class Session:
    @profiled(effect="read")
    def look(self, name: str) -> str:
        time.sleep(0.01)
        return f"nothing about {name}"

    @profiled(effect="read")
    async def look_well(self) -> str:
        return "nothing at all"


@pytest.mark.parametrize(
    ("wrap", "unwrap"),
    [
        (lambda session: session, lambda result: result),
        (lambda session: (session, 7), lambda result: result[0]),
        (lambda session: {"session": session}, lambda result: result["session"]),
    ],
)
async def test_method_depends_on_call_that_returned_its_object(
    make_kit: Callable[..., Kit], wrap: Callable[[Session], Any], unwrap: Callable[[Any], Session]
) -> None:
    make_kit(Settings(min_avoidable=0, min_avoidable_share=0))

    @profiled(effect="read")
    def open_session() -> Any:
        time.sleep(0.01)
        return wrap(Session())

    with agent_turn() as turn:
        session = unwrap(open_session())
        session.look("Ann")
        session.look("Bob")
        await session.look_well()
    assert turn.report is not None
    (found,) = turn.report.findings
    assert found.calls == ("look", "look", "look_well")


def test_without_evidence_nothing_is_held(make_kit: Callable[..., Kit]) -> None:
    make_kit(Settings(min_avoidable=0, evidence=False))

    @profiled
    def find(name: str) -> str:
        return name

    with agent_turn() as turn:
        find("ann")
    assert turn.report is not None
    assert (turn.report.turn.calls[0].arguments, turn.report.turn.calls[0].result) == (None, None)


def _run(kit: Kit) -> None:
    @profiled(effect="read")
    def tell(secret: str, *, more: dict[str, str]) -> str:
        return f"{secret} {more}"

    @profiled
    def fail(secret: str) -> None:
        raise ValueError(secret)

    with agent_turn("canary", input=CANARY):
        for _ in range(3):
            tell(CANARY, more={"a": CANARY})
        with pytest.raises(ValueError, match=CANARY):
            fail(CANARY)


def test_no_content_leaves_the_process(make_kit: Callable[..., Kit]) -> None:
    kit = make_kit(Settings(min_avoidable=0, min_avoidable_share=0, call_duration_metric=True))
    _run(kit)
    assert len(kit.spans) == 5
    assert CANARY not in kit.everything()


def test_content_is_exported_if_configured(make_kit: Callable[..., Kit]) -> None:
    kit = make_kit(Settings(capture_content=True, caller_on_calls=True))
    _run(kit)
    attributes = kit.calls()[0].attributes or {}
    assert attributes[names.TOOL_CALL_ARGUMENTS] == f'{{"secret": "{CANARY}", "more": {{"a": "{CANARY}"}}}}'
    assert attributes[names.TOOL_CALL_RESULT] == f"{CANARY} {{'a': '{CANARY}'}}"
    assert attributes[names.CALLER_FILE_PATH] == __file__
    (event,) = kit.span("execute_tool fail").events
    assert CANARY in str((event.attributes or {})["exception.message"])


class Broken:
    """Everything that can raise does."""

    def __eq__(self, other: object) -> bool:  # noqa: D105
        raise RuntimeError

    def __hash__(self) -> int:  # noqa: D105
        raise RuntimeError

    def __repr__(self) -> str:  # noqa: D105
        raise RuntimeError

    __str__ = __repr__

    def __len__(self) -> int:  # noqa: D105
        raise RuntimeError

    def __bool__(self) -> bool:  # noqa: D105
        raise RuntimeError

    def __getattr__(self, name: str) -> Any:  # noqa: D105
        raise RuntimeError

    def __iter__(self) -> Any:  # noqa: D105
        raise RuntimeError


class BrokenList(list[int]):
    __iter__ = Broken.__iter__
    __len__ = Broken.__len__


class BrokenError(Exception):
    __str__ = Broken.__repr__
    __repr__ = Broken.__repr__


@pytest.mark.parametrize("capture", [True, False])
async def test_broken_objects_never_reach_the_program(make_kit: Callable[..., Kit], capture: bool) -> None:
    kit = make_kit(Settings(min_avoidable=0, min_avoidable_share=0, capture_content=capture))

    @profiled(effect="read")
    def give(value: Any, *, more: Any = None) -> Any:
        return value

    @profiled
    async def fail(value: Any) -> None:
        raise BrokenError(value)

    with agent_turn(input=Broken()) as turn:
        for value in (Broken(), BrokenList(), [Broken()], {"a": Broken()}):
            assert give(value, more=value) is value
        with pytest.raises(BrokenError):
            await fail(Broken())
    assert turn.report is not None
    assert turn.report.calls == 5
    assert len(kit.calls()) == 5
    if capture:
        # A value that cannot be told is an internal error, said once, and costs that call's span at most.
        assert shield.internal_errors()
        shield._counts.clear()
        kit.forgive()


@pytest.mark.parametrize("resource", [lambda *_: 1 / 0, lambda: "no arguments", lambda *_: Broken()])
def test_failing_resource_function_leaves_resource_out(make_kit: Callable[..., Kit], resource: Any) -> None:
    kit = make_kit()

    @profiled(resource=resource)
    def write(path: str) -> str:
        return path

    with agent_turn() as turn:
        assert write("a") == "a"
        assert write("b") == "b"
    assert turn.report is not None
    assert turn.report.calls == 2
    assert all(names.RESOURCE not in (span.attributes or {}) for span in kit.calls())
    assert sum(shield.internal_errors().values()) == 2
    shield._counts.clear()
    kit.forgive()
