"""
Tells a plain request from a sentence that may have a condition.

A condition can be said in more ways than a list of patterns has. So a sentence has to show that it is a plain request:
it begins like one, or is a list of things, and has no word by which a condition, a reason or a reserve can be said.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_parallelism.analysis.dependencies.doubts.conditions import NO_CONDITION
from otel_parallelism.patterns import CaselessPattern, LazyPattern

from . import english_words as english
from .sentence_tokens import NAME, is_value, is_word, tokens_of
from .suspicious_words import case_in, risk_in, verb_in_list, verb_in_order

if TYPE_CHECKING:
    from collections.abc import Sequence
    from collections.abc import Set as AbstractSet

_OCCASION = CaselessPattern(
    r"\b(?:in (?:any |such )?(?:case|event)|(?:for|in|on) (?:the |a |any )?"
    r"(?:(?:worst|best|other|opposite|former|latter|unlikely|same) )?(?:case|event|lack|want|absence"
    r"|condition)|plan b|(?:my|our|the) (?:second|next|other) (?:choice|option|pick|guess|bet))\b"
)
_DESCRIBES_A_TOOL = LazyPattern(r"\W{0,9}\w*(?:[A-Za-z0-9]_\w|\w\()")
"""``- search_hotels(city): hotels in a city``"""
_COMPARING = LazyPattern(r"[<>\u2264\u2265]=? ?\d| = |[\u2192\u21d2]|[-=]>")
_NO_VERBS = english.JOINING | english.RISKY | english.TELLING | english.DETERMINERS | {NAME}
_SMALL_WORDS = (
    english.JOINING
    | english.DETERMINERS
    | english.POLITE
    | english.TELLING
    | english.RISKY
    | english.WISHING
    | english.TIMED
    | english.DESCRIBING
    | english.OPENERS - {"will", "may"}
)
_TELLING_OF = frozenset({"who", "which", "whom", "whose"})
_LONGEST_SUBJECT = 9
_LONGEST_ELLIPSIS = 5
_ALL_OF_THEM = 2


def is_plain(sentence: str, known: AbstractSet[str]) -> bool:
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
    if _OCCASION.search(sentence) or _COMPARING.search(sentence):
        return False
    return not obstacle(_tokens(sentence), known)


def is_plain_rule(sentence: str) -> bool:
    """
    Return whether *sentence*, of an English system prompt, says what the agent is or always does, without a condition.

    >>> is_plain_rule("You are an agent for orders and invoices"), is_plain_rule("Always cite the source")
    (True, True)
    >>> is_plain_rule("- search_hotels(city, date): hotels in a city")
    True
    >>> is_plain_rule("Late orders deserve the notice of the carrier"), is_plain_rule("Lost parcels: read the claim")
    (False, False)
    """
    if _DESCRIBES_A_TOOL.match(sentence):
        return True
    # What comes before what is another question.
    tokens = [word for word in _tokens(sentence) if word != "before"]
    if tokens[:1] and tokens[0] in english.ALL and len(tokens) > _ALL_OF_THEM and tokens[2] in english.NEEDS:
        return not risk_in(tokens, "", ())
    start = next((index for index, word in enumerate(tokens) if word not in english.AGENTS), len(tokens))
    rest = tokens[start:]
    is_order = bool(rest) and (bool(start) or rest[0] in english.OPENERS or rest[0] in english.RULING)
    return not rest or (is_order and not _OCCASION.search(sentence) and not risk_in(rest[1:], rest[0], ()))


def is_elliptic(sentence: str) -> bool:
    """
    Return whether *sentence*, a question, has only a few words without the beginning of a question: "Sold out?".

    >>> is_elliptic("Sold out"), is_elliptic("What about Rome")
    (True, False)
    """
    tokens = _tokens(sentence)
    return 0 < len(tokens) <= _LONGEST_ELLIPSIS and _asked_for(tokens) is None


def obstacle(tokens: Sequence[str], known: AbstractSet[str]) -> str:
    """Return the first of *tokens*, those of a sentence, for which it is not plain; an empty text if it is."""
    if not tokens:
        return ""
    tokens = _without_occasion(_without_asides(tokens, known))
    if not tokens:
        return ""
    asked_for = _asked_for(tokens)
    if asked_for is not None:
        found = risk_in(asked_for, tokens[0], known) or case_in(asked_for, known)
        # The verb of a question stands between its things.
        return found or ("" if tokens[0] in english.TELLING else verb_in_order(asked_for, known))
    # "The tides, and show the ferries"
    end = next((index for index, word in enumerate(tokens[:-1]) if _begins_an_order(word, tokens[index + 1])), None)
    things, order = tokens[:end], tokens[len(tokens) if end is None else end + 2 :]
    found = risk_in(tokens, "", known) or case_in(tokens, known) or verb_in_list(things, known)
    return found or verb_in_order(order, known)


def _begins_an_order(word: str, following: str) -> bool:
    return word == "and" and following in english.OPENERS


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


def _without_asides(tokens: Sequence[str], known: AbstractSet[str]) -> Sequence[str]:
    """
    Return *tokens* without a reason at the end ("because support got complaints"), and without asides.

    A clause such as "…, who was admitted last night" is no aside if it names a call, or has a word by which a condition
    can be said.
    """
    kept: list[str] = []
    index = 0
    while index < len(tokens):
        word = tokens[index]
        reason = bool(kept) and (word == "because" or (word in ("since", "as") and _begins_a_reason(tokens, index)))
        aside = word in _TELLING_OF and kept[-1:] == [","]
        if reason or aside:
            # A reason may be followed by another request: "because I wade, and on red the ferries".
            ends = (",", "and", "or") if reason else (",",)
            end = next((place for place in range(index, len(tokens)) if tokens[place] in ends), len(tokens))
            part = tokens[index:end]
            if english.CONDITIONAL.isdisjoint(part) and known.isdisjoint(part):
                index = end
                continue
        kept.append(word)
        index += 1
    return kept


def _begins_a_reason(tokens: Sequence[str], index: int) -> bool:
    """Return whether a reason begins with the "since" or "as" at *index*: "as Tom is allergic"."""
    first, second = [*tokens[index + 1 : index + 3], "", ""][:2]
    return first in english.SUBJECTS or (first == NAME and second in english.TELLING)


def _without_occasion(tokens: Sequence[str]) -> Sequence[str]:
    """Return *tokens* without what the request is made for: "For my report, …", "To plan this, …"."""
    end = next((index for index, word in enumerate(tokens) if word == "," or word in english.WISHING), len(tokens))
    if tokens[end + 1 : end + 2] and tokens[end + 1] in ("which", "who"):
        # "For the talk, which is on Friday, I need …"
        end = next((index for index in range(end + 1, len(tokens)) if tokens[index] == ","), end)
    before = tokens[1:end]
    risky = not (english.RISKY - {"with"}).isdisjoint(before) or not english.TIMED.isdisjoint(before)
    if tokens[0] not in english.PREFIXES or risky:
        return tokens
    is_purpose = tokens[0] in ("as", "to") or (tokens[0] == "for" and _is_certain(before))
    if not is_purpose and english.OCCASIONS.isdisjoint(before):
        return tokens
    return _without_courtesy(tokens[end:])


def _is_certain(occasion: Sequence[str]) -> bool:
    """Return whether an *occasion* is a certain one: "the ward round", and not "high water" or "the lower one"."""
    compared = any(word in english.COMPARED or word.endswith(("er", "est")) for word in occasion)
    return bool(occasion) and not compared and (occasion[0] in english.CERTAIN or occasion[0].endswith("'s"))


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
    is_order = bool(rest) and rest[0] in english.ORDERED and first not in _NO_VERBS
    return rest if first in english.OPENERS or is_order else _planned(first, rest)


def _planned(first: str, rest: Sequence[str]) -> Sequence[str] | None:
    """Return what follows "my family hopes" or "it's now"."""
    if first in ("my", "our"):
        verb = next((index for index, word in enumerate(rest[:_LONGEST_SUBJECT]) if word in english.PLANS), 0)
        return rest[verb + 1 :] if verb and english.RISKY.isdisjoint(rest[:verb]) else None
    return rest[1:] if first == "it's" and rest[:1] and (rest[0] == "now" or is_value(rest[0])) else None
