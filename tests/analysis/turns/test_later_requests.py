"""Messages of the user that came while the agent worked, or after an answer within one turn."""

from __future__ import annotations

import json

import pytest
from strategies import at, call, step

from otel_parallelism.analysis.turns.across.later_requests import asked_again_ns, spoken_between_ns
from otel_parallelism.dialects.parsing.messages import user_words
from otel_parallelism.model import Content, Turn


def a_session(messages: list[Content | None]) -> Turn:
    """Return a turn with a call, a request without calls for each of *messages*, and another call."""
    count = len(messages)
    steps = [step(f"s{n}", n + 2, n + 2.5, messages=one) for n, one in enumerate(messages)]
    calls = (call("a", 0, 1, round=0), call("b", count + 3, count + 4, round=1))
    return Turn("t", "turn", "turn", "agent", at(0), at(count + 5), calls=calls, steps=tuple(steps))


@pytest.mark.parametrize(
    ("messages", "expected"),
    [
        ([Content(["rain?"]), Content(["rain?", "news?"])], ((at(3),), ())),
        ([Content(["rain?"]), Content(["rain?"])], ((), ())),
        ([Content(["rain?"]), None], ((), (at(3),))),
        ([None, Content(["rain?"])], ((), (at(3),))),
    ],
)
def test_requests_after_another_message_of_the_user(messages: list[Content | None], expected: object) -> None:
    turn = a_session(messages)
    assert asked_again_ns(turn.calls, turn) == expected


def test_messages_of_a_long_session_are_read_at_most_twice() -> None:
    read: list[object] = []

    def parse(value: object) -> list[object]:
        read.append(value)
        return [value]

    turn = a_session([Content(f"{number}", parse) for number in range(40)])
    assert len(asked_again_ns(turn.calls, turn)[0]) == 39
    assert len(read) <= 80


def user(text: str) -> dict[str, str]:
    return {"role": "user", "content": text}


RAIN = user("Will it rain in Graz, and what is on there tonight?")
ASKED = {"role": "assistant", "tool_calls": [{"id": "i1", "name": "get_rain", "arguments": "{}"}]}
TOLD = {"role": "tool", "tool_call_id": "i1", "content": "dry until midnight"}


def as_json(*messages: object) -> Content:
    return Content(json.dumps(messages), user_words)


def as_data(*messages: object) -> Content:
    return Content(list(messages), user_words)


def worked(first: Content | None, second: Content | None, *, result: str = "dry until midnight") -> tuple[int, ...]:
    """Return when the user spoke while an agent made two calls, each in a round of its own."""
    steps = (
        step("s0", 0, 1, requested=("i1",), messages=first),
        step("s1", 2, 3, requested=("i2",), messages=second),
        step("s2", 4, 5, requested=(), messages=second),
    )
    calls = (call("a", 1, 2, round=0, result=Content(result)), call("b", 3, 4, round=1))
    return spoken_between_ns(calls, Turn("t", "turn", "turn", "agent", at(0), at(5), calls=calls, steps=steps))


@pytest.mark.parametrize("form", [as_json, as_data])
@pytest.mark.parametrize(
    "text", ["And in Linz?", "ok, now the second one", "Stop after this one", "Forget it. Go on with Linz."]
)
def test_requests_with_a_message_that_came_while_the_agent_worked(form: type[Content], text: str) -> None:
    assert worked(form(RAIN), form(RAIN, ASKED, TOLD, user(text))) == (at(2),)


@pytest.mark.parametrize("form", [as_json, as_data])
@pytest.mark.parametrize(
    "later",
    [
        [RAIN, ASKED, TOLD],
        [RAIN, ASKED, TOLD, user("Continue.")],
        [RAIN, ASKED, TOLD, user("Please go on with the task")],
        [RAIN, ASKED, TOLD, user("Analyze the tool result. If all is there, answer; otherwise call the next tool.")],
        [RAIN, ASKED, TOLD, user("<system-reminder>2 todos are open</system-reminder>")],
        [RAIN, ASKED, user("The tool said: dry until midnight.")],
        [user(f"{RAIN['content']} So far: get_rain was called.")],
        [ASKED, TOLD],
    ],
    ids=[
        "nothing new",
        "go on",
        "go on with it",
        "analyse it",
        "a reminder",
        "the result",
        "a prompt written anew",
        "only new ones",
    ],
)
def test_what_a_program_adds_is_no_message_of_the_user(form: type[Content], later: list[object]) -> None:
    assert worked(form(RAIN), form(*later)) == ()


def test_a_word_of_a_short_result_may_be_the_users_own() -> None:
    assert worked(as_json(RAIN), as_json(RAIN, ASKED, TOLD, user("Good, and in Linz?")), result="good") == (at(2),)


def test_messages_that_were_not_recorded_tell_nothing() -> None:
    def broken(_: object) -> object:
        raise ValueError

    assert worked(None, None) == worked(as_json(RAIN), None) == worked(as_json(RAIN), Content("x", broken)) == ()


def test_only_what_is_new_in_a_request_is_read() -> None:
    read: list[int] = []

    def parse(value: object) -> list[object]:
        read.append(len(str(value)))
        return user_words(value)

    history = [RAIN, *[ASKED, TOLD] * 500]
    contents = [Content(json.dumps(history[: 1 + 2 * n]), parse) for n in (0, 499, 500)]
    steps = tuple(step(f"s{n}", n, n + 0.5, requested=("i",), messages=one) for n, one in enumerate(contents))
    calls = (call("a", 0.5, 1, round=0), call("b", 2.5, 3, round=1))
    assert spoken_between_ns(calls, Turn("t", "turn", "turn", "agent", at(0), at(3), calls=calls, steps=steps)) == ()
    assert len(read) == 1


def test_each_result_is_read_once_whatever_the_user_says() -> None:
    read: list[object] = []

    def parse(value: object) -> object:
        read.append(value)
        return value

    count = 30
    calls = tuple(
        call(f"c{n}", 2 * n + 1, 2 * n + 1.5, result=Content(f"found {n} in the house", parse)) for n in range(count)
    )
    steps = tuple(
        step(f"s{n}", 2 * n, 2 * n + 0.5, requested=(f"c{n}",), messages=Content([f"What about {n}, a wish?"]))
        for n in range(count)
    )
    turn = Turn("t", "turn", "turn", "agent", at(0), at(2 * count), calls=calls, steps=steps)
    assert spoken_between_ns(calls, turn) == tuple(at(2 * n) for n in range(1, count))
    assert len(read) == len(set(read)) == count - 1


def test_many_messages_at_once_are_compared_by_their_beginnings() -> None:
    told = [[f"{kind} message {n}, which is long enough to have a beginning" for n in range(20_000)] for kind in "ab"]
    steps = tuple(step(f"s{n}", 2 * n, 2 * n + 0.5, requested=("c",), messages=Content(told[n])) for n in range(2))
    calls = (call("a", 1, 1.5), call("b", 3, 3.5))
    turn = Turn("t", "turn", "turn", "agent", at(0), at(4), calls=calls, steps=steps)
    assert spoken_between_ns(calls, turn) == (at(2),)
