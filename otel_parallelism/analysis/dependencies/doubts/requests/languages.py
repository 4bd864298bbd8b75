"""Tells which language a text is in, by its small words."""

from __future__ import annotations

from collections import Counter
from functools import cache
from typing import TYPE_CHECKING, Final

from otel_parallelism.analysis.dependencies.comments.fillers import FILLERS

from . import english_words as english
from .foreign_words import LANGUAGES, Language

if TYPE_CHECKING:
    from collections.abc import Sequence

ENGLISH: Final = Language(
    openers=english.OPENERS,
    wishes=english.WISHES,
    persons=english.WISHING,
    polite=english.POLITE,
    joining=english.JOINING | english.DESCRIBING,
    starting_a_case=frozenset({"with"}),
    determiners=english.DETERMINERS,
    telling=english.TELLING,
    risky=english.RISKY,
)
_KNOWN: Final = (ENGLISH, *LANGUAGES)
_FEWEST: Final = 2


@cache
def _languages_with() -> dict[str, frozenset[int]]:
    """Return for each small word the places of its languages in `_KNOWN`, or the one after it for other languages."""
    # The last are the small words of languages whose plain requests are not known: the Scandinavian ones, and Russian.
    groups = (*(language.words for language in _KNOWN), frozenset[str]().union(*FILLERS[-2:]))
    found: dict[str, frozenset[int]] = {}
    for index, words in enumerate(groups):
        for word in words:
            if len(word) > 1:
                found[word] = found.get(word, frozenset()) | {index}
    return found


def language_of(words: Sequence[str], *, is_ascii: bool) -> Language | None:
    """
    Return the language of a text; None if it is not known.

    Args:
        words: Its words, in lower case and without accents.
        is_ascii: Whether it has only ASCII letters. Such a text without small words counts as English.

    >>> language_of(["show", "the", "hours", "in", "rome"], is_ascii=True) is ENGLISH
    True
    >>> language_of(["zeig", "mir", "die", "zeiten", "in", "rom"], is_ascii=True) is LANGUAGES[0]
    True
    """
    by_languages = Counter(map(_languages_with().get, words))
    counts = [
        sum(count for languages, count in by_languages.items() if languages and index in languages)
        for index in range(len(_KNOWN) + 1)
    ]
    others = counts.pop()
    most = max(counts)
    if not most:
        return ENGLISH if is_ascii and not others else None
    if counts.count(most) > 1 or others >= most or most < min(_FEWEST, len(words)):
        return None
    return _KNOWN[counts.index(most)]
