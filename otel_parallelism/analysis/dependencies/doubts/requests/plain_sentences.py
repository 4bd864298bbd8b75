"""
Tells a plain request from a sentence that may have a condition.

A condition can be said in more ways than a list of patterns has. So a sentence has to show that it is a plain request:
it begins like one, or is a list of things, and has no word by which a condition, a reason or a reserve can be said.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_parallelism.analysis.dependencies.doubts.conditions import NO_CONDITION
from otel_parallelism.patterns import CaselessPattern

from . import english_words as english
from .sentence_tokens import NAME, is_value, is_word, tokens_of

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

_OCCASION = CaselessPattern(
    r"\b(?:in (?:any |such |the )?(?:case|event)|(?:for|in|on) (?:the |a |any )?(?:case|event|lack|want|absence"
    r"|condition)|plan b|(?:my|our|the) (?:second|next|other) (?:choice|option|pick|guess|bet))\b"
)
_NO_VERBS = english.JOINING | english.RISKY | english.TELLING | english.DETERMINERS | {NAME}
_JOINS = english.JOINING | english.DETERMINERS | english.DESCRIBING | english.POLITE | english.TELLING | english.RISKY
_SMALL_WORDS = (_JOINS - {"may"}) | english.WISHING | english.TIMED | english.OPENERS - {"will", "may"}
_COPULAS = frozenset({"is", "are", "was", "were", "has", "have"})
_PREFIXES = frozenset({"for", "as", "to", "in", "during", "on", "before", "after"})
_LONGEST_JOINING = 2
_LONGEST_SUBJECT = 9
_LONGEST_ELLIPSIS = 5
_ALL_OF_THEM = 2
_LONGEST_CASE = 8
_LONGEST_UNIT = 2

_JOIN, _KNOWN, _OTHER = range(3)


def is_plain(sentence: str, known: Collection[str]) -> bool:
    """
    Return whether *sentence*, in English, is a plain request, a list of things or a greeting.

    Args:
        sentence: The sentence.
        known: The words of the calls' names and arguments.

    >>> is_plain("Could you show me the tides at Kyle and the wind?", {"tides", "kyle", "wind"})
    True
    >>> is_plain("High wind justifies a look at the tides", {"tides", "wind"})
    False
    """
    return not _OCCASION.search(sentence) and not obstacle(_tokens(sentence), known)


def is_plain_rule(sentence: str) -> bool:
    """
    Return whether *sentence*, of an English system prompt, says what the agent is or always does, without a condition.

    >>> is_plain_rule("You are an agent for orders and invoices"), is_plain_rule("Always cite the source")
    (True, True)
    >>> is_plain_rule("Late orders deserve the notice of the carrier"), is_plain_rule("Lost parcels: read the claim")
    (False, False)
    """
    # What comes before what is another question.
    tokens = [word for word in _tokens(sentence) if word != "before"]
    if tokens[:1] and tokens[0] in english.ALL and len(tokens) > _ALL_OF_THEM and tokens[2] in english.NEEDS:
        return not _risk(tokens, "")
    start = next((index for index, word in enumerate(tokens) if word not in english.AGENTS), len(tokens))
    rest = tokens[start:]
    is_order = bool(rest) and (bool(start) or rest[0] in english.OPENERS or rest[0] in english.RULING)
    return not rest or (is_order and not _OCCASION.search(sentence) and not _risk(rest[1:], rest[0]))


def is_elliptic(sentence: str) -> bool:
    """
    Return whether *sentence*, a question, has only a few words without the beginning of a question: "Sold out?".

    >>> is_elliptic("Sold out"), is_elliptic("What about Rome")
    (True, False)
    """
    tokens = _tokens(sentence)
    return 0 < len(tokens) <= _LONGEST_ELLIPSIS and _asked_for(tokens) is None


def obstacle(tokens: Sequence[str], known: Collection[str]) -> str:
    """Return the first of *tokens*, those of a sentence, for which it is not plain; an empty text if it is."""
    if not tokens:
        return ""
    tokens = _without_occasion(tokens)
    asked_for = _asked_for(tokens)
    if asked_for is None:
        return _risk(tokens, "") or _supposed(tokens, known) or _verb_in_list(tokens, known)
    return _risk(asked_for, tokens[0]) or _supposed(asked_for, known) or _verb_in_request(asked_for, known)


def _tokens(sentence: str) -> Sequence[str]:
    """Return the words and marks of *sentence* in lower case, from where it begins to ask for something."""
    return _without_courtesy(tokens_of(NO_CONDITION.sub(" see ", sentence), _SMALL_WORDS))


def _without_courtesy(tokens: Sequence[str]) -> Sequence[str]:
    """Return *tokens* without words and marks at their beginning that say nothing."""
    start = 0
    while start < len(tokens):
        phrases = (one for one in english.COURTESIES if tuple(tokens[start : start + len(one)]) == one)
        length = len(next(phrases, ()))
        if not length and tokens[start] not in english.POLITE and is_word(tokens[start]):
            break
        start += length or 1
    return tokens[start:]


def _without_occasion(tokens: Sequence[str]) -> Sequence[str]:
    """Return *tokens* without what the request is made for: "For my report, …", "To plan this, …"."""
    end = next((index for index, word in enumerate(tokens) if word == "," or word in english.WISHING), 0)
    before = tokens[1:end]
    risky = not (english.RISKY - {"with"}).isdisjoint(before) or not english.TIMED.isdisjoint(before)
    if tokens[0] not in _PREFIXES or risky:
        return tokens
    if tokens[0] not in ("as", "to") and english.OCCASIONS.isdisjoint(before):
        return tokens
    return _without_courtesy(tokens[end:]) or tokens


def _asked_for(tokens: Sequence[str]) -> Sequence[str] | None:
    """Return what follows the words that begin a request; None if none does."""
    first, rest = tokens[0], tokens[1:]
    if first in english.ASKING_SOMEBODY and rest[:1] and rest[0] in english.SOMEBODY:
        return rest[1:]
    if first in english.GOING_TO or (rest[:1] == ["will"] and first in ("i", "we", "they")):
        return rest[1:]
    if first in english.WISHING:
        wished = 0
        while wished < len(rest) and (rest[wished] in english.WISHES or rest[wished].endswith("ing")):
            wished += 1
        is_somebody = first in ("i'm", "we're") and rest[:1] and rest[0] in english.BEING
        return rest[wished:] if wished or is_somebody else None
    # A noun is hardly followed by "the": "calibrate the scales".
    is_order = bool(rest) and rest[0] in english.DETERMINERS and first not in _NO_VERBS
    return rest if first in english.OPENERS or is_order else _planned(first, rest)


def _planned(first: str, rest: Sequence[str]) -> Sequence[str] | None:
    """Return what follows "my family hopes" or "it's now"."""
    if first in ("my", "our"):
        verb = next((index for index, word in enumerate(rest[:_LONGEST_SUBJECT]) if word in english.PLANS), 0)
        return rest[verb + 1 :] if verb and english.RISKY.isdisjoint(rest[:verb]) else None
    return rest[1:] if first == "it's" and rest[:1] and (rest[0] == "now" or is_value(rest[0])) else None


def _risk(tokens: Sequence[str], first: str) -> str:
    """Return the first of *tokens* by which a condition may be said, after the word that was *first*."""
    befores = [first, *tokens]
    for index, word in enumerate(tokens):
        if (word in english.RISKY or word in english.TIMED) and not _is_harmless(
            word, befores[index], tokens[index + 1 :]
        ):
            return word
    return ""


def _is_harmless(word: str, before: str, following: Sequence[str]) -> bool:
    """Return whether a risky *word* is harmless between the word *before* it and what is *following*."""
    after = following[0] if following else ""
    if before in english.HARMLESS_AFTER.get(word, ()) or after in english.HARMLESS_BEFORE.get(word, ()):
        return True
    if word in english.TIMED:
        is_period = after == "the" and len(following) > 1 and following[1] in english.TIMES
        return is_period or is_value(after) or after in english.DESCRIBING
    return word == "with" and bool(before) and (before not in english.BREAKS or _gives_a_value(following))


def _gives_a_value(tokens: Sequence[str]) -> bool:
    """Return whether *tokens* begin with a thing and its value: "a budget of 38.90"."""
    end = next((index for index, word in enumerate(tokens) if word in english.BREAKS), len(tokens))
    of = tokens[:end].index("of") + 1 if "of" in tokens[:end] else 0
    return bool(of) and any(is_value(word) for word in tokens[of : of + _LONGEST_UNIT])


def _supposed(tokens: Sequence[str], known: Collection[str]) -> str:
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


def _verb_in_request(tokens: Sequence[str], known: Collection[str]) -> str:
    """Return a word of *tokens*, a request, that seems to be the verb of another sentence: "and rain makes the …"."""
    kinds = [_kind(word, known) for word in tokens]
    for index in range(1, len(tokens) - 1):
        if kinds[index] == _OTHER and kinds[index - 1] == _KNOWN and tokens[index + 1] in english.DETERMINERS:
            return tokens[index]
    return ""


def _verb_in_list(tokens: Sequence[str], known: Collection[str]) -> str:
    """
    Return a word for which *tokens*, without the beginning of a request, are no list of things.

    In such a list, a word that belongs to no call describes the one after it, or follows a preposition. One between two
    things, as in "rain justifies museums", may be a verb.
    """
    if tokens[0] in _PREFIXES and any(_kind(word, known) == _OTHER for word in tokens):
        return tokens[0]
    kind, told = _JOIN, False
    for index, word in enumerate(tokens):
        rest = tokens[index + 1 :]
        after = _kind(rest[0], known) if rest else _JOIN
        now = _kind(word, known)
        if word in ("and", ":") and rest and rest[0] in english.OPENERS:
            return obstacle(rest, known)
        if word in english.TELLING:
            if told or word not in _COPULAS or not _tells_a_value(rest):
                return word
            told = True
        elif told and now == _OTHER:
            # "0.985 cubic meters"
            if not any(map(is_value, tokens[max(0, index - _LONGEST_UNIT) : index])):
                return word
        elif kind != _JOIN and (word in english.DETERMINERS or (now == _OTHER and after != _JOIN)):
            return word
        kind = now
        told = told and word not in (",", "and")
    return ""


def _tells_a_value(tokens: Sequence[str]) -> bool:
    """Return whether *tokens*, up to where another thing begins, have a number or a name: "is 0.985 cubic meters"."""
    end = next((index for index, word in enumerate(tokens) if word in (",", "and")), len(tokens))
    return any(word == NAME or is_value(word) for word in tokens[:end])


def _kind(word: str, known: Collection[str]) -> int:
    """Return what part *word* has in a list of things: it joins them, or belongs to a known one, or neither."""
    if word == NAME or is_value(word) or word in known or word.removesuffix("'s") in known:
        return _KNOWN
    joins = len(word) <= _LONGEST_JOINING or word in _JOINS or word.endswith("ing")
    return _JOIN if joins else _OTHER
