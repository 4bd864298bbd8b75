"""Finds words in an English sentence by which a condition, a reason or a reserve may be said."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import english_words as english
from .sentence_tokens import NAME, is_value

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

_JOINS = english.JOINING | english.DETERMINERS | english.DESCRIBING | english.POLITE | english.TELLING | english.RISKY
_COPULAS = frozenset({"is", "are", "was", "were", "has", "have"})
_RELATIVE = frozenset({"who", "which", "that"})
_ENDS = frozenset({",", "and"})
_LONGEST_JOINING = 2
_LONGEST_UNIT = 2
_LONGEST_CASE = 8
_NEAR_THE_END = 4
_NEAR = 3

_JOIN, _KNOWN, _OTHER = range(3)


def risk_in(tokens: Sequence[str], first: str, known: Collection[str]) -> str:
    """Return the first of *tokens* by which a condition may be said, after the word that was *first*; or ""."""
    befores = [first, *tokens]
    for index, word in enumerate(tokens):
        risky = word in english.RISKY or word in english.TIMED
        if risky and not _is_harmless(word, befores[index], tokens[index + 1 :], known):
            return word
    return ""


def _is_harmless(word: str, before: str, following: Sequence[str], known: Collection[str]) -> bool:
    """Return whether a risky *word* is harmless between the word *before* it and what is *following*."""
    after = following[0] if following else ""
    if before in english.HARMLESS_AFTER.get(word, ()) or after in english.HARMLESS_BEFORE.get(word, ()):
        return True
    if word in english.TIMED:
        return _is_time_or_bound(word, following, known)
    if word == "any":
        return before == "and" and len(following) < _NEAR_THE_END
    if word == "no":
        return before == "," and after in known
    return word == "with" and bool(before) and (before not in english.BREAKS or _gives_a_value(following))


def _is_time_or_bound(word: str, following: Sequence[str], known: Collection[str]) -> bool:
    """Return whether what is *following* is a time ("since 2020", "over the last hour") or a bound that a call has."""
    after = following[0] if following else ""
    is_period = after == "the" and len(following) > 1 and following[1] in english.TIMES
    noun = next((one for one in following[:2] if one not in english.DETERMINERS), "")
    if is_period or is_value(after) or after in english.DESCRIBING or noun in english.OCCASIONS:
        return True
    return word in english.BOUNDS and after in known


def _gives_a_value(tokens: Sequence[str]) -> bool:
    """Return whether *tokens* begin with a thing and its value: "a budget of 38.90"."""
    end = next((index for index, word in enumerate(tokens) if word in english.BREAKS), len(tokens))
    of = tokens[:end].index("of") + 1 if "of" in tokens[:end] else 0
    return bool(of) and any(is_value(word) for word in tokens[of : of + _LONGEST_UNIT])


def case_in(tokens: Sequence[str], known: Collection[str]) -> str:
    """Return a word of *tokens* that may tell in which case something is wanted: "and on red the log", "a bad one"."""
    for index, word in enumerate(tokens):
        before = tokens[index - 1] if index else ""
        rest = [one for one in tokens[index + 1 : index + _LONGEST_CASE] if one not in english.DETERMINERS]
        if word in english.CASES and rest and _kind(rest[0], known) == _OTHER:
            second = rest[1:3] if rest[1:2] == ["of"] else rest[1:2]
            is_named = any(one == NAME or is_value(one) for one in second)
            if before in english.BREAKS and not is_named:
                return word
            if tokens[index + 1] in ("a", "an") and before != "interested" and not _has(rest, known):
                return word
        if word in ("one", "ones") and before and _kind(before, known) == _OTHER:
            return word
    return ""


def _has(words: Sequence[str], known: Collection[str]) -> bool:
    return any(_kind(word, known) == _KNOWN or word in english.OCCASIONS for word in words)


def verb_in_order(tokens: Sequence[str], known: Collection[str]) -> str:
    """Return a word of *tokens*, an order, that seems to be the verb of another sentence: "and rain makes the …"."""
    kinds = [_kind(word, known) for word in tokens]
    for index in range(1, len(tokens) - 1):
        after_thing = kinds[index - 1] == _KNOWN and not is_value(tokens[index - 1])
        if kinds[index] == _OTHER and after_thing and tokens[index + 1] in english.DETERMINERS:
            return tokens[index]
    return ""


def verb_in_list(tokens: Sequence[str], known: Collection[str]) -> str:
    """
    Return a word for which *tokens*, without the beginning of a request, are no list of things; or "".

    In such a list, a word that belongs to no call describes the one after it, or follows a preposition. One between two
    things, as in "rain justifies museums", may be a verb.
    """
    if tokens[0] in english.PREFIXES and any(_kind(word, known) == _OTHER for word in tokens):
        return tokens[0]
    kind, told, relative = _JOIN, False, False
    for index, word in enumerate(tokens):
        # "Users who had the right to approve"
        relative = word not in _ENDS and (relative or (word in _RELATIVE and kind != _JOIN))
        if relative:
            continue
        now = _kind(word, known)
        after = _kind(tokens[index + 1], known) if index + 1 < len(tokens) else _JOIN
        if word in english.TELLING:
            if told or word not in _COPULAS or not _tells_a_value(tokens[index + 1 : index + 1 + _NEAR]):
                return word
            told = True
        elif told and now == _OTHER:
            # "0.985 cubic meters"
            if not any(map(is_value, tokens[max(0, index - _LONGEST_UNIT) : index])):
                return word
        elif kind != _JOIN and (word in english.DETERMINERS or (now == _OTHER and after != _JOIN)):
            return word
        kind = now
        told = told and word not in _ENDS
    return ""


def _tells_a_value(tokens: Sequence[str]) -> bool:
    """Return whether there is a number or a name among *tokens*, the next ones: "is about 0.985 cubic meters"."""
    end = next((index for index, word in enumerate(tokens) if word in _ENDS), len(tokens))
    return any(word == NAME or is_value(word) for word in tokens[:end])


def _kind(word: str, known: Collection[str]) -> int:
    """Return what part *word* has in a list of things: it joins them, or belongs to a known one, or neither."""
    if word == NAME or is_value(word) or word in known or word.removesuffix("'s") in known:
        return _KNOWN
    joins = len(word) <= _LONGEST_JOINING or word in _JOINS or word.endswith("ing")
    return _JOIN if joins else _OTHER
