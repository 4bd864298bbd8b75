# ruff: noqa: RUF001 - letters of other alphabets are meant

from __future__ import annotations

import pytest

from otel_parallelism.analysis.dependencies.contents.outcomes import result_outcome
from otel_parallelism.analysis.dependencies.doubts.languages.foreign_conditions import has_foreign_condition
from otel_parallelism.analysis.dependencies.guards import guard_of, tells_time


@pytest.mark.parametrize("at_ns", [10**25, -(10**25), 2**64, -1])
def test_time_outside_of_all_calendars_is_no_error(at_ns: int) -> None:
    assert not tells_time("get_status", {"as_of": "2026-01-01T00:00"}, at_ns)
    assert tells_time("get_current_time", None, at_ns)


@pytest.mark.parametrize(
    "text",
    [
        "Keine Bestellung gefunden",
        "Aucun résultat",
        "Pedido inexistente",
        "Nenhum pedido encontrado",
        "Nessun ordine trovato",
        "Geen bestelling gevonden",
        "Ingen order hittades",
        "Nie znaleziono zamówienia",
        "Заказ не найден",
        "見つかりませんでした",
        "未找到订单",
        "주문이 없습니다",
        "nein",
        "MISS",
        "Objednávka nenalezena",
        "Partial outage, data may be old",
        "Out of stock until Thursday",
        "Currently unavailable; two weeks",
        "Fully booked for the weekend",
        "0 available, 5 on order",
        "Ausverkauft, wieder ab Montag",
        "Complet jusqu'à 21 h",
    ],
)
def test_denial_in_any_language_may_decide_about_every_call(text: str) -> None:
    assert guard_of("get_order", text) == "any"


@pytest.mark.parametrize("text", ["ja", "sí", "autorisé", "abgeschlossen", "是", "はい"])
def test_yes_and_good_status_in_another_language_may_decide_about_other_tools(text: str) -> None:
    assert guard_of("get_order", text) == "other"


@pytest.mark.parametrize(
    "text",
    [
        "Leichter Regen am Fjord",
        "0 degrees",
        "In stock (14)",
        "Lluvia ligera",
        "Soleil sur la côte",
        "峡湾有小雨",
        "小雨です",
    ],
)
def test_plain_answer_in_another_language_is_no_guard(text: str) -> None:
    assert guard_of("get_weather", text) == ""


def test_result_that_says_that_it_is_old_or_partial_is_a_guard() -> None:
    assert guard_of("get_price", {"price": 31.2, "stale": True}) == "any"
    assert guard_of("search", {"papers": ["A"], "warning": "index degraded"}) == "any"
    assert guard_of("get_price", {"price": 31.2, "stale": False}) == ""
    assert guard_of("get_text", {"text": "tdie", "confidence": 0.12}) == "any"
    assert guard_of("get_text", {"text": "tide", "confidence": 0.97}) == ""
    assert guard_of("get_person", {"found": False, "searched": "crm"}) == "any"


def test_kind_of_a_request_decides_what_runs_next_and_the_kind_of_a_thing_does_not() -> None:
    assert guard_of("detect_language", "German") == "other"
    assert guard_of("classify_intent", {"label": "complaint"}) == "other"
    assert guard_of("detect_objects", ["mug", "lamp"]) == guard_of("classify_rock", "basalt") == ""


@pytest.mark.parametrize(
    "result",
    [
        "Fehler: Dienst antwortet langsam",
        "Ошибка соединения",
        "错误：连接中断",
        "Service is down for the moment",
        {"code": "rate_limited"},
        {"status": "fehler", "text": "gestört"},
        "<Response><Error>no access</Error></Response>",
        "<html><title>502 Bad Gateway</title></html>",
        {"message": "You have reached your monthly quota"},
        {"message": "slower please", "retry_after": 2},
    ],
)
def test_error_in_any_language_is_a_failure(result: object) -> None:
    assert result_outcome(result) == "failed"


@pytest.mark.parametrize(
    ("sentence", "has"),
    [
        ("Falls es regnet, zeig mir Museen", True),
        ("si ce n'est pas assez clair, lis b.md", True),
        ("Si llueve, busca museos", True),
        ("如果下雨，请列出博物馆", True),
        ("雨なら美術館を教えて", True),
        ("비가 오면 미술관을 알려줘", True),
        ("Zeig mir beides, wenn möglich", False),
        ("Les deux, s'il vous plaît", False),
        ("Dis-moi si Oslo et Rome sont froides", False),
        ("Wetter in Oslo und Rom", False),
        ("Cómo se llama la capital?", False),
    ],
)
def test_condition_in_another_language_is_recognised(sentence: str, has: bool) -> None:
    assert has_foreign_condition(sentence) is has


def test_price_of_a_stock_is_no_count_and_a_stock_is() -> None:
    assert guard_of("get_stock_price", 31.2) == ""
    assert guard_of("get_stock", 31) == guard_of("get_stock_level", 31) == "other"


def test_zero_among_other_facts_is_a_guard_where_a_tool_counts() -> None:
    assert guard_of("get_stock", {"units": 0, "next_delivery": "in three weeks"}) == "other"
    assert guard_of("get_stock", {"units": 9, "next_delivery": "in three weeks"}) == ""
    assert guard_of("get_offer", {"discount": 0, "seller": "Kestrel Nordic"}) == ""


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf"), 10**400, 1.5])
def test_a_count_that_is_no_usual_number_is_no_error(number: float) -> None:
    assert guard_of("count_orders", {"count": number}) in {"", "any", "other"}
    assert guard_of("count_orders", number) in {"", "any", "other"}


def test_a_count_above_zero_is_an_answer() -> None:
    assert guard_of("count_orders", {"count": 3}) == "other"
    assert guard_of("count_orders", {"count": 3.0}) == "other"
    assert guard_of("count_orders", {"count": 0}) == "any"
