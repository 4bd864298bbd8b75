"""
Finds bounds in what the user asked that decide about calls: "the level and, above 80%, the forecast".

A bound that limits what is searched for is an argument of a call. One that no call is given is compared with a result.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_parallelism.patterns import LazyPattern

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
