"""
Finds the model requests that follow something else than the results of the calls: an unseen call, or words of the user.

What is asked for then, and whether it is, may depend on that.
"""

from __future__ import annotations

import itertools
from bisect import bisect_left, bisect_right
from math import inf
from typing import TYPE_CHECKING

from otel_parallelism.model import DeveloperText
from otel_parallelism.pace import ordered, paced
from otel_parallelism.patterns import CaselessPattern, LazyPattern

if TYPE_CHECKING:
    from collections.abc import Sequence

    from otel_parallelism.model import Call, Content, Step, Turn

_MOST_REQUESTS = 500
_MOST_COMPARED = 20_000
_MOST_COMPARISONS = 2_000
"""Of messages with results, in a turn: past it, a message is taken for the user's."""

_BEGINNING = 40
_FEWEST_WORDS = 3
_WORD = LazyPattern(r"\w+")
# What programs add as a message of the user: reminders, states, what tools returned, and that the agent is to go on.
_OF_A_PROGRAM = CaselessPattern(
    r"^\s*(?:[<{\[]|(?:now )?analy[sz]e the (?:tool'?s? )?(?:result|output|observation)s?\b"
    r"|(?:please )?(?:continue|go on|keep going|carry on|proceed)"
    r"(?: (?:please|now|working|(?:with|on) (?:the|your) \w+))?\W*$)"
)


def after_missing_calls_ns(calls: Sequence[Call], turn: Turn) -> tuple[int, ...]:
    """
    Return the start times of model requests that followed a requested call without a span, such as a hand-off.

    Args:
        calls: The turn's own calls. If one of them is not proved, ids cannot be compared and the result is empty.
        turn: The turn, with the calls of all scopes.
    """
    if not all(call.proved for call in paced(calls)):
        return ()
    seen = {call.call_id for call in paced(turn.calls)}
    return tuple(
        after.start_ns
        for step, after in paced(itertools.pairwise(turn.steps))
        if not seen.issuperset(step.requested or ())
    )


def asked_again_ns(calls: Sequence[Call], turn: Turn) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """
    Return the start times of model requests that have, or may have, another message of the user.

    A request that follows one that asked for no calls, and so ended an answer, has one if it has words of the user that
    no earlier request has. Where the words are not known, it may have some. So may one that follows one that asked for
    calls: see `spoken_between_ns`.

    Args:
        calls: The turn's own calls, in order of start.
        turn: The turn.

    Returns:
        The times of those that have one, and of those that may have one, both in order.
    """
    silent = [position for position, step in paced(enumerate(turn.steps[:-1], start=1)) if not step.requested]
    spoken_ns = spoken_between_ns(calls, turn)
    if not silent:
        return (), spoken_ns
    starts_ns = [call.start_ns for call in paced(calls)]
    latest = list(itertools.accumulate((-1 if call.round is None else call.round for call in paced(calls)), max))
    back = (inf if call.round is None else call.round for call in paced(reversed(calls)))
    earliest = list(itertools.accumulate(back, min))
    found, possible, told, read = list[int](), list[int](), None, 0
    for position in paced(silent):
        step, after = turn.steps[position - 1 : position + 1]
        before = bisect_left(starts_ns, step.start_ns)
        if not 0 < before < len(calls) or starts_ns[before] < after.start_ns:
            continue
        if latest[before - 1] >= earliest[-before - 1]:
            continue
        for known in map(_words_of, turn.steps[read:position]):
            told = told if known is None else (told or frozenset()) | known
        read = position
        words = _words_of(after)
        if words is None or told is None:
            possible.append(after.start_ns)
        elif not words <= told:
            found.append(after.start_ns)
    return tuple(found), tuple(sorted((*possible, *spoken_ns)))


def _words_of(step: Step) -> frozenset[str] | None:
    """Return the user's messages in *step*, without the developer's; None if they are not known."""
    return None if step.messages is None else _words_in(step.messages.value, step.messages)


