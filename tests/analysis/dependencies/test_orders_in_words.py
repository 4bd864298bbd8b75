"""Tests what the user or a system prompt says, in several languages, about when a call is made and after which one."""

# ruff: noqa: RUF001 - letters of other alphabets are meant

from __future__ import annotations

import pytest

from otel_parallelism.analysis.dependencies.dependency_graph import Dependencies
from otel_parallelism.model import Call, Content, DeveloperText
from otel_parallelism.settings import Settings

_SECOND_NS = 1_000_000_000
_ITEMS = ("K1", "K2")


def verdict_on(said: str, prompt: str = "", tools: tuple[str, str] = ("get_stove", "get_stove")) -> str:
    """Return the verdict on two calls that read two measurements, which a model asked for in turn."""
    calls = [
        Call(
            "1",
            f"{at}",
            "t",
            tool,
            2 * at * _SECOND_NS,
            (2 * at + 1) * _SECOND_NS,
            arguments=Content({"item": item}),
            result=Content({"heat": 412.5, "draught": 3.7}),
            round=at,
        )
        for at, (tool, item) in enumerate(zip(tools, _ITEMS, strict=True))
    ]
    return (
        Dependencies(calls, [Content([DeveloperText(prompt), said] if prompt else said)], Settings()).pair(0, 1).verdict
    )


@pytest.mark.parametrize(
    "said",
    [
        "Read K1. Only then read K2.",
        "K1, then K2, in exactly this order",
        "Read K1; wait for its value, then read K2.",
        "Read K2 but never before K1.",
        "K2 is to be read after K1 has been.",
        "K1 and K2, with a pause in between",
        "K1 and K2, staggered",
        "K1, and when you are finished with it, K2",
        "K1 und K2 bitte hintereinander",
        "Lies K1 und erst danach K2.",
        "K1 und K2, genau in dieser Reihenfolge",
        "Lis K1, puis seulement K2.",
        "K1 et K2, dans cet ordre",
        "Lee K1 y sólo después K2.",
        "Leggi K1 e solo dopo K2.",
        "Leia K1 e só depois K2.",
        "Прочитай K1, и лишь потом K2.",
        "K1 и K2 строго в указанном порядке",
        "Przeczytaj K1, a dopiero po nim K2.",
        "Lees K1 en pas daarna K2.",
        "Läs K1 och först därefter K2.",
        "先读K1,读完再读K2",
        "K1を確認してから、K2を読んで",
        "K1, K2 순서대로 읽어줘",
    ],
)
def test_order_that_is_asked_for_is_kept(said: str) -> None:
    assert verdict_on(said) == "unknown"


@pytest.mark.parametrize(
    "said",
    [
        "First K1, then K2.",
        "K1 and K2, but not before 9",
        "K1 and K2. Order is restored in the hall.",
        "K1 and K2, as soon as possible.",
        "Als ich im Saal war, war es kalt. K1 und K2?",
        "Erst K1, dann K2.",
        "K1 et puis K2",
        "Primero K1 y luego K2",
        "Сначала K1, потом K2",
        "先看K1,然后看K2",
        "まずK1、次にK2",
        "K1, K2 알려줘",
    ],
)
def test_order_of_telling_is_no_order_of_asking(said: str) -> None:
    assert verdict_on(said) == "independent"


@pytest.mark.parametrize(
    "prompt",
    [
        "Wait for one stove to answer before you ask the next.",
        "A stove must not be read until the previous reading is over.",
        "Between two stoves, let the gateway finish.",
        "Reads of a stove must never overlap.",
        "The stove gateway has a single channel.",
        "The gateway of the stoves cannot handle two requests.",
        "Stoves share one radio: breathe before asking the next stove.",
        "The radio link holds just one caller.",
        "A stove key is good for one read.",
        "Stove reads are serialized by the hub.",
        "The hub grants one concurrent session for stoves.",
        "Der Hub ist nicht mehrbenutzerfähig.",
        "Le foyer se bloque quand deux lectures sont simultanées.",
        "Termina una lectura antes de pedir otra.",
        "网关是单线程的。",
        "ストーブは一つずつ読むこと。",
        "Centralen kan kun besvare én henvendelse ad gangen.",
        "Das Gateway verträgt höchstens eine Abfrage gleichzeitig.",
        "Öfen dürfen niemals zeitgleich gelesen werden.",
        "La passerelle ne répond qu'à une demande à la fois.",
        "La pasarela no admite peticiones simultáneas.",
        "Il gateway non regge richieste in parallelo.",
        "A central atende um pedido de cada vez.",
        "Шлюз обслуживает один запрос за раз.",
        "De poort verwerkt één vraag tegelijk.",
        "Bramka przyjmuje jedno pytanie naraz.",
        "网关每次只处理一条消息。",
        "ゲートウェイは一度に一つの要求だけ処理します。",
        "게이트웨이는 한번에 하나만 처리합니다.",
    ],
)
def test_limit_of_a_service_is_kept(prompt: str) -> None:
    assert verdict_on("K1 and K2", prompt) == "unknown"


