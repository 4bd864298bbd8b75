"""Splits a sentence of the user into words and marks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from otel_parallelism.patterns import LazyPattern

if TYPE_CHECKING:
    from collections.abc import Collection

NAME: Final = "#"
"""Stands for a name: a word in capitals, or anything in quotes."""

_QUOTE = "Quote"
_OF_ADDRESSES = frozenset("@/._")
_TOKEN = LazyPattern(r"[^\W_](?:[\w'./@+#-]*[\w'])?|[,:()\u2013\u2014&+/-]")
_QUOTED = LazyPattern(
    "[\"\u201c\u201d\u00ab][^\"\u201c\u201d\u00bb]{1,200}[\"\u201d\u201c\u00bb]|(?<![\\w'])'[^']{1,80}'(?!\\w)"
)


def tokens_of(sentence: str, small_words: Collection[str]) -> list[str]:
    """
    Return the words and marks of *sentence* in lower case, with `NAME` for names.

    Args:
        sentence: The sentence.
        small_words: Words that are no names, in capitals or not.

    >>> tokens_of("The tides at Kyle, Or In Oban", {"the", "at", "or", "in"})
    ['the', 'tides', 'at', '#', ',', 'or', 'in', '#']
    """
    found = _TOKEN.findall(_QUOTED.sub(f" {_QUOTE} ", sentence.replace("\u2019", "'")))
    lowered = [word.lower() for word in found]
    if sentence.isupper():
        return lowered
    names = [(bool(index) and word[0].isupper()) or word == _QUOTE for index, word in enumerate(found)]
    return [NAME if is_name and word not in small_words else word for word, is_name in zip(lowered, names, strict=True)]


def is_word(token: str) -> bool:
    """Return whether *token* is a word or a name, and no mark."""
    return token == NAME or token[0].isalnum()


def is_value(word: str) -> bool:
    """Return whether *word* has a digit, or is an address or a path."""
    return any(letter.isdigit() or letter in _OF_ADDRESSES for letter in word)
