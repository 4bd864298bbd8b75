"""
Finds calls whose request comes with a remark that only an earlier result may explain.

"Sleet. Museums." beside a call for museums: no value was handed on, and the weather is why. A remark is explained if
each of its words is a filler, belongs to the calls that it accompanies, or was there before the earlier result came:
the user said it, or an earlier request has it. What any other word says was possibly learnt from a result.

Where the user asked for just what a call returns, the remark may report what the user named before, if one sentence
does this and another announces the call: "It sleets. Now let me get the hours of the museums." But a user who says "the
museums or the beach" leaves a choice.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, NamedTuple

from otel_parallelism.analysis.dependencies.contents import tokens
from otel_parallelism.analysis.dependencies.contents.forms.identities import plain_text
from otel_parallelism.pace import paced
from otel_parallelism.patterns import LazyPattern

from .asked_matters import STEM, singular
from .fillers import ACKNOWLEDGEMENTS, CAUSES, FILLERS, IN_OTHER_SCRIPTS, PLANS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from otel_parallelism.analysis.dependencies.evidence import Evidence
    from otel_parallelism.model import Call, Content, Step

    from .asked_matters import AskedMatters

_MOST_READ = 4_000
_EVERY = -1
_FIRST = 2
_STOPS = LazyPattern(r"[\u2026\u3002\uff01\uff1f\uff1b]")
# Scripts without spaces.
_PACKED = LazyPattern(r"[\u3040-\u30ff\u3400-\u9fff]+")
_SAYING = LazyPattern(r"[\u3400-\u9fff]+|[\u30a1-\u30fc]+")

WHY = "what the model wrote beside the later call may report what it had seen"


def remarked_reasons(
    calls: Sequence[Call], steps: Sequence[Step], before: Sequence[int], evidence: Evidence
) -> dict[int, int]:
    """
    Return, by position, the earlier calls that a call may follow from by the model's own words.

    Args:
        calls: The calls of one scope, in order of start.
        steps: The turn's model requests if the calls are the turn's own.
        before: Bits of the calls that had ended before each call started.
        evidence: What the contents of the calls show.
    """
    if len(calls) < 2 or all(step.answer is None for step in steps):  # noqa: PLR2004 - a pair
        return {}
    by_id = {call.call_id: index for index, call in paced(enumerate(calls)) if call.call_id}
    asked = [[by_id[one] for one in step.requested or () if one in by_id] for step in paced(steps)]
    written = [_texts_of(step.answer) for step in paced(steps)]
    if not any(texts or texts is None for texts in written):
        return {}
    matters = evidence.matters
    said = _SaidBefore(matters)
    found: dict[int, int] = {}
    remark: list[_Sentence] = []
    unread = False
    for some, texts in paced(zip(asked, written, strict=True)):
        unread = unread or texts is None
        remark += [one for text in texts or () for one in said.sentences_in(text)]
        if not some:  # The next request may have been given what this one answers.
            continue
        beside = sum(1 << index for index in some)
        ended = before[some[0]] & ~beside
        own = {singular(word) for index in paced(some) for text in matters.texts_of(index) for word in _words(text)}
        named = sum(1 << index for index in paced(some) if matters.named(index))
        for index in paced(some if ended else ()):
            learnt = before[index] & ~beside
            learnt &= _EVERY if unread else said.learnt(remark, own, asked_for=matters.asked_for(index))
            if learnt:
                found[index] = learnt
        said.add(own, remark, ended, named)
        remark, unread = [], False
    return found


class _Sentence(NamedTuple):
    """The words of a sentence that are no fillers, and whether it begins as a plan does, and gives no cause."""

    words: list[str]
    plans: bool


class _SaidBefore:
    """The words of the user and of earlier requests, the latter each with bits of the calls that had ended."""

    def __init__(self, matters: AskedMatters) -> None:
        self._matters = matters
        own = max(FILLERS, key=lambda fillers: len(fillers & matters.said))
        self._languages = tuple(dict.fromkeys((FILLERS[0], own)))
        self._known: dict[str, int] = {}
        self._requested: set[str] = set()
        self._named = 0

    def sentences_in(self, text: str) -> list[_Sentence]:
        """Return the sentences of *text* that hold more than fillers, in English or in the user's language."""
        if not text.isascii():
            text = IN_OTHER_SCRIPTS.sub(" ", _STOPS.sub("\n", plain_text(text)))
        found = []
        sentences = [list(_unacknowledged(_words(sentence))) for sentence in tokens.sentences_in(text)]
        read = [[[one for one in words if one not in fillers] for words in sentences] for fillers in self._languages]
        for every, telling in zip(sentences, min(read, key=lambda told: sum(map(len, told))), strict=True):
            words = list(map(singular, _unacknowledged(telling)))
            plans = not PLANS.isdisjoint(every[:_FIRST]) and CAUSES.isdisjoint(every)
            found += [] if all(map(_is_digit, words)) else [_Sentence(words, plans)]
        return found

    def add(self, own: set[str], remark: Iterable[_Sentence], ended: int, named: int) -> None:
        """Add the words of the calls of a request and of its *remark*; calls had *ended* before, some are *named*."""
        self._requested |= {word[:STEM] for word in own}
        self._named |= named
        for word in (*own, *(word for sentence in remark for word in sentence.words)):
            self._known.setdefault(word, ended)

    def learnt(self, remark: Iterable[_Sentence], own: set[str], *, asked_for: bool) -> int:
        """
        Return bits of the calls from whose results the words of a remark may be.

        Args:
            remark: Its sentences.
            own: The words of the calls that it accompanies.
            asked_for: Whether the user asked for just what the call returns.
        """
        learnt = told = 0
        stems = {word[:STEM] for word in own} - self._requested
        announced = False
        asked_for = asked_for and not self._matters.weighs
        for words, plans in remark:
            since = 0
            for word in words:
                explained = word in own or _is_digit(word) or self._matters.says(word)
                since |= 0 if explained else self._known.get(word, _EVERY)
            new = stems.intersection(word[:STEM] for word in words) if asked_for else ()
            announces = (plans or not since) and not self._matters.stems.isdisjoint(new)
            announced = announced or announces
            if announces or (asked_for and not new):
                told |= since
            else:
                learnt |= _EVERY if own.isdisjoint(words) else since
        return learnt | (told & ~self._named if announced else told)


def _texts_of(answer: Content | None) -> list[str] | None:
    """Return the beginnings of the texts of an *answer*; None if it cannot be read."""
    if answer is None or answer.parse is None:
        return []
    try:
        read = answer.data()
    except Exception:  # noqa: BLE001 - a parser of any framework's messages
        return None
    return [one[:_MOST_READ] for one in read if isinstance(one, str)] if isinstance(read, (list, tuple)) else []


def _unacknowledged(words: Iterable[str]) -> Iterator[str]:
    """Return *words* without those at the beginning that say only that a result came."""
    return itertools.dropwhile(ACKNOWLEDGEMENTS.__contains__, words)


def _is_digit(word: str) -> bool:
    return len(word) == 1 and word.isdecimal()


def _words(text: str) -> Iterator[str]:
    """Yield the words of *text*, and of scripts without spaces the groups of letters that say something."""
    for word in tokens.words_in(text):
        runs = () if word.isascii() or not _PACKED.search(word) else _SAYING.findall(word)
        if not runs:
            yield word
        for run in runs:
            yield from (run[at : at + 2] for at in range(max(1, len(run) - 1)))
