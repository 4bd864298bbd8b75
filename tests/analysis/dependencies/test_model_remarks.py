"""Tests what a model writes beside the calls that it asks for: words that only a result explains keep calls apart."""

from __future__ import annotations

import pytest

from otel_parallelism.analysis.dependencies.comments.model_remarks import remarked_reasons
from otel_parallelism.analysis.dependencies.evidence import gather_evidence
from otel_parallelism.dialects.parsing.answer_texts import CallsAndTexts, with_texts
from otel_parallelism.dialects.parsing.messages import asked_calls
from otel_parallelism.model import AskedCall, Call, Content, Step
from otel_parallelism.settings import Settings

_SECOND_NS = 1_000_000_000
_BEFORE = (0, 0b1, 0b11)
_NAMED = "Look at the scale, the camera and the queen of hive 4."
_UNNAMED = "How is hive 4?"


def answer(said: str, *call_ids: str) -> dict[str, object]:
    """Return an answer with a text and with calls."""
    calls = [{"type": "tool_call", "id": call_id, "name": "get_hive", "arguments": {}} for call_id in call_ids]
    return {"role": "assistant", "parts": [{"type": "text", "content": said}, *calls]}


def reasons(user: str, *said: str, tools: tuple[str, ...] = ("get_scale", "get_camera", "get_queen")) -> dict[int, int]:
    """Return the reasons of calls about a hive that one answer each asked for, after what a *user* said."""
    ids = [f"c{at}" for at in range(len(said))]
    calls = [
        Call(
            "1",
            one,
            "t",
            tools[at],
            at * _SECOND_NS,
            at * _SECOND_NS + 1,
            call_id=one,
            arguments=Content({"hive": "4"}),
            result=Content({"at": "noon"}),
        )
        for at, one in enumerate(ids)
    ]
    steps = [
        Step("1", f"s{at}", "t", at, at + 1, (one,), answer=with_texts(Content(answer(text, one), asked_calls)))
        for at, (one, text) in enumerate(zip(ids, said, strict=True))
    ]
    evidence = gather_evidence(calls, [Content([user])], Settings())
    return remarked_reasons(calls, steps, _BEFORE[: len(said)], evidence)


@pytest.mark.parametrize(
    "said",
    [
        "Swarming.",
        "Swarm? Camera.",
        "The hive lost weight, so I should look at the camera.",
        "Since the scale is silent, I turn to the camera.",
        "It seems that the queen is gone.",
        "Now let me find out why.",
        "Perhaps mice. The camera will tell.",
        "I have what I need, the camera next.",
        "Noon → camera",
        "Weil die Waage schweigt, sehe ich nach der camera.",
        "Je regarde la camera, car la balance se tait.",
        "Ulen er helt tom for honning. Nu camera.",
        "Поскольку весы молчат, смотрю camera.",
        "因为秤没有数据,查看摄像头。",
        "雨。",
        "巣箱は軽くなりました。",
    ],
)
def test_words_that_only_a_result_explains_keep_a_call_after_the_earlier_ones(said: str) -> None:
    assert reasons(_UNNAMED, "Let me look.", said) == {1: 0b1}
    assert reasons(_UNNAMED, "Let me look.", "Next.", said) == {2: 0b11}


@pytest.mark.parametrize(
    "said",
    [
        "",
        "Next.",
        "Now the camera.",
        "**Step 2:** get `get_camera` of hive 4",
        "Great! Let me get the camera of hive 4 as well.",
        "Thanks for waiting. On to the camera of hive 4 then.",
        "接下来查看 camera。",
        "次に camera を確認します。",
    ],
)
def test_words_of_the_user_of_the_call_and_of_no_meaning_keep_nothing_apart(said: str) -> None:
    assert reasons(_UNNAMED, "Let me look.", said) == {}


@pytest.mark.parametrize(
    ("user", "said"),
    [
        ("Wie geht es der Waage und dem Stock?", "Ich sehe jetzt nach der camera."),
        ("Comment va la ruche de Paul ?", "Maintenant la camera."),
        ("¿Qué tal la colmena de Ana?", "Ahora voy a ver la camera."),
        ("Как дела на пасеке и в саду?", "Теперь посмотрю camera."),
    ],
)
def test_fillers_are_those_of_the_language_of_the_user(user: str, said: str) -> None:
    assert reasons(user, "Let me look.", said) == {}
    assert reasons(_UNNAMED, "Let me look.", said) == {1: 0b1}


