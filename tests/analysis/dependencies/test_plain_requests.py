"""Tests which sentences of the user are plain requests, and what follows for the calls that others name."""

from __future__ import annotations

import pytest

from otel_parallelism.analysis.dependencies.contents.tokens import words_in
from otel_parallelism.analysis.dependencies.doubts.requests.foreign_words import (
    DUTCH,
    FRENCH,
    GERMAN,
    ITALIAN,
    PORTUGUESE,
    SPANISH,
    Language,
)
from otel_parallelism.analysis.dependencies.doubts.requests.languages import ENGLISH, language_of
from otel_parallelism.analysis.dependencies.doubts.requests.plain_sentences import is_plain
from tests.analysis.dependencies.asked_in_turn import Told, judged, verdict_on

TIDES: Told = ("get_tides", {"place": "Kyle"}, {"high": "14:10", "low": "20:25"})
FERRIES: Told = ("list_ferries", {"island": "Mull"}, ["09:00", "12:30"])


@pytest.mark.parametrize(
    "said",
    [
        "The tides at Kyle and the ferries to Mull.",
        "Tides Kyle, ferries Mull",
        "tides at Kyle + ferries to Mull pls",
        "Could you show me the tides at Kyle, and list the ferries to Mull as well? Thanks a lot!",
        "Hi! I'm planning a trip to Scotland with my kids. What are the tides at Kyle? And which ferries go to Mull?",
        "Both at once: the tides at Kyle and the ferries to Mull.",
        "Tides at Kyle, ferries to Mull.\nRespond with a name that must be of Literal['get_tides', 'list_ferries']",
        "<user_query>The tides at Kyle and the ferries to Mull</user_query>",
        "id='5f-84' source='user' usage=None content='The tides at Kyle and the ferries to Mull.' type='Message'",
        "For my report I need the tides at Kyle and the ferries to Mull.",
        "As part of the harbour audit, compare the tides at Kyle with the ferries to Mull since 2020.",
        "I'd like to know when the tides turn at Kyle. After that, give me the ferries to Mull.",
        "My family and hope to see Kyle. Tell me the tides there, and the ferries to Mull, if possible.",
        "We'll stay in Kyle from 5 May. Any ferries to Mull? And the tides?",
        "I have two questions. One: the tides at Kyle. Two: the ferries to Mull over the next week.",
        "Don't forget to look up the ferries to Mull. The tides at Kyle too.",
        "It's now 9 o'clock. What is the tide at Kyle like, and can we take the ferry to Mull?",
        "Check if the tides at Kyle are high, and how the ferries to Mull run.",
        "Calibrate the gauge of Kyle by its tides, and the ferries to Mull by my watch.",
        "Order: tides of Kyle is 4.5 metres, ferries of Mull are 12.",
        "Show the tides at the pier of Kyle and for boat 80 the ferries to Mull.",
        "The tides at Kyle for a trip, and the ferries to the island of Mull.",
        "The tides at Kyle and the ferries to Mull, because support got complaints about both",
        "The tides at Kyle and the ferries to Mull please, as Tom is never on time.",
        "For the ward round at 8: the tides at Kyle and the ferries to Mull, which my boss always forgets.",
        "Dear assistant, kindly send me the tides at Kyle as well as the ferries to Mull.",
        "The ferries to Mull that carry cars, and the tides at Kyle, not before 9",
        "Montre les marées à Kyle et les ferries de Mull.",
    ],
)
def test_calls_of_plain_requests_are_independent(said: str) -> None:
    assert verdict_on(said, TIDES, FERRIES) == "independent"


