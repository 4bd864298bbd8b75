"""
Finds bounds, and loose clauses, in what the user asked that may decide about calls.

In "the level and, above 80%, the forecast" the bound decides about the forecast. A bound that limits what is searched
for is an argument of a call. One that no call is given is compared with a result.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_parallelism.analysis.dependencies.contents.tokens import words_in
from otel_parallelism.patterns import CaselessPattern, LazyPattern

if TYPE_CHECKING:
    from collections.abc import Iterable

    from otel_parallelism.analysis.dependencies.contents.comparables import Values

_MOST_READ = 8_000
_NUMBER = r"(\d[\d.,]{0,12})"
_SHARE = r" ?(?:%|°|percent|degrees|prozent|grad|pour ?cent|por ?cento|por ciento|procent|grader|度)"
# Every bound has one of these. Looking for them first is many times as fast, and most texts have none.
_PART = LazyPattern(
    r"%|°|percent|degrees|prozent|grad|cent|cient|procent|度|exceed|passes|passing|rises? |(?:drops?|falls?) below"
    r"|bersteig|dépass|supera|passando de|ultrapass|przekr|превы|超|高于|低于|大于|小于|以上|以下|を下回|未満"
    r"|이상|이하|초과|미만"
)
_BOUND = LazyPattern(
    r"(?i)(?:\b(?:above|below|over|under|beyond|(?:more|less|greater|lower|higher) than|at least|at most|über|unter"
    r"|mehr als|weniger als|mindestens|höchstens|plus de|moins de|au-dess[ou]us de|más de|menos de|por encima del?"
    r"|por debajo del?|mais de|acima de|abaixo de|più del?|meno del?|sopra(?: il)?|sotto(?: il)?|oltre(?: il)?|boven"
    r"|onder|meer dan|minder dan|mer än|mindre än|mer enn|mindre enn|mere end|mindre end|ponad|powyżej|poniżej"
    r"|больше|меньше|выше|ниже)|[<>≤≥]=?)[ \w]{0,12}? ?"
    + _NUMBER
    + _SHARE
    + r"|\b(?:exceed\w*|pass(?:es|ing)|rises? (?:above|over)|drops? below|falls? below|übersteig\w*|dépass\w*"
    r"|supera\w*|passando de|ultrapass\w*|przekr\w+|превы\w+) (?:\w+ )?"
    + _NUMBER
    + r"|(?:超过|超過|高于|低于|大于|小于)\s?"
    + _NUMBER
    + "|"
    + _NUMBER
    + r"\s?\S{0,2}?(?:以上|以下|を超え|を下回|未満|이상|이하|초과|미만)"
)


# Where a clause ends, also in Arabic.
_CLAUSE = LazyPattern(r"[,;:.!?\u2013\u2014](?=\s|$)|\n|[\u060c\u061b\u061f]")
_FEWEST_WORDS = 2
_MOST_WORDS = 6
_ENGLISH = CaselessPattern(
    r"\b(?:the|and|what|which|how|with|from|show|give|please|get|find|tell|check|list|look|read|compare|about|hours"
    r"|times|prices?|status|weather|your|their|this|these|those|when|where|who|are)\b"
)
_ASKS = CaselessPattern(
    r"(?<!\w)(?:bitte|danke|merci|s'il|svp|gracias|por favor|grazie|per favore|obrigad[oa]|tack|takk?|dzi[eę]kuj[eę]"
    r"|prosz[eę]|sag|dis|dites|dime|d[ií]game|dimmi|diga|скажи|спасибо|пожалуиста|powiedz|vertel|s[aä]g|fortell|soyle"
    r"|l[uü]tfen)(?!\w)"
)


def has_unused_bound(texts: Iterable[str], arguments: Iterable[Values | None]) -> bool:
    """
    Return whether one of *texts* has a bound that is among the *arguments* of no call.

    It is False if not all arguments are known, because one of them may have the bound.
    """
    found = {
        number.rstrip(".,").replace(",", ".")
        for text in texts
        for numbers in (_BOUND.findall(text[:_MOST_READ]) if _PART.search(text[:_MOST_READ].lower()) else ())
        for number in numbers
        if number
    }
    if not found:
        return False
    given: set[str] = set()
    for values in arguments:
        if values is None or not values.whole:
            return False
        given.update(word for atom in values.atoms for word in (atom.token, *atom.words))
    return any(number not in given and not _as_share(number) & given for number in found)


def _as_share(number: str) -> set[str]:
    """
    Return a number as it may stand in arguments otherwise: without a point for thousands, or as a share of one.

    >>> sorted(_as_share("80"))
    ['0.8', '80']
    """
    try:
        return {f"{float(number) / 100:g}", number.replace(".", "")}
    except ValueError:
        return {number}


def has_loose_clause(texts: Iterable[str], arguments: Iterable[Values | None]) -> bool:
    """
    Return whether a text in another language than English has a short clause between others that names no argument.

    Between two things that are asked for, such a clause may be a condition: "Le niveau de A, trop bas, et le plan".
    It is False if not all *arguments* are known.
    """
    foreign = [text[:_MOST_READ] for text in texts if not _ENGLISH.search(text[:_MOST_READ])]
    if not foreign:
        return False
    given: set[str] = set()
    for values in arguments:
        if values is None or not values.whole:
            return False
        given.update(word for atom in values.atoms for word in (*atom.token.split(), *atom.words))
    return any(_has_loose_clause(text, given) for text in foreign)


def _has_loose_clause(text: str, given: set[str]) -> bool:
    loose = named = False
    for clause in _CLAUSE.split(text):
        words = words_in(clause)
        if not words:
            continue
        if loose:
            return True
        if not given.isdisjoint(words):
            named = True
        else:
            loose = named and _FEWEST_WORDS <= len(words) <= _MOST_WORDS and not _ASKS.search(clause)
    return False
