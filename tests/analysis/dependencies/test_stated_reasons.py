"""Tests what a model says beside the calls that it asks for: a reason that it saw keeps calls apart."""

from __future__ import annotations

import pytest

from otel_parallelism.analysis.dependencies.comments.stated_reasons import stated_reasons
from otel_parallelism.dialects.parsing.answer_texts import CallsAndTexts, with_texts
from otel_parallelism.dialects.parsing.messages import asked_calls
from otel_parallelism.model import AskedCall, Call, Content, Step

_SECOND_NS = 1_000_000_000
_BEFORE = (0, 0b1, 0b11)


def answer(said: str, *call_ids: str) -> dict[str, object]:
    """Return an answer with a text and with calls."""
    calls = [{"type": "tool_call", "id": call_id, "name": "get_hive", "arguments": {}} for call_id in call_ids]
    return {"role": "assistant", "parts": [{"type": "text", "content": said}, *calls]}


def reasons(*said: str, named: bool = True) -> dict[int, int]:
    """Return the reasons of calls that one answer each asked for; *named* says whether the user named the calls."""
    ids = [f"c{at}" for at in range(len(said))]
    calls = [
        Call("1", one, "t", "get_hive", at * _SECOND_NS, at * _SECOND_NS + 1, call_id=one) for at, one in enumerate(ids)
    ]
    steps = [
        Step("1", f"s{at}", "t", at, at + 1, (one,), answer=with_texts(Content(answer(text, one), asked_calls)))
        for at, (one, text) in enumerate(zip(ids, said, strict=True))
    ]
    return stated_reasons(calls, steps, _BEFORE[: len(said)], lambda _: named)


@pytest.mark.parametrize(
    "said",
    [
        "The hive lost weight, so I should look at the queen.",
        "Since the scale is silent, I turn to the camera.",
        "The notes mention a swarm. Now the camera.",
        "It seems that the queen is gone.",
        "I can see that honey is low.",
        "That didn't work. Trying the camera.",
        "According to the log, hive 3 leaks.",
        "Now let me find out why.",
        "I wonder if the queen is old.",
        "Perhaps mice. The camera will tell.",
        "Weil die Waage schweigt, sehe ich nach der Kamera.",
        "Puisque la balance se tait, je regarde la caméra.",
        "Je regarde la caméra, car la balance se tait.",
        "Como no pesa nada, miro la cámara.",
        "Поскольку весы молчат, смотрю камеру.",
        "因为秤没有数据,查看摄像头。",
    ],
)
def test_reason_that_the_model_saw_keeps_its_call_after_the_earlier_ones(said: str) -> None:
    assert reasons("Let me look.", said) == {1: 0b1}
    assert reasons("Let me look.", "Next one.", said) == {2: 0b11}


@pytest.mark.parametrize(
    "said",
    [
        "",
        "Now hive 4.",
        "Next, the car rental near hive 4.",
        "Next, I will look at hive 4.",
        "Great! Let me get hive 4 as well.",
        "On to the queen of hive 4 then.",
        "Ora la regina di questo alveare qui.",
        "Since you want both hives, here is the other one.",
        "Because the user asked for hive 4 too, I get it.",
        "Jetzt Stock 4.",
        "Ahora la colmena 4.",
        "接下来查看四号蜂箱。",
        "次に四番の巣箱を確認します。",
    ],
)
def test_words_without_a_reason_keep_nothing_apart(said: str) -> None:
    assert reasons("Let me look.", said, named=False) == {}


@pytest.mark.parametrize(
    "said",
    [
        "Nectar is scarce. Now the queen.",
        "Great, the hive is quiet. Let me get the queen.",
        "Something is wrong with the scale. Next, the queen.",
        "That\N{RIGHT SINGLE QUOTATION MARK}s not it. Hypothesis 2: the queen.",
        "The weight jumped from 3 to 7. Let me look at the queen.",
        "A drone holds the gate of the hive. Now the queen.",
        "Der Stock ist leer. Nun die Königin.",
        "Ulen er helt tom for honning. Nu dronningen.",
        "La ruche est vide. Maintenant la reine.",
        "蜂箱明显变轻。我再看看蜂王。",
        "巣箱は軽くなりました。次に女王蜂を確認します。",
    ],
)
def test_what_the_model_tells_of_a_result_may_be_why_it_calls_for_what_nobody_named(said: str) -> None:
    assert reasons("Let me look.", said, named=False) == {1: 0b1}
    assert reasons("Let me look.", said, named=True) == {}


def test_reason_beside_the_first_call_or_without_texts_keeps_nothing_apart() -> None:
    assert reasons("Since the scale is silent, I look.", "Next.") == {}
    assert stated_reasons([], [], [], bool) == {}


def test_answer_is_read_as_its_calls_and_then_its_texts() -> None:
    read = CallsAndTexts(asked_calls)(answer("It is late.", "c1"))
    assert read == (AskedCall("get_hive", {}, "c1"), "It is late.")
    assert with_texts(None) is None
    assert with_texts(Content("text")) == Content("text")