@pytest.mark.parametrize(
    "said",
    [
        "The tides at Kyle. A low one would make the ferries to Mull my next question.",
        "How are the tides at Kyle? Low water sends me to the ferries to Mull.",
        "Tides at Kyle, and with low water the ferries to Mull.",
        "Tides at Kyle. The ferries to Mull are my second choice.",
        "Tides at Kyle please, the ferries to Mull just for want of water there.",
        "I can't wade at Kyle with high tides, so the ferries to Mull matter then.",
        "Tides at Kyle? Ferries to Mull without enough water there.",
        "Tides at Kyle. Too low? Ferries to Mull.",
        "High tides at Kyle justify a look at the ferries to Mull.",
        "The tides at Kyle, and any below a metre means ferries to Mull.",
        "Tides at Kyle. The kids might settle for the ferries to Mull.",
        "Tides at Kyle; anything odd there and I want the ferries to Mull",
        "The ferries to Mull are off the table before the tides at Kyle have turned.",
        "The tides at Kyle and the ferries to Mull, which only matter with low water.",
        "For low water: the ferries to Mull. And the tides at Kyle, as ever.",
        "Show me the tides at Kyle, and for low water the ferries to Mull.",
        "Show me the tides at Kyle, and the ferries to Mull for a bad one.",
        "I need the tides at Kyle and, on red, the ferries to Mull.",
        "Tell me the tides at Kyle and the ferries to Mull in an emergency.",
        "The tides at Kyle and the ferries to Mull, because I only take one with low water there.",
        "The tides at Kyle because I want to wade, and the ferries to Mull for a bad one.",
        "The tides at Kyle because I want to wade and the ferries to Mull for a bad one.",
        "The tides at Kyle, as I want to wade, and with low water the ferries to Mull.",
        "The tides at Kyle and the ferries to Mull, which I take given a low tide.",
        "Tides at Kyle. In the rain, show the ferries to Mull.",
        "Tides at Kyle. In the worst case, the ferries to Mull.",
        "Tides at Kyle. On the first low one, list the ferries to Mull.",
        "Tides at Kyle. For the lower of them, list the ferries to Mull.",
        "Nobody needs the ferries to Mull while Kyle has high tides.",
        "Bad tides at Kyle are what the ferries to Mull are for.",
        "Show me the tides at Kyle and a low one makes the ferries to Mull worth a look.",
    ],
)
def test_call_that_more_than_a_plain_request_names_may_depend_on_a_result(said: str) -> None:
    assert verdict_on(said, TIDES, FERRIES) == "unknown"


@pytest.mark.parametrize(
    ("said", "verdict"),
    [
        ("Zeig mir die Gezeiten in Kyle und die Fähren nach Mull.", "independent"),
        ("Ich plane einen Urlaub. Wie sind die Gezeiten in Kyle, und welche Fähren fahren nach Mull?", "independent"),
        ("Gezeiten in Kyle, Fähren nach Mull bitte", "independent"),
        ("Gezeiten in Kyle? Niedriges Wasser macht die Fähren nach Mull interessant.", "unknown"),
        ("Gezeiten in Kyle. Bei Ebbe die Fähren nach Mull.", "unknown"),
        ("Zeig mir die Gezeiten in Kyle. Mull wäre auch gut.", "unknown"),
        ("Quelles sont les marées à Kyle et les bateaux pour Mull ?", "independent"),
        ("Je voudrais les marées à Kyle et les bateaux pour Mull, merci.", "independent"),
        ("S'il te plaît, montre les marées à Kyle et les bateaux pour Mull.", "independent"),
        ("Les marées à Kyle ? Mull ferait l'affaire aussi.", "unknown"),
        ("Les marées à Kyle. Une mer basse justifie les bateaux pour Mull.", "unknown"),
        ("Muéstrame las mareas en Kyle y los barcos a Mull.", "independent"),
        ("¿Cómo están las mareas en Kyle? Un mar bajo pide ver los barcos a Mull.", "unknown"),
        ("Mostrami le maree a Kyle e i traghetti per Mull.", "independent"),
        ("Le maree a Kyle? Andrebbe bene anche Mull.", "unknown"),
        ("Mostre as marés em Kyle e os barcos para Mull.", "independent"),
        ("As marés em Kyle? Mull serviria também.", "unknown"),
        ("Toon het getij in Kyle en de boten naar Mull.", "independent"),
        ("Hoe is het getij in Kyle? Mull zou ook goed zijn.", "unknown"),
        ("Für die Überfahrt bräuchte ich die Gezeiten in Kyle und die Boote nach Mull.", "independent"),
        ("Pásame las mareas en Kyle y los barcos a Mull.", "independent"),
        ("Кайл и Mull: приливы и паромы", "independent"),
    ],
)
def test_plain_requests_in_other_languages(said: str, verdict: str) -> None:
    assert verdict_on(said, TIDES, FERRIES) == verdict


def test_other_sentence_in_another_language_may_concern_a_call_that_the_text_does_not_name() -> None:
    delays: Told = ("list_delays", {"of": "Kyle"}, ["none"])
    assert verdict_on("Les marées de Kyle et les retards, s'il vous plaît.", TIDES, delays) == "independent"
    assert verdict_on("Les marées de Kyle. Une mer basse justifie les retards.", TIDES, delays) == "unknown"