def test_words_of_a_script_without_spaces_are_explained_by_the_user() -> None:
    assert reasons("四号蜂箱的相机怎么样?", "好的。", "接下来查看四号蜂箱的相机 camera。") == {}
    assert reasons("四号蜂箱怎么样?", "好的。", "接下来查看四号蜂箱的相机 camera。") == {1: 0b1}


@pytest.mark.parametrize(
    ("user", "said", "found"),
    [
        (_NAMED, "Nectar is scarce. Now the camera.", {}),
        (_NAMED, "Now the camera. Hive 4 weighs 31 kg, by the way.", {}),
        (_NAMED, "Nectar is scarce, so the camera.", {1: 0b1}),
        (_NAMED, "Nectar is scarce.", {1: 0b1}),
        (_NAMED, "Nectar is scarce. Look at this hive.", {1: 0b1}),
        ("Look at the scale or the camera.", "Nectar is scarce. Now the camera.", {1: 0b1}),
        ("看看 scale 或 camera", "Nectar is scarce. Now the camera.", {1: 0b1}),
        ("How is the camera?", "Nectar is scarce. Now the camera.", {1: 0b1}),
        ("Scale and cameras, please.", "Nectar is scarce. Now let me see what the cameras film.", {}),
        ("Cameras, please.", "Now let me see what the cameras film.", {1: 0b1}),
        (_UNNAMED, "Nectar is scarce. Now the camera.", {1: 0b1}),
        (_UNNAMED, "Hive 4. Now the camera.", {}),
        (_UNNAMED + " Does it rain?", "Rain. Now the camera.", {1: 0b1}),
    ],
)
def test_result_may_be_told_in_its_own_sentence_beside_what_the_user_named(
    user: str, said: str, found: dict[int, int]
) -> None:
    assert reasons(user, "Let me look.", said) == found


def test_word_of_an_earlier_request_points_at_the_calls_before_that_request() -> None:
    assert reasons(_UNNAMED, "Plan: scale, camera, brood.", "Now the camera.", "Brood: the queen.") == {}
    assert reasons(_UNNAMED, "Look.", "Mites! Camera.", "Mites: the queen.") == {1: 0b1, 2: 0b1}


def test_remark_beside_the_first_call_or_the_same_beside_all_keeps_nothing_apart() -> None:
    assert reasons(_UNNAMED, "Since the scale is silent, I look.", "Next.") == {}
    assert reasons(_UNNAMED, *["Buzzing along with the camera"] * 2, tools=("get_camera", "get_camera_log")) == {}
    evidence = gather_evidence([], [], Settings())
    assert remarked_reasons([], [], [], evidence) == {}


def test_text_of_a_request_for_no_call_is_a_remark_of_the_next_request() -> None:
    calls = [Call("1", one, "t", "get_hive", at, at + 1, call_id=one) for at, one in enumerate("ab")]
    answers = [("Let me look.", "a"), ("Mites.",), ("", "b")]
    steps = [
        Step("1", f"s{at}", "t", at, at, tuple(ids), answer=with_texts(Content(answer(text, *ids), asked_calls)))
        for at, (text, *ids) in enumerate(answers)
    ]
    evidence = gather_evidence(calls, [], Settings())
    assert remarked_reasons(calls, steps, _BEFORE, evidence) == {1: 0b1}
    assert remarked_reasons(calls, steps[::2], _BEFORE, evidence) == {}


def test_unreadable_remark_keeps_its_call_after_the_earlier_ones() -> None:
    def fail(_: object) -> object:
        raise ValueError

    calls = [Call("1", one, "t", "get_hive", at, at + 1, call_id=one) for at, one in enumerate("ab")]
    steps = [Step("1", f"s{one}", "t", at, at, (one,), answer=Content("?", parse=fail)) for at, one in enumerate("ab")]
    assert remarked_reasons(calls, steps, _BEFORE, gather_evidence(calls, [], Settings())) == {1: 0b1}


def test_answer_is_read_as_its_calls_and_then_its_texts() -> None:
    read = CallsAndTexts(asked_calls)(answer("It is late.", "c1"))
    assert read == (AskedCall("get_hive", {}, "c1"), "It is late.")
    assert with_texts(None) is None
    assert with_texts(Content("text")) == Content("text")