def _words_in(written: object, content: Content) -> frozenset[str] | None:
    """Return the user's messages in *written*, which has the form of *content*; None if it cannot be read."""
    value = _parsed(written, content)
    if value is None:
        return None
    told = value if isinstance(value, list) else [value]
    return frozenset(text for text in told if text and isinstance(text, str) and type(text) is not DeveloperText)


def _parsed(written: object, content: Content) -> object:
    """Return the data in *written*, which has the form of *content*; None if it cannot be read."""
    try:
        return written if content.parse is None else content.parse(written)
    except Exception:  # noqa: BLE001 - a dialect's parser may fail in any way on unknown data
        return None


def spoken_between_ns(calls: Sequence[Call], turn: Turn) -> tuple[int, ...]:
    """
    Return the start times of model requests that have a message of the user that no earlier request has.

    The user wrote it while the agent worked. Such a request follows one that asked for calls. A message that repeats
    what a call returned, or the beginning of an earlier one, is a program's own.

    Args:
        calls: The turn's own calls, in order of start.
        turn: The turn.
    """
    steps = turn.steps[:_MOST_REQUESTS]
    if len(steps) < 2:  # noqa: PLR2004 - the first one follows none
        return ()
    starts_ns = [call.start_ns for call in paced(calls)]
    between = {
        position
        for position, (before, step) in paced(enumerate(itertools.pairwise(steps), start=1))
        if before.requested and 0 < bisect_left(starts_ns, step.start_ns) < len(calls)
    }
    heard: set[str] = set()
    found: list[int] = []
    known: Content | None = None
    results: _ResultWords | None = None
    for position, step in paced(enumerate(steps[: max(between, default=-1) + 1])):
        if step.messages is None:
            continue
        words = _added(known, step.messages)
        known = step.messages
        # In order, since comparing them with results ends at a bound.
        new = sorted(text for text in words or () if text not in heard and text[:_BEGINNING] not in heard)
        for text in words or ():
            # A message that begins as an earlier one is a prompt that a program writes anew, with more in it.
            heard.update((text, text[:_BEGINNING]) if len(text) >= _BEGINNING else (text,))
        if not new or position not in between:
            continue
        results = results or _ResultWords(calls)
        if not all(_OF_A_PROGRAM.match(text[:_MOST_COMPARED]) or results.told_in(text, step) for text in new):
            found.append(step.start_ns)
    return tuple(found)


class _ResultWords:
    """
    The words of what calls returned, each found once.

    Args:
        calls: The calls, in order of start.
    """

    def __init__(self, calls: Sequence[Call]) -> None:
        self._calls = ordered([call for call in paced(calls) if call.result is not None], key=lambda call: call.end_ns)
        self._ends_ns = [call.end_ns for call in paced(self._calls)]
        self._words: dict[str, frozenset[str]] = {}
        self._left = _MOST_COMPARISONS

    def told_in(self, text: str, step: Step) -> bool:
        """Return whether *text* has most words of what a call returned before *step*, if that has several words."""
        said = _words(text)
        for index in paced(range(bisect_right(self._ends_ns, step.start_ns) - 1, -1, -1)):
            self._left -= 1
            if self._left < 0:
                return False
            words = self._words_of(self._calls[index])
            if len(words) >= _FEWEST_WORDS and 2 * len(words & said) >= len(words):
                return True
        return False

    def _words_of(self, call: Call) -> frozenset[str]:
        words = self._words.get(call.span_id)
        if words is None:
            content = call.result
            words = frozenset() if content is None else _words(str(_parsed(content.value, content)))
            self._words[call.span_id] = words
        return words


def _added(before: Content | None, after: Content) -> frozenset[str] | None:
    """Return the user's messages in *after*; only the later ones, where its text begins with all that *before* has."""
    known, value = None if before is None else before.value, after.value
    if isinstance(known, str) and isinstance(value, str) and known.endswith("]") and value.startswith(known[:-1]):
        rest = value[len(known) - 1 :].lstrip(", \n")
        return _words_in(f"[{rest}", after) if '"user"' in rest or '"human"' in rest else frozenset()
    return _words_in(value, after)


def _words(text: str) -> frozenset[str]:
    return frozenset(_WORD.findall(text[:_MOST_COMPARED].casefold()))