@pytest.mark.parametrize(
    "prompt",
    [
        "Wait for the tool's answer before you use another tool.",
        "Rufe stets nur ein Werkzeug gleichzeitig auf.",
        "N'appelle jamais deux outils en parallèle.",
        "Usa una herramienta a la vez.",
        "Не вызывай инструменты одновременно.",
        "不要同时调用两个工具。",
        "ツールは同時に一つだけ使ってください。",
        "도구는 한 번에 하나만 호출하세요.",
        "Der Ofen ist alt.",
        "There is no need to explain how parallel lines meet.",
    ],
)
def test_rule_on_tools_in_general_is_no_limit(prompt: str) -> None:
    assert verdict_on("K1 and K2", prompt) == "independent"


@pytest.mark.parametrize(
    ("said", "verdict"),
    [
        ("The walking time between K1 and K2 by stove", "independent"),
        ("Leave some time between K1 and K2", "unknown"),
        ("K1 and K2 of the stove, with time in between", "unknown"),
    ],
)
def test_time_between_two_things_is_a_pause_only_if_it_is_to_be_left(said: str, verdict: str) -> None:
    assert verdict_on(said) == verdict


@pytest.mark.parametrize(
    ("prompt", "tools", "verdict"),
    [
        ("Look at the draught before you list ovens.", ("get_draught_state", "list_ovens"), "unknown"),
        ("Always take the draught of a stove first, then its ash.", ("get_draught_state", "get_ash_level"), "unknown"),
        ("Look at the draught before you list ovens.", ("get_draught_state", "get_ash_level"), "independent"),
        ("Look at the stove before you answer.", ("get_stove_draught", "get_stove_ash"), "independent"),
    ],
)
def test_order_of_two_things_in_a_prompt_concerns_tools_with_any_word_for_them(
    prompt: str, tools: tuple[str, str], verdict: str
) -> None:
    assert verdict_on("K1 and K2", prompt, tools) == verdict


@pytest.mark.parametrize(
    "said",
    [
        "K1, please. Only soot justifies a look at K2.",
        "K1; K2 only in the event of smoke",
        "Take the first of K1 and K2 that is above 400.",
        "K1. Heat above normal means that I need K2.",
        "Barring smoke in K1, read K2.",
        "So long as K1 burns, read K2.",
        "K1, and, where soot shows, K2",
        "K1. I need K2 solely for a hot one.",
        "K1; anything over 500 and I'd rather see K2.",
        "K1 should do; K2 to fill a gap.",
        "Lis K1 et, fort tirage aidant, K2.",
        "Lue K1, kuuma kun on, niin K2.",
        "Läs K1. Är den kall, läs K2.",
        "Les K1, og er den kald, så K2.",
        "Sollte K1 kalt sein, lies K2.",
        "Ist K1 kalt, zeig K2.",
        "Lies K1; nur bei Rauch auch K2.",
        "Lees K1 en, mocht die koud zijn, K2.",
        "K1, tenzij die koud is; dan K2",
        "Läs K1, och om den är kall, läs K2.",
        "Lis K1 et, à défaut, K2.",
        "K2, à moins que K1 soit chaud",
        "Lee K1 y, a falta de dato, K2.",
        "K2, salvo que K1 queme",
        "K2, a meno che K1 non scotti",
        "K2, a menos que K1 queime",
        "Прочитай K1, а при его отсутствии K2.",
        "K1, gdyby był zimny, to K2",
        "K1 soğuksa ya da boşsa K2",
        "先看K1,一旦过热再看K2",
        "K1不足时查K2",
        "K1が熱ければK2も見て",
        "K1이 없을 때는 K2",
        "K1 في حال عدم وجوده K2",
    ],
)
def test_condition_may_decide_about_the_second_call(said: str) -> None:
    assert verdict_on(said) == "unknown"


@pytest.mark.parametrize(
    "said",
    [
        "The first of May: K1 with K2",
        "K1 and K2 from the firm providing the wood",
        "Pending orders: K1 and K2",
        "Where is K1, and when was K2 lit?",
        "K1 och K2 till Anna",
        "例えばK1とK2",
        "できればK1とK2",
        "K1和K2的营业时间",
        "A diverse set: K1 and K2",
        "Bursa: K1 ve K2",
        "Beim Ofen: K1 und K2",
        "K1 при заводе и K2",
        "Lies K1, bitte sehr, und K2.",
        "K1, Halle, und K2, Hof",
        "Stove K1: burning times. Stove K2: soot.",
        "Hei vaan, K1 ja K2.",
        "K1 und K2, so wie immer.",
    ],
)
def test_words_like_those_of_conditions_are_none(said: str) -> None:
    assert verdict_on(said) == "independent"