@pytest.mark.parametrize(
    ("said", "verdict"),
    [
        ("SHOW THE TIDES AT KYLE AND THE FERRIES TO MULL", "independent"),
        ("TIDES AT KYLE. THE FERRIES TO MULL ONLY WITHOUT WATER THERE", "unknown"),
        ("Tides At Kyle. The Ferries To Mull Would Do, Too", "unknown"),
        ("Tides at Kyle <2 m → ferries to Mull", "unknown"),
        ("<q>Tides at Kyle. The ferries to Mull would do, too</q>", "unknown"),
        ("id='5f-84' usage=None content='Tides at Kyle. The ferries to Mull would do, too' type='Message'", "unknown"),
        ("We board at noon and still pack, so please show the tides at Kyle and the ferries to Mull.", "independent"),
        ("I'm packing again - show the tides at Kyle and the ferries to Mull", "independent"),
        ("Tides at Kyle. You can imagine what a low one makes me want: the ferries to Mull", "unknown"),
        ("Tides at Kyle and the ferries to Mull that take users who had a car, after lunch", "independent"),
        ('Who wrote of "tides at Kyle, still"? And show the ferries to Mull.', "independent"),
    ],
)
def test_capitals_marks_and_clauses(said: str, verdict: str) -> None:
    assert verdict_on(said, TIDES, FERRIES) == verdict


def test_report_says_that_the_user_spoke_of_the_call() -> None:
    assert judged("Tides at Kyle. The kids might settle for the ferries to Mull.", TIDES, FERRIES).evidence == (
        "the user spoke of list_ferries in more than a plain request: whether it is called may depend on what get_tides"
        " returned"
    )


def test_sentence_about_one_call_says_nothing_of_others() -> None:
    said = "Tides at Kyle. The tides at Oban might matter then. And the ferries to Mull."
    assert verdict_on(said, TIDES, FERRIES) == "independent"
    assert verdict_on(said, FERRIES, TIDES) == "unknown"
    # Only its town tells the tide at Oban from that at Kyle.
    assert verdict_on(said, TIDES, ("get_tides", {"place": "Oban"}, {"high": "15:00"})) == "unknown"
    assert verdict_on(said, ("get_tides", {"place": "Oban"}, {"high": "15:00"}), TIDES) == "independent"


@pytest.mark.parametrize(
    ("sentence", "plain"),
    [
        ("", True),
        ("Good morning!", True),
        ("Part price of latch LX-220", True),
        ("Ramen at the castle, no events please", True),
        ("Ramen at the castle, no luck please", False),
        ("For the ward round", True),
        ("For high water", False),
        ("Rain justifies museum hours", False),
        ("The flow rate is 0.985 cubic meters, and the pressure is 4 bar", True),
        ("The flow rate is too low", False),
        ("Give me the logs in case of trouble", False),
        ("Under 300 ms there is nothing to see", False),
        ("Hotels under 100 euros", True),
        ("Hotels under the bridge", False),
        ("Events over the last hour", True),
        ("Could be that I need the logs", False),
        ("My kids want to see the castle", True),
        ("My kids would settle for the castle", False),
        ("To plan this well, I want the hours of the castle", True),
        ("For high water, I want the hours of the castle", False),
    ],
)
def test_a_plain_sentence_begins_like_a_request_or_lists_things(sentence: str, plain: bool) -> None:
    known = {
        "latch",
        "price",
        "rain",
        "museum",
        "hours",
        "flow",
        "rate",
        "pressure",
        "logs",
        "hotels",
        "castle",
        "events",
    }
    assert is_plain(sentence, known) is plain


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("What is the weather in Rome?", ENGLISH),
        ("Weather in Bodø and in Tromsø", ENGLISH),
        ("Wat is het weer in Gent en in Brugge", DUTCH),
        ("Wie ist das Wetter in Bonn und in Trier?", GERMAN),
        ("Quel temps fait-il a Lille et a Nancy ?", FRENCH),
        ("Que tiempo hace en Vigo y a que hora abre el Prado", SPANISH),
        ("Che tempo fa a Bari e gli orari degli Uffizi", ITALIAN),
        ("Como esta o tempo em Recife e em Natal?", PORTUGUESE),
        ("Hur ar vadret i Lund och i Ystad", None),
        ("札幌の天気", None),
        ("NVDA TSM", ENGLISH),
        ("", ENGLISH),
    ],
)
def test_language_is_told_by_small_words(text: str, language: Language | None) -> None:
    assert language_of(words_in(text), is_ascii=text.isascii()) is language
