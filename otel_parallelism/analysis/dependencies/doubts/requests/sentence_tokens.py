"""Splits a sentence of the user into words and marks."""

from __future__ import annotations

from typing import Final

from otel_parallelism.patterns import LazyPattern

NAME: Final = "#"
"""Stands for a name: a word in capitals, or anything in quotes."""

_TOKEN = LazyPattern(r"[^\W_](?:[\w'./@+#-]*[\w'])?|[,:()\u2013\u2014&+/-]")
_QUOTED = LazyPattern(
    "[\"\u201c\u201d\u00ab][^\"\u201c\u201d\u00bb]{1,200}[\"\u201d\u201c\u00bb]|(?<![\\w'])'[^']{1,80}'(?!\\w)"
)


def tokens_of(sentence: str) -> list[str]:
    """
    Return the words and marks of *sentence* in lower case, with `NAME` for names.

    >>> tokens_of("The tides at Kyle, I'd say")
    ['the', 'tides', 'at', '#', ',', "i'd", 'say']
    """
    found = _TOKEN.findall(_QUOTED.sub(" Name ", sentence.replace("\u2019", "'")))
    names = [bool(index) and word[0].isupper() and word != "I" and word[:2] != "I'" for index, word in enumerate(found)]
    return [NAME if is_name else word.lower() for word, is_name in zip(found, names, strict=True)]


def is_word(token: str) -> bool:
    """Return whether *token* is a word or a name, and no mark."""
    return token == NAME or token[0].isalnum()


def is_figure(word: str) -> bool:
    """Return whether *word* has a digit."""
    return any(letter.isdigit() for letter in word)
