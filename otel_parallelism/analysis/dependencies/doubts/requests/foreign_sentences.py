"""Tells a plain request in a language other than English from a sentence that may have a condition."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from otel_parallelism.patterns import LazyPattern

from .sentence_tokens import NAME, is_value, is_word, tokens_of

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from .foreign_words import Language

_BREAKS = frozenset({",", ":"})
_LATE = 8
_LONGEST_JOINING = 2
_APOSTROPHE = LazyPattern(r"(?<=\w)['\u2019](?=\w)")

_JOIN, _KNOWN, _OTHER = range(3)


def is_plain_in(language: Language, sentence: str, known: Collection[str]) -> bool:
    """
    Return whether *sentence* is a plain request or a list of things.

    Args:
        language: Its language.
        sentence: The sentence.
        known: The words of the calls' names and arguments.
    """
    parted = tokens_of(_APOSTROPHE.sub("' ", sentence), language.words)
    tokens = [word.removesuffix("'") or "'" for word in parted]
    start = next((index for index, word in enumerate(tokens) if is_word(word) and word not in language.polite), None)
    if start is None:
        return True
    tokens = tokens[start:]
    if not language.risky.isdisjoint(tokens) or any(_supposes(language, word, known) for word in tokens):
        return False
    if any(_starts_a_case(language, tokens, index) for index in range(len(tokens))):
        return False
    if _begins_a_request(language, tokens):
        # The verbs of a question have their things beside them.
        kinds = [_kind(language, word, known, language.openers | language.wishes) for word in tokens]
        return not any(
            kinds[index] == _OTHER and kinds[index - 1] == _KNOWN and tokens[index + 1] in language.determiners
            for index in range(1, len(tokens) - 1)
        )
    if any(word in language.telling and word not in language.determiners for word in tokens):
        return False
    kinds = [_kind(language, word, known) for word in tokens]
    return not any(_is_verb(language, tokens, kinds, index) for index in range(1, len(tokens)))


def _begins_a_request(language: Language, tokens: Sequence[str]) -> bool:
    if tokens[0] in language.persons and len(tokens) > 1:
        return tokens[1] in language.wishes
    # "Für die Sitzung brauche ich …"
    if any(one in language.wishes and two in language.persons for one, two in itertools.pairwise(tokens[:_LATE])):
        return True
    # A noun is hardly followed by an article where adjectives may follow it: "pásame el menú".
    orders = tokens[0] not in language.joins and tokens[1:2] and tokens[1] in language.determiners
    if language.describes_after and orders:
        return True
    # "Habitaciones hay?" begins with a noun, and "necesito" without a word for "I".
    return tokens[0] in language.openers or (tokens[0] in language.wishes and tokens[0] not in language.risky)


def _supposes(language: Language, word: str, known: Collection[str]) -> bool:
    return word.endswith(language.endings) and word not in known and word not in language.openers | language.wishes


def _starts_a_case(language: Language, tokens: Sequence[str], index: int) -> bool:
    """Return whether a preposition begins a sentence or a part of it: "bei Nebel …", "…, con lluvia …"."""
    if tokens[index] not in language.starting_a_case:
        return False
    return not index or tokens[index - 1] in _BREAKS or tokens[index - 1] in language.polite


def _is_verb(language: Language, tokens: Sequence[str], kinds: Sequence[int], index: int) -> bool:
    """Return whether a word of a list may be a verb: it stands after a thing, and before another one."""
    if kinds[index - 1] == _JOIN:
        return False
    following = kinds[index + 1] if index + 1 < len(kinds) else _JOIN
    if tokens[index] in language.determiners:
        return tokens[index - 1] != NAME or language.describes_after
    if kinds[index] != _OTHER:
        return False
    if not language.describes_after and kinds[index - 1] == _KNOWN:
        return index + 1 < len(tokens) and is_word(tokens[index + 1])
    return following != _JOIN or (index + 1 < len(tokens) and tokens[index + 1] in language.determiners)


def _kind(language: Language, word: str, known: Collection[str], verbs: Collection[str] = ()) -> int:
    if word == NAME or is_value(word) or word in known:
        return _KNOWN
    joins = len(word) <= _LONGEST_JOINING or word in language.joins or word in verbs or not is_word(word)
    return _JOIN if joins else _OTHER
