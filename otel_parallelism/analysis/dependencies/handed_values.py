"""
Recognises chains in which each call has a value that the one before returned, without comparing all their contents.

Such chains are frequent: search, open what was found, follow what stands there. No call of them can run earlier, so
that other evidence about them changes nothing.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from otel_parallelism.model import DeveloperText
from otel_parallelism.pace import paced
from otel_parallelism.patterns import LazyPattern

from .call_groups import ended_before, ran_in_order
from .contents.forms.identities import message_text, plain_text
from .contents.leaves import Leaves
from .contents.tokens import of_text, words_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from otel_parallelism.model import Call, Content

_WORDS = LazyPattern(r"[\w.:@-]{5,}")
_MOST_SEARCHED = 2_000
_IDENTIFIER = LazyPattern(r"(?=.*[0-9])(?=.*[A-Za-z])[A-Za-z0-9_-]{6,80}")


def may_hand_values_on(calls: Sequence[Call]) -> bool:
    """
    Return whether each of *calls* may have been given a value that the one before returned, and needs no other edges.

    So it is if they ran in order, each in a round of its own, and an identifier or a number among a call's arguments
    stands in the result before it.
    """
    rounds = [call.round for call in paced(calls) if call.round is not None]
    return (
        len(calls) > 1
        and len(set(rounds)) == len(rounds)
        and not any(call.resource or call.depends_on is not None for call in paced(calls))
        and all(_hands_on(earlier.result, later.arguments) for earlier, later in paced(pairwise(calls)))
        and ran_in_order(calls, ended_before(calls))
    )


def _hands_on(result: Content | None, arguments: Content | None) -> bool:
    if result is None or arguments is None:
        return False
    returned, given = result.value, arguments.value
    # Not isinstance(): it would run code of an object that the program passed.
    if type(returned) is not str or type(given) is not str:
        return False
    words = _WORDS.findall(given[:_MOST_SEARCHED])
    return any(word in returned for word in words if any(map(str.isdigit, word)))


def hand_identifiers_on(calls: Sequence[Call], said: Iterable[Content], max_leaves: int, max_bytes: int) -> bool:
    """
    Return whether each of *calls* is known to have been given an identifier that first the one before returned.

    Comparing the contents proves the need of each such call too. False says nothing.

    Args:
        calls: The calls of one scope; `may_hand_values_on` is true for them.
        said: The user's messages.
        max_leaves: How many values of each content are read.
        max_bytes: How long their texts are at most, together.
    """
    known = _words_said(said, max_leaves, max_bytes)
    if known is None:
        return False
    returned: Leaves | None = None
    for index, call in paced(enumerate(calls)):
        given = _leaves_of(call.arguments, max_leaves, max_bytes)
        if given is None:
            return False
        if returned is not None:
            if not any(_is_new(text, known) for text in {*given.texts}.intersection(returned.texts)):
                return False
            _add_words(known, returned)
        _add_words(known, given)
        if index < len(calls) - 1:
            returned = _leaves_of(call.result, max_leaves, max_bytes)
            if returned is None:
                return False
    return True


def _words_said(said: Iterable[Content], max_leaves: int, max_bytes: int) -> set[str] | None:
    """Return the words of the user's messages; None if some cannot be read."""
    words: set[str] = set()
    # Most requests of a turn repeat the messages of the one before.
    heard: set[str] = set()
    for content in paced(said):
        read = _leaves_of(content, max_leaves, max_bytes)
        if read is None:
            return None
        for text in paced({*read.texts, *read.keys} - heard):
            heard.add(text)
            words.update(words_in(message_text(text)))
    return words


def _add_words(known: set[str], leaves: Leaves) -> None:
    known.update(word for text in paced((*leaves.texts, *leaves.keys)) for word in words_in(plain_text(text)))


def _is_new(text: str, known: set[str]) -> bool:
    """Return whether *text* is an identifier, and one of its words is not among those *known*."""
    return _IDENTIFIER.fullmatch(text) is not None and not known.issuperset(words_in(text)) and of_text(text)[1]


def _leaves_of(content: Content | None, max_leaves: int, max_bytes: int) -> Leaves | None:
    """Return the values in *content*; None if some cannot be read, or if objects are compared too."""
    if content is None or content.identities or content.receiver:
        return None
    leaves = Leaves(set())
    try:
        data = content.data()
        if type(data) is list:
            data = [one for one in data if type(one) is not DeveloperText]
        whole = leaves.take(data, max_leaves)
    except Exception:  # noqa: BLE001 - a dialect's parser, or a container of the user, may fail in any way
        return None
    return leaves if whole and sum(map(len, leaves.texts)) <= max_bytes else None
